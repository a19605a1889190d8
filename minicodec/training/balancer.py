"""The loss balancer: say what share of the gradient each loss shall have, not what factor.

Loss weights mean little: a loss that is a hundred times larger by its units alone drowns the rest,
and how large it is changes as training goes on. The balancer takes each loss's gradient where all
of them meet, at the decoder's output, divides it by its own usual norm and gives it its share λᵢ
of a total norm G:

    g̃ᵢ = G · λᵢ / Σλ · gᵢ / ⟨‖gᵢ‖₂⟩            (paper, section 3.4)

⟨·⟩ is a moving average over steps, of norms averaged over the clips of a batch. The sum of the g̃ᵢ
goes through the decoder once, as one backward pass::

    balanced = balancer({"time": time_loss(y, x), "mel": mel_loss(y, x, rate)}, output=y)
    (balanced.loss + commitment).backward()

The commitment loss is not a function of the output: it stays outside, as in the paper.

Chapter 09.
"""

import math
from collections.abc import Iterable, Mapping
from typing import NamedTuple

import torch
import torch.distributed as dist
from torch import Tensor


class Balanced(NamedTuple):
    """The mixed gradient, ready for one backward pass."""

    loss: Tensor  #: scalar whose gradient at the output is `gradient`; its value means nothing
    gradient: Tensor  #: shape of the output
    fractions: dict[str, float]  #: each loss's share in this step's gradient; about λᵢ / Σλ
    skipped: tuple[str, ...]  #: losses left out because their gradient was NaN or infinite


class Balancer:
    """Mixes the gradients of several losses in given proportions.

    Two kinds of odd gradients are kept out of the moving averages:

    - zero (a saturated hinge, a silent batch) says nothing about a loss's usual norm. Averaged
      in, it would make the next ordinary gradient far too strong. The price: a loss that is often
      zero has its share in the steps where it speaks, and less than that over all;
    - NaN or infinite: that loss sits out this step and is named in `skipped`; the others go on.
      If no loss is left the model itself has diverged, which is an error.

    With several processes, norms are averaged over all, so each scales alike.

    Args:
        weights: λᵢ ≥ 0 by name. Only their proportions matter; a loss of weight 0 costs nothing.
        total_norm: G, the norm of all gradients together if they all point one way.
        decay: γ of the moving average. Its start is corrected: the first step counts in full.
        balance: False for the plain weighted sum Σ λᵢ gᵢ, to see the difference.

    Raises:
        ValueError: for weights that are negative, not finite, or all zero, or a decay outside
            [0, 1).

    >>> output = torch.zeros(1, 1, 4, requires_grad=True)
    >>> losses = {"small": output.sum(), "huge": 1e6 * output[..., 0].sum()}
    >>> balanced = Balancer({"small": 3, "huge": 1})(losses, output)
    >>> balanced.fractions
    {'small': 0.75, 'huge': 0.25}
    >>> balanced.gradient
    tensor([[[0.6250, 0.3750, 0.3750, 0.3750]]])
    """

    def __init__(
        self,
        weights: Mapping[str, float],
        total_norm: float = 1.0,
        decay: float = 0.999,
        balance: bool = True,
    ):
        values = weights.values()
        if not all(math.isfinite(w) and w >= 0 for w in values) or not sum(values):
            raise ValueError(
                f"loss weights must be finite, not negative and not all zero, not {dict(weights)}."
            )
        if not 0 <= decay < 1:
            raise ValueError(f"the decay of the average must be in [0, 1), not {decay}.")
        self.weights = dict(weights)
        self.total_norm = total_norm
        self.decay = decay
        self.balance = balance
        # Running sum of norms and running sum of their weights: the ratio is the average, right
        # from the first step. Plain floats, so saving and comparing runs is exact.
        self._sums: dict[str, float] = dict.fromkeys(self.weights, 0.0)
        self._counts: dict[str, float] = dict.fromkeys(self.weights, 0.0)

    def __call__(self, losses: Mapping[str, Tensor], output: Tensor) -> Balanced:
        """Mix the gradients of `losses` with respect to `output`.

        Args:
            losses: scalars by name, all or some of those with a weight; some, and the shares are
                among these.
            output: [B, ...], the decoder's, through which every loss depends on the model.

        Raises:
            ValueError: for a name without a weight, a loss that does not depend on `output`, no
                loss with a weight above zero, or if every loss's gradient is NaN or infinite.
        """
        unknown = [name for name in losses if name not in self.weights]
        if unknown:
            raise ValueError(f"no weight was given for {', '.join(unknown)}.")
        names = [name for name in losses if self.weights[name] > 0]
        if not names:
            raise ValueError("the balancer needs at least one loss with a weight above zero.")
        gradients = {name: _gradient(name, losses[name], output) for name in names}
        norms = dict(zip(names, _norms(gradients.values())))
        skipped = tuple(name for name in names if not math.isfinite(norms[name]))
        if len(skipped) == len(names):
            raise ValueError(f"the gradients of all losses ({', '.join(names)}) are not finite.")
        total_weight = sum(self.weights[name] for name in names)
        mixed = torch.zeros_like(output)
        pulls = dict.fromkeys(names, 0.0)
        for name in names:
            if name in skipped or norms[name] == 0:
                continue
            scale = self.weights[name]
            if self.balance:
                scale *= self.total_norm / (total_weight * self._average(name, norms[name]))
            mixed += scale * gradients[name]
            pulls[name] = scale * norms[name]
        total = sum(pulls.values()) or 1.0
        fractions = {name: pull / total for name, pull in pulls.items()}
        return Balanced((output * mixed).sum(), mixed, fractions, skipped)

    def _average(self, name: str, norm: float) -> float:
        self._sums[name] = self.decay * self._sums[name] + norm
        self._counts[name] = self.decay * self._counts[name] + 1
        return self._sums[name] / self._counts[name]

    @property
    def norms(self) -> dict[str, float]:
        """The moving averages so far, of losses that had a gradient at all."""
        return {k: self._sums[k] / n for k, n in self._counts.items() if n}

    def state_dict(self) -> dict[str, dict[str, float]]:
        """The averages as plain numbers, fit for JSON.

        >>> Balancer({"mel": 1.0}).state_dict()
        {'sums': {'mel': 0.0}, 'counts': {'mel': 0.0}}
        """
        return {"sums": dict(self._sums), "counts": dict(self._counts)}

    def load_state_dict(self, state: Mapping[str, Mapping[str, float]]) -> None:
        """Go on from what `state_dict` gave.

        Raises:
            ValueError: if the state belongs to a balancer of other losses.
        """
        names = [set(state.get(key, {})) for key in ("sums", "counts")]
        if any(found != set(self.weights) for found in names):
            raise ValueError(
                f"this balancer mixes {', '.join(sorted(self.weights))}, but the saved state has "
                f"{', '.join(sorted(names[0] | names[1])) or 'nothing'}."
            )
        self._sums = dict(state["sums"])
        self._counts = dict(state["counts"])


def _gradient(name: str, loss: Tensor, output: Tensor) -> Tensor:
    gradient = None
    if loss.requires_grad and output.requires_grad:
        # The graph is kept: losses share parts of it, and the backward pass is still to come.
        (gradient,) = torch.autograd.grad(loss, output, retain_graph=True, allow_unused=True)
    if gradient is None:
        raise ValueError(f"the loss {name!r} does not depend on the output, so it has no gradient.")
    return gradient


def _norms(gradients: Iterable[Tensor]) -> list[float]:
    """Norm of each gradient: mean over the batch, and over all processes."""
    norms = torch.stack([g.float().flatten(1).norm(dim=1).mean() for g in gradients])
    if dist.is_available() and dist.is_initialized():
        dist.all_reduce(norms)
        norms = norms / dist.get_world_size()
    return norms.tolist()
