"""Support: a small codec from nothing with the optimizer of the paper: some hours of one core."""

from minicodec.model.config import MINI_24KHZ
from minicodec.training.config import TrainConfig

CONFIG = TrainConfig(
    codec=MINI_24KHZ,
    batch=8,
    steps=12_000,
    learning_rate=5e-4,  # twice as much and it forgets what it has learned
    betas=(0.8, 0.99),
    final_rate=0.02,
    max_norm=10.0,
    averaging=0.999,
    warm_up=300,
    time=0.03,
    mel=0.97,
    adversarial=0.0,
    features=0.0,
    mel_kind="log",
    gain=(-8.0, 16.0),  # its recordings lie near -28 dBFS: this spreads them
    mixing=(0.8, 0.2, 0.0),
    reverb=0.0,
    validate_every=500,
)
