"""What the balancer does in chapter 09's miniature of the paper's table A.4, in three seeds.

    python benchmarks/balancer.py [--seeds 3] [--steps 20]        (about five minutes on one core)

The decoder of the shipped codec is tuned on 0.75 seconds of speech from fixed codes at 1.5 kbps,
with and without the balancer. A seed decides the discriminator's first weights; the schooled one
has learned for 30 steps on the untouched copy. The chapter shows these rows without training.
Writes benchmarks/balancer.json.
"""

import argparse
import copy
import json
from pathlib import Path
from typing import Any

import torch
from machine import machine
from torch import Tensor, nn

import minicodec
from minicodec import audio, metrics
from minicodec.sound.spectral import stft
from minicodec.training.balancer import Balancer
from minicodec.training.discriminator import MultiScaleDiscriminator
from minicodec.training.losses import (
    discriminator_loss,
    feature_matching_loss,
    generator_loss,
    mel_loss,
    time_loss,
)

RATE = 24000
#: Weight of the adversarial loss (the others have 1), schooled, unit of the time loss.
CASES = {
    "equal, newborn discriminator": (1.0, False, 1.0),
    "equal, schooled discriminator": (1.0, True, 1.0),
    "adversarial × 100": (100.0, True, 1.0),
    "time in 16-bit units": (1.0, True, 32768.0),
}


def lesson(
    discriminator: nn.Module, optimizer: torch.optim.Optimizer, clip: Tensor, y: Tensor
) -> None:
    """One step for the discriminator."""
    optimizer.zero_grad()
    discriminator_loss(discriminator(clip).logits, discriminator(y.detach()).logits).backward()
    optimizer.step()


def all_losses(y: Tensor, clip: Tensor, discriminator: nn.Module) -> dict[str, Tensor]:
    """The paper's four."""
    with torch.no_grad():
        features = discriminator(clip).features
    seen = discriminator(y)
    return {
        "time": time_loss(y, clip),
        "mel": mel_loss(y, clip, RATE),
        "adversarial": generator_loss(seen.logits),
        "features": feature_matching_loss(features, seen.features),
    }


def high(y: Tensor, clip: Tensor) -> float:
    """Energy above 4 kHz against the original's, in dB."""
    ours, theirs = (stft(x)[0, 0].abs()[171:].pow(2).sum() for x in (y, clip))
    return float(10 * (ours / theirs).log10())


def measured(y: Tensor, clip: Tensor) -> dict[str, float]:
    values = {
        "si_sdr": float(metrics.si_sdr(y, clip)),
        "mel_distance": float(metrics.mel_distance(y, clip, RATE)),
        "above_4khz": high(y, clip),
    }
    return {name: round(value, 3) for name, value in values.items()}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--steps", type=int, default=20)
    args = parser.parse_args()
    torch.set_num_threads(1)
    clip = audio.clip("speech_en", RATE)[..., 12000:30000]
    codec = minicodec.load("mini_24khz")
    with torch.no_grad():
        latents = codec.quantizer.decode(codec.encode(clip, 1.5))
        untouched = codec.decoder(latents)[..., : clip.shape[-1]]
    result: dict[str, Any] = {
        "machine": machine(),
        "settings": vars(args),
        "untouched": measured(untouched, clip),
        "gradients": [],
        "rows": [],
    }
    for seed in range(args.seeds):
        torch.manual_seed(seed)
        newborn = MultiScaleDiscriminator(windows=(512, 128), n_filters=4)
        schooled = copy.deepcopy(newborn)
        school = torch.optim.Adam(schooled.parameters(), 3e-3, (0.5, 0.9))
        for _ in range(30):
            lesson(schooled, school, clip, untouched)
        norms = {}
        for name, discriminator in (("newborn", newborn), ("schooled", schooled)):
            y = untouched.clone().requires_grad_()
            losses = all_losses(y, clip, discriminator)
            norms[name] = {
                key: float(torch.autograd.grad(loss, y, retain_graph=True)[0].norm())
                for key, loss in losses.items()
            }
        result["gradients"].append({"seed": seed} | norms)
        for case, (weight, taught, unit) in CASES.items():
            for balance in (True, False):
                weights = {"time": 1.0, "mel": 1.0, "adversarial": weight, "features": 1.0}
                decoder = copy.deepcopy(codec.decoder).requires_grad_(True)
                discriminator = copy.deepcopy(schooled if taught else newborn)
                optimizer = torch.optim.Adam(decoder.parameters(), 1e-3, (0.5, 0.9))
                own = torch.optim.Adam(discriminator.parameters(), 3e-3, (0.5, 0.9))
                balancer = Balancer(weights, balance=balance)
                for step in range(args.steps):
                    y = decoder(latents)[..., : clip.shape[-1]]
                    if step % 3 != 2:  # the paper's two thirds
                        lesson(discriminator, own, clip, y)
                    losses = all_losses(y, clip, discriminator)
                    losses["time"] = unit * losses["time"]
                    optimizer.zero_grad()
                    balancer(losses, y).loss.backward()
                    optimizer.step()
                with torch.no_grad():
                    y = decoder(latents)[..., : clip.shape[-1]]
                row = {"case": case, "balance": balance, "seed": seed} | measured(y, clip)
                result["rows"].append(row)
                print(row, flush=True)
    text = json.dumps(result, indent=1, ensure_ascii=False) + "\n"
    Path(__file__).with_suffix(".json").write_text(text)


if __name__ == "__main__":
    main()
