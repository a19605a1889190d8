"""Support: where learning starts. Codebooks from latents that mean something, another's weights.

Paper: section 3.2 (k-means).
"""

import dataclasses
from pathlib import Path
from random import Random
from typing import cast

import torch
from torch import Tensor
from torch.nn.utils import parametrize
from tqdm import tqdm

from minicodec.model.codec import Codec
from minicodec.model.config import CodecConfig
from minicodec.model.factorized import FactorizedQuantizer
from minicodec.model.fields import shown
from minicodec.model.pretrained import config_of, load
from minicodec.model.quantize import Codebook
from minicodec.model.segment_coding import normalized
from minicodec.training.batches import Batches
from minicodec.training.processes import add_up


def weights_from(codec: Codec, name: str | Path) -> None:
    """Give `codec` the weights of a trained codec of the same config.

    Trained codecs have weight norm multiplied out and no running totals of codebooks; the first is
    taken apart again here, the second is counted anew by `start_codebooks`.

    Args:
        name: as `minicodec.load` takes it: a model's name, a file, or the folder of a run.

    Raises:
        ValueError: if this is no codec, or one of another config.
    """
    check_start(name, codec.config)
    saved = load(name)
    modules = dict(codec.named_modules())
    with torch.no_grad():
        for place, value in saved.named_parameters():
            path, _, key = place.rpartition(".")
            if parametrize.is_parametrized(modules[path], key):
                setattr(modules[path], key, value.detach())  # into length and direction
            else:
                getattr(modules[path], key).copy_(value)
    codec.quantizer.load_state_dict(saved.quantizer.state_dict())


def check_start(name: str | Path, config: CodecConfig) -> None:
    """Refuse to begin a codec of this config with the weights of another, before any is loaded.

    Raises:
        ValueError: as `weights_from`.
    """
    theirs = config_of(name)
    for field in dataclasses.fields(config):
        there, here = getattr(theirs, field.name), getattr(config, field.name)
        if there != here:
            raise ValueError(
                f"{name} has another config: its {field.name} is {shown(there)}, but {shown(here)} "
                "is to be trained."
            )


@torch.no_grad()
def start_codebooks(codec: Codec, batches: Batches, fresh: bool, progress: bool = False) -> None:
    """Start codebooks from 16 latents for each of their vectors; clips are drawn for this alone.

    Args:
        fresh: begin with k-means of the latents; else keep the vectors and only count their use.
    """
    config = batches.config
    frames = -(-config.length // config.codec.hop_length)
    clips = -(-16 * config.codec.codebook_size // (frames * config.batch)) * config.batch
    share, size = clips // batches.world, config.batch // batches.world
    firsts = range(batches.rank * share, (batches.rank + 1) * share, size)
    device = next(codec.parameters()).device
    latents = []
    for first in tqdm(firsts, "latents", leave=False, disable=not progress):
        drawn = [Random(f"{config.seed}/start/{number}") for number in range(first, first + size)]
        audio = torch.stack([batches.clip(random) for random in drawn]).to(device)
        latents.append(codec.encoder(normalized(config.codec, audio)[0]))
    torch.manual_seed(config.seed)
    codebook_totals(codec, torch.cat(latents), frames * config.batch, fresh)


@torch.no_grad()
def codebook_totals(codec: Codec, latents: Tensor, frames: int, fresh: bool) -> None:
    """Set codebooks' running totals from many latents at once, as if training had gone on long.

    Args:
        latents: [B, D, T] of many clips; with several processes, each has its own.
        frames: latents of one training step, of all processes. Totals are scaled to it, so that
            they move on at the pace that the moving average's decay says.
        fresh: as for `start_codebooks`.
    """
    if isinstance(codec.quantizer, FactorizedQuantizer):
        return  # codebooks that are learned by gradient have no totals
    residual = latents.transpose(1, 2).reshape(-1, latents.shape[1])
    for module in codec.quantizer.codebooks:
        book = cast(Codebook, module)
        if fresh:
            book.initialize(residual)
        codes = book.encode(residual)
        counts = torch.bincount(codes, minlength=len(book.counts)).to(book.counts)
        add_up(counts)
        book.counts.copy_((counts * (frames / counts.sum())).clamp(min=1e-3))
        book.sums.copy_(book.embedding * book.counts[:, None])
        residual = residual - book.decode(codes)
