"""Commands on streams: sound in, bytes out, and back, through files and pipes."""

import argparse
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, BinaryIO

from tqdm import tqdm

from minicodec.bits.bitstream import BitstreamError, StreamReader, StreamWriter
from minicodec.bits.container import (
    END_BYTES,
    ENTROPY,
    SYNC,
    Chunk,
    Header,
    Readable,
    StreamBytes,
)
from minicodec.bits.ecdc import read_ecdc, read_header
from minicodec.bits.exact import ExactLanguageModel
from minicodec.bits.language_model_file import load_language_model
from minicodec.bits.writer import CHUNK_SECONDS
from minicodec.cli.files import add_model, add_output, note_changes, target_path
from minicodec.model.checkpoint import SHIPPED
from minicodec.model.codec import Codec
from minicodec.model.pretrained import OFFICIAL, load
from minicodec.sound.blocks import BlockWriter, open_blocks

#: Shorter clips are done before a bar could be read.
_LONG = 20.0
#: Rows at each end of the table of chunks, unless all are asked for.
_ROWS = 10


def encode(args: argparse.Namespace) -> None:
    """Sound to stream."""
    target = _target(args, ".mcdc")
    codec = load(args.model)
    config = codec.config
    sound = open_blocks(_standard_input() if args.input == "-" else args.input)
    note_changes(sound.sample_rate, sound.channels, codec, args.input)
    seconds = None if sound.length is None else sound.length / sound.sample_rate
    with (
        _writable(target) as file,
        _bar("encoding", seconds) as bar,
        StreamWriter(file, codec, args.bandwidth, args.entropy, args.chunk, _lm(args)) as out,
    ):
        for block in sound.converted(config.sample_rate, config.channels):
            out.write(block)
            bar.update(block.shape[-1] / config.sample_rate)
    seconds = out.length / config.sample_rate
    _say(target, f"{seconds:.2f} s in {out.size} bytes, {out.size * 8 / seconds / 1000:.2f} kbps")


def decode(args: argparse.Namespace) -> None:
    """Stream to sound."""
    target = _target(args, ".wav")
    codec = load(args.model) if args.model else None
    with _readable(args.input) as (magic, file):
        if magic == b"ECDC":
            _decode_official(file.read(-1), codec, target)
            return
        reader = StreamReader(
            file, codec, args.tolerant, args.start, args.duration, _lm(args), _find
        )
        rate, channels = reader.header.sample_rate, reader.header.channels
        seconds = args.duration or _stated_seconds(args.input, rate)
        with (
            BlockWriter(target or sys.stdout.buffer, rate, channels) as out,
            _bar("decoding", seconds) as bar,
        ):
            for block in reader:
                out.write(block)
                bar.update(block.shape[-1] / rate)
    _say(target, f"{out.length / rate:.2f} s, {channels} channel(s), {rate} Hz")


def info(args: argparse.Namespace) -> None:
    """What a stream holds, chunk by chunk."""
    with _readable(args.input) as (magic, file):
        if magic == b"ECDC":
            official = read_header(file.read(-1))
            rate = official.config.sample_rate
            coding = "language model" if official.lm else "none"
            print(
                f"format      .ecdc, of the official package\nmodel       {official.model}\n"
                f"audio       {official.length / rate:.3f} s, {official.length} samples, {rate} Hz"
                f"\ncodes       {official.n_q} codebooks, entropy coding: {coding}"
            )
            return
        stream = StreamBytes(file, tolerant=True)
        chunks = list(stream)
    _print_info(stream, chunks, args.all)
    there = {chunk.index for chunk in chunks}
    lost = [index for index in range(max(there, default=-1) + 1) if index not in there]
    wrong = [f"{len(lost)} of its chunks are damaged or missing, {_named(lost)}"] if lost else []
    if not chunks or chunks[-1].frames:
        wrong.append("its end is missing")
    if wrong:
        raise BitstreamError(f"{args.input} is not whole: {', and '.join(wrong)}.")


def add(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add these commands to a parser."""
    kinds = {encode: "WAV, FLAC, OGG or MP3 file, or - for WAV from a pipe",
             decode: "stream, .mcdc or .ecdc, or - for one from a pipe",
             info: "stream, .mcdc or .ecdc, or - for one from a pipe"}  # fmt: skip
    for run, kind in kinds.items():
        sub = commands.add_parser(run.__name__, help=run.__doc__, description=run.__doc__)
        sub.set_defaults(run=run)
        sub.add_argument("input", help=kind)
        if run is info:
            sub.add_argument("--all", action="store_true", help="every chunk, however many")
            continue
        add_output(sub, "file to write, or - for a pipe; else named after the input")
        add_model(sub, None if run is decode else "mini_24khz")
        sub.add_argument(
            "--lm", metavar="FILE", help="language model that predicts the codes, if not ours"
        )
        if run is encode:
            sub.add_argument(
                "-b", "--bandwidth", type=float, help="in kbps; the model's highest by default"
            )
            sub.add_argument(
                "-e", "--entropy", choices=ENTROPY, default="none", help="how codes become bits"
            )
            sub.add_argument(
                "--chunk", type=float, default=CHUNK_SECONDS, metavar="SECONDS",
                help="sound in a chunk; what a damaged bit costs",
            )  # fmt: skip
        else:
            sub.add_argument(
                "--start", type=float, default=0.0, metavar="SECONDS", help="begin there"
            )
            sub.add_argument("--duration", type=float, metavar="SECONDS", help="stop after these")
            sub.add_argument(
                "--tolerant", action="store_true",
                help="play silence for what is damaged, and go on",
            )  # fmt: skip


def _lm(args: argparse.Namespace) -> ExactLanguageModel | None:
    return load_language_model(args.lm) if args.lm else None


def _decode_official(data: bytes, codec: Codec | None, target: Path | None) -> None:
    header = read_header(data)
    rate = header.config.sample_rate
    clip = read_ecdc(data, codec, progress=header.length > _LONG * rate)
    with BlockWriter(target or sys.stdout.buffer, rate, clip.shape[1]) as out:
        out.write(clip)
    _say(target, f"{clip.shape[-1] / rate:.2f} s, {clip.shape[1]} channel(s), {rate} Hz")


def _find(name: str) -> Codec:
    if name not in {*SHIPPED, *OFFICIAL}:
        # Its name is a stranger's word: never a path to open.
        raise BitstreamError(
            f"this stream was made by {name!r}, which does not ship with minicodec: name that "
            "model's .safetensors file with -m."
        )
    return load(name)


def _print_info(stream: StreamBytes, chunks: list[Chunk], every: bool) -> None:
    header = stream.header
    rate, end = header.sample_rate, chunks[-1] if chunks else None
    sound = [chunk for chunk in chunks if chunk.frames]
    if end is not None and end.frames:
        end = None
    lengths = {chunk.index: _samples(chunk, header, end) for chunk in sound}
    seconds = sum(lengths.values()) / rate
    codes = sum(len(chunk.codes) + 4 * len(chunk.scales) for chunk in sound)
    size = stream.header_size + sum(chunk.size for chunk in chunks)
    print(f"model       {header.model} (fingerprint {header.fingerprint.hex()})")
    print(
        f"audio       {seconds:.3f} s, {sum(lengths.values())} samples, {rate} Hz, "
        f"{header.channels} channel(s)\n"
        f"codes       {header.n_q} codebooks of {2**header.bits} entries, entropy coding: "
        f"{header.entropy}"
    )
    if any(header.entropy_fingerprint):
        print(f"predicted   by the model {header.entropy_fingerprint.hex()}")
    if not sound:
        return
    packed = header.chunk_frames * header.n_q * header.bits / header.seconds(1) / 1000
    print(
        f"bandwidth   nominal {packed:.3f} kbps, real {size * 8 / seconds / 1000:.3f} kbps\n"
        f"size        {size} bytes, of which codes {codes}\n"
        f"overhead    {size - codes} bytes, {100 * (size - codes) / size:.2f} %: header "
        f"{stream.header_size}, and {chunks[0].size - len(chunks[0].codes)} in a chunk\n\n"
        "chunk   from (s)    seconds   bytes     kbps"
    )
    for i, chunk in enumerate(sound):
        if not every and _ROWS <= i < len(sound) - _ROWS:
            if i == _ROWS:
                print(f"      … {len(sound) - 2 * _ROWS} more, shown with --all")
            continue
        length = lengths[chunk.index] / rate
        kbps = chunk.size * 8 / length / 1000
        print(f"{chunk.index:5}{header.seconds(chunk.index):11.2f}{length:11.2f}"
              f"{chunk.size:8}{kbps:9.3f}")  # fmt: skip


def _samples(chunk: Chunk, header: Header, end: Chunk | None) -> int:
    """Samples that a chunk stands for; where the end is missing, those of its frames."""
    if end is not None and end.index == chunk.index + 1:
        return max(0, end.length - chunk.index * header.chunk_samples)
    return min(header.chunk_samples, header.chunk_samples * chunk.frames // header.chunk_frames)


def _named(indices: list[int]) -> str:
    few = ", ".join(map(str, indices[:10]))
    return f"{few}, …" if len(indices) > 10 else few


def _target(args: argparse.Namespace, ending: str) -> Path | None:
    """The file to write; None for the standard output."""
    if args.output == "-" or (args.output is None and args.input == "-"):
        if sys.stdout.isatty():
            raise ValueError("the output would fill this terminal: redirect it, or name -o.")
        return None
    return target_path(args, ending)


def _say(target: Path | None, text: str) -> None:
    """Where sound or bytes go to the standard output, words may not."""
    print(f"{target or 'output'}: {text}", file=sys.stdout if target else sys.stderr)


def _standard_input() -> BinaryIO:
    if sys.stdin.isatty():
        raise ValueError("- reads from a pipe, but the standard input is this terminal.")
    return sys.stdin.buffer


@contextmanager
def _writable(target: Path | None) -> Iterator[BinaryIO]:
    """A file that appears whole or not at all, or the standard output."""
    if target is None:
        yield sys.stdout.buffer
        return
    part = target.with_name(f".{target.name}.part")
    try:
        with part.open("wb") as file:
            yield file
        part.replace(target)
    finally:
        part.unlink(missing_ok=True)


@contextmanager
def _readable(name: str) -> Iterator[tuple[bytes, Any]]:
    """The first four bytes, and the file from its beginning."""
    if name == "-":
        file = _standard_input()
        magic = file.read(4)
        yield magic, _Again(magic, file)
        return
    if Path(name).is_dir():
        raise ValueError(f"{name} is a folder, not a stream.")
    if not Path(name).is_file():
        raise ValueError(f"{name}: no such file.")
    with open(name, "rb") as file:
        magic = file.read(4)
        file.seek(0)
        yield magic, file


class _Again:
    """A pipe of which the first bytes, read already, are read again."""

    def __init__(self, first: bytes, file: Readable):
        self._first, self._file = first, file

    def read(self, size: int, /) -> bytes:
        first, self._first = self._first, b""
        return first + self._file.read(size) if size < 0 else (first or self._file.read(size))


def _stated_seconds(name: str, rate: int) -> float | None:
    """What the end of a file says about its length, for a bar to know how far it is."""
    if name == "-":
        return None
    with open(name, "rb") as file:
        file.seek(max(0, file.seek(0, 2) - END_BYTES))
        end = file.read(END_BYTES)
    return int.from_bytes(end[-12:-4], "big") / rate if end[:4] == SYNC else None


def _bar(text: str, seconds: float | None) -> "tqdm[Any]":
    """A progress bar on the standard error, for what takes long or nobody knows how long."""
    show = sys.stderr.isatty() if seconds is None else seconds > _LONG
    return tqdm(desc=text, total=seconds, unit="s", unit_scale=True, disable=not show)
