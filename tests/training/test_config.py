"""Configs: whole, checked, and data."""

import dataclasses

import pytest
from sources_by_hand import CODEC, CONFIG

from minicodec.training.config import load_config, names


@pytest.mark.parametrize("name", names())
def test_named_configs_are_whole_and_survive_a_file(name, tmp_path):
    config = load_config(name)
    config.save(tmp_path / "c.json")
    assert load_config(str(tmp_path / "c.json")) == config


@pytest.mark.parametrize(
    "change, word",
    [
        (dict(batch=0), "batch"),
        (dict(batch=2.5), "batch"),
        (dict(time=0, mel=0, adversarial=0, features=0), "mel is above 0, or"),
        (dict(mel=float("nan")), "mel is a number"),
        (dict(mel=10**5000), "mel is a number .* not one of int"),
        (dict(time=True), "time is a number"),
        (dict(balanced="no"), "balanced is true or false"),
        (dict(betas=(0.5,)), "betas is a list of 2"),
        (dict(codec=None), "codec is a CodecConfig"),
        (dict(batch=1 << 16, seconds=600), "batch has at most"),
        (dict(discriminator_windows=[2]), "discriminator_windows is a list"),
        (dict(seed=2**70), "seed is an integer"),
        (dict(mixing=(0.5, 0.2, 0.2)), "sums to 1"),
        (dict(gain=(6, -10)), "gain"),
        (dict(seconds=0.001), "one frame"),
        (dict(warm_up=100), "warm_up"),
        (dict(warm_up=5, decoder_only=True), "is 0 with decoder_only"),
        (dict(discriminator_share=1.5), "discriminator_share is a number from 0 to 1"),
        (dict(learning_rate=-1), "learning_rate"),
        (dict(final_rate=0), "final_rate"),
        (dict(mel_kind="loud"), "mel_kind"),
        (dict(optimizer="sgd"), "optimizer"),
        (dict(bandwidth_shares=(0.5, 0.25, 0.25)), "bandwidth_shares are one for each bandwidth"),
        (dict(bandwidth_shares=(0.5, 0.2)), "bandwidth_shares sum to 1"),
        (dict(band=-1.0), "band"),
        (dict(long_term=-1.0), "long_term"),
        (dict(time=0, mel=0, adversarial=0, features=0), "the weight of another loss"),
        (dict(codec=dataclasses.replace(CODEC, segment=0.25)), "one segment"),
    ],
)
def test_a_config_names_the_field_that_does_not_fit(change, word):
    with pytest.raises(ValueError, match=word) as error:
        dataclasses.replace(CONFIG, **change)
    assert "\n" not in str(error.value) and len(str(error.value)) < 200


def test_configs_that_are_not(tmp_path):
    with pytest.raises(ValueError, match="tiny"):
        load_config("gigantic")
    with pytest.raises(ValueError, match="no such file"):
        load_config(str(tmp_path / "none.json"))
    script = tmp_path / "mine.py"
    script.write_text("raise SystemExit('ran')")
    with pytest.raises(ValueError, match="json"):
        load_config(str(script))
    for text, words in [
        ("{", "no JSON"),
        ("[]", "no JSON object"),
        ('{"bach": 4}', "no field 'bach'"),
        ('{"codec": {"n_filters": "many"}}', "a codec's n_filters is an integer"),
        ('{"codec": {"segment": [0], "sample_rate": 1000000000}}', "a codec's sample_rate"),
        ('{"codec": 7}', "codec is a CodecConfig, not 7"),
        ('{"batch": 4, "batch": 5}', "names 'batch' twice"),
        ('{"mel": NaN}', "not finite"),
        ('{"steps": ' + "9" * 10_000 + "}", "10000 digits"),
        ("[" * 100_000, "nested too deeply"),
        (" " * 2_000_000, "more than 1048576 bytes"),
    ]:
        (tmp_path / "bad.json").write_text(text)
        with pytest.raises(ValueError, match=f"bad.json is not a training config: .*{words}"):
            load_config(str(tmp_path / "bad.json"))


def test_the_learning_rate_falls_to_its_last_value_and_not_below():
    config = dataclasses.replace(CONFIG, final_rate=0.1)
    rates = [config.rate(step) for step in range(0, 150)]
    assert rates[0] == config.learning_rate and rates == sorted(rates, reverse=True)
    assert rates[99] == pytest.approx(0.1 * config.learning_rate) == rates[149]


def test_what_a_run_may_change_on_its_way():
    freed = dataclasses.replace(CONFIG, steps=7, log_every=2, validate_every=3)
    assert CONFIG.differs(freed) == []
    other = dataclasses.replace(CONFIG, seed=3, codec=dataclasses.replace(CODEC, dimension=4))
    assert CONFIG.differs(other) == ["codec", "seed"]


def test_the_shipped_recipe_and_its_ablations_keep_an_average():
    recipes = ("mini_24khz", "mini_adam", "mini_decoder", "mini_adversarial", "tiny", "no_balancer")
    for name in recipes:
        assert 0.99 <= load_config(name).averaging < 1
