"""What numbers on pages stand on: measurements in JSON, the package's own facts, or a reason.

`GROUNDS[page]()` gives what the page must say, written with the numbers as they are; "re:" begins a
pattern, whose groups are the numbers. `EXCUSED[page]` says which others are no measurement, and
why. `KINDS` are spellings that are no number at all. "…" stands for code, in both.
"""

import json
import math
import re
from collections.abc import Callable
from statistics import fmean

from minutes import times_of
from notebooks import ROOT, chapters
from torch import nn

from minicodec.bits import container
from minicodec.bits.language_model_file import SHIPPED_LM, load_language_model
from minicodec.model.checkpoint import SHIPPED, facts
from minicodec.model.codec import Codec
from minicodec.model.config import ENCODEC_24KHZ, MINI_24KHZ
from minicodec.model.fast import activation, codec, convolution, layers

#: No number at all: what it is, and how it is written.
KINDS = {
    "names of models and formats": r"\b(mini|encodec)_\d+khz\w*|\bMP3\b|\bEXT4\b",
    "number formats": r"\bb?float\d+\b|\b16-bit floats",
    "chapters by their number": r"\b[Cc]hapters? \[?\d\d[a-z]?\]?(,? and \[?\d\d[a-z]?\]?)?",
    "licences": r"\bCC BY \d\.\d( and \d\.\d)?|\bCC0\b|\bApache-2\.0|\bBSD-3-\w+",
    "years of rights": r"© \d{4}",
    "names of collections and people": r"\bESC-10\b|\bt4ngr4m\b|\bMigfus20\b",
    "standards": r"\bBS\.1534-3\b",
}  # fmt: skip

UNCOMPRESSED = f"{24000 * 16 / 1000:.0f}"  # kbps of 24 kHz in 16 bits

_FRAME = f"One frame of a stream, {1000 / ENCODEC_24KHZ.frame_rate:.1f} ms of sound"


def measured(name: str):
    return json.loads((ROOT / "benchmarks" / name).read_text(encoding="utf-8"))


def means(kind: str | None = None) -> dict[str, dict]:
    """Of single recordings: `quality.json` has been rounded once already."""
    rows = json.loads((SHIPPED["mini_24khz"].with_name("mini_24khz_quality.json")).read_text())
    chosen = [row for row in rows["rows"] if kind in (None, row["class"])]
    found = {}
    for condition in dict.fromkeys(row["condition"] for row in chosen):
        mine = [row for row in chosen if row["condition"] == condition]
        found[condition] = {key: fmean(row[key] for row in mine) for key in ("kbps", "visqol")}
        found[condition]["clips"] = len(mine)
    return found


def bandwidths() -> str:
    """As the picture's text lists them, from the highest."""
    first, *rest = (f"{kbps:g}" for kbps in reversed(MINI_24KHZ.bandwidths))
    return f"{', '.join([first, *rest[:-1]])} and {rest[-1]} kbps"


def opus_wins_from() -> str:
    """The least bandwidth in kbps, of those that both were measured at, where Opus is better."""
    found = means()
    both = [k for k in (6, 12) if found[f"opus {k}"]["visqol"] > found[f"mini_24khz {k}"]["visqol"]]
    return str(min(both))


def readme() -> list[str]:
    found, speech, learned = means(), means("speech"), facts(SHIPPED["mini_24khz"])
    table = [found[c] for c in ("mini_24khz 1.5", "opus 6", "mini_24khz 6", "opus 12", "opus 16")]
    low, lowest = (speech[c]["visqol"] for c in ("mini_24khz 1.5", "opus 6"))
    took = measured("install.json")
    busy = took["beside other programs"]
    needed = re.search(r'requires-python = ">=(\S+)"', (ROOT / "pyproject.toml").read_text())
    assert needed
    return [
        f"the original at {UNCOMPRESSED} kbps; after minicodec at {bandwidths()}",
        f"on {table[0]['clips']} recordings that ours never",
        *(f"| {title} | " + " | ".join(f"{row[key]:.2f}" for row in table) + " |"
          for title, key in (("kbps, measured", "kbps"), ("ViSQOL", "visqol"))),
        f"{low:.2f} against {lowest:.2f}), and from {opus_wins_from()} kbps on Opus is better",
        f"home-made in {learned['minutes'] / 60:.1f} hours",
        f"it heard {learned['audio_hours']} hours of sound",
        f"With Python {needed[1]} or newer",
        "| … " + "| … ".join(
            f"| {took[f'make {name}']['minutes']:.0f} | {took[f'make {name}']['gb']:.1f} GB | "
            for name in ("hear", "book", "test")).rstrip(),
        f"… with {took['make hear']['load']} programs that wanted to run",
        *(f"… took {row['minutes']:.0f} minutes with {row['load']}"
          for row in (busy["make book"], busy["make test"])),
        *(rf"re:\| \[({stem.partition('_')[0]}) [^|]*\| [^|]*\| ({times_of(path).minutes}) \| \[!"
          for path in chapters() for stem in [path.stem]),
    ]  # fmt: skip


def benchmarks() -> list[str]:
    return [
        _FRAME,
        f"of {MINI_24KHZ.codebook_size} codes",
        f"the {container._CHUNK_HEAD} bytes of its head",
        f"Below −{20 * math.log10(2**15):.0f} dB is what 16 bits leave",
    ]


def fast() -> list[str]:
    config = ENCODEC_24KHZ
    encoder = Codec(config).encoder
    lstm = next(m for m in encoder.modules() if isinstance(m, nn.LSTM))
    weights = {name: w.numel() * 4 / 1e6 for name, w in lstm.named_parameters()}
    recurrent = sum(mb for name, mb in weights.items() if "weight_hh" in name)
    lengths = sum(w.numel() for name, w in encoder.named_parameters() if "original0" in name)
    books = config.n_q(6.0) * config.codebook_size * config.dimension
    read = (sum(w.numel() for w in encoder.parameters()) - lengths + books) * 4 / 1e6
    wide = 10 * config.sample_rate * config.n_filters * 4 / 1e6
    return [
        _FRAME,
        f"{layers._SEARCHED} frames at a time",
        f"a block of {codec._LARGE * 4 / 1e6:.0f} MB",
        f"Below {convolution._LITTLE:,} numbers of input",
        f"one channel of {config.n_filters}.",
        f"Below {activation._SMALL:,} numbers torch's",
        f"repacks {sum(weights.values()):.0f} MB of weights",
        f"For fewer than {layers._FEW} frames",
        f"its {recurrent:.0f} MB of recurrent weights",
        f"ten seconds are {10 * (wide // 10):.0f} MB after",
        f"from memory: {read:.0f} MB to encode at the official size, which at 20 GB per second "
        f"are {read / 20:.1f} ms",
    ]


def model_card() -> list[str]:
    learned, second = facts(SHIPPED["mini_24khz"]), facts(SHIPPED["mini_24khz_adversarial"])
    recipe, config = learned["recipe"], MINI_24KHZ
    here = recipe["steps"] * recipe["batch"] * recipe["seconds"] / 3600
    quiet, loud = (f"{abs(db):.0f}" for db in recipe["gain"])
    lm = load_language_model("mini_24khz").config
    return [
        f"at {config.sample_rate / 1000:g} kHz mono, with half the filters ({config.n_filters}), "
        f"half the latent dimension ({config.dimension}),",
        f"and {config.max_n_q} codebooks of {config.codebook_size} vectors",
        f"Means over {means()['mini_24khz 6']['clips']} recordings",
        f"had heard {learned['audio_hours'] - here:.1f} hours",
        f"a constant learning rate of {recipe['learning_rate']:.0e} and".replace("e-0", "e-"),
        f"slower averages ({recipe['averaging']})",
        f"levels varied by −{quiet} to +{loud} dB",
        f"a discriminator of {second['recipe']['discriminator_filters']} filters",
        f"It is {SHIPPED_LM['mini_24khz'].stat().st_size / 1e6:.0f} MB",
        f"layers of {lm.dim} channels",
        f"frames of {1000 / config.frame_rate:.0f} ms",
    ]


def intro() -> list[str]:
    return [
        f"this sentence costs {UNCOMPRESSED} kilobits per second",
        f"original, {UNCOMPRESSED} kbps",
        *(f"| [{path.stem.partition('_')[0]} " for path in chapters()),
    ]


def nothing() -> list[str]:
    """For a page all of whose numbers are printed by its cells."""
    return []


GROUNDS: dict[str, Callable[[], list[str]]] = {
    "README.md": readme,
    "book/benchmarks.md": benchmarks,
    "book/fast.md": fast,
    "book/intro.md": intro,
    "book/model-card.md": model_card,
    "book/rate-distortion.md": nothing,
}

_SCALE = "the scale of ViSQOL in audio mode, whose best is about that"
_SETTING = "a setting of the measurement, stated by its script"
_DATA = "counted when the recordings were gathered; they are no part of the package"
_ROOM = "chapters of a room; tests/book/test_layers.py derives rooms from chapters"
_STEREO = "the official model's name says so"

#: Page → what it says → why that is no measurement, or where else it is held.
EXCUSED: dict[str, dict[str, str]] = {
    "README.md": {
        "after Opus at 6 kbps, which has nothing above 4 kHz": "Opus's own least: narrow band",
        "(1 to about 4.7)": _SCALE,
        "official weights in our modules, 48 kHz stereo": _STEREO,
        "| … | 01 | audio in": _ROOM,
        "| … | 02 to 06 |": _ROOM,
        "| … | 07 to 10 |": _ROOM,
        "| … | 11 to 13 |": _ROOM,
        "| … | 00, 14 |": _ROOM,
        "| … | 16b, 16c |": _ROOM,
        "audio agrees within 1e-5": "tests/model/test_parity.py holds it",
    },
    "book/benchmarks.md": {
        "the official 24 kHz codec": "the official model's name says so",
        "10 s, one thread": _SETTING,
        "together at 6 kbps": _SETTING,
        "how long six versions of 10 s": "the name of what was measured, in player_tones.json",
        "takes blocks of 20 ms": "what the device without a sound card does, in Chromium",
    },
    "book/fast.md": {
        "a kernel of size 1 is": "a definition",
        "both of size 1, are": "a definition",
        "the middle one of 0,": "a definition",
        "that computes 16 outputs at a time": "what 512 bits hold of float32",
        "agree within 3e-7": "tests/model/fast/test_activation.py holds it",
        "random weights, 6 kbps": _SETTING,
    },
    "book/intro.md": {
        "official weights in our modules, 48 kHz stereo": _STEREO,
        "at 6 kbps this sentence": _SETTING,
        "too soft between 1 and 4 kHz": _SETTING,
    },
    "book/rate-distortion.md": {
        "ends at 8 kHz": "how wide-band PESQ is defined",
        "ends at 4.3 kHz": "how STOI is defined: its last third octave",
        "95 of 100": "what an interval of 95 % means",
        "95 % interval": "which interval it is",
        "Above 0 ours": "where the sign changes",
        "below 0 in": "where the sign changes",
        "differs from 0": "where the sign changes",
    },
    "book/model-card.md": {
        "rates from 1 to about 4.7": _SCALE,
        "ViSQOL of 4.35 at 6 kbps on the paper's data": "the paper's, as in chapter 14",
        "and of 16 kHz, music": _DATA,
        "On the same recordings at 6 kbps": _SETTING,
        "a quantizer of 1.6 kbps": "chapter 16b computes it",
        "232 minutes of public recordings": _DATA,
        "drawn from 232 minutes of recordings": _DATA,
        "136 of the 232 minutes": _DATA,
        "51 of these were recorded at 16 kHz, with nothing above 8 kHz": _DATA,
        "the sound below about 1 kHz": "the next cell prints levels of bands that begin there",
        "What is missing, at 6 kbps": _SETTING,
    },
}
