"""Support: how loud a sound is to a listener, and what makes versions of it equally loud."""

import math
from collections.abc import Sequence

import torch
from torch import Tensor

# Rec. ITU-R BS.1770-5, annex 1.
_SILENT, _FAR_BELOW = (
    -70.0,
    -10.0,
)  # the gates: in LUFS, and in LU below what the first lets through
_OFFSET = -0.691  # LUFS of a mean square of one
_STEPS = 4  # a block of 400 ms begins every 100 ms
_RINGS = 0.5  # seconds after which nothing is left of what the filters hold
_PIECE = 10.0  # seconds that are filtered at once, so that an hour needs no more memory

#: Versions that differ by less than this, in dB, are equally loud.
SAME = 0.1


def loudness(clip: Tensor, sample_rate: int) -> float:
    """Integrated loudness in LUFS, gated, as in ITU-R BS.1770; -inf for silence.

    Two filters weigh the sound: a shelf for the head and a high-pass for the ear. Its power, in
    blocks of 400 ms, is averaged over those blocks that are louder than -70 LUFS, and not more than
    10 dB below the average of these: pauses do not count. A clip shorter than a block is one block.

    The recommendation gives its filters for 48 kHz. Their frequency response is applied here to the
    spectrum, so that any sample rate will do.

    Shape:
        clip: [C, T], C of one or two

    >>> tone = torch.sin(2 * torch.pi * 997 * torch.arange(48000) / 48000)[None]
    >>> round(loudness(tone, 48000), 1)
    -3.0
    """
    power = _weighted_power(clip, sample_rate)
    step = max(1, round(sample_rate * 0.1))
    if len(power) < _STEPS * step:
        blocks = power.mean()[None]
    else:
        steps = power[: len(power) // step * step].view(-1, step).double().mean(1)
        blocks = steps.unfold(0, _STEPS, 1).mean(1)
    blocks = blocks[_OFFSET + 10 * blocks.log10() > _SILENT]
    if not len(blocks):
        return -math.inf
    blocks = blocks[blocks > blocks.mean() * 10 ** (_FAR_BELOW / 10)]
    return _OFFSET + 10 * math.log10(float(blocks.mean()))


def gain_to(target: float, clip: Tensor, sample_rate: int) -> float:
    """Gain in dB that brings a clip to `target` LUFS; none for silence, or for a silent target.

    What the first gate lets through depends on the level. So a second look is taken, at the level
    to which the first one brings the clip.

    Shape:
        clip: [C, T]

    >>> tone = torch.sin(torch.arange(24000.0))[None]
    >>> round(gain_to(loudness(tone, 24000), tone / 2, 24000), 2)
    6.02
    """
    gain = 0.0
    for _ in range(2):
        missing = target - loudness(clip * 10 ** (gain / 20), sample_rate)
        if not math.isfinite(missing):
            return 0.0
        gain += missing
    return gain


def below_full_scale(gains: Sequence[float], peaks: Sequence[float]) -> list[float]:
    """The gains, in dB, less what would bring the largest of these peaks above 1.

    >>> below_full_scale([0.0, 20.0], [0.5, 1.0])
    [-20.0, 0.0]
    """
    loudest = max(peak * 10 ** (gain / 20) for gain, peak in zip(gains, peaks))
    excess = 20 * math.log10(max(1.0, loudest))
    return [gain - excess for gain in gains]


def _weighted_power(clip: Tensor, sample_rate: int) -> Tensor:
    """Power at each moment, of all channels, as it counts for loudness: [C, T] → [T]."""
    length, ring = clip.shape[-1], math.ceil(_RINGS * sample_rate)
    size = ring + min(length, round(_PIECE * sample_rate))
    response = _response(size, sample_rate)
    power = torch.empty(length)
    before = torch.nn.functional.pad(clip, (ring, 0))
    for start in range(0, length, size - ring):
        piece = before[:, start : start + size].double()
        weighted = torch.fft.irfft(torch.fft.rfft(piece, size) * response, size)
        # A piece's end rings into its beginning, which belongs to the piece before.
        inside = weighted[:, ring : piece.shape[1]]
        power[start : start + size - ring] = inside.square().sum(0)
    return power


def _response(size: int, sample_rate: int) -> Tensor:
    """Of both filters, at the frequencies of a spectrum."""
    frequencies = torch.fft.rfftfreq(size, 1 / sample_rate).double().clamp(max=24e3)
    z = torch.exp(-2j * torch.pi * frequencies / 48e3)
    # Tables 1 and 2: coefficients for 48 kHz.
    shelf = (1.53512485958697 - 2.69169618940638 * z + 1.19839281085285 * z**2) / (
        1 - 1.69065929318241 * z + 0.73248077421585 * z**2
    )
    high_pass = (1 - 2 * z + z**2) / (1 - 1.99004745483398 * z + 0.99007225036621 * z**2)
    return shelf * high_pass
