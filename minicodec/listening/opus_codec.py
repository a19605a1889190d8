"""Support: Opus, the rival. Clips encoded beforehand for every reader, its programs for the rest.

A bit rate here counts Opus's packets alone, without the headers of the Ogg file around them.
"""

import shutil
import struct
import subprocess
import tempfile
from pathlib import Path

import torch
from torch import Tensor

from minicodec.listening.sounds import Condition
from minicodec.sound import audio as audio_
from minicodec.sound.clips import clip_folder

_LENGTH = struct.Struct(">I")


def opus(name: str, kbps: int, sample_rate: int = 24000) -> Condition:
    """A shipped clip as Opus gives it back.

    Args:
        name: "speech_en", "music" or "hard".
        kbps: 6 or 12.

    Raises:
        ValueError: for a clip or a rate that there is not.

    >>> opus("speech_en", 6).kbps
    6.0...
    """
    path = clip_folder() / f"{name}_{kbps}k.opus"
    if not path.is_file():
        known = ", ".join(sorted(each.stem for each in clip_folder().glob("*.opus")))
        raise ValueError(f"there is no {path.name}; as Opus there are {known}.")
    clip, _ = audio_.load(path, sample_rate, channels=1)
    return Condition(clip[None], packet_bytes(path) * 8 / (clip.shape[-1] / sample_rate) / 1000)


def opus_tools() -> bool:
    """Are Opus's command-line tools here?"""
    return bool(shutil.which("opusenc") and shutil.which("opusdec"))


def need_opus_tools() -> None:
    """Refuse to run Opus where its tools are missing.

    Raises:
        ValueError: in one sentence that says how to get them.
    """
    if not opus_tools():
        raise ValueError(
            "Opus is measured with its tools opusenc and opusdec, which are not installed here "
            "(Debian and Ubuntu: apt-get install opus-tools)."
        )


class Opus:
    """Opus's command-line tools at one bit rate, at 48 kHz inside.

    Its bytes are the Ogg file and the length; those that count are the packets' alone.

    Args:
        sample_rate: of what its tools are given and asked for; they convert.

    Raises:
        ValueError: if the tools are missing.
    """

    def __init__(self, kbps: float, sample_rate: int = 48000, channels: int = 1):
        need_opus_tools()
        self.name, self.sample_rate, self.channels = f"opus {kbps:g}", sample_rate, channels
        self._kbps = kbps

    def encode(self, audio: Tensor) -> bytes:
        with tempfile.TemporaryDirectory() as folder:
            source, packed = f"{folder}/in.wav", f"{folder}/mid.opus"
            audio_.save(source, audio.clamp(-1, 1), self.sample_rate)
            _run("opusenc", "--quiet", "--bitrate", f"{self._kbps:g}", source, packed)
            return _LENGTH.pack(audio.shape[-1]) + Path(packed).read_bytes()

    def decode(self, data: bytes) -> Tensor:
        length = _LENGTH.unpack_from(data)[0]
        with tempfile.TemporaryDirectory() as folder:
            packed, back = f"{folder}/mid.opus", f"{folder}/out.wav"
            Path(packed).write_bytes(data[_LENGTH.size :])
            _run("opusdec", "--quiet", "--rate", str(self.sample_rate), packed, back)
            copy = audio_.load(back, self.sample_rate, self.channels)[0][None, :, :length]
        return torch.nn.functional.pad(copy, (0, length - copy.shape[-1]))

    def counted(self, data: bytes) -> int:
        return _packet_bytes(data[_LENGTH.size :])


def packet_bytes(path: Path) -> int:
    """Bytes of all audio packets of an Ogg file (RFC 3533), which its page headers add up."""
    return _packet_bytes(path.read_bytes())


def _packet_bytes(data: bytes) -> int:
    place, pages = 0, []
    while data[place : place + 4] == b"OggS":
        segments = data[place + 26]
        table = data[place + 27 : place + 27 + segments]
        pages.append(sum(table))
        place += 27 + segments + sum(table)
    return sum(pages[2:])  # the first two pages hold the headers of Opus (RFC 7845)


def _run(*command: str) -> None:
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        last = done.stderr.strip().splitlines()[-1:]
        raise ValueError(f"{command[0]} failed: {' '.join(last) or 'no reason given'}.")
