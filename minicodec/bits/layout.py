"""Support: how clips are divided into the chunks of a `.mcdc` stream."""

from dataclasses import dataclass

from minicodec.bits.container import MOST_BYTES, MOST_SECONDS, BitstreamError, Header
from minicodec.model.config import CodecConfig
from minicodec.model.segments import Segments

_MOST_FRAMES = 65535  # in a chunk: they are counted in 16 bits,
_MOST_SCALES = 255  # and scales in 8


@dataclass(frozen=True)
class Layout:
    """How clips of a codec are divided into chunks: all are alike but the last.

    A chunk of a model that codes in segments holds whole segments. The last segments of a clip may
    be short, two where less than half of one overlaps, and all short ones are in its last chunk. To
    a stream, a model without segments is one whose segments are single frames.
    """

    config: CodecConfig
    count: int  #: segments in a chunk

    @classmethod
    def of(cls, config: CodecConfig, n_q: int, seconds: float) -> "Layout":
        """The division into chunks of about so many seconds, less if codes are very many.

        Raises:
            ValueError: for a time that is not above 0 and at most 60 s, or a model with so many
                codes that not even one frame or segment fits in a chunk.
        """
        if not 0 < seconds <= MOST_SECONDS:
            raise ValueError(
                f"a chunk lasts more than 0 and at most {MOST_SECONDS} seconds, not {seconds}."
            )
        segments = _segments(config)
        most = min(MOST_BYTES * 8 // (n_q * config.bits), _MOST_FRAMES) // segments.full
        if config.segment:
            most = min(most, _MOST_SCALES)
        more = _more(config)
        most = min(most - more, MOST_SECONDS * config.sample_rate // segments.stride)
        # At least so many that the last chunk is never more than twice as long as the others.
        least = max(1, more)
        count = min(max(least, round(seconds * config.sample_rate / segments.stride)), most)
        if count < least:
            raise ValueError(f"{n_q} codebooks of {config.bits} bits are too many for a stream.")
        return cls(config, count)

    @classmethod
    def stated(cls, config: CodecConfig, header: Header) -> "Layout":
        """The division that a stream's header states.

        Raises:
            BitstreamError: if it is none of this model's.
        """
        layout = cls(config, header.chunk_frames // _segments(config).full)
        if not layout.count or (layout.frames, layout.samples) != (
            header.chunk_frames,
            header.chunk_samples,
        ):
            raise BitstreamError(
                f"this stream's chunks of {header.chunk_frames} frames and {header.chunk_samples} "
                "samples are none of its model's."
            )
        return layout

    @property
    def frames(self) -> int:
        """Frames in a chunk."""
        return self.count * _segments(self.config).full

    @property
    def most_frames(self) -> int:
        """Frames in a chunk, at most: the last may be longer than the others."""
        return (self.count + _more(self.config)) * _segments(self.config).full

    @property
    def samples(self) -> int:
        """Samples from the start of one chunk to the start of the next."""
        return self.count * _segments(self.config).stride

    @property
    def whole(self) -> bool:
        """Whether the codec needs a whole clip at once."""
        return not (self.config.streams or self.config.segment)

    @property
    def scales(self) -> int:
        """Scales in a chunk: one for each segment, or, of a codec that needs all, the only one."""
        return self._scales(self.count)

    @property
    def shape(self) -> tuple[int, int]:
        """Frames and scales in every chunk but the last."""
        return self.frames, self.scales

    def divide(self, length: int) -> tuple[int, int, int]:
        """Chunks of a clip of `length` samples, and frames and scales in the last one."""
        segments = _segments(self.config)
        full = segments.whole(length) // self.count
        rest = length - full * self.samples
        if rest <= 0:  # segments that do not overlap leave nothing behind
            return full, self.frames, self.scales
        last = segments.frames(rest)
        return full + 1, sum(last), self._scales(len(last))

    def _scales(self, segments: int) -> int:
        if not self.config.normalize:
            return 0
        return segments if self.config.segment else 1


def _more(config: CodecConfig) -> int:
    """By how many segments the last chunk may exceed the others: those that begin within one."""
    segments = _segments(config)
    return -(-segments.length // segments.stride) - 1


def _segments(config: CodecConfig) -> Segments:
    hop = config.hop_length
    return config.segments if config.segment else Segments(length=hop, stride=hop, hop=hop)
