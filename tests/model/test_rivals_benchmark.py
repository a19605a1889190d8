"""The benchmark of rivals runs the same model in each program, and writes down what it did."""

import argparse
import json

import pytest
import torch

pytest.importorskip("encodec")
pytest.importorskip("transformers")
pytest.importorskip("onnxruntime")

import rival_codecs
import rival_starts
import rivals
from notebooks import ROOT
from rival_codecs import MINI, RIVALS, SIZE, large, large_up_to_six, small

from minicodec import audio


@pytest.fixture(scope="module")
def clip():
    return audio.clip("speech_en", seconds=0.6)


@pytest.mark.parametrize("name", ["encodec", "transformers"])
@torch.inference_mode()
def test_the_official_size_computes_the_same_codes(clip, name):
    ours, theirs = RIVALS["minicodec"].open(1), RIVALS[name].open(1)
    codes, frames = ours["encode"](clip), theirs["encode"](clip)
    found = frames[0][0] if name == "encodec" else frames[0]
    assert (found == codes).float().mean() > 0.99  # ties may go to either
    heard = theirs["decode"](frames)
    torch.testing.assert_close(
        heard[..., : clip.shape[-1]],
        ours["decode"](found)[..., : clip.shape[-1]],
        atol=1e-4,
        rtol=0,
    )


@pytest.mark.parametrize(
    ("name", "codec"), [("ONNX Runtime", large_up_to_six), ("ONNX Runtime, mini", small)]
)
@torch.inference_mode()
def test_onnx_runtime_computes_the_same_codes(clip, name, codec):
    """It streams, so it is compared with the codec that fills with zeros, in whole frames."""
    ours, theirs = rival_codecs.of_ours(codec, 1), RIVALS[name].open(1)
    clip = clip[..., : 40 * rivals.FRAME]
    codes = theirs["encode"](clip)
    assert codes.shape[1] == 8  # no level that would not be needed
    assert (ours["encode"](clip) == codes).float().mean() > 0.99
    heard = torch.from_numpy(theirs["decode"](codes))
    torch.testing.assert_close(heard, ours["decode"](codes.long()), atol=1e-4, rtol=0)


@pytest.mark.parametrize("name", ["minicodec, mini", "ONNX Runtime, mini"])
@torch.inference_mode()
def test_frame_by_frame_is_the_whole(clip, name):
    codec = RIVALS[name].open(1)
    whole, state, parts = codec["encode"](clip[..., :6400]), None, []
    for piece in clip[..., :6400].split(rivals.FRAME, 2):
        codes, state = codec["encode a frame"](piece, state, rival_codecs.BANDWIDTH)
        parts.append(torch.as_tensor(codes))
    assert (torch.cat(parts, 2) == whole).float().mean() > 0.99


def test_models_are_the_weights_that_rows_say():
    assert large().config.n_q(6.0) == large_up_to_six().config.max_n_q == 8
    full, cut = rival_codecs.minicodec.load("mini_24khz", fast=False), small()
    for (name, mine), theirs in zip(cut.encoder.named_parameters(), full.encoder.parameters()):
        assert torch.equal(mine, theirs), name
    million = sum(p.numel() for p in large().parameters()) / 1e6
    assert f"{million:.1f} M" in SIZE
    assert {r.weights for r in RIVALS.values() if r.model == MINI} == {"trained"}


@pytest.mark.parametrize("name", ["minicodec", "encodec", "transformers", "ONNX Runtime, mini"])
def test_a_process_of_its_own_codes_a_clip(tmp_path_factory, name):
    folder = tmp_path_factory.getbasetemp() / "rivals"
    if not folder.is_dir():
        folder.mkdir()
        rival_starts.prepare(folder)
    found = rival_starts.run(name, str(folder), 0.2)
    assert found["seconds"] > 0.1 and 50 < found["mb"] < 3000


def test_a_program_that_fails_says_why(tmp_path):
    with pytest.raises(SystemExit, match="(?s)minicodec failed:.*no such file"):
        rival_starts.run("minicodec", str(tmp_path), 0.2)


def options(**changed):
    known = dict(repeats=5, budget=0.05, longest=1.0, pace={})
    return argparse.Namespace(**known | changed)


def test_turns_end_with_the_budget_and_the_slow_are_left_out(monkeypatch):
    monkeypatch.setattr(rivals, "_PAUSE", 0)
    runs = {"quick": [], "slow": []}

    def codec(name, seconds):
        def encode(clip):
            runs[name].append(clip.shape[-1])
            rivals.time.sleep(seconds)

        return {"encode": encode, "decode": lambda codes: None}

    codecs = {"quick": codec("quick", 0), "slow": codec("slow", 0.04)}
    args = options()
    rows = rivals.of_clips(codecs, 1.0, 1, args)
    counted = {(row["codec"], row["what"]): row["runs"] for row in rows}
    assert counted["quick", "encode"] == 5 and counted["slow", "encode"] == 2
    assert len(runs["slow"]) == 3  # and one before
    slow = next(row for row in rows if (row["codec"], row["what"]) == ("slow", "encode"))
    assert slow["spread"][0] <= slow["x_real_time"] <= slow["spread"][1] < 25.1
    rows = rivals.of_clips(codecs, 100.0, 1, args)  # some 4 s a run: more than the longest
    assert [row["codec"] for row in rows if "skipped" in row] == ["slow"]
    assert rows[0]["skipped"] >= 4


def test_a_codec_that_is_missing_is_left_out(monkeypatch, capsys):
    def missing(threads):
        raise ImportError("no package dac")

    monkeypatch.setitem(RIVALS, "DAC", RIVALS["DAC"]._replace(open=missing))
    assert list(rivals.opened(1, ["minicodec, mini", "DAC"])) == ["minicodec, mini"]
    assert "DAC is left out: no package dac" in capsys.readouterr().out


def test_what_was_measured_is_whole():
    """Each codec at each length and number of threads, or what it would have taken."""
    found = json.loads((ROOT / "benchmarks" / "rivals.json").read_text(encoding="utf-8"))
    assert set(found["codecs"]) == set(RIVALS)
    places = {(row["seconds"], row["threads"]) for row in found["clips"]}
    assert {n for n, _ in places} == {1, 10, 300} and {n for _, n in places} == {1, 2}
    for name in found["codecs"]:
        for place in places:
            rows = [r for r in found["clips"] if (r["codec"], r["seconds"], r["threads"])
                    == (name, *place)]  # fmt: skip
            assert {r.get("what") for r in rows} in ({"encode", "decode"}, {None})
            assert all("skipped" in r or r["runs"] >= 2 for r in rows)
    assert {row["codec"] for row in found["processes"]} == set(rival_starts.PROGRAMS)
    for row in found["clips"]:
        assert "skipped" in row or row["spread"][0] <= row["x_real_time"] <= row["spread"][1]
