"""Support: the front door to trained models, and the official EnCodec weights in our modules.

    codec = minicodec.load("mini_24khz")       # comes with the package
    codec = minicodec.load("encodec_24khz")    # downloaded once, checked, kept
    codec = minicodec.load("my.safetensors")   # anything minicodec has saved
    codec = minicodec.load("runs/mine")        # a training run, as far as it has come
    codec = minicodec.load("saved")            # an EncodecModel that save_pretrained has written

A person may name any of these. A stream names its model, too, but its header is a stranger's word:
`load_named` takes the names that everybody knows and nothing else, so no stream chooses which of
our files is opened.

Official weights are renamed by `minicodec.model.renaming`. So is a folder that transformers has
saved, with an `EncodecModel` of any size: its `config.json` says which.
"""

import dataclasses
import hashlib
import os
import warnings
from collections.abc import Mapping
from pathlib import Path

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import load_file
from torch import Tensor

from minicodec.model.checkpoint import (
    SHIPPED,
    CheckpointError,
    assemble,
    load_codec,
    read_config,
    read_metadata,
)
from minicodec.model.codec import Codec
from minicodec.model.config import ENCODEC_24KHZ, ENCODEC_48KHZ, CodecConfig
from minicodec.model.download import download
from minicodec.model.fast.codec import faster
from minicodec.model.fields import build, json_file
from minicodec.model.renaming import WHOLE
from minicodec.model.renaming import convert as convert
from minicodec.model.transformers_config import from_transformers
from minicodec.sound.names import printable


class UnknownModel(ValueError):
    """A name that is no model's."""


@dataclasses.dataclass(frozen=True)
class Official:
    """Where one of the official models is, and how to know it when it has arrived."""

    config: CodecConfig
    file: str

    @property
    def sha256(self) -> str:
        """Its first eight hex digits, which the official file names carry, and no more is known.

        So 32 bits are checked. That finds every accident, but no forgery: with some billions of
        trials another file can be made that begins alike. Against that stands https alone.
        """
        return self.file.removesuffix(".th").rsplit("-", 1)[1]


OFFICIAL = {
    "encodec_24khz": Official(ENCODEC_24KHZ, "encodec_24khz-d7cc33bc.th"),
    "encodec_48khz": Official(ENCODEC_48KHZ, "encodec_48khz-7e698e3e.th"),
}
OFFICIAL_URL = "https://dl.fbaipublicfiles.com/encodec/v0/"

#: Checkpoints of a training run, which sort by age.
CHECKPOINTS = "step_*.safetensors"

_MOST_LETTERS = 255  # of a name


def load(
    name: str | Path,
    *,
    path: str | Path | None = None,
    device: str | torch.device | None = None,
    fast: bool = True,
) -> Codec:
    """A trained codec, ready to run: in eval mode, weight norm folded, no gradients.

    Args:
        name: "mini_24khz" (ours, works offline); "encodec_24khz" or "encodec_48khz" (official,
            70 to 95 MB, downloaded on first use); the path of a file that minicodec saved; the
            folder of a training run, whose newest checkpoint is taken, with averaged weights where
            the run keeps them; or the folder that `save_pretrained` of a transformers
            `EncodecModel` wrote, of any size that ours can have.
        path: with an official name: its weights in a file you have, from the official release
            (.th) or from transformers (.safetensors, or the folder of save_pretrained).
        device: where to run; CPU by default.
        fast: False gives the codec as the chapters build it. Both have the same weights, names,
            codes and states; what the fast one does otherwise is in `minicodec.model.fast`.

    Raises:
        ValueError: for an unknown name, a file that is missing, damaged or of another model, or a
            download that failed; nothing half-loaded is kept.
    """
    key = str(name)
    if path is not None and key not in OFFICIAL:
        raise ValueError(
            f"path= goes with an official model, {' or '.join(OFFICIAL)}, not {key!r}."
        )
    if key in OFFICIAL:
        official = OFFICIAL[key]
        tensors = _converted(Path(path) if path is not None else _download(official))
        codec = assemble(official.config, tensors, key, f"{path or official.file}")
    elif _is_folder(name):
        codec = _load_folder(Path(name))
    else:
        codec = load_codec(_file(name))
    if fast:
        codec = faster(codec)
    return codec.to(device) if device is not None else codec


def load_named(name: str) -> Codec:
    """The codec that a stream names: `load`, but never a path, whatever the name looks like.

    Raises:
        UnknownModel: for a name that is none of `SHIPPED` and `OFFICIAL`.
        ValueError: as `load`.
    """
    if name not in {*SHIPPED, *OFFICIAL}:
        raise UnknownModel(f"{name!r} is not one of {', '.join([*SHIPPED, *OFFICIAL])}.")
    return load(name)


def config_of(name: str | Path) -> CodecConfig:
    """What `load(name)` is made of; read without its weights, so nothing is downloaded.

    Raises:
        ValueError: for an unknown name, or a file or folder that says nothing of the kind.
    """
    if str(name) in OFFICIAL:
        return OFFICIAL[str(name)].config
    if not _is_folder(name):
        return read_config(_file(name))
    folder = Path(name)
    values = _folder_config(folder)
    return _saved_config(folder, values) if "model_type" in values else _run_config(folder, values)


def _file(name: str | Path) -> Path:
    """The checkpoint that a person means."""
    if str(name) in SHIPPED:
        return SHIPPED[str(name)]
    if Path(name).suffix == ".safetensors" or Path(name).is_file():
        return Path(name)
    known = ", ".join([*SHIPPED, *OFFICIAL])
    raise UnknownModel(
        f"there is no model {str(name)!r}: use {known}, a .safetensors file, or the folder of a "
        "training run or of save_pretrained."
    )


def _is_folder(name: str | Path) -> bool:
    return str(name) not in SHIPPED and Path(name).is_dir()


def _load_folder(folder: Path) -> Codec:
    """A training run of ours, or what transformers has saved: its config.json says which."""
    values = _folder_config(folder)
    if "model_type" in values:
        return _load_saved(folder, _saved_config(folder, values))
    return _load_run(folder, _run_config(folder, values))


def _folder_config(folder: Path) -> dict[str, object]:
    file = folder / "config.json"
    if not file.is_file():
        raise CheckpointError(
            f"{folder} is a folder, but none of a training run or of save_pretrained: no "
            "config.json."
        )
    try:
        return json_file(file)
    except ValueError as error:
        raise CheckpointError(
            f"{file} is not the config of a training run or of save_pretrained: {error}"
        ) from error


def _run_config(run: Path, values: dict[str, object]) -> CodecConfig:
    """Of a folder that `minicodec train` has made, see `minicodec.training.trainer`."""
    try:
        return build(CodecConfig, values.get("codec"))
    except ValueError as error:
        file = run / "config.json"
        raise CheckpointError(f"{file} is not the config of a training run: {error}") from error


def _saved_config(folder: Path, values: dict[str, object]) -> CodecConfig:
    """Of a folder that `save_pretrained` has made, or `minicodec.export`."""
    try:
        return from_transformers(values)
    except ValueError as error:
        raise CheckpointError(f"{folder / 'config.json'}: {error}") from error


def _load_saved(folder: Path, config: CodecConfig) -> Codec:
    file = _weights_of(folder)
    name = printable(read_metadata(file).get("name", folder.resolve().name)[:_MOST_LETTERS])
    return assemble(config, _converted(file), name, str(file))


def _load_run(run: Path, config: CodecConfig) -> Codec:
    name = run.resolve().name
    checkpoints = sorted(run.glob(CHECKPOINTS))
    for path in reversed(checkpoints):
        try:
            tensors = _codec_of(path)
        except SafetensorError as error:  # of a machine that broke down while it wrote
            warnings.warn(f"{path} is damaged and passed over: {error}", stacklevel=3)
            continue
        return assemble(config, convert(tensors), name, str(path))
    raise CheckpointError(
        f"{run} has no whole checkpoint: the run was stopped before it wrote its first one."
        if not checkpoints
        else f"{run} has no whole checkpoint: all {len(checkpoints)} are damaged."
    )


def _codec_of(checkpoint: Path) -> dict[str, Tensor]:
    """The codec among all that a run has to remember; its average, where there is one."""
    with safe_open(checkpoint, "pt") as file:
        keys = list(file.keys())
        averaged = any(key.startswith("averaged.") for key in keys)
        prefix = "averaged." if averaged else "codec."
        return {k.removeprefix(prefix): file.get_tensor(k) for k in keys if k.startswith(prefix)}


def cache_folder() -> Path:
    """Where downloads are kept: MINICODEC_CACHE, or `minicodec` in the user's cache folder.

    Raises:
        ValueError: if neither is known.
    """
    if named := os.environ.get("MINICODEC_CACHE"):
        return Path(named)
    caches = os.environ.get("XDG_CACHE_HOME")
    try:
        return (Path(caches) if caches else Path.home() / ".cache") / "minicodec"
    except RuntimeError as error:  # a user without a home, as services are
        raise ValueError(
            "there is no home folder to keep downloads in: name a folder in MINICODEC_CACHE."
        ) from error


def _download(official: Official) -> Path:
    """Fetch into the cache, once; a file there has always been checked."""
    target = cache_folder() / official.file
    if not (target.is_file() and _sha256(target).startswith(official.sha256)):
        base = os.environ.get("MINICODEC_OFFICIAL_URL", OFFICIAL_URL)
        download(base + official.file, target, official.sha256)
    return target


def _sha256(path: Path) -> str:
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while block := file.read(1 << 20):
            digest.update(block)
    return digest.hexdigest()


def _weights_of(folder: Path) -> Path:
    """The file in a folder of save_pretrained."""
    file = folder / "model.safetensors"
    for other in ("pytorch_model.bin", "model.safetensors.index.json"):
        if not file.is_file() and (folder / other).is_file():
            raise CheckpointError(
                f"{folder} holds its weights in {other}: load it with transformers, and save it "
                "again in one safetensors file."
            )
    return file


def _converted(path: Path) -> dict[str, Tensor]:
    """Weights of the official package or of transformers, by our names."""
    file = _weights_of(path) if path.is_dir() else path
    tensors = read_tensors(file)
    metadata = read_metadata(file) if file.suffix == ".safetensors" else {}
    return convert(tensors, whole=WHOLE.items() <= metadata.items())


def read_tensors(path: Path) -> dict[str, Tensor]:
    """What a file of weights holds, by the names it has there: safetensors, or the official format.

    Raises:
        CheckpointError: for a file that is missing or damaged, or holds something else.
    """
    if path.is_dir():
        path = _weights_of(path)
    if not path.is_file():
        raise CheckpointError(f"{path}: no such file.")
    try:
        with safe_open(path, "pt"):
            pass
        return load_file(path)
    except SafetensorError:
        pass  # then it must be the official format
    try:
        # weights_only: tensors and plain containers, never code.
        state = torch.load(path, map_location="cpu", weights_only=True)
    except Exception as error:  # what a damaged pickle raises depends on where it is damaged
        raise CheckpointError(
            f"{path} is neither safetensors nor a file of tensors that torch can read safely."
        ) from error
    if not isinstance(state, Mapping) or not all(
        isinstance(name, str) and isinstance(tensor, Tensor) for name, tensor in state.items()
    ):
        raise CheckpointError(f"{path} holds no state_dict: names with tensors.")
    return dict(state)
