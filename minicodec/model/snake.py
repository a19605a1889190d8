"""Support: Snake, an activation with a period of its own, as in DAC, in place of ELU.

Sound is mostly periodic, and ELU is not: beyond what it was trained on a network of ELUs goes on in
straight lines. Snake goes on as it was, in waves. Each channel learns how long they are.

Ziyin et al. 2020, "Neural Networks Fail to Learn Periodic Functions and How to Fix It"; Kumar et
al. 2023, "High-Fidelity Audio Compression with Improved RVQGAN", section 3.1.
"""

from typing import Literal

import torch
from torch import Tensor, nn

#: What stands between the convolutions: ELU as in the paper, or Snake as in DAC.
Activation = Literal["elu", "snake"]


class Snake(nn.Module):
    """x + sin²(αx) / α, with an α for each channel that is learned and begins at 1.

    Shape:
        x: [B, C, T] → [B, C, T]

    >>> Snake(1)(torch.tensor([[[0.0, torch.pi / 2, torch.pi]]])).detach()
    tensor([[[0.0000, 2.5708, 3.1416]]])
    """

    def __init__(self, channels: int):
        super().__init__()
        self.alpha = nn.Parameter(torch.ones(channels, 1))

    def forward(self, x: Tensor) -> Tensor:
        return x + torch.sin(self.alpha * x).square() / (self.alpha + 1e-9)


def activation(kind: Activation, channels: int) -> nn.Module:
    """One activation for `channels` channels."""
    return nn.ELU() if kind == "elu" else Snake(channels)
