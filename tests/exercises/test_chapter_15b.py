"""The exercises at the end of chapter 15b: figures on paper are those of running code."""

import pytest
import torch

from minicodec import CodecConfig
from minicodec.exercises import chapter_15b as chapter
from minicodec.exercises.answers_15b_files import Trickle, counted_twice
from minicodec.exercises.checking import mistake_of
from minicodec.exercises.exercise import find
from minicodec.model.seanet import Encoder


def test_both_predictions_come_true():
    milliseconds, given = find("15b.predict").answer
    assert len(counted_twice(Trickle(bytes(100), [8] * 100), 100)) == given
    # Ours has a last kernel of 7: seven frames for the official five of the exercise.
    strides = (2, 4, 8, 10)
    encoder = Encoder(
        CodecConfig(sample_rate=16000, n_filters=2, dimension=4, strides=strides,
                    bandwidths=(0.5,), pad_mode="reflect")
    ).eval()  # fmt: skip
    clip = torch.randn(1, 1, 10 * 640, requires_grad=True)
    (slope,) = torch.autograd.grad(encoder(clip)[..., 0].sum(), clip)
    needs = int(slope[0, 0].nonzero().max()) + 1
    assert 1000 * needs / 16000 / 7 == pytest.approx(milliseconds / 5)


def test_the_filter_in_pieces_is_the_filter_of_all():
    x = torch.randn(20, generator=torch.Generator().manual_seed(0)).tolist()
    whole, _ = chapter.blocked(x)
    first, state = chapter.blocked(x[:7])
    second, _ = chapter.blocked(x[7:], state)
    assert first + second == whole


def test_a_shared_default_is_found_however_often_it_was_called():
    exercise = find("15b.filter")
    sick = exercise.mistakes[0].answer
    for _ in range(3):
        assert mistake_of(exercise, sick) == exercise.mistakes[0].hint


def test_a_batch_is_compared_row_by_row():
    clean = torch.randn(3, 50, generator=torch.Generator().manual_seed(0))
    noisy = clean * torch.tensor([1.1, 0.9, 1.01])[:, None]
    assert chapter.batch_snr(noisy, clean[:, None]) == pytest.approx((20 + 20 + 40) / 3, rel=1e-3)
    with pytest.raises(ValueError, match="cannot be compared"):
        chapter.batch_snr(noisy[:1], clean)


def test_what_is_heard_is_in_no_given_order():
    heard = find("15b.which_bug").answer
    assert sorted(heard) == sorted(chapter.BUGS) and heard != chapter.BUGS
