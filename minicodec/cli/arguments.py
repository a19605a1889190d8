"""Support: what can be typed: commands, their options, and help, which need not wait for torch.

So nothing here imports more than the standard library and modules that need no torch. Names that
live in modules which do need it are written down a second time, and a test compares them.
"""

import argparse
import math
from collections.abc import Sequence
from pathlib import Path

import minicodec
from minicodec.bits.container import ENTROPY
from minicodec.cli.numbers import (
    copies,
    count,
    not_negative,
    positive,
    rate,
    seconds_of_chunk,
    seed,
    threads,
    workers,
)

#: `minicodec.model.pretrained` knows these by name.
MODELS = ("mini_24khz", "mini_24khz_adversarial", "encodec_24khz", "encodec_48khz")
#: `minicodec.sound.files.KINDS`
KINDS = "WAV, FLAC, OGG, Opus, MP3 or AIFF"
#: `minicodec.listening.measures.MEASURES`
MEASURES = ("si_sdr", "mel_distance", "visqol", "visqol_speech", "pesq", "stoi", "f0_gross",
            "f0_cents", "voicing")  # fmt: skip

#: `minicodec.model.export.FILES`, and the graphs of `minicodec.model.onnx_export`
EXPORTS = ("transformers", "official", "onnx")


def parser() -> argparse.ArgumentParser:
    """All that `minicodec` understands; `command` is None where none was named."""
    top = argparse.ArgumentParser(prog="minicodec", description="Neural audio compression.")
    top.add_argument("--version", action="version", version=minicodec.__version__)
    commands = top.add_subparsers(dest="command", metavar="COMMAND")
    for name, (add, text) in {
        "encode": (_encode, "Sound to stream."),
        "decode": (_decode, "Stream to sound."),
        "info": (_info, "What a stream holds, chunk by chunk."),
        "roundtrip": (_roundtrip, "Audio file to audio file, through the codec."),
        "listen": (_listen, "A page that plays one clip at every bandwidth."),
        "evaluate": (
            _evaluate,
            "Measure a codec on a folder of recordings, one class of sound per sub-folder.",
        ),
        "train": (_train, "Train a codec, or go on with a run that was stopped."),
        "train-lm": (
            _train_lm,
            "Train a language model for the codes of a codec, or go on with a run that was "
            "stopped.",
        ),
        "export": (_export, "A codec for transformers, for the official package, or as ONNX."),
        "export-onnx": (
            _export_onnx,
            "A codec as ONNX graphs, for a page, a phone or C++; the same as export --to onnx.",
        ),
    }.items():
        add(commands.add_parser(name, help=text, description=text))
    return top


def _encode(sub: argparse.ArgumentParser) -> None:
    _inputs(sub, f"{KINDS} files, or folders of them; or - for WAV from a pipe")
    _output(sub, "file to write, .mcdc, or .ecdc for the official package; or - for a pipe; else "
            "named after the input; of several inputs the folder to write to")  # fmt: skip
    _many(sub, ("mcdc", "ecdc"))
    _model(sub, MODELS[0])
    _bandwidth(sub)
    _entropy(sub)
    _lm(sub)
    sub.add_argument(
        "--chunk", type=seconds_of_chunk, metavar="SECONDS",
        help="sound in a chunk; what a damaged bit costs",
    )  # fmt: skip


def _decode(sub: argparse.ArgumentParser) -> None:
    _inputs(sub, "streams, .mcdc or .ecdc, or folders of them; or - for one from a pipe")
    _output(sub, "file to write, or - for a pipe; else named after the input; of several inputs "
            "the folder to write to")  # fmt: skip
    _many(sub, ("wav", "flac", "ogg", "mp3"))
    _model(sub, None)
    _lm(sub)
    sub.add_argument("--start", type=not_negative, default=0.0, metavar="SECONDS",
                     help="begin there")  # fmt: skip
    sub.add_argument("--duration", type=positive, metavar="SECONDS", help="stop after these")
    sub.add_argument("--tolerant", action="store_true",
                     help="play silence for what is damaged, and go on")  # fmt: skip


def _info(sub: argparse.ArgumentParser) -> None:
    sub.add_argument("input", help="stream, .mcdc or .ecdc, or - for one from a pipe")
    sub.add_argument("--all", action="store_true", help="every chunk, however many")


def _roundtrip(sub: argparse.ArgumentParser) -> None:
    sub.add_argument("input", help=f"{KINDS} file")
    _output(sub, "file to write; else named after the input")
    _model(sub, MODELS[0])
    _device(sub)
    _bandwidth(sub)


def _listen(sub: argparse.ArgumentParser) -> None:
    sub.add_argument("input", nargs="?", help=f"{KINDS} file; else a clip of ours")
    _output(sub, "page to write; else listen.html")
    sub.add_argument("--open", action="store_true",
                     help="show the page at once, where there is a desktop")  # fmt: skip
    _model(sub, MODELS[0])
    _device(sub)


def _evaluate(sub: argparse.ArgumentParser) -> None:
    sub.add_argument(
        "input", nargs="?", type=Path, metavar="FOLDER",
        help="recordings, in sub-folders: speech, music",
    )  # fmt: skip
    _output(sub, "also write the table to this .json or .csv file")
    _model(sub, None, f"{MODELS[0]}, unless --codec is there alone")
    _device(sub)
    _bandwidth(sub, "of the model, in kbps; all there are by default", nargs="+")
    sub.add_argument("--codec", action="append", dest="codecs", metavar="CODEC",
                     help="measure another codec; may be repeated: a .py file of your own that "
                     "sets `codec`, and is run; a folder of transformers' save_pretrained or "
                     "hf:OWNER/NAME (EncodecModel, DacModel, MimiModel); mp3; encodec_24khz, "
                     "encodec_48khz or their .th files, in the official package; each but the "
                     "first with =KBPS,KBPS, such as mp3=32,64")  # fmt: skip
    sub.add_argument("--rate", type=rate, metavar="HZ",
                     help="compare at this sample rate; the model's, or else the highest of the "
                     "codecs'")  # fmt: skip
    sub.add_argument("--measures", nargs="+", metavar="NAME", choices=MEASURES,
                     help=f"{', '.join(MEASURES)}; by default all that are installed")  # fmt: skip
    sub.add_argument("--explain", action="store_true",
                     help="say what each measure hears, and what it misses")  # fmt: skip
    sub.add_argument("--opus", type=count, nargs="*", metavar="KBPS",
                     help="measure Opus too, at these rates; 6 and 12 where its tools are; none "
                     "without a rate")  # fmt: skip
    _entropy(sub)
    sub.add_argument("--seconds", type=positive, default=10.0, help="of each recording; 10")


def _train(sub: argparse.ArgumentParser) -> None:
    sub.add_argument("config", help="a name from minicodec/training/configs, or a .json file")
    option = sub.add_argument
    option("--data", nargs="+", required=True, metavar="SOURCE",
           help="folders of recordings, FOLDER=WEIGHT; or hf:OWNER/NAME:SPLIT; or "
           "torchaudio:CLASS:FOLDER")  # fmt: skip
    option("--music", nargs="+", metavar="SOURCE", default=[],
           help="sources that are music: mixed more rarely, and without reverberation")  # fmt: skip
    option("--valid", type=Path, metavar="FOLDER",
           help="recordings to measure on, not to learn from")  # fmt: skip
    option("--out", type=Path, required=True, metavar="RUN",
           help="folder of the run; wherever a model can be named, the run can")  # fmt: skip
    option("--minutes", type=positive, default=math.inf,
           help="age at which the run ends, restarts included")  # fmt: skip
    option("--resume", action="store_true", help="go on from the last checkpoint")
    option("--from", dest="start_from", metavar="MODEL",
           help=f"begin with the weights of {_models()}")  # fmt: skip
    option("--discriminator", metavar="NAME",
           help="begin with a discriminator that has learned: mini_24khz_adversarial, a file, or "
                "a training run's folder")  # fmt: skip
    option("--decoder-only", action="store_true",
           help="with --from: encoder and codebooks stay, so old streams stay valid")  # fmt: skip
    option("--export", type=Path, metavar="FILE",
           help="write the codec here at the end, with how often each code is chosen")  # fmt: skip
    option("-f", "--force", action="store_true", help="replace an existing file there")
    option("--facts", type=Path, metavar="JSON",
           help="what else the exported file should say, as its licence")  # fmt: skip
    for name in ("steps", "batch"):
        option(f"--{name}", type=count, help=f"instead of the config's {name}")
    option("--learning-rate", type=positive, help="instead of the config's learning rate")
    option("--seed", type=seed, help="instead of the config's seed")
    option("--save-minutes", type=positive, default=2.0, help="between checkpoints; default 2")
    option("--workers", type=workers,
           help="processes that read recordings ahead; some where there is a GPU")  # fmt: skip
    option("--threads", type=threads, help="of the CPU")
    option("--bfloat16", action="store_true",
           help="convolutions in 16 bits: faster where the processor is made for them (lscpu says "
           "avx512_bf16 or amx_bf16); new GPUs use them unasked")  # fmt: skip
    option("--tensorboard", action="store_true", help="also write RUN/tensorboard")
    option("--visqol", action="store_true", help="validate with ViSQOL, too")


def _train_lm(sub: argparse.ArgumentParser) -> None:
    option = sub.add_argument
    option("--codec", required=True, help=_models())
    option("--data", type=Path, required=True, metavar="FOLDER", help="recordings to learn from")
    option("--valid", type=Path, required=True, metavar="FOLDER",
           help="recordings to measure on, not to learn from")  # fmt: skip
    option("-o", "--output", required=True, metavar="FILE",
           help="where the exact model goes, .safetensors")  # fmt: skip
    option("-f", "--force", action="store_true", help="replace an existing file")
    option("--run", dest="run_folder", type=Path, metavar="FOLDER",
           help="of the run's state, codes and log; started again with the same one, training goes "
           "on; FILE.run by default")  # fmt: skip
    option("--minutes", type=positive, default=30.0,
           help="of training, restarts included; the coding before is extra; 30")  # fmt: skip
    option("--copies", type=copies, default=1, metavar="N",
           help="code each recording N times, with other gains and shifts")  # fmt: skip
    for name, default, text in (
        ("dim", 120, "channels"), ("layers", 3, "of the Transformer"), ("heads", 8, "per layer"),
        ("batch", 4, "pieces of 5 s per step"),
    ):  # fmt: skip
        option(f"--{name}", type=count, default=default, help=f"{text} ({default})")
    option("--seed", type=seed, default=0, help="of everything drawn at random (0)")
    option("--learning-rate", type=positive, default=2e-3)
    option("--weight-decay", type=not_negative, default=0.1)
    option("--threads", type=threads, help="of the CPU")


def _export(sub: argparse.ArgumentParser) -> None:
    _export_onnx(sub)
    sub.add_argument("--to", choices=EXPORTS, default=EXPORTS[0],
                     help="transformers: a folder that its EncodecModel loads; official: weights "
                     "and a script for the package encodec; onnx: graphs, for a model that streams "
                     f"and pads with zeros; {EXPORTS[0]} by default")  # fmt: skip


def _export_onnx(sub: argparse.ArgumentParser) -> None:
    _output(sub, "folder to write to, made if need be; else named after the model")
    _model(sub, MODELS[0])


def _output(sub: argparse.ArgumentParser, text: str) -> None:
    sub.add_argument("-o", "--output", help=text)
    sub.add_argument("-f", "--force", action="store_true", help="replace an existing file")


def _inputs(sub: argparse.ArgumentParser, text: str) -> None:
    sub.add_argument("inputs", nargs="+", metavar="input", help=text)


def _many(sub: argparse.ArgumentParser, formats: Sequence[str]) -> None:
    sub.add_argument("--keep", action="store_true",
                     help="leave targets that are there already, and make the others")  # fmt: skip
    sub.add_argument("--format", type=lambda text: f".{text.lstrip('.').lower()}",
                     choices=[f".{name}" for name in formats], metavar="NAME",
                     help=f"of files that -o does not name: {', '.join(formats)}")  # fmt: skip
    sub.add_argument("-j", "--jobs", type=threads, default=1, metavar="N",
                     help="processes that share several files; 1")  # fmt: skip
    _device(sub)


def _device(sub: argparse.ArgumentParser) -> None:
    sub.add_argument("--device", default="cpu", metavar="NAME",
                     help="where the codec runs: cpu, cuda, cuda:1, mps; cpu by default, where the "
                     "same sound gives the same stream")  # fmt: skip


def _models() -> str:
    return (
        f"{', '.join(MODELS)}, a .safetensors file, or the folder of a training run or of "
        "save_pretrained"
    )


def _model(sub: argparse.ArgumentParser, default: str | None, text: str = "") -> None:
    known = text or default or "the one that the stream names by default"
    sub.add_argument("-m", "--model", default=default, help=f"{_models()}; {known}")


def _bandwidth(
    sub: argparse.ArgumentParser,
    text: str = "in kbps; the model's highest by default",
    nargs: str | None = None,
) -> None:
    sub.add_argument("-b", "--bandwidth", type=positive, nargs=nargs, metavar="KBPS", help=text)


def _entropy(sub: argparse.ArgumentParser) -> None:
    sub.add_argument("-e", "--entropy", choices=ENTROPY, default=ENTROPY[0],
                     help="how codes become bits; none by default")  # fmt: skip


def _lm(sub: argparse.ArgumentParser) -> None:
    sub.add_argument("--lm", metavar="FILE",
                     help="language model that predicts the codes, if not ours")  # fmt: skip
