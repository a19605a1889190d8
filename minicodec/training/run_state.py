"""A run's state on disk: whole or not there at all, whatever kills the run and whenever.

A checkpoint is written beside its place, forced to the disk, and renamed; only then is the oldest
of three removed. So two whole ones are left at any moment after the second save. A file is
safetensors (all tensors) with one JSON text in its metadata (all numbers): nothing is executed by
reading it.

Chapter 10.
"""

import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

import safetensors
import torch
from safetensors.torch import save
from torch import Tensor


class Checkpoint(NamedTuple):
    """What a run needs to go on."""

    tensors: dict[str, Tensor]
    numbers: dict[str, Any]
    path: Path


def write(
    folder: Path, step: int, tensors: Mapping[str, Tensor], numbers: Mapping[str, Any]
) -> Path:
    """Add a checkpoint, keep the last two."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"step_{step:08d}.safetensors"
    part = path.with_suffix(".part")
    whole = {k: v.detach().cpu().contiguous() for k, v in tensors.items()}
    with part.open("wb") as file:
        file.write(save(whole, {"state": json.dumps(dict(numbers))}))
        file.flush()
        os.fsync(file.fileno())
    part.replace(path)
    if os.name == "posix":  # the rename itself must be on the disk before older files go
        handle = os.open(folder, os.O_RDONLY)
        os.fsync(handle)
        os.close(handle)
    for old in found(folder)[:-2]:
        old.unlink()
    return path


def found(folder: Path) -> list[Path]:
    """Checkpoints of a run, oldest first."""
    return sorted(folder.glob("step_*.safetensors"))


def read_last(folder: Path) -> Checkpoint | None:
    """The newest checkpoint that is whole; None if there is none.

    A `.part` file is one whose writing was interrupted, and is not looked at. A damaged checkpoint
    is passed over with a note.
    """
    for path in reversed(found(folder)):
        try:
            with safetensors.safe_open(path, "pt") as file:
                numbers = json.loads((file.metadata() or {})["state"])
                tensors = {key: file.get_tensor(key) for key in file.keys()}  # noqa: SIM118
            return Checkpoint(tensors, numbers, path)
        except (safetensors.SafetensorError, OSError, KeyError, ValueError) as error:
            print(f"{path} is damaged and passed over: {error}")
    return None


def optimizer_tensors(optimizer: torch.optim.Optimizer) -> dict[str, Tensor]:
    """Adam's averages by "index.name"."""
    state = optimizer.state_dict()["state"]
    return {
        f"{index}.{name}": torch.as_tensor(value)
        for index, values in state.items()
        for name, value in values.items()
    }


def restore_optimizer(optimizer: torch.optim.Optimizer, tensors: Mapping[str, Tensor]) -> None:
    """The way back from `optimizer_tensors`."""
    state: dict[int, dict[str, Tensor]] = {}
    for key, tensor in tensors.items():
        index, _, name = key.partition(".")
        state.setdefault(int(index), {})[name] = tensor
    groups = optimizer.state_dict()["param_groups"]
    optimizer.load_state_dict({"state": state, "param_groups": groups})


def under(tensors: Mapping[str, Tensor], prefix: str) -> dict[str, Tensor]:
    """Those whose names begin with `prefix` and a dot, without it.

    >>> under({"codec.a": torch.ones(1), "adam.b": torch.ones(1)}, "codec")
    {'a': tensor([1.])}
    """
    start = prefix + "."
    return {key[len(start) :]: value for key, value in tensors.items() if key.startswith(start)}
