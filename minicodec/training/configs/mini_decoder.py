"""Support: for codes that are final, the decoder of `mini_24khz` learns to be as bright."""

from dataclasses import replace

from minicodec.training.configs.mini_24khz import CONFIG as MINI

CONFIG = replace(
    MINI,
    steps=2400,
    learning_rate=1.5e-3,
    final_rate=0.02,
    averaging=0.99,
    warm_up=0,
    decoder_only=True,  # streams, prior and language model of the codes stay valid
    mel=0.52,
    band=0.3,
    long_term=0.15,  # without it what is above 1 kHz is 2 to 6 dB too soft
)
