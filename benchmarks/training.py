"""How fast is one update of codec and discriminator, beside the same update of official modules?

    python benchmarks/training.py --filters 16 --discriminator-filters 8

The official package has no training code, so the other side is its modules (SEANet, quantizer,
MS-STFT discriminator) in the order of audiocraft's solver: the discriminator is updated with the
copy and the recording, then sees both again for the codec's losses; the commitment has a
backward pass of its own. Same sizes, batch, losses and balancer, one process, one thread, in turn;
medians of CPU time, so that a busy machine harms both alike. Needs the `encodec` package.
"""

import argparse
import json
import statistics
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import torch
from machine import machine
from torch import Tensor

from minicodec.model.config import MINI_24KHZ
from minicodec.model.quantize import kmeans
from minicodec.training.balancer import Balancer
from minicodec.training.config import TrainConfig
from minicodec.training.losses import (
    discriminator_loss,
    feature_matching_loss,
    generator_loss,
    mel_loss,
    time_loss,
)
from minicodec.training.update import Update

RATE = 24000


def official(config: TrainConfig) -> Callable[[Tensor], dict[str, Tensor]]:
    """One update written with the official modules."""
    import encodec.quantization.core_vq as core
    from encodec.modules import SEANetDecoder, SEANetEncoder
    from encodec.msstftd import MultiScaleSTFTDiscriminator
    from encodec.quantization import ResidualVectorQuantizer

    # Theirs takes 80 seconds for the first batch; that is not what is measured here.
    setattr(core, "kmeans", lambda x, size, iterations=20: kmeans(x, size))  # noqa: B010
    codec = config.codec
    shape: dict[str, Any] = dict(
        channels=codec.channels, dimension=codec.dimension, n_filters=codec.n_filters,
        ratios=list(reversed(codec.strides)), causal=True, norm="weight_norm",
    )  # fmt: skip
    encoder, decoder = SEANetEncoder(**shape), SEANetDecoder(**shape)
    quantizer = ResidualVectorQuantizer(codec.dimension, codec.max_n_q, codec.codebook_size)
    windows = list(config.discriminator_windows)
    discriminator = MultiScaleSTFTDiscriminator(
        config.discriminator_filters, n_ffts=windows, hop_lengths=[n // 4 for n in windows],
        win_lengths=windows,
    )  # fmt: skip
    balancer = Balancer(
        {name: getattr(config, name) for name in ("time", "mel", "adversarial", "features")}
    )
    weights = [*encoder.parameters(), *decoder.parameters()]
    optimizer = torch.optim.Adam(weights, config.learning_rate, config.betas)
    own_optimizer = torch.optim.Adam(discriminator.parameters(), config.learning_rate, config.betas)
    for module in (encoder, decoder, quantizer, discriminator):
        module.train()

    def update(audio: Tensor) -> dict[str, Tensor]:
        quantized = quantizer(encoder(audio), codec.frame_rate, codec.bandwidths[-1])
        copy = decoder(quantized.quantized)
        own_loss = discriminator_loss(discriminator(audio)[0], discriminator(copy.detach())[0])
        own_optimizer.zero_grad()
        own_loss.backward()
        own_optimizer.step()
        discriminator.requires_grad_(False)  # as audiocraft does while the codec learns
        logits, features = discriminator(copy)
        losses = {
            "time": time_loss(copy, audio),
            "mel": mel_loss(copy, audio, RATE),
            "adversarial": generator_loss(logits),
            "features": feature_matching_loss(discriminator(audio)[1], features),
        }
        optimizer.zero_grad()
        quantized.penalty.backward(retain_graph=True)
        copy.backward(balancer(losses, copy).gradient)
        optimizer.step()
        discriminator.requires_grad_(True)
        return losses

    return update


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--filters", type=int, default=16, help="of the codec")
    parser.add_argument("--discriminator-filters", type=int, default=8)
    parser.add_argument("--batch", type=int, default=4, help="clips of one second")
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("-o", "--output", type=Path, default=Path("benchmarks/training.json"))
    args = parser.parse_args()
    torch.set_num_threads(1)
    torch.manual_seed(0)
    config = TrainConfig(
        codec=replace(MINI_24KHZ, n_filters=args.filters, bandwidths=(6.0,)),
        batch=args.batch,
        discriminator_filters=args.discriminator_filters,
        discriminator_share=1.0,  # as theirs: the same work for both
    )
    audio = 0.1 * torch.randn(args.batch, 1, RATE)
    theirs, ours = official(config), Update(config)
    for step in range(config.codec.max_n_q + 1):  # codebooks start, memory is laid out
        ours(audio, step)
    theirs(audio)
    times: dict[str, list[float]] = {"official": [], "ours": []}
    for turn in range(args.repeats):
        for name, run in (("official", lambda: theirs(audio)), ("ours", lambda: ours(audio, 99))):
            begin = time.process_time()
            run()
            times[name].append(time.process_time() - begin)
        print(f"{turn}: " + ", ".join(f"{n} {t[-1]:.2f} s" for n, t in times.items()), flush=True)
    medians = {name: statistics.median(values) for name, values in times.items()}
    ratios = sorted(a / b for a, b in zip(times["official"], times["ours"]))
    ratio = statistics.median(ratios)
    row = {
        "filters": args.filters,
        "discriminator_filters": args.discriminator_filters,
        "batch": args.batch,
        "official_seconds": round(medians["official"], 3),
        "our_seconds": round(medians["ours"], 3),
        "official_audio_per_second": round(args.batch / medians["official"], 2),
        "our_audio_per_second": round(args.batch / medians["ours"], 2),
        "ratio": round(ratio, 2),
        "spread": [round(ratios[0], 2), round(ratios[-1], 2)],
        "machine": machine("encodec"),
    }
    kept = json.loads(args.output.read_text()) if args.output.is_file() else []
    same = ("filters", "discriminator_filters", "batch")
    kept = [old for old in kept if any(old[key] != row[key] for key in same)]
    args.output.write_text(json.dumps([*kept, row], indent=1) + "\n")
    print(row)


if __name__ == "__main__":
    main()
