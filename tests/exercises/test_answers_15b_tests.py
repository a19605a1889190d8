"""What students' tests are tried on is right or wrong as it says, by other means than a test."""

import pytest
import torch

from minicodec.exercises import answers_15b_tests as tests


def drawn(seed: int) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def test_a_judge_wants_right_passed_and_wrong_failed():
    def even(number: int) -> None:
        assert number % 2 == 0

    wrong = [("one", (1,)), ("three", (3,))]
    assert tests.judged(even, [(2,), (4,)], wrong, "strict") == ""
    assert tests.judged(even, [(2,), (5,)], wrong, "strict") == "strict"
    assert tests.judged(lambda number: None, [(2,)], wrong, "strict") == "one"
    assert tests.judged(lambda number: even(number // 3), [(4,)], wrong, "strict") == "strict"


def test_any_error_fails_what_is_wrong_but_not_what_is_right():
    assert tests.judged(lambda n: 1 / n, [(1,)], [("zero", (0,))], "strict") == ""
    with pytest.raises(ZeroDivisionError):
        tests.judged(lambda n: 1 / n, [(0,)], [], "strict")


def test_both_ways_to_the_next_residual_have_one_value_and_two_slopes():
    z, books = tests.latents_and_books(drawn(0))
    z.requires_grad_()
    right, official = (tests.losses_of(books, way)(z) for way in (tests.whole, tests.straight))
    assert torch.allclose(right, official)
    for losses, dead in ((right, [False] * 4), (official, [False, True, True, True])):
        slopes = [torch.autograd.grad(loss, z, retain_graph=True)[0].norm() for loss in losses]
        assert [float(slope) == 0 for slope in slopes] == dead


@pytest.mark.parametrize(
    ("encoder", "looks"),
    [
        (tests.framed(tests.zeros), 0),
        (tests.framed(tests.zeros, ahead=1), 1),
        (tests.framed(tests.mirror), 2 * 6),
    ],
)
def test_how_far_the_first_frame_looks_ahead(encoder, looks):
    hop = 6
    clip = torch.randn(1, 1, 10 * hop, generator=drawn(0)).requires_grad_()
    (slope,) = torch.autograd.grad(encoder(hop)(clip)[..., 0].sum(), clip)
    assert int(slope[0, 0].nonzero().max()) - (hop - 1) == looks


def test_one_looks_ahead_in_every_frame_but_the_first():
    hop = 6
    encoder = tests.ahead_but_first(hop)
    clip = torch.randn(1, 1, 10 * hop, generator=drawn(0)).requires_grad_()
    for frame, looks in ((0, 0), (1, hop), (5, hop)):
        (slope,) = torch.autograd.grad(encoder(clip)[..., frame].sum(), clip)
        assert int(slope[0, 0].nonzero().max()) - (hop * (frame + 1) - 1) == looks
