"""Support: EnCodec, DAC and Mimi from transformers, as `minicodec.listening.codecs` has them.

These models give codes and no file, so their file is made here: a header of five bytes (how many
codebooks, how many samples), the loudness of each segment where the model needs it, and then all
codes with as many bits as they need, one after another. That is the least that an honest file can
be without entropy coding; it has no checksum and names no model, as ours do.
"""

import math
import struct
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from minicodec.bits.packing import pack, unpack
from minicodec.sound.installs import remedy
from minicodec.sound.names import printable

_HEADER = struct.Struct(">BI")


def from_folder(
    folder: str | Path, kbps: Sequence[float] | None = None, note: str = ""
) -> "list[TransformersCodec]":
    """A codec for each bit rate of a model that `save_pretrained` has saved.

    Args:
        folder: with config.json and model.safetensors; or a name on the hub, such as "kyutai/mimi",
            which transformers keeps in its cache and fetches if it is not there.
        kbps: what the codes may take, rounded down to whole codebooks; all codebooks by default.
        note: what its rows should say, such as "random weights".

    Raises:
        ValueError: if there is no such model, or transformers is missing, or it has no such rate.
    """
    model = _load(folder)
    kinds = {"encodec": _Encodec, "dac": _Dac, "mimi": _Mimi}
    name = printable(Path(folder).resolve().name if Path(folder).is_dir() else str(folder))
    kind = kinds[model.config.model_type]
    return [kind(model, name, rate, note) for rate in kbps or (math.inf,)]


def _load(folder: str | Path) -> Any:
    try:
        import transformers
    except ImportError as error:
        raise ValueError(f"models of transformers need it: {remedy('transformers')}") from error
    kinds = {"encodec": "EncodecModel", "dac": "DacModel", "mimi": "MimiModel"}
    bars = transformers.utils.logging
    shown = bars.is_progress_bar_enabled()
    bars.disable_progress_bar()
    try:
        found, _ = transformers.PretrainedConfig.get_config_dict(folder)
        kind = found.get("model_type")
        if kind is None:
            raise OSError("there is no config.json that says what it is")
        if kind not in kinds:
            raise OSError(f"kind {kind!r}, but {', '.join(kinds)} are known")
        # safetensors only: nothing that is fetched is run.
        model, loaded = getattr(transformers, kinds[kind]).from_pretrained(
            folder, use_safetensors=True, output_loading_info=True
        )
    except MemoryError:
        raise
    except Exception as error:  # what a damaged folder raises depends on where it is damaged
        why = " ".join(str(error).split("\n")[0].split()).rstrip(".:")
        raise ValueError(
            f"{folder} holds no model of transformers that is known here: {why}."
        ) from error
    finally:
        if shown:
            bars.enable_progress_bar()
    # What the file lacks would be random, and the table would say nothing of it.
    if lacking := {*loaded["missing_keys"]} & {name for name, _ in model.named_parameters()}:
        raise ValueError(
            f"{folder} lacks {len(lacking)} weights of its model, {min(lacking)} first."
        )
    return model.eval()


class TransformersCodec:
    """One model at one bit rate. What differs between models is in the three classes below."""

    def __init__(self, model: Any, name: str, kbps: float, note: str):
        config = model.config
        self._model = model
        self._bits = math.ceil(math.log2(config.codebook_size))
        one = self._bits * self._frame_rate() / 1000  # kbps of one codebook
        # A rate such as 1.1 kbps is no exact multiple in floats.
        self._n_q = self._most() if kbps == math.inf else int(kbps / one + 1e-6)
        if not 1 <= self._n_q <= self._most():
            raise ValueError(
                f"{name} has {one:.3g} to {self._most() * one:.3g} kbps, not {kbps:g}."
            )
        self.name, self.note = f"{name} {self._n_q * one:.3g}", note
        self.sample_rate = config.sampling_rate
        self.channels = getattr(config, "audio_channels", 1)

    def encode(self, audio: Tensor) -> bytes:
        codes, scales = self._codes(audio)
        loudness = struct.pack(f">{len(scales)}f", *scales)
        packed = pack(codes.T.reshape(-1).cpu().numpy(), self._bits)
        return _HEADER.pack(self._n_q, audio.shape[-1]) + loudness + packed

    def decode(self, data: bytes) -> Tensor:
        n_q, length = _HEADER.unpack_from(data)
        count = len(self._frames(length)) if self._scaled() else 0
        scales = struct.unpack_from(f">{count}f", data, _HEADER.size)
        frames = sum(self._frames(length))
        flat = unpack(data[_HEADER.size + 4 * count :], self._bits, frames * n_q)
        codes = torch.from_numpy(flat.reshape(frames, n_q)).T
        audio = self._sound(codes, scales, length)[..., :length]
        return torch.nn.functional.pad(audio, (0, length - audio.shape[-1]))

    @property
    def _hop(self) -> int:
        """Samples per frame."""
        raise NotImplementedError

    def _frame_rate(self) -> float:
        """Frames per second."""
        return self._model.config.sampling_rate / self._hop

    def _most(self) -> int:
        """Codebooks that the model has."""
        raise NotImplementedError

    def _frames(self, length: int) -> list[int]:
        """Frames of each segment of a sound; most models take it as one."""
        return [math.ceil(length / self._hop)]

    def _scaled(self) -> bool:
        """Does each segment have its loudness beside its codes?"""
        return False

    def _codes(self, audio: Tensor) -> tuple[Tensor, list[float]]:
        """[1, C, T] → codes [K, frames], and the loudness of each segment."""
        raise NotImplementedError

    def _sound(self, codes: Tensor, scales: Sequence[float], length: int) -> Tensor:
        """And back: [1, C, about T]"""
        raise NotImplementedError


class _Encodec(TransformersCodec):
    @property
    def _hop(self) -> int:
        return math.prod(self._model.config.upsampling_ratios)

    def _most(self) -> int:
        bandwidth = max(self._model.config.target_bandwidths)
        return int(bandwidth * 1000 / (self._frame_rate() * self._bits) + 1e-6)

    def _scaled(self) -> bool:
        return bool(self._model.config.normalize)

    def _coded(self, length: int) -> tuple[int, list[int]]:
        """Samples that are coded, and how many are in each segment.

        Of segments that overlap the last two may be short, for which `encode` fails (it stacks
        what is not equally long), so the sound is filled up to the end of the first of them.
        """
        config = self._model.config
        size, stride = config.chunk_length or length, config.chunk_stride or length
        short = [start for start in range(0, length, stride) if start + size > length]
        length = short[-2] + size if len(short) > 1 else length
        return length, [min(size, length - start) for start in range(0, length, stride)]

    def _frames(self, length: int) -> list[int]:
        return [math.ceil(samples / self._hop) for samples in self._coded(length)[1]]

    def _codes(self, audio: Tensor) -> tuple[Tensor, list[float]]:
        rates = self._model.config.target_bandwidths
        # It has rates, and not numbers of codebooks: the lowest one with enough of them.
        wanted = self._n_q * self._bits * self._frame_rate() / 1000 - 1e-6
        fill = self._coded(audio.shape[-1])[0] - audio.shape[-1]
        whole = torch.nn.functional.pad(audio, (0, fill))
        out = self._model.encode(whole, bandwidth=min(r for r in rates if r >= wanted))
        # Segments [S, 1, K, F]; what fills up the last one is no code.
        each = [
            segment[0, : self._n_q, :frames]
            for segment, frames in zip(out.audio_codes, self._frames(audio.shape[-1]))
        ]
        scales = [float(s) for s in out.audio_scales] if self._scaled() else []
        return torch.cat(each, dim=1), scales

    def _sound(self, codes: Tensor, scales: Sequence[float], length: int) -> Tensor:
        frames = self._frames(length)
        each = codes.split(frames, dim=1)
        filled = [torch.nn.functional.pad(x, (0, frames[0] - x.shape[1])) for x in each]
        loudness = [torch.tensor([[s]]) for s in scales] if scales else [None] * len(frames)
        fill = frames[0] - frames[-1]
        more = {"last_frame_pad_length": fill} if fill else {}
        return self._model.decode(torch.stack(filled)[:, None], loudness, **more).audio_values


class _Dac(TransformersCodec):
    @property
    def _hop(self) -> int:
        return math.prod(self._model.config.downsampling_ratios)

    def _most(self) -> int:
        return self._model.config.n_codebooks

    def _codes(self, audio: Tensor) -> tuple[Tensor, list[float]]:
        whole = torch.nn.functional.pad(audio, (0, -audio.shape[-1] % self._hop))
        return self._model.encode(whole, n_quantizers=self._n_q).audio_codes[0], []

    def _sound(self, codes: Tensor, scales: Sequence[float], length: int) -> Tensor:
        return self._model.decode(audio_codes=codes[None]).audio_values.reshape(1, 1, -1)


class _Mimi(TransformersCodec):
    @property
    def _hop(self) -> int:
        return round(self._model.config.sampling_rate / self._model.config.frame_rate)

    def _most(self) -> int:
        return self._model.config.num_quantizers

    def _codes(self, audio: Tensor) -> tuple[Tensor, list[float]]:
        return self._model.encode(audio, num_quantizers=self._n_q).audio_codes[0], []

    def _sound(self, codes: Tensor, scales: Sequence[float], length: int) -> Tensor:
        return self._model.decode(codes[None]).audio_values
