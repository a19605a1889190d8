"""Support: behind the exercises of chapter 00: right answers, input, and ways to be wrong."""

from collections.abc import Callable

import torch
from torch import Generator, Tensor

from minicodec.exercises.trying import draw
from minicodec.model.codec import Codec
from minicodec.model.config import CodecConfig
from minicodec.sound.metrics import mel_distance, si_sdr

#: What is sent, by the error, the step and the bits of a code.
Coder = Callable[[float, float, int], int]


def code(error: float, step: float, bits: int) -> int:
    """The number of the cell in which an error lies, of 2**bits cells of one step around 0.

    >>> [code(error, 0.1, 2) for error in (-9.0, -0.05, 0.05, 0.15, 9.0)]
    [-2, -1, 0, 1, 1]
    """
    return clamped(int(error // step), bits)


def clamped(number: int, bits: int) -> int:
    """The nearest of the 2**bits numbers around 0."""
    most = 2 ** (bits - 1)
    return min(max(number, -most), most - 1)


def errors_and_step(generator: Generator) -> tuple[list[float], float, int]:
    """Errors in every cell and beyond the outermost, a step, and bits."""
    bits = draw(generator, 2, 4)
    step = 0.01 + float(torch.rand((), generator=generator)) / 10
    reach = 1.3 * 2**bits * step
    errors = reach * (2 * torch.rand(60, generator=generator) - 1)
    return [-reach, -0.5 * step, 0.5 * step, reach, *errors.tolist()], step, bits


def of_all(answer: Coder, errors: list[float], step: float, bits: int) -> list[int]:
    """The answer is for one error; it is tried on many."""
    return [answer(error, step, bits) for error in errors]


def kbps(data: bytes, seconds: float) -> float:
    """Kilobits per second of a stream.

    >>> kbps(bytes(1500), 2.0)
    6.0
    """
    return len(data) * 8 / seconds / 1000


def bytes_and_seconds(generator: Generator) -> tuple[bytes, float]:
    """A stream of random length."""
    seconds = 2 + 8 * float(torch.rand((), generator=generator))
    return bytes(draw(generator, 500, 5000)), seconds


def climb(codec: Codec, clip: Tensor) -> list[float]:
    """Mel distance of a clip to its copies, from the lowest bandwidth to the highest.

    Shape:
        clip: [1, 1, T]
    """
    return [_distance(codec, clip, _copy(codec, clip, kbps)) for kbps in codec.config.bandwidths]


def small_codec_and_clip(generator: Generator) -> tuple[Codec, Tensor]:
    """A codec that has learned nothing, and noise of no whole number of frames."""
    config = CodecConfig(n_filters=2, dimension=8, bandwidths=(1.5, 3.0, 6.0))
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(draw(generator, 0, 2**31))
        codec = Codec(config).eval()
    samples = 320 * draw(generator, 20, 30) + draw(generator, 10, 300)
    return codec, 0.1 * torch.randn(1, 1, samples, generator=generator)


def climb_at_the_default(codec: Codec, clip: Tensor) -> list[float]:
    """No bandwidth is named."""
    copy = codec.decode(codec.encode(clip), length=clip.shape[-1])
    return [_distance(codec, clip, copy) for _ in codec.config.bandwidths]


def climb_of_whole_frames(codec: Codec, clip: Tensor) -> list[float]:
    """The copy is not cut."""
    rates = codec.config.bandwidths
    return [_distance(codec, clip, codec.decode(codec.encode(clip, rate))) for rate in rates]


def climb_of_copies(codec: Codec, clip: Tensor) -> list[float]:
    """Each copy against the one before."""
    copies = [clip, *(_copy(codec, clip, rate) for rate in codec.config.bandwidths)]
    return [_distance(codec, a, b) for a, b in zip(copies, copies[1:])]


def climb_in_si_sdr(codec: Codec, clip: Tensor) -> list[float]:
    """The wrong measure."""
    return [float(si_sdr(_copy(codec, clip, rate), clip)) for rate in codec.config.bandwidths]


def _copy(codec: Codec, clip: Tensor, rate: float) -> Tensor:
    return codec.decode(codec.encode(clip, rate), length=clip.shape[-1])


def _distance(codec: Codec, clip: Tensor, copy: Tensor) -> float:
    return float(mel_distance(copy, clip, codec.config.sample_rate))
