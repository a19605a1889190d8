"""One table of measures, with real bit rates and honest gaps."""

import math

import pytest
import torch

from minicodec import audio
from minicodec.bits.bitstream import compress
from minicodec.listening import known_codecs, opus_codec
from minicodec.listening.codecs import CodecError
from minicodec.listening.evaluation import evaluate, means, measure, ours, table

RATE = 24000
FAST = ["si_sdr", "mel_distance"]


def speech(seconds: float = 2.0) -> torch.Tensor:
    return audio.clip("speech_en", RATE, seconds=4)[..., : round(seconds * RATE)]


# --- rows and means


def test_bit_rates_are_those_of_the_bytes(tiny):
    clip = 0.1 * torch.randn(1, 1, 36000)
    rows = evaluate(tiny, {"noise": [clip]}, measures=FAST)
    for row, bandwidth in zip(rows, tiny.config.bandwidths):
        assert row["kbps"] == len(compress(tiny, clip, bandwidth)) * 8 / 1.5 / 1000
        assert row["kbps"] > tiny.config.n_q(bandwidth) * tiny.config.bits * 75 / 1000
    assert [row["condition"] for row in rows] == ["unnamed 1.5", "unnamed 3"]


def test_the_measures_are_of_what_comes_back(tiny, monkeypatch):
    clip = 0.1 * torch.randn(1, 1, 24000)
    monkeypatch.setattr(known_codecs, "decompress", lambda data, codec: clip + 0.01)
    assert evaluate(tiny, {"n": [clip]}, [1.5], FAST)[0]["si_sdr"] > 60


def test_speech_measures_are_for_speech(tiny):
    pytest.importorskip("pystoi")
    clip = speech(1.5)
    rows = evaluate(tiny, {"my_speech": [clip], "music": [clip]}, [3.0], ["si_sdr", "stoi"])
    assert "stoi" in rows[0] and "stoi" not in rows[1]
    every, music, spoken = means(rows)
    assert (every["class"], music["class"], spoken["class"]) == ("all", "music", "my_speech")
    assert "stoi" in spoken and "stoi" not in music and "stoi" not in every


def row(kind: str, condition: str, **values: float) -> dict:
    return {"class": kind, "clip": "x", "condition": condition, **values}


def test_means_are_means_and_gaps_stay_gaps():
    rows = [
        row("a", "x", kbps=1.0, si_sdr=2.0),
        row("a", "x", kbps=3.0, si_sdr=math.nan),
        row("b", "x", kbps=8.0, si_sdr=5.0),
        row("b", "y", kbps=1.0, si_sdr=math.nan),
    ]
    table_ = {(r["condition"], r["class"]): r for r in means(rows)}
    assert table_["x", "all"] == {
        "condition": "x", "class": "all", "clips": 3, "kbps": 4.0, "si_sdr": 3.5
    }  # fmt: skip
    assert table_["x", "a"]["si_sdr"] == 2.0 and table_["x", "a"]["clips"] == 2
    assert table_["y", "b"]["si_sdr"] is None
    assert ("y", "a") not in table_, "a class in which this condition has no clip"


def test_a_table_has_a_block_for_each_class_and_a_dash_for_each_gap():
    rows = [
        row("a", "long name 6", kbps=6.0, si_sdr=math.nan),
        row("b", "x", kbps=1.0, si_sdr=-1.5),
    ]
    text = table(rows)
    assert [block.split("(")[0] for block in text.split("\n\n")] == ["all ", "a ", "b "]
    assert text == table(means(rows))
    assert "long name 6" in text and "–" in text and "-1.50" in text
    assert "\n\n" not in table(rows[1:]), "one class is not shown twice"


def test_silence_and_short_clips_do_not_stop_the_rest(tiny):
    clips = [torch.zeros(1, 1, 24000), 0.1 * torch.randn(1, 1, 100), 0.1 * torch.randn(1, 1, 24000)]
    rows = evaluate(tiny, {"a": clips}, [1.5], FAST)
    assert math.isnan(rows[0]["si_sdr"])
    assert means(rows)[0]["clips"] == 3 and math.isfinite(means(rows)[0]["si_sdr"])


def test_files_are_read_cut_and_named(tiny, tmp_path):
    audio.save(tmp_path / "a.wav", 0.1 * torch.randn(2, 30000), 16000)
    (tmp_path / "b.wav").write_text("not audio")
    with pytest.warns(UserWarning, match="left out: .*b.wav"):
        rows = evaluate(
            tiny, {"x": [tmp_path / "a.wav", tmp_path / "b.wav"]}, [1.5], FAST, seconds=0.5
        )
    assert [r["clip"] for r in rows] == ["a.wav"]
    expected = compress(tiny, audio.load(tmp_path / "a.wav", RATE, 1)[0][None, :, :12000], 1.5)
    assert rows[0]["kbps"] == pytest.approx(len(expected) * 8 / 500)


def test_stereo_codecs_are_evaluated_too(tiny_stereo):
    clip = 0.1 * torch.randn(1, 2, 8000)
    assert math.isfinite(evaluate(tiny_stereo, {"a": [clip]}, [1.0], FAST)[0]["mel_distance"])


@pytest.mark.parametrize(
    ("clips", "options", "words"),
    [
        ({}, {}, "not one clip"),
        ({"a": []}, {}, "not one clip"),
        ({"a": [torch.zeros(1, 2, 9)]}, {}, "must have 1 channel"),
        ({"a": [torch.full((1, 1, 9), math.nan)]}, {}, "NaN"),
        ({}, {"bandwidths": [7.0]}, "must be one of 1.5, 3 kbps"),
        ({}, {"measures": ["mos"]}, "no measure 'mos'; there are si_sdr"),
        ({}, {"seconds": 0}, "seconds is positive"),
    ],
)
def test_wrong_input_is_refused(tiny, clips, options, words):
    with pytest.raises(ValueError, match=words):
        evaluate(tiny, clips, **({"measures": FAST} | options))


class Halved:
    """Every second sample, eight bits each."""

    name, sample_rate, channels, note = "halved", 12000, 1, "random weights"

    def encode(self, audio):
        return ((audio[0, 0].clamp(-1, 1) + 1) * 127.5).round().byte().numpy().tobytes()

    def decode(self, data):
        return (torch.frombuffer(bytearray(data), dtype=torch.uint8) / 127.5 - 1).view(1, 1, -1)


class Late(Halved):
    name, note = "late", ""

    def decode(self, data):
        return super().decode(data).roll(120, -1)


def test_any_codec_stands_in_the_same_table_with_its_rate_and_delay(tiny):
    codecs = [*ours(tiny, [1.5]), Halved(), Late()]
    rows = measure(codecs, {"my_speech": [speech(1.0)]}, ["si_sdr"], sample_rate=RATE)
    own, halved, late = rows
    assert [row["condition"] for row in rows] == ["unnamed 1.5", "halved", "late"]
    assert (own["khz"], halved["khz"], halved["kbps"]) == (24.0, 12.0, 96.0)
    assert (halved["delay_ms"], late["delay_ms"]) == (0.0, 10.0)
    assert halved["si_sdr"] > 10 > 0 > late["si_sdr"], "it is said, and not mended"
    assert halved["note"] == "random weights" and "note" not in own | late
    text = table(rows)
    assert text.endswith("\n\nhalved: random weights.") and text == table(means(rows))
    assert "  kHz" in text and "delay ms" in text


def test_a_delay_of_several_clips_is_the_median():
    rows = [row("a", "x", kbps=1.0, delay_ms=d) for d in (10.0, 10.0, -90.0, math.nan)]
    assert means(rows)[0]["delay_ms"] == 10.0


def test_codecs_that_cannot_be_told_apart_or_fail_are_refused(tiny):
    clips = {"a": [speech(0.5)]}
    with pytest.raises(ValueError, match="two codecs are called 'halved'"):
        measure([Halved(), Halved()], clips, FAST, sample_rate=RATE)
    broken = Halved()
    broken.decode = lambda data: torch.zeros(1, 1, 7)
    with pytest.raises(CodecError, match=r"halved: decode gives \[1, 1, 7\]"):
        measure([broken], clips, FAST, sample_rate=RATE)


@pytest.mark.skipif(not opus_codec.opus_tools(), reason="needs opusenc and opusdec")
def test_opus_stands_in_the_same_table(tiny):
    rows = evaluate(tiny, {"a": [speech(1.5)]}, [1.5], ["si_sdr"], opus=[6, 12])
    assert [row["condition"] for row in rows] == ["unnamed 1.5", "opus 6", "opus 12"]
    assert rows[1]["kbps"] < rows[2]["kbps"] < 18 and abs(rows[2]["delay_ms"]) < 0.1


def test_opus_is_refused_before_the_work(tiny, monkeypatch):
    monkeypatch.setattr(opus_codec.shutil, "which", lambda _: None)
    monkeypatch.setattr(known_codecs, "compress", lambda *_: pytest.fail("it had begun"))
    with pytest.raises(ValueError, match="apt-get install opus-tools"):
        evaluate(tiny, {"a": [speech(1)]}, [1.5], FAST, opus=[6])
