"""A folder as a source: pieces as asked for, the same again, and what cannot be used is counted."""

import os
import warnings
from random import Random

import cases
import numpy as np
import pytest
import torch
from sources_by_hand import RATE, mixed_folder, tone, write

from minicodec.training.folder import Folder, fill, fitted, shuffled


@pytest.mark.parametrize("memory", [0, 1e9])
@pytest.mark.parametrize("channels", [1, 2])
def test_a_folder_gives_pieces_as_asked_and_skips_what_it_cannot_use(tmp_path, memory, channels):
    folder = mixed_folder(tmp_path)
    with pytest.warns(UserWarning, match="left out") as notes:
        source = Folder(folder, RATE, channels, shortest=0.5, memory=memory)
    for name in ("empty.wav", "nan.wav", "noise.mp3"):
        assert sum(name in str(note.message) for note in notes) == 1
    for seed in range(40):
        piece = source.crop(Random(seed), 4000)
        assert piece.shape == (channels, 4000) and piece.dtype == torch.float32
        assert 0.1 < piece.abs().max() < 0.35
        assert torch.equal(piece, source.crop(Random(seed), 4000))
    if channels == 2:
        assert source.skipped["more than two channels"] == 1
    assert source.skipped["too short"] == 1 and source.skipped["cannot be read"] == 3
    assert str(folder / "nan.wav") in source.bad


@pytest.mark.parametrize("memory", [0, 1e9])
def test_a_folder_whose_headers_lie(tmp_path, memory):
    """Each file weighs what is there, and what is there can be drawn."""
    for name, data in {
        "unknown.flac": cases.flac_says(0),
        "more.flac": cases.flac_says(90_000_000),
        "most.flac": cases.flac_says((1 << 36) - 1),
        "cut.mp3": cases.cut_short_mp3(),
        "chained.ogg": cases.two_oggs_in_one(),
        "never.wav": cases.length_never_written(),
        "cut.flac": cases.cut_short_flac(),
        "slow.wav": cases.written("WAV", rate=1),
        "list.wav": cases.list_behind_data(),
    }.items():
        (tmp_path / name).write_bytes(data)
    with warnings.catch_warnings(record=True) as notes:
        warnings.simplefilter("always")
        source = Folder(tmp_path, RATE, memory=memory, shortest=0.5)
    assert source.skipped == {"cannot be read": 1, "of another rate": 1}
    said = [str(note.message) for note in notes]
    assert sum("left out" in text and "cut.flac" in text for text in said) == 1
    assert sum("left out" in text and "slow.wav" in text for text in said) == 1
    true = {"unknown.flac": 1, "more.flac": 1, "most.flac": 1, "never.wav": 1, "list.wav": 1}
    lengths = dict(zip((f.name for f in source.files), source._lengths, strict=True))
    assert {name: lengths[name] for name in true} == true
    assert 1 <= lengths["chained.ogg"] <= 2 and 1 < lengths["cut.mp3"] < 3
    for seed in range(100):
        piece = source.crop(Random(seed), 2000)
        assert piece.shape == (1, 2000) and piece.isfinite().all()
    assert source.skipped == {"cannot be read": 1, "of another rate": 1}


@pytest.mark.filterwarnings("ignore:left out")
def test_many_damaged_files_are_not_all_named(tmp_path):
    write(tmp_path / "good.wav", tone(1.0))
    for number in range(8):
        (tmp_path / f"{number}.wav").write_bytes(b"words")
    with pytest.warns(UserWarning, match="left out: 3 more") as notes:
        Folder(tmp_path, RATE)
    assert len(notes) == 6


def test_a_pipe_named_as_a_recording_is_passed_over(tmp_path):
    write(tmp_path / "a.wav", tone(1.0))
    os.mkfifo(tmp_path / "b.wav")
    assert len(Folder(tmp_path, RATE).files) == 1


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


@pytest.mark.parametrize("memory", [0, 1e9])
def test_all_recordings_of_a_folder_once_and_whole(memory, tmp_path):
    for number in range(6):
        write(tmp_path / f"{number}.wav", tone(1 + number / 10, level=0.3))
    source = Folder(tmp_path, RATE, memory=memory)
    (tmp_path / "2.wav").write_bytes(b"gone")
    lengths = [clip.shape[1] for clip in source.recordings()]
    left = [n for n in range(6) if memory or n != 2]
    assert sorted(lengths) == [8000 + 800 * n for n in left]
    assert lengths != sorted(lengths)  # the order mixes what lies together
    assert lengths == [clip.shape[1] for clip in source.recordings()]
    assert source.skipped["damaged inside"] == (0 if memory else 1)


def test_the_bar_names_the_folder_however_it_is_written(tmp_path, monkeypatch, capsys):
    write(tmp_path / "sea/a.wav", tone(2.0))
    monkeypatch.chdir(tmp_path / "sea")
    Folder(".", RATE)
    shown = capsys.readouterr().err
    assert "looking at sea" in shown and "reading sea" in shown


def test_samples_become_what_a_codec_wants():
    stereo = np.stack([np.full(800, 0.5), np.full(800, 0.1)])
    assert fitted(stereo[0], RATE, RATE, 2).shape == (2, 800)
    mono = fitted(stereo, RATE, RATE, 1)
    assert mono.dtype == torch.float32
    torch.testing.assert_close(mono, torch.full((1, 800), 0.3))
    assert fitted(stereo, RATE, RATE // 2, 1).shape == (1, 400)
    with pytest.raises(ValueError, match="NaN"):
        fitted(np.array([0.0, np.nan]), RATE, RATE, 1)


def test_a_piece_is_cut_or_filled_with_silence():
    clip = torch.ones(2, 5)
    assert torch.equal(fill(clip, 5), clip)
    assert torch.equal(fill(clip, 3), clip[:, :3])
    assert torch.equal(fill(clip, 7), torch.tensor([[1.0] * 5 + [0.0] * 2] * 2))


def test_the_disorder_is_complete_and_the_same_each_time():
    assert shuffled(500) == shuffled(500) != list(range(500))
    assert sorted(shuffled(500)) == list(range(500)) and shuffled(0) == []
