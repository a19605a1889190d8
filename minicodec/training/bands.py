"""Support: losses that ask for power in the right band, moment by moment and in the long run.

The recipe `mini_24khz` has the first beside the mel loss, `mini_decoder` both.
"""

from collections.abc import Mapping

import torch
from torch import Tensor

from minicodec.sound.spectral import mel_filters, stft
from minicodec.training.losses import check_clips, loudness_of

#: Windows in samples, and how many bands each sees.
BANDS = {512: 24, 1024: 32, 2048: 40}


def band_loss(
    estimate: Tensor,
    target: Tensor,
    sample_rate: int,
    bands: Mapping[int, int] = BANDS,
    floor: float = 1e-4,
) -> Tensor:
    """Mean absolute difference of log10 powers in bands about as wide as the ear's.

    Not in the paper. Bins that one band of the ear holds are heard together: how their sum goes up
    and down is heard, which of them has it hardly is. `log_mel_loss` has up to 64 bands, narrow
    ones with one or two bins, whose magnitudes jump with phases that no small codec predicts. Here
    bands are wide, and powers add up as the ear adds them.

    Args:
        bands: window in samples → number of bands that it sees.
        floor: power that is added, as a share of the target's: 1e-4 is 40 dB below.

    Shape:
        estimate, target: [B, C, T] → scalar, half the logarithm of powers and so in the units of
        `log_mel_loss`; no gradient goes to `target`

    Raises:
        ValueError: if the shapes differ, or the clips are empty.

    >>> x = torch.randn(1, 1, 2400)
    >>> print(f"{band_loss(0.1 * x, x, 24000):.1f}")  # 20 dB: a difference of 1 in log10
    1.0
    """
    check_clips(estimate, target)
    total = estimate.new_zeros(())
    for n_fft, n_bands in bands.items():
        ours, theirs = _powers(estimate, target, sample_rate, n_fft, n_bands)
        logs = (ours + floor).log10() - (theirs + floor).log10()
        total = total + 0.5 * logs.abs().mean()
    return total / len(bands)


def long_term_loss(
    estimate: Tensor,
    target: Tensor,
    sample_rate: int,
    n_fft: int = 2048,
    n_bands: int = 40,
    floor: float = 1e-5,
) -> Tensor:
    """Mean absolute difference of long-term average spectra, log10 of each band's mean power.

    Not in the paper. Where it cannot be known how loud a band is in a frame, `band_loss` is
    smallest for the median of what could be there. Powers have rare peaks far above their median,
    and their mean is above it, too: each frame is a good guess, and the whole clip too soft. This
    loss compares the means, so a clip keeps its brightness.

    Args:
        n_fft, n_bands: window in samples, and how many bands it sees.
        floor: as for `band_loss`; a mean hardly fluctuates, so it may be lower.

    Shape:
        estimate, target: [B, C, T] → scalar, in the units of `band_loss`; no gradient goes to
        `target`

    Raises:
        ValueError: if the shapes differ, or the clips are empty.

    >>> x = torch.randn(1, 1, 4800)
    >>> print(f"{long_term_loss(0.1 * x, x, 24000):.1f}")
    1.0
    """
    check_clips(estimate, target)
    ours, theirs = _powers(estimate, target, sample_rate, n_fft, n_bands)
    logs = (ours.mean(-1) + floor).log10() - (theirs.mean(-1) + floor).log10()
    return 0.5 * logs.abs().mean()


def _powers(
    estimate: Tensor, target: Tensor, sample_rate: int, n_fft: int, n_bands: int
) -> tuple[Tensor, Tensor]:
    """[B, C, bands, frames] of both clips, in powers of the target's, whose own has no gradient."""
    loudness = loudness_of(target)
    filters = mel_filters(sample_rate, n_fft, n_bands).to(estimate)
    ours = filters @ stft(estimate / loudness, n_fft).abs().square()
    with torch.no_grad():
        theirs = filters @ stft(target / loudness, n_fft).abs().square()
    return ours, theirs
