"""What a run leaves to others: a file with weights, counts of codes, and facts."""

import json

import pytest
import torch
from short_runs import CODEC, RATE, Tones, batch, changed, same, started, trainer

import minicodec
from minicodec.bits.histogram import for_codec
from minicodec.model.checkpoint import facts
from minicodec.model.codec import Codec
from minicodec.training.export import count_codes, export, read_facts


class Given(Tones):
    """A source of these recordings."""

    def __init__(self, *clips):
        super().__init__()
        self.clips = clips

    def recordings(self):
        return iter(self.clips)


def test_codes_are_counted_in_all_recordings_of_all_sources():
    codec = started()
    clips = [batch(seed, 1)[0] for seed in range(5)]
    counts = count_codes(codec, [Given(*clips[:2]), Given(*clips[2:])])
    expected = torch.zeros(CODEC.max_n_q, CODEC.codebook_size)
    for clip in clips:
        for level, codes in enumerate(codec.encode(clip[None])[0]):
            for code in codes:
                expected[level, code] += 1
    assert torch.equal(counts, expected)


def test_codes_are_counted_at_the_level_that_training_is_about():
    codec, clip = started(), batch(count=1)[0]
    counts = count_codes(codec, [Given(clip)], level=6.0)
    louder = 10 ** (6 / 20) * clip
    assert torch.equal(counts, count_codes(codec, [Given(louder)]))
    # What would clip is turned down, as in a batch.
    full = 0.99 * clip / clip.abs().max()
    assert torch.equal(count_codes(codec, [Given(clip)], 60.0), count_codes(codec, [Given(full)]))


def test_large_sources_are_not_counted_to_their_end():
    def endless():
        while True:
            yield batch(count=1)[0]

    source = Given()
    source.recordings = endless
    counts = count_codes(started(), [source], hours=1.0 / 3600)
    frames = RATE // CODEC.hop_length
    assert frames <= int(counts[0].sum()) <= frames + 8  # a second, and what a quarter rounds up to


def test_an_export_begins_the_histogram_and_leaves_the_run_as_it_was(tmp_path):
    run = trainer(tmp_path / "run", changed(gain=(-2.0, 6.0)))
    run.run()
    before = Codec(CODEC)
    before.load_state_dict(run.codec.state_dict())
    run.export(tmp_path / "mine.safetensors", {"licence": "CC0"})
    assert same(run.codec, before) and run.codec.training
    codec = minicodec.load(str(tmp_path / "mine.safetensors"))
    counts = torch.stack([book.counts for book in codec.quantizer.codebooks])
    wanted = count_codes(run.codec, [Tones()], level=2.0)  # in the middle of the range of gains
    assert torch.equal(counts, wanted) and counts.sum() > 0
    assert for_codec(codec).prior is not None
    known = facts(tmp_path / "mine.safetensors")
    assert codec.name == "mine" and known["licence"] == "CC0" and known["step"] == 6
    assert known["recipe"]["gain"] == [-2.0, 6.0] and "codec" not in known["recipe"]


def test_learned_codebooks_have_nothing_to_count(tmp_path):
    import dataclasses

    codec = Codec(dataclasses.replace(CODEC, quantizer="factorized"))
    export(codec, tmp_path / "learned.safetensors", {}, [Tones()])
    clip = batch(count=1)
    assert minicodec.load(str(tmp_path / "learned.safetensors")).encode(clip).shape[1] == 2


def test_facts_are_one_json_object(tmp_path):
    file = tmp_path / "facts.json"
    with pytest.raises(ValueError, match="no such file"):
        read_facts(file)
    for text, word in (("{", "no JSON"), ("[]", "one JSON object")):
        file.write_text(text)
        with pytest.raises(ValueError, match=word):
            read_facts(file)
    file.write_text(json.dumps({"licence": "CC0"}))
    assert read_facts(file) == {"licence": "CC0"}


def test_the_shipped_facts_name_a_licence_and_the_data():
    from minicodec.model.checkpoint import SHIPPED

    told = read_facts(SHIPPED["mini_24khz"].with_name("mini_24khz_facts.json"))
    assert told == {k: v for k, v in facts(SHIPPED["mini_24khz"]).items() if k in told}
