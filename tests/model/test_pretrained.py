"""Official weights from files and from a server, and what happens when either is wrong."""

import dataclasses
import hashlib
import json
import pickle
import socket
import threading
from contextlib import suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
import torch
from encodec import EncodecModel
from safetensors.torch import save_file

from minicodec.model import pretrained
from minicodec.model.checkpoint import CheckpointError, fingerprint, save_codec
from minicodec.model.codec import Codec
from minicodec.model.config import MINI_24KHZ, CodecConfig
from minicodec.model.pretrained import (
    Official,
    UnknownModel,
    config_of,
    convert,
    load,
    load_named,
)

pytestmark = [
    pytest.mark.filterwarnings("ignore:.*weight_norm. is deprecated"),
    pytest.mark.filterwarnings("ignore:Detected pickle protocol"),
]


@pytest.fixture(scope="module")
def files(tmp_path_factory) -> dict[str, Path]:
    """Random weights in both official formats, as `torch.save` writes them."""
    folder = tmp_path_factory.mktemp("official")
    torch.manual_seed(0)
    paths = {}
    for name in pretrained.OFFICIAL:
        model = getattr(EncodecModel, name.replace("_", "_model_"))(pretrained=False)
        paths[name] = folder / f"{name}.th"
        torch.save(model.state_dict(), paths[name])
    return paths


@pytest.mark.parametrize("name", pretrained.OFFICIAL)
def test_a_file_of_the_official_release(files, name):
    codec = load(name, path=files[name])
    assert codec.name == name and codec.config is pretrained.OFFICIAL[name].config
    assert not codec.training and not any(p.requires_grad for p in codec.parameters())
    audio = torch.randn(1, codec.config.channels, 2000)
    codes, scales = codec.encode_scaled(audio, 6.0)
    assert torch.isfinite(codec.decode(codes, scales)).all()


def test_a_file_of_transformers(tmp_path):
    from transformers import EncodecConfig
    from transformers import EncodecModel as Theirs

    theirs = Theirs(EncodecConfig()).eval()
    for layer in theirs.quantizer.layers:
        layer.codebook.embed.normal_()
    theirs.save_pretrained(tmp_path)
    codec = load("encodec_24khz", path=tmp_path / "model.safetensors")
    audio = torch.randn(1, 1, 2000)
    with torch.no_grad():
        assert torch.equal(codec.encode(audio, 6.0), theirs.encode(audio, bandwidth=6.0)[0][0])
    folder = load("encodec_24khz", path=tmp_path)
    assert torch.equal(folder.encode(audio, 6.0), codec.encode(audio, 6.0))


def refused(path: Path, words: str, name: str = "encodec_24khz") -> None:
    with pytest.raises(CheckpointError, match=words) as error:
        load(name, path=path)
    assert str(path) in str(error.value) and "\n" not in str(error.value)


def test_the_other_models_file(files, tiny, tmp_path):
    refused(files["encodec_48khz"], "encoder.layers.0.weight has shape|has no|has encoder")
    refused(files["encodec_24khz"], "has no|has shape", "encodec_48khz")
    save_codec(tiny, tmp_path / "tiny.safetensors")
    refused(tmp_path / "tiny.safetensors", "has shape|has no|tensors, too few")


def test_files_that_are_no_models(files, tmp_path):
    path = tmp_path / "weights.th"
    refused(path, "no such file")
    refused(tmp_path, "no such file")
    whole = files["encodec_24khz"].read_bytes()
    contents = [b"", b"words " * 100, whole[:1000], whole[: len(whole) // 2], whole[:-10]]
    for content in contents:
        path.write_bytes(content)
        refused(path, "neither safetensors nor a file of tensors")
    for thing in ([1, 2], {"epoch": 3}, torch.zeros(3), {"best_state": {"x": torch.zeros(1)}}):
        torch.save(thing, path)
        refused(path, "holds no state_dict")
    torch.save({3: torch.zeros(3)}, path)
    refused(path, "holds no state_dict")
    save_file({"x": torch.zeros(3)}, path)
    refused(path, "has 1 tensors, too few")


def test_a_length_without_its_direction(files, tmp_path):
    state = torch.load(files["encodec_24khz"], weights_only=True)
    del state["encoder.model.0.conv.conv.weight_v"]
    torch.save(state, tmp_path / "half.th")
    with pytest.raises(CheckpointError, match="encoder.layers.0.weight_g has no .*weight_v"):
        load("encodec_24khz", path=tmp_path / "half.th")


class Runs:
    """What a pickle runs when it is read: here, the making of a file."""

    def __init__(self, path: Path):
        self.path = path

    def __reduce__(self):
        return (Path.touch, (self.path,))


@pytest.mark.parametrize("protocol", [2, 4])
@pytest.mark.parametrize("zipped", [True, False])
def test_code_in_a_file_does_not_run(tmp_path, protocol, zipped):
    witness, path = tmp_path / "it_ran", tmp_path / "weights.th"
    torch.save({"x": Runs(witness)}, path, pickle_protocol=protocol,
               _use_new_zipfile_serialization=zipped)  # fmt: skip
    refused(path, "neither safetensors nor a file of tensors")
    path.write_bytes(pickle.dumps({"x": Runs(witness)}, protocol=protocol))
    refused(path, "neither safetensors nor a file of tensors")
    assert not witness.exists()
    pickle.loads(path.read_bytes())  # the trap works, where it is stepped on
    assert witness.exists()


def test_damaged_bytes_give_one_kind_of_error(tmp_path):
    """Bit flips all over a small file: refused as a checkpoint, or read as other numbers."""
    path = tmp_path / "weights.th"
    torch.save({"x": torch.zeros(3)}, path)
    whole = path.read_bytes()
    for place in range(0, len(whole), 7):
        damaged = bytearray(whole)
        damaged[place] ^= 1 << place % 8
        path.write_bytes(damaged)
        with pytest.raises(CheckpointError):
            load("encodec_24khz", path=path)


def test_names():
    with pytest.raises(ValueError, match="no model 'encodec': use mini_24khz, encodec_24khz, enc"):
        load("encodec")
    with pytest.raises(ValueError, match="path= goes with an official model, .* not 'mini_24khz'"):
        load("mini_24khz", path="x.th")
    with pytest.raises(CheckpointError, match="gone.safetensors: no such file"):
        load("gone.safetensors")


def test_the_config_of_everything_that_can_be_named(tiny, tmp_path, monkeypatch):
    monkeypatch.setattr(pretrained, "_download", lambda _: pytest.fail("it began to download"))
    save_codec(tiny, tmp_path / "tiny.safetensors")
    assert config_of(tmp_path / "tiny.safetensors") == tiny.config
    assert config_of("mini_24khz") == MINI_24KHZ
    for name, official in pretrained.OFFICIAL.items():
        assert config_of(name) is official.config
    with pytest.raises(ValueError, match="no model 'encodec'"):
        config_of("encodec")


def test_a_stream_may_name_what_everybody_knows(tiny, tmp_path, monkeypatch):
    """Its header is a stranger's word: never a path, whatever it looks like."""
    monkeypatch.chdir(tmp_path)
    save_codec(tiny, "tiny.safetensors")
    a_run(tmp_path / "run", tiny.config)
    assert load_named("mini_24khz").config == config_of("mini_24khz")
    for name in (
        "tiny.safetensors",
        str(tmp_path / "tiny.safetensors"),
        "run",
        ".",
        "",
        "/dev/zero",
    ):
        with pytest.raises(UnknownModel, match="is not one of mini_24khz, encodec_24khz, enc"):
            load_named(name)


# --- training runs


def a_run(folder: Path, config: CodecConfig, *kinds: str, step: int = 1) -> dict[str, Codec]:
    """A folder as training leaves it, with a checkpoint of one or more codecs."""
    folder.mkdir(exist_ok=True)
    (folder / "config.json").write_text(json.dumps({"codec": dataclasses.asdict(config)}))
    codecs = {kind: Codec(config).train() for kind in kinds or ("codec",)}
    tensors = {
        f"{kind}.{key}": value.clone()
        for kind, codec in codecs.items()
        for key, value in codec.state_dict().items()
    }
    tensors["adam.0.step"] = torch.tensor(3.0)
    save_file(tensors, folder / f"step_{step:08d}.safetensors", {"state": "{}"})
    return codecs


def same_codes(a: Codec, b: Codec) -> bool:
    audio = torch.randn(1, a.config.channels, 4000)
    return torch.equal(a.eval().encode(audio), b.eval().encode(audio))


def test_a_run_is_its_newest_checkpoint(tiny, tmp_path):
    a_run(tmp_path / "mine", tiny.config, step=9)
    newest = a_run(tmp_path / "mine", tiny.config, step=10)["codec"]
    codec = load(tmp_path / "mine")
    assert codec.name == "mine" and codec.config == config_of(tmp_path / "mine") == tiny.config
    assert not codec.training and not any(p.requires_grad for p in codec.parameters())
    assert fingerprint(codec) == fingerprint(newest) and same_codes(codec, newest)


def test_averaged_weights_are_preferred(tiny, tmp_path):
    codecs = a_run(tmp_path / "mine", tiny.config, "codec", "averaged", "judge")
    assert fingerprint(load(tmp_path / "mine")) == fingerprint(codecs["averaged"])


def test_a_damaged_checkpoint_is_passed_over_with_a_warning(tiny, tmp_path):
    whole = a_run(tmp_path, tiny.config, step=1)["codec"]
    a_run(tmp_path, tiny.config, step=2)
    newest = tmp_path / "step_00000002.safetensors"
    newest.write_bytes(newest.read_bytes()[:1000])
    with pytest.warns(UserWarning, match="step_00000002.safetensors is damaged and passed over"):
        assert fingerprint(load(tmp_path)) == fingerprint(whole)
    (tmp_path / "step_00000001.safetensors").unlink()
    with (
        pytest.warns(UserWarning, match="passed over"),
        pytest.raises(CheckpointError, match="no whole checkpoint: all 1 are damaged"),
    ):
        load(tmp_path)


def test_folders_that_are_no_runs(tiny, tmp_path):
    with pytest.raises(CheckpointError, match="is a folder, but none of a training run"):
        load(tmp_path)
    for text in ("{", "[]", "{}", '{"codec": 3}', '{"codec": {"wings": 2}}'):
        (tmp_path / "config.json").write_text(text)
        with pytest.raises(CheckpointError, match="config.json is not the config of a training"):
            load(tmp_path)
    a_run(tmp_path, tiny.config)
    (tmp_path / "step_00000001.safetensors").unlink()
    with pytest.raises(CheckpointError, match="stopped before it wrote its first one"):
        load(tmp_path)
    a_run(tmp_path, tiny.config)
    a_run(tmp_path / "other", pretrained.ENCODEC_24KHZ)
    (tmp_path / "config.json").write_bytes((tmp_path / "other/config.json").read_bytes())
    with pytest.raises(CheckpointError, match="step_00000001.safetensors.* has|too few"):
        load(tmp_path)


def test_a_file_of_ours_by_its_path(tiny, tmp_path):
    save_codec(tiny, tmp_path / "mine.safetensors")
    for name in (tmp_path / "mine.safetensors", str(tmp_path / "mine.safetensors")):
        assert fingerprint(load(name, device="cpu")) == fingerprint(tiny)


def test_convert_names_every_tensor():
    state = EncodecModel.encodec_model_48khz(pretrained=False).state_dict()
    assert all(key.startswith(("encoder.layers", "decoder.layers", "quantizer.codebooks"))
               for key in convert(state))  # fmt: skip


class Server:
    """A local server whose next answer a test chooses."""

    def __init__(self, body: bytes):
        self.body, self.mode, self.requests = body, "good", 0
        owner = self

        class Handler(BaseHTTPRequestHandler):
            timeout = 60  # or it would inherit what the download sets for its own side

            def do_GET(self):
                owner.requests += 1
                body, mode = owner.body, owner.mode
                if mode == "404":
                    return self.send_error(404)
                if mode == "silent":
                    return owner.wait.wait(20)
                self.send_response(200)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                if mode == "wrong":
                    self.wfile.write(bytes(len(body)))
                elif mode == "good":
                    self.wfile.write(body)
                else:
                    self.wfile.write(body[: len(body) // 2])
                    if mode == "reset":  # closing with l_linger 0 sends RST instead of FIN
                        self.wfile.flush()
                        self.connection.setsockopt(
                            socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0"
                        )
                        self.connection.close()
                    if mode == "stalled":
                        self.wfile.flush()
                        owner.wait.wait(20)

            def log_message(self, *_):
                pass

            def handle(self):
                with suppress(OSError, ValueError):  # the client hung up, or we did
                    super().handle()

            def finish(self):
                with suppress(OSError, ValueError):
                    super().finish()

        self.wait = threading.Event()
        self.http = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.http.daemon_threads = True
        threading.Thread(target=self.http.serve_forever, daemon=True).start()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.http.server_port}/"


@pytest.fixture
def server(files, tmp_path, monkeypatch):
    body = files["encodec_24khz"].read_bytes()
    server = Server(body)
    digest = hashlib.sha256(body).hexdigest()[:8]
    official = Official(pretrained.ENCODEC_24KHZ, f"encodec_24khz-{digest}.th")
    monkeypatch.setitem(pretrained.OFFICIAL, "encodec_24khz", official)
    monkeypatch.setenv("MINICODEC_OFFICIAL_URL", server.url)
    monkeypatch.setenv("MINICODEC_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr(pretrained, "_TIMEOUT", 0.5)
    yield server
    server.wait.set()
    server.http.shutdown()
    server.http.server_close()


def cached(tmp_path: Path) -> list[Path]:
    return list((tmp_path / "cache").iterdir()) if (tmp_path / "cache").exists() else []


def test_a_download_is_made_once(server, files, tmp_path):
    codec = load("encodec_24khz")
    assert server.requests == 1
    assert fingerprint(codec) == fingerprint(load("encodec_24khz", path=files["encodec_24khz"]))
    load("encodec_24khz")
    assert server.requests == 1
    (path,) = cached(tmp_path)
    path.write_bytes(path.read_bytes()[:-1])  # damaged on disk: fetched anew
    load("encodec_24khz")
    assert server.requests == 2


@pytest.mark.parametrize(
    ("mode", "words"),
    [
        ("404", "could not be downloaded .*404"),
        ("cut", "not the official file: it is cut short|could not be downloaded"),
        ("wrong", "not the official file"),
        ("reset", "could not be downloaded|cut short"),
        ("silent", "could not be downloaded .*timed out"),
        ("stalled", "could not be downloaded .*timed out"),
    ],
)
def test_a_failed_download_leaves_nothing_and_the_next_works(server, tmp_path, mode, words):
    server.mode = mode
    before = socket.getdefaulttimeout()
    with pytest.raises(ValueError, match=words) as error:
        load("encodec_24khz")
    assert server.url in str(error.value) and "\n" not in str(error.value)
    assert cached(tmp_path) == []
    assert socket.getdefaulttimeout() == before
    server.mode = "good"
    assert load("encodec_24khz").name == "encodec_24khz"


def test_no_server_and_no_folder(server, tmp_path, monkeypatch):
    monkeypatch.setenv("MINICODEC_OFFICIAL_URL", "http://127.0.0.1:9/")
    with pytest.raises(ValueError, match="could not be downloaded .*refused"):
        load("encodec_24khz")
    (tmp_path / "file").write_text("not a folder")
    monkeypatch.setenv("MINICODEC_CACHE", str(tmp_path / "file"))
    with pytest.raises(ValueError, match="could not be downloaded"):
        load("encodec_24khz")


def test_where_downloads_are_kept(monkeypatch, tmp_path):
    monkeypatch.delenv("MINICODEC_CACHE", raising=False)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    assert pretrained.cache_folder() == tmp_path / "minicodec"
