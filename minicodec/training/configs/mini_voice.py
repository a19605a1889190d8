"""Support: a shipped codec learns one voice, with the discriminator that has taught it already."""

from dataclasses import replace

from minicodec.training.configs.mini_adam import CONFIG as MINI

CONFIG = replace(
    MINI,
    batch=4,
    steps=600,
    learning_rate=1e-4,
    betas=(0.5, 0.9),
    averaging=0.99,
    warm_up=0,
    decoder_only=True,  # old streams of this voice sound better, too
    mel=1.0,
    adversarial=0.3,
    features=0.6,
    discriminator_filters=16,
    discriminator_per_bandwidth=False,
    discriminator_rate=2.0,
    validate_every=100,
)
