"""`minicodec encode`."""

import pytest
import torch
from command import TINY, bad_files, check_refused, run

import minicodec
from minicodec import audio
from minicodec.bits.ecdc import read_ecdc, read_header, write_ecdc
from minicodec.bits.exact import exact_copy
from minicodec.bits.language_model import LanguageModel, LanguageModelConfig
from minicodec.bits.language_model_file import save_language_model
from minicodec.bits.writer import StreamWriter
from minicodec.cli import encode
from minicodec.model import pretrained
from minicodec.model.checkpoint import save_codec


@pytest.mark.filterwarnings("default")  # a random decoder may be loud, which is a note
@pytest.mark.parametrize("model", ["tiny.safetensors", "stereo.safetensors"])
def test_other_rates_and_channels_are_changed_with_a_note(folder, capsys, model):
    config = minicodec.load(model).config
    assert run("encode", "stereo44.flac", "-m", model, "-o", "x.mcdc") == 0
    note = capsys.readouterr().err
    assert note.startswith("note: 44100 Hz with 2 channel(s) becomes ") and note.count("\n") == 1
    assert run("decode", "x.mcdc", "-m", model) == 0
    back, rate = audio.load("x.wav")
    assert (rate, back.shape) == (config.sample_rate, (config.channels, config.sample_rate))


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["gone.wav", *TINY], "gone.wav: no such file"),
        (["text.wav", *TINY], "text.wav cannot be read as audio"),
        (["empty.wav", *TINY], "empty.wav is empty"),
        (["nan.wav", *TINY], "nan.wav holds NaN"),
        (["three.wav", *TINY], "three.wav has 3 channels"),
        (
            ["../", *TINY, "-o", "y.mcdc"],
            "y.mcdc names one file, but several inputs go into a folder",
        ),
        (["mono.wav", *TINY, "-b", "7"], "one of 1.5, 3 kbps, but 7.0 was given"),
        (["mono.wav", "-m", "encodec_24khz", "-b", "7"], "one of 1.5, 3, 6, 12, 24 kbps"),
        (["mono.wav", "-m", "encodec_24khz", "-e", "lm"], "no language model ships for 'encodec"),
        (["mono.wav", "-m", "encodex"], "no model 'encodex': use mini_24khz"),
        (["mono.wav", "-m", "gone.safetensors"], "gone.safetensors: no such file"),
        (["mono.wav", "-m", "cut.safetensors"], "not a whole safetensors file"),
        (["mono.wav", "-m", "text.wav"], "not a whole safetensors file"),
        (["mono.wav", "-m", "."], "is a folder, but none of a training run"),
        (["mono.wav", *TINY, "-o", "taken.mcdc"], "taken.mcdc exists already: .* -f"),
        (["mono.wav", *TINY, "-o", "mono.wav"], "mono.wav is the input itself"),
        (["mono.wav", *TINY, "-o", "mono.wav", "-f"], "mono.wav is the input itself"),
        (["mono.wav", *TINY, "-o", "no/x.mcdc"], "no is not a folder"),
        (["mono.wav", *TINY, "-o", "x.flac"], "x.flac: the ending must be one of .mcdc, .ecdc"),
        (["mono.wav", *TINY, "-e", "lm"], "no language model ships"),
        (["mono.wav", *TINY, "--lm", "tiny.safetensors"], "--lm predicts codes for --entropy lm"),
        (["mono.wav", *TINY, "-e", "lm", "--lm", "gone"], "gone: no such file"),
        (["mono.wav", *TINY, "-e", "lm", "--lm", "tiny.safetensors"], "no language model"),
        (["mono.wav", *TINY, "-o", "x.ecdc"], r"of encodec_24khz or encodec_48khz, not of 'tiny"),
        (["mono.wav", "-m", "mini_24khz", "-o", "x.ecdc"], "not of 'mini_24khz': write .mcdc"),
        (["mono.wav", "-m", "encodec_24khz", "-o", "x.ecdc", "-e", "lm"], "with --entropy none"),
        (["mono.wav", "-m", "encodec_24khz", "-o", "x.ecdc", "--chunk", "2"], "leave --chunk out"),
        (["mono.wav", "-m", "encodec_24khz", "-o", "x.ecdc", "-b", "7"], "1.5, 3, 6, 12, 24 kbps"),
        (["mono.wav", "-m", "encodec_24khz", "-o", "taken.ecdc"], "taken.ecdc exists already"),
        (["gone.wav", "-m", "encodec_24khz", "-o", "x.ecdc"], "gone.wav: no such file"),
    ],
)
def test_wrong_input_costs_one_line(folder, capsys, monkeypatch, words, message):
    monkeypatch.setattr(pretrained, "_download", lambda _: pytest.fail("it began to download"))
    bad_files(folder)
    check_refused(folder, capsys, ["encode", *words], message)


@pytest.mark.parametrize(
    "words",
    [
        ["gone.wav"],
        ["mono.wav", "-b", "7"],
        ["mono.wav", "-o", "taken.mcdc"],
        ["mono.wav", "-o", "x.ecdc"],
        ["mono.wav", "--lm", "gone"],
    ],
)
def test_arguments_are_checked_before_a_model_is_loaded(folder, capsys, monkeypatch, words):
    monkeypatch.setattr(encode, "load", lambda _: pytest.fail("a model was loaded"))
    (folder / "taken.mcdc").write_bytes(b"precious")
    check_refused(folder, capsys, ["encode", *words, *TINY], ".")


def test_force_replaces(folder, capsys):
    bad_files(folder)
    assert run("encode", "mono.wav", *TINY, "-o", "taken.mcdc", "-f") == 0
    assert run("decode", "taken.mcdc", *TINY, "-o", "taken.wav", "--force") == 0
    assert audio.load("taken.wav")[0].shape == (1, 30000)


def test_interruption(folder, capsys, monkeypatch):
    def interrupted(*_, **__):
        raise KeyboardInterrupt

    monkeypatch.setattr(StreamWriter, "close", interrupted)
    (folder / "mono.mcdc").write_bytes(b"precious")
    assert run("encode", "mono.wav", *TINY, "-f") == 130
    assert capsys.readouterr().err == (
        "minicodec encode: interrupted by SIGINT; no file is left half-written.\n"
    )
    assert (folder / "mono.mcdc").read_bytes() == b"precious" and not list(folder.glob(".*"))


def test_a_full_disk_leaves_nothing(folder, capsys, monkeypatch):
    def full_disk(self, data):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(StreamWriter, "_put", full_disk)
    assert run("encode", "mono.wav", *TINY) == 2
    assert "No space left on device" in capsys.readouterr().err
    assert not list(folder.glob("*.mcdc")) + list(folder.glob(".*"))


@pytest.mark.filterwarnings("default")
def test_a_language_model_of_ones_own(folder, capsys):
    config = LanguageModelConfig(n_q=5, codebook_size=16, dim=8, layers=1, heads=2, hidden=8)
    save_language_model(exact_copy(LanguageModel(config).eval()), "lm.safetensors")
    words = [*TINY, "--lm", "lm.safetensors"]
    assert run("encode", "mono.wav", "-b", "1.5", "-e", "lm", *words) == 0
    assert run("decode", "mono.mcdc", *words, "-o", "coded.wav") == 0
    assert run("encode", "mono.wav", "-b", "1.5", *TINY, "-o", "plain.mcdc") == 0
    assert run("decode", "plain.mcdc", *TINY) == 0
    assert (folder / "coded.wav").read_bytes() == (folder / "plain.wav").read_bytes()
    assert run("info", "mono.mcdc") == 0
    assert "predicted   by the model" in capsys.readouterr().out


# --- .ecdc


@pytest.fixture(params=list(pretrained.OFFICIAL))
def official(request, folder):
    """An official model with random weights, in official.safetensors."""
    codec = minicodec.Codec(pretrained.OFFICIAL[request.param].config, request.param).eval()
    save_codec(codec, folder / "official.safetensors")
    return minicodec.load("official.safetensors")


OFFICIAL = ["-m", "official.safetensors"]


def test_official_files_are_those_of_the_library(folder, capsys, official):
    """Sound of another rate and with other channels becomes what the model needs."""
    config = official.config
    audio.save("short.flac", 0.1 * torch.randn(2, 4410), 44100)
    assert run("encode", "short.flac", *OFFICIAL, "-o", "x.ecdc", "-b", "3") == 0
    out, err = capsys.readouterr()
    data = (folder / "x.ecdc").read_bytes()
    assert err == (
        f"note: 44100 Hz with 2 channel(s) becomes {config.sample_rate} Hz with {config.channels}, "
        "as official.safetensors needs.\n"
    )
    assert out == f"x.ecdc: 0.10 s in {len(data)} bytes, {len(data) * 8 / 100:.2f} kbps\n"
    clip = audio.load("short.flac", config.sample_rate, config.channels)[0][None]
    header = read_header(data)
    assert header.model == official.name and header.n_q == config.n_q(3.0)
    assert header.length == clip.shape[-1] and not header.lm
    # The library resamples a clip at once and the command block by block: equal but for rounding.
    expected = write_ecdc(official, clip, 3.0)
    assert len(data) == len(expected)
    assert read_ecdc(data, official).shape == clip.shape


@pytest.mark.filterwarnings("default")
def test_official_files_through_the_official_name(folder, capsys, monkeypatch):
    codec = minicodec.Codec(minicodec.ENCODEC_24KHZ, "encodec_24khz").eval()
    torch.save(codec.state_dict(), "weights.th")
    monkeypatch.setattr(pretrained, "_download", lambda _: folder / "weights.th")
    audio.save("short.wav", 0.1 * torch.randn(1, 3000), 24000)
    assert run("encode", "short.wav", "-m", "encodec_24khz", "-o", "x.ecdc", "-b", "6") == 0
    expected = write_ecdc(minicodec.load("encodec_24khz"), audio.load("short.wav")[0][None], 6.0)
    assert (folder / "x.ecdc").read_bytes() == expected
    assert run("decode", "x.ecdc", "-o", "back.wav") == 0
    assert audio.load("back.wav")[0].shape == (1, 3000)


def test_a_model_of_the_official_kind_with_another_name_is_refused(folder, capsys):
    save_codec(minicodec.Codec(minicodec.ENCODEC_24KHZ, "mine").eval(), "mine.safetensors")
    words = ["encode", "mono.wav", "-m", "mine.safetensors", "-o", "x.ecdc"]
    check_refused(folder, capsys, words, "not of 'mine': use .mcdc")


def test_an_official_file_appears_whole_or_not_at_all(folder, capsys, monkeypatch, official):
    def interrupted(*_, **__):
        raise KeyboardInterrupt

    (folder / "x.ecdc").write_bytes(b"precious")
    monkeypatch.setattr(encode, "write_ecdc", interrupted)
    assert run("encode", "mono.wav", *OFFICIAL, "-o", "x.ecdc", "-f") == 130
    assert (folder / "x.ecdc").read_bytes() == b"precious" and not list(folder.glob(".*"))
