"""Support: the paper's stereo model at 48 kHz (sections 3.4, 4.4): other weights and windows."""

from minicodec.model.config import ENCODEC_48KHZ
from minicodec.training.config import TrainConfig

CONFIG = TrainConfig(
    codec=ENCODEC_48KHZ,
    adversarial=4.0,
    features=4.0,
    discriminator_windows=(4096, 2048, 1024, 512, 256),
    discriminator_share=0.5,
)
