"""Support: codebooks learned by gradient, as in DAC, instead of moving averages (chapter 16)."""

from dataclasses import replace

from minicodec.training.configs.mini_adam import CONFIG as MINI

CONFIG = replace(MINI, codec=replace(MINI.codec, quantizer="factorized"), warm_up=0)
