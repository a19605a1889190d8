"""Throw damaged and forged files at all that reads files, and count what happens.

    .venv/bin/python tools/attack.py --cases 10000 --seed 1

Each area has files that are right, and ways to spoil them. A reader may take what it gets, or
refuse it with the error that it names, in one short line. All else is a failure; so is a case that
takes more than ten seconds of a processor, or more memory than there is left. The table says how
many there were, and each kind of failure is shown once, with the number of its case:
`--seed NUMBER --cases 1` tries that one again.
"""

import argparse
import dataclasses
import functools
import json
import random
import resource
import signal
import sys
import time
import warnings
from collections.abc import Callable
from io import BytesIO
from pathlib import Path
from tempfile import TemporaryDirectory
from types import FrameType
from typing import Any

sys.path.append(str(Path(__file__).resolve().parents[1] / "tests" / "helpers"))

import torch
from mutated_streams import MUTATIONS, streams
from safetensors.torch import load_file, save_file

from minicodec.bits import reader as stream_reader
from minicodec.bits.bitstream import BitstreamError, StreamReader
from minicodec.bits.container import StreamBytes
from minicodec.bits.ecdc import read_ecdc, write_ecdc
from minicodec.bits.exact import exact_copy
from minicodec.bits.language_model import LanguageModel, LanguageModelConfig
from minicodec.bits.language_model_file import load_language_model, save_language_model
from minicodec.listening.analysis import analyse
from minicodec.model.checkpoint import CheckpointError, fingerprint, load_codec, save_codec
from minicodec.model.codec import Codec
from minicodec.model.config import ENCODEC_24KHZ, CodecConfig
from minicodec.training.config import TrainConfig, load_config

_SECONDS = 10  # of a processor, for a case
_ROOM = 2 << 30  # bytes, beyond what the process has when it begins
_LONGEST = 1000  # letters of an error

#: What strangers write where a number, a list or a word should stand.
_STRANGE: list[Any] = [
    None, True, False, 0, 1, -1, 2**31, 2**63, 10**19, 1e308, 0.5, "", "x", "=1", "\x1b[2J", [],
    [0], [[]], {}, {"a": 1}, [1] * 5000, "9" * 5000, [2] * 64, 3, 8, 1024, 65536, 1_000_000_000,
]  # fmt: skip


class Files:
    """Files that are right, spoilt ones of each kind, and what reads them."""

    def __init__(self, folder: Path):
        torch.manual_seed(0)
        # Taken for each stream, fingerprints would be most of the work.
        stream_reader.fingerprint = functools.cache(fingerprint)
        self.streams = streams(0)
        self.codec = Codec(
            CodecConfig(n_filters=2, dimension=4, strides=(2, 3), bandwidths=(9.0,), lstm_layers=1,
                        codebook_size=4, sample_rate=8000)
        ).eval()  # fmt: skip
        self.model = folder / "codec.safetensors"
        save_codec(self.codec, self.model)
        lm = LanguageModelConfig(n_q=2, codebook_size=4, dim=4, layers=1, heads=1, hidden=4)
        self.lm = folder / "lm.safetensors"
        save_language_model(exact_copy(LanguageModel(lm)), self.lm)
        self.official = Codec(ENCODEC_24KHZ, "encodec_24khz").eval()
        self.ecdc = write_ecdc(self.official, torch.zeros(1, 1, 700), 1.5)
        self.train = TrainConfig(codec=self.codec.config, seconds=0.5)
        self.path = folder / "spoilt"

    def streams_parsed(self, chance: random.Random) -> object:
        """Chunks, with checksums, in both modes."""
        _, data = self._stream(chance)
        return sum(chunk.size for chunk in StreamBytes(BytesIO(data), chance.random() < 0.5))

    def streams_decoded(self, chance: random.Random) -> object:
        """Sound, in both modes."""
        codec, data = self._stream(chance)
        return sum(1 for _ in StreamReader(BytesIO(data), codec, chance.random() < 0.5))

    def official_files(self, chance: random.Random) -> object:
        """`.ecdc`: strange headers, and spoilt bytes."""
        data = self.ecdc
        if chance.random() < 0.5:
            text = strange(json.loads(data[9 : 9 + data[8]]), chance).encode()
            data = data[:5] + len(text).to_bytes(4, "big") + text + data[9 + data[8] :]
        else:
            data = spoilt(data, chance)
        return read_ecdc(data, self.official)

    def models(self, chance: random.Random) -> object:
        """Codecs: strange configs, spoilt bytes, tensors that are not what they should be."""
        return load_codec(self._safetensors(self.model, chance))

    def language_models(self, chance: random.Random) -> object:
        """The same, of language models."""
        return load_language_model(self._safetensors(self.lm, chance))

    def training_configs(self, chance: random.Random) -> object:
        """JSON of a run."""
        path = self.path.with_suffix(".json")
        path.write_text(strange(dataclasses.asdict(self.train), chance), "utf-8", "replace")
        return load_config(str(path))

    def tables(self, chance: random.Random) -> object:
        """Ratings of listeners."""
        rows = ["listener,item,condition,rating"]
        for who in range(chance.randrange(4)):
            rating = chance.choice([100, 95, 89, chance.randrange(120)])
            rows += [f"{who},a,reference,{rating}", f"{who},a,x,{chance.random()}"]
        self.path.write_bytes(spoilt("\r\n".join(rows).encode(), chance))
        return analyse(self.path)

    def _stream(self, chance: random.Random) -> tuple[Codec, bytes]:
        (codec, data), (_, other) = chance.choices(self.streams, k=2)
        return codec, chance.choice(MUTATIONS)(data, other, chance)

    def _safetensors(self, file: Path, chance: random.Random) -> Path:
        if chance.random() < 0.4:
            self.path.write_bytes(spoilt(file.read_bytes(), chance))
            return self.path
        data = file.read_bytes()
        metadata = json.loads(data[8 : 8 + int.from_bytes(data[:8], "little")])["__metadata__"]
        tensors = load_file(file)
        if chance.random() < 0.8:
            metadata["config"] = strange(json.loads(metadata["config"]), chance)
        else:
            name = chance.choice(list(tensors))
            old = tensors[name]
            tensors[name] = chance.choice(
                [old.flatten(), old.flatten()[:0], old.double(), old.bool(), old.float() * 3e38,
                 old.float() / 0, old.to(torch.float8_e5m2), old.to(torch.complex64)]
            ).contiguous()  # fmt: skip
        save_file(tensors, self.path, metadata)
        return self.path


#: Area → errors that are allowed. Each is a method of `Files`.
AREAS: dict[str, type[Exception]] = {
    "streams_parsed": BitstreamError,
    "streams_decoded": BitstreamError,
    "official_files": BitstreamError,
    "models": CheckpointError,
    "language_models": CheckpointError,
    "training_configs": ValueError,
    "tables": ValueError,
}


def spoilt(data: bytes, chance: random.Random) -> bytes:
    """Some bits are others; a part is missing, or is there twice."""
    wrong = bytearray(data)
    for _ in range(chance.choice([0, 1, 1, 3, 30])):
        near = min(len(wrong), chance.choice([20, 2000, len(wrong)]))
        wrong[chance.randrange(near)] ^= 1 << chance.randrange(8)
    a, b = sorted(chance.choices(range(len(wrong) + 1), k=2))
    parts = [wrong[:a], wrong[:a] + wrong[b:], wrong[:b] + wrong]
    return bytes(chance.choice(parts) if chance.random() < 0.3 else wrong)


def strange(values: dict[str, Any], chance: random.Random) -> str:
    """JSON of an object with strange values, unknown names, names twice; or no JSON."""
    values = dict(values)
    for _ in range(chance.choice([0, 1, 1, 2, 4])):
        name = chance.choice([*values, "unknown"])
        old, value = values.get(name), chance.choice(_STRANGE)
        if isinstance(old, dict) and old:
            value = json.loads(strange(old, chance)) if chance.random() < 0.1 else old | {
                chance.choice(list(old)): value
            }  # fmt: skip
        elif isinstance(old, (int, float)) and chance.random() < 0.5:
            value = chance.choice([old * 2, old * 1000, -old, old + 1, old / 3])
        values[name] = value
    text = json.dumps(values)
    spoilers = [
        lambda: text.replace(": ", ": " + "[" * 10**5, 1),
        lambda: text.replace("{", '{"channels": 1, "channels": 2, ', 1),
        lambda: text.replace("1", "NaN", 1),
        lambda: text.replace("1", "1" + "0" * 10**4, 1),
        lambda: text.replace("1", "1e999", 1),
        lambda: f"[{text}]",
        lambda: text[: chance.randrange(len(text))],
    ]
    return chance.choice(spoilers)() if chance.random() < 0.3 else text


def attempt(case: Callable[[random.Random], object], number: int, allowed: type[Exception]) -> str:
    """Try one: taken, refused, or what went wrong."""
    try:
        case(random.Random(number))
    except allowed as error:
        text = str(error)
        fits = "\n" not in text and len(text) <= _LONGEST
        return "refused" if fits else f"an error of {len(text)} letters: {text[:60]!r}"
    except (Exception, TimeoutError) as error:
        return f"{type(error).__name__}: {str(error)[:80]!r}"
    return "taken"


def late(_: int, __: FrameType | None) -> None:
    raise TimeoutError(f"it takes more than {_SECONDS} s")


def limit_memory() -> None:
    pages = int(Path("/proc/self/statm").read_text().split()[0])
    most = pages * resource.getpagesize() + _ROOM
    resource.setrlimit(resource.RLIMIT_AS, (most, resource.RLIM_INFINITY))


def attack(area: str, files: Files, first: int, cases: int) -> tuple[str, list[str]]:
    """A row of the table, and each kind of failure once."""
    counts, failures, slowest = {"taken": 0, "refused": 0, "failed": 0}, dict[str, int](), 0.0
    before = signal.signal(signal.SIGPROF, late)
    for number in range(first, first + cases):
        began = time.process_time()
        signal.setitimer(signal.ITIMER_PROF, _SECONDS)
        outcome = attempt(getattr(files, area), number, AREAS[area])
        signal.setitimer(signal.ITIMER_PROF, 0)
        slowest = max(slowest, time.process_time() - began)
        if outcome not in counts:
            failures.setdefault(outcome, number)
            outcome = "failed"
        counts[outcome] += 1
    signal.signal(signal.SIGPROF, before)
    numbers = "".join(f"{count:10}" for count in counts.values())
    row = f"{area.replace('_', ' '):18}{cases:10}{numbers}{1000 * slowest:12.0f}"
    return row, [f"  {area}, case {number}: {text}" for text, number in failures.items()]


def main(words: list[str] | None = None) -> int:
    """Print the table; 1 if anything failed."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--cases", type=int, default=1000, help="in each area (default: 1000)")
    parser.add_argument("--seed", type=int, default=0, help="number of the first case")
    parser.add_argument("--only", choices=AREAS, nargs="+", default=list(AREAS))
    args = parser.parse_args(words)
    torch.set_num_threads(1)
    warnings.simplefilter("ignore")
    failures: list[str] = []
    print(f"{'area':18}{'cases':>10}{'taken':>10}{'refused':>10}{'failed':>10}{'slowest, ms':>12}")
    with TemporaryDirectory() as folder:
        files = Files(Path(folder))
        limit_memory()
        for area in args.only:
            row, found = attack(area, files, args.seed, args.cases)
            print(row, flush=True)
            failures += found
    print("\n".join(failures))
    return bool(failures)


if __name__ == "__main__":
    sys.exit(main())
