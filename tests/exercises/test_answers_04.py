"""Streams are tried on pieces that make each mistake show, and give what one pass gives."""

import pytest
import torch
from torch.nn import functional as F

from minicodec.exercises import answers_04 as answers
from minicodec.exercises.limited import Failed
from minicodec.model.conv import total_padding


def generator(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def test_pieces_are_the_whole_and_none_is_too_long():
    x = torch.arange(50.0)
    pieces = answers.pieces_of(x, 7, generator())
    assert torch.equal(torch.cat(pieces), x)
    assert {piece.shape[0] for piece in pieces} <= set(range(1, 8))


@pytest.mark.parametrize("returned", [None, 5, torch.zeros(2), (None, None), (torch.zeros(1),)])
def test_what_is_no_output_and_state_is_said_in_a_sentence(returned):
    with pytest.raises(Failed, match="two things: the outputs, a tensor, and the new state"):
        answers.both(returned)


@pytest.mark.parametrize("seed", range(4))
def test_a_convolution_in_pieces_is_one_pass(seed):
    pieces, weight, bias, stride, dilation = answers.dilated_in_pieces(generator(seed))
    total = total_padding(weight.shape[2], stride, dilation)
    whole = F.conv1d(
        F.pad(torch.cat(pieces, -1), (total, 0)), weight, bias, stride, dilation=dilation
    )
    found = answers.walked(answers.dilated, pieces, weight, bias, stride, dilation)
    torch.testing.assert_close(found["outputs"], whole)
    assert all(total <= kept < total + stride for kept in found["kept after each piece"])


@pytest.mark.parametrize("seed", range(4))
def test_the_first_piece_fills_no_window_and_some_later_one_ends_within_one(seed):
    pieces, *given = answers.sound_in_pieces(generator(seed))
    first, _ = answers.conv(pieces[0], None, *given)
    kept = answers.walked(answers.conv, pieces, *given)["kept after each piece"]
    assert first.shape[-1] == 0 and len(set(kept)) > 1


@pytest.mark.parametrize("seed", range(4))
def test_strokes_in_pieces_are_one_pass(seed):
    pieces, weight, bias, stride = answers.frames_in_pieces(generator(seed))
    frames = torch.cat(pieces, -1)
    whole = F.conv_transpose1d(frames, weight, bias, stride)[..., : frames.shape[-1] * stride]
    found = answers.walked(answers.transposed, pieces, weight, bias, stride)
    torch.testing.assert_close(found["outputs"], whole)
    by_rule = answers.painting(lambda painted, wet: painted + wet)
    torch.testing.assert_close(
        answers.walked(by_rule, pieces, weight, bias, stride)["outputs"], whole
    )


def test_who_keeps_all_gives_the_right_outputs():
    pieces, *given = answers.sound_in_pieces(generator())
    right, wrong = (answers.walked(f, pieces, *given) for f in (answers.conv, answers.keeps_all))
    torch.testing.assert_close(right["outputs"], wrong["outputs"])
    assert wrong["kept after each piece"] != right["kept after each piece"]
