"""Learn a language model for a codec's codes: `minicodec train-lm --codec … --data … --valid …`."""

import argparse
import dataclasses
from pathlib import Path

import torch
from torch import Tensor

from minicodec.model.checkpoint import fingerprint
from minicodec.model.pretrained import load


def train_lm(args: argparse.Namespace) -> None:
    """Train a language model for the codes of a codec, or go on with a run that was stopped."""
    from minicodec.bits import lm_training as learning
    from minicodec.bits.exact import exact_copy
    from minicodec.bits.exact_fast import faster
    from minicodec.bits.language_model import LanguageModel, LanguageModelConfig
    from minicodec.bits.language_model_file import save_language_model

    if args.output.exists() and not args.force:
        raise ValueError(f"{args.output} exists already: choose another -o, or replace it with -f.")
    for folder in (args.data, args.valid):
        if not folder.is_dir():
            raise ValueError(f"{folder} is not a folder of recordings.")
    if not args.minutes > 0:
        raise ValueError(f"training takes more than {args.minutes} minutes.")
    if args.threads:
        torch.set_num_threads(args.threads)
    codec = load(args.codec)
    config = LanguageModelConfig(
        n_q=codec.config.max_n_q,
        codebook_size=codec.config.codebook_size,
        frame_rate=codec.config.frame_rate,
        dim=args.dim,
        layers=args.layers,
        heads=args.heads,
        hidden=4 * args.dim,
    )
    run = args.run_folder or args.output.with_suffix(".run")
    codes = learning.read_codes(args.data, codec, args.copies, run / "codes.safetensors")
    valid = learning.read_codes(args.valid, codec, cache=run / "valid.safetensors")
    levels = [codec.config.n_q(b) for b in codec.config.bandwidths]
    hours = sum(c.shape[1] for c in codes) / config.frame_rate / 3600
    torch.manual_seed(args.seed)
    model = LanguageModel(config)
    learning.initialize(model, codes)
    size = sum(p.numel() for p in model.parameters()) / 1e6
    print(f"{size:.2f} million weights learn from {hours:.2f} hours of codes")
    recipe = learning.Recipe(args.batch, args.learning_rate, args.weight_decay, seed=args.seed)
    trainer = learning.LanguageModelTrainer(model, codes, valid, levels, run, args.minutes, recipe)
    exact = faster(exact_copy(trainer.run(), fingerprint(codec)))
    rows = {}
    print("kbps    levels  float   exact   bits per code on recordings not learned from")
    for bandwidth, n_q in zip(codec.config.bandwidths, levels):
        floats, integers = (
            _mean(cost) for cost in (learning.float_bits(trainer.model, valid, n_q, trainer.frames),
                                     learning.exact_bits(exact, valid, n_q, trainer.frames))
        )  # fmt: skip
        saved = 100 * (1 - integers / codec.config.bits)
        rows[f"{bandwidth:g}"] = {"float": round(floats, 4), "exact": round(integers, 4)}
        print(f"{bandwidth:<7g} {n_q:<7} {floats:.4f}  {integers:.4f}  {saved:.1f} % saved, "
              f"{bandwidth * integers / codec.config.bits:.2f} kbps")  # fmt: skip
    facts = {"codec": codec.name, "bits_per_code": rows, "steps": trainer.step,
             "minutes": round(trainer.age, 1), "hours": round(hours, 2), "copies": args.copies,
             "recipe": dataclasses.asdict(recipe)}  # fmt: skip
    save_language_model(exact, args.output, facts)
    print(f"{args.output}: {args.output.stat().st_size / 1e6:.2f} MB, "
          f"fingerprint {exact.fingerprint.hex()}")  # fmt: skip


def _mean(cost: Tensor) -> float:
    return float(cost.mean())


def add(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add this command to a parser."""
    sub = commands.add_parser("train-lm", help=train_lm.__doc__, description=train_lm.__doc__)
    sub.set_defaults(run=train_lm)
    sub.add_argument("--codec", required=True, help="a codec's name, or a .safetensors file")
    sub.add_argument("--data", type=Path, required=True, metavar="FOLDER",
                     help="recordings to learn from")  # fmt: skip
    sub.add_argument("--valid", type=Path, required=True, metavar="FOLDER",
                     help="recordings to measure on, not to learn from")  # fmt: skip
    sub.add_argument("-o", "--output", type=Path, required=True, metavar="FILE",
                     help="where the exact model goes, .safetensors")  # fmt: skip
    sub.add_argument("-f", "--force", action="store_true", help="replace an existing file")
    sub.add_argument("--run", dest="run_folder", type=Path, metavar="FOLDER",
                     help="of the run's state, codes and log; started again with the same one, "
                     "training goes on; FILE.run by default")  # fmt: skip
    sub.add_argument("--minutes", type=float, default=30.0,
                     help="of training, restarts included; the coding before is extra")  # fmt: skip
    sub.add_argument("--copies", type=int, default=1, metavar="N",
                     help="code each recording N times, with other gains and shifts")  # fmt: skip
    for name, default, text in (
        ("dim", 120, "channels"), ("layers", 3, "of the Transformer"), ("heads", 8, "per layer"),
        ("batch", 4, "pieces of 5 s per step"), ("seed", 0, "of everything drawn at random"),
    ):  # fmt: skip
        sub.add_argument(f"--{name}", type=int, default=default, help=f"{text} ({default})")
    sub.add_argument("--learning-rate", type=float, default=2e-3)
    sub.add_argument("--weight-decay", type=float, default=0.1)
    sub.add_argument("--threads", type=int, help="of the CPU")
