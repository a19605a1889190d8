"""Support of `rivals.py`: each codec as two functions, sound to codes and codes to sound.

All are the packages themselves, as their own examples call them. Where trained weights cannot be
had without a network they are random: sizes decide the time, not values. The four of EnCodec's
official size have one set of random weights, so that they compute the same codes.
"""

import importlib
import subprocess
import tempfile
import warnings
from collections.abc import Callable
from dataclasses import replace
from functools import cache, partial
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import torch
from onnx_step import Step
from speed import BANDWIDTH, official_codec
from torch import Tensor

import minicodec
from minicodec.listening.opus_codec import need_opus_tools
from minicodec.model.checkpoint import assemble, save_codec
from minicodec.model.codec import Codec
from minicodec.model.export import export
from minicodec.model.fast.codec import faster
from minicodec.model.onnx_export import export_onnx
from minicodec.sound import audio as audio_

RATE = 24000
Opened = dict[str, Callable[..., Any]]


class Rival(NamedTuple):
    """What is measured."""

    name: str
    package: str  #: whose version counts, as its distribution is called
    model: str  #: in words: size and bit rate
    weights: str  #: "trained" or "random"
    open: Callable[[int], Opened]  #: threads → encode [1, 1, T], decode; perhaps frames of a stream


@cache
def _pair() -> tuple[Any, Codec]:
    torch.manual_seed(0)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # it was written for an older torch
        return official_codec()


def official() -> Any:
    """The official package's model, its weights and codebooks drawn at random."""
    return _pair()[0]


def large() -> Codec:
    """The same weights as our codec."""
    return _pair()[1]


def up_to_six(codec: Codec) -> Codec:
    """Without the levels above 6 kbps, which an exported encoder would always compute.

    An exported one streams, so it fills with zeros at both ends; this one does, too.
    """
    rates = tuple(b for b in codec.config.bandwidths if b <= BANDWIDTH)
    config = replace(codec.config, bandwidths=rates, pad_mode="constant")
    kept = Codec(config).quantizer.state_dict()
    weights = {
        name: weight
        for name, weight in codec.state_dict().items()
        if not name.startswith("quantizer.") or name.removeprefix("quantizer.") in kept
    }
    return assemble(config, weights, codec.name)


def of_ours(codec: Callable[[], Codec], threads: int, dtype: torch.dtype = torch.float32) -> Opened:
    fast = faster(codec(), dtype)
    return {"encode": partial(fast.encode, bandwidth=BANDWIDTH), "decode": fast.decode,
            "encode a frame": fast.stream_encode, "decode a frame": fast.stream_decode}  # fmt: skip


def of_official(threads: int) -> Opened:
    model = official()
    return {"encode": model.encode, "decode": model.decode}


@cache
def _exported() -> Any:
    from transformers import EncodecModel

    with tempfile.TemporaryDirectory() as folder, _quiet():
        export(large(), folder, force=True)
        return EncodecModel.from_pretrained(folder).eval()


def of_transformers(threads: int) -> Opened:
    model = _exported()
    return {
        "encode": lambda clip: model.encode(clip, bandwidth=BANDWIDTH).audio_codes,
        "decode": lambda codes: model.decode(codes, [None])[0],
    }


def of_mimi(threads: int) -> Opened:
    from transformers import MimiConfig, MimiModel

    torch.manual_seed(0)
    with _quiet():
        model = MimiModel(MimiConfig()).eval()
    return {
        "encode": lambda clip: model.encode(clip, num_quantizers=8).audio_codes,
        "decode": lambda codes: model.decode(codes).audio_values,
    }


def of_dac(threads: int) -> Opened:
    torch.manual_seed(0)
    with _quiet():
        model = importlib.import_module("dac").DAC(
            encoder_rates=[2, 4, 5, 8], decoder_rates=[8, 5, 4, 2], n_codebooks=32,
            sample_rate=RATE,
        ).eval()  # fmt: skip
    return {
        "encode": lambda clip: model.encode(model.preprocess(clip, RATE), 8)[1],
        "decode": lambda codes: model.decode(model.quantizer.from_codes(codes)[0]),
    }


def of_snac(threads: int) -> Opened:
    torch.manual_seed(0)
    with _quiet():
        model = importlib.import_module("snac").SNAC(
            sampling_rate=RATE, encoder_dim=48, encoder_rates=[2, 4, 8, 8], decoder_dim=1024,
            decoder_rates=[8, 8, 4, 2], attn_window_size=None, vq_strides=[4, 2, 1],
        ).eval()  # fmt: skip
    return {"encode": model.encode, "decode": model.decode}


def of_onnx(codec: Callable[[], Codec], threads: int) -> Opened:
    """Our model as `minicodec export-onnx` writes it: a second at a time, or a frame."""
    with tempfile.TemporaryDirectory() as folder:
        save_codec(codec(), Path(folder) / "codec.safetensors")
        files = export_onnx(Path(folder) / "codec.safetensors", folder, "codec")
        encoder, decoder = (Step(file, threads) for file in files[1:3])

    def run(step: Step, size: int, x: Tensor) -> np.ndarray:
        states, parts = None, []
        for piece in x.split(size, -1):
            part, states = step(piece.numpy(), states)
            parts.append(part)
        return np.concatenate(parts, -1)

    return {
        "encode": lambda clip: torch.from_numpy(run(encoder, RATE, clip)),
        "decode": partial(run, decoder, 75),
        "encode a frame": lambda piece, state, _: encoder(piece.numpy(), state),
        "decode a frame": lambda codes, state: decoder(codes.int().numpy(), state),
    }


def of_opus(threads: int) -> Opened:
    """The command-line tools, from file to file, start-up included; they use one thread."""
    need_opus_tools()
    place = tempfile.TemporaryDirectory()
    wav, packed, back = (f"{place.name}/{name}" for name in ("in.wav", "mid.opus", "out.wav"))
    written: list[int] = []  # lengths of what lies there already

    def encode(clip: Tensor) -> TemporaryFiles:
        if written != [clip.shape[-1]]:
            audio_.save(wav, clip.clamp(-1, 1), RATE)
            written[:] = [clip.shape[-1]]
        subprocess.run(
            ["opusenc", "--quiet", "--bitrate", f"{BANDWIDTH:g}", wav, packed], check=True
        )
        return TemporaryFiles(place, packed)

    def decode(_: TemporaryFiles) -> None:
        subprocess.run(["opusdec", "--quiet", "--rate", f"{RATE}", packed, back], check=True)

    return {"encode": encode, "decode": decode}


class TemporaryFiles(NamedTuple):
    """An encoded file, and the folder that goes when nobody needs it any more."""

    place: Any
    file: str


class _quiet:
    """Packages written for an older torch warn of it, and transformers shows bars."""

    def __enter__(self) -> None:
        self.kept = warnings.catch_warnings()
        self.kept.__enter__()
        warnings.simplefilter("ignore")
        from transformers.utils import logging

        logging.disable_progress_bar()

    def __exit__(self, *_: object) -> None:
        self.kept.__exit__(None, None, None)


def small() -> Codec:
    """The codec that ships, up to 6 kbps."""
    return up_to_six(minicodec.load("mini_24khz", fast=False))


def large_up_to_six() -> Codec:
    """The official size, up to 6 kbps."""
    return up_to_six(large())


SIZE, MINI = "EnCodec, 14.8 M weights, 6 kbps", "mini_24khz, 6 kbps"
RIVALS = {
    rival.name: rival
    for rival in (
        Rival("minicodec", "minicodec", SIZE, "random", partial(of_ours, large)),
        Rival("encodec", "encodec", SIZE, "random", of_official),
        Rival("transformers", "transformers", SIZE, "random", of_transformers),
        Rival("ONNX Runtime", "onnxruntime", SIZE, "random", partial(of_onnx, large_up_to_six)),
        Rival("minicodec, mini", "minicodec", MINI, "trained", partial(of_ours, small)),
        Rival(
            "minicodec, mini, bfloat16",
            "minicodec",
            MINI,
            "trained",
            partial(of_ours, small, dtype=torch.bfloat16),
        ),
        Rival("ONNX Runtime, mini", "onnxruntime", MINI, "trained", partial(of_onnx, small)),
        Rival("Mimi", "transformers", "Mimi, 79 M weights, 1.1 kbps", "random", of_mimi),
        Rival("DAC", "descript-audio-codec", "DAC, 75 M weights, 6 kbps", "random", of_dac),
        Rival("SNAC", "snac", "SNAC, 20 M weights, 1 kbps", "random", of_snac),
        Rival("Opus", "opus", "opusenc and opusdec, 6 kbps", "none", of_opus),
    )
}
