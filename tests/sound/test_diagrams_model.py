"""The diagrams of layers show what the layers do: compared with them, and with torch."""

import re

import torch
from torch.nn import functional as F

from minicodec import diagrams
from minicodec.model.conv import Conv1d, extra_padding, total_padding
from minicodec.model.seanet import ResidualBlock
from minicodec.sound.drawing import BLUE, VERMILLION

LABEL = re.compile(r"<text[^>]*>(.*?)</text>")


def labels(diagram) -> list[str]:
    return [re.sub(r"<[^>]*>", "", found) for found in LABEL.findall(diagram.svg)]


def test_padding_is_that_of_the_layers():
    kernel, stride, length = 4, 2, 7
    total, extra = total_padding(kernel, stride), extra_padding(length, stride)
    said = labels(diagrams.padding())
    assert said[0] == f"k = {kernel}, s = {stride}: P = k − s = {total} zeros"
    assert f"causal: {total} before, {extra} to fill the end" in said
    assert f"centred: {total // 2} before, {total // 2} behind, {extra} to fill the end" in said
    assert said.count("0") == 2 * (total + extra)
    frames = Conv1d(1, 1, kernel, stride)(torch.zeros(1, 1, length)).shape[-1]
    assert [label for label in said if "sees" in label] == 2 * [f"y{i} sees" for i in range(frames)]


def test_windows_of_padding_stand_under_what_they_see():
    """A window that is moved by a sample would say something else about the future."""
    kernel, stride, length = 4, 2, 7
    svg = diagrams.padding().svg
    cells = [float(x) - 1 for x in re.findall(r'<rect x="([\d.]+)"[^>]*height="29"', svg)]
    bars = re.findall(
        rf'<polygon points="([\d.]+),[\d.]+ ([\d.]+),[^"]*" fill="({BLUE}|{VERMILLION})"', svg
    )
    bars = [bar for bar in bars if float(bar[1]) - float(bar[0]) > 12]
    cell = cells[1] - cells[0]
    for causal, first in ((True, cells[2]), (False, cells[10] + cell)):
        conv = Conv1d(1, 1, kernel, stride, causal=causal)
        torch.nn.init.ones_(conv.weight)
        for frame in range(4):
            x = torch.zeros(1, 1, length, requires_grad=True)
            conv(x)[0, 0, frame].backward()
            seen = x.grad[0, 0].nonzero().flatten().tolist()
            parts = [bars.pop(0) for _ in range(1 if causal else 2)]
            left, right = float(parts[0][0]), float(parts[-1][1])
            drawn = [i for i in range(length) if left < first + (i + 0.5) * cell < right]
            assert drawn == seen
            future = [i for i in range(length) if parts[-1][2] == VERMILLION
                      and float(parts[-1][0]) < first + (i + 0.5) * cell < right]  # fmt: skip
            assert future == [i for i in seen if i >= (frame + 1) * stride]
    assert not bars


def test_stride_and_dilation_see_what_torch_sees():
    svg, inputs, at = diagrams.stride_and_dilation().svg, 10, 0
    lines = re.findall(r'<polyline points="([\d.]+),([\d.]+) ([\d.]+),([\d.]+)"', svg)
    for stride, dilation in ((1, 1), (2, 1), (1, 2)):
        x = torch.zeros(1, 1, inputs, requires_grad=True)
        y = F.conv1d(x, torch.ones(1, 1, 3), stride=stride, dilation=dilation)
        for frame in range(y.shape[-1]):
            (grad,) = torch.autograd.grad(y[0, 0, frame], x, retain_graph=True)
            drawn = sorted(round((float(line[2]) - 27) / 34) for line in lines[at : at + 3])
            assert drawn == grad[0, 0].nonzero().flatten().tolist()
            at += 3
    assert at == len(lines)


def test_a_transposed_convolution_paints_what_torch_paints():
    kernel, inputs = torch.tensor([[[1.0, 2, 2, 1]]]), torch.tensor([[[2.0, 3]]])
    painted = F.conv_transpose1d(inputs, kernel, stride=2)[0, 0].int().tolist()
    said = diagrams.transposed_convolution()
    assert f"Their sum is {painted}" in str(said)
    numbers = [int(label) for label in labels(said) if label.isdigit()]
    assert numbers == [2, 4, 4, 2, 3, 6, 6, 3, *painted]


def test_the_residual_block_is_ours():
    block = ResidualBlock(8, dilation=2)
    first, second = block.block[1], block.block[3]
    said = labels(diagrams.residual_block())
    assert said.count("ELU") == 2
    assert f"conv  k = {first.kernel_size[0]}, dilation d" in said
    assert said.count(f"conv  k = {second.kernel_size[0]}") == 2
    assert block.shortcut.kernel_size == second.kernel_size == (1,)
    assert (first.in_channels, first.out_channels, second.out_channels) == (8, 4, 8)
    assert {"F → F/2 channels", "F/2 → F channels", "F → F channels"} <= set(said)


def test_the_equations_of_the_lstm_are_torch_s():
    cell = torch.nn.LSTMCell(3, 2)
    x, h, c = torch.randn(1, 3), torch.randn(1, 2), torch.randn(1, 2)
    gates = x @ cell.weight_ih.T + cell.bias_ih + h @ cell.weight_hh.T + cell.bias_hh
    write, keep, new, show = gates.chunk(4, dim=1)
    new_c = keep.sigmoid() * c + write.sigmoid() * new.tanh()
    new_h = show.sigmoid() * new_c.tanh()
    torch.testing.assert_close((new_h, new_c), cell(x, (h, c)))
    said = labels(diagrams.lstm_gates())
    assert "cellt = keept · cellt−1 + writet · newt" in said and "ht = showt · tanh cellt" in said
    assert said.count("σ") == 3 and said.count("tanh") == 2


def test_a_stream_keeps_what_is_drawn():
    conv, clip = Conv1d(1, 1, 4), torch.arange(1.0, 10)[None, None]
    state, begin, rows = None, 0, []
    for size in (4, 3, 2):
        old = [0.0, 0.0, 0.0] if state is None else state.past[0, 0].tolist()
        rows += [f"x{round(value) - 1}" if value else "0" for value in old]
        rows += [f"x{begin + i}" for i in range(size)]
        y, state = conv.stream(clip[..., begin : begin + size], state, last=size == 2)
        assert y.shape[-1] == size
        begin += size
    said = labels(diagrams.stream_state())
    assert [label for label in said if re.fullmatch(r"x\d|0", label)] == rows
    assert [label for label in said if re.fullmatch(r"y\d", label)] == [f"y{i}" for i in range(9)]
