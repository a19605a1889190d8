"""Support: `minicodec decode`: stream to sound."""

import argparse
import sys
from functools import cached_property
from pathlib import Path

from minicodec.bits.ecdc import read_ecdc, read_header, take
from minicodec.bits.exact import ExactLanguageModel
from minicodec.bits.language_model_file import load_language_model
from minicodec.bits.reader import StreamReader
from minicodec.cli import many
from minicodec.cli.common import LONG, check_device
from minicodec.cli.jobs import Job, jobs_of, one_alone
from minicodec.cli.many import Report
from minicodec.cli.pipes import is_pipe, readable, stated_seconds
from minicodec.model.codec import Codec
from minicodec.model.pretrained import config_of, load, load_named
from minicodec.sound.blocks import BlockWriter
from minicodec.sound.files import WRITABLE, files_below

#: Endings of streams.
STREAMS = (".mcdc", ".ecdc")


def run(args: argparse.Namespace) -> None:
    """Read .mcdc or .ecdc, whichever it is."""
    endings = (".wav", *(ending for ending in WRITABLE if ending != ".wav"))
    jobs = jobs_of(args, _streams, endings)
    if args.model:
        config_of(args.model)  # refuses what is no model
    check_device(args.device)

    def seconds(source: str) -> float | None:
        official = _official_seconds(source)
        if official is None:
            return args.duration or stated_seconds(source)
        return 0.0 if one_alone(args) else official  # alone it shows a bar of its own

    many.run(args, jobs, Decoding, "decoding", seconds)


class Decoding:
    """Decodes one stream after another; a codec is loaded once, however many need it."""

    def __init__(self, args: argparse.Namespace):
        self.args = args
        self._named: dict[str, Codec] = {}

    @cached_property
    def codec(self) -> Codec | None:
        """The codec that -m names, for all streams."""
        return load(self.args.model, device=self.args.device) if self.args.model else None

    @cached_property
    def lm(self) -> ExactLanguageModel | None:
        return load_language_model(self.args.lm) if self.args.lm else None

    def named(self, name: str) -> Codec:
        """The codec that a stream names."""
        if name not in self._named:
            self._named[name] = load_named(name).to(self.args.device)
        return self._named[name]

    def __call__(self, job: Job, report: Report) -> None:
        """Write one sound.

        Raises:
            ValueError: for what is no stream, or damaged, or cannot be written.
        """
        args = self.args
        with readable(job.source) as (magic, file):
            if magic == b"ECDC":
                self._official(job, take(file), report)
                return
            lm = self.lm  # a wrong one is refused before a codec is loaded
            reader = StreamReader(
                file, self.codec, args.tolerant, args.start, args.duration, lm, self.named
            )
            rate, channels = reader.header.sample_rate, reader.header.channels
            with BlockWriter(job.target or sys.stdout.buffer, rate, channels) as out:
                for block in reader:
                    out.write(block)
                    report.seconds(block.shape[-1] / rate)
        report.result(job, f"{out.length / rate:.2f} s, {channels} channel(s), {rate} Hz")

    def _official(self, job: Job, data: bytes, report: Report) -> None:
        """A file of the official package, which can only be read whole."""
        args = self.args
        if args.tolerant:
            raise ValueError(
                f"{job.source} is an .ecdc file: without checksums no damage is known, so leave "
                "--tolerant out."
            )
        if args.lm:
            raise ValueError(
                f"{job.source} is an .ecdc file, which none of our language models predicts: leave "
                "--lm out."
            )
        header = read_header(data)
        rate = header.config.sample_rate
        first = round(args.start * rate)
        if first >= header.length:
            raise ValueError(
                f"{job.source} ends at {header.length / rate:.2f} s, not after {args.start:.2f} s, "
                "where it should be played."
            )
        codec = self.codec or self.named(header.model)
        long = one_alone(args) and header.length > LONG * rate
        clip = read_ecdc(data, codec, progress=long)[..., first:]
        if args.duration is not None:
            clip = clip[..., : max(1, round(args.duration * rate))]
        seconds, channels = clip.shape[-1] / rate, clip.shape[1]
        with BlockWriter(job.target or sys.stdout.buffer, rate, channels) as out:
            out.write(clip)
        report.seconds(seconds)
        report.result(job, f"{seconds:.2f} s, {channels} channel(s), {rate} Hz")


def _official_seconds(source: str) -> float | None:
    """How long a file of the official package says that it is; None if it is none."""
    if is_pipe(source) or not Path(source).is_file():
        return None
    with open(source, "rb") as file:
        head = file.read(1 << 13)  # more than its header may have
    if head[:4] != b"ECDC":
        return None
    try:
        header = read_header(head)
    except ValueError:
        return 0.0  # it will be said when its turn comes
    return header.length / header.config.sample_rate


def _streams(folder: Path) -> list[Path]:
    return files_below(folder, STREAMS)
