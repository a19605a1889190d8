"""Support: the paper's model for 24 kHz, by the paper's recipe: eight large GPUs, some days."""

from dataclasses import replace

from minicodec.model.config import ENCODEC_24KHZ
from minicodec.training.config import TrainConfig

# Zeros instead of mirrored samples, so that it streams from the first sample on.
CONFIG = TrainConfig(codec=replace(ENCODEC_24KHZ, pad_mode="constant"))
