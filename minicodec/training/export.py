"""Support: from a run to a file that others load: weights, how often codes are chosen, and facts.

The counts of the codes are what the histogram of chapter 11 begins with. While a codec learns they
are moving averages over a few hundred batches; at the end they are counted once, in all recordings.
"""

import copy
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import cast

import torch
from torch import Tensor
from tqdm import tqdm

from minicodec.model.checkpoint import save_codec
from minicodec.model.codec import Codec
from minicodec.model.factorized import FactorizedQuantizer
from minicodec.model.fast.codec import faster
from minicodec.model.fields import json_file
from minicodec.model.quantize import Codebook
from minicodec.training.sources import Source

#: Of each source; more would not change how often a code is chosen.
HOURS = 5.0


def read_facts(path: str | Path) -> dict[str, object]:
    """What a file's reader should know and a run cannot: whose recordings they are, the licence.

    Raises:
        ValueError: if this is not a file with one JSON object.
    """
    try:
        return json_file(path)
    except ValueError as error:
        raise ValueError(
            f'{path} holds no facts, which are one JSON object, {{"licence": "…", …}}: {error}'
        ) from error


def export(
    codec: Codec,
    path: str | Path,
    facts: Mapping[str, object],
    sources: Sequence[Source],
    level: float = 0.0,
    progress: bool = False,
) -> None:
    """Write a codec as a file that `minicodec.load` reads, in 16-bit floats; it is named after it.

    Args:
        facts: see `minicodec.model.checkpoint.save_codec`.
        sources: of recordings to count codes in.
        level: in dB, by which recordings are made louder for that.
    """
    codec = copy.deepcopy(codec).eval().requires_grad_(False)  # the run may go on counting
    codec.name = Path(path).stem
    if not isinstance(codec.quantizer, FactorizedQuantizer):  # its codebooks count nothing
        counts = count_codes(faster(codec), sources, level, progress=progress)
        for book, times in zip(codec.quantizer.codebooks, counts):
            cast(Codebook, book).counts.copy_(times)
    save_codec(codec, path, facts, half=True)


def count_codes(
    codec: Codec,
    sources: Sequence[Source],
    level: float = 0.0,
    hours: float = HOURS,
    progress: bool = False,
) -> Tensor:
    """How often each code is chosen in the recordings of all sources.

    Args:
        level, progress: as for `export`.
        hours: of each source, at most.

    Shape:
        [K, size], float32
    """
    config = codec.config
    device = next(codec.parameters()).device
    counts = torch.zeros(config.max_n_q, config.codebook_size)
    with tqdm(desc="counting codes", unit="s", leave=False, disable=not progress) as bar:
        for source in sources:
            left = hours * 3600
            for clip in source.recordings():
                loud = clip * 10 ** (level / 20)
                loud = loud / max(1.0, float(loud.abs().max()) / 0.99)
                codes, _ = codec.encode_scaled(loud[None].to(device))
                counts += torch.stack(
                    [torch.bincount(k, minlength=config.codebook_size) for k in codes[0].cpu()]
                )
                seconds = clip.shape[1] / config.sample_rate
                left -= seconds
                bar.update(round(seconds))
                if left <= 0:
                    break
    return counts
