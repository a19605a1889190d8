"""Support: codecs that are at hand, as `minicodec.listening.codecs` has them: ours, MP3, EnCodec's.

Opus is in `minicodec.listening.opus_codec`, models of transformers in
`minicodec.listening.transformers_codecs`.
"""

import inspect
import io
import struct
import warnings
from importlib import import_module
from pathlib import Path
from typing import Any
from unittest import mock

import numpy as np
import soundfile
import torch
from torch import Tensor

from minicodec.bits.bitstream import compress, decompress
from minicodec.listening.codecs import CodecError
from minicodec.model.codec import Codec
from minicodec.model.pretrained import OFFICIAL, read_tensors
from minicodec.sound import mp3

_LENGTH = struct.Struct(">I")
#: The bit rates that LAME has at each of MP3's sample rates.
_MP3_KBPS = {rate: (8, 64) for rate in (8000, 11025, 12000)}
_MP3_KBPS |= {rate: (8, 160) for rate in (16000, 22050, 24000)}
_MP3_KBPS |= {rate: (32, 320) for rate in (32000, 44100, 48000)}


class Ours:
    """A codec of this package at one bandwidth; its bytes are a whole `.mcdc` stream.

    Args:
        entropy: how the stream codes, "none", "histogram" or "lm".

    Raises:
        ValueError: for a bandwidth that the codec does not have.
    """

    def __init__(self, codec: Codec, bandwidth: float, entropy: str = "none"):
        codec.config.n_q(bandwidth)
        self.name = f"{codec.name} {bandwidth:g}"
        self.sample_rate, self.channels = codec.config.sample_rate, codec.config.channels
        self._codec, self._bandwidth, self._entropy = codec, bandwidth, entropy

    def encode(self, audio: Tensor) -> bytes:
        return compress(self._codec, audio, self._bandwidth, self._entropy)

    def decode(self, data: bytes) -> Tensor:
        return decompress(data, self._codec)


class Mp3:
    """MP3 at a constant bit rate, by LAME in libsndfile; its bytes are the file and the length.

    Where it is in no header, the encoder's and the decoder's delay of 1105 samples is cut off, as
    players do.

    Args:
        kbps: LAME takes the nearest that MP3 has.
        sample_rate: 24 kHz up to 48 kbps if none is named, else 44.1 kHz, much as LAME chooses.

    Raises:
        ValueError: for a bit rate or a sample rate that MP3 does not have.
    """

    def __init__(self, kbps: float, sample_rate: int | None = None, channels: int = 1):
        self.sample_rate = sample_rate or (24000 if kbps <= 48 else 44100)
        self.channels, self.name = channels, f"mp3 {kbps:g}"
        if self.sample_rate not in _MP3_KBPS:
            rates = ", ".join(str(rate) for rate in _MP3_KBPS)
            raise ValueError(f"MP3 has {rates} Hz, not {sample_rate}.")
        low, high = _MP3_KBPS[self.sample_rate]
        if not low <= kbps <= high:
            raise ValueError(
                f"MP3 at {self.sample_rate} Hz has {low} to {high} kbps, not {kbps:g}."
            )
        # libsndfile counts from 0, the highest bit rate, to below 1, the lowest.
        self._level = min((high - kbps) / (high - low), 0.999)

    def encode(self, audio: Tensor) -> bytes:
        if "bitrate_mode" not in inspect.signature(soundfile.write).parameters:
            raise CodecError("MP3 at a bit rate needs soundfile 0.13 or newer.")
        samples, file = audio[0].clamp(-1, 1).cpu().numpy().T, io.BytesIO()
        soundfile.write(file, samples, self.sample_rate, format="MP3",
                        bitrate_mode="CONSTANT", compression_level=self._level)  # fmt: skip
        return _LENGTH.pack(len(samples)) + file.getvalue()

    def decode(self, data: bytes) -> Tensor:
        length, file = _LENGTH.unpack_from(data)[0], io.BytesIO(data[_LENGTH.size :])
        skipped = 0 if mp3.says_its_length(file) else 1105
        file.seek(0)
        samples, _ = soundfile.read(file, dtype="float32", always_2d=True)
        samples = samples[skipped : skipped + length]
        padded = np.pad(samples, ((0, length - len(samples)), (0, 0)))
        return torch.from_numpy(padded.T.copy())[None]


class Official:
    """The official package `encodec` itself, at one bandwidth; its bytes are an `.ecdc` file.

    Args:
        model: "encodec_24khz" or "encodec_48khz".
        bandwidth: in kbps.
        weights: the official file (.th); None leaves them random, and says so.

    Raises:
        ValueError: if the package is missing, or there is no such model, bandwidth or file.
    """

    def __init__(self, model: str, bandwidth: float, weights: str | Path | None = None):
        if model not in OFFICIAL:
            raise ValueError(f"the official models are {' and '.join(OFFICIAL)}, not {model!r}.")
        config = OFFICIAL[model].config
        config.n_q(bandwidth)
        try:
            from encodec import EncodecModel
        except ImportError as error:
            raise ValueError("the official codec is measured with its package: "
                             "pip install encodec") from error  # fmt: skip
        make = getattr(EncodecModel, model.replace("encodec_", "encodec_model_"))
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # the official code was written for an older torch
            self._model = make(pretrained=False).eval()
        self._model.name = model  # which it forgets without its own weights
        self.note = "random weights" if weights is None else ""
        if weights is not None:
            try:
                self._model.load_state_dict(read_tensors(Path(weights)))
            except RuntimeError as error:  # other names, or other sizes
                raise ValueError(f"{weights} does not hold the weights of {model}.") from error
        self._model.set_target_bandwidth(bandwidth)
        self.name = f"official {model} {bandwidth:g}"
        self.sample_rate, self.channels = config.sample_rate, config.channels

    def encode(self, audio: Tensor) -> bytes:
        return _files().compress(self._model, audio[0], use_lm=False)

    def decode(self, data: bytes) -> Tensor:
        # It makes the model anew for each file, and would download it; this is the model we have.
        with mock.patch.dict(_files().MODELS, {self._model.name: lambda: self._model}):
            return _files().decompress(data)[0][None]


def _files() -> Any:
    return import_module("encodec.compress")  # by name: as its attribute it is a function
