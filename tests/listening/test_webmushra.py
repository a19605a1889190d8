"""A folder for webMUSHRA is as its documentation wants it, and destroys nothing."""

import os

import numpy as np
import pytest
import soundfile
import torch
import yaml

from minicodec.listening import export_webmushra, webmushra
from minicodec.sound.files import NotWritten

RATE = 24000


def noise(seconds: float = 0.2) -> torch.Tensor:
    return 0.1 * torch.randn(1, 1, round(seconds * RATE))


# Keys of doc/experimenter.md; "questionnaire" and "randomize" as in its example configurations.
TOP = {"testname", "testId", "bufferSize", "stopOnErrors", "showButtonPreviousPage",
       "remoteService", "pages"}  # fmt: skip


MUSHRA_PAGE = {"type", "id", "name", "content", "showWaveform", "enableLooping", "strict",
               "reference", "createAnchor35", "createAnchor70", "randomize", "showConditionNames",
               "stimuli"}  # fmt: skip


FINISH_PAGE = {"type", "name", "content", "showResults", "writeResults", "questionnaire"}


def test_an_export_is_what_webmushra_documents(tmp_path):
    x, y = {"one": 4 * noise(), "two": noise(0.3)}, {"one": noise(), "two": noise(0.3)}
    file = export_webmushra(tmp_path / "my-test", {'no: "6"': y}, x, RATE, title="A: test #1")
    config = yaml.safe_load(file.read_text())
    assert set(config) == TOP and config["testname"] == "A: test #1"
    assert config["testId"] == file.parent.name == file.stem == "my-test"
    (order, *pages), last = config["pages"]
    assert order == "random" and len(pages) == 2
    assert set(last) == FINISH_PAGE and last["questionnaire"][0]["name"] == "listener"
    for page, seconds in zip(pages, (0.2, 0.3)):
        assert set(page) == MUSHRA_PAGE and page["type"] == "mushra"
        assert list(page["stimuli"]) == ["no: &quot;6&quot;", "anchor35", "anchor70"]
        for path in [page["reference"], *page["stimuli"].values()]:
            assert path.startswith("configs/my-test/")
            samples, rate = soundfile.read(file.parent / path.rpartition("/")[2])
            assert rate == 48000 and len(samples) == round(seconds * 48000)
            assert np.abs(samples).max() > 0.01


def test_a_label_that_yaml_would_misread_stays_a_label(tmp_path):
    x = noise()
    labels = ["no", "null", "1.5", "- a", "{b}", "é\n"]
    file = export_webmushra(tmp_path / "t", {label: x for label in labels}, x, RATE)
    page = yaml.safe_load(file.read_text())["pages"][0][1]
    assert list(page["stimuli"])[:-2] == labels


def test_an_export_destroys_nothing_and_says_what_is_wrong(tmp_path):
    x = noise()
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "thesis.tex").write_text("years")
    for folder, clip, words in [
        ("full", x, "not an empty folder"),
        ("a b", x, "letters, digits"),
        ("long", torch.zeros(1, 1, 13 * RATE), "longer than the 12 s"),
    ]:
        with pytest.raises(ValueError, match=words):
            export_webmushra(tmp_path / folder, {"c": clip}, clip, RATE)
    assert not (tmp_path / "long").exists()


def test_clips_may_come_without_batch_and_channels(tmp_path):
    x = noise()
    files = [
        export_webmushra(tmp_path / name, {"c": clip}, clip, RATE)
        for name, clip in (("one", x), ("two", x[0]), ("three", x[0, 0]))
    ]
    sounds = [soundfile.read(file.parent / "1-0.wav")[0] for file in files]
    assert np.array_equal(sounds[0], sounds[1]) and np.array_equal(sounds[0], sounds[2])


def test_a_failed_export_is_not_in_the_way_of_the_next(tmp_path, monkeypatch):
    """The disk is full at the second sound."""
    x, saved = noise(), []

    def full(path, *args):
        saved.append(path)
        if len(saved) == 2:
            raise NotWritten(f"{path} cannot be written: no space left.")
        save(path, *args)

    save = webmushra.audio_.save
    monkeypatch.setattr(webmushra.audio_, "save", full)
    with pytest.raises(ValueError, match="no space left"):
        export_webmushra(tmp_path / "t", {"c": x}, x, RATE)
    assert list(tmp_path.iterdir()) == []
    (tmp_path / "t").mkdir()  # an empty folder is welcome
    file = export_webmushra(tmp_path / "t", {"c": x}, x, RATE)
    assert file.is_file() and list(tmp_path.iterdir()) == [tmp_path / "t"]
    assert {path.name for path in file.parent.iterdir()} == {
        "t.yaml", *(f"1-{place}.wav" for place in range(4))
    }  # fmt: skip


@pytest.mark.parametrize("name", ["../up", "/etc/passwd", "a/../../b", "..", "CON", "x" * 300])
def test_no_name_of_a_sound_leads_out_of_the_folder(tmp_path, name):
    x = noise()
    file = export_webmushra(tmp_path / "in" / "t", {name: {name: x}}, {name: x}, RATE)
    assert {path.parent for path in tmp_path.rglob("*") if path.is_file()} == {file.parent}
    assert yaml.safe_load(file.read_text())["pages"][0][1]["name"] == name


@pytest.mark.parametrize("label", ["anchor35", "anchor70"])
def test_a_label_that_webmushra_takes_for_an_anchor(tmp_path, label):
    with pytest.raises(ValueError, match=f"webMUSHRA knows '{label}' as an anchor"):
        export_webmushra(tmp_path / "t", {label: noise()}, noise(), RATE)
    assert not (tmp_path / "t").exists()


def test_names_in_another_encoding_are_written(tmp_path):
    name, x = os.fsdecode(b"caf\xe9"), noise()
    file = export_webmushra(tmp_path / "t", {name: {name: x}}, {name: x}, RATE, title=name)
    config = yaml.safe_load(file.read_text(encoding="utf-8"))
    page = config["pages"][0][1]
    assert config["testname"] == page["name"] == next(iter(page["stimuli"])) == r"caf\xe9"
