"""The tones of the headphone check: what reaches an ear in headphones, and from loudspeakers."""

import random

import pytest
import torch

from minicodec.listening.headphones import (
    AMPLITUDE,
    PASS,
    PITCH,
    RATE,
    SOFTER,
    TRIALS,
    TRIES,
    chance,
    tones,
)
from minicodec.listening.sounds import prepare


def level(channel: torch.Tensor) -> float:
    return float(10 * channel.double().square().mean().log10())


def test_in_headphones_the_soft_tone_is_the_softest():
    each = {name: [level(ear) for ear in tone] for name, tone in tones().items()}
    assert each["loud"] == pytest.approx(each["turned"])
    assert each["soft"] == pytest.approx([x - SOFTER for x in each["loud"]], abs=1e-4)


def test_in_one_channel_the_turned_tone_is_gone():
    mono = {name: tone.mean(0).abs().max() for name, tone in tones().items()}
    assert mono["turned"] == 0 and mono["soft"] > 0.4 * AMPLITUDE


@pytest.mark.parametrize("side", [0.0, 0.1, 0.2])
def test_from_loudspeakers_the_turned_tone_is_the_softest(side):
    """Two metres in front of loudspeakers 1.2 m apart, `side` metres beside the middle."""
    ways = [(2.0**2 + (0.6 + sign * side) ** 2) ** 0.5 for sign in (1, -1)]
    time = torch.arange(RATE) / RATE
    heard = {}
    for name, (left, right) in {"loud": (1, 1), "soft": (0.5, 0.5), "turned": (1, -1)}.items():
        waves = [gain / way * torch.sin(2 * torch.pi * PITCH * (time - way / 343))
                 for gain, way in zip((left, right), ways)]  # fmt: skip
        heard[name] = level(sum(waves))
    assert heard["turned"] < heard["soft"] - 3


def test_the_tones_are_one_pitch_without_clicks_and_always_the_same():
    for name, tone in tones().items():
        assert torch.equal(tone, tones()[name])
        assert tone[:, 0].abs().max() < 1e-6 and tone[:, -1].abs().max() < 1e-3
        power = torch.fft.rfft(tone[0].double()).abs().square()
        strongest = power.argmax()
        assert strongest == PITCH  # one second: a bin is a hertz
        assert power[(torch.arange(len(power)) - strongest).abs() > 25].sum() < 1e-6 * power.sum()


def test_players_keep_two_channels():
    import io

    import soundfile

    packed, note = prepare(dict(tones()), RATE)
    assert note == "" and [sound.gain for sound in packed][0] == 0
    for sound, tone in zip(packed, tones().values()):
        samples, rate = soundfile.read(io.BytesIO(sound.flac), dtype="float32")
        assert rate == RATE and samples.shape == (RATE, 2)
        assert torch.allclose(torch.from_numpy(samples.T), tone, atol=2**-15)


def test_the_chance_of_a_guesser_is_that_of_drawn_answers():
    luck = random.Random(0)
    passed = sum(
        any(
            sum(luck.randrange(3) == 0 for _ in range(TRIALS)) >= PASS
            for _ in range(TRIES)
        )
        for _ in range(20_000)
    )  # fmt: skip
    assert passed / 20_000 == pytest.approx(chance(TRIES), abs=0.004)
    assert chance() == pytest.approx(13 / 729)
