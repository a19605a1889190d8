"""Support: `minicodec encode`: sound to stream."""

import argparse
from functools import cached_property
from pathlib import Path

import torch

from minicodec.bits.ecdc import write_ecdc
from minicodec.bits.exact import ExactLanguageModel
from minicodec.bits.language_model_file import SHIPPED_LM, load_language_model
from minicodec.bits.layout import Layout
from minicodec.bits.writer import CHUNK_SECONDS, StreamWriter
from minicodec.cli import many
from minicodec.cli.common import LONG, changes, check_device
from minicodec.cli.jobs import Job, jobs_of, one_alone
from minicodec.cli.many import Report
from minicodec.cli.pipes import is_pipe, opened_pipe, recording, writable
from minicodec.model.codec import Codec
from minicodec.model.config import CodecConfig
from minicodec.model.pretrained import OFFICIAL, config_of, load
from minicodec.sound.audio import AudioFileError
from minicodec.sound.blocks import BlockReader, open_blocks
from minicodec.sound.files import recordings, write_bytes
from minicodec.sound.reading import open_sound
from minicodec.training.interrupts import Interrupted, Interrupts

MCDC, ECDC = ".mcdc", ".ecdc"


def run(args: argparse.Namespace) -> None:
    """Write .mcdc, or .ecdc where -o or --format say so."""
    jobs = jobs_of(args, recordings, (MCDC, ECDC))
    config = config_of(args.model)
    n_q = config.max_n_q if args.bandwidth is None else config.n_q(args.bandwidth)
    official = any(_is_official(job) for job in jobs)
    if official:
        _check_official(args, config)
    else:
        _check(args, config, n_q, CHUNK_SECONDS if args.chunk is None else args.chunk)
    check_device(args.device)
    # The official format takes clips whole, and shows a bar of its own for a long one.
    own_bar = official and one_alone(args)
    many.run(args, jobs, Encoding, "encoding", _nothing if own_bar else _seconds)


class Encoding:
    """Codes one sound after another with one codec, which is loaded when the first is open."""

    def __init__(self, args: argparse.Namespace):
        self.args, self.config = args, config_of(args.model)

    @cached_property
    def codec(self) -> Codec:
        return load(self.args.model, device=self.args.device)

    @cached_property
    def lm(self) -> ExactLanguageModel | None:
        return load_language_model(self.args.lm) if self.args.lm else None

    def __call__(self, job: Job, report: Report) -> None:
        """Write one stream.

        Raises:
            ValueError: for what is no sound, or cannot be written.
            Interrupted: if a signal ended a recording, when all that came before it is written.
        """
        if not is_pipe(job.source):
            with open_blocks(job.source) as sound:
                self._encode(job, sound, report)
            return
        with opened_pipe(job.source) as pipe, Interrupts() as interrupts:
            try:
                self._encode(job, open_blocks(recording(pipe, interrupts)), report)
            except AudioFileError as error:
                if interrupts.seen:
                    raise Interrupted(
                        f"{interrupts.seen} before there was any sound; nothing was written.",
                        interrupts.number,
                    ) from error
                raise
            if interrupts.seen:
                where = job.target or "the output"
                raise Interrupted(
                    f"{interrupts.seen}: {where} holds all that came until then, and is whole.",
                    interrupts.number,
                )

    def _encode(self, job: Job, sound: BlockReader, report: Report) -> None:
        config, args = self.config, self.args
        note = changes(sound.sample_rate, sound.channels, config, args.model, job.source)
        if note:
            report.note(note)
        if _is_official(job):
            self._write_official(job, sound, report)
            return
        chunk = CHUNK_SECONDS if args.chunk is None else args.chunk
        with (
            writable(job.target) as file,
            StreamWriter(file, self.codec, args.bandwidth, args.entropy, chunk, self.lm) as out,
        ):
            for block in sound.converted(config.sample_rate, config.channels):
                out.write(block)
                report.seconds(block.shape[-1] / config.sample_rate)
        _tell_size(job, report, out.length / config.sample_rate, out.size)

    def _write_official(self, job: Job, sound: BlockReader, report: Report) -> None:
        """The whole clip at once, as its format asks for."""
        rate = self.config.sample_rate
        clip = torch.cat(list(sound.converted(rate, self.config.channels)), dim=-1)
        seconds = clip.shape[-1] / rate
        long = one_alone(self.args) and seconds > LONG
        data = write_ecdc(self.codec, clip, self.args.bandwidth, progress=long)
        write_bytes(job.target or Path(), data)
        report.seconds(seconds)
        _tell_size(job, report, seconds, len(data))


def _seconds(source: str) -> float | None:
    """How long a recording is, as far as its header tells."""
    if is_pipe(source):
        return None
    try:
        with open_sound(source) as sound:
            return None if sound.length is None else sound.length / sound.sample_rate
    except AudioFileError:
        return 0.0  # it will be said when its turn comes


def _nothing(source: str) -> float:
    return 0.0


def _is_official(job: Job) -> bool:
    return job.target is not None and job.target.suffix.lower() == ECDC


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


def _tell_size(job: Job, report: Report, seconds: float, size: int) -> None:
    report.result(job, f"{seconds:.2f} s in {size} bytes, {size * 8 / seconds / 1000:.2f} kbps")
