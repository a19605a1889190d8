"""`minicodec decode`."""

import pytest
import torch
from command import TINY, bad_files, check_refused, run

import minicodec
from minicodec import audio
from minicodec.bits.ecdc import write_ecdc
from minicodec.cli import decode
from minicodec.cli.pipes import bar
from minicodec.model import pretrained
from minicodec.model.checkpoint import save_codec


@pytest.mark.filterwarnings("default")  # a random decoder may be loud, which is a note
def test_what_was_encoded_comes_back(folder, capsys):
    assert run("encode", "mono.wav", *TINY, "-b", "1.5") == 0
    capsys.readouterr()
    assert run("decode", "mono.mcdc", *TINY, "-o", "back.flac") == 0
    assert "back.flac: 1.25 s, 1 channel(s), 24000 Hz" in capsys.readouterr().out
    back, rate = audio.load("back.flac")
    assert (rate, back.shape) == (24000, (1, 30000))


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["gone.mcdc", *TINY], "gone.mcdc: no such file"),
        (["cut.mcdc", *TINY], "breaks off in chunk 1"),
        (["x.mcdc", *TINY, "--start", "9"], "ends at 1.25 s, not after 9.00 s"),
        (["words.mcdc", *TINY], "begins with b'Thes'"),
        (["nothing.mcdc", *TINY], "0 bytes are too few"),
        (["x.mcdc"], "by 'unnamed', which does not ship .*: -m"),
        (["x.mcdc", "-m", "stereo.safetensors"], "by other weights"),
        (["x.mcdc", "-m", "nobody"], "no model 'nobody'"),
        (["x.mcdc", *TINY, "-o", "taken.wav"], "taken.wav exists already"),
        (["x.mcdc", *TINY, "-o", "x.mcdc", "-f"], "x.mcdc is the input itself"),
        (["x.mcdc", *TINY, "-o", "x.txt"], "ending must be one of"),
        (["x.mcdc", *TINY, "--lm", "gone"], "gone: no such file"),
        ([".", *TINY, "-o", "y.wav"], "y.wav names one file, but several inputs go into a folder"),
        (["cut.ecdc"], "too few for an .ecdc file"),
        (["good.ecdc", "--tolerant"], "leave --tolerant out"),
        (["good.ecdc", "--lm", "lm.safetensors"], "leave --lm out"),
        (["good.ecdc", "--start", "30"], "good.ecdc ends at 0.12 s, not after 30.00 s"),
    ],
)
def test_wrong_input_costs_one_line(folder, capsys, monkeypatch, words, message):
    bad_files(folder)
    (folder / "good.ecdc").write_bytes(ecdc())
    monkeypatch.setattr(pretrained, "_download", lambda _: pytest.fail("it began to download"))
    check_refused(folder, capsys, ["decode", *words], message)


@pytest.mark.parametrize(
    "words", [["-o", "taken.wav"], ["-o", "x.txt"], ["--lm", "gone"], ["-m", "nobody"]]
)
def test_arguments_are_checked_before_a_model_is_loaded(folder, capsys, monkeypatch, words):
    bad_files(folder)
    monkeypatch.setattr(decode, "load", lambda _: pytest.fail("a model was loaded"))
    check_refused(folder, capsys, ["decode", "x.mcdc", *TINY, *words], ".")


def test_a_streams_name_is_not_a_path_to_open(folder, capsys, tiny):
    """Whoever made the stream does not choose which of our files is read."""
    tiny.name = str(folder / "tiny.safetensors")
    (folder / "x.mcdc").write_bytes(minicodec.compress(tiny, torch.zeros(1, 1, 400)))
    assert run("decode", "x.mcdc") == 2
    assert "does not ship with minicodec" in capsys.readouterr().err


@pytest.mark.filterwarnings("default")
def test_parts_and_damage(folder, capsys):
    assert run("encode", "mono.wav", *TINY, "--chunk", "0.25") == 0
    assert run("decode", "mono.mcdc", *TINY, "-o", "all.wav") == 0
    part = ["--start", "0.6", "--duration", "0.2"]
    assert run("decode", "mono.mcdc", *TINY, "-o", "part.wav", *part) == 0
    whole, part = audio.load("all.wav")[0], audio.load("part.wav")[0]
    torch.testing.assert_close(part, whole[:, 14400:19200], atol=1e-3, rtol=0)

    data = bytearray((folder / "mono.mcdc").read_bytes())
    data[data.find(b"CHNK\0\0\0\2") + 25] ^= 16
    (folder / "hurt.mcdc").write_bytes(data)
    capsys.readouterr()
    assert run("decode", "hurt.mcdc", *TINY) == 2
    assert "hurt.wav" not in {path.name for path in folder.iterdir()}
    assert "chunk 2 (from 0.5 s) is damaged" in capsys.readouterr().err
    assert run("decode", "hurt.mcdc", *TINY, "--tolerant") == 0
    out, err = capsys.readouterr()
    assert out == "hurt.wav: 1.25 s, 1 channel(s), 24000 Hz\n"
    assert "note: chunk 2 is damaged: silence from 0.51 s to 0.76 s." in err
    assert audio.load("hurt.wav")[0].shape == whole.shape


# --- .ecdc


def official_codec() -> minicodec.Codec:
    torch.manual_seed(3)
    return minicodec.Codec(minicodec.ENCODEC_24KHZ, "encodec_24khz").eval()


def ecdc() -> bytes:
    return write_ecdc(official_codec(), 0.1 * torch.randn(1, 1, 3000), 1.5)


@pytest.mark.filterwarnings("default")
def test_official_files_are_known_by_their_beginning(folder, capsys):
    save_codec(official_codec(), "official.safetensors")
    (folder / "x.ecdc").write_bytes(ecdc())
    words = ["decode", "x.ecdc", "-m", "official.safetensors"]
    assert run(*words) == 0
    whole = audio.load("x.wav")[0]
    assert whole.shape == (1, 3000)
    assert run(*words, "-o", "part.wav", "--start", "0.05", "--duration", "0.02") == 0
    assert "part.wav: 0.02 s" in capsys.readouterr().out
    assert torch.equal(audio.load("part.wav")[0], whole[:, 1200:1680])


@pytest.mark.filterwarnings("default")
def test_official_files_among_many_count_in_the_bar(folder, capsys, monkeypatch):
    data, totals = ecdc(), []
    for name, part in (("a.ecdc", data), ("b.ecdc", data), ("cut.ecdc", data[:20])):
        (folder / name).write_bytes(part)
    monkeypatch.setattr(decode.many, "bar", lambda *words: totals.append(words[1]) or bar(*words))
    save_codec(official_codec(), "official.safetensors")
    assert run("decode", "a.ecdc", "b.ecdc", "cut.ecdc", "-m", "official.safetensors") == 2
    assert run("decode", "a.ecdc", "-m", "official.safetensors", "-f") == 0
    assert totals == [2 * 3000 / 24000, 0.0]  # alone it has a bar of its own
    assert "1 of 3 files could not be coded" in capsys.readouterr().err
