"""Support: streams as values: many side by side in one batch, one paused and resumed elsewhere.

A stream's state is nothing but tensors in tuples and lists. So clips can be picked out of it: in
`encode_batch` clips of different lengths go through the codec side by side, second by second, and
one whose end has come leaves the group, takes its state along, and ends alone. (Padding the short
ones with silence, as is usual, changes their codes: the last frames of a clip see the padding
through every layer.) And it can be sent: as JSON that tells how the tensors nest, tensors as
safetensors, the fingerprint of the codec that it belongs to, and a checksum.
"""

import json
import struct
import zlib
from collections.abc import Sequence

import torch
from safetensors import SafetensorError
from safetensors.torch import load, save
from torch import Tensor
from tqdm import tqdm

from minicodec.model.checkpoint import fingerprint
from minicodec.model.codec import Codec
from minicodec.model.conv import ConvState
from minicodec.model.seanet import StreamState, each_tensor
from minicodec.model.segment_coding import SegmentedState
from minicodec.model.segments import Fade
from minicodec.sound import audio as audio_

_NAMED = {kind.__name__: kind for kind in (ConvState, SegmentedState, Fade)}


class StateError(ValueError):
    """Bytes that are not a whole stream state, or not one of this codec."""


def take(state: StreamState, rows: list[int]) -> StreamState:
    """The state of some clips of a batch that streams together."""
    # A vector is shared by all clips.
    return each_tensor(state, lambda tensor: tensor[rows] if tensor.dim() > 1 else tensor)


def encode_batch(
    codec: Codec, clips: Sequence[Tensor], bandwidth: float | None = None, progress: bool = False
) -> list[tuple[Tensor, Tensor | None]]:
    """Codes and scales of many clips, for each what `codec.encode_scaled` gives of it alone.

    Args:
        clips: of any lengths.
        bandwidth: in kbps; the highest by default.
        progress: show a bar, one step per second of sound.

    Shape:
        clips: n × [1, C, T] → n × (codes [1, K, T'], scales [1, n_segments] or None)

    Raises:
        ValueError: as `codec.encode_scaled`, or for an entry that is itself a batch.

    >>> from minicodec.model.config import CodecConfig
    >>> codec = Codec(CodecConfig(n_filters=2, dimension=8, bandwidths=(1.5,))).eval()
    >>> clips = [torch.randn(1, 1, 30000), torch.randn(1, 1, 700)]
    >>> [codes.shape[2] for codes, _ in encode_batch(codec, clips)]
    [94, 3]
    """
    for clip in clips:
        audio_.check(clip, codec.config.channels)
        if len(clip) != 1:
            raise ValueError(f"a clip is [1, C, T], but one of these is {list(clip.shape)}.")
    if not codec.config.streams and codec.config.segment is None:
        return [codec.encode_scaled(clip, bandwidth) for clip in tqdm(clips, disable=not progress)]

    rate = codec.config.sample_rate
    parts: list[list[tuple[Tensor, Tensor | None]]] = [[] for _ in clips]
    group, state = list(range(len(clips))), None
    longest = max((clip.shape[-1] for clip in clips), default=0)
    for start in tqdm(range(0, longest, rate), disable=not progress, unit="s"):
        staying = []
        for row, which in enumerate(group):
            rest = clips[which][..., start:]
            if rest.shape[-1] > rate:
                staying.append(row)
            else:
                alone = take(state, [row])
                parts[which].append(codec.stream_encode_scaled(rest, alone, bandwidth, True)[:2])
        group, state = [group[row] for row in staying], take(state, staying)
        if group:
            second = torch.cat([clips[which][..., start : start + rate] for which in group])
            codes, scales, state = codec.stream_encode_scaled(second, state, bandwidth)
            for row, which in enumerate(group):
                scale = None if scales is None else scales[row : row + 1]
                parts[which].append((codes[row : row + 1], scale))
    return [
        (
            torch.cat([codes for codes, _ in clip], dim=2),
            torch.cat([scales for _, scales in clip if scales is not None], dim=1)
            if codec.config.normalize
            else None,
        )
        for clip in parts
    ]


def silent_frame(codec: Codec) -> Tensor:
    """The codes of one frame of silence: what stands in for a frame that is lost.

    Unlike silent samples they bring the decoder to rest and out of it again without a click.

    Shape:
        [1, K, 1], of all levels
    """
    second = torch.zeros(1, codec.config.channels, codec.config.sample_rate)
    # By the end of a second the encoder has forgotten that there ever was anything else.
    return codec.encode_scaled(second)[0][..., -1:].cpu()


def save_state(state: StreamState, codec: Codec) -> bytes:
    """A stream's state as bytes, to be resumed by `load_state` on any machine.

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


def load_state(data: bytes, codec: Codec) -> StreamState:
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


def _describe(state: StreamState, tensors: dict[str, Tensor]) -> object:
    """The tree with tensors taken out of it; they are numbered as they come."""
    if isinstance(state, Tensor):
        name = str(len(tensors))
        tensors[name] = state.detach().cpu().contiguous()
        return {"tensor": name}
    if isinstance(state, (tuple, list)):
        return {type(state).__name__: [_describe(part, tensors) for part in state]}
    return state


def _rebuild(tree: object, tensors: dict[str, Tensor]) -> StreamState:
    if not isinstance(tree, dict):
        return tree
    ((kind, parts),) = tree.items()
    if kind == "tensor":
        return tensors[parts]
    rebuilt = [_rebuild(part, tensors) for part in parts]
    return {"list": list, "tuple": tuple}[kind](rebuilt) if kind not in _NAMED else (
        _NAMED[kind](*rebuilt)
    )  # fmt: skip
