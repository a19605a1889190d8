"""Support: sound models as files, and the one that ships.

One safetensors file. Matrices are signed bytes with a scale for each row, a quarter of what floats
take; the metadata holds config, pattern, the fingerprint of the codec whose codes it knows, and
facts. Nothing must be decoded with it, so nothing in it has to be exact.
"""

import dataclasses
import json
from collections.abc import Mapping
from pathlib import Path

import safetensors
import torch
from safetensors.torch import load_file, save
from torch import Tensor

from minicodec.bits.language_model import LanguageModelConfig
from minicodec.generation.patterns import Pattern
from minicodec.generation.sound_model import SoundModel
from minicodec.model.checkpoint import CheckpointError, read_metadata
from minicodec.model.fields import build, json_object
from minicodec.sound.files import write_bytes

#: Where the shipped model, its sounds and its results lie.
FOLDER = Path(__file__).parents[1] / "weights" / "sound_model"

_FORMAT = "minicodec sound model 1"
_LARGEST = 127


def save_sound_model(
    model: SoundModel, path: str | Path, codec: bytes, facts: Mapping[str, object] | None = None
) -> None:
    """Write a model to one file, which appears whole or not at all.

    Args:
        codec: fingerprint of the codec whose codes it was trained on.
        facts: anything JSON can hold that a reader should know.
    """
    tensors: dict[str, Tensor] = {}
    for name, value in model.state_dict().items():
        value = value.detach().cpu().float()
        if value.dim() == 2:
            scale = value.abs().amax(1, keepdim=True).clamp(min=1e-9) / _LARGEST
            tensors[f"{name}.rows"] = (value / scale).round().to(torch.int8)
            tensors[f"{name}.scale"] = scale
        else:
            tensors[name] = value.contiguous()
    metadata = {
        "format": _FORMAT,
        "config": json.dumps(dataclasses.asdict(model.config)),
        "pattern": json.dumps(dataclasses.asdict(model.pattern)),
        "codec": codec.hex(),
        "facts": json.dumps(dict(facts or {})),
    }
    Path(path).parent.mkdir(parents=True, exist_ok=True)
    write_bytes(path, save(tensors, metadata))


def load_sound_model(path: str | Path | None = None) -> SoundModel:
    """Read what `save_sound_model` wrote, ready to draw from.

    Args:
        path: of a file; without it, the model that ships, for codes of `mini_24khz`.

    Raises:
        CheckpointError: if the file is missing, damaged or not one of ours.
    """
    path = FOLDER / "delayed.safetensors" if path is None else Path(path)
    metadata = _metadata(path)
    try:
        config = build(LanguageModelConfig, json_object(metadata["config"]))
        pattern = json_object(metadata["pattern"])
        stride, delays = pattern["stride"], pattern["delays"]
        if not isinstance(stride, int) or not isinstance(delays, list):
            raise ValueError("its pattern is no pattern.")
        model = SoundModel(config, Pattern(stride, tuple(delays)))
        stored = load_file(path)
        state = {name: value for name, value in stored.items() if value.dim() < 2}
        for name, rows in stored.items():
            if name.endswith(".rows"):
                whole = name.removesuffix(".rows")
                state[whole] = rows.float() * stored[f"{whole}.scale"]
        model.load_state_dict(state)
    except (ValueError, KeyError, RuntimeError, safetensors.SafetensorError) as error:
        raise CheckpointError(f"{path} holds no sound model: {error}") from error
    return model.eval().requires_grad_(False)


def facts(path: str | Path | None = None) -> dict[str, object]:
    """What was written beside the numbers.

    Raises:
        CheckpointError: as `load_sound_model`.
    """
    path = FOLDER / "delayed.safetensors" if path is None else Path(path)
    try:
        return json_object(_metadata(path).get("facts", "{}"))
    except ValueError as error:
        raise CheckpointError(f"{path} holds facts that cannot be read: {error}") from error


def _metadata(path: Path) -> dict[str, str]:
    metadata = read_metadata(path)
    if metadata.get("format") != _FORMAT or not {"config", "pattern"} <= metadata.keys():
        raise CheckpointError(f"{path} is a safetensors file, but no sound model of ours.")
    return metadata
