"""Exact language models as files: every bit comes back, or an error does."""

import json
import tracemalloc

import numpy as np
import pytest
import torch
from safetensors import safe_open
from safetensors.torch import load_file, save_file

import minicodec
from minicodec import audio
from minicodec.bits.exact import ExactLanguageModel, exact_copy
from minicodec.bits.language_model import LanguageModel, LanguageModelConfig
from minicodec.bits.language_model_file import (
    SHIPPED_LM,
    facts,
    for_codec,
    load_language_model,
    save_language_model,
)
from minicodec.bits.range_coder import decode_codes, encode_codes
from minicodec.model.checkpoint import CheckpointError, fingerprint
from minicodec.model.codec import Codec
from minicodec.model.config import CodecConfig

CONFIG = LanguageModelConfig(
    n_q=2, codebook_size=16, frame_rate=10, dim=16, layers=1, heads=2, hidden=32
)


@pytest.fixture
def codec(tmp_path) -> Codec:
    torch.manual_seed(0)
    config = CodecConfig(n_filters=2, dimension=8, bandwidths=(1.5, 3.0), codebook_size=16)
    codec = Codec(config, "tiny").eval().requires_grad_(False)
    minicodec.save(codec, tmp_path / "tiny.safetensors")
    return codec


def test_files_keep_every_bit(tmp_path):
    model = exact_copy(LanguageModel(CONFIG), b"12345678")
    save_language_model(model, tmp_path / "lm.safetensors", {"minutes": 3})
    again = load_language_model(tmp_path / "lm.safetensors")
    assert again.fingerprint == model.fingerprint and again.codec == b"12345678"
    assert again.config == model.config and facts(tmp_path / "lm.safetensors") == {"minutes": 3}
    codes = torch.randint(16, (2, 120))
    assert torch.equal(model.tables(codes), again.tables(codes))
    assert [f.name for f in tmp_path.iterdir()] == ["lm.safetensors"]


def test_damaged_files_are_refused(tmp_path):
    path = tmp_path / "lm.safetensors"
    save_language_model(exact_copy(LanguageModel(CONFIG)), path)
    whole = path.read_bytes()
    random = np.random.default_rng(0)
    for place in random.integers(8, len(whole), 60).tolist():
        damaged = bytearray(whole)
        damaged[place] ^= 1 << int(random.integers(8))
        path.write_bytes(damaged)
        try:
            model = load_language_model(path)
        except CheckpointError:
            continue
        # Only where nothing is said that matters to the tables.
        assert isinstance(model, ExactLanguageModel) and place < 3000
    path.write_bytes(whole[:-100])
    with pytest.raises(CheckpointError, match="not a whole safetensors file"):
        load_language_model(path)
    with pytest.raises(CheckpointError, match="no such file"):
        load_language_model(tmp_path / "nothing.safetensors")


def test_other_files_are_refused(tmp_path, codec):
    with pytest.raises(CheckpointError, match="no language model of ours"):
        load_language_model(tmp_path / "tiny.safetensors")
    with pytest.raises(ValueError, match="no language model ships for these weights of 'tiny'"):
        for_codec(codec)


def test_a_language_model_is_for_the_very_weights(tmp_path, codec, monkeypatch):
    path = tmp_path / "lm.safetensors"
    save_language_model(exact_copy(LanguageModel(CONFIG), fingerprint(codec)), path)
    monkeypatch.setitem(SHIPPED_LM, "tiny", path)
    assert for_codec(codec).codec == fingerprint(codec)
    codec.quantizer.codebooks[0].embedding[0, 0] += 1
    with pytest.raises(ValueError, match="train one with"):
        for_codec(codec)


def test_the_shipped_model_is_for_the_shipped_codec():
    codec = minicodec.load("mini_24khz")
    lm = for_codec(codec)
    assert SHIPPED_LM["mini_24khz"].stat().st_size < 6e6
    measured = facts("mini_24khz")["bits_per_code"]
    assert list(measured) == [f"{b:g}" for b in codec.config.bandwidths]
    for cost in measured.values():
        assert cost["exact"] < min(9.0, 1.005 * cost["float"])
    codes = codec.encode(audio.clip("speech_en", seconds=1), bandwidth=3.0)[0]
    data = encode_codes(lm, codes)
    assert len(data) * 8 < 9 * codes.numel()
    assert torch.equal(decode_codes(lm, data, *codes.shape), codes)


@pytest.mark.parametrize("damaged", ["{", "3"])
def test_facts_that_cannot_be_read(tmp_path, damaged):
    path = tmp_path / "lm.safetensors"
    save_language_model(exact_copy(LanguageModel(CONFIG)), path, {"minutes": 3})
    with safe_open(path, "pt") as file:
        metadata = file.metadata()
    save_file(load_file(path), path, metadata | {"facts": damaged})
    with pytest.raises(CheckpointError, match="lm.safetensors holds facts that cannot be read"):
        facts(path)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"layers": 64}, "a tensor 'layers.1.qkv.weight'"),
        ({"layers": 10**9}, "layers is an integer from 1 to 64"),
        ({"n_q": 1024, "codebook_size": 1 << 14}, "should be int8"),
        ({"codebook_size": 1 << 16}, "16384 entries in a codebook"),
        ({"dim": 1 << 16}, "at most 512 channels"),
        ({"hidden": 1 << 16}, "should be int8"),
        ({"seconds": 1e9}, "seconds is a number"),
        ({"seconds": 999.0}, "looks back over at most"),
        ({"n_q": [2]}, "n_q is an integer"),
        ({"wings": 2}, "no field 'wings'"),
    ],
    ids=str,
)
def test_a_config_cannot_make_us_allocate(tmp_path, change, words):
    """What a file claims is compared with what it holds before any memory is asked for."""
    path = tmp_path / "lm.safetensors"
    save_language_model(exact_copy(LanguageModel(CONFIG)), path)
    with safe_open(path, "pt") as file:
        metadata = file.metadata()
    metadata["config"] = json.dumps(json.loads(metadata["config"]) | change)
    save_file(load_file(path), path, metadata)
    tracemalloc.start()
    try:
        with pytest.raises(CheckpointError, match=words):
            load_language_model(path)
        assert tracemalloc.get_traced_memory()[1] < 1 << 24
    finally:
        tracemalloc.stop()
