"""Pictures of sound, drawn one way in the whole book.

Colours are told apart by readers with any kind of colour vision (Okabe and Ito's palette), and
backgrounds are transparent with mid-grey text, so that figures sit on light and dark pages.
"""

from collections.abc import Mapping, Sequence

import matplotlib.pyplot as plt
import numpy as np
import torch
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from torch import Tensor

from minicodec.spectral import decibel, mel_spectrogram, mel_to_hz, hz_to_mel

#: Okabe and Ito's colours that read on both white and near-black.
COLORS = ["#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9"]
_GREY = "#7f7f7f"


def use_style() -> None:
    """Set matplotlib's defaults for the book: call once at the top of a notebook."""
    plt.rcParams.update(
        {
            "axes.prop_cycle": plt.cycler(color=COLORS),
            "figure.facecolor": "none",
            "axes.facecolor": "none",
            "savefig.facecolor": "none",
            "axes.spines.top": False,
            "axes.spines.right": False,
            "axes.grid": True,
            "grid.alpha": 0.3,
            "figure.dpi": 110,
            "figure.figsize": (8, 2.6),
            "figure.constrained_layout.use": True,
            "font.size": 10,
            "image.cmap": "magma",
            "legend.framealpha": 0,
        }
        | {key: _GREY for key in ("text.color", "axes.labelcolor", "axes.edgecolor",
                                  "xtick.color", "ytick.color", "grid.color")}  # fmt: skip
    )
