"""What training learns from: every source gives the same kind of sound, and the same one again."""

import dataclasses
import io
from collections import Counter
from random import Random

import datasets
import numpy as np
import pytest
import soundfile
import torch

from minicodec.model.config import CodecConfig
from minicodec.training.batches import (
    Batches,
    Weighted,
    held_out,
    open_source,
    reverberated,
)
from minicodec.training.config import TrainConfig, load_config, names
from minicodec.training.sources import Clips, Folder, Stream

RATE = 8000
CODEC = CodecConfig(
    sample_rate=RATE, n_filters=2, dimension=8, codebook_size=16, bandwidths=(0.1, 0.2)
)
CONFIG = TrainConfig(codec=CODEC, seconds=0.5, batch=4, steps=100, reverb=0.0)


def write(path, samples, rate=RATE):
    path.parent.mkdir(parents=True, exist_ok=True)
    soundfile.write(path, samples, rate)


def tone(seconds, hertz=440.0, rate=RATE, level=0.3):
    return level * np.sin(2 * np.pi * hertz * np.arange(round(seconds * rate)) / rate)


class Ramps:
    """A source whose crops say where they come from."""

    def __init__(self, value, name="ramps"):
        self.name, self.value, self.seconds, self.skipped = name, value, 10.0, Counter()

    def crop(self, random, length):
        return torch.full((1, length), float(self.value))


# config


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
        (dict(time=0, mel=0, adversarial=0, features=0), "not all zero"),
        (dict(mel=float("nan")), "finite"),
        (dict(mixing=(0.5, 0.2, 0.2)), "sum to 1"),
        (dict(gain=(6, -10)), "gain"),
        (dict(seconds=0.001), "one frame"),
        (dict(warm_up=100), "warm_up"),
        (dict(warm_up=5, decoder_only=True), "exclude"),
        (dict(discriminator_share=1.5), "probabilities"),
        (dict(learning_rate=-1), "learning_rate"),
        (dict(final_rate=0), "final_rate"),
        (dict(mel_kind="loud"), "mel_kind"),
        (dict(codec=dataclasses.replace(CODEC, segment=0.25)), "one chunk"),
    ],
)
def test_a_config_names_the_field_that_does_not_fit(change, word):
    with pytest.raises(ValueError, match=word):
        dataclasses.replace(CONFIG, **change)


def test_configs_that_are_not(tmp_path):
    with pytest.raises(ValueError, match="tiny"):
        load_config("gigantic")
    with pytest.raises(ValueError, match="no such file"):
        load_config(str(tmp_path / "none.json"))
    script = tmp_path / "mine.py"
    script.write_text("raise SystemExit('ran')")
    with pytest.raises(ValueError, match="json"):
        load_config(str(script))
    for text in ("{", "[]", '{"bach": 4}', '{"codec": {"n_filters": "many"}}', '{"codec": 7}'):
        (tmp_path / "bad.json").write_text(text)
        with pytest.raises(ValueError):
            load_config(str(tmp_path / "bad.json"))


def test_the_learning_rate_falls_to_its_last_value_and_not_below():
    config = dataclasses.replace(CONFIG, final_rate=0.1)
    rates = [config.rate(step) for step in range(0, 150)]
    assert rates[0] == config.learning_rate and rates == sorted(rates, reverse=True)
    assert rates[99] == pytest.approx(0.1 * config.learning_rate) == rates[149]


# folders


@pytest.fixture
def folder(tmp_path):
    write(tmp_path / "f/a.wav", tone(4))
    write(tmp_path / "f/deep/b.flac", tone(1, 880, 16000), 16000)
    write(tmp_path / "f/short.wav", tone(0.2))
    write(tmp_path / "f/six.wav", np.tile(tone(1)[:, None], 6))
    write(tmp_path / "f/empty.wav", np.zeros(0))
    soundfile.write(tmp_path / "f/nan.wav", np.full(9000, np.nan, np.float32), RATE, "FLOAT")
    (tmp_path / "f/noise.mp3").write_bytes(bytes(range(256)) * 20)
    (tmp_path / "f/notes.txt").write_text("not audio")
    return tmp_path / "f"


@pytest.mark.parametrize("memory", [0, 1e9])
@pytest.mark.parametrize("channels", [1, 2])
def test_a_folder_gives_pieces_as_asked_and_skips_what_it_cannot_use(folder, memory, channels):
    source = Folder(folder, RATE, channels, shortest=0.5, memory=memory)
    for seed in range(40):
        piece = source.crop(Random(seed), 4000)
        assert piece.shape == (channels, 4000) and piece.dtype == torch.float32
        assert 0.1 < piece.abs().max() < 0.35
        assert torch.equal(piece, source.crop(Random(seed), 4000))
    if channels == 2:
        assert source.skipped["more than two channels"] == 1
    assert source.skipped["too short"] == 2 and source.skipped["cannot be read"] == 1
    assert source.skipped["damaged inside"] == 1 and str(folder / "nan.wav") in source.bad


def test_memory_and_disk_give_the_same_pieces(tmp_path):
    write(tmp_path / "a.wav", np.random.default_rng(0).uniform(-0.5, 0.5, 30000))
    kept, read = (Folder(tmp_path, RATE, memory=memory) for memory in (1e9, 0))
    for seed in range(5):
        torch.testing.assert_close(
            kept.crop(Random(seed), RATE), read.crop(Random(seed), RATE), atol=1e-4, rtol=0
        )


def test_long_recordings_are_drawn_from_more_often(tmp_path):
    write(tmp_path / "long.wav", tone(9, level=0.2))
    write(tmp_path / "brief.wav", tone(1, level=0.8))
    source = Folder(tmp_path, RATE, shortest=0.5)
    loud = sum(float(source.crop(Random(i), 800).abs().max()) > 0.5 for i in range(400))
    assert 20 < loud < 65  # of 400, one in ten


def test_folders_that_cannot_be_used(tmp_path):
    with pytest.raises(ValueError, match="not a folder"):
        Folder(tmp_path / "nowhere", RATE)
    write(tmp_path / "short.wav", tone(0.2))
    with pytest.raises(ValueError, match="too short.: 1"):
        Folder(tmp_path, RATE)


# datasets of other makers


class LikeTorchaudio(torch.utils.data.Dataset):
    """Gives what `torchaudio.datasets.LIBRISPEECH` gives."""

    def __len__(self):
        return 5

    def __getitem__(self, index):
        if index == 3:
            return torch.zeros(1, 100), 16000, "too short", 1, 2, 3
        samples = torch.full((1, 16000 + index), float(index) / 10)
        return samples, 16000, "words", 1, 2, 3


def test_a_torchaudio_dataset_is_a_source():
    source = Clips(LikeTorchaudio(), RATE, channels=2, shortest=0.5)
    levels = {round(float(source.crop(Random(i), 4000)[0, 2000]), 1) for i in range(60)}
    assert levels == {0.0, 0.1, 0.2, 0.4} and source.skipped["too short"] > 0
    assert torch.equal(source.crop(Random(1), 4000), source.crop(Random(1), 4000))


def examples(count=12):
    return {"audio": [{"array": np.full(8000, i / 20, np.float32), "sampling_rate": RATE}
                      for i in range(count)]}  # fmt: skip


def drawn(source, count):
    return [round(float(source.crop(Random(i), 400)[0, 100]), 2) for i in range(count)]


def test_a_hugging_face_stream_is_a_source_and_goes_on_where_it_was():
    stream = datasets.Dataset.from_dict(examples()).to_iterable_dataset()
    whole = Stream(stream, RATE, keep=4, uses=2)
    before = drawn(whole, 9)
    assert set(before[:2]) <= {0, 0.05, 0.1, 0.15}  # at first only what was kept first
    position = whole.drawn
    after = [whole.crop(Random(i), 400) for i in range(30)]  # beyond the end: it starts again
    resumed = Stream(stream, RATE, keep=4, uses=2)
    resumed.seek(position)
    assert all(torch.equal(a, resumed.crop(Random(i), 400)) for i, a in enumerate(after))


def test_processes_share_a_stream():
    stream = datasets.Dataset.from_dict(examples()).to_iterable_dataset()
    seen = [set(drawn(Stream(stream, RATE, keep=6, part=part, parts=2), 60)) for part in (0, 1)]
    assert not seen[0] & seen[1] and len(seen[0] | seen[1]) == 12


def test_a_stream_of_files_needs_no_decoder_of_its_own(tmp_path):
    files = []
    for i in range(3):
        data = io.BytesIO()
        soundfile.write(data, tone(1, rate=16000, level=0.1 * (i + 1)), 16000, format="FLAC")
        files.append({"bytes": data.getvalue(), "path": None})
    files[1] = {"bytes": b"not a file", "path": None}
    table = datasets.Dataset.from_dict({"audio": files}).cast_column("audio", datasets.Audio())
    table.to_parquet(tmp_path / "part.parquet")
    stream = datasets.load_dataset(
        "parquet", data_files=str(tmp_path / "part.parquet"), split="train", streaming=True
    )
    source = Stream(stream, RATE, shortest=0.5, keep=3, uses=100)
    levels = {round(float(source.crop(Random(i), 4000).abs().max()), 1) for i in range(20)}
    assert levels == {0.1, 0.3} and sum(source.skipped.values()) == 1
    named = open_source(f"hf:{tmp_path}:train", CONFIG)
    assert named.weight == 3600 and named.source.crop(Random(0), 4000).shape == (1, 4000)


def test_streams_that_cannot_be_used():
    silent = datasets.Dataset.from_dict({"text": ["a"]}).to_iterable_dataset()
    with pytest.raises(ValueError, match="no column 'audio', but text"):
        Stream(silent, RATE).crop(Random(0), 100)
    with pytest.raises(ValueError, match="no recordings"):
        Stream([], RATE).crop(Random(0), 100)
    brief = [{"audio": {"array": np.zeros(10), "sampling_rate": RATE}}]
    with pytest.raises(ValueError, match="too short"):
        Stream(brief, RATE, keep=3).crop(Random(0), 100)


# batches


def test_a_batch_is_a_function_of_its_step(folder):
    def batches(rank=0, world=1, seed=0):
        config = dataclasses.replace(CONFIG, seed=seed, reverb=0.5)
        return Batches([Weighted(Folder(folder, RATE, 1, 0.5), 1.0)], config, rank, world)

    whole = batches()
    later = whole[7].audio
    assert later.shape == (4, 1, 4000)
    assert torch.equal(batches()[7].audio, later)
    assert not torch.equal(whole[8].audio, later)
    assert not torch.equal(batches(seed=1)[7].audio, later)
    halves = [batches(rank, 2)[7].audio for rank in (0, 1)]
    assert torch.equal(torch.cat(halves), later)


def test_gain_stays_in_its_range_and_nothing_is_clipped():
    config = dataclasses.replace(CONFIG, mixing=(1, 0, 0), gain=(-10, 6))
    batches = Batches([Weighted(Ramps(0.1), 1.0)], config)
    levels = [20 * np.log10(float(batches.clip(Random(i)).max()) / 0.1) for i in range(300)]
    assert -10 <= min(levels) < -9 and 5 < max(levels) <= 6
    loud = Batches([Weighted(Ramps(0.9), 1.0)], dataclasses.replace(config, gain=(0, 20)))
    assert max(float(loud.clip(Random(i)).max()) for i in range(20)) == pytest.approx(0.99)


def test_mixing_follows_the_paper():
    """Three sources are never music; single ones are music half of the time."""
    config = dataclasses.replace(CONFIG, gain=(0, 0))
    sources = [Weighted(Ramps(0.2), 1.0, music=True), Weighted(Ramps(0.01), 3.0)]
    batches = Batches(sources, config)
    found = Counter(round(float(batches.clip(Random(i))[0, 0]), 2) for i in range(2000))
    share = {value: count / 2000 for value, count in found.items()}
    assert share[0.2] == pytest.approx(0.32, abs=0.04)  # music alone
    assert share[0.01] == pytest.approx(0.32, abs=0.04)
    assert share[0.03] == pytest.approx(0.12, abs=0.03)  # three of the others
    assert sum(share.get(v, 0) for v in (0.4, 0.21, 0.02)) == pytest.approx(0.24, abs=0.04)


def test_reverberation_rings_on_and_leaves_the_direct_sound():
    click = torch.zeros(1, RATE)
    click[0, 100] = 1.0
    wet = reverberated(click, RATE, Random(3))
    assert torch.allclose(wet[0, :135], click[0, :135], atol=1e-5)
    early, late = wet[0, 200:1200].norm(), wet[0, 6000:7000].norm()
    assert early > 0.02 and late < 0.5 * early
    assert not torch.equal(wet, reverberated(click, RATE, Random(4)))


def test_music_alone_stays_dry():
    config = dataclasses.replace(CONFIG, gain=(0, 0), mixing=(1, 0, 0), reverb=1.0)
    both = Batches([Weighted(Ramps(0.2), 1.0, True), Weighted(Ramps(0.01), 1.0)], config)
    for i in range(20):
        clip = both.clip(Random(i))
        assert (clip.std() < 1e-6) == bool(clip[0, 0] > 0.15)


def test_batches_that_cannot_be():
    with pytest.raises(ValueError, match="at least one source"):
        Batches([], CONFIG)
    with pytest.raises(ValueError, match="positive"):
        Batches([Weighted(Ramps(0.1), 0.0)], CONFIG)
    with pytest.raises(ValueError, match="shared by 3"):
        Batches([Weighted(Ramps(0.1), 1.0)], CONFIG, 0, 3)


def test_sources_by_name(folder):
    plain, weighted = open_source(str(folder), CONFIG), open_source(f"{folder}=0.25", CONFIG, True)
    assert plain.weight == pytest.approx(6.0) and not plain.music
    assert weighted.weight == 0.25 and weighted.music
    for wrong in ("hf:name", "torchaudio:LIBRISPEECH", "torchaudio:SPEECH:x", str(folder / "no")):
        with pytest.raises(ValueError):
            open_source(wrong, CONFIG)


def test_held_out_clips_are_equally_loud(folder):
    clips = held_out(str(folder), CONFIG, seconds=1.0)
    assert [list(c.shape) for c in clips] == [[1, 1, RATE]] * 3
    assert all(float(c.abs().max()) == pytest.approx(0.5) for c in clips)
