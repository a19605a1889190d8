"""Support: a trained codec as files for other people's code: transformers, or the official package.

    minicodec.export(codec, "mine")                # transformers' EncodecModel loads the folder
    minicodec.export(codec, "mine", "official")    # encodec.EncodecModel does, by a script in it

What they load computes what ours computes: the same codes at every bandwidth, and the same audio
but for the last bits of a float32. Neither package is needed to write for it. ONNX graphs are
another thing, steps with states: `minicodec.model.onnx_export`.
"""

import json
import math
import os
import secrets
import shutil
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import get_args

import torch
from safetensors.torch import save

from minicodec.model.codec import Codec
from minicodec.model.config import CodecConfig
from minicodec.model.official_loader import SCRIPT, script
from minicodec.model.renaming import WHOLE, Package, rename
from minicodec.model.transformers_config import (
    check_known,
    feature_extractor,
    to_transformers,
)
from minicodec.sound.files import NotWritten, reason, write_bytes

#: As transformers calls it; the official script reads it, too.
WEIGHTS = "model.safetensors"
#: What each export is made of, in the order in which an older one is replaced.
FILES: dict[Package, tuple[str, ...]] = {
    "transformers": (WEIGHTS, "preprocessor_config.json", "config.json"),
    "official": (WEIGHTS, SCRIPT),
}


def export(
    codec: Codec,
    folder: str | Path,
    package: Package = "transformers",
    *,
    facts: Mapping[str, object] | None = None,
    force: bool = False,
) -> list[Path]:
    """Write a codec for another package: into a folder; a new one has all of it or nothing.

    Args:
        codec: any with codebooks that are averages, ELU, and for transformers an LSTM.
        folder: made if need be. Other files in it stay.
        package: "transformers": `EncodecModel.from_pretrained(folder)` and
            `AutoProcessor.from_pretrained(folder)` load it. "official": weights by the names of the
            package `encodec`, and `load_encodec.py`, which builds the model that loads them.
        facts: anything JSON can hold that a reader should know, as the licence; it stands among the
            metadata of the weights, beside the codec's name.
        force: replace an older export.

    Returns:
        the files.

    Raises:
        ValueError: in one sentence, for a codec that the package cannot express, weights that are
            not finite, an unknown package, or a folder that is in the way.

    >>> import tempfile
    >>> codec = Codec(CodecConfig(n_filters=4, dimension=8, bandwidths=(1.5,)), "small")
    >>> with tempfile.TemporaryDirectory() as place:
    ...     [file.name for file in export(codec, f"{place}/small")]
    ['model.safetensors', 'preprocessor_config.json', 'config.json']
    """
    if not isinstance(codec, Codec):
        raise ValueError(f"export takes a codec, as load gives it, not {type(codec).__name__}.")
    if not isinstance(folder, (str, Path)) or not str(folder):
        raise ValueError(f"export needs the name of a folder to write to, not {folder!r}.")
    config, folder = codec.config, Path(folder)
    check_exportable(config, package)
    _check_folder(folder, FILES[package], force)
    weights = rename(codec, package)
    for name, tensor in weights.items():
        if not torch.isfinite(tensor).all():
            raise ValueError(f"{name} holds NaN or infinite values: this codec cannot be exported.")
    about = {"name": codec.name, "facts": json.dumps(dict(facts or {}))}
    metadata = {"format": "pt", **about, **WHOLE}
    contents = {WEIGHTS: save(weights, metadata)}
    if package == "official":
        contents[SCRIPT] = script(config, codec.name).encode()
    else:
        contents["preprocessor_config.json"] = _json(feature_extractor(config))
        contents["config.json"] = _json(to_transformers(config))
    return _write(folder, contents)


def check_exportable(config: CodecConfig, package: str) -> None:
    """Refuse what a package cannot express, by the config alone.

    Raises:
        ValueError: in one sentence.
    """
    if package not in get_args(Package):
        raise ValueError(f"a codec is exported for {' or '.join(FILES)}, not for {package!r}.")
    if package == "transformers":
        to_transformers(config)
        return
    check_known(config, "the official package")
    # In kilobits, which 0.4 and its like are not exactly. In bits, as transformers and we count,
    # the cost of a codebook is a whole number, and floats divide by it without harm.
    per_level = math.log2(config.codebook_size) * config.frame_rate / 1000
    for bandwidth in config.bandwidths:
        theirs = max(1, math.floor(bandwidth / per_level))
        if theirs != config.n_q(bandwidth):
            raise ValueError(
                f"at {bandwidth:g} kbps the official package would use {theirs} codebooks and not "
                f"{config.n_q(bandwidth)}, by the way it rounds: name another bandwidth."
            )


def _check_folder(folder: Path, names: Sequence[str], force: bool) -> None:
    """Refuse a place for these files before anything is computed.

    Raises:
        ValueError: in one sentence.
    """
    if folder.exists() and not folder.is_dir():
        raise ValueError(f"{folder} is a file, but {len(names)} files go into a folder.")
    for name in names if folder.is_dir() else ():
        if (folder / name).is_dir():
            raise ValueError(f"{folder / name} is a folder, not a file to write.")
        if (folder / name).exists() and not force:
            raise ValueError(
                f"{folder / name} exists already: choose another folder, or replace it with "
                "force=True."
            )


def _json(values: Mapping[str, object]) -> bytes:
    return (json.dumps(values, indent=2) + "\n").encode()


def _write(folder: Path, contents: Mapping[str, bytes]) -> list[Path]:
    """All files or none: they are written beside their place, and renamed when all are there."""
    place = Path(os.path.realpath(folder))
    part = place.with_name(f".{place.name[:40]}.{secrets.token_hex(4)}.part")
    try:
        place.parent.mkdir(parents=True, exist_ok=True)
        part.mkdir()
        for name, data in contents.items():
            write_bytes(part / name, data)
        if place.is_dir():
            for name in contents:
                (part / name).replace(place / name)
        else:
            part.rename(place)
    except NotWritten as error:
        raise NotWritten(str(error).replace(str(part), str(folder))) from error
    except OSError as error:
        raise NotWritten(f"{folder} cannot be written: {reason(error)}.") from error
    finally:
        with suppress(OSError):  # as a rule it has its new name by now, or is empty
            shutil.rmtree(part)
    return [folder / name for name in contents]
