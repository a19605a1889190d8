"""Support: the paper's mel loss of plain magnitudes, on a model too small to get phases right."""

from dataclasses import replace

from minicodec.training.configs.mini_adam import CONFIG as MINI

CONFIG = replace(MINI, mel_kind="paper")
