"""Support: how a codec is trained, as one value that checks itself.

The defaults are the paper's recipe (sections 3.4 and 4.4). Files of a few lines in
`minicodec/training/configs` change what they are about and nothing else:

    CONFIG = replace(MINI, balanced=False)

`minicodec train NAME` looks for `minicodec/training/configs/NAME.py`; `minicodec train FILE.json`
reads a config from a file. A file is JSON, never Python: it may come from a stranger, and reading
it must not run it. Each run writes its own config as such a file.
"""

import dataclasses
import importlib
import json
import math
import pkgutil
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from minicodec.model.config import CodecConfig
from minicodec.model.fields import build, check_fields, check_rules, json_file
from minicodec.sound.files import write_text

#: Shapes of the mel loss: the paper's plain sum of L1 and L2, or logarithms of a signal that was
#: divided by its loudness, which a small model learns more from.
MelKind = Literal["paper", "log"]

#: Who moves the codec's weights; a discriminator always learns with Adam, as in the paper.
Optimizer = Literal["adam", "muon"]

_MOST_SAMPLES = 1 << 30  # in a batch: 4 GiB

_LOSSES = ("time", "mel", "band", "long_term", "adversarial", "features")

#: These may change from one part of a run to the next.
_FREE = ("steps", "log_every", "validate_every")


@dataclass(frozen=True)
class TrainConfig:
    """Everything that decides what a run learns, except the recordings; it checks itself.

    Args:
        codec: what is trained.
        seconds: length of a clip in the batch.
        batch: clips per step, all processes together.
        steps: updates until the end. The learning rate and its fall are given in steps, so that
            a run which was interrupted goes on as if it had not been.
        optimizer: of the codec: the paper's Adam, or `minicodec.training.muon`.
        learning_rate, betas: of the codec's optimizer, and of the discriminator's Adam.
        final_rate: share of the learning rate that is left at the last step, along a cosine; 1
            keeps it constant, as the paper does.
        max_norm: gradients of the codec longer than this are shortened; None never does.
        averaging: share of the averaged weights that stays in a step; validation and export use
            the averaged ones. 0 keeps no average. 0.999 remembers about the last thousand steps.
        warm_up: steps without the quantizer. Codebooks then start from k-means of many latents
            at once, which already mean something. 0 starts one codebook a step from the first.
        bandwidth_shares: how often each bandwidth is drawn; none: all equally often, as in the
            paper. What is drawn more often sounds better, at the others' cost.
        decoder_only: leave encoder and quantizer as they are. Codes of old streams stay valid.
        time, mel, band, long_term, adversarial, features: weights of the losses; 0 leaves one out.
        commitment: weight of the commitment loss, which is not balanced.
        balanced: weigh gradients (paper, section 3.4); else the losses themselves are weighed.
        mel_kind: "paper" or "log", as in `minicodec.training.losses`.
        relative_time: divide the time loss by each clip's loudness.
        discriminator_filters: width of the discriminator; the paper's has 32.
        discriminator_windows: STFT windows that the discriminator looks through, in samples.
        discriminator_per_bandwidth: one for each bandwidth, as in the paper; costs only memory.
        discriminator_rate: its learning rate, as a multiple of the codec's.
        discriminator_share: probability that the discriminator learns in a step.
        discriminator_from: first step that has a discriminator.
        head_start: steps from there on in which the discriminator learns alone. One that has
            learned nothing yet would lead a codec that has learned much astray.
        gain: range in dB, by which each recording's level is changed.
        mixing: probability that a clip is one recording, a sum of two, of three.
        reverb: probability of reverberation.
        seed: of everything random.
        log_every, validate_every: in steps.

    Raises:
        ValueError: naming the field that does not fit.

    >>> TrainConfig(batch=8, steps=100).rate(99) == 3e-4
    True
    """

    codec: CodecConfig = field(default_factory=CodecConfig)
    seconds: float = 1.0
    batch: int = 64
    steps: int = 600_000
    optimizer: Optimizer = "adam"
    learning_rate: float = 3e-4
    betas: tuple[float, float] = (0.5, 0.9)
    final_rate: float = 1.0
    max_norm: float | None = None
    averaging: float = 0.0
    warm_up: int = 0
    bandwidth_shares: tuple[float, ...] | None = None
    decoder_only: bool = False
    time: float = 0.1
    mel: float = 1.0
    band: float = 0.0
    long_term: float = 0.0
    adversarial: float = 3.0
    features: float = 3.0
    commitment: float = 1.0
    balanced: bool = True
    mel_kind: MelKind = "paper"
    relative_time: bool = False
    discriminator_filters: int = 32
    discriminator_windows: tuple[int, ...] = (2048, 1024, 512, 256, 128)
    discriminator_per_bandwidth: bool = True
    discriminator_rate: float = 1.0
    discriminator_share: float = 2 / 3
    discriminator_from: int = 0
    head_start: int = 0
    gain: tuple[float, float] = (-10.0, 6.0)
    mixing: tuple[float, float, float] = (0.64, 0.24, 0.12)
    reverb: float = 0.2
    seed: int = 0
    log_every: int = 50
    validate_every: int = 1000

    def __post_init__(self) -> None:
        if isinstance(self.codec, dict):  # from JSON
            object.__setattr__(self, "codec", build(CodecConfig, self.codec))
        rates = dict.fromkeys(_LOSSES, (0, 1e6))
        check_fields(
            self,
            "a training",
            seconds=(0, 600),
            batch=(1, 1 << 16),
            steps=(1, 10**9),
            learning_rate=(0, 1e3),
            betas=(0, 1),
            final_rate=(0, 1),
            max_norm=(0, 1e9),
            averaging=(0, 1),
            warm_up=(0, 10**9),
            bandwidth_shares=(0, 1),
            commitment=(0, 1e6),
            discriminator_filters=(1, 1024),
            discriminator_windows=(4, 1 << 16),
            discriminator_rate=(0, 1e6),
            discriminator_share=(0, 1),
            discriminator_from=(0, 10**9),
            head_start=(0, 10**9),
            gain=(-120, 120),
            mixing=(0, 1),
            reverb=(0, 1),
            log_every=(1, 10**9),
            validate_every=(1, 10**9),
            **rates,
        )
        segment = self.codec.segments.length
        check_rules(
            self,
            "a training",
            ("seconds", "give at least one frame", self.length >= self.codec.hop_length),
            ("seconds", "give at most one segment of the codec",
             not segment or self.length <= segment),
            ("batch", f"has at most {_MOST_SAMPLES} samples",
             self.batch * self.length * self.codec.channels <= _MOST_SAMPLES),
            ("mel", "is above 0, or the weight of another loss is",
             any(getattr(self, name) for name in _LOSSES)),
            ("learning_rate", "is above 0", self.learning_rate > 0),
            ("discriminator_rate", "is above 0", self.discriminator_rate > 0),
            ("betas", "are below 1", max(self.betas) < 1),
            ("final_rate", "is above 0", self.final_rate > 0),
            ("max_norm", "is above 0, or none", self.max_norm is None or self.max_norm > 0),
            ("averaging", "is below 1", self.averaging < 1),
            ("bandwidth_shares", "are one for each bandwidth of the codec",
             len(self.bandwidth_shares or self.codec.bandwidths) == len(self.codec.bandwidths)),
            ("bandwidth_shares", "sum to 1",
             not self.bandwidth_shares
             or math.isclose(sum(self.bandwidth_shares), 1, abs_tol=1e-6)),
            ("warm_up", "ends before the last step", self.warm_up < self.steps),
            ("warm_up", "is 0 with decoder_only", not (self.warm_up and self.decoder_only)),
            ("gain", "rises", self.gain[0] <= self.gain[1]),
            ("mixing", "sums to 1", math.isclose(sum(self.mixing), 1, abs_tol=1e-6)),
        )  # fmt: skip

    @property
    def length(self) -> int:
        """Samples of a clip."""
        return round(self.seconds * self.codec.sample_rate)

    @property
    def uses_discriminator(self) -> bool:
        """Whether there is a discriminator at all."""
        return self.adversarial > 0 or self.features > 0

    def rate(self, step: int) -> float:
        """Learning rate of a step.

        >>> TrainConfig(steps=101, learning_rate=1.0, final_rate=0.5).rate(50)
        0.75
        """
        way = min(1.0, step / max(1, self.steps - 1))
        share = self.final_rate + (1 - self.final_rate) * 0.5 * (1 + math.cos(math.pi * way))
        return self.learning_rate * share

    def differs(self, other: "TrainConfig") -> list[str]:
        """Fields in which two configs differ, of those that stay the same as long as a run lives.

        >>> TrainConfig(batch=8).differs(TrainConfig(batch=4, steps=1))
        ['batch']
        """
        mine, theirs = dataclasses.asdict(self), dataclasses.asdict(other)
        return [name for name in mine if mine[name] != theirs[name] and name not in _FREE]

    def save(self, path: str | Path) -> None:
        """Write a JSON file that `load_config` reads."""
        write_text(path, json.dumps(dataclasses.asdict(self), indent=1) + "\n")


def names() -> list[str]:
    """Configs that come with the package."""
    from minicodec.training import configs

    return sorted(module.name for module in pkgutil.iter_modules(configs.__path__))


def load_config(name: str) -> TrainConfig:
    """A config by its name, or from a JSON file.

    A field that the file does not name has its default.

    Raises:
        ValueError: for an unknown name, or a file that is not such a config.

    >>> load_config("tiny").batch
    4
    """
    if name in names():
        config = importlib.import_module(f"minicodec.training.configs.{name}").CONFIG
        return config
    if not name.endswith(".json"):
        raise ValueError(
            f"there is no training config {name!r}; there are {', '.join(names())}, and your own "
            "in a .json file."
        )
    try:
        return build(TrainConfig, json_file(name))
    except ValueError as error:
        raise ValueError(f"{name} is not a training config: {error}") from error
