"""Exported graphs as a program runs them: a step, its states, and nothing else of ours."""

import json
from pathlib import Path

import numpy as np
import onnxruntime
import torch
from torch import Tensor

from minicodec.model.checkpoint import save_codec
from minicodec.model.codec import Codec
from minicodec.model.onnx_export import export_onnx


def session(path: Path) -> onnxruntime.InferenceSession:
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    options.log_severity_level = 3  # errors: the tests make some
    return onnxruntime.InferenceSession(path, options, providers=["CPUExecutionProvider"])


class Steps:
    """The encoder or the decoder of an export."""

    def __init__(self, folder: Path, stem: str, which: str):
        self.about = json.loads((folder / f"{stem}.json").read_text())[which]
        self.session = session(folder / self.about["file"])

    def start(self) -> list[np.ndarray]:
        return [np.zeros(state["shape"], np.float32) for state in self.about["states"]]

    def __call__(self, x: np.ndarray, states: list[np.ndarray]) -> tuple[np.ndarray, list]:
        feed = {s["name"]: value for s, value in zip(self.about["states"], states)}
        names = [self.about["output"], *(state["next"] for state in self.about["states"])]
        y, *states = self.session.run(names, {self.about["input"]: x, **feed})
        return y, states

    def in_pieces(self, x: np.ndarray, lengths: list[int], unit: int = 1) -> np.ndarray:
        """All of `x`, cut into pieces of these lengths in turn, times `unit`."""
        states, outputs, start, turn = self.start(), [], 0, 0
        while start < x.shape[-1]:
            end = start + unit * lengths[turn % len(lengths)]
            y, states = self(x[..., start:end], states)
            outputs.append(y)
            start, turn = end, turn + 1
        return np.concatenate(outputs, axis=-1)


class Exported:
    """A codec and its export in a folder."""

    def __init__(self, codec: Codec, folder: Path, half: bool = False):
        save_codec(codec, folder / "codec.safetensors", half=half)
        data = (folder / "codec.safetensors").read_bytes()
        self.codec, self.files = codec, export_onnx(codec, data, folder / "onnx", "x", {})
        self.encoder = Steps(folder / "onnx", "x", "encoder")
        self.decoder = Steps(folder / "onnx", "x", "decoder")

    def encode(self, audio: Tensor, lengths: list[int]) -> Tensor:
        hop = self.codec.config.hop_length
        return torch.from_numpy(self.encoder.in_pieces(audio.numpy(), lengths, hop))

    def decode(self, codes: Tensor, lengths: list[int]) -> Tensor:
        return torch.from_numpy(self.decoder.in_pieces(codes.int().numpy(), lengths))
