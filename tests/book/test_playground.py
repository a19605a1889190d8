"""What is laid out for the playground: complete, small, and honest about what is missing."""

import hashlib
import io
import json
import re
import subprocess
import tarfile

import npm_package
import playground
import pytest

from minicodec.bits.container import StreamBytes
from minicodec.model.checkpoint import SHIPPED, fingerprint
from minicodec.model.pretrained import load

WITHOUT = "ONNX Runtime Web, for there was no npm to bring it"


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    """All but the runtime, which needs npm and a network."""
    folder = tmp_path_factory.mktemp("site") / "playground"
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(playground, "fetched", missing)
        index = playground.lay_out(folder)
    return folder, index


def missing():
    raise npm_package.PackageMissing(WITHOUT)


def test_without_npm_all_but_the_runtime_is_there_and_the_page_will_say_so(site):
    folder, index = site
    assert index["runtime"] is None
    assert index["why"] == f"This copy of the book was built without {WITHOUT}."
    assert json.loads((folder / "index.json").read_text()) == index


def test_it_names_files_that_exist_with_their_sizes(site):
    folder, index = site
    for name in [*index["codec"], index["model"], index["histogram"], index["lm"]]:
        assert index["sizes"][name] == (folder / name).stat().st_size
    assert sum(index["sizes"].values()) < playground.MOST - 4_000_000  # the runtime's share
    for clip in index["clips"]:
        shipped = playground.ROOT / "book" / "_static" / "clips" / clip["file"].split("/")[-1]
        assert shipped.exists() and clip["file"].startswith("../_static/clips/")


def test_page_and_package_have_the_very_same_weights(site):
    folder, index = site
    weights = (folder / "model" / "mini_24khz.safetensors").read_bytes()
    assert weights == SHIPPED["mini_24khz"].read_bytes()
    model = json.loads((folder / index["model"]).read_text())
    assert bytes.fromhex(model["fingerprint"]) == fingerprint(load("mini_24khz"))
    header = StreamBytes(io.BytesIO(b"".join(_stream()))).header
    assert header.fingerprint.hex() == model["fingerprint"]
    prior = json.loads((folder / index["histogram"]).read_text())
    assert header.entropy_fingerprint.hex() == prior["fingerprint"]


def _stream():
    import torch

    from minicodec.bits.bitstream import compress

    yield compress(load("mini_24khz"), torch.zeros(1, 1, 320), 1.5, "histogram")


def test_every_script_is_called_js_and_imports_what_is_there(site):
    folder, _ = site
    scripts = list((folder / "web").rglob("*.js"))
    assert len(scripts) > 30 and not list(folder.rglob("*.mjs"))
    for script in scripts:
        text = script.read_text()
        assert '.mjs"' not in text
        for name in re.findall(r'(?:from|import|new URL\()\s*"(\.{0,2}[\w./]+\.js)"', text):
            assert (script.parent / name).resolve().exists(), f"{script.name}: {name}"


def test_the_page_loads_scripts_and_styles_that_are_there(site):
    folder, _ = site
    page = (playground.ROOT / "book" / "playground.md").read_text()
    loaded = re.findall(r'(?:src|href)="\.\./playground/([^"]+)"', page)
    assert len(loaded) >= 4
    for name in loaded:
        assert (folder / name).exists(), name
    assert not re.search(r'(src|href)="https?:', page)


def test_licences_stand_beside_it(site):
    text = (site[0] / "LICENCES.txt").read_text()
    for words in ("MIT", "Microsoft Corporation", "LibriSpeech", "WITHOUT WARRANTY"):
        assert words in text


def package(**files: bytes) -> bytes:
    file = io.BytesIO()
    with tarfile.open(fileobj=file, mode="w:gz") as archive:
        for name, data in files.items():
            member = tarfile.TarInfo(f"package/dist/{name}")
            member.size = len(data)
            archive.addfile(member, io.BytesIO(data))
    return file.getvalue()


def test_what_npm_brings_is_compared_with_the_checksum(tmp_path, monkeypatch):
    kept = tmp_path / f"{playground.RUNTIME.replace('@', '-')}.tgz"
    monkeypatch.setattr(playground, "CACHE", tmp_path)
    kept.write_bytes(b"something else")
    with pytest.raises(
        npm_package.PackageMissing, match=r"what npm brought is not onnxruntime-web"
    ):
        playground.fetched()
    assert not kept.exists()
    data = package(**{playground.SCRIPT: b"export const a = 1;", playground.PROGRAM: b"\0asm" * 99})
    kept.write_bytes(data)
    monkeypatch.setattr(playground, "RUNTIME_SHA512", hashlib.sha512(data).hexdigest())
    target = tmp_path / "site"
    target.mkdir()
    named = playground.runtime(target)
    assert (target / named["module"]).read_bytes() == b"export const a = 1;"
    assert (target / named["wasm"]).read_bytes()[:2] == b"\x1f\x8b"


@pytest.mark.parametrize("status", [0, 1])
def test_an_npm_that_brings_nothing_is_said(tmp_path, monkeypatch, status):
    monkeypatch.setattr(playground, "CACHE", tmp_path)
    npm = tmp_path / "npm"
    npm.write_text(f"#!/bin/sh\nexit {status}\n")
    npm.chmod(0o755)
    monkeypatch.setattr(npm_package.shutil, "which", lambda *_, **__: str(npm))
    with pytest.raises(npm_package.PackageMissing, match="npm could not bring it"):
        playground.fetched()
    monkeypatch.setattr(npm_package.shutil, "which", lambda *_, **__: None)
    with pytest.raises(npm_package.PackageMissing, match="no npm"):
        playground.fetched()


def test_a_folder_of_others_is_not_emptied(tmp_path, capsys, monkeypatch):
    diary = tmp_path / "diary.txt"
    diary.write_text("dear")
    monkeypatch.setattr("sys.argv", ["playground.py", str(tmp_path)])
    assert playground.main() == 1
    assert "holds something else than a playground" in capsys.readouterr().out
    assert diary.read_text() == "dear"


def test_an_npm_that_hangs_is_a_missing_runtime(tmp_path, monkeypatch):
    def hangs(command, **_):
        raise subprocess.TimeoutExpired(command[0], 600)

    monkeypatch.setattr(playground, "CACHE", tmp_path)
    monkeypatch.setattr(npm_package.shutil, "which", lambda *_, **__: "npm")
    monkeypatch.setattr(npm_package.subprocess, "run", hangs)
    with pytest.raises(npm_package.PackageMissing, match="npm did not bring it"):
        playground.fetched()
