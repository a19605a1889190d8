"""Support: behind the exercises of chapter 08: right answers, input, and ways to be wrong."""

from collections.abc import Callable, Sequence
from typing import Any

import torch
from torch import Generator, Tensor, nn
from torch.nn.utils.parametrizations import weight_norm

from minicodec.exercises.answers_03 import with_weights
from minicodec.exercises.trying import draw, value_and_gradients
from minicodec.sound.spectral import stft
from minicodec.training.discriminator import STFTDiscriminator, conv2d
from minicodec.training.losses import discriminator_loss

Maps = list[Tensor]
Of = Callable[[Tensor], Tensor]

# The hinge, and losses of logits.


def hinge(
    real: Of, fake: Of, places: Of = torch.mean, scales: Of = torch.mean
) -> Callable[[Maps, Maps], Tensor]:
    """A loss of logits: what a place pays, how places are counted, how discriminators are."""

    def loss(reals: Maps, fakes: Maps) -> Tensor:
        terms = [places(real(r)) + places(fake(f)) for r, f in zip(reals, fakes)]
        return scales(torch.stack(terms))

    return loss


def all_places(reals: Maps, fakes: Maps) -> Tensor:
    """One mean over the places of all discriminators."""
    real, fake = (torch.cat([m.flatten() for m in maps]) for maps in (reals, fakes))
    return discriminator_loss([real], [fake])


def mean_first(reals: Maps, fakes: Maps) -> Tensor:
    """The maximum of a mean."""
    return discriminator_loss([r.mean() for r in reals], [f.mean() for f in fakes])


def two_kinds_of_maps(generator: Generator) -> tuple[Maps, Maps]:
    """Logits of three discriminators, on both sides of their hinges; the first is mostly right."""
    sizes = [(2, 1, draw(generator, 4, 9), bins) for bins in (9, 5, 3)]
    real, fake = (
        [
            2 * torch.randn(size, generator=generator) + shift
            for size, shift in zip(sizes, (3 * side, 0.6 * side, 0.4 * side))
        ]
        for side in (1, -1)
    )
    return real, fake


def paid(answer: Callable[..., Any], real: Maps, fake: Maps) -> Any:
    """A loss of logits, and its gradient at each map."""
    for maps in (real, fake):
        maps[:] = [m.clone().requires_grad_() for m in maps]
    to = {f"gradient at map {i + 1} of the clip": m for i, m in enumerate(real)}
    to |= {f"gradient at map {i + 1} of the copy": m for i, m in enumerate(fake)}
    return value_and_gradients(answer(real, fake), torch.tensor(1.0), to)


# One layer, and what it looks at.


def layer(
    padding: Callable[[int, int, int], tuple[int, int]] = lambda k, j, d: (d * (k // 2), j // 2),
    strides: Callable[[int], tuple[int, int]] = lambda s: (1, s),
    dilations: Callable[[int], tuple[int, int]] = lambda d: (d, 1),
    turned: bool = False,
    normed: bool = True,
) -> Callable[..., nn.Module]:
    """A layer with another padding (of kernel, kernel, dilation), stride or dilation."""

    def build(
        inputs: int, outputs: int, kernel: tuple[int, int], stride: int = 1, dilation: int = 1
    ) -> nn.Module:
        size = kernel[::-1] if turned else kernel
        conv = nn.Conv2d(
            inputs, outputs, size, strides(stride), padding(*size, dilation), dilations(dilation)
        )
        return weight_norm(conv) if normed else conv

    return build


def sizes_and_picture(generator: Generator) -> tuple[tuple[Any, ...], int, Tensor]:
    """Arguments of a layer, a seed for its weights, and a picture [2, inputs, 20, 33]."""
    inputs = draw(generator, 2, 3)
    size = inputs, draw(generator, 2, 4), (3, 9), 2, 2 * draw(generator, 1, 2)
    return size, draw(generator, 0, 2**31), torch.randn(2, inputs, 20, 33, generator=generator)


def laid(answer: Callable[..., Any], size: tuple[Any, ...], seed: int, picture: Tensor) -> Tensor:
    """What a layer makes of a picture with the weights of the right one."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        return with_weights(answer(*size), conv2d(*size), picture)


def two_colours(clip: Tensor, n_fft: int) -> Tensor:
    """The complex spectrum as a picture of frames × bins with two colours.

    Shape:
        clip: [B, 1, T] → [B, 2, frames, bins]
    """
    spectrum = stft(clip, n_fft, center=False).transpose(-1, -2)
    return torch.cat([spectrum.real, spectrum.imag], dim=1)


def coloured(
    colours: Callable[[Tensor], Sequence[Tensor]] = lambda s: (s.real, s.imag),
    level: Of = lambda window: window.norm(),
    window: Callable[[int], Tensor] = torch.hann_window,
    hop: int = 4,
    center: bool = False,
) -> Callable[[Tensor, int], Tensor]:
    """A picture with other colours, another level or window, or other frames."""

    def picture(clip: Tensor, n_fft: int) -> Tensor:
        weights = window(n_fft)
        spectrum = torch.stft(
            clip[:, 0], n_fft, n_fft // hop, window=weights, center=center, return_complex=True
        )
        return torch.stack(list(colours(spectrum / level(weights))), dim=1).transpose(2, 3)

    return picture


def clips_and_window(generator: Generator) -> tuple[Tensor, int]:
    """Noise [2, 1, T] and a window."""
    return torch.randn(2, 1, draw(generator, 900, 1200), generator=generator), 2 ** draw(
        generator, 6, 8
    )


Layer = tuple[tuple[int, int], int, int]


def patch(layers: Sequence[Layer]) -> tuple[int, int]:
    """Frames and bins that one logit sees.

    Args:
        layers: kernel (frames, bins), stride in bins, dilation in frames, of each layer.

    >>> patch([((3, 9), 2, 1), ((3, 3), 1, 4)])
    (11, 13)
    """
    return patch_with()(layers)


def patch_with(
    less: int = 1,
    dilated: bool = True,
    jumped: Callable[[int, int], int] = lambda before, stride: before,
    strided: bool = True,
) -> Callable[[Sequence[Layer]], tuple[int, int]]:
    """A patch, counted in another way."""

    def seen(layers: Sequence[Layer]) -> tuple[int, int]:
        frames = bins = jump = 1
        for (long, high), stride, dilation in layers:
            frames += (long - less) * (dilation if dilated else 1)
            bins += (high - less) * (jumped(jump, stride) if strided else 1)
            jump *= stride
        return frames, bins

    return seen


def some_layers(generator: Generator) -> tuple[list[Layer]]:
    """Three to five layers, some strided, some dilated; the last but one is both."""
    layers: list[Layer] = [
        ((3, 9), draw(generator, 1, 2), draw(generator, 1, 3)) for _ in range(draw(generator, 1, 3))
    ]
    return ([*layers, ((3, 7), 2, 2), ((5, 3), 1, 1)],)


# Feature matching.

Features = list[list[Tensor]]


def matching(
    of: Callable[[Tensor, Tensor], Tensor], total: Of = torch.mean
) -> Callable[[Features, Features], Tensor]:
    """A loss of the maps of both clips, layer by layer; `of` gets copy and clip."""

    def loss(real: Features, fake: Features) -> Tensor:
        pairs = [(f, r) for theirs, ours in zip(real, fake) for r, f in zip(theirs, ours)]
        return total(torch.stack([of(f, r) for f, r in pairs]))

    return loss


def as_one_map(real: Features, fake: Features) -> Tensor:
    """All differences over all magnitudes: loud layers count more."""
    r, f = (torch.cat([m.flatten() for maps in side for m in maps]) for side in (real, fake))
    return (f - r.detach()).abs().mean() / r.detach().abs().mean()


def two_features(generator: Generator) -> tuple[Features, Features]:
    """Maps of two discriminators with three layers each, of different size and level."""
    sizes = [(1, 2, draw(generator, 3, 6), 5) for _ in range(3)]
    real = [
        [4**i * torch.randn(size, generator=generator) for i, size in enumerate(sizes)]
        for _ in range(2)
    ]
    noise = 0.2 + float(torch.rand((), generator=generator))
    fake = [
        [r + noise * r.std() * torch.randn(r.shape, generator=generator) for r in maps]
        for maps in real
    ]
    return real, fake


def matched(answer: Callable[..., Any], real: Features, fake: Features) -> Any:
    """A loss of features, and its gradient at each map of either clip."""
    to = {}
    for side, name in ((real, "clip"), (fake, "copy")):
        for j, maps in enumerate(side):
            maps[:] = [m.clone().requires_grad_() for m in maps]
            for layer_, m in enumerate(maps):
                to[f"gradient at layer {layer_ + 1} of {j + 1}, {name}"] = m
    return value_and_gradients(answer(real, fake), torch.tensor(1.0), to)


# The discriminator's turn.


def lesson(
    network: nn.Module, optimizer: torch.optim.Optimizer, real: Tensor, fake: Tensor
) -> Tensor:
    """One step of a discriminator at one scale; no gradient goes to the copies.

    Shape:
        real, fake: [B, 1, T] → scalar, what it paid
    """
    return lesson_with()(network, optimizer, real, fake)


def lesson_with(
    loss: Callable[[Tensor, Tensor], Tensor] = lambda r, f: discriminator_loss([r], [f]),
    detached: bool = True,
    cleared: bool = True,
    moved: bool = True,
) -> Callable[..., Tensor]:
    """A turn with another loss, or with something left out."""

    def turn(
        network: nn.Module, optimizer: torch.optim.Optimizer, real: Tensor, fake: Tensor
    ) -> Tensor:
        pays = loss(network(real).logits, network(fake.detach() if detached else fake).logits)
        if cleared:
            optimizer.zero_grad()
        pays.backward()
        if moved:
            optimizer.step()
        return pays.detach()

    return turn


def seed_and_clips(generator: Generator) -> tuple[int, Tensor, Tensor]:
    """A seed for the network, and clips [3, 1, 200] of both kinds."""
    real, fake = (torch.randn(3, 1, 200, generator=generator) for _ in range(2))
    return draw(generator, 0, 2**31), real, 0.5 * fake


def taught(answer: Callable[..., Any], seed: int, real: Tensor, fake: Tensor) -> Any:
    """What a turn returns and moves. Gradients of the codec's turn before are still there."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        network = STFTDiscriminator(64, n_filters=3)
        for weight in network.parameters():
            weight.grad = 0.1 * torch.randn(weight.shape)
        optimizer = torch.optim.SGD(network.parameters(), 0.3)
        gain = torch.ones(fake.shape[0], 1, 1, requires_grad=True)
        result = answer(network, optimizer, real, gain * fake)
    if result is None:
        return None
    return {
        "what it paid": result,
        "gradient at the copies": torch.zeros(1) if gain.grad is None else gain.grad.sum(0)[0],
        "weights": torch.cat([weight.detach().flatten() for weight in network.parameters()]),
    }
