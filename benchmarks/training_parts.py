"""Support of `training.py`: what an update spends its time on, and how much it computes."""

import functools
import time
from collections import defaultdict
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from typing import Any
from unittest.mock import patch

import torch
from torch import Tensor
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils.flop_counter import flop_registry

from minicodec.training.update import Update

#: Part of an update → what of `Update` it is. Teaching the discriminator holds a `_move` of its
#: own; time is counted for the innermost part.
PARTS = {
    "codec, forward": "codec",
    "mel loss": "_mel",
    "discriminator, forward": "_discriminate",
    "balancer's gradients": "balancer",
    "discriminator, backward": "_teach_discriminator",
    "optimizers": "_move",
    "averages": "average",
}


class Clock:
    """Seconds of each part; what runs inside another part is not counted there again.

    Args:
        now: seconds on the clock that it reads.
    """

    def __init__(self, now: Callable[[], float] = time.process_time):
        self.seconds: dict[str, float] = defaultdict(float)
        self.now = now
        self._inner = [0.0]

    def timed(self, name: str, function: Callable[..., Any]) -> Callable[..., Any]:
        """The function, with its time added to that of part `name`."""

        @functools.wraps(function, updated=())
        def run(*args: Any, **kwargs: Any) -> Any:
            begin = self.now()
            self._inner.append(0.0)
            try:
                return function(*args, **kwargs)
            finally:
                taken = self.now() - begin
                self.seconds[name] += taken - self._inner.pop()
                self._inner[-1] += taken

        return run


@contextmanager
def watched(update: Update, clock: Clock) -> Iterator[None]:
    """Meanwhile each part of the update is on the clock."""
    with ExitStack() as stack:
        for name, attribute in PARTS.items():
            owner: Any = update
            if isinstance(getattr(update, attribute), torch.nn.Module):
                owner, attribute = getattr(update, attribute), "forward"
            function = clock.timed(name, getattr(owner, attribute))
            stack.enter_context(patch.object(owner, attribute, function))
        back = clock.timed("codec, backward", Tensor.backward)
        stack.enter_context(patch.object(Tensor, "backward", back))
        yield


def shares(
    update: Update, audio: Tensor, step: int, repeats: int, clock: Clock
) -> dict[str, float]:
    """What share of an update each part takes; "rest" is what no part holds.

    Shape:
        audio: [B, C, T]
    """
    whole = clock.timed("rest", update)
    with watched(update, clock):
        for _ in range(repeats):
            whole(audio, step)
    total = sum(clock.seconds.values())
    return {name: seconds / total for name, seconds in clock.seconds.items()}


class _Counter(TorchDispatchMode):
    """Operations by torch's own formulas; its `FlopCounterMode` does not take `autograd.grad`."""

    def __init__(self) -> None:
        super().__init__()
        self.operations = 0

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        result = func(*args, **(kwargs or {}))
        formula = flop_registry.get(func._overloadpacket)
        if formula is not None:
            self.operations += formula(*args, **(kwargs or {}), out_val=result)
        return result


def multiply_accumulates(update: Update, audio: Tensor, step: int) -> float:
    """Of one update: convolutions, products and LSTMs, forward and backward.

    Torch counts all but LSTMs, whose weights are used once per frame and clip, and twice as often
    on the way back. Fourier transforms and what is done element by element are not counted.

    Shape:
        audio: [B, C, T]
    """
    with _Counter() as counter:
        update(audio, step)
    total = counter.operations / 2
    frames = audio.shape[0] * audio.shape[-1] / update.codec.config.hop_length
    for module in update.codec.modules():
        if isinstance(module, torch.nn.LSTM):
            weights = sum(w.numel() for w in module.parameters() if w.dim() == 2)
            total += 3 * weights * frames
    return total
