"""Support: the codec that ships, from nothing: Muon, and powers of bands beside the mel loss."""

from dataclasses import replace

from minicodec.training.configs.mini_adam import CONFIG as ADAM

CONFIG = replace(
    ADAM,
    steps=40_000,
    optimizer="muon",
    learning_rate=3e-3,
    max_norm=1.0,  # nearly every gradient is longer: all steps count alike
    time=0.04,  # more gives a better SI-SDR for a worse ViSQOL
    mel=0.6,
    band=0.36,
    relative_time=True,
    commitment=2.0,
    bandwidth_shares=(0.15, 0.2, 0.25, 0.4),  # or 12 kbps is hardly better than 6
)
