"""Support: a run's state on disk, whole or not there at all, whatever kills the run and whenever.

A checkpoint is written beside its place, forced to the disk, and renamed; only then is the oldest
of three removed. So two whole ones are left at any moment after the second save. A file is
safetensors (all tensors) with one JSON text in its metadata (all numbers): nothing is executed by
reading it.
"""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

import safetensors
import torch
from safetensors.torch import save
from torch import Tensor

from minicodec.model.pretrained import CHECKPOINTS
from minicodec.sound.files import write_bytes
from minicodec.training.update import Update

#: What the discriminator and its optimizer are called in a file. Runs of any age are read.
_DISCRIMINATOR, _DISCRIMINATOR_ADAM = "judge", "judge_adam"


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
    kept = {k: v.detach().cpu().contiguous() for k, v in tensors.items()}
    write_bytes(path, save(kept, {"state": json.dumps(dict(numbers))}))
    for old in found(folder)[:-2]:
        old.unlink()
    return path


def clear(folder: Path) -> None:
    """Remove what a killed run was about to write; the folder has to be held by this process."""
    for part in folder.glob(".*.part*"):
        part.unlink()


def found(folder: Path) -> list[Path]:
    """Checkpoints of a run, oldest first."""
    return sorted(folder.glob(CHECKPOINTS))


def read_last(folder: Path) -> Checkpoint | None:
    """The newest checkpoint that is whole; None if there is none.

    A damaged checkpoint is passed over with a note.
    """
    for path in reversed(found(folder)):
        try:
            with safetensors.safe_open(path, "pt") as file:
                numbers = json.loads((file.metadata() or {})["state"])
                tensors = {key: file.get_tensor(key) for key in file.keys()}  # noqa: SIM118
            return Checkpoint(tensors, numbers, path)
        except (safetensors.SafetensorError, OSError, KeyError, ValueError, RecursionError) as why:
            print(f"{path} is damaged and passed over: {why}")
    return None


def of_discriminator(checkpoint: Checkpoint) -> dict[str, Tensor]:
    """Its weights; empty for a run without one."""
    return under(checkpoint.tensors, _DISCRIMINATOR)


def update_tensors(update: Update) -> dict[str, Tensor]:
    """All that a step changes, but for the balancer, whose state is plain numbers."""
    groups = {"codec": update.codec.state_dict(), "adam": optimizer_tensors(update.optimizer)}
    if update.averaged is not update.codec:
        groups["averaged"] = update.averaged.state_dict()
    if update.discriminator is not None and update.discriminator_optimizer is not None:
        groups[_DISCRIMINATOR] = update.discriminator.state_dict()
        groups[_DISCRIMINATOR_ADAM] = optimizer_tensors(update.discriminator_optimizer)
    return {f"{name}.{key}": v for name, group in groups.items() for key, v in group.items()}


def restore_update(update: Update, tensors: Mapping[str, Tensor]) -> None:
    """The way back from `update_tensors`."""
    update.codec.load_state_dict(under(tensors, "codec"))
    if update.averaged is not update.codec:
        update.averaged.load_state_dict(under(tensors, "averaged"))
    restore_optimizer(update.optimizer, under(tensors, "adam"))
    if update.discriminator is not None and update.discriminator_optimizer is not None:
        update.discriminator.load_state_dict(under(tensors, _DISCRIMINATOR))
        restore_optimizer(update.discriminator_optimizer, under(tensors, _DISCRIMINATOR_ADAM))


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
