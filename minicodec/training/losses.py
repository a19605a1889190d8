"""What the codec is asked to get right: losses on waveform, spectrum and a discriminator's logits.

No formula says what people hear, so several imperfect ones share the work. The time loss knows
phase but not pitch, the mel loss knows pitch but not phase, and a discriminator learns to hear what
both forgive. Each loss here gives one number per batch; `minicodec.training.balancer` mixes them.
The commitment loss is the quantizer's own (`minicodec.model.quantize`) and is not mixed in.

Chapters 07 and 08. Paper: section 3.4, equations 1 and 2. Where the public training code
(audiocraft) does otherwise, its variant is a switch that is off by default.
"""

from collections.abc import Iterator, Sequence

import torch
import torch.nn.functional as F
from torch import Tensor

from minicodec.sound.spectral import mel_filters, mel_spectrogram

#: The paper's windows, in samples: 2⁵ to 2¹¹.
MEL_WINDOWS = (32, 64, 128, 256, 512, 1024, 2048)


def time_loss(estimate: Tensor, target: Tensor, relative: bool = False) -> Tensor:
    """Mean absolute difference of the samples (ℓ_t in the paper).

    Exact about phase and level. Deaf to pitch: a sample is a sample, and the quiet high
    frequencies hardly count. Where phase cannot be predicted its minimum is silence.

    Args:
        relative: as a share of each target's loudness, so that quiet clips count as loud ones do.

    Shape:
        estimate, target: [B, C, T] → scalar

    Raises:
        ValueError: if the shapes differ, or the clips are empty.

    >>> time_loss(torch.zeros(1, 1, 4), torch.tensor([[[1.0, -1.0, 0.0, 0.0]]]))
    tensor(0.5000)
    """
    check_clips(estimate, target)
    if relative:
        loudness = loudness_of(target)
        return F.l1_loss(estimate / loudness, target / loudness)
    return F.l1_loss(estimate, target)


def mel_loss(
    estimate: Tensor,
    target: Tensor,
    sample_rate: int,
    windows: Sequence[int] = MEL_WINDOWS,
    n_mels: int = 64,
    log_squares: bool = False,
) -> Tensor:
    """Multi-scale mel loss (ℓ_f in the paper): L1 plus L2 of mel spectrograms, mean over windows.

    The paper says: 64 bands, a normalized STFT, hops of a quarter window, L1 + α L2 with α = 1. It
    leaves open, and we choose:

    - magnitudes in both terms. Gritsenko et al. 2020 and SoundStream, whom the paper follows, take
      logarithms in the second, as audiocraft does; issue 32 of the official code asks, and is open;
    - L1 is the mean over bands and frames, L2 the root mean square over the bands of a frame, then
      the mean over frames. Both are per band and per frame, so that neither they nor long and
      short windows outweigh each other by the mere number of their entries. (Gritsenko et al. take
      ‖·‖₂ frame by frame, too.)

    **Empty filters.** A window of 32 samples has 17 frequencies, too few for 64 bands: most mel
    filters fall between two of them and are zero whatever the sound. They would cost nothing and
    only water the means of short windows down, so each mean counts the other filters alone.

    Args:
        sample_rate: in Hz, of both clips.
        windows: STFT sizes in samples.
        n_mels: bands per window.
        log_squares: audiocraft's second term instead: the mean square of log10 magnitudes, floored
            at 1e-5. For ablation.

    Shape:
        estimate, target: [B, C, T] → scalar; no gradient goes to `target`

    Raises:
        ValueError: if the shapes differ, or the clips are empty.

    >>> x = torch.randn(1, 1, 2400)
    >>> float(mel_loss(x, x, 24000))
    0.0
    """
    check_clips(estimate, target)
    total = estimate.new_zeros(())
    for n_fft, ours, theirs in _mel_pairs(estimate, target, sample_rate, windows, n_mels):
        filled = int((mel_filters(sample_rate, n_fft, n_mels).sum(1) > 0).sum())
        difference = ours - theirs
        total = total + difference.abs().sum(-2).mean() / filled
        if log_squares:
            logs = ours.clamp(min=1e-5).log10() - theirs.clamp(min=1e-5).log10()
            total = total + logs.pow(2).sum(-2).mean() / filled
        else:
            # vector_norm, unlike a root written by hand, has a finite gradient at zero.
            rms = torch.linalg.vector_norm(difference, dim=-2) / filled**0.5
            total = total + rms.mean()
    return total / (2 * len(windows))


def log_mel_loss(
    estimate: Tensor,
    target: Tensor,
    sample_rate: int,
    windows: Sequence[int] = MEL_WINDOWS[1:],
    n_mels: int = 64,
    floor: float = 1e-3,
) -> Tensor:
    """Mean absolute difference of log10 mel spectrograms; what our shipped codec was trained with.

    Not in the paper. Where a small model cannot predict the phase of a component, its magnitude
    fluctuates too, and the magnitude with the smallest mean error is too quiet: `mel_loss` leaves
    such models muffled. A logarithm asks for the right level wherever there is sound, loud or
    quiet. Both clips are first divided by the target's loudness, so that a clip and a quieter copy
    of it are the same task and `floor` means 60 dB below it.

    A window has `n_fft // 8` bands where `n_mels` would be more: no filter is empty.

    Args:
        floor: added to the magnitudes; differences well below it do not count.

    Shape:
        estimate, target: [B, C, T] → scalar; no gradient goes to `target`

    Raises:
        ValueError: if the shapes differ, or the clips are empty.

    >>> x = torch.randn(1, 1, 2400)
    >>> quieter = log_mel_loss(0.1 * x, x, 24000)  # 20 dB: a difference of 1 in log10
    >>> print(f"{quieter:.1f}")
    1.0
    """
    check_clips(estimate, target)
    loudness = loudness_of(target)
    total = estimate.new_zeros(())
    for n_fft in windows:
        pairs = _mel_pairs(
            estimate / loudness, target / loudness, sample_rate, (n_fft,), min(n_mels, n_fft // 8)
        )
        for _, ours, theirs in pairs:
            total = total + ((ours + floor).log10() - (theirs + floor).log10()).abs().mean()
    return total / len(windows)


def loudness_of(target: Tensor) -> Tensor:
    """Root mean square of each clip, no less than -60 dBFS, so that silence divides nothing away.

    Shape:
        [B, C, T] → [B, 1, 1], without gradient
    """
    return target.detach().pow(2).mean((1, 2), keepdim=True).sqrt().clamp(min=1e-3)


def discriminator_loss(real: Sequence[Tensor], fake: Sequence[Tensor]) -> Tensor:
    """Hinge loss of J discriminators: logits above 1 for real clips, below −1 for copies.

    Mean over J of max(0, 1 − D(x)) + max(0, 1 + D(x̂)). A logit beyond its hinge is right enough
    and has no gradient. Knowing nothing (all logits zero) costs 2.

    Shape:
        real, fake: J tensors of any shape → scalar

    Raises:
        ValueError: if there are no logits, or not as many of one kind as of the other.

    >>> discriminator_loss(real=[torch.tensor([2.0, 0.5])], fake=[torch.tensor([-3.0, 0.0])])
    tensor(0.7500)
    """
    _same_number(real, fake)
    terms = [F.relu(1 - r).mean() + F.relu(1 + f).mean() for r, f in zip(real, fake, strict=True)]
    return torch.stack(terms).mean()


def generator_loss(fake: Sequence[Tensor], linear: bool = False) -> Tensor:
    """What the codec pays for not being taken as real: mean over J of max(0, 1 − D(x̂)) (ℓ_g).

    Args:
        linear: −D(x̂) instead, the usual companion of a hinge loss and audiocraft's default: it
            goes on pulling where the discriminator already takes the clip as real. For ablation.

    Shape:
        fake: J tensors of any shape → scalar

    Raises:
        ValueError: if there are no logits.

    >>> fake = [torch.tensor([3.0, 0.5])]
    >>> generator_loss(fake), generator_loss(fake, linear=True)
    (tensor(0.2500), tensor(-1.7500))
    """
    if not len(fake):
        raise ValueError("there are no logits: at least one discriminator is needed.")
    terms = [-logits.mean() if linear else F.relu(1 - logits).mean() for logits in fake]
    return torch.stack(terms).mean()


def feature_matching_loss(
    real: Sequence[Sequence[Tensor]], fake: Sequence[Sequence[Tensor]], relative: bool = True
) -> Tensor:
    """How differently the discriminators' inner layers see the two clips (ℓ_feat, equation 2).

    Each layer's mean absolute difference is divided by the mean magnitude of its real feature map,
    so 0.1 means ten per cent in every layer and no layer wins by being loud. No gradient goes to
    the real side: the codec is to follow it, not to move it.

    Args:
        relative: False leaves the division out, as audiocraft does. For ablation.

    Shape:
        real, fake: J lists of L feature maps, equal in shape pair by pair → scalar, mean over J·L

    Raises:
        ValueError: if the two sides differ in number or shape of their maps, or have none.

    >>> real, fake = [[torch.tensor([10.0, -10.0])]], [[torch.tensor([9.0, -10.0])]]
    >>> feature_matching_loss(real, fake), feature_matching_loss(real, fake, relative=False)
    (tensor(0.0500), tensor(0.5000))
    """
    _same_number(real, fake)
    terms = []
    for theirs, ours in zip(real, fake, strict=True):
        _same_number(theirs, ours)
        for r, f in zip(theirs, ours, strict=True):
            if r.shape != f.shape:
                raise ValueError(
                    f"feature maps of both clips must have one shape, but they are {list(r.shape)} "
                    f"and {list(f.shape)}."
                )
            difference = (f - r.detach()).abs().mean()
            scale = r.detach().abs().mean().clamp(min=1e-5) if relative else 1.0
            terms.append(difference / scale)
    return torch.stack(terms).mean()


def _mel_pairs(
    estimate: Tensor, target: Tensor, sample_rate: int, windows: Sequence[int], n_mels: int
) -> Iterator[tuple[int, Tensor, Tensor]]:
    """Mel spectrograms of both clips at each window, the target's without gradient."""
    for n_fft in windows:
        ours = mel_spectrogram(estimate, sample_rate, n_fft, n_mels=n_mels)
        with torch.no_grad():
            theirs = mel_spectrogram(target, sample_rate, n_fft, n_mels=n_mels)
        yield n_fft, ours, theirs


def check_clips(estimate: Tensor, target: Tensor) -> None:
    """Refuse what no loss can compare.

    Raises:
        ValueError: if the shapes differ, or the clips are empty.
    """
    if estimate.shape != target.shape or estimate.dim() != 3 or not estimate.numel():
        raise ValueError(
            "a loss compares two clips [B, C, T] of one shape and not empty, but they are "
            f"{list(estimate.shape)} and {list(target.shape)}."
        )


def _same_number(real: Sequence[object], fake: Sequence[object]) -> None:
    if len(real) != len(fake) or not len(real):
        raise ValueError(
            "the discriminator must have seen both clips, but there are "
            f"{len(real)} results for the real one and {len(fake)} for the fake."
        )
