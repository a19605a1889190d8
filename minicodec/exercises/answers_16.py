"""Support: behind the exercises of chapter 16: right answers, input, and ways to go wrong."""

import math
import struct
from collections.abc import Callable
from typing import Any

import torch
import torch.nn.functional as F
from torch import Generator, Tensor, nn

from minicodec.bits.packing import pack, unpack
from minicodec.exercises.answers_06 import kbps
from minicodec.exercises.limited import Failed
from minicodec.exercises.trying import draw, value_and_gradients
from minicodec.listening.analysis import Rating, t_quantile
from minicodec.listening.paired import differences
from minicodec.model.quantize import nearest

#: A mean and the two ends of its interval.
Interval = tuple[float, float, float]
HOP = 320


def gain(one: Tensor, other: Tensor) -> Interval:
    """How much lower `one` is than `other`, each witness compared with itself, and the interval.

    Shape:
        one, other: [n], of the same witnesses in the same order

    >>> [round(x, 2) for x in gain(torch.tensor([1.0, 2, 3]), torch.tensor([2.0, 2, 5]))]
    [1.0, -1.48, 3.48]
    """
    ratings = [
        Rating(str(witness), "", condition, value)
        for condition, values in (("one", one), ("other", other))
        for witness, value in enumerate(values.tolist())
    ]
    (found,) = differences(ratings)
    if found.higher == "other":
        return found.mean, found.low, found.high
    return -found.mean, -found.high, -found.low


def scores(generator: Generator) -> tuple[Tensor, Tensor]:
    """Scores [5 to 9] of two codecs by the same witnesses, who differ far more than the codecs."""
    n = draw(generator, 5, 9)
    witness = 3 * torch.randn(n, generator=generator, dtype=torch.float64)
    one, other = (
        8 + shift + witness + 0.3 * torch.randn(n, generator=generator, dtype=torch.float64)
        for shift in (0.0, 0.8)
    )
    return one, other


def gained(
    error: Callable[[Tensor, Tensor], float], reach: Callable[[int], float] = t_quantile
) -> Callable[[Tensor, Tensor], Interval]:
    """An interval with another idea of the error, or of how many of them it reaches."""

    def interval(one: Tensor, other: Tensor) -> Interval:
        mean = float((other - one).mean())
        half = reach(len(one) - 1) * error(one, other)
        return mean, mean - half, mean + half

    return interval


def paired_error(one: Tensor, other: Tensor) -> float:
    """The standard error of the mean difference."""
    return float((other - one).std()) / math.sqrt(len(one))


def apart_error(one: Tensor, other: Tensor) -> float:
    """The same as if the witnesses of the two had nothing in common."""
    return math.hypot(float(one.std()), float(other.std())) / math.sqrt(len(one))


def flat_error(one: Tensor, other: Tensor) -> float:
    """The standard error with the deviation over n, which is NumPy's."""
    return float((other - one).std(unbiased=False)) / math.sqrt(len(one))


def reach_alone(one: Tensor, other: Tensor) -> Interval:
    """The mean, and how far the interval reaches from it to each side."""
    mean, low, high = gain(one, other)
    return mean, low - mean, high - mean


def snake(bend: Callable[[Tensor, Tensor], Tensor], fixed: bool = False) -> type[nn.Module]:
    """A layer with one number alpha for each channel, which bends x so."""

    class Layer(nn.Module):
        def __init__(self, channels: int):
            super().__init__()
            self.alpha = nn.Parameter(torch.ones(channels, 1))

        def forward(self, x: Tensor) -> Tensor:
            return bend(x, self.alpha.detach() if fixed else self.alpha)

    return Layer


def sound_and_alpha(generator: Generator) -> tuple[Tensor, Tensor, Tensor]:
    """x [2, C, 20], alpha [C, 1], and the gradient that comes from behind, [2, C, 20]."""
    channels = draw(generator, 3, 5)
    x = 2 * torch.randn(2, channels, 20, generator=generator)
    alpha = 0.5 + 2 * torch.rand(channels, 1, generator=generator)
    return x, alpha, torch.randn(2, channels, 20, generator=generator)


def bent(layer: Any, x: Tensor, alpha: Tensor, weights: Tensor) -> Any:
    """What a layer makes of x, and the gradient with which its alpha learns.

    Raises:
        Failed: if it is no layer with an alpha [C, 1].
    """
    made = layer(x.shape[1])
    own = getattr(made, "alpha", None)
    if not isinstance(made, nn.Module) or not isinstance(own, nn.Parameter):
        raise Failed("It has no parameter `alpha`: leave the first method as it is.")
    if own.shape != alpha.shape:
        raise Failed(f"Its alpha is {list(own.shape)}; expected {list(alpha.shape)}.")
    own.data.copy_(alpha)
    return value_and_gradients(made(x), weights, {"gradient at alpha": own})


def lookup(z: Tensor, down: Tensor, embedding: Tensor) -> Tensor:
    """The code of the nearest direction, in the few dimensions into which `down` projects.

    Shape:
        z: [frames, D]; down: [d, D]; embedding: [N, d] → [frames]
    """
    return nearest(F.normalize(z @ down.T), F.normalize(embedding))


def latents_and_directions(generator: Generator) -> tuple[Tensor, Tensor, Tensor]:
    """z [60, D], down [d, D], and [N, d] directions, of very different lengths."""
    dim, low, size = draw(generator, 8, 12), draw(generator, 3, 5), draw(generator, 20, 40)
    z = torch.randn(60, dim, generator=generator)
    z *= torch.exp(torch.randn(60, 1, generator=generator))
    down = torch.randn(low, dim, generator=generator) / dim**0.5
    length = torch.exp(0.7 * torch.randn(size, 1, generator=generator))
    return z, down, length * torch.randn(size, low, generator=generator)


def share(level: int, n_q: int, p: float) -> float:
    """Share of all clips that train a level: those with all levels, and those that drew enough."""
    return 1 - p + p * (n_q - level + 1) / n_q


def level_and_dropout(generator: Generator) -> tuple[int, int, float]:
    """A level that is neither the first nor the last, of how many, and the share that draws."""
    n_q = draw(generator, 6, 16)
    level = draw(generator, 2, n_q - 1)
    while 2 * level in (n_q, n_q + 1, n_q + 2):  # there, some mistakes cancel
        level = draw(generator, 2, n_q - 1)
    return level, n_q, (0.2, 0.3, 0.4, 0.6, 0.7, 0.8)[draw(generator, 0, 5)]


def price(frame_rate: float, n_q: int, size: int) -> tuple[float, float]:
    """Tokens per second, and kbps."""
    return frame_rate * n_q, kbps(n_q, size, frame_rate)


def sizes(generator: Generator) -> tuple[float, int, int]:
    """Frames per second, codebooks, and vectors in each."""
    rate = (12.5, 25.0, 50.0, 75.0)[draw(generator, 0, 3)]
    return rate, draw(generator, 2, 16), 2 ** draw(generator, 5, 14)


def to_file(codes: Tensor, samples: int, bits: int) -> bytes:
    """Samples and levels in five bytes, then the codes, frame by frame.

    Shape:
        codes: [K, T]

    >>> to_file(torch.tensor([[1, 3], [2, 4]]), samples=500, bits=4).hex(" ")
    '00 00 01 f4 02 12 34'
    """
    return struct.pack(">IB", samples, len(codes)) + pack(codes.T.reshape(-1).numpy(), bits)


def from_file(data: bytes, bits: int, hop: int) -> tuple[Tensor, int]:
    """The codes [K, T] and the number of samples.

    >>> from_file(bytes.fromhex("00 00 01 f4 02 12 34"), bits=4, hop=320)
    (tensor([[1, 3],
            [2, 4]]), 500)
    """
    samples, n_q = struct.unpack(">IB", data[:5])
    return unpacked(data[5:], n_q, -(-samples // hop), bits), samples


def unpacked(data: bytes, n_q: int, frames: int, bits: int) -> Tensor:
    """As many codes as that, [K, T]; zeros where the bytes end."""
    numbers = unpack(data + bytes(bits * n_q), bits, frames * n_q)
    return torch.from_numpy(numbers.astype("int64")).view(frames, n_q).T


def header_as_codes(data: bytes, bits: int, hop: int) -> tuple[Tensor, int]:
    """As `from_file`, but the codes begin where the file begins."""
    codes, samples = from_file(data, bits, hop)
    return unpacked(data, len(codes), codes.shape[1], bits), samples


def whole_frames(data: bytes, bits: int, hop: int) -> tuple[Tensor, int]:
    """As `from_file`, but the last frame is there only if it stands for a whole hop."""
    codes, samples = from_file(data, bits, hop)
    return codes[:, : samples // hop], samples


def codes_to_store(generator: Generator) -> tuple[Tensor, int, int]:
    """Codes [K, T], samples (not a whole number of frames), and bits of a code."""
    bits, n_q, frames = draw(generator, 5, 11), draw(generator, 3, 6), draw(generator, 8, 12)
    codes = torch.randint(2**bits, (n_q, frames), generator=generator)
    return codes, HOP * frames - draw(generator, 1, HOP - 1), bits


#: A file of `to_file`, bits of a code, and samples of a frame.
File = tuple[bytes, int, int]


def files_to_read(generator: Generator) -> tuple[dict[str, File]]:
    """Two files: in one the last frame stands for less than a hop, in the other for a whole one."""
    files = {}
    for name, whole in (("a file", False), ("a file of whole frames", True)):
        codes, samples, bits = codes_to_store(generator)
        samples = HOP * codes.shape[1] if whole else samples
        files[name] = to_file(codes, samples, bits), bits, HOP
    return (files,)


def each_file(answer: Callable[..., Any], files: dict[str, File]) -> dict[str, Any]:
    """What is read from each file."""
    return {name: answer(*file) for name, file in files.items()}
