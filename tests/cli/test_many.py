"""Many files at once: what is said, one that fails, processes, Ctrl-C."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from command import TINY, Standard, check_refused, piped, run

from minicodec import audio
from minicodec.bits import writer
from minicodec.cli import encode, many
from minicodec.cli.jobs import Job

pytestmark = pytest.mark.filterwarnings("default")  # a random decoder may be loud, which is a note


def test_what_is_there_already_is_replaced_or_kept_if_one_says_so(album, capsys, monkeypatch):
    (album / "album/a.mcdc").write_bytes(b"precious")
    check_refused(album, capsys, ["encode", "album", *TINY], "1 of 3 targets are there already")
    assert run("encode", "album", *TINY, "--keep") == 0
    assert (album / "album/a.mcdc").read_bytes() == b"precious"
    assert (album / "album/live/b.mcdc").stat().st_size > 100
    capsys.readouterr()
    assert run("encode", "album", *TINY, "--keep") == 0
    assert "all targets are there already" in capsys.readouterr().err
    assert run("encode", "album", *TINY, "-f") == 0
    assert (album / "album/a.mcdc").read_bytes()[:4] == b"MCDC"
    for one in (["album/a.wav"], ["album/a.wav", "-o", "album/a.mcdc"]):
        (album / "album/a.mcdc").write_bytes(b"precious")
        assert run("encode", *one, *TINY, "--keep") == 0
        assert (album / "album/a.mcdc").read_bytes() == b"precious"
    stream = piped(monkeypatch, b"", "encode", "album/a.wav", *TINY, "--keep", "-o", "-")
    assert stream[:4] == b"MCDC"  # a file of that name is none of a pipe's business


def test_there_and_back(album, capsys):
    assert run("encode", "album", "stereo44.flac", *TINY, "-o", "coded") == 0
    out, err = capsys.readouterr()
    assert "coded/live/b.mcdc: 0.12 s in" in out and out.endswith("\n4 files: 1.37 s\n")
    assert err == "note: 44100 Hz with 2 channel(s) becomes 24000 Hz with 1, as tiny.safetensors " \
        "needs.\n"  # fmt: skip
    assert run("encode", "album/a.wav", *TINY) == 0
    assert (album / "coded/a.mcdc").read_bytes() == (album / "album/a.mcdc").read_bytes()
    capsys.readouterr()
    assert run("decode", "coded", *TINY, "-o", "heard", "--format", "flac") == 0
    assert "4 files: 1.37 s" in capsys.readouterr().out
    assert audio.load("heard/live/c.v2.flac")[0].shape == (1, 800)


def test_a_file_that_fails_does_not_keep_the_others_from_it(album, capsys):
    (album / "album/b.wav").write_text("These are words.\n" * 100)
    (album / "album/d.wav").write_bytes(b"")
    assert run("encode", "album", *TINY, "-o", "out") == 2
    out, err = capsys.readouterr()
    assert "3 files: 0.37 s" in out
    lines = err.splitlines()
    assert len(lines) == 3 and all(line.startswith("minicodec encode: ") for line in lines)
    assert "album/b.wav" in lines[0] and "album/d.wav is empty" in lines[1]
    assert "2 of 5 files could not be coded: see above." in lines[2]
    made = {str(p.relative_to(album / "out")) for p in (album / "out").rglob("*") if p.is_file()}
    assert made == {"a.mcdc", "live/b.mcdc", "live/c.v2.mcdc"}


def test_processes_share_the_work(album, capsys):
    """Two processes give the same files and the same words as one."""
    (album / "album/b.wav").write_text("These are words.\n" * 100)
    results = {}
    for jobs in ("1", "2"):
        status = run("encode", "album", "stereo44.flac", *TINY, "-o", jobs, "--jobs", jobs)
        out, err = capsys.readouterr()
        lines = sorted(line.replace(f"{jobs}/", "") for line in (out + err).splitlines())
        files = {str(p.relative_to(jobs)): p.read_bytes() for p in Path(jobs).rglob("*.mcdc")}
        results[jobs] = (status, lines, files)
    assert results["1"] == results["2"]
    assert results["2"][0] == 2 and len(results["2"][2]) == 4


@pytest.mark.skipif(os.name != "posix", reason="needs SIGKILL")
def test_processes_end_with_the_first_one(album):
    """However it ended: they hold its output, which is not closed before they are gone."""
    for name in "defg":
        audio.save(f"album/{name}.wav", torch.zeros(1, 24000 * 200), 24000)
    words = ["encode", "album", *TINY, "-o", "out", "--jobs", "2"]
    with subprocess.Popen(
        [sys.executable, "-m", "minicodec", *words], stdout=subprocess.PIPE, stderr=subprocess.PIPE
    ) as first:
        assert first.stdout is not None
        assert first.stdout.readline().startswith(b"out/")
        first.kill()
        first.communicate(timeout=120)
    assert not [path for path in (album / "out").rglob("*") if ".part" in path.name]


def test_one_bar_for_all(album, capsys, monkeypatch):
    seen = []

    class Bar(many.bar("", 0.0).__class__):
        def __init__(self, **options):
            seen.append((options["desc"], round(options["total"], 3)))
            super().__init__(**options)

    monkeypatch.setattr("minicodec.cli.pipes.tqdm", Bar)
    assert run("encode", "album", *TINY) == 0
    assert seen == [("encoding 3 files", round((5000 + 3000 + 800) / 24000, 3))]
    assert run("decode", "album", *TINY, "-o", "out") == 0
    assert seen[1:] == [("decoding 3 files", seen[0][1])]


@pytest.mark.usefixtures("terminal")
def test_a_signal_between_files_says_what_is_done(album, capsys, monkeypatch):
    def work(args):
        def one(job: Job, report: many.Report) -> None:
            if "live" in job.source:
                os.kill(os.getpid(), signal.SIGTERM)
            encode.Encoding(args)(job, report)

        return one

    run_many = many.run
    monkeypatch.setattr(many, "run", lambda args, jobs, _, *more: run_many(args, jobs, work, *more))
    assert run("encode", "album", *TINY, "-o", "out") == 128 + signal.SIGTERM
    err = capsys.readouterr().err
    assert "interrupted by SIGTERM: 1 of 3 files are done; the same words with --keep" in err
    assert [p.name for p in (album / "out").rglob("*") if p.is_file()] == ["a.mcdc"]


@pytest.mark.usefixtures("terminal")
@pytest.mark.skipif(os.name != "posix", reason="needs signals")
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_ends_a_live_recording_which_is_whole(folder, capsys, monkeypatch, number):
    """All that came before the signal is there, and the stream has its end."""
    wav = (folder / "mono.wav").read_bytes()
    end, begin = os.pipe()
    os.write(begin, wav[: 44 + 2 * 12000])
    written = []

    class Writer(writer.StreamWriter):
        def write(self, sound):
            if not written:
                os.kill(os.getpid(), number)
                os.write(begin, wav[44 + 2 * 12000 : 44 + 2 * 13000])  # came before it was noticed
            written.append(sound.shape[-1])
            super().write(sound)

    monkeypatch.setattr(encode, "StreamWriter", Writer)
    with open(end, "rb") as pipe, open(begin, "wb"):  # the other end stays open
        monkeypatch.setattr(sys, "stdin", Standard(pipe))
        assert run("encode", "-", *TINY, "-o", "live.mcdc") == 128 + number
    err = capsys.readouterr().err
    assert f"interrupted by {number.name}: live.mcdc holds all that came until then" in err
    assert sum(written) == 13000
    assert run("decode", "live.mcdc", *TINY) == 0
    assert audio.load("live.wav")[0].shape == (1, 13000)
    assert not [path for path in folder.iterdir() if ".part" in path.name]


@pytest.mark.usefixtures("terminal")
def test_a_signal_before_any_sound(folder, capsys, monkeypatch):
    end, begin = os.pipe()
    with open(end, "rb") as pipe, open(begin, "wb"):
        monkeypatch.setattr(sys, "stdin", Standard(pipe))
        read = encode.Interrupts.read

        def interrupted(self, *args):
            os.kill(os.getpid(), signal.SIGINT)
            return read(self, *args)

        monkeypatch.setattr(encode.Interrupts, "read", interrupted)
        assert run("encode", "-", *TINY, "-o", "live.mcdc") == 130
    assert "before there was any sound; nothing was written" in capsys.readouterr().err
    assert not (folder / "live.mcdc").exists()


@pytest.mark.parametrize("command", ["encode", "decode", "roundtrip", "listen", "evaluate"])
def test_a_device_that_is_not_there(album, capsys, command):
    source = {"decode": "x.mcdc", "evaluate": "album"}.get(command, "mono.wav")
    (album / "x.mcdc").write_bytes(b"")
    for name in ("cuda:99", "abacus"):
        check_refused(
            album, capsys, [command, source, *TINY, "--device", name], f"no device '{name}' here"
        )


@pytest.mark.parametrize("device", ["cpu", "cuda"])
def test_on_a_device(album, capsys, device):
    if device == "cuda" and not torch.cuda.is_available():
        pytest.skip("needs a CUDA GPU")
    for words in (
        ["encode", "album"],
        ["decode", "album", "-o", "heard"],
        ["roundtrip", "mono.wav"],
        ["listen", "mono.wav"],
        ["evaluate", "album", "--measures", "si_sdr"],
    ):
        assert run(*words, *TINY, "--device", device) == 0
    assert audio.load("heard/live/b.wav")[0].shape == (1, 3000)
