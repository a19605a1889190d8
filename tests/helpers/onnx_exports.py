"""Exported graphs as a program runs them: a step, its states, and nothing else of ours."""

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import onnx
import torch
from onnx_step import Step
from safetensors.torch import save
from torch import Tensor, nn

from minicodec.model.checkpoint import load_codec, save_codec
from minicodec.model.codec import Codec
from minicodec.model.onnx_export import export_onnx
from minicodec.model.onnx_graph import Graph, Shape, WeightFile


def in_pieces(step: Step, x: np.ndarray, lengths: list[int], unit: int = 1) -> np.ndarray:
    """What comes of all of `x`, cut into pieces of these lengths in turn, times `unit`."""
    states, outputs, start, turn = None, [], 0, 0
    while start < x.shape[-1]:
        end = start + unit * lengths[turn % len(lengths)]
        y, states = step(x[..., start:end], states)
        outputs.append(y)
        start, turn = end, turn + 1
    return np.concatenate(outputs, axis=-1)


def state_shapes(step: Step) -> list[list[int]]:
    return [each.shape for each in step.inputs[1:]]


def steps_of(
    modules: dict[str, nn.Module],
    write: Callable[[Graph, str], str],
    shapes: tuple[Shape, Shape],
    kinds: tuple[int, int],
    folder: Path,
) -> Step:
    """The graph that one function writes, with the weights of these modules.

    Args:
        write: from a graph and the value `x` to the value that comes out.
        shapes, kinds: of what goes in and what comes out.
    """
    tensors = {
        f"{name}.{key}": tensor.contiguous()
        for name, module in modules.items()
        for key, tensor in module.state_dict().items()
        if tensor.is_floating_point()
    }
    data = save(tensors)
    (folder / "w.safetensors").write_bytes(data)
    graph = Graph(WeightFile.of("w.safetensors", data))
    graph.input("x", kinds[0], shapes[0])
    graph.output(write(graph, "x"), "y", kinds[1], shapes[1])
    (folder / "x.onnx").write_bytes(graph.model("x", {}).SerializeToString())
    onnx.checker.check_model(folder / "x.onnx", full_check=True)
    return Step(folder / "x.onnx")


class Exported:
    """A codec and its export in a folder."""

    def __init__(self, codec: Codec, folder: Path, half: bool = False):
        save_codec(codec, folder / "codec.safetensors", half=half)
        self.codec = load_codec(folder / "codec.safetensors")
        self.files = export_onnx(folder / "codec.safetensors", folder / "onnx", "x")
        self.about = json.loads((folder / "onnx" / "x.json").read_text())
        self.encoder = Step(folder / "onnx" / "x_encoder.onnx")
        self.decoder = Step(folder / "onnx" / "x_decoder.onnx")

    def encode(self, audio: Tensor, lengths: list[int]) -> Tensor:
        hop = self.codec.config.hop_length
        return torch.from_numpy(in_pieces(self.encoder, audio.numpy(), lengths, hop))

    def decode(self, codes: Tensor, lengths: list[int]) -> Tensor:
        return torch.from_numpy(in_pieces(self.decoder, codes.int().numpy(), lengths))
