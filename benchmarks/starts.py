"""Does it matter with which weights an autoencoder starts?

    python benchmarks/starts.py

Two equal networks of chapter 03's size (8 filters, 64 numbers per frame) learn one second of the
clip `speech_en` by heart, three times each, with the chapter's loss. One starts with weights that
keep the loudness, the other with torch's. Two minutes of one core. The chapter shows every tenth
step.
"""

import json
from pathlib import Path
from typing import Any

import torch
from machine import machine
from torch import Tensor, nn

from minicodec.model.config import CodecConfig
from minicodec.model.seanet import Decoder, Encoder
from minicodec.sound import audio, metrics
from minicodec.sound.spectral import mel_spectrogram

RATE = 24000
STEPS = 60


def distance(copy: Tensor, original: Tensor) -> Tensor:
    """The loss of chapter 03."""
    loss = (copy - original).abs().mean() / original.abs().mean()
    for n_fft in (256, 1024):
        ours, theirs = (
            mel_spectrogram(x, RATE, n_fft, n_mels=min(64, n_fft // 8)) for x in (copy, original)
        )
        loss = loss + ((ours + 1e-3).log10() - (theirs + 1e-3).log10()).abs().mean()
    return loss


def start_as_torch_does(module: nn.Module) -> None:
    """Weights and biases as `torch.nn.Conv1d` draws them."""
    for layer in module.modules():
        if isinstance(layer, (nn.Conv1d, nn.ConvTranspose1d)):
            kind = nn.Conv1d if isinstance(layer, nn.Conv1d) else nn.ConvTranspose1d
            fresh = kind(layer.in_channels, layer.out_channels, layer.kernel_size[0])
            layer.weight = fresh.weight.detach()
            assert layer.bias is not None and fresh.bias is not None
            layer.bias.data = fresh.bias.detach()


def curve(start: str, seed: int, second: Tensor) -> list[float]:
    """SI-SDR before each update."""
    torch.manual_seed(seed)
    config = CodecConfig(dimension=64, n_filters=8)
    networks = nn.Sequential(Encoder(config), Decoder(config))
    if start == "torch":
        start_as_torch_does(networks)
    optimizer = torch.optim.Adam(networks.parameters(), lr=3e-3)
    scores = []
    for _ in range(STEPS + 1):
        copy = networks(second)
        optimizer.zero_grad()
        distance(copy, second).backward()
        optimizer.step()
        scores.append(round(float(metrics.si_sdr(copy.detach(), second)), 2))
    return scores


def main() -> None:
    torch.set_num_threads(1)
    second = audio.clip("speech_en", RATE, seconds=6)[..., 6000:30000]
    rows: list[dict[str, Any]] = []
    for seed in (0, 1, 2):
        for start in ("ours", "torch"):
            rows.append({"start": start, "seed": seed, "si_sdr": curve(start, seed, second)})
            print(start, seed, rows[-1]["si_sdr"][-1], flush=True)
    file = Path(__file__).with_suffix(".json")
    file.write_text(json.dumps({"machine": machine(), "rows": rows}, indent=1) + "\n")


if __name__ == "__main__":
    main()
