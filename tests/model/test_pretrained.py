"""Official weights from files and from a server, and what happens when either is wrong."""

import copy
import dataclasses
import hashlib
import json
import pickle
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
import torch
from encodec import EncodecModel
from safetensors import safe_open
from safetensors.torch import load_file, save_file
from server import Server

from minicodec.model import pretrained
from minicodec.model.checkpoint import CheckpointError, fingerprint, save_codec
from minicodec.model.codec import Codec
from minicodec.model.config import MINI_24KHZ, CodecConfig
from minicodec.model.export import export
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


@pytest.mark.parametrize(
    "pair",
    [
        (torch.ones(2, 1, 1), None),
        (torch.ones(2, 1, 1), torch.tensor(1.0)),
        (torch.ones(2), torch.ones(2)),
        (torch.tensor(1.0), torch.ones(2, 3, 4)),
        (torch.ones(2, 1, 1), torch.ones(3, 3, 4)),
        (torch.ones(2, 1, 1), torch.ones(2, 3, 4, dtype=torch.int64)),
        (torch.ones(2, 1, 1), torch.ones(2, 3, 4, dtype=torch.complex64)),
        (torch.ones(2, 1, 1, dtype=torch.bool), torch.ones(2, 3, 4)),
    ],
    ids=str,
)
def test_lengths_and_directions_that_do_not_fit(pair):
    length, direction = pair
    state = {"a.weight_g": length} | ({} if direction is None else {"a.weight_v": direction})
    with pytest.raises(CheckpointError, match="a.weight_g has no a.weight_v that fits it"):
        convert(state)


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
    with pytest.raises(ValueError, match="no model 'encodec': use mini_24khz, mini_24khz_adv"):
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
        with pytest.raises(UnknownModel, match="is not one of mini_24khz, mini_24khz_adv"):
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


# --- folders of save_pretrained; `test_export.py` has those that are right


@pytest.fixture
def saved(tiny, tmp_path) -> Path:
    export(tiny, tmp_path / "saved")
    return tmp_path / "saved"


def folder_refused(folder: Path, words: str) -> None:
    with pytest.raises(CheckpointError, match=words) as error:
        load(folder)
    assert str(folder) in str(error.value) and "\n" not in str(error.value)


@pytest.mark.parametrize("other", ["pytorch_model.bin", "model.safetensors.index.json"])
def test_weights_in_files_that_we_do_not_read(saved, other):
    (saved / "model.safetensors").rename(saved / other)
    folder_refused(saved, f"holds its weights in {other}: load it with transformers, and save it")
    with pytest.raises(CheckpointError, match="save it again in one safetensors file"):
        load("encodec_24khz", path=saved)


def test_an_official_model_that_we_exported_is_taken_as_it_is(files, tmp_path):
    """By either way in: to divide by lengths and multiply again is not exact on every machine."""
    export(load("encodec_24khz", path=files["encodec_24khz"]), tmp_path / "out")
    file = tmp_path / "out" / "model.safetensors"
    with safe_open(file, "pt") as opened:
        metadata = opened.metadata()
    state, name = load_file(file), "encoder.layers.0.conv.weight"
    state[f"{name}_g"] *= 1 + 1e-6  # as if this were a machine that sums squares otherwise
    save_file(state, file, metadata)
    for codec in (
        load(tmp_path / "out"),
        load("encodec_24khz", path=tmp_path / "out"),
        load("encodec_24khz", path=file),
    ):
        assert torch.equal(codec.encoder.layers[0].weight, state[f"{name}_v"])


def test_a_saved_folder_without_its_weights_or_with_half_of_them(saved):
    file = saved / "model.safetensors"
    file.write_bytes(file.read_bytes()[:1000])
    folder_refused(saved, "is not a whole safetensors file")
    file.unlink()
    folder_refused(saved, "model.safetensors: no such file")


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"model_type": "dac"}, "config.json: of transformers' models EncodecModel alone"),
        ({"kernel_size": 5}, "config.json: its kernel_size is 5, but our layers know 7"),
        ({"num_filters": 6}, r"encoder.layers.0.weight has shape \[2, 1, 7\], but the config"),
        ({"num_filters": "many"}, "config.json: a codec's n_filters is an integer"),
        ({"num_residual_layers": 2}, "has 128 tensors, too few for the 138"),
        ({"upsampling_ratios": [8, 5, 4]}, r"encoder.layers.3.weight has shape \[4, 2, 4\]"),
        ({"target_bandwidths": [1e4]}, "config.json: .*at most 1024 codebooks"),
        (
            {"codebook_size": 1 << 16, "hidden_size": 4096, "codebook_dim": 4096},
            r"encoder.layers.15.weight has shape \[8, 32, 7\]",
        ),
    ],
    ids=str,
)
def test_a_saved_config_that_is_not_of_these_weights(saved, change, words):
    values = json.loads((saved / "config.json").read_text())
    (saved / "config.json").write_text(json.dumps(values | change))
    folder_refused(saved, words)


def test_a_saved_folder_that_says_nothing_or_too_much(saved):
    for text in ("", "[]", "{", '{"model_type"', " " * (2 << 20)):
        (saved / "config.json").write_text(text)
        folder_refused(saved, "config.json is not the config of a training run or of save_pretrain")


def test_a_saved_name_does_nothing_on_a_screen(tiny, tmp_path):
    tiny = copy.deepcopy(tiny)
    tiny.name = "\x1b[31mred" + "x" * 500
    export(tiny, tmp_path / "out")
    name = load(tmp_path / "out").name
    assert "\x1b" not in name and len(name) <= 300


def test_a_file_of_ours_by_its_path(tiny, tmp_path):
    save_codec(tiny, tmp_path / "mine.safetensors")
    for name in (tmp_path / "mine.safetensors", str(tmp_path / "mine.safetensors")):
        assert fingerprint(load(name, device="cpu")) == fingerprint(tiny)


def test_convert_names_every_tensor():
    state = EncodecModel.encodec_model_48khz(pretrained=False).state_dict()
    assert all(key.startswith(("encoder.layers", "decoder.layers", "quantizer.codebooks"))
               for key in convert(state))  # fmt: skip


@pytest.fixture
def server(files, tmp_path, monkeypatch):
    body = files["encodec_24khz"].read_bytes()
    server = Server(body)
    digest = hashlib.sha256(body).hexdigest()[:8]
    official = Official(pretrained.ENCODEC_24KHZ, f"encodec_24khz-{digest}.th")
    monkeypatch.setitem(pretrained.OFFICIAL, "encodec_24khz", official)
    monkeypatch.setenv("MINICODEC_OFFICIAL_URL", server.url)
    monkeypatch.setenv("MINICODEC_CACHE", str(tmp_path / "cache"))
    yield server
    server.close()


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


def test_a_failed_download_leaves_nothing_and_the_next_works(server, tmp_path):
    server.mode = "wrong"
    with pytest.raises(ValueError, match="not the official file") as error:
        load("encodec_24khz")
    assert server.url in str(error.value) and "\n" not in str(error.value)
    assert cached(tmp_path) == []
    server.mode = "good"
    assert load("encodec_24khz").name == "encodec_24khz"


def test_no_server_and_no_folder(server, tmp_path, monkeypatch):
    monkeypatch.setenv("MINICODEC_OFFICIAL_URL", "http://127.0.0.1:9/")
    with pytest.raises(ValueError, match="could not be downloaded .*refused"):
        load("encodec_24khz")
    (tmp_path / "file").write_text("not a folder")
    monkeypatch.setenv("MINICODEC_CACHE", str(tmp_path / "file"))
    with pytest.raises(ValueError, match="cannot be made"):
        load("encodec_24khz")


def test_where_downloads_are_kept(monkeypatch, tmp_path):
    monkeypatch.delenv("MINICODEC_CACHE", raising=False)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    assert pretrained.cache_folder() == tmp_path / "minicodec"
    for empty in ("MINICODEC_CACHE", "XDG_CACHE_HOME"):
        monkeypatch.setenv(empty, "")
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    assert pretrained.cache_folder() == tmp_path / "home/.cache/minicodec"


def test_a_user_without_a_home_needs_none_if_a_cache_is_named(monkeypatch, tmp_path):
    def home(cls):
        raise RuntimeError("Could not determine home directory.")

    monkeypatch.setattr(Path, "home", classmethod(home))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    monkeypatch.delenv("MINICODEC_CACHE", raising=False)
    assert pretrained.cache_folder() == tmp_path / "minicodec"
    monkeypatch.delenv("XDG_CACHE_HOME")
    with pytest.raises(ValueError, match="name a folder in MINICODEC_CACHE"):
        load("encodec_24khz")


def test_two_downloads_into_one_cache_are_each_whole(server, tmp_path):
    """They meet at the server, which answers when both have asked."""
    both, answer = threading.Barrier(2), server.http.RequestHandlerClass.do_GET

    def together(handler):
        both.wait(20)
        answer(handler)

    server.http.RequestHandlerClass.do_GET = together
    with ThreadPoolExecutor(2) as pool:
        one, other = pool.map(load, ["encodec_24khz"] * 2)
    assert fingerprint(one) == fingerprint(other)
    assert server.requests == 2 and len(cached(tmp_path)) == 1
