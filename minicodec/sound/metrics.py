"""How far is the copy from the original? Two numbers, and what each is deaf to.

Chapter 01. SI-SDR compares waveforms: it punishes a shift of phase that nobody hears. Mel
distance compares spectrograms: it forgives any phase. Neither replaces listening.
"""

from typing import NamedTuple

import torch
from torch import Tensor

from minicodec.sound.spectral import decibel, mel_spectrogram


def si_sdr(estimate: Tensor, reference: Tensor) -> Tensor:
    """Scale-invariant signal-to-distortion ratio over the whole clip, in dB; higher is better.

    Projects the estimate on the reference: what lies along it is signal, the rest distortion
    (Le Roux et al. 2019). A silent reference has no direction to project on and gives NaN.

    Shape:
        estimate, reference: [B, C, T] → [B]

    Raises:
        ValueError: if the shapes differ.

    >>> x = torch.sin(torch.arange(1000.0)).view(1, 1, -1)
    >>> si_sdr(x + 0.1 * x.roll(25, -1), 7 * x).round()
    tensor([34.])
    """
    _same_shape(estimate, reference)
    estimate = (estimate - estimate.mean(-1, keepdim=True)).flatten(1).double()
    reference = (reference - reference.mean(-1, keepdim=True)).flatten(1).double()
    energy = reference.pow(2).sum(-1)
    target = reference * ((estimate * reference).sum(-1) / energy)[:, None]
    noise = (estimate - target).pow(2).sum(-1)
    ratio = target.pow(2).sum(-1) / noise.clamp(min=torch.finfo(noise.dtype).tiny)
    return (10 * torch.log10(ratio)).float()


def mel_distance(estimate: Tensor, reference: Tensor, sample_rate: int) -> Tensor:
    """Multi-scale mel distance, in dB; lower is better, 0 is identical.

    Mean absolute difference of mel spectrograms in decibels, averaged over windows of 2⁷ to 2¹¹
    samples: long ones resolve pitch, short ones resolve attacks. What is 80 dB below full scale
    counts as silence.

    Shape:
        estimate, reference: [B, C, T] → [B]

    Raises:
        ValueError: if the shapes differ.

    >>> x = torch.randn(1, 1, 24000)
    >>> float(mel_distance(x, x, 24000))
    0.0
    """
    _same_shape(estimate, reference)
    total = torch.zeros(estimate.shape[0], device=estimate.device)
    windows = [2**i for i in range(7, 12)]
    for n_fft in windows:
        n_mels = min(64, n_fft // 8)  # more would leave filters without a single bin
        ours, theirs = (
            decibel(mel_spectrogram(x, sample_rate, n_fft, n_mels=n_mels))
            for x in (estimate, reference)
        )
        total += (ours - theirs).abs().flatten(1).mean(-1)
    return total / len(windows)


class CodebookUse(NamedTuple):
    """How much of each codebook is in use."""

    entropy: Tensor  #: [K], bits per code; at most log2 of the codebook's size
    used: Tensor  #: [K], share of entries that occur at all
    dead: Tensor  #: [K], share of entries that occur less than a tenth as often as an even split


def codebook_use(codes: Tensor, size: int) -> CodebookUse:
    """Entropy of the codes, and the shares of entries in use and dead, for each codebook.

    An entropy below `log2(size)` means that some bits say nothing new: an entropy coder can save
    them. Both are estimates from a sample and come out too low if there are few frames.

    Shape:
        codes: [B, K, T] → three of [K]

    >>> codebook_use(torch.tensor([[[0, 1, 0, 1]]]), size=4)
    CodebookUse(entropy=tensor([1.]), used=tensor([0.5000]), dead=tensor([0.5000]))
    """
    counts = torch.stack(
        [torch.bincount(level.flatten(), minlength=size) for level in codes.unbind(1)]
    )
    share = counts / counts.sum(1, keepdim=True)
    entropy = -(share * share.clamp(min=1e-12).log2()).sum(1)
    return CodebookUse(entropy, (counts > 0).float().mean(1), (share * size < 0.1).float().mean(1))


def _same_shape(estimate: Tensor, reference: Tensor) -> None:
    if estimate.shape != reference.shape or estimate.dim() != 3:
        raise ValueError(
            f"both clips must be [B, C, T] of one shape, but they are {list(estimate.shape)} and "
            f"{list(reference.shape)}."
        )
