"""Support: exact language models as files, and the ones that ship with codecs.

One safetensors file holds the integers, scales and tables; its metadata the config, the fingerprint
of the codec that the model was trained for, and its own. A decoder that opens it gets the same
model to the last bit, or an error.
"""

import dataclasses
import json
from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path

import safetensors
from safetensors.torch import load_file, save

from minicodec.bits.exact import ExactLanguageModel
from minicodec.bits.exact_fast import FastExactLanguageModel
from minicodec.bits.language_model import LanguageModelConfig
from minicodec.model import checkpoint
from minicodec.model.checkpoint import CheckpointError
from minicodec.model.codec import Codec
from minicodec.model.fields import build, json_object
from minicodec.sound.files import write_bytes

#: Language models that come with the package, by the name of the codec that they are for.
SHIPPED_LM = {"mini_24khz": Path(__file__).parents[1] / "weights" / "mini_24khz_lm.safetensors"}

_FORMAT = "minicodec language model 1"


def save_language_model(
    model: ExactLanguageModel, path: str | Path, facts: Mapping[str, object] | None = None
) -> None:
    """Write a model to one file, which appears whole or not at all.

    Args:
        facts: anything JSON can hold that a reader should know: data, minutes, bits per code.
    """
    metadata = {
        "format": _FORMAT,
        "config": json.dumps(dataclasses.asdict(model.config)),
        "codec": model.codec.hex(),
        "fingerprint": model.fingerprint.hex(),
        "facts": json.dumps(dict(facts or {})),
    }
    tensors = {name: tensor.contiguous() for name, tensor in model.tensors.items()}
    Path(path).parent.mkdir(parents=True, exist_ok=True)
    write_bytes(path, save(tensors, metadata))


def load_language_model(name: str | Path, device: str | None = None) -> FastExactLanguageModel:
    """Read what `save_language_model` wrote.

    Args:
        name: of a codec that a language model ships with, or the path of a file.
        device: as for `FastExactLanguageModel`.

    Raises:
        CheckpointError: if the file is missing, damaged, not one of ours, or would not be exact.
    """
    path = SHIPPED_LM.get(str(name), Path(name))
    metadata = _metadata(path)
    try:
        config = build(LanguageModelConfig, json_object(metadata["config"]))
        codec = bytes.fromhex(metadata.get("codec", ""))
        model = FastExactLanguageModel(config, load_file(path), codec, device)
    except (ValueError, safetensors.SafetensorError) as error:
        raise CheckpointError(f"{path} holds no exact language model: {error}") from error
    if model.fingerprint.hex() != metadata.get("fingerprint"):
        raise CheckpointError(
            f"{path} is damaged: its numbers are not those that its fingerprint was taken of."
        )
    return model


def facts(name: str | Path) -> dict[str, object]:
    """What was written beside the numbers: how they were trained, and how many bits codes cost.

    Raises:
        CheckpointError: as `load_language_model`.
    """
    path = SHIPPED_LM.get(str(name), Path(name))
    text = _metadata(path).get("facts", "{}")
    try:
        return json_object(text)
    except ValueError as error:
        raise CheckpointError(f"{path} holds facts that cannot be read: {error}") from error


def for_codec(codec: Codec) -> ExactLanguageModel:
    """The language model that ships for this codec: for its very weights, not for its name alone.

    Raises:
        ValueError: if there is none.
    """
    path = SHIPPED_LM.get(codec.name)
    if path is not None and path.is_file():
        model = _cached(path, path.stat().st_mtime_ns)
        if model.codec == checkpoint.fingerprint(codec):
            return model
    raise ValueError(
        f"no language model ships for these weights of {codec.name!r}: train one with "
        "`minicodec train-lm`, or use entropy='histogram'."
    )


@lru_cache(maxsize=2)
def _cached(path: Path, changed: int) -> ExactLanguageModel:
    return load_language_model(path)


def _metadata(path: Path) -> dict[str, str]:
    metadata = checkpoint.read_metadata(path)
    if metadata.get("format") != _FORMAT or "config" not in metadata:
        raise CheckpointError(f"{path} is a safetensors file, but no language model of ours.")
    return metadata
