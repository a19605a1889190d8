"""Drawing: as often as the model believes, among what top-k leaves; prompts stay as they are."""

import pytest
import torch
from torch import Generator

from minicodec.bits.language_model import LanguageModelConfig
from minicodec.generation.patterns import EMPTY, PATTERNS, Pattern, delayed
from minicodec.generation.sampling import choose, generate
from minicodec.generation.sound_model import SoundModel


def small(pattern: Pattern) -> SoundModel:
    torch.manual_seed(0)
    config = LanguageModelConfig(
        n_q=pattern.n_q, codebook_size=8, dim=16, layers=1, heads=2, hidden=32
    )
    return SoundModel(config, pattern).eval()


@pytest.mark.parametrize("temperature", [0.5, 1.0, 2.0])
def test_codes_come_as_often_as_believed(temperature):
    scores = torch.tensor([2.0, 0.0, 1.0, -1.0])
    drawn = choose(scores.expand(200, 100, 4), temperature, None, Generator().manual_seed(0))
    assert drawn.shape == (200, 100)
    share = torch.bincount(drawn.flatten(), minlength=4) / 20000
    torch.testing.assert_close(share, (scores / temperature).softmax(0), atol=0.02, rtol=0)


def test_one_row_gives_one_code():
    drawn = choose(torch.tensor([0.0, 9.0, 1.0]), top_k=1)
    assert drawn.shape == () and int(drawn) == 1


@pytest.mark.parametrize("top_k", [1, 2, 3])
def test_only_the_likeliest_are_left_and_in_their_proportions(top_k):
    scores = torch.tensor([2.0, 0.0, 1.0, -1.0])
    drawn = choose(scores.expand(20000, 4), 1.0, top_k, Generator().manual_seed(0))
    share = torch.bincount(drawn, minlength=4) / 20000
    best = scores.softmax(0).topk(top_k)
    expected = torch.zeros(4).scatter(0, best.indices, best.values / best.values.sum())
    torch.testing.assert_close(share, expected, atol=0.02, rtol=0)


def test_more_than_all_are_all():
    scores = torch.randn(5, 4)
    same = [choose(scores, 1.0, k, Generator().manual_seed(3)) for k in (None, 4, 9)]
    assert torch.equal(same[0], same[1])
    assert torch.equal(same[0], same[2])


@pytest.mark.parametrize(
    ("temperature", "top_k", "said"),
    [
        (0.0, None, "temperature is a number above 0"),
        (-1.0, None, "temperature is a number above 0"),
        (float("nan"), None, "temperature is a number above 0"),
        (float("inf"), None, "temperature is a number above 0"),
        ("hot", None, "temperature is a number above 0"),
        (1.0, 0, "top_k"),
        (1.0, 2.5, "top_k"),
    ],
)
def test_knobs_out_of_range(temperature, top_k, said):
    with pytest.raises(ValueError, match=said):
        choose(torch.zeros(1, 4), temperature, top_k)


@pytest.mark.parametrize("pattern", [p(3) for p in PATTERNS.values()])
def test_prompts_come_first_and_the_rest_is_drawn(pattern):
    model, prompt = small(pattern), torch.randint(8, (2, 3, 7))
    made = generate(model, 12, prompt, seed=1)
    assert made.shape == (2, 3, 12)
    assert torch.equal(made[:, :, :7], prompt)
    assert int(made.min()) >= 0
    assert int(made.max()) < 8
    assert torch.equal(generate(model, 12, prompt, seed=1), made)
    assert not torch.equal(generate(model, 12, prompt, seed=2), made)
    assert torch.equal(generate(model, 7, prompt), prompt)


@pytest.mark.parametrize("pattern", [p(3) for p in PATTERNS.values()])
@torch.no_grad()
def test_the_likeliest_codes_are_those_that_the_whole_clip_gives(pattern):
    """With top_k=1 nothing is chance: every drawn code has the best score of a plain forward."""
    model = small(pattern)
    prompt = torch.randint(8, (3, 4))
    made = generate(model, 15, prompt, top_k=1)
    best = model(made).argmax(-1)
    assert torch.equal(made[0, :, 4:], best[0, :, 4:])


@pytest.mark.parametrize("pattern", [p(3) for p in PATTERNS.values()])
@torch.no_grad()
def test_a_row_can_be_given_for_the_whole_sound_and_the_others_are_drawn(pattern):
    model = small(pattern)
    prompt = torch.full((2, 3, 12), EMPTY)
    prompt[:, 0] = torch.randint(8, (2, 12))
    prompt[1, :, :4] = torch.randint(8, (3, 4))
    made = generate(model, 12, prompt, top_k=1)
    given = prompt != EMPTY
    assert torch.equal(made[given], prompt[given])
    assert torch.equal(made[~given], model(made).argmax(-1)[~given])


def test_what_is_given_in_a_row_changes_what_is_drawn_after_it_and_nothing_before():
    """A delayed level sees what its pattern shows it of the row above, and nothing else."""
    model = small(Pattern(1, (0, 2, 3)))
    for head in model.heads:
        head.weight.data *= 30  # so that what it sees decides
    prompt = torch.full((1, 3, 12), EMPTY)
    prompt[:, 0] = torch.randint(8, (12,))
    other = prompt.clone()
    other[:, 0, 8] = (other[:, 0, 8] + 1) % 8
    ours, theirs = (generate(model, 12, p, seed=4) for p in (prompt, other))
    assert torch.equal(ours[:, 1, :7], theirs[:, 1, :7])  # level 1 of frame 7 has seen phoneme 8
    assert torch.equal(ours[:, 2, :6], theirs[:, 2, :6])
    assert not torch.equal(ours[:, 1:, 6:], theirs[:, 1:, 6:])


def test_a_code_of_255_in_a_byte_is_given_and_not_open():
    torch.manual_seed(0)
    config = LanguageModelConfig(n_q=2, codebook_size=256, dim=16, layers=1, heads=2, hidden=32)
    model = SoundModel(config, delayed(2)).eval()
    prompt = torch.full((2, 4), 255, dtype=torch.uint8)
    assert torch.equal(generate(model, 4, prompt)[0], prompt.long())


def test_without_a_prompt_it_begins_with_nothing():
    assert generate(small(delayed(3)), 5).shape == (1, 3, 5)


@pytest.mark.parametrize(
    ("frames", "prompt", "said"),
    [
        (0, None, "frames from 1 on"),
        (2.5, None, "frames from 1 on"),
        (3, torch.zeros(3, 4, dtype=torch.int64), "up to 3"),
        (9, torch.zeros(2, 4, dtype=torch.int64), "codes .3, up to 9., not .2, 4."),
        (9, torch.full((3, 4), 8), "0 to 7"),
        (9, torch.full((3, 4), EMPTY - 1), "0 to 7"),
        (9, torch.zeros(3, 4), "integers"),
        (9, [[0, 1], [2, 3], [4, 5]], "a tensor of codes, not list"),
    ],
)
def test_prompts_that_do_not_fit(frames, prompt, said):
    with pytest.raises(ValueError, match=said):
        generate(small(delayed(3)), frames, prompt)
