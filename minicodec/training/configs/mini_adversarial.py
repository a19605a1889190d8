"""Support: a codec that speaks learns to sound real: a discriminator of a quarter of the width."""

from dataclasses import replace

from minicodec.training.configs.mini_adam import CONFIG as MINI

CONFIG = replace(
    MINI,
    steps=3000,
    learning_rate=2e-4,
    betas=(0.5, 0.9),
    warm_up=0,
    time=0.1,
    mel=1.0,
    adversarial=0.1,  # more than that outshouts the mel loss until the discriminator has learned
    features=0.2,
    discriminator_filters=8,
    discriminator_per_bandwidth=False,  # too few steps to teach four
    discriminator_rate=5.0,
    head_start=200,
    validate_every=250,
)
