"""Support: the recipe for `mini_24khz`: Muon, and powers of bands beside the mel loss."""

from dataclasses import replace

from minicodec.training.configs.mini_adam import CONFIG as ADAM

CONFIG = replace(
    ADAM,
    steps=40_000,
    optimizer="muon",
    learning_rate=3e-3,
    max_norm=1.0,
    time=0.03,  # more gives a better SI-SDR for a worse ViSQOL
    mel=0.6,
    band=0.37,
    relative_time=True,
    commitment=2.0,
    bandwidth_shares=(0.15, 0.2, 0.25, 0.4),  # or 12 kbps is hardly better than 6
)
