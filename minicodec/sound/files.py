"""Support: files, each written whole or not at all, and which of them are recordings.

    with whole("speech.mcdc") as part:
        part.write_bytes(data)

Everything that the package writes is written beside its place, forced to the disk, and only then
renamed: whatever kills the program, under the name that was asked for there is the old file or the
new one. Sound is read back before that, for a full disk cuts it short without a word.
"""

import errno
import os
import re
import secrets
import shutil
import stat
import tempfile
import warnings
from collections.abc import Callable, Collection, Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path

import numpy as np
import soundfile

from minicodec.sound.names import printable

#: What can be read as sound, in words and by the endings of files.
KINDS = "WAV, FLAC, OGG, Opus, MP3 or AIFF"
READABLE = (".aif", ".aiff", ".flac", ".mp3", ".oga", ".ogg", ".opus", ".wav")
#: Endings of sound that can be written.
WRITABLE = (".flac", ".mp3", ".ogg", ".wav")

_LARGEST_WAV = 0xFFFFFFFF - 4096  # bytes of samples; the rest is for the header
_BLOCK = 1 << 16  # frames at a time: libsndfile's Vorbis encoder crashes on a few minutes
#: What file systems answer that cannot force a folder to the disk.
_NO_FOLDERS = {errno.EINVAL, errno.ENOTSUP, errno.EACCES}


class AudioFileError(ValueError):
    """A file, or what came through a pipe, that cannot be read as audio."""


class NotWritten(OSError, ValueError):
    """A file that could not be written; nothing was changed."""


def recordings(folder: str | Path) -> list[Path]:
    """All files below a folder that have the ending of a recording, sorted, without hidden ones.

    Raises:
        ValueError: if this is no folder.
    """
    if not Path(folder).is_dir():
        raise ValueError(f"{folder} is not a folder of recordings.")
    return files_below(folder, READABLE)


def files_below(folder: str | Path, endings: Collection[str]) -> list[Path]:
    """All files below a folder that have one of these endings, sorted, without hidden ones.

    Folders in it that may not be read are passed over with a warning.

    Raises:
        ValueError: if the folder itself may not be read.
    """

    def refused(error: OSError) -> None:
        sentence = f"{printable(error.filename)} cannot be read: {reason(error)}."
        if error.filename == str(folder):
            raise ValueError(sentence) from error
        warnings.warn(f"passed over: {sentence}", stacklevel=2)

    found = []
    for place, folders, names in os.walk(str(folder), onerror=refused):
        # Hidden: parts of files that are being written, and what other systems note about files.
        folders[:] = [name for name in folders if not name.startswith(".")]
        seen = [Path(place, name) for name in names if not name.startswith(".")]
        found += [path for path in seen if path.suffix.lower() in endings and path.is_file()]
    return sorted(found)


@contextmanager
def whole(path: str | Path) -> Iterator[Path]:
    """Where to write a file, which then appears under `path`, unless there was an error.

    Yields:
        the path of an empty part file in the same folder, with the same ending and a name of its
        own, so that two programs that write the same file do not mix. A link stays, and what it
        points to is replaced; a file that is there already hands down its permissions. A device or
        a pipe is not replaced: its own path is given, to be written into.

    Raises:
        NotWritten: for what the system refuses, in one sentence that names the file.
    """
    part = None
    try:
        if _is_device(path):
            yield Path(path)
            return
        target = Path(os.path.realpath(path))
        if target.is_dir():
            raise NotWritten(f"{path} is a folder, not a file to write.")
        mode = stat.S_IMODE(target.stat().st_mode) if target.exists() else None
        part = target.with_name(f".{target.stem[:40]}.{secrets.token_hex(4)}.part{target.suffix}")
        # Until it is done nobody else may read what might be secret.
        os.close(
            os.open(part, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o666 if mode is None else 0o600)
        )
        yield part
        _force(part, os.O_RDWR)
        if mode is not None:
            part.chmod(mode)
        part.replace(target)
        if os.name == "posix":  # the new name has to be on the disk, too
            _force_folder(target.parent)
    except NotWritten:
        raise
    except OSError as error:
        if error.filename not in (None, str(path), str(part)):
            raise  # about another file, which was read meanwhile
        raise NotWritten(f"{path} cannot be written: {reason(error)}.") from error
    finally:
        if part is not None:
            with suppress(OSError):  # as a rule it has its new name by now
                part.unlink()


def write_bytes(path: str | Path, data: bytes) -> None:
    """Write a file as `whole` does."""
    with whole(path) as part:
        part.write_bytes(data)


def write_text(path: str | Path, text: str) -> None:
    """Write a file in UTF-8 as `whole` does; ends of lines stay as they are."""
    write_bytes(path, text.encode("utf-8"))


@contextmanager
def whole_sound(
    path: str | Path, sample_rate: int, channels: int
) -> Iterator[Callable[[np.ndarray], None]]:
    """Write sound as `whole` does, 16 bits per sample in WAV and FLAC.

    Into a device or a pipe it goes when it is complete, as WAV if no ending says otherwise.

    Yields:
        a function that appends samples [n, channels] in [-1, 1].

    Raises:
        NotWritten: also for what libsndfile refuses, and if the file cannot be read back.
        ValueError: for an ending or a rate that there is not.
    """
    path, frames = Path(path), 0
    if _is_device(path):  # libsndfile goes back and forth in what it writes
        ending = path.suffix if path.suffix.lower() in WRITABLE else ".wav"
        with tempfile.TemporaryDirectory() as folder:
            copy = Path(folder) / f"copy{ending}"
            with whole_sound(copy, sample_rate, channels) as write:
                yield write
            with whole(path) as part, copy.open("rb") as source, part.open("wb") as device:
                shutil.copyfileobj(source, device)
        return
    check_target(path, sample_rate)
    with whole(path) as part:
        try:
            with ExitStack() as opened:
                out = opened.enter_context(
                    soundfile.SoundFile(_bytes(part), "w", sample_rate, channels)
                )

                def write(samples: np.ndarray) -> None:
                    nonlocal frames, out
                    frames += len(samples)
                    if out.format == "WAV" and 2 * channels * frames > _LARGEST_WAV:
                        out.close()
                        out = opened.enter_context(_as_rf64(part))
                        warnings.warn(
                            f"{path} is longer than 4 GiB, of which WAV cannot tell: it is RF64, "
                            "which not all programs read.", stacklevel=2
                        )  # fmt: skip
                    for start in range(0, len(samples), _BLOCK):
                        out.write(samples[start : start + _BLOCK])

                yield write
        except soundfile.SoundFileError as error:
            raise NotWritten(f"{path} cannot be written: {reason(error)}.") from error
        if not _reads_back(part, frames):
            raise NotWritten(f"{path} cannot be written: it does not read back. Is the disk full?")


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
    if path.suffix.lower() not in WRITABLE:
        raise ValueError(f"{path.name}: the ending must be one of {', '.join(WRITABLE)}.")


def reason(error: Exception) -> str:
    """What the system or libsndfile says, without the path, which our own sentence names."""
    text = (getattr(error, "strerror", None) or str(error)).strip().split("\n")[0]
    text = re.sub(r"^Error opening .*?: ", "", text)
    text = re.sub(r"^(Internal error|Error) : ", "", text).rstrip(".")
    known = {"System error": "the system refused, perhaps because the disk is full"}
    return (
        "its beginning is damaged"
        if text.startswith("File does not exist")
        else (known.get(text, text))
    )


def _as_rf64(part: Path) -> soundfile.SoundFile:
    """A WAV of 16 bits once more, in a form that goes beyond 4 GiB; open, to write on."""
    old = part.with_suffix(".old")
    part.rename(old)
    try:
        os.close(os.open(part, os.O_CREAT | os.O_EXCL | os.O_WRONLY, old.stat().st_mode & 0o777))
        with soundfile.SoundFile(_bytes(old)) as source:
            out = soundfile.SoundFile(
                _bytes(part), "w", source.samplerate, source.channels, format="RF64"
            )
            for block in source.blocks(_BLOCK, dtype="int16"):
                out.write(block)
        return out
    finally:
        old.unlink()


def _bytes(path: Path) -> str | bytes:
    """The path as libsndfile wants it: names need not be UTF-8, but on Windows they are text."""
    return str(path) if os.name == "nt" else os.fsencode(path)


def _is_device(path: str | Path) -> bool:
    """Is there something that is neither file nor folder: a pipe, a terminal, /dev/null?"""
    return os.path.exists(path) and not os.path.isfile(path) and not os.path.isdir(path)


def _reads_back(path: Path, frames: int) -> bool:
    """Is all of the sound there? What a header says of its length may be wrong."""
    if not frames:
        return True  # libsndfile writes files without sound that it does not read
    found = 0
    try:
        with soundfile.SoundFile(_bytes(path)) as back:
            while block := len(back.read(_BLOCK, dtype="float32")):
                found += block
    except (soundfile.SoundFileError, RuntimeError):
        return False
    return found >= frames


def _force(path: Path, flags: int) -> None:
    """Wait until a file's content is on the disk."""
    handle = os.open(path, flags)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _force_folder(folder: Path) -> None:
    try:
        _force(folder, os.O_RDONLY)
    except OSError as error:
        if error.errno not in _NO_FOLDERS:
            raise
