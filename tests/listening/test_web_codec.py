"""The codec in the page and the package exchange files: the same bytes, codes and refusals.

They need node; without it they are skipped, with MINICODEC_REQUIRE_NODE=1 they fail instead.
"""

import base64
import dataclasses
import functools
import json
import os
import random
import shutil
import subprocess
from collections.abc import Callable
from io import BytesIO
from pathlib import Path
from typing import Any

import exact_models
import numpy as np
import pytest
import torch
from browsing import unavailable
from mutated_streams import MUTATIONS, streams

import minicodec
from minicodec.bits import reader as stream_reader
from minicodec.bits.bitstream import BitstreamError, StreamReader
from minicodec.bits.container import Header, chunk_bytes
from minicodec.bits.exact import ExactLanguageModel, exact_copy
from minicodec.bits.exact_fast import faster
from minicodec.bits.language_model import LanguageModel, LanguageModelConfig
from minicodec.bits.language_model_file import SHIPPED_LM, load_language_model, save_language_model
from minicodec.bits.layout import Layout
from minicodec.bits.packing import code_model, silence, to_bytes
from minicodec.bits.prior_file import prior_json
from minicodec.model.checkpoint import fingerprint
from minicodec.model.codec import Codec
from minicodec.model.config import CodecConfig

SCRIPT = Path(__file__).parents[1] / "helpers" / "web_codec.mjs"
CHUNK = 375  # frames of 5 s
HOP = 320

STREAMS = int(os.environ.get("FUZZ_STREAMS", "2000"))
SEED = int(os.environ.get("FUZZ_SEED", "5"))

Jobs = list[dict[str, Any]]


@pytest.fixture
def javascript(tmp_path) -> Callable[[Jobs], Jobs]:
    """Does jobs in node, all of them in one process."""
    node = shutil.which("node")
    if node is None:
        unavailable("node is not installed", "NODE")

    def run(jobs: Jobs) -> Jobs:
        (tmp_path / "jobs.json").write_text(json.dumps(jobs))
        subprocess.run([node, str(SCRIPT), str(tmp_path)], check=True, timeout=600)
        results: Jobs = json.loads((tmp_path / "results.json").read_text())
        assert len(results) == len(jobs)
        for result in results:
            assert "crash" not in result, result["crash"]
        return results

    return run


@pytest.fixture(scope="module")
def codec() -> Codec:
    return minicodec.load("mini_24khz")


def text(data: bytes) -> str:
    return base64.b64encode(data).decode()


def as_text(codes: torch.Tensor) -> str:
    """Codes [K, T] as JavaScript holds them: 16 bits each, frame by frame."""
    return text(codes.T.contiguous().numpy().astype("<u2").tobytes())


def from_text(codes: str, n_q: int) -> torch.Tensor:
    flat = np.frombuffer(base64.b64decode(codes), "<u2").astype(np.int64)
    return torch.from_numpy(flat.reshape(-1, n_q).T.copy())


def model_of(codec: Codec) -> dict[str, Any]:
    """What the page knows of a model."""
    config = codec.config
    return {
        "name": codec.name, "fingerprint": fingerprint(codec).hex(), "bits": config.bits,
        "sampleRate": config.sample_rate, "channels": config.channels,
        "hopLength": config.hop_length, "nQ": config.max_n_q,
    }  # fmt: skip


def written(codec: Codec, codes: torch.Tensor, length: int, entropy: str) -> bytes:
    """The stream that `StreamWriter` makes of these codes [K, T], which need no sound."""
    model, name = code_model(codec, entropy)
    config, n_q = codec.config, len(codes)
    header = Header(
        entropy, config.channels, config.bits, n_q, CHUNK, CHUNK * config.hop_length,
        config.sample_rate, fingerprint(codec), name, codec.name,
    )  # fmt: skip
    data = header.to_bytes()
    crc, parts = int.from_bytes(data[-4:], "big"), codes.split(CHUNK, dim=1)
    for index, part in enumerate(parts):
        data += chunk_bytes(crc, index, part.shape[1], (), to_bytes(part, config.bits, model))
    return data + chunk_bytes(crc, len(parts), 0, (), length.to_bytes(8, "big"))


@pytest.fixture(scope="module")
def real(codec) -> torch.Tensor:
    """Codes of shipped clips, [K, T], of 13 s."""
    names = ("speech_en", "music", "noise", "speech_fr", "drums", "hard")
    sound = torch.cat([minicodec.audio.clip(name) for name in names], dim=-1)
    return codec.encode(sound[..., : 13 * 24000])[0]


def exchange(javascript, codec: Codec, jobs: list[tuple[torch.Tensor, int, str]]) -> None:
    """JavaScript writes what Python writes, and reads it: (codes [K, T], length, entropy)."""
    common: dict[str, Any] = {"model": model_of(codec), "lm": str(SHIPPED_LM["mini_24khz"])}
    common["prior"] = json.loads(prior_json(codec))
    files = [written(codec, *job) for job in jobs]
    writes = [
        {"do": "write", "codes": as_text(codes), "nQ": len(codes), "length": length,
         "entropy": entropy, **common}
        for codes, length, entropy in jobs
    ]  # fmt: skip
    reads = [{"do": "read", "stream": text(data), **common} for data in files]
    results = javascript(writes + reads)
    for (codes, length, entropy), data, ours, theirs in zip(
        jobs, files, results[: len(jobs)], results[len(jobs) :]
    ):
        what = f"{entropy}, {len(codes)} codebooks, {length} samples"
        assert base64.b64decode(ours.get("stream", "")) == data, (what, ours.get("error"))
        assert torch.equal(from_text(theirs["codes"], len(codes)), codes), what
        assert theirs["length"] == length and theirs["damaged"] == [], what


@pytest.mark.parametrize("entropy", ["none", "histogram"])
def test_streams_are_the_same_to_the_byte(javascript, codec, real, entropy):
    jobs = []
    for n_q in (2, 4, 8, 16):  # 1.5 to 12 kbps
        for length in (1, HOP, HOP + 1, CHUNK * HOP, CHUNK * HOP + 1, 12 * 24000):
            frames = -(-length // HOP)
            jobs.append((real[:n_q, :frames], length, entropy))
            jobs.append((torch.randint(1024, (n_q, frames)), length, entropy))
    jobs.append((torch.full((16, 2 * CHUNK), 1023), 2 * CHUNK * HOP, entropy))
    exchange(javascript, codec, jobs)


def test_so_are_those_of_the_language_model(javascript, codec, real):
    jobs = [(real[:n_q, :90], 90 * HOP - 5, "lm") for n_q in (2, 4, 8, 16)]
    jobs += [
        (real[:2, :1], 1, "lm"),
        (real[:4, : CHUNK + 1], CHUNK * HOP + 1, "lm"),
        (torch.full((2, 40), 7), 40 * HOP, "lm"),
        (torch.randint(1024, (8, 30)), 30 * HOP, "lm"),
    ]
    exchange(javascript, codec, jobs)


def test_the_package_decodes_what_javascript_wrote(javascript, codec, real):
    codes = real[:4, :400]
    job = {"do": "write", "codes": as_text(codes), "nQ": 4, "length": 400 * HOP - 100,
           "model": model_of(codec), "entropy": "histogram",
           "prior": json.loads(prior_json(codec))}  # fmt: skip
    (result,) = javascript([job])
    sound = minicodec.decompress(base64.b64decode(result["stream"]), codec)
    assert sound.shape == (1, 1, 400 * HOP - 100)
    torch.testing.assert_close(
        sound, codec.decode(codes[None])[..., : sound.shape[2]], atol=1e-5, rtol=0
    )


def test_chunks_are_as_long_as_the_package_makes_them(javascript):
    """Of any model: rounded to whole frames, and no longer than the format allows."""
    cases = [
        (24000, (2, 4, 5, 8), 16, 1024, 5.0), (16000, (2, 4, 5, 8), 8, 1024, 5.0),
        (44100, (2, 4, 8, 8), 9, 1024, 5.0), (8000, (2,), 4, 16, 60.0), (22050, (3,), 2, 2, 9.9),
        (24000, (2, 4, 5, 8), 700, 1024, 5.0), (24000, (2, 4, 5, 8), 7000, 65536, 5.0),
        (24000, (2, 4, 5, 8), 1, 16, 0.001), (24000, (8, 8), 1, 16, 1 / 3),
        (1000, (2,), 1, 4, 0.005), (1000, (2,), 1, 4, 0.007),
        (24000, (2, 4, 5, 8), 40000, 65536, 5.0),
    ]  # fmt: skip
    jobs: Jobs = []
    wanted = []
    for rate, strides, n_q, size, seconds in cases:
        config = CodecConfig(sample_rate=rate, strides=strides, codebook_size=size)
        name = "ä€😀" * 40 + f"{seconds}"
        model = {"name": name, "fingerprint": "0123456789abcdef", "bits": config.bits,
                 "sampleRate": rate, "channels": 1, "hopLength": config.hop_length}  # fmt: skip
        jobs.append({"do": "write", "model": model, "nQ": n_q, "length": 1, "entropy": "none",
                     "codes": text(bytes(2 * n_q)), "chunkSeconds": seconds})  # fmt: skip
        try:
            layout = Layout.of(config, n_q, seconds)
        except ValueError:
            wanted.append(None)
            continue
        header = Header(
            "none", 1, config.bits, n_q, layout.frames, layout.samples, rate,
            bytes.fromhex("0123456789abcdef"), bytes(8), name,
        )  # fmt: skip
        wanted.append(header.to_bytes())
    for case, head, result in zip(cases, wanted, javascript(jobs)):
        if head is None:
            assert "too many for a stream" in result["error"], case
        else:
            assert base64.b64decode(result["stream"]).startswith(head), case
    assert wanted.count(None) == 1


# The language model alone.

CONFIGS = {
    "as ours, small": exact_models.CONFIG,
    "positions that begin again": LanguageModelConfig(
        n_q=2, codebook_size=4, frame_rate=4, dim=6, layers=1, heads=3, hidden=7, seconds=1
    ),
    "a codebook of one entry": LanguageModelConfig(
        n_q=3, codebook_size=1, frame_rate=75, dim=8, layers=1, heads=1, hidden=5
    ),
    "entries that are not a power of two": LanguageModelConfig(
        n_q=2, codebook_size=10, frame_rate=5, dim=32, layers=3, heads=16, hidden=33, seconds=0.2
    ),
    "the paper's": dataclasses.replace(exact_models.PAPER, layers=2, seconds=0.2),
}


def tables_of(javascript, model: ExactLanguageModel, path: Path, codes: torch.Tensor) -> None:
    """Compare every frequency."""
    (result,) = javascript(
        [{"do": "tables", "lm": str(path), "codes": as_text(codes), "nQ": len(codes)}]
    )
    assert result["fingerprint"] == model.fingerprint.hex()
    found = np.frombuffer(base64.b64decode(result["tables"]), "<i4").astype(np.int64)
    wanted = model.tables(codes).numpy()
    assert np.array_equal(found.reshape(wanted.shape), wanted)


@pytest.mark.parametrize("kind", CONFIGS)
def test_every_frequency_is_the_same(javascript, tmp_path, kind):
    config = CONFIGS[kind]
    model = exact_copy(exact_models.sharpened(config, seed=3), b"12345678")
    path = tmp_path / "lm.safetensors"
    save_language_model(model, path)
    frames = 1100 if "positions" in kind else 40
    codes = torch.randint(config.codebook_size, (config.n_q, frames))
    tables_of(javascript, model, path, codes)
    tables_of(javascript, faster(model), path, codes[:1])


def test_so_it_is_of_the_one_that_ships(javascript, real):
    path = SHIPPED_LM["mini_24khz"]
    tables_of(javascript, load_language_model(path), path, real[:3, :300])


def test_products_are_multiplied_in_the_same_order(javascript, tmp_path):
    """What no trained model would show."""
    model, wrong = exact_models.on_an_edge()
    codes = exact_models.some_codes(frames=1)
    assert not torch.equal(model.tables(codes), wrong)
    save_language_model(model, tmp_path / "lm.safetensors")
    tables_of(javascript, model, tmp_path / "lm.safetensors", codes)


def test_where_weights_are_extreme(javascript, tmp_path):
    """Values that are clipped, float32 that is rounded, and halves between two integers."""
    config = exact_models.CONFIG
    for seed, (part, factor) in enumerate(
        [("scale", 1e5), ("scale", 1e12), ("scale", 1e30), ("scale", 1e-7), ("gain", 1e4),
         ("gain", -1e-3), ("gain", 1e30), ("bias", 1e4), ("bias", 0.0)]
    ):  # fmt: skip
        tensors = dict(exact_copy(exact_models.sharpened(seed=seed)).tensors)
        for name, tensor in tensors.items():
            if name.endswith(part):
                tensors[name] = (tensor * factor).clamp(-9e8, 9e8)
                if part == "bias":
                    tensors[name] = tensors[name].round() + 0.5
        model, codes = ExactLanguageModel(config, tensors), exact_models.some_codes(seed=seed)
        path = tmp_path / f"{seed}.safetensors"
        save_language_model(model, path)
        tables_of(javascript, model, path, codes)
        assert torch.equal(faster(model).tables(codes), model.tables(codes))


def in_order(data: bytes) -> bytes:
    """A safetensors file whose header is the same in every run."""
    end = 8 + int.from_bytes(data[:8], "little")
    head = json.dumps(json.loads(data[8:end]), sort_keys=True).encode()
    return len(head).to_bytes(8, "little") + head + data[end:]


def forged(model: ExactLanguageModel, change: dict[str, torch.Tensor], path: Path) -> bytes:
    """A file with a right fingerprint, but numbers that are not to be computed with."""
    copy = ExactLanguageModel.__new__(ExactLanguageModel)
    copy.config, copy.codec, copy.tensors = model.config, b"", model.tensors | change
    save_language_model(copy, path)
    return path.read_bytes()


def test_a_language_model_that_is_damaged_or_forged_is_refused(javascript, tmp_path):
    path, chance = tmp_path / "lm.safetensors", random.Random(0)
    config = LanguageModelConfig(
        n_q=2, codebook_size=4, frame_rate=4, dim=8, layers=1, heads=2, hidden=8, seconds=1
    )
    model = exact_copy(exact_models.sharpened(config), b"12345678")
    save_language_model(model, path)
    whole = in_order(path.read_bytes())
    head = int.from_bytes(whole[:8], "little")
    files = [b"", whole[:7], whole[:100], whole[:-1], whole + b"\0", bytes(200), b"\xff" * 200]
    for turn in range(600):
        damaged = bytearray(whole)
        for _ in range(chance.choice([1, 1, 2, 20])):
            most = 8 + head if turn % 2 else len(whole)
            damaged[chance.randrange(most)] = chance.randrange(256)
        files.append(bytes(damaged))
    wide = exact_copy(LanguageModel(dataclasses.replace(config, hidden=600)))
    heavy = {"layers.0.down.weight": torch.full((8, 600), 127, dtype=torch.int8)}
    files.append(forged(wide, heavy, path))
    for name, tensor in model.tensors.items():
        wrong = tensor.clone()
        wrong.reshape(-1)[0] = -1e300 if tensor.dtype == torch.float64 else 3
        files.append(forged(model, {name: wrong}, path))
    results = javascript([{"do": "open", "file": text(file)} for file in files])
    accepted = 0
    for file, result in zip(files, results):
        path.write_bytes(file)
        try:
            name = load_language_model(path).fingerprint.hex()
        except ValueError as error:
            assert "error" in result, (str(error), result)
            assert "\n" not in result["error"] and result["error"].endswith(".")
            continue
        # The page may be stricter about how a header is spelt.
        assert result.get("fingerprint", name) == name
        accepted += "fingerprint" in result
    assert 10 < accepted < len(files) / 2


# Damage.


def verdict(
    codec: Codec, lm: ExactLanguageModel, data: bytes, tolerant: bool
) -> tuple[torch.Tensor, int, list[int]] | str:
    """Codes, length and damaged chunks, or why there are none, as the package says."""
    try:
        reader = StreamReader(BytesIO(data), codec, tolerant, lm=lm)
        codes = torch.cat([codes for codes, _ in reader._codes()], dim=2)[0]
        assert reader._end is not None
        return codes, reader._end, reader.damaged
    except BitstreamError as error:
        return str(error)


@pytest.mark.filterwarnings("ignore")
def test_both_judge_alike_what_is_damaged_or_forged(javascript, monkeypatch, tmp_path):
    monkeypatch.setattr(stream_reader, "fingerprint", functools.cache(fingerprint))  # for speed
    chance, every = random.Random(SEED), streams(SEED)
    kinds = [(codec, data) for codec, data in every if codec.config.streams]
    codec = kinds[0][0]
    n_q = codec.config.max_n_q
    small = dict(n_q=n_q, codebook_size=16, dim=8, layers=1, heads=2, hidden=8)
    lm = faster(exact_copy(exact_models.sharpened(LanguageModelConfig(**small))))
    save_language_model(lm, tmp_path / "lm.safetensors")
    for bandwidth in codec.config.bandwidths:
        sound = 0.1 * torch.randn(1, 1, 10000)
        data = minicodec.compress(codec, sound, bandwidth, "lm", chunk_seconds=0.1, lm=lm)
        kinds.append((codec, data))
    still = silence(codec, n_q, 1, 0)[0][0, :, 0].tolist()
    common = {"do": "read", "model": model_of(codec), "prior": None, "silence": still,
              "lm": str(tmp_path / "lm.safetensors")}  # fmt: skip
    jobs, told = [], []
    for turn in range(STREAMS):
        (codec_, data), (_, other) = chance.choice(kinds), chance.choice(every)
        wrong = chance.choice(MUTATIONS)(data, other, chance) if turn else data
        tolerant = chance.random() < 0.6
        told.append(verdict(codec_, lm, wrong, tolerant))
        jobs.append({"stream": text(wrong), "tolerant": tolerant, **common})
    results = javascript(jobs)
    read = 0
    for job, python, result in zip(jobs, told, results):
        if isinstance(python, str):
            assert "error" in result, (job["stream"], python, result)
            assert "\n" not in result["error"] and result["error"].endswith(".")
            continue
        codes, length, damaged = python
        assert "codes" in result, (job["stream"], result)
        assert torch.equal(from_text(result["codes"], len(codes)), codes), job["stream"]
        assert (result["length"], result["damaged"]) == (length, damaged), job["stream"]
        read += 1
    assert STREAMS / 6 < read < STREAMS * 5 / 6


@pytest.mark.filterwarnings("ignore")
def test_streams_of_other_kinds_end_in_a_sentence(javascript):
    chance, every, model = random.Random(SEED + 1), streams(SEED + 1), functools.cache(model_of)
    jobs = []
    for _ in range(STREAMS // 3):
        (codec, data), (_, other) = chance.choices(every, k=2)
        wrong = chance.choice(MUTATIONS)(data, other, chance)
        jobs.append({"do": "read", "stream": text(wrong), "tolerant": chance.random() < 0.7,
                     "silence": [0] * 64, "model": model(codec), "prior": None})  # fmt: skip
    results = javascript(jobs)
    assert sum("error" in result for result in results) > STREAMS / 9
