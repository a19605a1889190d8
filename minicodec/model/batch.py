"""Clips of different lengths in one batch, each coded as if it were alone.

Padding the short ones with silence, as is usual, changes their codes: the last frames of a clip see
the padding through every layer. Here the clips go through the codec side by side, second by second,
and one whose end has come leaves the group, takes its state along, and ends alone.

Chapter 04.
"""

from collections.abc import Sequence

import torch
from torch import Tensor
from tqdm import tqdm

from minicodec.model.codec import Codec
from minicodec.model.streams import take
from minicodec.sound import audio as audio_


def encode_batch(
    codec: Codec, clips: Sequence[Tensor], bandwidth: float | None = None, progress: bool = False
) -> list[tuple[Tensor, Tensor | None]]:
    """Codes and scales of many clips, for each what `codec.encode_scaled` gives of it alone.

    Args:
        clips: of any lengths.
        bandwidth: in kbps; the highest by default.
        progress: show a bar, one step per second of sound.

    Shape:
        clips: n × [1, C, T] → n × (codes [1, K, T'], scales [1, n_chunks] or None)

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
