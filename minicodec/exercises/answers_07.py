"""Support: behind the exercises of chapter 07: right answers, input, and ways to be wrong."""

from collections.abc import Callable, Sequence

import torch
from torch import Generator, Tensor

from minicodec.exercises.trying import draw
from minicodec.sound.spectral import mel_filters, mel_spectrogram
from minicodec.training.losses import mel_loss, time_loss

SAMPLE_RATE = 24000

#: A loss of one window, from the difference of two mel spectrograms [B, C, bands, frames].
Of = Callable[[Tensor], Tensor]
Loss = Callable[[Tensor, Tensor], Tensor]


def one_window(estimate: Tensor, target: Tensor, window: int, n_mels: int = 64) -> Tensor:
    """Equation (2): L1, and the root mean square over the bands of each frame.

    Shape:
        estimate, target: [B, C, T] → scalar
    """
    return at_window(both_terms)(estimate, target, window, n_mels)


def all_windows(estimate: Tensor, target: Tensor, windows: Sequence[int]) -> Tensor:
    """Equation (3), over filters that catch something.

    Shape:
        estimate, target: [B, C, T] → scalar
    """
    return mel_loss(estimate, target, SAMPLE_RATE, windows=windows)


def log_term(ours: Tensor, theirs: Tensor) -> Tensor:
    """Root mean square over the bands of differences of log10, floored at 1e-5; mean over frames.

    Shape:
        ours, theirs: [B, C, bands, frames] → scalar
    """
    logs = ours.clamp(min=1e-5).log10() - theirs.clamp(min=1e-5).log10()
    # A norm, unlike a root written by hand, has a finite gradient where all differences are 0.
    return (torch.linalg.vector_norm(logs, dim=-2) / logs.shape[-2] ** 0.5).mean()


def best_gain(loss: Loss, guess: Tensor, target: Tensor, gains: Sequence[float]) -> float:
    """The gain of the guess with which it costs least.

    Shape:
        guess, target: [B, C, T]
    """
    return min(gains, key=lambda gain: float(loss(gain * guess, target)))


def most_bands(window: int) -> int:
    """The most mel bands of which none is empty at this window."""
    bands = 1
    while bool((mel_filters(SAMPLE_RATE, window, bands + 1).sum(1) > 0).all()):
        bands += 1
    return bands


def at_window(of: Of) -> Callable[..., Tensor]:
    """A loss at one window."""

    def loss(estimate: Tensor, target: Tensor, window: int, n_mels: int = 64) -> Tensor:
        ours, theirs = (
            mel_spectrogram(clip, SAMPLE_RATE, window, n_mels=n_mels) for clip in (estimate, target)
        )
        return of(ours - theirs)

    return loss


def over_windows(
    of: Of, share: Callable[[int], float], filled: bool = True
) -> Callable[[Tensor, Tensor, Sequence[int]], Tensor]:
    """A sum over windows.

    Args:
        of: the loss of one window.
        share: by how much the sum is multiplied, from the number of windows.
        filled: whether only bands whose filter catches something take part.
    """

    def loss(estimate: Tensor, target: Tensor, windows: Sequence[int]) -> Tensor:
        total = torch.zeros(())
        for window in windows:
            bands = (mel_filters(SAMPLE_RATE, window).sum(1) > 0) | (not filled)
            part = at_window(lambda d, bands=bands: of(d[..., bands, :]))  # type: ignore[misc]
            total = total + part(estimate, target, window)
        return total * share(len(windows))

    return loss


def of_logs(of: Of, log: Callable[[Tensor], Tensor] = torch.log10, floor: float = 1e-5) -> Loss:
    """A loss on logarithms of magnitudes."""

    def loss(ours: Tensor, theirs: Tensor) -> Tensor:
        return of(log(ours.clamp(min=floor)) - log(theirs.clamp(min=floor)))

    return loss


def both_terms(d: Tensor) -> Tensor:
    """Equation (2) of a difference."""
    return d.abs().mean() + d.pow(2).mean(-2).sqrt().mean()


def two_clips(generator: Generator) -> tuple[Tensor, Tensor]:
    """Two noises [2, 1, 2400], equally loud: differences have both signs."""
    one, other = (0.2 * torch.randn(2, 1, 2400, generator=generator) for _ in range(2))
    return one, other


def clips_and_window(generator: Generator) -> tuple[Tensor, Tensor, int, int]:
    """Two clips, a window, and so few bands that every filter catches something."""
    return *two_clips(generator), (256, 512, 1024)[draw(generator, 0, 2)], 16


def clips_and_windows(generator: Generator) -> tuple[Tensor, Tensor, tuple[int, ...]]:
    """Two clips, and some windows with empty filters."""
    windows = [(32, 128, 256), (32, 64, 512), (64, 32, 128)][draw(generator, 0, 2)]
    return *two_clips(generator), windows


def two_spectrograms(generator: Generator) -> tuple[Tensor, Tensor]:
    """Magnitudes [2, 1, 8, 11], some of them zero in one or in both."""
    ours, theirs = (torch.randn(2, 1, 8, 11, generator=generator).exp() for _ in range(2))
    ours[..., 2, 3:6] = 0.0
    theirs[..., 2, 5:9] = 0.0
    return ours, theirs


def loss_and_two_clips(generator: Generator) -> tuple[Loss, Tensor, Tensor, list[float]]:
    """A loss, a guess that is too loud by some factor, its target, and gains to try."""
    target, noise = two_clips(generator)
    guess = (target + noise) * (1.5 + float(torch.rand((), generator=generator)))
    return time_loss, guess, target, [i / 20 for i in range(1, 75)]


def short_window(generator: Generator) -> tuple[int]:
    """A window at which some of 64 filters are empty."""
    return ((32, 64, 128, 256)[draw(generator, 0, 3)],)
