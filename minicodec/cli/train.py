"""Learn a codec: `minicodec train CONFIG --data FOLDER… --valid FOLDER --out RUN`."""

import argparse
import dataclasses
import math
import os
from pathlib import Path

import torch


def train(args: argparse.Namespace) -> None:
    """Train a codec, or go on with a run that was stopped."""
    from minicodec.training.config import load_config
    from minicodec.training.export import read_facts
    from minicodec.training.sources import open_source
    from minicodec.training.trainer import Trainer
    from minicodec.training.validation import held_out

    if args.facts and not args.export:
        raise ValueError("--facts go into the exported file: name one with --export.")
    facts = read_facts(args.facts) if args.facts else {}

    if args.threads:
        torch.set_num_threads(args.threads)
    wanted = {"steps": args.steps, "batch": args.batch, "learning_rate": args.learning_rate,
              "seed": args.seed, "decoder_only": args.decoder_only or None}  # fmt: skip
    changes = {name: value for name, value in wanted.items() if value is not None}
    if args.start_from or args.decoder_only:
        changes["warm_up"] = 0  # the codebooks are there already
    config = dataclasses.replace(load_config(args.config), **changes)
    rank, world = int(os.environ.get("RANK", 0)), int(os.environ.get("WORLD_SIZE", 1))
    sources = [open_source(text, config, music, rank, world)
               for texts, music in ((args.data, False), (args.music, True))
               for text in texts]  # fmt: skip
    trainer = Trainer(
        config,
        sources,
        args.out,
        valid=held_out(args.valid, config) if args.valid else (),
        resume=args.resume,
        start_from=args.start_from,
        save_minutes=args.save_minutes,
        workers=args.workers,
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
    if trainer.main:
        print(ended)
    if args.export:
        trainer.export(args.export, facts)
    trainer.close()


def add(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add this command to a parser."""
    sub = commands.add_parser("train", help=train.__doc__, description=train.__doc__)
    sub.set_defaults(run=train)
    sub.add_argument("config", help="a name from minicodec/training/configs, or a .json file")
    sub.add_argument(
        "--data", nargs="+", required=True, metavar="SOURCE", default=[],
        help="folders of recordings, each with =WEIGHT if you like; or hf:OWNER/NAME:SPLIT; or "
        "torchaudio:CLASS:FOLDER",
    )  # fmt: skip
    option = sub.add_argument
    option("--music", nargs="+", metavar="SOURCE", default=[],
           help="sources that are music: mixed more rarely, and without reverberation")  # fmt: skip
    option("--valid", metavar="FOLDER", help="recordings to measure on, not to learn from")
    option("--out", type=Path, required=True, metavar="RUN", help="folder of the run")
    option("--minutes", type=float, default=math.inf,
           help="age at which the run ends, restarts included")  # fmt: skip
    option("--resume", action="store_true", help="go on from the last checkpoint")
    option("--from", dest="start_from", metavar="FILE", help="begin with this codec's weights")
    option("--decoder-only", action="store_true",
           help="with --from: encoder and codebooks stay, so old streams stay valid")  # fmt: skip
    option("--export", type=Path, metavar="FILE",
           help="write the codec here at the end, with how often each code is chosen")  # fmt: skip
    option("--facts", type=Path, metavar="JSON",
           help="what else the exported file should say, as its licence")  # fmt: skip
    for name, kind in (("steps", int), ("batch", int), ("learning-rate", float), ("seed", int)):
        option(f"--{name}", type=kind, help=f"instead of the config's {name}")
    option("--save-minutes", type=float, default=2.0, help="between checkpoints; default 2")
    ahead = min(8, os.cpu_count() or 1) if torch.cuda.is_available() else 0
    option("--workers", type=int, default=ahead, help="processes that read recordings ahead")
    option("--threads", type=int, help="of the CPU")
    option("--bfloat16", action="store_true",
           help="convolutions in 16 bits: faster where the processor is made for them (lscpu says "
           "avx512_bf16 or amx_bf16); new GPUs use them unasked")  # fmt: skip
    option("--tensorboard", action="store_true", help="also write RUN/tensorboard")
    option("--visqol", action="store_true", help="validate with ViSQOL, too")
