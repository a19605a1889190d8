"""Streams as values: pick clips out of a batch of streams, pause one, resume it elsewhere.

A stream's state is nothing but tensors in tuples and lists. So it can be sent: as JSON that tells
how they nest, tensors as safetensors, the fingerprint of the codec that it belongs to, and a
checksum.

Chapter 04.
"""

import json
import struct
import zlib

from safetensors import SafetensorError
from safetensors.torch import load, save
from torch import Tensor

from minicodec.model.checkpoint import fingerprint
from minicodec.model.codec import Codec, SegmentedState
from minicodec.model.conv import ConvState
from minicodec.model.seanet import State
from minicodec.model.segments import Fade

_NAMED = {kind.__name__: kind for kind in (ConvState, SegmentedState, Fade)}


class StateError(ValueError):
    """Bytes that are not a whole stream state, or not one of this codec."""


def take(state: State, rows: list[int]) -> State:
    """The state of some clips of a batch that streams together."""
    if isinstance(state, Tensor):
        return state[rows] if state.dim() > 1 else state  # a vector is shared by all clips
    if isinstance(state, (tuple, list)):
        parts = [take(part, rows) for part in state]
        return type(state)(*parts) if hasattr(state, "_fields") else type(state)(parts)
    return state


def save_state(state: State, codec: Codec) -> bytes:
    """A stream's state as bytes, to be resumed by `load_state` on any machine.

    >>> import torch
    >>> from minicodec.model.config import CodecConfig
    >>> codec = Codec(CodecConfig(n_filters=2, dimension=8, bandwidths=(1.5,))).eval()
    >>> codes, state = codec.stream_encode(torch.randn(1, 1, 1000))
    >>> paused = save_state(state, codec)
    >>> more, _ = codec.stream_encode(torch.randn(1, 1, 600), load_state(paused, codec), last=True)
    >>> codes.shape[2], more.shape[2]
    (3, 2)
    """
    tensors: dict[str, Tensor] = {}
    tree = json.dumps(_describe(state, tensors)).encode()
    body = struct.pack(">8sI", fingerprint(codec), len(tree)) + tree + save(tensors)
    return body + struct.pack(">I", zlib.crc32(body))


def load_state(data: bytes, codec: Codec) -> State:
    """The state that `save_state` wrote, on the codec's device.

    Raises:
        StateError: if the bytes are cut short, damaged, or of another codec.
    """
    if len(data) < 16 or zlib.crc32(data[:-4]) != struct.unpack(">I", data[-4:])[0]:
        raise StateError("this is no stream state, or it is cut short or damaged.")
    print_, size = struct.unpack_from(">8sI", data)
    if print_ != fingerprint(codec):
        raise StateError(f"this stream was begun with other weights than {codec.name!r} has.")
    try:
        tensors = load(data[12 + size : -4])
        device = next(codec.parameters()).device
        tensors = {name: tensor.to(device) for name, tensor in tensors.items()}
        return _rebuild(json.loads(data[12 : 12 + size]), tensors)
    except (SafetensorError, ValueError, KeyError, TypeError, RecursionError) as error:
        raise StateError(f"this stream state cannot be read: {error}.") from error


def _describe(state: State, tensors: dict[str, Tensor]) -> object:
    """The tree with tensors taken out of it; they are numbered as they come."""
    if isinstance(state, Tensor):
        name = str(len(tensors))
        tensors[name] = state.detach().cpu().contiguous()
        return {"tensor": name}
    if isinstance(state, (tuple, list)):
        return {type(state).__name__: [_describe(part, tensors) for part in state]}
    return state


def _rebuild(tree: object, tensors: dict[str, Tensor]) -> State:
    if not isinstance(tree, dict):
        return tree
    ((kind, parts),) = tree.items()
    if kind == "tensor":
        return tensors[parts]
    rebuilt = [_rebuild(part, tensors) for part in parts]
    return {"list": list, "tuple": tuple}[kind](rebuilt) if kind not in _NAMED else (
        _NAMED[kind](*rebuilt)
    )  # fmt: skip
