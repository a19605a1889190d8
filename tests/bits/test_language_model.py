"""The float model: the official one's equal, step by step the same, and blind to the future."""

import dataclasses
import math

import pytest
import torch
import torch.nn.functional as F
from encodec.model import LMModel

from minicodec.bits.language_model import (
    LanguageModel,
    LanguageModelConfig,
    bits,
    convert,
)

#: Looks back 12 frames, so that a short clip leaves the context.
CONFIG = LanguageModelConfig(
    n_q=4, codebook_size=32, frame_rate=6, dim=48, layers=3, heads=8, hidden=96, seconds=2.1
)


def official(config: LanguageModelConfig = CONFIG) -> LMModel:
    return LMModel(
        config.n_q, config.codebook_size, config.dim, num_layers=config.layers,
        num_heads=config.heads, hidden_scale=config.hidden / config.dim,
        past_context=config.context,
    ).eval()  # fmt: skip


def some_codes(n_q: int, frames: int, batch: int = 2) -> torch.Tensor:
    return torch.randint(CONFIG.codebook_size, (batch, n_q, frames))


def shifted(codes: torch.Tensor) -> torch.Tensor:
    return F.pad(codes[..., :-1] + 1, (1, 0))


@pytest.mark.parametrize("n_q", [4, 3, 1])
@torch.no_grad()
def test_equals_the_official_model(n_q):
    theirs = official()
    ours = convert(theirs.state_dict(), CONFIG)
    codes = some_codes(n_q, 50)
    expected = theirs(shifted(codes))[0].permute(0, 2, 3, 1)
    torch.testing.assert_close(ours(codes).softmax(-1), expected, atol=1e-5, rtol=0)
    assert expected.std(-1).mean() > 1e-3  # there was something to compare


@torch.no_grad()
def test_equals_the_official_model_step_by_step_beyond_the_context():
    theirs = official()
    ours = convert(theirs.state_dict(), CONFIG)
    codes = some_codes(3, 5 * CONFIG.context)
    inputs, states, offset = shifted(codes), None, 0
    state, seen = ours.start(3, batch=2), None
    for t in range(codes.shape[2]):
        expected, states, offset = theirs(inputs[:, :, t : t + 1], states, offset)
        scores, state = ours.stream(seen, state)
        seen = codes[:, :, t]
        torch.testing.assert_close(
            scores.softmax(-1), expected[..., 0].transpose(1, 2), atol=1e-5, rtol=0
        )
    assert state.keys[0].shape[2] == CONFIG.context and state.position == codes.shape[2]


@torch.no_grad()
def test_the_official_sizes_are_the_defaults():
    config = LanguageModelConfig(n_q=2)
    theirs = LMModel(2, past_context=int(3.5 * 75)).eval()
    ours = convert(theirs.state_dict(), config)
    codes = torch.randint(1024, (1, 2, 40))
    expected = theirs(shifted(codes))[0].permute(0, 2, 3, 1)
    torch.testing.assert_close(ours(codes).softmax(-1), expected, atol=1e-5, rtol=0)
    sizes = dataclasses.replace(config, n_q=32)
    assert sum(p.numel() for p in LanguageModel(sizes).parameters()) == 15_559_768


@torch.no_grad()
def test_steps_equal_the_whole_clip():
    model = LanguageModel(CONFIG).eval()
    codes = some_codes(4, 40)
    whole = model(codes)
    state, seen = model.start(4, batch=2), None
    for t in range(40):
        scores, state = model.stream(seen, state)
        torch.testing.assert_close(scores, whole[:, :, t], atol=1e-5, rtol=1e-5)
        seen = codes[:, :, t]


@torch.no_grad()
def test_a_state_is_a_value_that_can_be_used_twice():
    model = LanguageModel(CONFIG).eval()
    _, state = model.stream(None, model.start(2))
    codes = some_codes(2, 2, batch=1)
    first, _ = model.stream(codes[:, :, 0], state)
    model.stream(codes[:, :, 1], state)
    again, _ = model.stream(codes[:, :, 0], state)
    assert torch.equal(first, again)


@torch.no_grad()
def test_a_frame_sees_the_past_and_nothing_else():
    model = LanguageModel(dataclasses.replace(CONFIG, layers=1)).eval()
    codes = some_codes(4, 40, batch=1)
    changed = codes.clone()
    changed[..., 20] = (changed[..., 20] + 1) % 32
    moved = (model(codes) - model(changed)).abs().amax((0, 1, 3))
    assert moved[:21].max() == 0 and moved[21] > 1e-4
    last = 21 + CONFIG.context
    assert moved[last] > 1e-6 and moved[last + 1 :].max() == 0


@torch.no_grad()
def test_positions_matter_by_their_differences_to_a_model_that_learned_so():
    model, codes = LanguageModel(CONFIG).eval(), some_codes(2, 10)
    assert not torch.allclose(model(codes), model(codes, offset=7))
    state = model.start(2, batch=2, offset=7)
    scores, _ = model.stream(None, state)
    torch.testing.assert_close(scores, model(codes, offset=7)[:, :, 0], atol=1e-5, rtol=1e-5)


def test_it_learns_what_is_predictable():
    """Codes that count upwards cost ten times less than before, and the gradient is finite."""
    model = LanguageModel(dataclasses.replace(CONFIG, layers=1))
    start = torch.randint(32, (8, 2, 1))
    codes = (start + torch.arange(24)) % 32
    optimizer = torch.optim.Adam(model.parameters(), 5e-3)
    losses = []
    for _ in range(50):
        loss = bits(model(codes), codes)[..., 1:].mean()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    assert losses[0] > 4.5 and losses[-1] < 0.45


def test_bits_are_logarithms_of_probabilities():
    scores, codes = torch.randn(2, 3, 5, 7), torch.randint(7, (2, 3, 5))
    chosen = scores.softmax(-1).gather(3, codes[..., None])[..., 0]
    torch.testing.assert_close(bits(scores, codes), -chosen.log2())


@pytest.mark.parametrize(
    ("codes", "message"),
    [
        (torch.zeros(1, 5, 3, dtype=torch.int64), "knows 1 to 4 codebooks, not 5"),
        (torch.zeros(5, 3, dtype=torch.int64), r"integers \[B, K, T\], but these are int64 \[5, 3"),
        (torch.zeros(1, 2, 3), r"codes are integers .* float32"),
        (torch.full((1, 2, 3), 32), "lie in 0 to 31, but these lie in 32 to 32"),
        (torch.full((1, 2, 3), -1), "lie in 0 to 31"),
    ],
)
def test_wrong_codes(codes, message):
    with pytest.raises(ValueError, match=message):
        LanguageModel(CONFIG)(codes)


def test_no_codes_at_all():
    assert LanguageModel(CONFIG)(some_codes(2, 0)).shape == (2, 2, 0, 32)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"n_q": 0}, "n_q is an integer from 1"),
        ({"layers": 2.0}, "layers is an integer"),
        ({"dim": 50}, "even, at least 4, and a multiple of its heads"),
        ({"hidden": 1 << 20}, "hidden is an integer from 1 to 65536"),
        ({"seconds": 0.01}, "looks back over 1 to 10000 frames"),
        ({"seconds": math.nan}, "seconds is a number"),
        ({"seconds": "3"}, "seconds is a number"),
        ({"layers": 1 << 12}, "layers is an integer from 1 to 64"),
    ],
)
def test_wrong_configs(change, message):
    with pytest.raises(ValueError, match=message):
        dataclasses.replace(CONFIG, **change)


def test_weights_that_do_not_fit():
    state = official().state_dict()
    with pytest.raises(ValueError, match="not the weights of an official language model"):
        convert(state, dataclasses.replace(CONFIG, layers=2))
    with pytest.raises(ValueError, match="not the weights of an official language model"):
        convert(state, dataclasses.replace(CONFIG, n_q=5))
