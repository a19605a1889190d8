"""`minicodec info`."""

import subprocess
import sys

import pytest
import torch
from command import TINY, bad_files, check_refused, run

import minicodec
from minicodec.bits.ecdc import write_ecdc


def test_what_a_stream_holds(folder, capsys, tiny):
    assert run("encode", "mono.wav", *TINY, "-b", "1.5") == 0
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


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["gone.mcdc"], "gone.mcdc: no such file"),
        (["words.mcdc"], "begins with b'Thes'"),
        (["cut.ecdc"], "too few for an .ecdc file"),
        (["mono.wav"], "begins with b'RIFF'"),
        (["."], "is a folder"),
    ],
)
def test_wrong_input_costs_one_line(folder, capsys, words, message):
    bad_files(folder)
    check_refused(folder, capsys, ["info", *words], message)


def test_damage_is_named(folder, capsys):
    assert run("encode", "mono.wav", *TINY, "--chunk", "0.25") == 0
    data = bytearray((folder / "mono.mcdc").read_bytes())
    data[data.find(b"CHNK\0\0\0\2") + 25] ^= 16
    (folder / "hurt.mcdc").write_bytes(data)
    capsys.readouterr()
    assert run("info", "hurt.mcdc") == 2
    out, err = capsys.readouterr()
    assert err.endswith("hurt.mcdc is not whole: 1 of its chunks are damaged or missing, 2.\n")
    assert [line.split()[0] for line in out.splitlines()[-4:]] == ["0", "1", "3", "4"]
    (folder / "cut.mcdc").write_bytes(data[:-3])
    assert run("info", "cut.mcdc") == 2
    assert "missing, 2, and its end is missing." in capsys.readouterr().err


def test_a_long_table_is_shortened(folder, capsys):
    assert run("encode", "mono.wav", *TINY, "--chunk", "0.03") == 0
    capsys.readouterr()
    assert run("info", "mono.mcdc") == 0
    short = capsys.readouterr().out
    assert "27 more, shown with --all" in short and short.splitlines()[-1].startswith("   46 ")
    assert run("info", "mono.mcdc", "--all") == 0
    assert capsys.readouterr().out.count("\n") == short.count("\n") + 26


def test_official_files(folder, capsys):
    codec = minicodec.Codec(minicodec.ENCODEC_24KHZ, "encodec_24khz").eval()
    (folder / "x.ecdc").write_bytes(write_ecdc(codec, 0.1 * torch.randn(1, 1, 3000), 1.5))
    assert run("info", "x.ecdc") == 0
    out = capsys.readouterr().out
    assert "encodec_24khz" in out and "3000 samples" in out and "2 codebooks" in out


def test_it_does_not_wait_for_torch(folder):
    assert run("encode", "mono.wav", *TINY) == 0
    code = (
        "import sys; from minicodec.cli import main; status = main(['info', 'mono.mcdc'])\n"
        "sys.exit(status or 'torch' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0 and "1.250 s" in done.stdout, done.stderr
