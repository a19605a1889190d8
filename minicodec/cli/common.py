"""Support: what commands on files share: where to write, and what a sound has to become."""

import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:  # else `minicodec info` would wait for torch
    from minicodec.model.config import CodecConfig

#: Seconds of sound; shorter clips are done before a bar could be read.
LONG = 20.0


def target_path(
    source: str | Path | None,
    output: str | None,
    endings: Sequence[str],
    force: bool,
    default: str = "",
) -> Path:
    """The file to write: -o, or the input's name with another ending.

    Args:
        source: the input, if it is a file; it is never replaced.
        output: what -o says, or None.
        endings: that the file may have.
        force: replace a file that is there.
        default: the ending where -o names no file; the first of `endings` if empty.

    Raises:
        ValueError: if it is the input itself, or there already, or in no folder, or of another
            ending.
    """
    default = default or endings[0]
    target = Path(output) if output else Path(source or "").with_suffix(default)
    if source and target.exists() and target.resolve() == Path(source).resolve():
        raise ValueError(f"{target} is the input itself: choose another -o.")
    check_target(target, endings, force)
    return target


def check_target(
    target: Path,
    endings: Sequence[str],
    force: bool,
    remedy: str = "choose another -o, or replace it with -f",
) -> None:
    """Refuse to write a file where it would be in the way, or nobody would know what it is.

    Args:
        force: replace a file that is there.
        remedy: what else could be done about it.

    Raises:
        ValueError: in one sentence.
    """
    if target.is_dir():
        raise ValueError(f"{target} is a folder, not a file to write.")
    if target.exists() and not target.is_file():
        return  # a pipe or a device, which has no ending and is not replaced
    if target.suffix.lower() not in endings:
        raise ValueError(f"{target.name}: the ending must be one of {', '.join(endings)}.")
    if target.exists() and not force:
        raise ValueError(f"{target} exists already: {remedy}.")
    if not target.parent.is_dir():
        raise ValueError(
            f"{target.parent} is not a folder, so {target.name} cannot be written there."
        )
    folder = Path(os.path.realpath(target)).parent  # a link stays; what it points to is replaced
    if not os.access(folder, os.W_OK):
        raise ValueError(f"{target.name} cannot be written: no files may be made in {folder}.")


def check_folder(folder: Path, names: Sequence[str], force: bool) -> None:
    """Refuse a place for these files before anything is computed.

    Raises:
        ValueError: in one sentence.
    """
    if folder.is_dir():
        for name in names:
            check_target(folder / name, [Path(name).suffix], force)
    elif folder.exists():
        raise ValueError(f"{folder} is a file, but {len(names)} files go into a folder.")
    else:
        check_target(folder, [folder.suffix.lower()], force)


def stem_of(model: str) -> str:
    """What files that are made of a model are called, unless they are given a name."""
    return os.path.basename(os.path.abspath(model)).removesuffix(".safetensors")


def note_changes(rate: int, channels: int, config: "CodecConfig", model: str, file: str) -> None:
    """Say what `changes` finds."""
    if note := changes(rate, channels, config, model, file):
        print(f"note: {note}", file=sys.stderr)


def changes(rate: int, channels: int, config: "CodecConfig", model: str, file: str) -> str:
    """How a sound has to be resampled or mixed for a model; "" if it fits.

    Raises:
        ValueError: for more than two channels.
    """
    if channels > 2:
        raise ValueError(f"{file} has {channels} channels; only mono and stereo are known.")
    if (channels, rate) == (config.channels, config.sample_rate):
        return ""
    return (
        f"{rate} Hz with {channels} channel(s) becomes {config.sample_rate} Hz with "
        f"{config.channels}, as {model} needs."
    )


def check_device(name: str) -> None:
    """Refuse a device that torch does not have here, before a model is loaded.

    Raises:
        ValueError: in one sentence.
    """
    import torch  # not at the top: `minicodec info` does not wait for it

    try:
        torch.zeros(1, device=name)
    except (RuntimeError, AssertionError, NotImplementedError) as error:
        known = [kind for kind in ("cuda", "mps") if getattr(torch, kind).is_available()]
        raise ValueError(
            f"there is no device {name!r} here: use {' or '.join(['cpu', *known])}."
        ) from error
