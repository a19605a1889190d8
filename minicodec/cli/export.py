"""Support: `minicodec export`: a codec as files for other people's code."""

import argparse
from pathlib import Path

from minicodec.cli import export_onnx
from minicodec.cli.common import check_folder, stem_of
from minicodec.model.checkpoint import SHIPPED, facts_in, read_metadata
from minicodec.model.export import FILES, WEIGHTS, check_exportable, export
from minicodec.model.pretrained import config_of, load


def run(args: argparse.Namespace) -> None:
    """Write a folder for transformers or for the official package, or ONNX graphs."""
    if args.to == "onnx":
        export_onnx.run(args)
        return
    check_exportable(config_of(args.model), args.to)
    folder = Path(args.output or f"{stem_of(args.model)}_{args.to}")
    check_folder(folder, FILES[args.to], args.force)
    facts = _facts(args.model)
    codec = load(args.model, fast=False)
    for path in export(codec, folder, args.to, facts=facts, force=args.force):
        print(f"{path.stat().st_size:12} bytes  {path}")
    print(_HOW[args.to].format(folder=str(folder)))


def _facts(model: str) -> dict[str, object]:
    """What the model's file says beside its weights; of an older export, that file's."""
    file = SHIPPED.get(model, Path(model))
    if file.is_dir():
        file = file / WEIGHTS
    return facts_in(read_metadata(file), file) if file.is_file() else {}


_HOW = {
    "transformers": "EncodecModel.from_pretrained({folder!r}) loads it",
    "official": "load() of {folder}/load_encodec.py gives an encodec.EncodecModel of it",
}
