"""The command line does what it says; wrong input costs one line and exit status 2."""

import os
import re
import subprocess
import sys
from io import BytesIO

import numpy as np
import pytest
import soundfile
import torch

import minicodec
from minicodec import audio
from minicodec.bits.ecdc import write_ecdc
from minicodec.bits.exact import exact_copy
from minicodec.bits.language_model import LanguageModel, LanguageModelConfig
from minicodec.bits.language_model_file import save_language_model
from minicodec.bits.writer import StreamWriter
from minicodec.cli import main, streams
from minicodec.model.checkpoint import save_codec


@pytest.fixture
def folder(tmp_path, monkeypatch, tiny, tiny_stereo):
    """A folder to work in, with two models and some sounds."""
    monkeypatch.chdir(tmp_path)
    save_codec(tiny, "tiny.safetensors")
    save_codec(tiny_stereo, "stereo.safetensors")
    audio.save("mono.wav", 0.1 * torch.randn(1, 30000), 24000)
    audio.save("stereo44.flac", 0.1 * torch.randn(2, 44100), 44100)
    return tmp_path


def run(*words: str) -> int:
    return main([str(word) for word in words])


@pytest.mark.filterwarnings("default")  # a random decoder may be loud: the note is tested below
def test_encode_info_decode(folder, capsys, tiny):
    assert run("encode", "mono.wav", "-m", "tiny.safetensors", "-b", "1.5") == 0
    out, err = capsys.readouterr()
    size = (folder / "mono.mcdc").stat().st_size
    assert out == f"mono.mcdc: 1.25 s in {size} bytes, {size * 8 / 1250:.2f} kbps\n" and err == ""
    n_q = tiny.config.n_q(1.5)

    assert run("info", "mono.mcdc") == 0
    out = capsys.readouterr().out
    assert "1.250 s, 30000 samples, 24000 Hz, 1 channel(s)" in out
    assert f"{size} bytes" in out and f"{n_q} codebooks of 16 entries, entropy coding: none" in out
    assert f"nominal 1.500 kbps, real {size * 8 / 1250:.3f} kbps" in out
    codes = -(-94 * n_q * 4 // 8)
    assert f"of which codes {codes}" in out and f"overhead    {size - codes} bytes" in out
    assert out.splitlines()[-1].split() == ["0", "0.00", "1.25", f"{codes + 21}",
                                            f"{(codes + 21) * 8 / 1250:.3f}"]  # fmt: skip

    assert run("decode", "mono.mcdc", "-m", "tiny.safetensors", "-o", "back.flac") == 0
    assert "back.flac: 1.25 s, 1 channel(s), 24000 Hz" in capsys.readouterr().out
    back, rate = audio.load("back.flac")
    assert (rate, back.shape) == (24000, (1, 30000))


@pytest.mark.filterwarnings("default")
@pytest.mark.parametrize("model", ["tiny.safetensors", "stereo.safetensors"])
def test_other_rates_and_channels_are_changed_with_a_note(folder, capsys, model):
    config = minicodec.load(model).config
    assert run("encode", "stereo44.flac", "-m", model, "-o", "x.mcdc") == 0
    note = capsys.readouterr().err
    assert note.startswith("note: 44100 Hz with 2 channel(s) becomes ") and note.count("\n") == 1
    assert run("decode", "x.mcdc", "-m", model) == 0
    back, rate = audio.load("x.wav")
    assert (rate, back.shape) == (config.sample_rate, (config.channels, config.sample_rate))


@pytest.mark.filterwarnings("default")
def test_roundtrip(folder, capsys):
    assert run("roundtrip", "mono.wav", "-m", "tiny.safetensors", "-b", "3") == 0
    assert "mono.decoded.wav: SI-SDR" in capsys.readouterr().out
    assert audio.load("mono.decoded.wav")[0].shape == (1, 30000)


@pytest.mark.filterwarnings("default")
def test_clipping_is_a_note(folder, capsys, monkeypatch, tiny):
    monkeypatch.setattr(minicodec.Codec, "decode", lambda self, *_: torch.full((1, 1, 30000), 2.0))
    assert run("roundtrip", "mono.wav", "-m", "tiny.safetensors") == 0
    assert "note: 30000 samples beyond [-1, 1] were clipped" in capsys.readouterr().err


def test_listen(folder, capsys):
    assert run("listen", "mono.wav", "-m", "tiny.safetensors") == 0
    assert f"open {folder / 'listen.html'}" in capsys.readouterr().out
    page = (folder / "listen.html").read_text(encoding="utf-8")
    assert page.count("<audio") == 3 and "1.5 kbps (file:" in page
    assert run("listen", "-m", "tiny.safetensors") == 0  # our own clip, onto our own page
    assert (folder / "listen.html").read_text(encoding="utf-8") != page


def bad_files(folder):
    """Everything a user might hand over by mistake."""
    (folder / "text.wav").write_text("These are words.\n" * 100)
    (folder / "empty.wav").write_bytes(b"")
    soundfile.write(folder / "nan.wav", np.array([0.0, np.nan]), 24000, subtype="FLOAT")
    soundfile.write(folder / "three.wav", np.zeros((100, 3)), 24000)
    audio.save(folder / "long.mp3", torch.zeros(1, 100), 24000)
    run("encode", folder / "mono.wav", "-m", folder / "tiny.safetensors", "-o", folder / "x.mcdc")
    data = (folder / "x.mcdc").read_bytes()
    (folder / "cut.mcdc").write_bytes(data[:-5])
    (folder / "cut.ecdc").write_bytes(b"ECDC\0")
    (folder / "words.mcdc").write_text("These are words.\n" * 100)
    (folder / "nothing.mcdc").write_bytes(b"")
    (folder / "taken.wav").write_bytes(b"precious")
    (folder / "taken.mcdc").write_bytes(b"precious")
    (folder / "cut.safetensors").write_bytes((folder / "tiny.safetensors").read_bytes()[:1000])


T = ["-m", "tiny.safetensors"]
BAD = [
    (["encode", "gone.wav", *T], "gone.wav: no such file"),
    (["encode", "text.wav", *T], "text.wav cannot be read as audio"),
    (["encode", "empty.wav", *T], "empty.wav is empty"),
    (["encode", "nan.wav", *T], "nan.wav holds NaN"),
    (["encode", "three.wav", *T], "three.wav has 3 channels"),
    (["encode", "../", *T, "-o", "y.mcdc"], "is a folder"),
    (["encode", "mono.wav", *T, "-b", "7"], "one of 1.5, 3 kbps, but 7.0 was given"),
    (["encode", "mono.wav", *T, "-b", "nan"], "but nan was given"),
    (["encode", "mono.wav", "-m", "encodex"], "no model 'encodex': use mini_24khz"),
    (["encode", "mono.wav", "-m", "gone.safetensors"], "gone.safetensors: no such file"),
    (["encode", "mono.wav", "-m", "cut.safetensors"], "not a whole safetensors file"),
    (["encode", "mono.wav", "-m", "text.wav"], "not a whole safetensors file"),
    (["encode", "mono.wav", *T, "-o", "taken.mcdc"], "taken.mcdc exists already: .* -f"),
    (["encode", "mono.wav", *T, "-o", "mono.wav"], "mono.wav is the input itself"),
    (["encode", "mono.wav", *T, "-o", "mono.wav", "-f"], "mono.wav is the input itself"),
    (["encode", "mono.wav", *T, "-o", "no/x.mcdc"], "no is not a folder"),
    (["decode", "gone.mcdc", *T], "gone.mcdc: no such file"),
    (["decode", "cut.mcdc", *T], "breaks off in chunk 1"),
    (["decode", "x.mcdc", *T, "--start", "9"], "ends at 1.25 s, not after 9.00 s"),
    (["decode", "x.mcdc", *T, "--start", "-1"], "a part has a start ≥ 0"),
    (["decode", "x.mcdc", *T, "--duration", "0"], "a duration > 0 s"),
    (["decode", "cut.ecdc"], "too few for an .ecdc file"),
    (["encode", "mono.wav", *T, "--chunk", "0"], "more than 0 and at most 60 seconds"),
    (["encode", "mono.wav", *T, "-e", "lm"], "no language model ships"),
    (["encode", "mono.wav", *T, "-e", "lm", "--lm", "gone"], "gone: no such file"),
    (["encode", "mono.wav", *T, "-e", "lm", "--lm", "tiny.safetensors"], "no language model"),
    (["decode", "words.mcdc", *T], "begins with b'Thes'"),
    (["decode", "nothing.mcdc", *T], "0 bytes are too few"),
    (["decode", "x.mcdc"], "by 'unnamed', which does not ship .* with -m"),
    (["decode", "x.mcdc", "-m", "stereo.safetensors"], "by other weights"),
    (["decode", "x.mcdc", *T, "-o", "taken.wav"], "taken.wav exists already"),
    (["decode", "x.mcdc", *T, "-o", "x.mcdc", "-f"], "x.mcdc is the input itself"),
    (["decode", "x.mcdc", *T, "-o", "x.txt"], "ending must be one of"),
    (["decode", ".", *T, "-o", "y.wav"], "is a folder"),
    (["info", "gone.mcdc"], "gone.mcdc: no such file"),
    (["info", "words.mcdc"], "begins with b'Thes'"),
    (["info", "cut.ecdc"], "too few for an .ecdc file"),
    (["info", "mono.wav"], "begins with b'RIFF'"),
    (["roundtrip", "text.wav", *T], "text.wav cannot be read"),
    (["roundtrip", "mono.wav", *T, "-o", "no/x.wav"], "no is not a folder"),
    (["roundtrip", "mono.wav", *T, "-b", "0"], "but 0.0 was given"),
    (["listen", "gone.wav", *T], "gone.wav: no such file"),
    (["listen", "mono.wav", *T, "-o", "taken.wav"], "taken.wav exists already"),
    (["listen", "mono.wav", *T, "-o", "no/x.html"], "no is not a folder"),
]


@pytest.mark.parametrize(("words", "message"), BAD, ids=[" ".join(words) for words, _ in BAD])
def test_wrong_input_costs_one_line(folder, capsys, words, message):
    bad_files(folder)
    capsys.readouterr()
    before = {path.name: path.read_bytes() for path in folder.iterdir()}
    assert run(*words) == 2
    out, err = capsys.readouterr()
    assert out == "" and err.count("\n") == 1 and err.startswith(f"minicodec {words[0]}: ")
    assert re.search(message, err), err
    assert {path.name: path.read_bytes() for path in folder.iterdir()} == before


def test_force_replaces(folder, capsys):
    bad_files(folder)
    assert run("encode", "mono.wav", *T, "-o", "taken.mcdc", "-f") == 0
    assert run("decode", "taken.mcdc", *T, "-o", "taken.wav", "--force") == 0
    assert audio.load("taken.wav")[0].shape == (1, 30000)


def test_a_streams_name_is_not_a_path_to_open(folder, capsys, tiny):
    """Whoever made the stream does not choose which of our files is read."""
    tiny.name = str(folder / "tiny.safetensors")
    (folder / "x.mcdc").write_bytes(minicodec.compress(tiny, torch.zeros(1, 1, 400)))
    assert run("decode", "x.mcdc") == 2
    assert "does not ship with minicodec" in capsys.readouterr().err


@pytest.mark.filterwarnings("default")
def test_long_clips_show_a_bar_and_short_ones_do_not(folder, capsys):
    audio.save("long.wav", 0.1 * torch.randn(1, 24000 * 21), 24000)
    for words in (["encode", "long.wav"], ["decode", "long.mcdc", "-f"], ["roundtrip", "long.wav"]):
        assert run(*words, *T) == 0
        assert "100%" in capsys.readouterr().err
    assert run("encode", "mono.wav", *T) == 0
    assert capsys.readouterr().err == ""


def test_interruption(folder, capsys, monkeypatch):
    def interrupted(*_, **__):
        raise KeyboardInterrupt

    monkeypatch.setattr(StreamWriter, "close", interrupted)
    (folder / "mono.mcdc").write_bytes(b"precious")
    assert run("encode", "mono.wav", *T, "-f") == 130
    assert capsys.readouterr().err == "interrupted; nothing was written.\n"
    assert (folder / "mono.mcdc").read_bytes() == b"precious" and not list(folder.glob(".*"))


def test_a_full_disk_leaves_nothing(folder, capsys, monkeypatch):
    def full_disk(self, data):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(StreamWriter, "_put", full_disk)
    assert run("encode", "mono.wav", *T) == 2
    assert "No space left on device" in capsys.readouterr().err
    assert not list(folder.glob("*.mcdc")) + list(folder.glob(".*"))


class Standard:
    """Stands in for sys.stdin and sys.stdout."""

    def __init__(self, buffer, terminal=False):
        self.buffer, self.terminal = buffer, terminal

    def isatty(self):
        return self.terminal

    def write(self, text):
        self.buffer.write(text.encode())

    def flush(self):
        pass


def piped(monkeypatch, data: bytes, *words: str) -> bytes:
    out = BytesIO()
    monkeypatch.setattr(sys, "stdin", Standard(BytesIO(data)))
    monkeypatch.setattr(sys, "stdout", Standard(out))
    assert run(*words) == 0
    return out.getvalue()


@pytest.mark.filterwarnings("default")
def test_pipes(folder, capsys, monkeypatch):
    wav = (folder / "mono.wav").read_bytes()
    words = [*T, "-b", "1.5", "--entropy", "histogram", "--chunk", "0.5"]
    stream = piped(monkeypatch, wav, "encode", "-", *words)
    assert piped(monkeypatch, b"", "encode", "mono.wav", "-o", "-", *words) == stream
    restored = piped(monkeypatch, stream, "decode", "-", *T)
    table = piped(monkeypatch, stream, "info", "-").decode()
    assert "entropy coding: histogram" in table and table.splitlines()[-1].startswith("    2  ")
    err = capsys.readouterr().err
    assert "output: 1.25 s in" in err and "output: 1.25 s, 1 channel(s), 24000 Hz" in err
    monkeypatch.undo()
    monkeypatch.chdir(folder)
    (folder / "piped.mcdc").write_bytes(stream)
    assert run("decode", "piped.mcdc", *T) == 0
    heard, rate = audio.load(BytesIO(restored))
    assert rate == 24000 and heard.shape == (1, 30000)
    torch.testing.assert_close(heard, audio.load("piped.wav")[0], atol=4e-5, rtol=0)


@pytest.mark.filterwarnings("default")
def test_parts_and_damage(folder, capsys, tiny):
    assert run("encode", "mono.wav", *T, "--chunk", "0.25") == 0
    assert run("decode", "mono.mcdc", *T, "-o", "all.wav") == 0
    part = ["--start", "0.6", "--duration", "0.2"]
    assert run("decode", "mono.mcdc", *T, "-o", "part.wav", *part) == 0
    whole, part = audio.load("all.wav")[0], audio.load("part.wav")[0]
    torch.testing.assert_close(part, whole[:, 14400:19200], atol=1e-3, rtol=0)

    data = bytearray((folder / "mono.mcdc").read_bytes())
    data[data.find(b"CHNK\0\0\0\2") + 25] ^= 16
    (folder / "hurt.mcdc").write_bytes(data)
    capsys.readouterr()
    assert run("decode", "hurt.mcdc", *T) == 2
    assert "hurt.wav" not in {path.name for path in folder.iterdir()}
    assert "chunk 2 (from 0.5 s) is damaged" in capsys.readouterr().err
    assert run("decode", "hurt.mcdc", *T, "--tolerant") == 0
    out, err = capsys.readouterr()
    assert out == "hurt.wav: 1.25 s, 1 channel(s), 24000 Hz\n"
    assert "note: chunk 2 is damaged: silence from 0.51 s to 0.76 s." in err
    assert audio.load("hurt.wav")[0].shape == whole.shape

    assert run("info", "hurt.mcdc") == 2
    out, err = capsys.readouterr()
    assert err.endswith("hurt.mcdc is not whole: 1 of its chunks are damaged or missing, 2.\n")
    assert [line.split()[0] for line in out.splitlines()[-4:]] == ["0", "1", "3", "4"]
    (folder / "cut.mcdc").write_bytes(data[:-3])
    assert run("info", "cut.mcdc") == 2
    assert "missing, 2, and its end is missing." in capsys.readouterr().err


def test_a_long_table_is_shortened(folder, capsys):
    assert run("encode", "mono.wav", *T, "--chunk", "0.03") == 0
    capsys.readouterr()
    assert run("info", "mono.mcdc") == 0
    short = capsys.readouterr().out
    assert "27 more, shown with --all" in short and short.splitlines()[-1].startswith("   46 ")
    assert run("info", "mono.mcdc", "--all") == 0
    assert capsys.readouterr().out.count("\n") == short.count("\n") + 26


@pytest.mark.filterwarnings("default")
def test_a_language_model_of_ones_own(folder, capsys, tiny):
    config = LanguageModelConfig(n_q=5, codebook_size=16, dim=8, layers=1, heads=2, hidden=8)
    save_language_model(exact_copy(LanguageModel(config).eval()), "lm.safetensors")
    words = [*T, "--lm", "lm.safetensors"]
    assert run("encode", "mono.wav", "-b", "1.5", "-e", "lm", *words) == 0
    assert run("decode", "mono.mcdc", *words, "-o", "coded.wav") == 0
    assert run("encode", "mono.wav", "-b", "1.5", *T, "-o", "plain.mcdc") == 0
    assert run("decode", "plain.mcdc", *T) == 0
    assert (folder / "coded.wav").read_bytes() == (folder / "plain.wav").read_bytes()
    assert run("info", "mono.mcdc") == 0
    assert "predicted   by the model" in capsys.readouterr().out


@pytest.mark.filterwarnings("default")
def test_official_files_are_known_by_their_beginning(folder, capsys, monkeypatch):
    official = minicodec.Codec(minicodec.ENCODEC_24KHZ, "encodec_24khz").eval()
    clip = 0.1 * torch.randn(1, 1, 3000)
    (folder / "x.ecdc").write_bytes(write_ecdc(official, clip, 1.5))
    monkeypatch.setattr(streams, "load", lambda name: official)
    assert run("info", "x.ecdc") == 0
    out = capsys.readouterr().out
    assert "encodec_24khz" in out and "3000 samples" in out and "2 codebooks" in out
    assert run("decode", "x.ecdc", "-m", "encodec_24khz") == 0
    assert audio.load("x.wav")[0].shape == (1, 3000)


def test_terminals_are_no_pipes(folder, capsys, monkeypatch):
    stdout = sys.stdout
    monkeypatch.setattr(sys, "stdin", Standard(BytesIO(), terminal=True))
    for words in (["encode", "-", *T, "-o", "y.mcdc"], ["decode", "-", *T, "-o", "y.wav"]):
        assert run(*words) == 2
        assert "the standard input is this terminal" in capsys.readouterr().err
    monkeypatch.setattr(sys, "stdout", Standard(BytesIO(), terminal=True))
    status = run("encode", "mono.wav", *T, "-o", "-")
    monkeypatch.setattr(sys, "stdout", stdout)
    assert status == 2 and "would fill this terminal" in capsys.readouterr().err


SHELL = {"OMP_NUM_THREADS": "1", "MINICODEC": f"{sys.executable} -m minicodec"}


def shell(command: str) -> subprocess.CompletedProcess:
    return subprocess.run(["bash", "-c", command], env=os.environ | SHELL, capture_output=True,
                          check=False, timeout=120)  # fmt: skip


def test_real_pipes(folder):
    """The line that the book promises, and a listener who leaves early."""
    line = shell(
        "cat mono.wav | $MINICODEC encode - -b 1.5 --entropy histogram -m tiny.safetensors"
        " | $MINICODEC decode - -m tiny.safetensors > out.wav"
    )
    assert line.returncode == 0, line.stderr
    samples, rate = audio.load("out.wav")
    assert (rate, samples.shape) == (24000, (1, 30000))
    assert audio.load(BytesIO((folder / "out.wav").read_bytes()))[0].shape == (1, 30000)

    audio.save("long.wav", 0.1 * torch.randn(1, 24000 * 12), 24000)
    line = shell(
        "$MINICODEC encode long.wav -m tiny.safetensors; $MINICODEC decode long.mcdc -o -"
        " -m tiny.safetensors | head -c 10 > /dev/null; echo status ${PIPESTATUS[0]}"
    )
    assert b"status 141" in line.stdout and b"Error" not in line.stderr, line


PEAK = """
import resource, subprocess, sys
subprocess.run([sys.executable, "-m", "minicodec", *sys.argv[1:]], check=True, capture_output=True)
print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss)
"""


def peak(*words: str) -> int:
    """The most memory that one command had."""
    pytest.importorskip("resource")
    command = [sys.executable, "-c", PEAK, *words]
    environment = os.environ | {"OMP_NUM_THREADS": "1"}
    return int(subprocess.check_output(command, env=environment, text=True))


def test_memory_does_not_grow_with_length(folder):
    """Four minutes at another rate take as much as twenty seconds."""
    rate = 16000
    for name, seconds in (("short", 20), ("long", 240)):
        with soundfile.SoundFile(f"{name}.flac", "w", rate, 2) as file:
            for _ in range(seconds):
                file.write(np.random.default_rng(0).uniform(-0.1, 0.1, (rate, 2)))
    for words in (["encode", "{}.flac"], ["decode", "{}.mcdc", "-o", "{}.wav"]):
        short, long = (peak(*(w.format(name) for w in words), *T) for name in ("short", "long"))
        assert long < 1.1 * short, f"{words[0]}: {short} at 20 s, {long} at 240 s"
    assert audio.load("long.wav")[0].shape == (1, 240 * 24000)


def test_as_a_module_and_without_arguments():
    command = [sys.executable, "-m", "minicodec"]
    environment = os.environ | {"OMP_NUM_THREADS": "1"}
    version = subprocess.run([*command, "--version"], env=environment, capture_output=True,
                             text=True, check=True)  # fmt: skip
    assert version.stdout.strip() == minicodec.__version__
    bare = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    assert bare.returncode == 2 and "Traceback" not in bare.stderr


@pytest.mark.parametrize(
    "words", [["explode"], ["encode"], ["encode", "x.wav", "-b", "six"], ["info"]]
)
def test_wrong_arguments(words, capsys):
    with pytest.raises(SystemExit) as status:
        main(words)
    assert status.value.code == 2
    assert "usage: minicodec" in capsys.readouterr().err
