"""Support: `minicodec decode`: stream to sound."""

import argparse
import sys
from pathlib import Path

from minicodec.bits.ecdc import read_ecdc, read_header
from minicodec.bits.language_model_file import load_language_model
from minicodec.bits.reader import StreamReader
from minicodec.cli.common import LONG
from minicodec.cli.pipes import bar, readable, say, stated_seconds, target_or_pipe
from minicodec.model.pretrained import config_of, load
from minicodec.sound.blocks import BlockWriter
from minicodec.sound.files import WRITABLE


def run(args: argparse.Namespace) -> None:
    """Read .mcdc or .ecdc, whichever it is."""
    target = target_or_pipe(args.input, args.output, WRITABLE, args.force, ".wav")
    if args.model:
        config_of(args.model)  # refuses what is no model
    with readable(args.input) as (magic, file):
        if magic == b"ECDC":
            _decode_official(args, file.read(-1), target)
            return
        lm = load_language_model(args.lm) if args.lm else None
        codec = load(args.model) if args.model else None
        reader = StreamReader(file, codec, args.tolerant, args.start, args.duration, lm)
        rate, channels = reader.header.sample_rate, reader.header.channels
        seconds = stated_seconds(args.input, rate)
        with (
            BlockWriter(target or sys.stdout.buffer, rate, channels) as out,
            bar("decoding", args.duration or seconds) as progress,
        ):
            for block in reader:
                out.write(block)
                progress.update(block.shape[-1] / rate)
    say(target, f"{out.length / rate:.2f} s, {channels} channel(s), {rate} Hz")


def _decode_official(args: argparse.Namespace, data: bytes, target: Path | None) -> None:
    """A file of the official package, which can only be read whole."""
    if args.tolerant:
        raise ValueError(
            f"{args.input} is an .ecdc file: without checksums no damage is known, so leave "
            "--tolerant out."
        )
    if args.lm:
        raise ValueError(
            f"{args.input} is an .ecdc file, which none of our language models predicts: leave "
            "--lm out."
        )
    header = read_header(data)
    rate = header.config.sample_rate
    first = round(args.start * rate)
    if first >= header.length:
        raise ValueError(
            f"{args.input} ends at {header.length / rate:.2f} s, not after {args.start:.2f} s, "
            "where it should be played."
        )
    codec = load(args.model) if args.model else None
    clip = read_ecdc(data, codec, progress=header.length > LONG * rate)[..., first:]
    if args.duration is not None:
        clip = clip[..., : max(1, round(args.duration * rate))]
    with BlockWriter(target or sys.stdout.buffer, rate, clip.shape[1]) as out:
        out.write(clip)
    say(target, f"{clip.shape[-1] / rate:.2f} s, {clip.shape[1]} channel(s), {rate} Hz")
