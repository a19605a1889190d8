"""Support: Muon, momentum whose directions all count alike. For the recipe `mini_24khz`.

Adam divides each number's gradient by that number's usual size. A layer is a matrix, though, and
its gradient is dominated by the few directions in which many clips agree, its loudest; what a
quiet direction asks for is hardly heard. Muon takes the momentum M of a layer, written with its
singular values as U S Vᵀ, and steps along U Vᵀ: every direction by the same length. Five rounds of
a polynomial in M Mᵀ push all singular values near 1, with products alone.

That is a rule for matrices. A convolution's kernel counts as one, [out, in · width]; biases and
lengths of weight norm, which are none, move as with Adam.

`torch.optim.Muon` has the same rule for weights of two dimensions only, of which a codec of
convolutions has none but its LSTM's.

Source: Jordan et al. 2024, "Muon: An optimizer for hidden layers in neural networks"; the length of
a step as in Liu et al. 2025, "Muon is scalable for LLM training" (arXiv 2502.16982).
"""

from collections.abc import Iterable

import torch
from torch import Tensor, nn

#: Of the polynomial a x + b x³ + c x⁵ (Jordan et al.): steep at 0, and within 0.7 to 1.2 for
#: whatever is pushed through it five times.
_POLYNOMIAL = (3.4445, -4.7750, 2.0315)
_ROUNDS = 5
#: A step of Muon has the length that a step of Adam usually has (Liu et al.).
_LENGTH = 0.2
#: Matrices with fewer rows or columns have too few directions to gain by it: they move with Adam.
_FEWEST = 8


def orthogonal(matrix: Tensor) -> Tensor:
    """About U Vᵀ of a matrix U S Vᵀ: all singular values become 0.7 to 1.2, but for those near 0.

    Shape:
        [M, N] → [M, N], computed in bfloat16, which is exact enough

    >>> q = orthogonal(torch.diag(torch.tensor([100.0, 3.0, 1.0])))
    >>> bool(((0.6 < q.diagonal()) & (q.diagonal() < 1.3)).all())
    True
    """
    a, b, c = _POLYNOMIAL
    x = matrix.bfloat16()
    if tall := x.shape[0] > x.shape[1]:  # the smaller product of the two
        x = x.T
    x = x / x.norm().clamp(min=1e-7)
    for _ in range(_ROUNDS):
        square = x @ x.T
        x = a * x + (b * square + c * square @ square) @ x
    return (x.T if tall else x).to(matrix.dtype)


class Muon(torch.optim.Optimizer):
    """Muon for matrices and kernels, Adam for all else.

    Args:
        weights: what learns.
        learning_rate: of both.
        betas: of Adam.
        momentum: share of the momentum that stays in a step.
        adam_share: the learning rate of what moves as with Adam, as a multiple.

    >>> layer = nn.Conv1d(8, 16, 3)
    >>> muon = Muon(layer.parameters(), learning_rate=0.01)
    >>> [len(group["params"]) for group in muon.param_groups]  # the kernel, the bias
    [1, 1]
    """

    def __init__(
        self,
        weights: Iterable[nn.Parameter],
        learning_rate: float,
        betas: tuple[float, float] = (0.8, 0.99),
        momentum: float = 0.95,
        adam_share: float = 0.2,
    ):
        self.betas, self.momentum = betas, momentum
        weights = list(weights)
        groups = [
            {"params": [w for w in weights if _is_matrix(w)], "share": 1.0},
            {"params": [w for w in weights if not _is_matrix(w)], "share": adam_share},
        ]
        super().__init__([g for g in groups if g["params"]], {"lr": learning_rate})

    @torch.no_grad()
    def step(self, closure: None = None) -> None:  # type: ignore[override]
        """Move the weights that have a gradient."""
        for group in self.param_groups:
            rate = group["lr"] * group["share"]
            for weight in group["params"]:
                if weight.grad is None:
                    continue
                if _is_matrix(weight):
                    self._turn(weight, rate)
                else:
                    self._adam(weight, rate)

    def _turn(self, weight: nn.Parameter, rate: float) -> None:
        assert weight.grad is not None
        state = self.state[weight]
        momentum = state.setdefault("momentum", torch.zeros_like(weight))
        momentum.lerp_(weight.grad, 1 - self.momentum)
        ahead = weight.grad.lerp(momentum, self.momentum).flatten(1)  # as Nesterov's
        length = _LENGTH * max(ahead.shape) ** 0.5
        weight.add_(orthogonal(ahead).view_as(weight), alpha=-rate * length)

    def _adam(self, weight: nn.Parameter, rate: float) -> None:
        assert weight.grad is not None
        state, (first, second) = self.state[weight], self.betas
        steps = state.setdefault("step", torch.zeros(()))
        mean = state.setdefault("mean", torch.zeros_like(weight))
        square = state.setdefault("square", torch.zeros_like(weight))
        steps += 1
        mean.lerp_(weight.grad, 1 - first)
        square.lerp_(weight.grad.square(), 1 - second)
        root = (square / (1 - second ** float(steps))).sqrt() + 1e-8
        weight.addcdiv_(mean / (1 - first ** float(steps)), root, value=-rate)


def _is_matrix(weight: Tensor) -> bool:
    return weight.dim() >= 2 and min(weight.flatten(1).shape) >= _FEWEST
