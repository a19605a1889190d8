"""Audio as numbers: read it, write it, change its rate and channels, and refuse what is not audio.

Everywhere in this package audio is a float tensor `[B, C, T]` with values in [-1, 1]; one clip
without its batch axis is `[C, T]`. Files go through soundfile (WAV, FLAC, OGG, MP3), resampling
through soxr.

Chapter 01.
"""

import os
import re
import warnings
from pathlib import Path
from typing import IO

import numpy as np
import soundfile
import soxr
import torch
from torch import Tensor

#: Name of the environment variable that puts your own recordings in place of the shipped clips.
RECORDINGS = "MINICODEC_RECORDINGS"

_EXTENSIONS = {".wav", ".flac", ".ogg", ".mp3"}
_BLOCK = 1 << 16  # frames written at a time: libsndfile's Vorbis encoder crashes on a few minutes


class AudioFileError(ValueError):
    """A file that cannot be read as audio."""


def load(
    file: str | Path | IO[bytes], sample_rate: int | None = None, channels: int | None = None
) -> tuple[Tensor, int]:
    """Read an audio file, resampled and mixed if you ask for another rate or channel count.

    Args:
        file: a path or an open binary file: WAV, FLAC, OGG or MP3.
        sample_rate: in Hz; None keeps the file's own.
        channels: 1 or 2; None keeps the file's own.

    Returns:
        audio [C, T] float32, and its rate in Hz.

    Raises:
        AudioFileError: if the file is missing, empty, not audio, or holds NaN or infinity.
    """
    name = file if isinstance(file, (str, Path)) else getattr(file, "name", "this stream")
    if isinstance(file, (str, Path)):
        check_file(file)
    try:
        samples, rate = soundfile.read(file, dtype="float32", always_2d=True)
    except (soundfile.SoundFileError, RuntimeError, TypeError) as error:
        raise unreadable(name, error) from error
    if len(samples) == 0:
        raise AudioFileError(f"{name} is an audio file with no samples in it.")
    if not np.isfinite(samples).all():
        raise AudioFileError(f"{name} holds NaN or infinite samples.")
    audio = torch.from_numpy(np.ascontiguousarray(samples.T))
    if channels is not None:
        audio = mix(audio, channels)
    if sample_rate is not None:
        audio, rate = resample(audio, rate, sample_rate), sample_rate
    return audio, rate


def save(file: str | Path, audio: Tensor, sample_rate: int) -> None:
    """Write audio to a file whose ending names the format; 16 bits per sample in WAV and FLAC.

    Samples beyond [-1, 1] are clipped, with a warning that says how many. The file appears whole
    or not at all: it is written beside its place and then renamed.

    Args:
        audio: [C, T] or [1, C, T] in [-1, 1].
        sample_rate: in Hz.

    Raises:
        ValueError: for audio that is not audio, or an unknown file ending.
    """
    if isinstance(audio, Tensor):
        if audio.dim() == 3 and audio.shape[0] == 1:
            audio = audio[0]
        if audio.dim() != 2:
            raise ValueError(f"save takes one clip [C, T], but was given {list(audio.shape)}.")
        audio = audio[None]
    check(audio)
    audio = audio[0]
    path = Path(file)
    check_target(path, sample_rate)
    clipped = int((audio.abs() > 1).sum())
    if clipped:
        warnings.warn(f"{clipped} samples beyond [-1, 1] were clipped in {path}.", stacklevel=2)
    samples = audio.detach().clamp(-1, 1).float().cpu().numpy().T
    part = path.with_name(f".{path.stem}.part{path.suffix}")
    try:
        with soundfile.SoundFile(part, "w", sample_rate, samples.shape[1]) as out:
            for start in range(0, len(samples), _BLOCK):
                out.write(samples[start : start + _BLOCK])
        part.replace(path)
    except (soundfile.SoundFileError, OSError) as error:
        raise unwritable(path, error) from error
    finally:
        part.unlink(missing_ok=True)


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
    if not torch.isfinite(audio).all():
        raise ValueError("audio holds NaN or infinite samples.")


def check_rates(from_rate: int, to_rate: int) -> None:
    """Refuse to resample between rates of which one must be wrong.

    Raises:
        ValueError: naming both.
    """
    if from_rate <= 0 or to_rate <= 0:
        raise ValueError(f"sample rates are positive, but {from_rate} and {to_rate} were given.")
    # A damaged header can claim any rate; what it asks for might not fit in memory.
    if max(from_rate, to_rate) > 1000 * min(from_rate, to_rate):
        raise ValueError(
            f"{from_rate} Hz to {to_rate} Hz is a change by more than a factor of 1000: is the "
            "rate right?"
        )


def check_file(file: str | Path) -> None:
    """Refuse to read what is no file, or has nothing in it.

    Raises:
        AudioFileError: in one sentence.
    """
    if Path(file).is_dir():
        raise AudioFileError(f"{file} is a folder, not an audio file.")
    if not Path(file).is_file():
        raise AudioFileError(f"{file}: no such file.")
    if Path(file).stat().st_size == 0:
        raise AudioFileError(f"{file} is empty (0 bytes), so there is no audio in it.")


def check_target(path: Path, sample_rate: int) -> None:
    """Refuse to write a file that libsndfile cannot, or can only by crashing.

    Raises:
        ValueError: in one sentence.
    """
    # Above 200 kHz, and at 0 Hz, libsndfile's Vorbis encoder takes the whole process down.
    if not isinstance(sample_rate, int) or not 1 <= sample_rate <= 200_000:
        raise ValueError(
            f"the sample rate of a file is an integer from 1 to 200000 Hz, not {sample_rate!r}."
        )
    if path.suffix.lower() not in _EXTENSIONS:
        raise ValueError(
            f"{path.name}: the ending must be one of {', '.join(sorted(_EXTENSIONS))}."
        )


def unreadable(name: object, error: Exception) -> AudioFileError:
    """The error to raise for a file that libsndfile gives up on."""
    return AudioFileError(
        f"{name} cannot be read as audio (WAV, FLAC, OGG or MP3): {_reason(error)}."
    )


def unwritable(name: object, error: Exception) -> ValueError:
    """The error to raise for a file that cannot be written."""
    return ValueError(f"{name} cannot be written: {_reason(error)}.")


def clips() -> list[str]:
    """Names of the clips that ship with the book."""
    return sorted(path.stem for path in clip_folder().glob("*.flac"))


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
    if name not in clips():
        raise ValueError(f"there is no clip {name!r}; there are {', '.join(clips())}.")
    if seconds is not None and round(seconds * sample_rate) < 1:
        raise ValueError(f"a clip lasts at least one sample, but seconds={seconds} was given.")
    path = _own_recording(name) or clip_folder() / f"{name}.flac"
    audio, _ = load(path, sample_rate, channels=1)
    if seconds is not None:
        audio = audio[:, : round(seconds * sample_rate)]
    return audio[None]


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
        audio, _ = load(librosa.ex(name, hq=True), sample_rate, channels=1)
    except Exception as error:  # offline, blocked, moved: whatever it is, the lesson goes on
        print(f"librosa's {name!r} could not be fetched ({type(error).__name__}): "
              f"using our own clip {fallback!r}.")  # fmt: skip
        return clip(fallback, sample_rate, seconds)
    return audio[None, :, : round(seconds * sample_rate)]


def clip_folder() -> Path:
    """Where the shipped clips are: in the installed package, or in the book beside it."""
    installed = Path(__file__).parents[1] / "clips"
    return installed if installed.is_dir() else Path(__file__).parents[2] / "book/_static/clips"


def _own_recording(name: str) -> Path | None:
    folder = os.environ.get(RECORDINGS)
    if not folder:
        return None
    if not Path(folder).is_dir():
        raise ValueError(f"{RECORDINGS} names {folder}, which is not a folder.")
    words = name.split("_")
    best, best_score = None, 0
    for path in sorted(Path(folder).rglob("*")):
        if path.suffix.lower() in _EXTENSIONS:
            place = "/".join(path.relative_to(folder).parts).lower()
            score = sum(word in place for word in words)
            if score > best_score and words[0] in place:
                best, best_score = path, score
    found = f"is {best.relative_to(folder)}" if best else "has no match there: using our own clip"
    print(f"{RECORDINGS}: {name!r} {found}")
    return best


def _reason(error: Exception) -> str:
    """What libsndfile says, without the path, which our own sentence names already."""
    text = re.sub(r"^Error opening .*?: ", "", str(error).strip().split("\n")[0])
    text = re.sub(r"^(Internal error|Error) : ", "", text).rstrip(".")
    return "its beginning is damaged" if text.startswith("File does not exist") else text
