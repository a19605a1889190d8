"""Support: once the codes of `mini_24khz` are final, its decoder learns to be bright enough."""

from dataclasses import replace

from minicodec.training.configs.mini_24khz import CONFIG as MINI

CONFIG = replace(
    MINI,
    steps=2400,
    learning_rate=5e-4,  # files have no long weights of weight norm, which would bear more
    final_rate=0.02,
    averaging=0.99,
    warm_up=0,
    decoder_only=True,  # streams, prior and language model of the codes stay valid
    mel=0.52,
    band=0.3,
    long_term=0.15,  # without it octaves above 1 kHz are up to 6 dB too soft
)
