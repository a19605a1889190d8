"""The model of sound: blind to its own future in every pattern, and the same step by step."""

import math

import pytest
import torch
import torch.nn.functional as F

from minicodec.bits.language_model import LanguageModel, LanguageModelConfig, bits
from minicodec.generation.patterns import EMPTY, PATTERNS, Pattern, parallel
from minicodec.generation.sound_model import SoundModel

patterns = pytest.mark.parametrize("pattern", [*(p(3) for p in PATTERNS.values()),
                                               Pattern(2, (0, 3, 1))])  # fmt: skip


def small(pattern: Pattern, **changes: object) -> SoundModel:
    torch.manual_seed(0)
    sizes = {"codebook_size": 8, "dim": 16, "layers": 2, "heads": 2, "hidden": 32} | changes
    return SoundModel(LanguageModelConfig(n_q=pattern.n_q, **sizes), pattern).eval()


@patterns
@torch.no_grad()
def test_a_code_changes_only_what_has_its_turn_later(pattern):
    model, frames = small(pattern), 6
    codes = torch.randint(8, (1, 3, frames))
    scores, where = model(codes), pattern.steps(frames)
    for level in range(3):
        for frame in range(frames):
            other = codes.clone()
            other[0, level, frame] = (other[0, level, frame] + 1) % 8
            changed = (model(other) - scores).abs().amax(-1)[0] > 1e-6
            assert torch.equal(changed, where > where[level, frame]), (level, frame)


@patterns
@torch.no_grad()
def test_steps_give_the_same_scores(pattern):
    # The context is shorter than the clip, so that keys are dropped.
    model, frames = small(pattern, frame_rate=4, seconds=1.0), 9
    codes = torch.randint(8, (2, 3, frames))
    whole, sequence, state = model(codes, offset=5), pattern.apply(codes), model.start(2, offset=5)
    before = torch.full((2, 3), EMPTY)
    for step in range(sequence.shape[2]):
        seen, state = model.stream(before, state)
        for level in range(3):
            frame = pattern.frame_at(level, step)
            if frame is not None and frame < frames:
                torch.testing.assert_close(
                    model.scores(seen, level), whole[:, level, frame], atol=1e-5, rtol=1e-5
                )
        before = sequence[:, :, step]
    assert state.keys[0].shape[2] == model.config.context


@torch.no_grad()
def test_in_parallel_it_is_the_model_of_chapter_12():
    ours = small(parallel(3))
    theirs = LanguageModel(ours.config).eval()
    state = {k: v for k, v in ours.state_dict().items() if not k.startswith("heads")}
    state["heads.weight"] = torch.cat([head.weight for head in ours.heads])
    state["heads.bias"] = torch.cat([head.bias for head in ours.heads])
    theirs.load_state_dict(state)
    codes = torch.randint(8, (2, 3, 20))
    torch.testing.assert_close(ours(codes), theirs(codes), atol=1e-5, rtol=1e-5)


def twins(batch: int) -> torch.Tensor:
    """Both codes of a frame are the same: 2 bits a frame."""
    return torch.randint(4, (batch, 1, 24)).expand(-1, 2, -1)


def chain(batch: int) -> torch.Tensor:
    """The first code is the second one of the frame before: 2 bits a frame, too."""
    second = torch.randint(4, (batch, 24))
    return torch.stack([F.pad(second, (1, -1)), second], 1)


@pytest.mark.parametrize(
    ("name", "make", "cost"),
    [
        ("parallel", twins, 4),
        ("delayed", twins, 2),
        ("flat", twins, 2),
        ("parallel", chain, 2),
        ("delayed", chain, 4 - 2 / 24),  # the first code of all is 0
        ("flat", chain, 2),
    ],
)
def test_what_is_drawn_in_one_step_cannot_fit_together(name, make, cost):
    model = small(PATTERNS[name](2), codebook_size=4, dim=32, hidden=64, layers=1)
    optimizer = torch.optim.Adam(model.parameters(), 1e-2)
    for _ in range(80):
        codes = make(32)
        loss = F.cross_entropy(model(codes).flatten(0, 2), codes.flatten())
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    codes = make(200)
    with torch.no_grad():
        found = float(bits(model(codes), codes).sum(1).mean())
    assert math.isclose(found, cost, abs_tol=0.1)


def test_pattern_and_config_of_different_levels():
    with pytest.raises(ValueError, match="2 levels needs a pattern of as many, not 3"):
        SoundModel(LanguageModelConfig(n_q=2), parallel(3))


@pytest.mark.parametrize(
    ("codes", "said"),
    [
        (torch.zeros(1, 2, 5, dtype=torch.int64), "clips of 3 levels"),
        (torch.zeros(1, 3, 0, dtype=torch.int64), "at least one frame"),
        (torch.zeros(1, 3, 5), "integers"),
        (torch.full((1, 3, 5), 8), "0 to 7"),
    ],
)
def test_codes_of_another_model(codes, said):
    with pytest.raises(ValueError, match=said):
        small(parallel(3))(codes)
