"""Support: `minicodec train`: learn a codec, or go on with a run that was stopped."""

import argparse
import dataclasses
import os

import torch

from minicodec.cli.common import check_target
from minicodec.sound import judges
from minicodec.training import journal, processes
from minicodec.training.config import TrainConfig, load_config
from minicodec.training.discriminator_file import check_discriminator
from minicodec.training.export import read_facts
from minicodec.training.interrupts import Interrupted
from minicodec.training.run_state import found
from minicodec.training.sources import check_source, open_source
from minicodec.training.start import check_start
from minicodec.training.trainer import Trainer, check_run
from minicodec.training.validation import held_out


def run(args: argparse.Namespace) -> None:
    """Train, print how it goes, and write the codec down if asked to."""
    config = _config(args)
    _check(args, config)
    facts = read_facts(args.facts) if args.facts else {}
    if args.threads:
        torch.set_num_threads(args.threads)
    workers = args.workers
    if workers is None:
        workers = min(8, os.cpu_count() or 1) if torch.cuda.is_available() else 0
    rank, world = int(os.environ.get("RANK", 0)), int(os.environ.get("WORLD_SIZE", 1))
    sources = [open_source(text, config, music, rank, world)
               for texts, music in ((args.data, False), (args.music, True))
               for text in texts]  # fmt: skip
    trainer = Trainer(
        config,
        sources,
        args.out,
        valid=held_out(str(args.valid), config) if args.valid else (),
        resume=args.resume,
        start_from=args.start_from,
        discriminator=args.discriminator,
        save_minutes=args.save_minutes,
        workers=workers,
        tensorboard=args.tensorboard,
        visqol=args.visqol,
        bfloat16=args.bfloat16,
    )
    if trainer.main:
        for source, weight, music in sources:
            length = f"{source.seconds / 60:.1f} min" if source.seconds else "length unknown"
            skipped = f", skipped {dict(source.skipped)}" if source.skipped else ""
            print(f"{source.name}: {length}{', music' * music}, weight {weight:g}{skipped}")
        begin = f"from step {trainer.step}" if trainer.step else "from the start"
        size = sum(p.numel() for p in trainer.update.learned) / 1e6
        half = ", in bfloat16" * trainer.update.bfloat16
        print(f"{begin} on {world} × {trainer.device}{half}: {size:.2f} million weights learn")
    ended = trainer.run(args.minutes)
    if trainer.main and not trainer.signal:
        print(ended)
    if args.export:
        trainer.export(args.export, facts)
    if trainer.main:
        print(f"hear it: minicodec listen -m {args.export or args.out}")
    if trainer.main and not args.export:
        print("make one file of it: the same command with --resume --export FILE.safetensors")
    trainer.close()
    if trainer.signal:
        raise Interrupted(ended if trainer.main else "", trainer.signal)


def _config(args: argparse.Namespace) -> TrainConfig:
    wanted = {"steps": args.steps, "batch": args.batch, "learning_rate": args.learning_rate,
              "seed": args.seed, "decoder_only": args.decoder_only or None}  # fmt: skip
    changes = {name: value for name, value in wanted.items() if value is not None}
    if args.start_from or args.decoder_only:
        changes["warm_up"] = 0  # the codebooks are there already
    return dataclasses.replace(load_config(args.config), **changes)


def _check(args: argparse.Namespace, config: TrainConfig) -> None:
    """Refuse what cannot be done: reading the recordings, which comes next, takes minutes."""
    processes.need_accelerate()
    processes.use_bfloat16(args.bfloat16)
    if args.tensorboard:
        journal.need_tensorboard()
    if args.visqol:
        judges.need("visqol")
    for text in (*args.data, *args.music):
        check_source(text)
    if args.valid is not None and not args.valid.is_dir():
        raise ValueError(f"{args.valid} is not a folder of recordings.")
    if args.facts and not args.export:
        raise ValueError("--facts go into the exported file: name one with --export.")
    if args.export:
        # What a run wrote when it was stopped it may write again when it goes on.
        remedy = "choose another --export, or replace it with -f"
        check_target(args.export, [".safetensors"], args.force or args.resume, remedy)
    if int(os.environ.get("RANK", 0)) == 0:
        check_run(args.out, config, args.resume)
    if args.resume and found(args.out):
        return  # then it has weights of its own
    if args.discriminator:
        check_discriminator(args.discriminator, config)
    if args.start_from:
        check_start(args.start_from, config.codec)
    elif config.decoder_only:
        raise ValueError("--decoder-only needs a codec to start from: name one with --from.")
