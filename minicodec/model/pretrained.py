"""Support: the front door to trained models, and the official EnCodec weights in our modules.

    codec = minicodec.load("mini_24khz")       # comes with the package
    codec = minicodec.load("encodec_24khz")    # downloaded once, checked, kept
    codec = minicodec.load("my.safetensors")   # anything minicodec has saved
    codec = minicodec.load("runs/mine")        # a training run, as far as it has come

A person may name any of these. A stream names its model, too, but its header is a stranger's word:
`load_named` takes the names that everybody knows and nothing else, so no stream chooses which of
our files is opened.

The official package wraps each convolution twice and names it `encoder.model.3.conv.conv`;
transformers names the same one `encoder.layers.3.conv`; ours is `encoder.layers.3`. All three count
layers alike, so a few replacements turn one name into the other. Chapter 15 puts them to work.
"""

import dataclasses
import hashlib
import os
import re
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
)
from minicodec.model.codec import Codec
from minicodec.model.config import ENCODEC_24KHZ, ENCODEC_48KHZ, CodecConfig
from minicodec.model.download import download
from minicodec.model.fast.codec import faster
from minicodec.model.fields import build, json_file


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

_RENAMES = [
    (r"\.model\.", ".layers."),  # official
    (r"\.(conv|convtr)\.(conv\.|convtr\.)", "."),  # official: a wrapper in a wrapper
    (r"\.(conv|convtr)\.norm\.", ".norm."),  # official
    (r"\.conv\.", "."),  # transformers: one wrapper
    (r"^quantizer\.(vq\.)?layers\.", "quantizer.codebooks."),
    (r"\._?codebook\.", "."),
    (r"\.embed_avg$", ".sums"),
    (r"\.embed$", ".embedding"),
    (r"\.cluster_size$", ".counts"),
    (r"\.inited$", ".initialized"),
    (r"\.parametrizations\.weight\.original0$", ".weight_g"),  # torch's newer weight norm
    (r"\.parametrizations\.weight\.original1$", ".weight_v"),
]


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
            70 to 95 MB, downloaded on first use); the path of a file that minicodec saved; or the
            folder of a training run, whose newest checkpoint is taken, with averaged weights where
            the run keeps them.
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
        tensors = _read(Path(path) if path is not None else _download(official))
        codec = assemble(official.config, convert(tensors), key, f"{path or official.file}")
    elif _is_run(name):
        codec = _load_run(Path(name))
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
    return _run_config(Path(name)) if _is_run(name) else read_config(_file(name))


def _file(name: str | Path) -> Path:
    """The checkpoint that a person means."""
    if str(name) in SHIPPED:
        return SHIPPED[str(name)]
    if Path(name).suffix == ".safetensors" or Path(name).is_file():
        return Path(name)
    known = ", ".join([*SHIPPED, *OFFICIAL])
    raise UnknownModel(
        f"there is no model {str(name)!r}: use {known}, a .safetensors file, or the folder of a "
        "training run."
    )


def _is_run(name: str | Path) -> bool:
    return str(name) not in SHIPPED and Path(name).is_dir()


def _run_config(run: Path) -> CodecConfig:
    """Of a folder that `minicodec train` has made, see `minicodec.training.trainer`."""
    file = run / "config.json"
    if not file.is_file():
        raise CheckpointError(f"{run} is a folder, but none of a training run: no config.json.")
    try:
        return build(CodecConfig, json_file(file).get("codec"))
    except ValueError as error:
        raise CheckpointError(f"{file} is not the config of a training run: {error}") from error


def _load_run(run: Path) -> Codec:
    config, name = _run_config(run), run.resolve().name
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


def convert(tensors: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Official or transformers names to ours, with weight norm folded.

    Args:
        tensors: a `state_dict` of `encodec.EncodecModel` or `transformers.EncodecModel`.

    Raises:
        CheckpointError: for a length without a direction that fits it, which no such model has.
    """
    ours = {}
    for name, tensor in tensors.items():
        for pattern, replacement in _RENAMES:
            name = re.sub(pattern, replacement, name)
        ours[name] = tensor
    for name in [name for name in ours if name.endswith(".weight_g")]:
        stem = name.removesuffix("_g")
        length, direction = ours.pop(name), ours.pop(f"{stem}_v", None)
        if (
            direction is None
            or direction.dim() < 2
            or length.shape != (len(direction), *[1] * (direction.dim() - 1))
            or not (direction.is_floating_point() and length.is_floating_point())
        ):
            raise CheckpointError(f"{name} has no {stem}_v that fits it.")
        ours[stem] = torch._weight_norm(direction.float(), length.float(), 0)
    return ours


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


def _read(path: Path) -> dict[str, Tensor]:
    if path.is_dir():
        path = path / "model.safetensors"  # as transformers' save_pretrained names it
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
