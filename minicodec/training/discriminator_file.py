"""Support: discriminators as files, so that a codec can learn from one that has learned already.

One that has learned nothing would have to be taught first, which takes longer than fine-tuning a
codec on a voice does.
"""

import dataclasses
import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import cast

import safetensors
import torch
from safetensors.torch import load_file, save
from torch import Tensor, nn

from minicodec.model.checkpoint import CheckpointError, read_metadata
from minicodec.model.fields import build, check_fields, check_rules, json_object
from minicodec.sound.files import write_bytes
from minicodec.training import run_state
from minicodec.training.config import TrainConfig, load_config
from minicodec.training.discriminator import (
    BandwidthDiscriminators,
    MultiScaleDiscriminator,
    STFTDiscriminator,
)

#: Discriminators that come with the package, by the codec that has learned from them.
SHIPPED_DISCRIMINATORS = {
    "mini_24khz_adversarial": Path(__file__).parents[1]
    / "weights"
    / "mini_24khz_discriminator.safetensors"
}
_MOST_WINDOWS = 64
_FORMAT = "minicodec discriminator 1"


@dataclass(frozen=True)
class DiscriminatorSize:
    """What a `MultiScaleDiscriminator` is made of; it checks itself before any layer is built.

    Args:
        windows, n_filters, channels: as there.

    Raises:
        ValueError: naming the field that does not fit.
    """

    windows: tuple[int, ...]
    n_filters: int
    channels: int = 1

    def __post_init__(self) -> None:
        check_fields(
            self, "a discriminator", windows=(4, 1 << 16), n_filters=(1, 1024), channels=(1, 64)
        )
        few = 0 < len(self.windows) <= _MOST_WINDOWS
        check_rules(self, "a discriminator", ("windows", f"are 1 to {_MOST_WINDOWS}", few))

    def __str__(self) -> str:
        return f"{self.n_filters} filters at windows of {', '.join(map(str, self.windows))} samples"

    @classmethod
    def of(cls, discriminator: MultiScaleDiscriminator) -> "DiscriminatorSize":
        """Of one that is there."""
        scales = [cast(STFTDiscriminator, scale) for scale in discriminator.scales]
        filters = cast(nn.Conv2d, scales[0].convs[0]).out_channels
        return cls(tuple(scale.n_fft for scale in scales), filters, discriminator.channels)


def save_discriminator(
    discriminator: MultiScaleDiscriminator,
    path: str | Path,
    facts: Mapping[str, object] | None = None,
) -> None:
    """Write a discriminator to one file, in 16-bit floats, which appears whole or not at all.

    Args:
        path: ends in .safetensors by custom.
        facts: anything JSON can hold that a reader should know.
    """
    size = dataclasses.asdict(DiscriminatorSize.of(discriminator))
    metadata = {
        "format": _FORMAT, "size": json.dumps(size), "facts": json.dumps(dict(facts or {}))
    }  # fmt: skip
    state = discriminator.state_dict()
    tensors = {key: value.detach().cpu().half().contiguous() for key, value in state.items()}
    write_bytes(path, save(tensors, metadata))


def load_discriminator(name: str | Path) -> MultiScaleDiscriminator:
    """A discriminator that has learned.

    Args:
        name: "mini_24khz_adversarial", whose discriminator comes with the package; a file that
            `save_discriminator` wrote; or the folder of a training run that has a discriminator for
            all bandwidths.

    Raises:
        CheckpointError: for what is none of these, or is damaged.
    """
    path = SHIPPED_DISCRIMINATORS.get(str(name), Path(name))
    if path.is_dir():
        size, tensors = _of_run(path)
    else:
        size, tensors = _of_file(path)
    # Sizes from a file may call for any amount of memory; without a device layers need none.
    with torch.device("meta"):
        discriminator = MultiScaleDiscriminator(**dataclasses.asdict(size))
    wanted = {key: value.shape for key, value in discriminator.state_dict().items()}
    if {key: value.shape for key, value in tensors.items()} != wanted:
        raise CheckpointError(f"{path} has other weights than a discriminator of {size} has.")
    state = {key: value.float() for key, value in tensors.items()}
    if not all(torch.isfinite(value).all() for value in state.values()):
        raise CheckpointError(f"{path} holds a discriminator with NaN or infinite values.")
    discriminator.load_state_dict(state, assign=True)
    return discriminator


def check_discriminator(name: str | Path, config: TrainConfig) -> MultiScaleDiscriminator:
    """The discriminator that a run of this config is to begin with.

    Raises:
        CheckpointError: as `load_discriminator`.
        ValueError: if the config uses none, or one of another size.
    """
    if not config.uses_discriminator:
        raise ValueError(f"{name} is a discriminator, but the config does not learn from one.")
    learned = load_discriminator(name)
    here = DiscriminatorSize.of(learned)
    wanted = DiscriminatorSize(config.discriminator_windows, config.discriminator_filters)
    if here != wanted:
        raise ValueError(f"{name} is a discriminator of {here}, but the config wants {wanted}.")
    return learned


def copy_discriminator(learned: MultiScaleDiscriminator, target: nn.Module) -> None:
    """Give a run's discriminator, or each of those for a bandwidth, weights that have learned."""
    each = list(target.discriminators) if isinstance(target, BandwidthDiscriminators) else [target]
    for one in each:
        one.load_state_dict(learned.state_dict())


def _of_file(path: Path) -> tuple[DiscriminatorSize, dict[str, Tensor]]:
    metadata = read_metadata(path)
    if metadata.get("format") != _FORMAT:
        raise CheckpointError(f"{path} is a safetensors file, but holds no discriminator.")
    try:
        size = build(DiscriminatorSize, json_object(metadata.get("size", "")))
        return size, load_file(path)
    except (ValueError, safetensors.SafetensorError) as error:
        raise CheckpointError(
            f"{path} holds a discriminator that cannot be read: {error}"
        ) from error


def _of_run(run: Path) -> tuple[DiscriminatorSize, dict[str, Tensor]]:
    checkpoint = run_state.read_last(run)
    if checkpoint is None or not (run / "config.json").is_file():
        raise CheckpointError(f"{run} is a folder, but none of a training run with a checkpoint.")
    config = load_config(str(run / "config.json"))
    tensors = run_state.of_discriminator(checkpoint)
    if not tensors or config.discriminator_per_bandwidth:
        raise CheckpointError(f"{run} has no discriminator that is the same for all bandwidths.")
    return DiscriminatorSize(config.discriminator_windows, config.discriminator_filters), tensors
