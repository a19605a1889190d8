"""Where commands write, what they refuse to replace, and what they say about a sound."""

import os
import re

import pytest

from minicodec.cli.common import check_target, note_changes, target_path
from minicodec.model.config import ENCODEC_48KHZ, MINI_24KHZ

ENDINGS = (".wav", ".flac")


@pytest.fixture(autouse=True)
def here(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_a_file_is_named_after_the_input_or_as_one_says(here):
    (here / "x").mkdir()
    assert str(target_path("a.mcdc", None, ENDINGS, False)) == "a.wav"
    assert str(target_path("x/a.b.mcdc", None, ENDINGS, False, ".flac")) == "x/a.b.flac"
    assert str(target_path("a.mcdc", "b.FLAC", ENDINGS, False)) == "b.FLAC"
    assert str(target_path(None, "b.wav", ENDINGS, False)) == "b.wav"  # from a pipe


def test_the_input_is_never_replaced(here):
    (here / "a.wav").touch()
    (here / "link.wav").symlink_to("a.wav")
    for output in ("", "./a.wav", "link.wav"):
        for force in (False, True):
            with pytest.raises(ValueError, match="is the input itself: choose another -o"):
                target_path("a.wav", output, ENDINGS, force)


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("there.wav", "there.wav exists already: choose another -o, or replace it with -f."),
        ("x.mp3", "x.mp3: the ending must be one of .wav, .flac."),
        ("wav", "wav: the ending must be one of"),
        ("none/x.wav", "none is not a folder, so x.wav cannot be written there."),
        ("there.wav/x.wav", "there.wav is not a folder, so x.wav"),
        ("folder.wav", "folder.wav is a folder, not a file to write."),
    ],
)
def test_a_file_that_would_be_in_the_way(here, name, words):
    (here / "there.wav").touch()
    (here / "folder.wav").mkdir()
    with pytest.raises(ValueError, match=re.escape(words)):
        check_target(here / name if "/" in name else type(here)(name), ENDINGS, force=False)


def test_force_replaces_files_and_nothing_else(here):
    (here / "there.wav").touch()
    check_target(here / "there.wav", ENDINGS, force=True)
    (here / "there.mp3").touch()
    with pytest.raises(ValueError, match="the ending must be"):
        check_target(here / "there.mp3", ENDINGS, force=True)
    with pytest.raises(ValueError, match="is a folder"):
        check_target(here, ENDINGS, force=True)


def test_another_remedy(here):
    (here / "there.wav").touch()
    with pytest.raises(ValueError, match="exists already: go on with --resume"):
        check_target(here / "there.wav", ENDINGS, False, "go on with --resume")


def test_pipes_and_devices_take_anything(here):
    os.mkfifo(here / "pipe")
    check_target(here / "pipe", ENDINGS, force=False)
    (here / "out.txt").symlink_to(os.devnull)
    check_target(here / "out.txt", ENDINGS, force=False)


@pytest.mark.parametrize(
    ("rate", "channels", "config", "note"),
    [
        (24000, 1, MINI_24KHZ, ""),
        (48000, 2, ENCODEC_48KHZ, ""),
        (44100, 1, MINI_24KHZ, "44100 Hz with 1 channel(s) becomes 24000 Hz with 1, as it needs"),
        (24000, 2, MINI_24KHZ, "24000 Hz with 2 channel(s) becomes 24000 Hz with 1, as it needs"),
        (48000, 1, ENCODEC_48KHZ, "48000 Hz with 1 channel(s) becomes 48000 Hz with 2, as it"),
    ],
)
def test_a_sound_that_has_to_change_is_a_note(capsys, rate, channels, config, note):
    note_changes(rate, channels, config, "it", "a.wav")
    out, err = capsys.readouterr()
    assert out == "" and err.count("\n") == bool(note) and note in err
    assert not note or err.startswith("note: ")


def test_more_than_stereo_is_refused(capsys):
    with pytest.raises(ValueError, match="a.wav has 3 channels; only mono and stereo are known."):
        note_changes(24000, 3, MINI_24KHZ, "it", "a.wav")
    assert capsys.readouterr() == ("", "")
