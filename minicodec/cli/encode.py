"""Support: `minicodec encode`: sound to stream."""

import argparse
from pathlib import Path

import torch

from minicodec.bits.ecdc import write_ecdc
from minicodec.bits.language_model_file import SHIPPED_LM, load_language_model
from minicodec.bits.layout import Layout
from minicodec.bits.writer import CHUNK_SECONDS, StreamWriter
from minicodec.cli.common import LONG, note_changes
from minicodec.cli.pipes import bar, say, standard_input, target_or_pipe, writable
from minicodec.model.config import CodecConfig
from minicodec.model.pretrained import OFFICIAL, config_of, load
from minicodec.sound.blocks import BlockReader, open_blocks
from minicodec.sound.files import write_bytes

MCDC, ECDC = ".mcdc", ".ecdc"


def run(args: argparse.Namespace) -> None:
    """Write .mcdc, or .ecdc where -o names such a file."""
    target = target_or_pipe(args.input, args.output, (MCDC, ECDC), args.force)
    config = config_of(args.model)
    n_q = config.max_n_q if args.bandwidth is None else config.n_q(args.bandwidth)
    chunk = CHUNK_SECONDS if args.chunk is None else args.chunk
    official = target is not None and target.suffix.lower() == ECDC
    if official:
        _check_official(args, config)
    else:
        _check(args, config, n_q, chunk)
    sound = open_blocks(standard_input() if args.input == "-" else args.input)
    note_changes(sound.sample_rate, sound.channels, config, args.model, args.input)
    if target is not None and official:
        _write_official(args, sound, target)
        return
    lm = load_language_model(args.lm) if args.lm else None
    codec = load(args.model)
    seconds = None if sound.length is None else sound.length / sound.sample_rate
    with (
        writable(target) as file,
        bar("encoding", seconds) as progress,
        StreamWriter(file, codec, args.bandwidth, args.entropy, chunk, lm) as out,
    ):
        for block in sound.converted(config.sample_rate, config.channels):
            out.write(block)
            progress.update(block.shape[-1] / config.sample_rate)
    _say_size(target, out.length / config.sample_rate, out.size)


def _check(args: argparse.Namespace, config: CodecConfig, n_q: int, chunk: float) -> None:
    """Refuse what a .mcdc stream cannot be, before a model is loaded or fetched."""
    Layout.of(config, n_q, chunk)
    if args.lm and args.entropy != "lm":
        raise ValueError("--lm predicts codes for --entropy lm, which was not asked for.")
    if args.entropy == "lm" and not args.lm and args.model in {*OFFICIAL} - {*SHIPPED_LM}:
        raise ValueError(f"no language model ships for {args.model!r}: name one with --lm.")


def _check_official(args: argparse.Namespace, config: CodecConfig) -> None:
    """Refuse what the official package's format cannot hold."""
    if config not in [official.config for official in OFFICIAL.values()]:
        raise ValueError(
            f".ecdc files are of {' or '.join(OFFICIAL)}, not of {args.model!r}: write .mcdc."
        )
    if args.entropy != "none" or args.lm:
        raise ValueError(
            "an .ecdc file is written with --entropy none: coded with the official language model "
            "it could be read on this machine alone."
        )
    if args.chunk is not None:
        raise ValueError("an .ecdc file has no chunks: leave --chunk out.")


def _write_official(args: argparse.Namespace, sound: BlockReader, target: Path) -> None:
    """The whole clip at once, as its format asks for."""
    codec = load(args.model)
    rate = codec.config.sample_rate
    clip = torch.cat(list(sound.converted(rate, codec.config.channels)), dim=-1)
    seconds = clip.shape[-1] / rate
    data = write_ecdc(codec, clip, args.bandwidth, progress=seconds > LONG)
    write_bytes(target, data)
    _say_size(target, seconds, len(data))


def _say_size(target: Path | None, seconds: float, size: int) -> None:
    say(target, f"{seconds:.2f} s in {size} bytes, {size * 8 / seconds / 1000:.2f} kbps")
