"""Files of sound models: they come back as they were, nearly, and what is none is refused."""

import json

import pytest
import torch
from safetensors.torch import load_file, save_file

import minicodec
from minicodec.bits.language_model import LanguageModelConfig, bits
from minicodec.generation.patterns import delayed, flat
from minicodec.generation.sound_model import SoundModel
from minicodec.generation.sound_model_file import FOLDER, facts, load_sound_model, save_sound_model
from minicodec.model.checkpoint import CheckpointError, fingerprint, read_metadata
from minicodec.sound import audio


@pytest.fixture
def saved(tmp_path):
    torch.manual_seed(0)
    config = LanguageModelConfig(n_q=2, codebook_size=8, dim=16, layers=1, heads=2, hidden=32)
    model = SoundModel(config, flat(2)).eval()
    path = tmp_path / "model.safetensors"
    save_sound_model(model, path, b"12345678", {"minutes": 5})
    return model, path


@torch.no_grad()
def test_it_comes_back_within_half_a_step(saved):
    model, path = saved
    again = load_sound_model(path)
    assert (again.config, again.pattern) == (model.config, model.pattern)
    assert not again.training
    assert not any(p.requires_grad for p in again.parameters())
    for name, weight in model.state_dict().items():
        step = weight.abs().amax(-1, keepdim=True) / 127 if weight.dim() == 2 else weight * 0
        assert ((again.state_dict()[name] - weight).abs() <= step / 2 + 1e-7).all(), name
    codes = torch.randint(8, (1, 2, 20))
    assert (again(codes) - model(codes)).abs().max() < 0.1
    assert facts(path) == {"minutes": 5}
    assert read_metadata(path)["codec"] == b"12345678".hex()


def test_a_matrix_takes_a_byte_a_weight(saved):
    model, path = saved
    weights = sum(p.numel() for p in model.parameters())
    assert path.stat().st_size < 2 * weights + 4000
    assert load_file(path)["layers.0.up.weight.rows"].dtype == torch.int8


def test_what_is_no_sound_model(tmp_path, saved):
    _, path = saved
    with pytest.raises(CheckpointError, match="no such file"):
        load_sound_model(tmp_path / "missing.safetensors")
    other = tmp_path / "other.safetensors"
    save_file({"x": torch.zeros(1)}, other)
    for read in (load_sound_model, facts):
        with pytest.raises(CheckpointError, match="no sound model of ours"):
            read(other)
    metadata, tensors = read_metadata(path), load_file(path)
    for wrong in ({"pattern": "{}"}, {"config": "5"}, {"pattern": '{"stride": 0, "delays": [0]}'},
                  {"pattern": '{"stride": 2, "delays": 7}'}):  # fmt: skip
        save_file(tensors, other, metadata | wrong)
        with pytest.raises(CheckpointError, match="holds no sound model"):
            load_sound_model(other)
    save_file({k: v for k, v in tensors.items() if "norm" not in k}, other, metadata)
    with pytest.raises(CheckpointError, match="holds no sound model"):
        load_sound_model(other)
    save_file(tensors, other, metadata | {"facts": "no JSON"})
    with pytest.raises(CheckpointError, match="facts that cannot be read"):
        facts(other)


def test_the_shipped_model_is_for_the_shipped_codec_and_small():
    path = FOLDER / "delayed.safetensors"
    codec = minicodec.load("mini_24khz")
    assert read_metadata(path)["codec"] == fingerprint(codec).hex()
    assert load_sound_model().pattern == delayed(4)
    assert path.stat().st_size < 3e6
    assert (FOLDER / "sounds.safetensors").stat().st_size < 1.5e6


@torch.no_grad()
def test_the_shipped_model_takes_the_bits_that_its_results_say():
    """Of our own clips, which it did not learn from: far fewer than counting codes would."""
    codec, model = minicodec.load("mini_24khz"), load_sound_model()
    codes = codec.encode(audio.clip("speech_en"), bandwidth=3.0)
    assert 15 < float(bits(model(codes), codes).sum(1).mean()) < 32


def test_shipped_sounds_go_on_after_our_clips_and_are_no_copies():
    sounds = load_file(FOLDER / "sounds.safetensors")
    results = json.loads((FOLDER / "results.json").read_text())
    wholes = {name: sounds.pop(f"clip {name}") for name in ("speech_en", "music")}
    prompt = wholes["music"][:, :150]
    for name, codes in sounds.items():
        assert len(codes) == 4
        assert 0 <= int(codes.min()) <= int(codes.max()) < 1024
        if " music " in name:
            assert codes.shape == (4, 450)
            assert torch.equal(codes[:, :150], prompt)
    assert results["longest copy"]["drawn"].keys() == sounds.keys()
    assert max(levels for _, levels in results["longest copy"]["drawn"].values()) < 75
