"""Support: updates of networks, right and wrong, for the exercises of chapter 10.

The package's `Update` draws its own bandwidth; here it is given, as in the chapter.
"""

import math
from collections.abc import Callable
from typing import Any

import torch
from torch import Generator, Tensor, nn

from minicodec.exercises.answers_10 import TINY, forward
from minicodec.exercises.limited import Failed
from minicodec.exercises.trying import draw
from minicodec.model.codec import Codec
from minicodec.training.balancer import Balancer
from minicodec.training.discriminator import MultiScaleDiscriminator
from minicodec.training.losses import (
    discriminator_loss,
    feature_matching_loss,
    generator_loss,
    log_mel_loss,
    mel_loss,
    time_loss,
)

#: Codec, discriminator (or None), balancer, and the optimizers of both.
State = list[Any]
SHARES = {"time": 0.3, "mel": 1.0, "adversarial": 0.5, "features": 0.5}


def update(
    state: State, x: Tensor, bandwidth: float | None, discriminator_learns: bool = True
) -> dict[str, float]:
    """Move codec and discriminator a step; the losses as numbers.

    Shape:
        x: [B, 1, T]
    """
    result: dict[str, float] = update_with()(state, x, bandwidth, discriminator_learns)
    return result


def update_with(
    mel: Callable[..., Tensor] = log_mel_loss,
    balanced: bool = True,
    learns: Callable[[bool], bool] = lambda asked: asked,
    committed: bool = True,
    cleared: bool = True,
    gathered: bool = False,
    leaked: bool = False,
    moved: bool = True,
    judged: bool = True,
    needed: bool = False,
) -> Callable[..., dict[str, float]]:
    """An update with something else, or something left out.

    Args:
        learns: whether the discriminator does, by what was asked for.
        gathered: its gradients are added to those of the step before.
        leaked: its loss sends gradients to the codec as well.
        moved: the codec moves.
        judged: the discriminator's two losses teach the codec.
        needed: there has to be a discriminator.
    """

    def step(
        state: State, x: Tensor, bandwidth: float | None, discriminator_learns: bool = True
    ) -> dict[str, float]:
        codec, discriminator, balancer, optimizer, own_optimizer = state
        output, commitment = forward(codec, x, bandwidth)
        losses = {"time": time_loss(output, x), "mel": mel(output, x, codec.config.sample_rate)}
        own, own_loss = [], x.new_zeros(())
        if discriminator is not None or needed:
            real, fake = discriminator(x), discriminator(output)
            own = list(discriminator.parameters())
            own_loss = discriminator_loss(real.logits, fake.logits)
            if judged:
                losses["adversarial"] = generator_loss(fake.logits)
                losses["features"] = feature_matching_loss(real.features, fake.features)
        total = balancer(losses, output).loss if balanced else _plain(losses)
        if committed:
            total = total + commitment
        if leaked:
            total = total + own_loss
        gradients = torch.autograd.grad(own_loss, own, retain_graph=True) if own else ()
        if cleared:
            optimizer.zero_grad()
        if moved:
            total.backward(inputs=list(codec.parameters()))
            optimizer.step()
        if own and learns(discriminator_learns):
            for weight, gradient in zip(own, gradients):
                weight.grad = weight.grad + gradient if gathered else gradient
            own_optimizer.step()
        shown = losses | {"commitment": commitment}
        return {name: float(value.detach()) for name, value in shown.items()}

    return step


def _plain(losses: dict[str, Tensor]) -> Tensor:
    return torch.stack([SHARES[name] * loss for name, loss in losses.items()]).sum()


def with_plain_mel(output: Tensor, x: Tensor, rate: int) -> Tensor:
    """The mel loss on magnitudes, with the arguments of the other."""
    return mel_loss(output, x, rate)


def seed_and_batch(generator: Generator) -> tuple[int, Tensor]:
    """A seed for both networks, and clips [2, 1, 1200]."""
    return draw(generator, 0, 2**31), 0.3 * torch.randn(2, 1, 1200, generator=generator)


def updated(answer: Callable[..., Any], seed: int, x: Tensor) -> Any:
    """What three updates tell and move.

    In the second the discriminator is not to learn; in the third there is none, and no quantizer.
    Gradients of a step before are still there.
    """
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        codec = Codec(TINY).train()
        for name, value in codec.named_buffers():
            if name.endswith("initialized"):
                value.fill_(True)  # no k-means here
        discriminator = MultiScaleDiscriminator((128,), n_filters=2)
        networks = (codec, discriminator)
        for network in networks:
            for weight in network.parameters():
                weight.grad = 0.1 * torch.randn(weight.shape)
        # Plain descent: Adam would hide it if a gradient is twice as long.
        optimizers = [torch.optim.SGD(network.parameters(), 0.1) for network in networks]
        state = [*networks, Balancer(SHARES), *optimizers]
        told = []
        alone = [codec, None, *state[2:]]
        for given, kbps, learns in ((state, 1.6, True), (state, 1.6, False), (alone, None, True)):
            torch.manual_seed(seed)  # of the latents that dead codes begin with
            told.append(answer(given, x, kbps, learns))
    if told[0] is None:
        return None
    codec_now, discriminator_now = (
        torch.cat([weight.detach().flatten() for weight in network.parameters()])
        for network in networks
    )
    return {
        "losses": told,
        "the discriminator's weights": discriminator_now,
        "the codec's weights": codec_now,
    }


# A batch in pieces.


def gradient_in_pieces(network: nn.Module, clips: Tensor, targets: Tensor, size: int) -> None:
    """Leave the gradient of the whole batch in the weights, `size` clips at a time."""
    pieces_with()(network, clips, targets, size)


def pieces_with(
    share: Callable[[int, int, int], float] = lambda mine, all_, pieces: mine / all_,
    cleared: bool = True,
    cleared_each: bool = False,
) -> Callable[[nn.Module, Tensor, Tensor, int], None]:
    """A batch in pieces, each with another share: of its clips, all clips, and the pieces."""

    def learn(network: nn.Module, clips: Tensor, targets: Tensor, size: int) -> None:
        if cleared:
            network.zero_grad()
        pieces = math.ceil(len(clips) / size)
        for x, y in zip(clips.split(size), targets.split(size)):
            if cleared_each:
                network.zero_grad()
            (share(len(x), len(clips), pieces) * time_loss(network(x), y)).backward()

    return learn


def without_the_rest(network: nn.Module, clips: Tensor, targets: Tensor, size: int) -> None:
    """Whole pieces only."""
    network.zero_grad()
    for i in range(len(clips) // size):
        piece = slice(i * size, i * size + size)
        (size / len(clips) * time_loss(network(clips[piece]), targets[piece])).backward()


def whole_batch(network: nn.Module, clips: Tensor, targets: Tensor, size: int) -> None:
    """All clips at once, which do not fit."""
    network.zero_grad()
    time_loss(network(clips), targets).backward()


class _Small(nn.Module):
    """A layer that takes so many clips and no more."""

    def __init__(self, most: int):
        super().__init__()
        self.layer, self.most = nn.Conv1d(1, 1, 5, padding=2), most

    def forward(self, x: Tensor) -> Tensor:
        if len(x) > self.most:
            raise Failed(f"It sends {len(x)} clips at once; only {self.most} fit.")
        out: Tensor = self.layer(x)
        return out


def seed_and_pieces(generator: Generator) -> tuple[int, Tensor, Tensor, int]:
    """A seed for the network, seven clips [7, 1, 30], targets, and how many fit: 3."""
    clips, targets = (torch.randn(7, 1, 30, generator=generator) for _ in range(2))
    levels = torch.linspace(0.2, 3, 7)[:, None, None]  # the clips differ, so shares show
    return draw(generator, 0, 2**31), levels * clips, targets, 3


def learned(
    answer: Callable[..., Any], seed: int, clips: Tensor, targets: Tensor, size: int
) -> list[Any]:
    """The gradients that are left; those of a step before are there at first."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        network = _Small(size)
        for weight in network.parameters():
            weight.grad = torch.ones_like(weight)
        answer(network, clips, targets, size)
    return [torch.zeros(1) if w.grad is None else w.grad for w in network.parameters()]
