"""Support: any codec, so that it can be measured: sound to bytes, and bytes to sound.

    class MuLaw:
        name, sample_rate, channels = "mu-law", 8000, 1

        def encode(self, audio):  # [1, channels, T] at its own rate → bytes
            ...

        def decode(self, data):  # those bytes → [1, channels, T]
            ...

That is all that a codec needs. How many bits it takes is the length of the bytes, so there is
nothing to believe: `decode` is given no length, no rate and no codes beside them. What it
needs to know has to be in there, and costs.

A codec may also say `note`, a remark for its rows ("random weights"), and `counted(data)`, the
bytes that count where that is not all of them. Chapter 16 measures some, and one that you write.
"""

import math
import traceback
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple, Protocol

import numpy as np
import torch
from torch import Tensor

from minicodec.sound import audio as audio_

#: Seconds that a copy may be late or early and still be recognized.
_FARTHEST = 0.25
#: Correlation below which a copy is too unlike its original to say when it comes.
_ALIKE = 0.5
#: Of files that the author of a codec has not written.
_NOT_ONES_OWN = ("site-packages", "dist-packages", "<frozen", str(Path(__file__).parents[1]),
                 str(Path(traceback.__file__).parent))  # fmt: skip
_TRIAL = (0.5, 0.3)  # seconds of the two sounds that a codec is tried with


class AnyCodec(Protocol):
    """What a codec has to have."""

    name: str  #: of its rows, such as "mu-law 64"
    sample_rate: int  #: in Hz, of what it takes and gives
    channels: int  #: 1 or 2

    def encode(self, audio: Tensor) -> bytes:
        """Sound [1, channels, T] at `sample_rate`, as bytes."""

    def decode(self, data: bytes) -> Tensor:
        """The sound again, [1, channels, T], from nothing but the bytes."""


class CodecError(ValueError):
    """A codec that is none: what it lacks, or does wrong, in one sentence."""


class Copy(NamedTuple):
    """What comes back."""

    audio: Tensor  #: as the clip was: its shape, its rate
    size: int  #: bytes that it took


def through(codec: AnyCodec, clip: Tensor, sample_rate: int) -> Copy:
    """A clip through a codec, which may have another rate and other channels.

    The clip is mixed and resampled to what the codec takes, and what it gives back to what the clip
    was, so that copies of different codecs can be compared with one original.

    Shape:
        clip: [1, C, T] → the same

    Raises:
        CodecError: if the codec fails, or gives back what is no sound, or one of another length.
    """
    ready = audio_.mix(clip, codec.channels)
    ready = audio_.resample(ready, sample_rate, codec.sample_rate)
    data = _encoded(codec, ready.clone())  # whoever changes it in place changes no original
    back = audio_.mix(_decoded(codec, data, ready), clip.shape[1])
    # Rounded twice, the length may be off by a sample.
    back = audio_.resample(back, codec.sample_rate, sample_rate)[..., : clip.shape[-1]]
    back = torch.nn.functional.pad(back, (0, clip.shape[-1] - back.shape[-1]))
    return Copy(back.to(clip.device), getattr(codec, "counted", len)(data))


def check_codec(codec: Any, where: str = "") -> None:
    """Try a codec before it is measured: has it all, and is all in the bytes?

    Two sounds of different lengths are encoded, and then decoded in the order in which they came:
    a codec that remembers the last one in place of writing it down cannot do that.

    Args:
        where: what to call it in an error, else its name.

    Raises:
        CodecError: naming the first thing that is wrong.
    """
    where = where or type(codec).__name__
    if isinstance(codec, type):
        raise CodecError(f"{where} is a class: use one of its kind, {codec.__name__}().")
    for name in ("name", "sample_rate", "channels", "encode", "decode"):
        if not hasattr(codec, name):
            raise CodecError(f"{where} has no {name}; a codec has a name, a sample_rate, channels, "
                             "encode and decode.")  # fmt: skip
    for name in ("encode", "decode"):
        if not callable(getattr(codec, name)):
            raise CodecError(f"{where}.{name} is no function.")
    if not isinstance(codec.name, str) or not codec.name.strip():
        raise CodecError(f"{where}.name is a word or two, not {codec.name!r}.")
    if type(codec.sample_rate) is not int or not 1000 <= codec.sample_rate <= 384000:
        raise CodecError(f"{where}.sample_rate is an integer in Hz, not {codec.sample_rate!r}.")
    if codec.channels not in (1, 2):
        raise CodecError(f"{where}.channels is 1 or 2, not {codec.channels!r}.")
    chance = torch.Generator().manual_seed(0)
    sounds = [
        0.1 * torch.randn(1, codec.channels, round(s * codec.sample_rate), generator=chance)
        for s in _TRIAL
    ]
    coded = [_encoded(codec, sound) for sound in sounds]
    for data, sound in zip(coded, sounds):
        _decoded(codec, data, sound)


def delay(copy: Tensor, clip: Tensor, sample_rate: int) -> float:
    """How many milliseconds the copy is late, where it correlates most with the original.

    It is said, and never mended: whoever plays the copy hears it late, and in a call it is late. A
    codec that knows its delay can cut it off itself.

    Shape:
        copy, clip: [1, C, T]

    Returns:
        0 for a copy in time, less for one that is early; NaN where the two have too little in
        common to tell.

    >>> x = torch.randn(1, 1, 8000)
    >>> delay(x.roll(80, -1), x, 8000)
    10.0
    """
    ours, theirs = (audio_.mix(x.detach().cpu(), 1)[0, 0].double().numpy() for x in (copy, clip))
    ours, theirs = ours - ours.mean(), theirs - theirs.mean()
    power = math.sqrt(float(ours @ ours) * float(theirs @ theirs))
    if power == 0:
        return math.nan
    size = 1 << (2 * len(ours) - 1).bit_length()  # no end of one meets the beginning of the other
    alike = np.fft.irfft(np.fft.rfft(ours, size) * np.fft.rfft(theirs, size).conj(), size)
    most = min(len(ours) - 1, round(_FARTHEST * sample_rate))
    lags = np.arange(-most, most + 1)
    found = np.abs(alike[lags]) / power  # upside down is in time, too
    # Of lags that are as good as each other, as in a tone, the nearest.
    best = lags[found > 0.999 * found.max()]
    lag = int(best[np.abs(best).argmin()])
    return lag / sample_rate * 1000 if found.max() >= _ALIKE else math.nan


def _encoded(codec: AnyCodec, audio: Tensor) -> bytes:
    data = _called(codec, "encode", codec.encode, audio)
    if not isinstance(data, (bytes, bytearray)):
        raise CodecError(
            f"{codec.name}: encode has to give bytes, whose length is what is measured, but it "
            f"gives {_kind(data)}."
        )
    return bytes(data)


def _decoded(codec: AnyCodec, data: bytes, sent: Tensor) -> Tensor:
    """What `decode` gives, if it is a sound of the length that was sent."""
    back = _called(codec, "decode", codec.decode, data)
    try:
        audio_.check(back, codec.channels)
    except ValueError as error:
        raise CodecError(f"{codec.name}: decode gives no sound: {error}") from error
    if back.shape != sent.shape:
        raise CodecError(
            f"{codec.name}: decode gives {list(back.shape)} where encode was given "
            f"{list(sent.shape)}: is the length written into the bytes?"
        )
    return back.detach().float()


def _called(codec: AnyCodec, name: str, function: Callable[[Any], Any], argument: Any) -> Any:
    try:
        with torch.no_grad():
            return function(argument)
    except MemoryError:
        raise
    except Exception as error:  # somebody else's code: it may raise anything
        raise CodecError(f"{codec.name}: {name} {raised(error)}") from error


def raised(error: BaseException) -> str:
    """What was raised and in which line of which file, to go on in a sentence."""
    frames = traceback.extract_tb(error.__traceback__)
    # A line of a package, of Python or of ours says little to whom calls it; one's own last does.
    own = [f for f in frames if not any(part in f.filename for part in _NOT_ONES_OWN)]
    at = own[-1] if own else None
    file = Path(at.filename).name if at and "ipykernel" not in at.filename else "the cell"
    place = f" in line {at.lineno} of {file}" if at else ""
    words = " ".join(str(error).split())
    return f"raised {type(error).__name__}{place}{': ' + words if words else ''}".rstrip(".") + "."


def _kind(thing: Any) -> str:
    return "None" if thing is None else f"a {type(thing).__name__}"
