"""Support: `minicodec train-lm`: learn a language model for the codes of a codec."""

import argparse
import dataclasses
from pathlib import Path

import torch
from torch import Tensor

from minicodec.bits import lm_training as learning
from minicodec.bits.exact import exact_copy
from minicodec.bits.exact_fast import faster
from minicodec.bits.language_model import LanguageModel, LanguageModelConfig
from minicodec.bits.language_model_file import save_language_model
from minicodec.cli.common import check_target
from minicodec.model.checkpoint import fingerprint
from minicodec.model.pretrained import config_of, load
from minicodec.training.run_lock import check_free


def run(args: argparse.Namespace) -> None:
    """Code the recordings, learn from the codes, and say what the exact model saves."""
    target = Path(args.output)
    check_target(target, [".safetensors"], args.force)
    for folder in (args.data, args.valid):
        if not folder.is_dir():
            raise ValueError(f"{folder} is not a folder of recordings.")
    of = config_of(args.codec)
    config = LanguageModelConfig(
        n_q=of.max_n_q,
        codebook_size=of.codebook_size,
        frame_rate=of.frame_rate,
        dim=args.dim,
        layers=args.layers,
        heads=args.heads,
        hidden=4 * args.dim,
    )
    folder = args.run_folder or target.with_suffix(".run")
    check_free(folder)
    if args.threads:
        torch.set_num_threads(args.threads)
    codec = load(args.codec)
    codes = learning.read_codes(args.data, codec, args.copies, folder / "codes.safetensors")
    valid = learning.read_codes(args.valid, codec, cache=folder / "valid.safetensors")
    levels = [codec.config.n_q(b) for b in codec.config.bandwidths]
    hours = sum(c.shape[1] for c in codes) / config.frame_rate / 3600
    torch.manual_seed(args.seed)
    model = LanguageModel(config)
    learning.initialize(model, codes)
    size = sum(p.numel() for p in model.parameters()) / 1e6
    print(f"{size:.2f} million weights learn from {hours:.2f} hours of codes")
    recipe = learning.Recipe(args.batch, args.learning_rate, args.weight_decay, seed=args.seed)
    trainer = learning.LanguageModelTrainer(
        model, codes, valid, levels, folder, args.minutes, recipe
    )
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
    save_language_model(exact, target, facts)
    print(f"{target}: {target.stat().st_size / 1e6:.2f} MB, "
          f"fingerprint {exact.fingerprint.hex()}")  # fmt: skip


def _mean(cost: Tensor) -> float:
    return float(cost.mean())
