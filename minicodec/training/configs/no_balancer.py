"""Support: the loss balancer, left out: weights multiply losses, and their scales fight."""

from dataclasses import replace

from minicodec.training.configs.mini_adam import CONFIG as MINI

CONFIG = replace(MINI, balanced=False)
