"""Models survive being saved; damaged and foreign files are refused by name."""

import dataclasses
import errno
import json
import pickle
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file, save_file

import minicodec
from minicodec.model import checkpoint
from minicodec.model.checkpoint import (
    CheckpointError,
    assemble,
    facts,
    fingerprint,
    fold_weight_norm,
    inference_weights,
    load_codec,
    save_codec,
)
from minicodec.model.codec import Codec
from minicodec.model.config import CodecConfig


@pytest.fixture
def learned(tiny):
    """A codec after a few steps of training: running totals, and weight norm that is not 1."""
    tiny.train()
    optimizer = torch.optim.Adam(tiny.parameters(), lr=1e-2)
    for _ in range(tiny.config.max_n_q + 2):
        audio = torch.randn(2, 1, 3200)
        result = tiny(audio)
        ((result.audio - audio).pow(2).mean() + result.commitment).backward()
        optimizer.step()
        optimizer.zero_grad()
    tiny.name = "learned"
    return tiny.eval()


@pytest.fixture
def path(tmp_path) -> Path:
    return tmp_path / "new" / "model.safetensors"


@pytest.mark.parametrize("kind", ["learned", "tiny_stereo"])
def test_a_saved_codec_gives_the_same(kind, request, path):
    codec = request.getfixturevalue(kind)
    save_codec(codec, path, facts={"hours": 1.5, "data": ["ours"]})
    loaded = load_codec(path)
    assert (loaded.config, loaded.name) == (codec.config, codec.name)
    assert not loaded.training and not any(p.requires_grad for p in loaded.parameters())
    audio = torch.randn(1, codec.config.channels, 9001)
    codes, scales = codec.encode_scaled(audio)
    again, same_scales = loaded.encode_scaled(audio)
    assert torch.equal(codes, again)
    assert torch.equal(codec.decode(codes, scales), loaded.decode(codes, same_scales))
    assert facts(path) == {"hours": 1.5, "data": ["ours"]}
    assert list(path.parent.iterdir()) == [path]


def test_saving_leaves_the_codec_as_it_was(learned, path):
    before = sorted(learned.state_dict())
    save_codec(learned, path)
    assert sorted(learned.state_dict()) == before


def test_half_is_half_the_size_and_settles(learned, path):
    save_codec(learned, path)
    full = path.stat().st_size
    save_codec(learned, path, half=True)
    assert path.stat().st_size < 0.7 * full  # names and config weigh something too
    once = load_codec(path)
    assert next(once.parameters()).dtype == torch.float32
    save_codec(once, path, half=True)
    assert fingerprint(load_codec(path)) == fingerprint(once) != fingerprint(learned)


def test_the_fingerprint_names_the_weights(learned, path):
    name = fingerprint(learned)
    assert len(name) == 8
    save_codec(learned, path)
    assert fingerprint(load_codec(path)) == name
    fold_weight_norm(learned)
    assert fingerprint(learned) == name
    learned.name = "another name"
    assert fingerprint(learned) == name
    for key, tensor in learned.state_dict().items():
        if key.endswith((".sums", ".counts", ".initialized")):  # not needed to decode
            tensor.view(-1)[:1] = 1
            assert fingerprint(learned) == name, key
            continue
        flat = tensor.view(-1)
        old = flat[-1].clone()
        flat[-1] += 1e-3
        assert fingerprint(learned) != name, key
        flat[-1] = old
    assert fingerprint(learned) == name
    other = dataclasses.replace(learned.config, overlap=0.02)
    assert fingerprint(assemble(other, inference_weights(learned), "other")) != name


def test_nan_is_not_saved(tiny, path):
    with torch.no_grad():
        tiny.decoder.layers[0].bias[0] = float("nan")
    with pytest.raises(ValueError, match="decoder.layers.0.bias holds NaN"):
        save_codec(tiny, path)
    assert not path.exists()


def test_an_interrupted_save_keeps_the_old_file(tiny, path, monkeypatch):
    save_codec(tiny, path)
    before = path.read_bytes()

    def full_disk(self, data):
        with self.open("wb") as file:
            file.write(data[: len(data) // 2])
        raise OSError("No space left on device")

    monkeypatch.setattr(Path, "write_bytes", full_disk)
    with pytest.raises(OSError, match="No space left"):
        save_codec(tiny, path)
    assert path.read_bytes() == before
    assert list(path.parent.iterdir()) == [path]


def refused(path: Path, words: str) -> None:
    with pytest.raises(CheckpointError, match=words) as error:
        load_codec(path)
    assert str(path) in str(error.value) and "\n" not in str(error.value)


def test_a_file_that_may_not_be_read(tiny, path, monkeypatch):
    save_codec(tiny, path)

    def locked(self, mode):
        raise PermissionError(errno.EACCES, "Permission denied", str(self))

    monkeypatch.setattr(Path, "open", locked)
    refused(path, "cannot be read: Permission denied.$")


def test_files_that_are_no_checkpoints(tiny, path):
    refused(path, "no such file")
    path.parent.mkdir()
    refused(path.parent, "no such file")
    for content in (b"", b"words " * 50, b"\xff" * 100):
        path.write_bytes(content)
        refused(path, "not a whole safetensors file")
    save_codec(tiny, path)
    whole = path.read_bytes()
    for cut in (4, 100, len(whole) // 2, len(whole) - 1):
        path.write_bytes(whole[:cut])
        refused(path, "not a whole safetensors file")
    save_file({"x": torch.zeros(3)}, path)
    refused(path, "not one that minicodec wrote")
    save_file({"x": torch.zeros(3)}, path, {"format": "pt"})
    refused(path, "not one that minicodec wrote")
    with pytest.raises(CheckpointError, match="not one that minicodec wrote"):
        facts(path)
    save_file({"x": torch.zeros(3)}, path, {"state": "{}"})  # as training writes them
    refused(path, f"what a training run goes on from: name its folder, {path.parent}")


def rewritten(codec: Codec, path: Path, config=None, tensors=None, drop=None, **fields) -> Path:
    """A file of ours with its config, or a tensor, changed."""
    save_codec(codec, path)
    weights = {k: v for k, v in load_file(path).items() if k != drop} | (tensors or {})
    config = dataclasses.asdict(codec.config) | fields if config is None else config
    save_file(weights, path, {"config": config if isinstance(config, str) else json.dumps(config)})
    return path


def test_tensors_that_do_not_fit(tiny, path):
    refused(rewritten(tiny, path, drop="decoder.layers.0.bias"), "has no decoder.layers.0.bias")
    refused(rewritten(tiny, path, tensors={"extra": torch.zeros(2)}), "has extra, which a model")
    wrong = {"decoder.layers.0.bias": torch.zeros(3)}
    refused(rewritten(tiny, path, tensors=wrong), r"has shape \[3\], but the config calls for")
    refused(rewritten(tiny, path, n_filters=4), r"has shape .*, but the config calls for")
    fewer = rewritten(tiny, path, bandwidths=[1.5])  # fewer codebooks than there are tensors
    refused(fewer, "which a model of its config does not")


@pytest.mark.parametrize(
    ("config", "words"),
    [
        ("{", "cannot be read"),
        ("[1, 2]", "cannot be read"),
        ("7", "cannot be read"),
        ({"sample_rte": 24000}, "cannot be read: .*sample_rte"),
        ({"bandwidths": 5}, "cannot be read"),
        ({"bandwidths": ["a"]}, "cannot be read"),
        ('{"channels": 1, "channels": 2}', "names 'channels' twice"),
        ('{"overlap": NaN}', "not finite, 'NaN'"),
        ('{"overlap": 1e999}', "not finite, '1e999'"),
        ('{"channels": ' + "1" * 5000 + "}", "a number of 5000 digits"),
        ('{"strides": ' + "[" * 100_000 + "}", "nested too deeply"),
        ({"segment": [0], "sample_rate": 10**9}, "sample_rate is an integer from 1 to 1000000"),
        ({"n_filters": None}, "n_filters is an integer"),
        ({"codebook_size": 16.0}, "codebook_size is an integer"),
        ({"codebook_size": 10}, "power of two"),
        ({"bandwidths": [1e300]}, "bandwidths is a list"),
    ],
)
def test_configs_that_make_no_sense(tiny, path, config, words):
    refused(rewritten(tiny, path, config), words)


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        (dict(n_filters=2**7), "has shape"),
        (dict(n_filters=2**60), "n_filters is an integer"),
        (dict(dimension=2**12), "has shape"),
        (dict(codebook_size=2**14), "has shape"),
        (dict(lstm_layers=10**9), "lstm_layers is an integer"),
        (dict(lstm_layers=16), "too few for the .* that its config calls for"),
        (dict(n_residual_layers=8), "too few for the .* that its config calls for"),
        (dict(bandwidths=[300.0]), "too few for the .* that its config calls for"),
        (dict(strides=[2] * 5000), "strides is a list"),
        (dict(strides=[1] * 8), "too few for the .* that its config calls for"),
        (dict(strides=[10**12]), "strides is a list"),
        (dict(channels=2), "has shape"),
    ],
    ids=str,
)
def test_a_config_cannot_make_us_allocate(tiny, path, fields, words, monkeypatch):
    """What a file claims is compared with what it holds before any memory is asked for."""
    file = rewritten(tiny, path, **fields)
    built = []

    def counted(*args):
        built.append(args)
        return Codec(*args)

    monkeypatch.setattr(checkpoint, "Codec", counted)
    refused(file, words)
    # At most once, and then without memory: to compare shapes.
    assert len(built) == (words == "has shape")


@pytest.mark.parametrize("value", [float("nan"), float("inf"), -float("inf")])
@pytest.mark.parametrize("key", ["encoder.layers.0.bias", "quantizer.codebooks.1.counts"])
def test_weights_that_are_no_numbers(tiny, path, key, value):
    """Such a model would load and turn every sound to noise of full scale."""
    save_codec(tiny, path)
    tensors = load_file(path)
    tensors[key].view(-1)[-1] = value
    refused(rewritten(tiny, path, tensors=tensors), f"{key} holds NaN or infinite values")
    integers = {key: tensors[key].nan_to_num().long()}
    refused(rewritten(tiny, path, tensors=integers), f"{key} holds int64, not floats")


def test_counts_below_zero(tiny, path):
    wrong = {"quantizer.codebooks.0.counts": -torch.ones(16)}
    refused(rewritten(tiny, path, tensors=wrong), "counts are not all at least 0")


def test_a_strangers_name_does_nothing_on_a_screen(tiny, path):
    tiny.name = "\x1b]0;owned\x07 two\nlines " + "x" * 5000
    save_codec(tiny, path)
    name = load_codec(path).name
    assert (
        name.isprintable() and name.startswith(r"\x1b]0;owned\x07 two\nlines") and len(name) < 300
    )


def test_facts_that_cannot_be_read(tiny, path):
    save_codec(tiny, path)
    for damaged in ("{", "3", "[" * 100_000):
        save_file(load_file(path), path, {"config": "{}", "facts": damaged})
        with pytest.raises(CheckpointError, match="facts that cannot be read"):
            facts(path)


def test_assemble_ignores_the_totals_of_training(learned):
    tensors = dict(fold_weight_norm(learned).state_dict())
    codec = assemble(learned.config, tensors, "again")
    assert fingerprint(codec) == fingerprint(learned)
    assert all(book.initialized for book in codec.quantizer.codebooks)


def test_a_folded_codec_can_be_sent_to_another_process(tiny):
    """As workers of a data loader get it on some systems; weight norm's own hooks forbid that."""
    sent = pickle.loads(pickle.dumps(fold_weight_norm(tiny)))
    audio = torch.randn(1, 1, 4000)
    assert torch.equal(sent.encode(audio), tiny.encode(audio))


@pytest.fixture
def second(tiny, path, monkeypatch):
    """A shipped codec and another decoder for its codes."""
    save_codec(tiny, path)
    monkeypatch.setitem(checkpoint.SHIPPED, "first", path)
    codec = load_codec(path)
    for weight in codec.decoder.parameters():
        weight.mul_(1.5)
    codec.name = "second"
    return codec


def test_a_decoder_for_the_codes_of_a_shipped_codec(second, path, tmp_path):
    file = tmp_path / "decoder.safetensors"
    save_codec(second, file, {"steps": 3}, half=True, decoder_of="first")
    assert not checkpoint.is_whole(file) and checkpoint.is_whole(path)
    assert all(key.startswith("decoder.") for key in load_file(file))
    first, again = load_codec(path), load_codec(file)
    assert again.name == "second" and facts(file) == {"steps": 3}
    audio = torch.randn(1, 1, 4000)
    codes = first.encode(audio)
    assert torch.equal(codes, again.encode(audio))
    wanted = second.decode(codes)
    assert (again.decode(codes) - wanted).abs().max() < 1e-2 * wanted.abs().max()
    assert not torch.allclose(again.decode(codes), first.decode(codes), atol=1e-2)


def test_a_decoder_with_other_codes_is_refused(second, tmp_path):
    second.encoder.layers[0].bias.add_(0.1)
    with pytest.raises(ValueError, match=r"another encoder\.layers\.0\.bias: codes would differ"):
        save_codec(second, tmp_path / "x.safetensors", decoder_of="first")
    assert not (tmp_path / "x.safetensors").exists()


def test_a_decoder_of_a_codec_that_does_not_ship_is_refused(second, tmp_path):
    file = tmp_path / "x.safetensors"
    with pytest.raises(CheckpointError, match="not 'mine'"):
        save_codec(second, file, decoder_of="mine")
    save_codec(second, file, decoder_of="first")
    del checkpoint.SHIPPED["first"]
    with pytest.raises(CheckpointError, match="a decoder goes with mini_24khz, not 'first'"):
        load_codec(file)
    with pytest.raises(CheckpointError, match="not 'mini_24khz_adversarial'"):  # has no encoder
        save_codec(second, file, decoder_of="mini_24khz_adversarial")


def test_a_decoder_does_not_go_with_a_later_release(second, tiny, path, tmp_path):
    """Whose codes are others under the same name: it would make noise of them, unnoticed."""
    file = tmp_path / "x.safetensors"
    save_codec(second, file, decoder_of="first")
    with torch.no_grad():
        tiny.encoder.layers[0].bias.add_(0.1)
    save_codec(tiny, path)
    with pytest.raises(CheckpointError, match="a decoder for another first than the one here"):
        load_codec(file)


def test_shipped_names_are_files_of_ours():
    assert all(path.suffix == ".safetensors" for path in checkpoint.SHIPPED.values())
    assert CodecConfig(**json.loads(json.dumps(dataclasses.asdict(CodecConfig())))) == CodecConfig()


def test_loading_imports_nothing_that_takes_long():
    """Drawing weights that have no memory made torch import its compiler, for most of a second."""
    code = (
        "import sys, minicodec; minicodec.load('mini_24khz'); print('torch._dynamo' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"


def test_a_codec_loaded_without_gradients_has_parameters_all_the_same():
    with torch.inference_mode():
        loaded = minicodec.load("mini_24khz", fast=False)
    expected = minicodec.load("mini_24khz", fast=False)
    assert [k for k, _ in loaded.named_parameters()] == [k for k, _ in expected.named_parameters()]
