"""Support: `minicodec export-onnx`: a codec as files that other programs run."""

import argparse
import importlib.util
import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from minicodec.cli.common import check_target
from minicodec.model.checkpoint import SHIPPED, is_whole, save_codec
from minicodec.model.pretrained import config_of, load
from minicodec.sound.installs import remedy


def run(args: argparse.Namespace) -> None:
    """Write both graphs, their weights, and what they are."""
    if importlib.util.find_spec("onnx") is None:
        raise ValueError(f"ONNX is missing: {remedy('onnx')}")
    from minicodec.model.onnx_export import check_exportable, export_onnx, file_names

    check_exportable(config_of(args.model))
    stem = os.path.basename(os.path.abspath(args.model)).removesuffix(".safetensors")
    folder = Path(args.output or f"{stem}_onnx")
    _check_folder(folder, file_names(stem), args.force)
    with _checkpoint(args.model) as file:
        print(f"writing graphs and weights of {args.model} to {folder}")
        for path in export_onnx(file, folder, stem):
            print(f"{path.stat().st_size:12} bytes  {path.name}")


@contextmanager
def _checkpoint(model: str) -> Iterator[Path]:
    """The file of a model; for a run, or a decoder alone, a whole one that goes again."""
    file = SHIPPED.get(model, Path(model))
    if file.is_file() and is_whole(file):
        yield file
        return
    with tempfile.TemporaryDirectory() as place:
        file = Path(place) / "codec.safetensors"
        save_codec(load(model), file)
        yield file


def _check_folder(folder: Path, names: list[str], force: bool) -> None:
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
