"""Support: a toy codec that learns something in half a minute, for tests and for chapter 10."""

from dataclasses import replace

from minicodec.model.config import CodecConfig
from minicodec.training.configs.mini_adam import CONFIG as MINI

CONFIG = replace(
    MINI,
    codec=CodecConfig(n_filters=4, dimension=16, codebook_size=64, bandwidths=(0.9, 3.6)),
    batch=4,
    steps=300,
    learning_rate=2e-3,
    warm_up=100,
    gain=(-8.0, 8.0),
    validate_every=100,
)
