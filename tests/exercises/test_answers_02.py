"""Right convolutions against torch's; what is drawn makes each mistake show."""

import torch
from torch.nn import functional as F

from minicodec.exercises import answers_02 as answers


def generator(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def test_a_wrong_stride_keeps_the_number_of_windows():
    for seed in range(5):
        given = answers.clip_and_kernel(generator(seed))
        right, wrong = answers.conv1d(*given), answers.close_windows(*given)
        assert right.shape == wrong.shape and not torch.allclose(right, wrong)


def test_whoever_counts_windows_otherwise_never_has_their_number():
    for seed in range(40):
        x, weight, _, s, d = answers.clip_and_kernel(generator(seed))
        length, k = x.shape[1], weight.shape[2]
        windows = (length - (k - 1) * d - 1) // s + 1
        assert windows not in {(length - k) // s + 1, length // s, -(-length // s)}
        assert s != d, "who swaps them is right"


def test_padding_is_tried_where_the_stride_divides_and_where_one_sample_is_missing():
    stride = 4
    found = answers.both_ways(lambda x, *_: x, torch.zeros(1, 1, 13), None, None, stride, 2)
    assert [tensor.shape[2] % stride for tensor in found.values()] == [1, 1, 0, 3]


def test_a_clip_to_pad_ends_within_a_window_and_its_padding_is_odd():
    for seed in range(5):
        x, weight, _, stride, dilation = answers.clip_to_pad(generator(seed))
        assert x.shape[2] % stride == 1
        assert ((weight.shape[2] - 1) * dilation + 1 - stride) % 2 == 1


def test_padding_by_the_right_rule_is_right():
    x, weight, bias, stride, dilation = given = answers.clip_to_pad(generator())
    by_rule = answers.padded_by(
        lambda k, s, d, n, causal: answers.sides((k - 1) * d + 1 - s, -n % s, causal)
    )
    for causal in (True, False):
        ours = answers.padded_conv(*given, causal)
        torch.testing.assert_close(by_rule(*given, causal), ours)
        assert ours.shape[2] == -(-x.shape[2] // stride)


def test_where_paint_is_wiped_out_the_first_samples_are_still_right():
    x, weight, stride = answers.frames_and_brush(generator())
    right = F.conv_transpose1d(x[None], weight, stride=stride)[0]
    wrong = answers.painted_over(x, weight, stride)
    torch.testing.assert_close(wrong[:, :stride], right[:, :stride])
    assert not torch.allclose(wrong, right)
