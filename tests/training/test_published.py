"""Data sets of others as sources: they go on where they were, and can be shared by processes."""

import io
import shutil
import zipfile
from random import Random

import datasets
import numpy as np
import pytest
import soundfile
import torch
from sources_by_hand import CONFIG, RATE, tone, write

from minicodec.training import published
from minicodec.training.published import Clips, Stream
from minicodec.training.sources import open_source


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


def test_all_recordings_of_a_dataset_once_and_whole():
    source = Clips(LikeTorchaudio(), RATE, shortest=0.5)
    clips = list(source.recordings())
    assert sorted(round(float(clip[0, 4000]), 1) for clip in clips) == [0.0, 0.1, 0.2, 0.4]
    assert all(clip.shape[1] in (8000, 8001, 8002) for clip in clips)


def test_recordings_that_cannot_be_used_are_counted():
    dataset = [(torch.zeros(1, RATE), RATE), (torch.full((1, RATE), torch.nan), RATE)]
    source = Clips(dataset, RATE)
    assert len(list(source.recordings())) == 1
    assert sum(source.skipped.values()) == 1
    with pytest.raises(ValueError, match="recordings in a row cannot be used"):
        Clips(dataset[1:], RATE).crop(Random(0), 400)


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


@pytest.mark.parametrize("form", ["folder", "zip", "table"])
def test_files_in_a_folder_or_an_archive_are_a_data_set(tmp_path, form):
    """`datasets` gives their paths, also those inside an archive, and needs torchcodec to do so."""
    place = tmp_path / "data"
    for number, ending in enumerate(("wav", "flac")):
        write(tmp_path / f"sound/train/{number}.{ending}", tone(1.0, level=0.1 * (number + 1)))
    place.mkdir()
    if form == "zip":
        with zipfile.ZipFile(place / "train.zip", "w") as archive:
            archive.write(tmp_path / "sound/train/0.wav", "0.wav")
            archive.write(tmp_path / "sound/train/1.flac", "deep/1.flac")
    else:
        (tmp_path / "sound/train").rename(place / "train")
    if form == "table":
        (place / "train/metadata.csv").write_text("file_name,text\n0.wav,a\n1.flac,b\n")
    source = open_source(f"hf:{place}:train", CONFIG).source
    levels = [round(float(clip.abs().max()), 1) for clip in source.recordings()]
    assert sorted(levels) == [0.1, 0.2] and not source.skipped


def test_a_data_set_names_no_files_outside_of_its_place(tmp_path):
    write(tmp_path / "secret.wav", tone(1.0))
    write(tmp_path / "data/fine.wav", tone(1.0))
    (tmp_path / "data-2").mkdir()
    shutil.copy(tmp_path / "secret.wav", tmp_path / "data-2")
    place = str(tmp_path / "data")
    names = [
        f"{tmp_path}/secret.wav", f"{place}/../secret.wav", f"{place}-2/secret.wav",
        f"file://{tmp_path}/secret.wav", "secret.wav", "http://127.0.0.1:9/a.wav",
        f"file://{tmp_path}/secret.wav::{place}/fine.wav", "hf://datasets/a/b/c.wav",
    ]  # fmt: skip
    examples = [{"audio": {"path": name, "bytes": None}} for name in names]
    source = Stream(examples, RATE, place=place)
    assert not list(source.recordings())
    assert source.skipped == {"names a file outside of its data set": len(names)}
    fine = [{"audio": f"{place}/fine.wav"}, {"audio": {"path": f"{place}/fine.wav"}}]
    assert len(list(Stream(fine, RATE, place=place).recordings())) == 2
    assert not list(Stream(fine, RATE).recordings())
    hub = Stream([], RATE, place="hf://datasets/owner/name").place
    assert published._below("hf://datasets/owner/name@main/a.zip", hub)
    assert not published._below("hf://datasets/owner/name2/a.zip", hub)
    assert not published._below("hf://datasets/owner/name/../../other/a/b.zip", hub)


def test_a_recording_without_bounds_is_left_out(tmp_path, monkeypatch):
    monkeypatch.setattr(published, "_LARGEST", 1 << 20)
    with zipfile.ZipFile(tmp_path / "x.zip", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("bomb.wav", bytes(3 << 20))
    source = Stream([{"audio": f"zip://bomb.wav::{tmp_path}/x.zip"}], RATE, place=str(tmp_path))
    assert not list(source.recordings()) and source.skipped == {"a file of more than 1 MB": 1}


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("hf:{}/gone:train", "cannot be opened: .*gone"),
        ("hf:{}:nope", "cannot be opened: Bad split: nope"),
        ("torchaudio:YESNO:{}/gone", "cannot be opened: "),
    ],
)
def test_what_cannot_be_opened_is_one_sentence(tmp_path, monkeypatch, name, words):
    monkeypatch.setattr(datasets.config, "HF_HUB_OFFLINE", True)
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    write(tmp_path / "train/a.wav", tone(1.0))
    with pytest.raises(ValueError, match=words) as error:
        open_source(name.format(tmp_path), CONFIG)
    assert "\n" not in str(error.value)


def test_streams_that_cannot_be_used():
    silent = datasets.Dataset.from_dict({"text": ["a"]}).to_iterable_dataset()
    with pytest.raises(ValueError, match="no column 'audio', but text"):
        Stream(silent, RATE).crop(Random(0), 100)
    with pytest.raises(ValueError, match="no recordings"):
        Stream([], RATE).crop(Random(0), 100)
    brief = [{"audio": {"array": np.zeros(10), "sampling_rate": RATE}}]
    with pytest.raises(ValueError, match="too short"):
        Stream(brief, RATE, keep=3).crop(Random(0), 100)


def test_all_recordings_once_and_whole():
    clips = list(Clips(LikeTorchaudio(), RATE, shortest=0.5).recordings())
    assert sorted(round(float(c[0, 2000]), 1) for c in clips) == [0.0, 0.1, 0.2, 0.4]
    assert all(abs(c.shape[1] - RATE) <= 2 for c in clips)
    source = Stream(datasets.Dataset.from_dict(examples()).to_iterable_dataset(), RATE, keep=4)
    first = source.crop(Random(0), 400)
    levels = [round(float(c[0, 100]), 2) for c in source.recordings()]
    assert levels == [round(i / 20, 2) for i in range(12)]
    assert source.drawn == 1  # what is drawn is not disturbed
    again = Stream(datasets.Dataset.from_dict(examples()).to_iterable_dataset(), RATE, keep=4)
    assert torch.equal(first, again.crop(Random(0), 400))
    assert torch.equal(source.crop(Random(1), 400), again.crop(Random(1), 400))
