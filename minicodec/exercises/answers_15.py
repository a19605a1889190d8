"""Support: behind the exercises of chapter 15: names, segments and files, and wrong ones.

Right answers are the package's own wherever it has them; `.ecdc` is written and read here once more
without a codec, in a few lines, and tests hold these to `minicodec.bits.ecdc`.
"""

import json
import math
import re
import struct
from collections.abc import Callable, Sequence
from typing import Any, Literal

import numpy as np
import torch
from torch import Generator, Tensor

from minicodec.exercises.trying import draw
from minicodec.model.config import ENCODEC_48KHZ
from minicodec.model.segment_coding import normalized
from minicodec.model.segments import Segments, overlap_add

_BITS = 10
#: What an official name is made of, as a student may think; the order matters.
RULES = {
    "layers": (r"\.model\.", ".layers."),
    "wrapper": (r"\.(conv|convtr)\.\1\.", "."),
    "norm": (r"\.(conv|convtr)\.norm\.", ".norm."),
    "levels": (r"quantizer\.vq\.layers\.", "quantizer.codebooks."),
    "codebook": (r"\._codebook\.", "."),
    "sums": (r"\.embed_avg$", ".sums"),
    "embedding": (r"\.embed$", ".embedding"),
    "counts": (r"\.cluster_size$", ".counts"),
    "initialized": (r"\.inited$", ".initialized"),
}


def renamed(**instead: tuple[str, str] | None) -> Callable[[str], str]:
    """Official names to ours by `RULES`, of which some are left out or replaced."""
    rules = [rule for rule in (RULES | instead).values() if rule]

    def rename(name: str) -> str:
        for pattern, replacement in rules:
            name = re.sub(pattern, replacement, name)
        return name

    return rename


def after(first: Callable[[str], str], then: Callable[[str], str]) -> Callable[[str], str]:
    """One renaming after another."""
    return lambda name: then(first(name))


def official_names(generator: Generator) -> tuple[list[str]]:
    """One of each kind, with layers and levels by lot, in an order by lot."""
    layer, level = draw(generator, 2, 15), draw(generator, 2, 31)
    names = [
        f"encoder.model.{layer}.conv.conv.weight_v",
        f"encoder.model.{layer}.conv.conv.weight_g",
        f"decoder.model.{layer}.convtr.convtr.bias",
        f"decoder.model.{layer + 1}.block.{draw(generator, 1, 3)}.conv.conv.weight",
        f"encoder.model.{layer}.shortcut.conv.conv.bias",
        f"encoder.model.{layer}.conv.norm.weight",
        f"decoder.model.{layer}.convtr.norm.bias",
        f"encoder.model.{layer}.lstm.weight_ih_l{draw(generator, 0, 1)}",
        *(
            f"quantizer.vq.layers.{level}._codebook.{leaf}"
            for leaf in ("inited", "cluster_size", "embed", "embed_avg")
        ),
    ]
    return ([names[i] for i in torch.randperm(len(names), generator=generator)],)


def names_of_both(generator: Generator) -> tuple[list[str]]:
    """As `official_names`, and beside them those that transformers gives."""
    (official,) = official_names(generator)
    layer, level = draw(generator, 2, 15), draw(generator, 2, 31)
    newer = f"encoder.layers.{layer}.conv.parametrizations.weight"
    theirs = [
        f"{newer}.original0",
        f"{newer}.original1",
        f"decoder.layers.{layer}.conv.weight_g",
        f"decoder.layers.{layer}.block.{draw(generator, 1, 3)}.conv.bias",
        f"encoder.layers.{layer}.shortcut.conv.weight",
        f"encoder.layers.{layer}.norm.weight",
        f"decoder.layers.{layer}.lstm.bias_hh_l{draw(generator, 0, 1)}",
        *(f"quantizer.layers.{level}.codebook.{leaf}" for leaf in ("embed", "embed_avg")),
    ]
    names = official + theirs
    return ([names[i] for i in torch.randperm(len(names), generator=generator)],)


def each(answer: Callable[[str], str], names: list[str]) -> dict[str, str]:
    """What becomes of each name."""
    return {name: answer(name) for name in names}


Spans = list[tuple[int, int]]


def spans(samples: int, length: int, stride: int) -> Spans:
    """First sample and end of each segment, as the package has it."""
    return Segments(length, stride, hop=1).spans(samples)


def clips(generator: Generator) -> tuple[list[tuple[int, int, int]]]:
    """Clips whose last segment is whole, short, or lies in what the one before it covers."""
    length = draw(generator, 90, 110)
    stride = length - draw(generator, 8, 20)
    ends = (length, 3 * stride + length, 2 * stride + draw(generator, 2, length - stride), stride)
    return ([(samples, length, stride) for samples in (*ends, draw(generator, 5, stride - 1))],)


def of_each(answer: Callable[..., Any], cases: list[tuple[int, int, int]]) -> dict[str, Any]:
    """What becomes of each clip."""
    return {f"{n} samples, length {a}, stride {b}": answer(n, a, b) for n, a, b in cases}


def over_loudness(audio: Tensor) -> tuple[Tensor, Tensor]:
    """Audio [B, C, T] over its loudness, and that loudness [B, 1, 1], as the package has it."""
    divided, scale = normalized(ENCODEC_48KHZ, audio)
    assert scale is not None
    return divided, scale


def over(
    loudness: Callable[[Tensor], Tensor], least: float = 1e-8
) -> Callable[[Tensor], tuple[Tensor, Tensor]]:
    """Another idea of loudness."""

    def divide(audio: Tensor) -> tuple[Tensor, Tensor]:
        scale = least + loudness(audio)
        return audio / scale, scale

    return divide


def stereo(generator: Generator) -> tuple[Tensor]:
    """Three clips [3, 2, 200]: one loud, one quiet and lopsided, one silent."""
    audio = torch.randn(3, 2, 200, generator=generator)
    return (audio * torch.tensor([[0.3, 0.2], [0.01, 0.03], [0.0, 0.0]])[..., None],)


def weighted(
    segments: Sequence[Tensor],
    stride: int,
    window: Callable[[int], Tensor],
    divide: bool = True,
    own: bool = False,
) -> Tensor:
    """Segments [1, C, L] joined with some window.

    Args:
        window: weights of so many samples.
        divide: by the sum of the weights.
        own: give each segment a window of its own size, where the last one is shorter.
    """
    end = stride * (len(segments) - 1) + segments[-1].shape[-1]
    total, weights = torch.zeros(*segments[0].shape[:-1], end), torch.zeros(end)
    for index, segment in enumerate(segments):
        size = segment.shape[-1]
        place = slice(index * stride, index * stride + size)
        weight = window(size if own else segments[0].shape[-1])[:size]
        total[..., place] += weight * segment
        weights[place] += weight
    return total / weights if divide else total


def triangle(size: int) -> Tensor:
    """Equation (3) of the chapter: from one side to the other, never 0."""
    return 0.5 - (torch.linspace(0, 1, size + 2)[1:-1] - 0.5).abs()


def to_the_edge(size: int) -> Tensor:
    """A triangle that begins and ends with 0."""
    return 0.5 - (torch.linspace(0, 1, size) - 0.5).abs()


def late_triangle(size: int) -> Tensor:
    """The triangle a sample late, so that it begins with 0."""
    return torch.cat([torch.zeros(1), triangle(size)[:-1]])


def cut(segments: Sequence[Tensor], stride: int) -> Tensor:
    """Segments joined where the next one begins."""
    return torch.cat([*(segment[..., :stride] for segment in segments[:-1]), segments[-1]], -1)


def pieces(generator: Generator) -> tuple[list[Tensor], int]:
    """Three segments [1, 2, L], of which the last is shorter, and their stride."""
    length = draw(generator, 14, 20)
    stride = length - draw(generator, 3, 6)
    sizes = (length, length, length - draw(generator, 1, 3))
    return [torch.randn(1, 2, size, generator=generator) for size in sizes], stride


def joined(segments: Sequence[Tensor], stride: int) -> Tensor:
    """The package's cross-fade."""
    return overlap_add(list(segments), stride)


def ecdc(
    codes: Tensor,
    samples: int,
    model: str,
    *,
    order: str = ">",
    size_first: bool = False,
    counted: int = 0,
    levels_first: bool = False,
    most_significant: bool = False,
    dense: bool = False,
    aligned: bool = False,
    sixteen: bool = False,
) -> bytes:
    """An `.ecdc` file of codes [K, T], without language model and loudness; or a wrong one."""
    fields = {"m": model, "al": samples, "nc": len(codes), "lm": False}
    text = json.dumps(fields, separators=(",", ":") if dense else None).encode()
    numbers = (len(text) + counted, 0) if size_first else (0, len(text) + counted)
    head = struct.pack(f"{order}4s{'IB' if size_first else 'BI'}", b"ECDC", *numbers)
    if sixteen:
        return head + text + codes.T.reshape(-1).numpy().astype("<u2").tobytes()
    if aligned:
        return head + text + b"".join(_packed(frame, most_significant) for frame in codes.T)
    return head + text + _packed(codes if levels_first else codes.T, most_significant)


def _packed(codes: Tensor, most_significant: bool) -> bytes:
    """Ten bits a code, in the order of the tensor, and the last byte filled up with zeros."""
    places = np.arange(_BITS)[:: -1 if most_significant else 1]
    flags = (codes.reshape(-1, 1).numpy() >> places & 1).astype(np.uint8)
    bits: Literal["big", "little"] = "big" if most_significant else "little"
    return np.packbits(flags, bitorder=bits).tobytes()


def codes_and_name(generator: Generator) -> tuple[Tensor, int, str]:
    """Codes [K, T] whose last byte is not full, samples that fit, and the model."""
    n_q, frames = 3, 5 + 2 * draw(generator, 0, 3)
    codes = torch.randint(1 << _BITS, (n_q, frames), generator=generator)
    return codes, 320 * frames - draw(generator, 1, 319), "encodec_24khz"


def files_of(generator: Generator) -> tuple[dict[str, bytes]]:
    """Two `.ecdc` files of the 24 kHz model: samples that do not fill their hops, and that do.

    The second has a sixth digit in its JSON, so that the headers have two lengths.
    """
    codes, samples, model = codes_and_name(generator)
    long = torch.randint(1 << _BITS, (2, draw(generator, 313, 330)), generator=generator)
    return (
        {
            f"a file of {samples} samples": ecdc(codes, samples, model),
            f"a file of {320 * long.shape[1]} samples": ecdc(long, 320 * long.shape[1], model),
        },
    )


def of_each_file(answer: Callable[[bytes], Any], files: dict[str, bytes]) -> dict[str, Any]:
    """What becomes of each file."""
    return {label: answer(data) for label, data in files.items()}


def read(
    data: bytes,
    levels_first: bool = False,
    most_significant: bool = False,
    begin: int = 9,
    sixteen: bool = False,
    rounded_down: bool = False,
    one_more: bool = False,
    header: int = 0,
    backwards: bool = False,
) -> tuple[dict[str, Any], Tensor]:
    """Fields and codes [K, T] of an `.ecdc` file of the 24 kHz model; or wrong ones."""
    size = int.from_bytes(data[5:9], "big")
    fields = json.loads(data[9 : 9 + size])
    n_q, body = fields["nc"], data[header or begin + size :][:: -1 if backwards else 1]
    frames = math.ceil(fields["al"] / 320)
    if rounded_down or one_more:
        frames = fields["al"] // 320 + one_more
    if sixteen:  # as many numbers as there are in a file of two bytes for each code
        found = np.resize(np.frombuffer(body[: len(body) // 2 * 2], "<u2"), n_q * frames)
        codes = torch.from_numpy(found.astype(np.int64))
    else:
        order: Literal["big", "little"] = "big" if most_significant else "little"
        flags = np.unpackbits(np.frombuffer(body, np.uint8), bitorder=order)
        flags = np.pad(flags, (0, max(0, n_q * frames * _BITS - len(flags))))  # as a number goes on
        digits = np.resize(flags, (n_q * frames, _BITS)).astype(np.int64)
        codes = torch.from_numpy(digits @ (1 << np.arange(_BITS)[:: -1 if most_significant else 1]))
    return fields, codes.view(n_q, frames) if levels_first else codes.view(frames, n_q).T
