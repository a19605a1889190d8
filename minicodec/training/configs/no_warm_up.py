"""Support: no steps without the quantizer: codebooks start on latents that mean nothing yet."""

from dataclasses import replace

from minicodec.training.configs.mini_adam import CONFIG as MINI

CONFIG = replace(MINI, warm_up=0)
