"""What can be computed from a weight once, and kept for as long as the weight stays the same.

Chapter 04, where a frame of sound has two milliseconds to be coded in.
"""

from collections.abc import Callable

from torch import Tensor


class Derived:
    """`function(weight)`, computed anew only when the weight has changed.

    Weights that are being learned change all the time: for them nothing is kept.

    >>> import torch
    >>> total = Derived(lambda weight: weight.sum())
    >>> weight = torch.ones(3)
    >>> total(weight), total(weight)
    (tensor(3.), tensor(3.))
    >>> weight[0] = 5
    >>> total(weight)
    tensor(7.)
    """

    def __init__(self, function: Callable[[Tensor], Tensor]):
        self._function = function
        self._weight: Tensor | None = None  # held, so that no other tensor takes its place
        self._version = -1
        self._value: Tensor | None = None

    def __call__(self, weight: Tensor) -> Tensor:
        # Torch counts the changes made in place, but not to tensors made in inference mode.
        if weight.requires_grad or weight.is_inference():
            return self._function(weight)
        kept = self._weight
        if (
            kept is None
            or self._value is None
            or kept.data_ptr() != weight.data_ptr()
            or self._version != weight._version
        ):
            self._weight, self._version = weight, weight._version
            self._value = self._function(weight)
        return self._value
