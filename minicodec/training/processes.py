"""Support: the processes that train one model together, and the devices that they run on.

`accelerate` finds them: a CPU, a GPU, or as many processes as torchrun has started. All hold the
same weights, each learns from its share of the batch, and what must be one number is made so here.
"""

import importlib.util
import os
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, TypeVar

import torch
import torch.distributed as dist
from torch import Tensor, nn

from minicodec.sound.installs import remedy

_T = TypeVar("_T")


def accelerator() -> Any:
    """What `accelerate` finds.

    Raises:
        ValueError: if it is not installed.
    """
    need_accelerate()
    import accelerate

    # Told nothing, accelerate lets processes without a GPU each train alone.
    cpus = int(os.environ.get("WORLD_SIZE", 1)) > 1 and not torch.cuda.is_available()
    return accelerate.Accelerator(mixed_precision="no", cpu=cpus)  # `Update` sees to that itself


def need_accelerate() -> None:
    """Refuse to train where `accelerate` is not installed.

    Raises:
        ValueError: in one sentence that says what to install.
    """
    if importlib.util.find_spec("accelerate") is None:
        raise ValueError(f"training needs the package accelerate: {remedy('accelerate')}")


def use_bfloat16(asked: bool = False) -> bool:
    """Whether convolutions run in bfloat16: if asked for, and on a GPU that is fast at it.

    CPUs differ, so on one it has to be asked for. The environment variable
    ACCELERATE_MIXED_PRECISION may say "bf16" or "no", too; what is asked for here counts more.

    Raises:
        ValueError: if the variable asks for float16.
    """
    said = os.environ.get("ACCELERATE_MIXED_PRECISION")
    if said not in (None, "no", "bf16"):
        raise ValueError(
            f"mixed precision {said!r} is not supported: losses would have to be rescaled, which "
            "the balancer would undo. Use bf16 or no."
        )
    if said is None:
        return asked or (torch.cuda.is_available() and torch.cuda.get_device_capability()[0] >= 8)
    return asked or said == "bf16"


def largest(*numbers: float, device: torch.device) -> list[float]:
    """The largest of each number among all processes, so that all decide alike."""
    if not _together():
        return list(numbers)
    shared = torch.tensor(numbers, device=device, dtype=torch.float64)
    dist.all_reduce(shared, dist.ReduceOp.MAX)
    return shared.tolist()


def from_the_first(value: _T) -> _T:
    """What the first process has, in every process: other machines may not see its files."""
    if not _together():
        return value
    shared = [value]
    dist.broadcast_object_list(shared)
    return shared[0]


def average_gradients(weights: list[nn.Parameter]) -> None:
    """Mean over all processes, in one message: clearer than a wrapper around the model.

    DistributedDataParallel hides the same in hooks of `backward`, and then wants one backward pass
    through every weight; here two networks share a graph.
    """
    if not _together():
        return
    present = [w for w in weights if w.grad is not None]
    flat = torch.cat([w.grad.flatten() for w in present])  # type: ignore[union-attr]
    dist.all_reduce(flat)
    flat /= dist.get_world_size()
    for weight, part in zip(present, flat.split([w.numel() for w in present])):
        weight.grad = part.view_as(weight)


def add_up(x: Tensor) -> None:
    """Sum over all processes, in place."""
    if _together():
        dist.all_reduce(x)


def _together() -> bool:
    return dist.is_available() and dist.is_initialized() and dist.get_world_size() > 1


@contextmanager
def without_denormals() -> Iterator[None]:
    """Floats below 1e-38 are zero meanwhile: recordings fade into them, and they are slow."""
    torch.set_flush_denormal(True)
    try:
        yield
    finally:
        torch.set_flush_denormal(False)
