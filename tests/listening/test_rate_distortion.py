"""What `benchmarks/rate_distortion.py` measures, how it goes on, and what it refuses."""

import importlib.util
import json
import sys

import pytest
import rate_curves
import rate_distortion
import torch
from rate_distortion import main, rivals_of

import minicodec
from minicodec import audio
from minicodec.listening import opus_codec
from minicodec.listening.known_codecs import Official
from minicodec.sound import judges

CONDITIONS = [*(f"mini_24khz {kbps}" for kbps in ("1.5", "3", "6", "12")), "opus 6", "opus 12",
              "mp3 16"]  # fmt: skip
opus = pytest.mark.skipif(not opus_codec.opus_tools(), reason="needs opusenc and opusdec")
official = pytest.mark.skipif(
    importlib.util.find_spec("encodec") is None, reason="needs the package encodec"
)


@pytest.fixture
def small(tmp_path, monkeypatch):
    """Two recordings of two classes, few conditions, one measure; what runs it."""
    monkeypatch.setattr(rate_distortion, "MEASURES", ["si_sdr"])
    monkeypatch.setattr(rate_distortion, "OPUS", [6, 12])
    monkeypatch.setattr(rate_distortion, "MP3", [16])
    monkeypatch.setattr(rate_curves, "DRAWS", 50)
    for kind, clip in (("music", "music"), ("speech", "speech_en")):
        (tmp_path / "in" / kind).mkdir(parents=True)
        audio.save(tmp_path / "in" / kind / "a.wav", audio.clip(clip, seconds=1.2), 24000)

    def run(*arguments):
        command = ["rate_distortion.py", str(tmp_path / "in"), "-o", str(tmp_path / "out.json")]
        monkeypatch.setattr(sys, "argv", [*command, "--seconds", "1", *arguments])
        main()
        return json.loads((tmp_path / "out.json").read_text())

    run.folder = tmp_path
    return run


@opus
def test_bits_are_those_of_the_files(small, monkeypatch):
    found = small()
    assert found["conditions"] == CONDITIONS and found["seconds"] == 1
    assert not (small.folder / "out.part").exists()
    assert {row["clip"] for row in found["rows"]} == {"music/a.wav", "speech/a.wav"}
    assert [row["condition"] for row in found["rows"]] == 2 * CONDITIONS
    rows = {row["condition"]: row for row in found["rows"] if row["class"] == "speech"}
    clip = rate_distortion.levelled(audio.clip("speech_en", seconds=1.2), 1, 24000)
    codec = minicodec.load("mini_24khz")
    for mode in ("none", "histogram", "lm"):
        data = minicodec.compress(codec, clip, bandwidth=6.0, entropy=mode)
        assert rows["mini_24khz 6"][f"kbps_{mode}"] == pytest.approx(len(data) * 8 / 1000)
    assert "kbps" not in rows["mini_24khz 6"] and 6 < rows["opus 12"]["kbps"] < 18
    # The headers of an Ogg file: its first two pages, and a head for each of the others.
    assert 0.5 < rows["opus 6"]["kbps_file"] - rows["opus 6"]["kbps"] < 12
    assert [row["class"] for row in found["means"]] == [
        kind for kind in ("all", "music", "speech") for _ in CONDITIONS
    ]
    # Its own name in place of recordings: the same follows from the same rows, nothing is measured.
    monkeypatch.setattr(rate_distortion, "measured", None)
    before = (small.folder / "out.json").read_text()
    monkeypatch.setattr(sys, "argv", ["rate_distortion.py", str(small.folder / "out.json")])
    main()
    assert (small.folder / "out.json").read_text() == before


@opus
def test_an_interrupted_run_goes_on(small, monkeypatch):
    real, asked = rate_distortion.of_clip, []

    def once(*arguments):
        asked.append(arguments[3])
        if len(asked) == 2:
            raise KeyboardInterrupt
        return real(*arguments)

    monkeypatch.setattr(rate_distortion, "of_clip", once)
    with pytest.raises(KeyboardInterrupt):
        small()
    part = small.folder / "out.part"
    with part.open("a") as file:
        file.write('{"clip": "speech/a.wav", "rows": [')  # the power failed here
    assert len(small()["rows"]) == 2 * len(CONDITIONS)
    assert asked == ["music/a.wav", "speech/a.wav", "speech/a.wav"]
    part.write_text(json.dumps({"seconds": 5}) + "\n")
    with pytest.raises(SystemExit, match="out.part was begun with other settings: .*, or delete"):
        small()


@opus
def test_what_it_refuses(small, monkeypatch):
    def refused(words):
        with pytest.raises(SystemExit, match=f"^rate_distortion.py: .*{words}") as error:
            small()
        assert "\n" not in str(error.value)

    with monkeypatch.context() as patch:
        patch.setattr(opus_codec, "opus_tools", lambda: False)
        refused("opusenc and opusdec, which are not installed here")
    with monkeypatch.context() as patch:
        patch.setattr(rate_distortion, "MEASURES", ["visqol"])
        patch.setattr(judges, "missing", lambda name: "visqol" if name == "visqol" else "")
        refused("visqol needs a package: .*visqol-python")
    for path in sorted((small.folder / "in").rglob("*.wav")):
        path.unlink()
    refused("has no recordings in it")
    (small.folder / "in").rename(small.folder / "elsewhere")
    refused("is not a folder of recordings")
    assert not (small.folder / "out.json").exists()


@opus
@official
def test_official_weights_from_a_file(tmp_path):
    torch.manual_seed(0)
    file = tmp_path / "made_up.th"
    torch.save(Official("encodec_24khz", 6.0)._model.state_dict(), file)
    rivals = rivals_of(minicodec.load("mini_24khz"), file)
    mine = [each for each in rivals if each.name.startswith("official")]
    assert [each.name for each in mine] == [
        f"official encodec_24khz {kbps}" for kbps in ("1.5", "3", "6", "12", "24")
    ]
    assert all(each.note == "" for each in mine), "these weights are not random ones"
    with pytest.raises(ValueError, match="no such file"):
        rivals_of(minicodec.load("mini_24khz"), tmp_path / "none.th")
