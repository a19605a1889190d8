"""Training a language model: it learns, resumes as if nothing had happened, and ends in a file."""

import json

import numpy as np
import pytest
import torch

import minicodec
from minicodec import audio
from minicodec.bits.exact import exact_copy
from minicodec.bits.language_model import LanguageModel, LanguageModelConfig
from minicodec.bits.lm_training import (
    LanguageModelTrainer,
    Recipe,
    exact_bits,
    float_bits,
    initialize,
    read_codes,
)
from minicodec.bits.range_coder import encode_codes
from minicodec.model.codec import Codec
from minicodec.model.config import CodecConfig

CONFIG = LanguageModelConfig(
    n_q=2, codebook_size=16, frame_rate=10, dim=16, layers=1, heads=2, hidden=32
)


def counting(clips: int = 6, frames: int = 120, seed: int = 0) -> list[torch.Tensor]:
    """Codes that can be predicted: level 1 counts upwards, level 2 is seldom anything but 3."""
    random = np.random.default_rng(seed)
    result = []
    for _ in range(clips):
        first = (random.integers(16) + np.arange(frames)) % 16
        second = np.where(random.random(frames) < 0.9, 3, random.integers(16, size=frames))
        result.append(torch.from_numpy(np.stack([first, second])).short())
    return result


def trainer(folder, steps: int = 0, **recipe) -> LanguageModelTrainer:
    torch.manual_seed(0)
    model = LanguageModel(CONFIG)
    rules = Recipe(batch=4, learning_rate=1e-2, warm_up=5, **recipe)
    run = LanguageModelTrainer(model, counting(), counting(2, seed=9), [1, 2], folder, 1.0, rules)
    for _ in range(steps):
        run.learn()
    return run


def test_it_learns_and_exactness_costs_little(tmp_path):
    run = trainer(tmp_path)
    before = run.validate()
    for _ in range(60):
        run.learn()
    after = run.validate()
    assert before["valid_1"] > 3.5 and after["valid_1"] < 1 and after["valid_2"] < 1.2
    exact = exact_copy(run.model.eval())
    for n_q in (1, 2):
        floats = float_bits(run.model, run.valid, n_q, run.frames)
        integers = exact_bits(exact, run.valid, n_q, run.frames)
        assert floats.shape == integers.shape == (n_q,)
        torch.testing.assert_close(integers, floats, atol=0.01, rtol=0.01)
        data = sum(len(encode_codes(exact, clip[:n_q].long())) for clip in run.valid)
        assert data * 8 < 1.4 * float(integers.sum()) * sum(c.shape[1] for c in run.valid) + 64


def test_it_begins_where_counting_ends():
    model, codes = LanguageModel(CONFIG), counting()
    initialize(model, codes)
    cost = float_bits(model, codes, 2, 50)
    assert abs(cost[0] - 4) < 0.15  # level 1 uses all its codes alike
    share = torch.stack([(c[1] == 3).float().mean() for c in codes]).mean()
    assert cost[1] < 1.6 and 0.85 < share < 0.97


def test_the_weights_kept_are_those_that_did_best(tmp_path):
    run = trainer(tmp_path, steps=30)
    best = run.validate()["valid"]
    kept = {k: v.clone() for k, v in run.best.items()}
    with torch.no_grad():
        for weight in run.model.parameters():
            weight.add_(torch.randn_like(weight))
    assert run.validate()["valid"] > best
    assert run.best_bits == best and all(torch.equal(kept[k], v) for k, v in run.best.items())
    run.age = run.minutes
    assert all(torch.equal(kept[k], v.cpu()) for k, v in run.run(False).state_dict().items())


def test_a_run_that_was_stopped_goes_on_as_if_it_had_not_been(tmp_path):
    whole = trainer(tmp_path / "a", steps=12)
    first = trainer(tmp_path / "b", steps=5)
    first.validate()
    first.save()
    second = trainer(tmp_path / "b")
    assert second.step == 5 and second.best_bits == first.best_bits
    for _ in range(7):
        second.learn()
    for ours, theirs in zip(whole.model.parameters(), second.model.parameters()):
        assert torch.equal(ours, theirs)
    with pytest.raises(ValueError, match="is of a model of another size"):
        other = LanguageModel(LanguageModelConfig(n_q=2, codebook_size=16, dim=32))
        LanguageModelTrainer(other, counting(), counting(), [1], tmp_path / "b", 1.0)


def test_a_run_writes_a_log(tmp_path):
    run = trainer(tmp_path)
    run.minutes = 0.02
    model = run.run(progress=False)
    lines = [json.loads(line) for line in (tmp_path / "metrics.jsonl").read_text().splitlines()]
    assert lines[-1]["step"] == run.step > 0 and lines[-1]["valid_2"] > 0
    assert not model.training and run.age >= 0.02


def test_short_clips_are_learned_from_too(tmp_path):
    run = trainer(tmp_path)
    run.codes = [clip[:, :20] for clip in run.codes]
    run.lengths = np.full(len(run.codes), 20.0)
    piece = run.draw(np.random.default_rng(0), 2)
    assert piece.shape == (4, 2, 50) and (piece[..., 20:] == -1).all() and piece[..., 0].min() >= 0
    assert np.isfinite(run.learn()["bits"])


@pytest.fixture
def codec(tmp_path) -> Codec:
    torch.manual_seed(0)
    config = CodecConfig(n_filters=2, dimension=8, bandwidths=(1.5, 3.0), codebook_size=16)
    codec = Codec(config, "tiny").eval().requires_grad_(False)
    minicodec.save(codec, tmp_path / "tiny.safetensors")
    return codec


@pytest.fixture
def recordings(tmp_path):
    for folder in ("data", "valid"):
        (tmp_path / folder / "in").mkdir(parents=True)
        for i, name in enumerate(("speech_en", "music")):
            audio.save(tmp_path / folder / "in" / f"{i}.wav", audio.clip(name, seconds=3), 24000)
    (tmp_path / "data" / "broken.wav").write_bytes(b"RIFF")
    audio.save(tmp_path / "data" / "short.wav", audio.clip("drums", seconds=0.5), 24000)
    return tmp_path


def test_reading_codes(recordings, codec, capsys):
    cache = recordings / "run" / "codes.safetensors"
    codes = read_codes(recordings / "data", codec, copies=2, cache=cache)
    assert "skipped" in capsys.readouterr().out
    assert [tuple(c.shape) for c in codes[::2]] == [(codec.config.max_n_q, 225)] * 2
    whole = codec.encode(audio.load(recordings / "data/in/0.wav", 24000, 1)[0][None])[0]
    assert torch.equal(codes[0].long(), whole)
    assert len(codes) == 4 and not torch.equal(codes[0][:, :200], codes[1][:, :200])
    written = cache.stat().st_mtime_ns
    again = read_codes(recordings / "data", codec, copies=2, cache=cache)
    assert all(torch.equal(a, b) for a, b in zip(codes, again))
    assert cache.stat().st_mtime_ns == written
    cache.write_bytes(b"damaged")
    read_codes(recordings / "data", codec, copies=2, cache=cache)
    assert "is damaged" in capsys.readouterr().out and cache.stat().st_size > 1000
    with pytest.raises(ValueError, match="holds no recordings of a second or more"):
        read_codes(recordings / "run", codec)
