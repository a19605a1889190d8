"""Audio as numbers: read it, write it, change its rate and channels, and refuse what is not audio.

Everywhere in this package audio is a float tensor `[B, C, T]` with values in [-1, 1]; one clip
without its batch axis is `[C, T]`. Files go through soundfile
(`minicodec.sound.reading`), resampling through soxr.

Chapter 01.
"""

import math
import warnings
from pathlib import Path
from typing import IO

import numpy as np
import soxr
import torch
from torch import Tensor

from minicodec.sound.clips import clip_file
from minicodec.sound.clips import clip_folder as clip_folder
from minicodec.sound.clips import clips as clips
from minicodec.sound.files import AudioFileError as AudioFileError
from minicodec.sound.files import whole_sound
from minicodec.sound.reading import open_sound


def load(
    file: str | Path | IO[bytes],
    sample_rate: int | None = None,
    channels: int | None = None,
    seconds: float | None = None,
) -> tuple[Tensor, int]:
    """Read an audio file, resampled and mixed if you ask for another rate or channel count.

    A file that is shorter than it says is read with a warning.

    Args:
        file: a path or an open binary file: WAV, FLAC, OGG, Opus, MP3 or AIFF; or a pipe with WAV.
        sample_rate: in Hz; None keeps the file's own.
        channels: 1 or 2; None keeps the file's own.
        seconds: read only the beginning, at least one sample.

    Returns:
        audio [C, T] float32, and its rate in Hz.

    Raises:
        AudioFileError: if the file is missing, empty, not audio, holds NaN or infinity, or cannot
            be changed to that rate or channel count.
    """
    with open_sound(file) as sound:
        name, rate = sound.name, sound.sample_rate
        # A little more than is asked for: the last samples depend on those behind them.
        most = math.inf if seconds is None else math.ceil((seconds + 0.1) * rate)
        audio = torch.from_numpy(sound.whole(most))
    try:
        if channels is not None:
            audio = mix(audio, channels)
        if sample_rate is not None:
            audio, rate = resample(audio, rate, sample_rate), sample_rate
    except ValueError as error:
        raise AudioFileError(f"{name}: {error}") from error
    if seconds is not None:
        audio = audio[:, : max(1, round(seconds * rate))]
    return audio, rate


def save(file: str | Path, audio: Tensor, sample_rate: int) -> None:
    """Write audio to a file whose ending names the format; 16 bits per sample in WAV and FLAC.

    Samples beyond [-1, 1] are clipped, with a warning that says how many. The file appears whole
    or not at all (`minicodec.sound.files`).

    Args:
        audio: [C, T] or [1, C, T] in [-1, 1].
        sample_rate: in Hz.

    Raises:
        ValueError: for audio that is not audio, an unknown file ending, or a file that cannot be
            written.
    """
    if isinstance(audio, Tensor):
        if audio.dim() == 3 and audio.shape[0] == 1:
            audio = audio[0]
        if audio.dim() != 2:
            raise ValueError(f"save takes one clip [C, T], but was given {list(audio.shape)}.")
        audio = audio[None]
    check(audio)
    audio = audio[0]
    with whole_sound(file, sample_rate, audio.shape[0]) as write:
        write(audio.detach().clamp(-1, 1).float().cpu().numpy().T)
    clipped = int((audio.abs() > 1).sum())
    if clipped:
        warnings.warn(f"{clipped} samples beyond [-1, 1] were clipped in {file}.", stacklevel=2)


def resample(audio: Tensor, from_rate: int, to_rate: int) -> Tensor:
    """Change the sample rate with soxr's band-limited resampler.

    Shape:
        audio: [..., T] → [..., about T * to_rate / from_rate]

    >>> resample(torch.zeros(1, 44100), 44100, 24000).shape
    torch.Size([1, 24000])
    """
    check_rates(from_rate, to_rate)
    if audio.numel() == 0:
        raise ValueError(f"audio needs at least one sample, but its shape is {list(audio.shape)}.")
    if from_rate == to_rate:
        return audio
    flat = audio.reshape(-1, audio.shape[-1]).detach().float().cpu().numpy()
    out = soxr.resample(np.ascontiguousarray(flat.T), from_rate, to_rate, quality="VHQ")
    if len(out) == 0:  # a clip of one sample still has one sample at a lower rate
        out = flat.T[:1]
    return torch.from_numpy(np.ascontiguousarray(out.T)).reshape(*audio.shape[:-1], -1)


def mix(audio: Tensor, channels: int) -> Tensor:
    """Mono by averaging, or stereo by doubling; other counts only pass through unchanged.

    Shape:
        audio: [..., C, T] → [..., channels, T]

    Raises:
        ValueError: for a change that has no obvious meaning, such as 2 to 3 channels.

    >>> mix(torch.tensor([[1.0], [0.0]]), 1)
    tensor([[0.5000]])
    """
    have = audio.shape[-2]
    if channels < 1:
        raise ValueError(f"audio has at least 1 channel, but {channels} were asked for.")
    if have == channels:
        return audio
    if channels == 1:
        return audio.mean(dim=-2, keepdim=True)
    if have == 1:
        return audio.expand(*audio.shape[:-2], channels, audio.shape[-1]).contiguous()
    raise ValueError(f"there is no obvious way to turn {have} channels into {channels}.")


def check(audio: Tensor, channels: int | None = None) -> None:
    """Refuse what is not a batch of audio, in one sentence that says what was expected.

    Args:
        audio: should be a float tensor [B, C, T] with at least one sample.
        channels: C, if it matters.

    Raises:
        ValueError: naming the first thing that is wrong.
    """
    if not isinstance(audio, Tensor):
        raise ValueError(
            f"audio is a torch tensor [B, C, T], but this is a {type(audio).__name__}."
        )
    if audio.dim() != 3:
        raise ValueError(
            f"audio has three axes [batch, channels, time], but this has {audio.dim()}: "
            f"{list(audio.shape)}. One mono clip of T samples is audio.view(1, 1, T)."
        )
    if not audio.is_floating_point():
        raise ValueError(
            f"audio holds floats in [-1, 1], but this holds {str(audio.dtype)[6:]}: "
            "divide 16-bit integers by 32768."
        )
    if audio.numel() == 0:
        raise ValueError(f"audio needs at least one sample, but its shape is {list(audio.shape)}.")
    if channels is not None and audio.shape[1] != channels:
        raise ValueError(
            f"audio must have {channels} channel{'s' * (channels > 1)} here, but this has "
            f"{audio.shape[1]}: use minicodec.audio.mix(audio, {channels})."
        )
    check_finite(audio)


def check_finite(audio: Tensor) -> None:
    """Refuse NaN and infinity, which one sample is enough to spread over a whole clip."""
    # Any of them makes the sum one, too. Sums of finite samples can only be so if they are huge.
    if not math.isfinite(float(audio.sum())) and not torch.isfinite(audio).all():
        raise ValueError("audio holds NaN or infinite samples.")


def check_rates(from_rate: int, to_rate: int) -> None:
    """Refuse to resample between rates of which one must be wrong.

    Raises:
        ValueError: naming both.
    """
    if from_rate <= 0 or to_rate <= 0:
        raise ValueError(f"sample rates are positive, but {from_rate} and {to_rate} were given.")
    # A damaged header can claim any rate; what it asks for might not fit in memory.
    if max(from_rate, to_rate) > 100 * min(from_rate, to_rate):
        raise ValueError(
            f"{from_rate} Hz to {to_rate} Hz is a change by more than a factor of 100: is the "
            "rate right?"
        )


def clip(name: str, sample_rate: int = 24000, seconds: float | None = None) -> Tensor:
    """A short recording to listen to, mono, ready for a codec.

    If the environment variable MINICODEC_RECORDINGS names a folder, the recording in it whose path
    fits the name best ("speech_en" fits "speech/librispeech_en/0.flac") is used instead of ours.

    Args:
        name: one of `clips()`.
        sample_rate: in Hz.
        seconds: keep only the beginning.

    Returns:
        audio [1, 1, T]

    Raises:
        ValueError: for a name that there is not, or less than one sample.

    >>> clip("speech_en", seconds=1).shape
    torch.Size([1, 1, 24000])
    """
    if seconds is not None and round(seconds * sample_rate) < 1:
        raise ValueError(f"a clip lasts at least one sample, but seconds={seconds} was given.")
    return load(clip_file(name), sample_rate, channels=1, seconds=seconds)[0][None]


def example(name: str, fallback: str, sample_rate: int = 24000, seconds: float = 5) -> Tensor:
    """One of librosa's example recordings where there is a network, else a clip of ours.

    Args:
        name: as in `librosa.ex`: "trumpet", "brahms", "libri1", …
        fallback: the shipped clip to use when the download fails; a line says so.

    Returns:
        audio [1, 1, T], mono.
    """
    try:
        import librosa
        import pooch

        pooch.get_logger().setLevel("WARNING")  # else it prints folders of this machine
        audio, _ = load(librosa.ex(name, hq=True), sample_rate, channels=1, seconds=seconds)
    except Exception as error:  # offline, blocked, moved: whatever it is, the lesson goes on
        print(f"librosa's {name!r} could not be fetched ({type(error).__name__}): "
              f"using our own clip {fallback!r}.")  # fmt: skip
        return clip(fallback, sample_rate, seconds)
    return audio[None]
