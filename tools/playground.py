"""Lay out what the playground needs beside the built book.

    python tools/playground.py _build/html/playground        after `make book`, which runs it

The codec as ONNX, made from the shipped weights; what predicts its codes; the scripts; and ONNX
Runtime Web from npm, by npm's own client, in the version and with the checksum stated here. Where
npm is missing, or cannot reach it, all but the runtime is laid out, and the page says so.
"""

import gzip
import json
import os
import shutil
import sys
import tarfile
from importlib import metadata
from pathlib import Path
from typing import Any

import npm_package
from npm_package import CACHE, PackageMissing

from minicodec import load
from minicodec.bits.language_model_file import SHIPPED_LM
from minicodec.bits.prior_file import prior_json
from minicodec.model.checkpoint import SHIPPED, facts
from minicodec.model.onnx_export import export_onnx

ROOT = Path(__file__).resolve().parent.parent
MODEL = "mini_24khz"
RUNTIME = "onnxruntime-web@1.30.0"
RUNTIME_SHA512 = (
    "ab4cbe26baedba45d2cec05610c71c55fa97db92d19a8b171c5f8269126683ca"
    "590a5cdc57bb2f35ce2b298de32f4d956fb42644c0ecd528a0a91e025c07ca61"
)
#: What of the runtime is used: its script, and its program for processors with vectors.
SCRIPT, PROGRAM = "ort.wasm.bundle.min.mjs", "ort-wasm-simd-threaded.wasm"
CLIPS = {
    "speech_en": "Speech, English",
    "speech_de": "Speech, German",
    "speech_fr": "Speech, French",
    "speech_ja": "Speech, Japanese",
    "speech_robot": "A robot",
    "music": "Music",
    "piano": "Piano",
    "quartet": "String quartet",
    "drums": "Drums",
    "hard": "A hard one",
    "noise": "Noise",
    "sweep": "A sweep",
}
#: All that may be fetched, in bytes; what the page says it will fetch is less.
MOST = 20_000_000

MIT = """\
Permission is hereby granted, free of charge, to any person obtaining a copy of this software and
associated documentation files (the "Software"), to deal in the Software without restriction,
including without limitation the rights to use, copy, modify, merge, publish, distribute,
sublicense, and/or sell copies of the Software, and to permit persons to whom the Software is
furnished to do so, subject to the following conditions:

The above copyright notice and this permission notice shall be included in all copies or
substantial portions of the Software.

THE SOFTWARE IS PROVIDED "AS IS", WITHOUT WARRANTY OF ANY KIND, EXPRESS OR IMPLIED, INCLUDING BUT
NOT LIMITED TO THE WARRANTIES OF MERCHANTABILITY, FITNESS FOR A PARTICULAR PURPOSE AND
NONINFRINGEMENT. IN NO EVENT SHALL THE AUTHORS OR COPYRIGHT HOLDERS BE LIABLE FOR ANY CLAIM,
DAMAGES OR OTHER LIABILITY, WHETHER IN AN ACTION OF CONTRACT, TORT OR OTHERWISE, ARISING FROM, OUT
OF OR IN CONNECTION WITH THE SOFTWARE OR THE USE OR OTHER DEALINGS IN THE SOFTWARE.
"""


def main() -> int:
    if len(sys.argv) != 2:
        print(__doc__)
        return 2
    target = Path(sys.argv[1])
    try:
        index = lay_out(target)
    except NotOurs as error:
        print(error)
        return 1
    if not index["runtime"]:
        print(index["why"])
    total = sum(file.stat().st_size for file in target.rglob("*") if file.is_file())
    print(f"The playground takes {total / 1e6:.1f} MB in {target}")
    if total > MOST:
        print(f"That is more than {MOST / 1e6:.0f} MB.")
        return 1
    return 0


def lay_out(target: Path) -> dict[str, Any]:
    """Write everything to a folder; what its `index.json` says.

    The folder appears whole or not at all, in place of what an earlier call wrote there.

    Raises:
        NotOurs: if the folder holds anything else.
    """
    target = target.resolve()
    empty = not target.exists() or (target.is_dir() and not any(target.iterdir()))
    if not empty and not is_playground(target):
        raise NotOurs(
            f"{target} holds something else than a playground: remove it, or name another."
        )
    part = target.with_name(f"{target.name}.part")
    shutil.rmtree(part, ignore_errors=True)
    part.mkdir(parents=True)
    index = write(part)
    shutil.rmtree(target, ignore_errors=True)
    part.rename(target)
    return index


def is_playground(folder: Path) -> bool:
    """Whether `lay_out` has written this folder."""
    try:
        index = json.loads((folder / "index.json").read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return False
    return isinstance(index, dict) and index.get("model") == f"model/{MODEL}.json"


def write(target: Path) -> dict[str, Any]:
    """Write everything to an empty folder."""
    scripts(target)
    index: dict[str, Any] = {"model": f"model/{MODEL}.json", "clips": clips(target)}
    index["codec"] = codec(target)
    index |= predictors(target)
    try:
        index["runtime"] = runtime(target)
    except PackageMissing as error:
        index |= {"runtime": None, "why": f"This copy of the book was built without {error}."}
    (target / "LICENCES.txt").write_text(licences(), encoding="utf-8")
    index["sizes"] = {
        file.relative_to(target).as_posix(): file.stat().st_size
        for file in sorted(target.rglob("*"))
        if file.is_file()
    }
    (target / "index.json").write_text(json.dumps(index, indent=1) + "\n", encoding="utf-8")
    return index


class NotOurs(Exception):
    """A folder that must not be emptied."""


def scripts(target: Path) -> None:
    """The players' scripts and the playground's, side by side as in the package.

    Not every host knows that `.mjs` is a script, and browsers refuse modules that are served as
    anything else, so they are called `.js`.
    """
    web = ROOT / "minicodec" / "listening" / "web"
    for file in web.rglob("*"):
        if file.suffix in (".mjs", ".css"):
            text = file.read_text(encoding="utf-8").replace('.mjs"', '.js"')
            place = target / "web" / file.relative_to(web)
            place.parent.mkdir(parents=True, exist_ok=True)
            place.with_suffix(file.suffix.replace("mjs", "js")).write_text(text, encoding="utf-8")


def codec(target: Path) -> list[str]:
    """The shipped codec as ONNX; the files that are fetched to open it."""
    written = export_onnx(SHIPPED[MODEL], target / "model", MODEL)
    return [path.relative_to(target).as_posix() for path in written]


def predictors(target: Path) -> dict[str, str]:
    """What predicts the codec's codes: its counts, and its language model if one ships."""
    name = f"model/{MODEL}_prior.json"
    (target / name).write_text(prior_json(load(MODEL)), encoding="utf-8")
    found = {"histogram": name}
    if MODEL in SHIPPED_LM:
        found["lm"] = f"model/{MODEL}_lm.safetensors"
        shutil.copyfile(SHIPPED_LM[MODEL], target / found["lm"])
    return found


def clips(target: Path) -> list[dict[str, str]]:
    """The shipped clips, which lie in the book already."""
    static = os.path.relpath(target.parent / "_static" / "clips", target)
    return [{"title": title, "file": f"{static}/{name}.flac"} for name, title in CLIPS.items()]


def runtime(target: Path) -> dict[str, str]:
    """ONNX Runtime Web; its program is packed, since few hosts do that on the way."""
    package = fetched()
    place = target / "runtime"
    place.mkdir()
    script, packed = SCRIPT.replace(".mjs", ".js"), f"{PROGRAM}.gz"
    with tarfile.open(package) as archive:
        for name, write in ((SCRIPT, script), (PROGRAM, packed)):
            member = archive.extractfile(f"package/dist/{name}")
            assert member is not None
            data = member.read()
            if write == packed:
                data = gzip.compress(data, 9, mtime=0)
            (place / write).write_bytes(data)
    return {"module": f"runtime/{script}", "wasm": f"runtime/{packed}", "version": RUNTIME}


def fetched() -> Path:
    """The package as npm's client brings it, checked; kept for the next build."""
    return npm_package.fetched(RUNTIME, RUNTIME_SHA512, "ONNX Runtime Web", CACHE)


def licences() -> str:
    """Of everything that is passed on here and is not the book's own."""
    model = facts(SHIPPED[MODEL])
    notices = ""
    try:
        files = metadata.files("onnxruntime") or []
        found = [file for file in files if file.name == "ThirdPartyNotices.txt"]
        notices = found[0].read_text() if found else ""
    except metadata.PackageNotFoundError:
        pass
    return (
        f"The scripts in web/ and the graphs in model/: MIT, minicodec contributors.\n\n"
        f"The weights of {MODEL}: {model['licence']}. Trained on: {model['data']}.\n\n"
        f"runtime/ is {RUNTIME} (https://onnxruntime.ai), MIT License, "
        f"Copyright (c) Microsoft Corporation.\n\n{MIT}\n"
        f"ONNX Runtime contains the work of others:\n\n"
        f"{notices or 'see ThirdPartyNotices.txt in its repository.'}"
    )


if __name__ == "__main__":
    sys.exit(main())
