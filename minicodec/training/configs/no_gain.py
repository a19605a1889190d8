"""Support: recordings at one level only: the codec is lost at any other."""

from dataclasses import replace

from minicodec.training.configs.mini_adam import CONFIG as MINI

CONFIG = replace(MINI, gain=(0.0, 0.0))
