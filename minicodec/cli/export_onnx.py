"""Support: `minicodec export-onnx`, or `export --to onnx`: a codec that other programs run."""

import argparse
import importlib.util
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from minicodec.cli.common import check_folder, stem_of
from minicodec.model.checkpoint import SHIPPED, is_whole, save_codec
from minicodec.model.pretrained import config_of, load
from minicodec.sound.installs import remedy


def run(args: argparse.Namespace) -> None:
    """Write both graphs, their weights, and what they are."""
    if importlib.util.find_spec("onnx") is None:
        raise ValueError(f"ONNX is missing: {remedy('onnx')}")
    from minicodec.model.onnx_export import check_exportable, export_onnx, file_names

    check_exportable(config_of(args.model))
    stem = stem_of(args.model)
    folder = Path(args.output or f"{stem}_onnx")
    check_folder(folder, file_names(stem), args.force)
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
