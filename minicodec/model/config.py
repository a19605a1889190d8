"""Support: what a codec is made of, as one value that checks itself.

Three configurations: the paper's two (sections 3.1 and 3.2), down to the last padding sample, and
`MINI_24KHZ`, ours, small enough to train on a laptop.
"""

import dataclasses
import math
import random
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

from minicodec.model.conv import Norm, PadMode
from minicodec.model.fields import check_fields, check_rules
from minicodec.model.segments import Segments
from minicodec.model.snake import Activation

#: Dimensions in which a factorized codebook is looked up.
CODE_DIM = 8

_MOST_WEIGHTS = 1 << 30  # 4 GiB of them; the largest model of the paper has 2^24
_MOST_CODEBOOKS = 1024
_MOST_HOP = 1 << 16


@dataclass(frozen=True)
class CodecConfig:
    """Everything that has to be known to build a codec; it checks itself.

    Args:
        sample_rate: in Hz.
        channels: 1 or 2.
        bandwidths: in kbps, rising; the last one uses all codebooks.
        n_filters, dimension, strides, n_residual_layers, lstm_layers, causal, norm, pad_mode: as
            in `minicodec.model.seanet.Encoder`.
        codebook_size: a power of two, so that a code is a whole number of bits.
        quantizer: "ema", codebooks that are moving averages as in the paper, or "factorized",
            learned ones as in DAC.
        segment: seconds per segment, each coded alone and cross-faded; None codes a clip as one.
        overlap: share of a segment that is cross-faded with the next.
        normalize: divide each segment by its loudness, and send that as one number beside the
            codes.
        activation: between the convolutions: "elu" as in the paper, or "snake" as in DAC.

    Raises:
        ValueError: naming the field that does not fit.

    >>> CodecConfig(bandwidths=(1.5, 3.0)).n_q(3.0)
    4
    """

    sample_rate: int = 24000
    channels: int = 1
    bandwidths: tuple[float, ...] = (1.5, 3.0, 6.0, 12.0, 24.0)
    n_filters: int = 32
    dimension: int = 128
    strides: tuple[int, ...] = (2, 4, 5, 8)
    n_residual_layers: int = 1
    lstm_layers: int = 2
    codebook_size: int = 1024
    quantizer: Literal["ema", "factorized"] = "ema"
    causal: bool = True
    norm: Norm = "weight_norm"
    pad_mode: PadMode = "constant"
    segment: float | None = None
    overlap: float = 0.01
    normalize: bool = False
    activation: Activation = "elu"

    def __post_init__(self) -> None:
        check_fields(
            self,
            "a codec",
            sample_rate=(1, 1_000_000),
            channels=(1, 2),
            bandwidths=(0, 10_000),
            n_filters=(1, 4096),
            dimension=(1, 4096),
            strides=(1, 1024),
            n_residual_layers=(1, 8),
            lstm_layers=(0, 16),
            codebook_size=(2, 1 << 16),
            segment=(0, 3600),
            overlap=(0, 0.9),
        )
        check_rules(
            self,
            "a codec",
            ("strides", f"multiply to at most {_MOST_HOP}", self.hop_length <= _MOST_HOP),
            ("bandwidths", "are positive and rising", _rise((0.0, *self.bandwidths))),
            ("bandwidths", f"pay for at most {_MOST_CODEBOOKS} codebooks",
             self.max_n_q <= _MOST_CODEBOOKS),
            ("n_filters", "is even, since residual blocks halve it", self.n_filters % 2 == 0),
            ("codebook_size", "is a power of two", self.codebook_size.bit_count() == 1),
            ("causal", "is False with time_group_norm, which looks at all of a clip",
             not (self.causal and self.norm == "time_group_norm")),
            ("n_filters", "is at least 4 with time_group_norm, to have a variance",
             not (self.norm == "time_group_norm" and self.n_filters < 4)),
            ("normalize", "is False for a causal model without segments, which has to code a clip "
             "before it knows how loud it is", not (self.normalize and self.streams)),
            ("segment", "lasts at least one hop", self.segment is None
             or self.hop_length <= self.segment * self.sample_rate),
            ("overlap", "leaves each segment at least a tenth of its own",
             self.segments.length <= 10 * self.segments.stride),
            ("n_filters", f"with its strides and layers calls for {self.weights:.2g} weights, and "
             f"{_MOST_WEIGHTS:.2g} are the most", self.weights <= _MOST_WEIGHTS),
        )  # fmt: skip

    def as_dict(self) -> dict[str, Any]:
        """What a file says of it: every field, but `activation` only if it is not ELU.

        ELU was all there was when the first files were written, and each one's name, its
        fingerprint, comes from this.
        """
        fields = dataclasses.asdict(self)
        if self.activation == "elu":
            del fields["activation"]
        return fields

    @property
    def hop_length(self) -> int:
        """Samples per frame."""
        return math.prod(self.strides)

    @property
    def frame_rate(self) -> int:
        """Frames per second of audio, rounded up."""
        return -(-self.sample_rate // self.hop_length)  # in integers: exact for any size

    @property
    def bits(self) -> int:
        """Bits per code."""
        return (self.codebook_size - 1).bit_length()

    @property
    def max_n_q(self) -> int:
        """Number of codebooks: what the highest bandwidth pays for."""
        return self.n_q(self.bandwidths[-1])

    @property
    def weights(self) -> int:
        """How many numbers its layers and codebooks hold, but for biases and norms."""
        width, size = self.n_filters, self.codebook_size
        total = 14 * self.channels * width  # the outermost convolutions, of both networks
        for stride in self.strides:
            total += 2 * self.n_residual_layers * 3 * width**2  # 3/2 + 1/2 + the shortcut's 1
            total += 2 * width * 2 * width * 2 * stride
            width *= 2
        total += 2 * self.lstm_layers * 8 * width**2 + 14 * width * self.dimension
        book = size * self.dimension
        if self.quantizer == "factorized":
            book = (size + 2 * self.dimension) * CODE_DIM
        return total + self.max_n_q * book

    @property
    def convolutions(self) -> int:
        """How many there are in both networks."""
        return 2 * (2 + len(self.strides) * (1 + 3 * self.n_residual_layers))

    @property
    def streams(self) -> bool:
        """Whether the codec can work piece by piece with a state, and equal one big pass."""
        return self.causal and self.segment is None

    @property
    def segments(self) -> Segments:
        """How clips of this model fall into segments and frames."""
        if self.segment is None:
            return Segments(0, 0, self.hop_length)
        length = int(self.segment * self.sample_rate)
        return Segments(length, max(1, int((1 - self.overlap) * length)), self.hop_length)

    def n_q(self, bandwidth: float) -> int:
        """Codebooks that `bandwidth` kbps pay for.

        Raises:
            ValueError: if this is not one of `bandwidths`.
        """
        if bandwidth not in self.bandwidths:
            known = ", ".join(f"{b:g}" for b in self.bandwidths)
            raise ValueError(f"bandwidth must be one of {known} kbps, but {bandwidth} was given.")
        return max(1, int(bandwidth * 1000 // (self.bits * self.frame_rate)))

    def draw_bandwidth(self, rng: random.Random, shares: Sequence[float] | None = None) -> float:
        """The bandwidth of one training batch: each of `bandwidths` as likely as the others, or
        as `shares` say.

        Training at a bandwidth drawn anew for every batch makes one model serve all of them (paper,
        section 3.2). Processes that train together must draw the same: codebooks that only some of
        them use cannot be averaged.
        """
        return rng.choices(self.bandwidths, shares)[0] if shares else rng.choice(self.bandwidths)


def _rise(numbers: tuple[float, ...]) -> bool:
    return all(a < b for a, b in zip(numbers, numbers[1:]))


#: The paper's streamable model: mono, causal, 75 frames a second.
ENCODEC_24KHZ = CodecConfig(pad_mode="reflect")

#: The paper's music model: stereo, 150 frames a second, segments of one second.
ENCODEC_48KHZ = CodecConfig(
    sample_rate=48000,
    channels=2,
    bandwidths=(3.0, 6.0, 12.0, 24.0),
    causal=False,
    norm="time_group_norm",
    pad_mode="reflect",
    segment=1.0,
    normalize=True,
)

#: Ours: half the filters (table A.3: costs 0.03 ViSQOL), half the latent; pads with zeros, so
#: that it streams from the first sample on.
MINI_24KHZ = CodecConfig(bandwidths=(1.5, 3.0, 6.0, 12.0), n_filters=16, dimension=64)
