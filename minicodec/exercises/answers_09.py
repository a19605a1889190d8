"""Support: behind the exercises of chapter 09: right answers, input, and ways to be wrong.

The balancer itself is the package's; here is what it is made of.
"""

import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import torch
from torch import Generator, Tensor

from minicodec.exercises.limited import Failed
from minicodec.exercises.trying import value_and_gradients
from minicodec.training.balancer import Balancer

Weights = Mapping[str, float]
Losses = Mapping[str, Tensor]

# How strongly a loss pulls.


def norm(loss: Tensor, output: Tensor) -> float:
    """‖g‖ of a loss at the output; the graph is kept for other losses."""
    return float(gradient_of(loss, output).norm())


def gradient_of(loss: Tensor, output: Tensor) -> Tensor:
    """∂loss/∂output; the graph stays."""
    return torch.autograd.grad(loss, output, retain_graph=True)[0]


def norm_by_backward(loss: Tensor, output: Tensor) -> float:
    """What gathers in `.grad` is of all losses so far."""
    loss.backward(retain_graph=True)
    assert output.grad is not None
    return float(output.grad.norm())


def output_and_targets(generator: Generator) -> tuple[Tensor, Tensor]:
    """An output [2, 1, 30], and targets of two losses."""
    output = torch.randn(2, 1, 30, generator=generator)
    return output, torch.randn(2, 2, 1, 30, generator=generator)


def pulled(answer: Callable[..., Any], output: Tensor, targets: Tensor) -> list[Any]:
    """The norms of two losses that share a part of their graph, one after the other."""
    y = output.clone().requires_grad_()
    shared = y.tanh() * 3
    return [answer((shared - target).pow(2).sum(), y) for target in targets]


# A moving average.


class Average:
    """A moving average that is right from the first step."""

    def __init__(self, decay: float = 0.999):
        self.decay, self.sum, self.count = decay, 0.0, 0.0

    def __call__(self, value: float) -> float:
        self.sum = self.decay * self.sum + value
        self.count = self.decay * self.count + 1
        return self.sum / self.count


def average_of(of: Callable[[list[float], float], float]) -> Callable[..., Any]:
    """An average that is made of all values so far, the newest last, and the decay."""

    def build(decay: float = 0.999) -> Callable[[float], float]:
        past: list[float] = []

        def average(value: float) -> float:
            past.append(value)
            return of(past, decay)

        return average

    return build


def fading(past: Sequence[float], decay: float, start: float = 0.0, new: float = 1.0) -> float:
    """Σ, where the past fades at each step and the new value comes in with a factor."""
    total = start
    for value in past:
        total = decay * total + new * value
    return total


def decay_and_values(generator: Generator) -> tuple[float, list[float]]:
    """A decay, and six values."""
    decay = 0.6 + 0.35 * float(torch.rand((), generator=generator))
    return decay, (1 + 4 * torch.rand(6, generator=generator)).tolist()


def averaged(answer: Callable[..., Any], decay: float, values: list[float]) -> list[Any]:
    """The averages after each value."""
    average = answer(decay)
    return [average(value) for value in values]


# The balancer.


class Mixer:
    """The package's balancer, and the mixed gradient alone of what it gives."""

    def __init__(self, weights: Weights, decay: float = 0.999):
        self.balancer = Balancer(weights, decay=decay)

    def __call__(self, losses: Losses, output: Tensor) -> Tensor:
        return self.balancer(losses, output).gradient


def mixer(
    share: Callable[[float, Weights], float] = lambda own, all_: own / sum(all_.values()),
    size: Callable[[Tensor], Tensor] = lambda g: g.flatten(1).norm(dim=1).mean(),
    average: Callable[..., Any] = Average,
    one_average: bool = False,
    direct: bool = False,
    keep: bool = True,
) -> Callable[..., Any]:
    """A balancer with other shares, another norm, or other averages.

    Args:
        share: of its own weight and all.
        size: of a gradient [B, ...].
        one_average: for all losses together.
        direct: the gradient is not divided.
        keep: the graph, for the next loss.
    """

    def build(weights: Weights, decay: float = 0.999) -> Callable[..., Tensor]:
        shared = average(decay)
        averages = {name: shared if one_average else average(decay) for name in weights}

        def mix(losses: Losses, output: Tensor) -> Tensor:
            mixed = torch.zeros_like(output)
            for name, loss in losses.items():
                (gradient,) = torch.autograd.grad(loss, output, retain_graph=keep)
                usual = averages[name](float(size(gradient)))
                part = gradient if direct else gradient / usual
                mixed = mixed + share(weights[name], weights) * part
            return mixed

        return mix

    return build


def weights_and_outputs(generator: Generator) -> tuple[dict[str, float], float, Tensor, Tensor]:
    """Weights of three losses, a decay, outputs of four steps [4, 3, 1, 20], and targets."""
    numbers = (0.2 + 3 * torch.rand(3, generator=generator)).tolist()
    weights = dict(zip(("time", "mel", "features"), numbers))
    # Clips of unequal size: the norm of a whole batch is not the mean over its clips.
    sizes = torch.tensor([0.3, 1.0, 4.0])[:, None, None]
    outputs = sizes * torch.randn(4, 3, 1, 20, generator=generator)
    outputs *= (0.5 + 3 * torch.rand(4, generator=generator))[:, None, None, None]
    return weights, 0.7, outputs, torch.randn(3, 3, 1, 20, generator=generator)


def mixed(
    answer: Callable[..., Any],
    weights: dict[str, float],
    decay: float,
    outputs: Tensor,
    targets: Tensor,
) -> list[Any]:
    """The mixed gradients of four steps."""
    balancer, found = answer(weights, decay), []
    for output in outputs:
        y = output.clone().requires_grad_()
        shared = 2 * y
        losses = {
            name: 10.0**i * (shared - target).pow(2).sum()
            for i, (name, target) in enumerate(zip(weights, targets))
        }
        found.append(balancer(losses, y))
    return found


def one_loss(output: Tensor, gradient: Tensor) -> Tensor:
    """A scalar whose gradient at the output is the given one."""
    return (output * gradient.detach()).sum()


def output_and_gradient(generator: Generator) -> tuple[Tensor, Tensor]:
    """Twice [2, 1, 15]."""
    output, gradient = (torch.randn(2, 1, 15, generator=generator) for _ in range(2))
    return output, gradient


def sent_back(answer: Callable[..., Any], output: Tensor, gradient: Tensor) -> Any:
    """The gradient that a scalar has at the output, and at what it was made of."""
    y, g = output.clone().requires_grad_(), gradient.clone().requires_grad_()
    result = answer(y, g)
    if isinstance(result, Tensor) and result.dim():
        raise Failed(f"Its shape is {list(result.shape)}; a loss is one number: which sum is it?")
    to = {"gradient at the output": y, "gradient at g̃": g}
    found = value_and_gradients(result, torch.tensor(1.0), to)
    return found and {name: found[name] for name in to}  # the value itself means nothing


# Factors that stand still, and gradients that are odd.


def factors(norms: Weights, weights: Weights) -> dict[str, float]:
    """Fixed factors that give each loss its share of pulls that add up to 1, at these norms."""
    total = sum(weights.values())
    return {name: weights[name] / total / norms[name] for name in norms}


def norms_and_weights(generator: Generator) -> tuple[dict[str, float], dict[str, float]]:
    """Norms and weights of four losses, by name."""
    names = ("time", "mel", "adversarial", "features")
    norms, weights = ((torch.randn(4, generator=generator).exp()).tolist() for _ in range(2))
    return dict(zip(names, norms)), dict(zip(names, weights))


def pulls(norms: Sequence[float], decay: float) -> list[float]:
    """The balanced pull of one loss at each step; 0 where it is left out."""
    return pulls_with(lambda n: n > 0 and math.isfinite(n))(norms, decay)


def pulls_with(
    counts: Callable[[float], bool],
    faded: bool = False,
    corrected: bool = True,
    out: Callable[[float], float] = lambda n: 0.0,
) -> Callable[[Sequence[float], float], list[float]]:
    """A rule with another idea of which norms count.

    Args:
        counts: which norms go into the average, and pull.
        faded: the sum fades in steps that are left out, too.
        corrected: the average is right from the first step.
        out: what is given where a norm is left out.
    """

    def rule(norms: Sequence[float], decay: float) -> list[float]:
        total, count, found = 0.0, 0.0, []
        for size in norms:
            if counts(size):
                total, count = decay * total + size, decay * count + 1
                usual = total / count if corrected else (1 - decay) * total
                found.append(size / usual if usual else 0.0)
            else:
                if faded:
                    total *= decay
                found.append(out(size))
        return found

    return rule


def odd_norms(generator: Generator) -> tuple[list[float], float]:
    """Norms of a loss: two of them zero, one NaN, one infinite; ordinary at both ends."""
    norms = (0.5 + 3 * torch.rand(12, generator=generator)).tolist()
    places = 1 + torch.randperm(10, generator=generator)[:4]
    for place, odd in zip(places.tolist(), (0.0, 0.0, math.nan, math.inf)):
        norms[place] = odd
    return norms, 0.8
