"""Support: `minicodec export-onnx`: a codec as files that other programs run."""

import argparse
import importlib.util
import tempfile
from pathlib import Path

from minicodec.bits.packing import silence
from minicodec.cli.common import check_target
from minicodec.model.checkpoint import SHIPPED, facts, save_codec
from minicodec.model.codec import Codec
from minicodec.model.pretrained import config_of, load


def run(args: argparse.Namespace) -> None:
    """Write both graphs, their weights, and what they are."""
    if importlib.util.find_spec("onnx") is None:
        raise ValueError("ONNX is missing: pip install 'minicodec[onnx]'.")
    from minicodec.model.onnx_export import check_exportable, export_onnx, file_names

    check_exportable(config_of(args.model))
    stem = Path(args.model).absolute().name.removesuffix(".safetensors")
    folder = Path(args.output or f"{stem}_onnx")
    _check_folder(folder, file_names(stem), args.force)
    codec = load(args.model)
    file = SHIPPED.get(args.model, Path(args.model))
    codes, _ = silence(codec, codec.config.max_n_q, frames=1, scales=0)
    more = {
        "silence": codes.flatten().tolist(),
        "licence": facts(file).get("licence") if file.is_file() else None,
    }
    print(f"{codec.name}: writing its graphs and weights to {folder}")
    for path in export_onnx(codec, _checkpoint(codec, file), folder, stem, more):
        print(f"{path.stat().st_size:12} bytes  {path.name}")


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


def _checkpoint(codec: Codec, file: Path) -> bytes:
    """The file of its weights, byte for byte; a run has none yet."""
    if file.is_file():
        return file.read_bytes()
    with tempfile.TemporaryDirectory() as place:
        save_codec(codec, Path(place) / "codec.safetensors")
        return (Path(place) / "codec.safetensors").read_bytes()
