"""Opus beside us: some of the shipped clips, encoded beforehand, for readers without its tools."""

from pathlib import Path

from minicodec.listening.sounds import Condition
from minicodec.sound import audio as audio_


def opus(name: str, kbps: int, sample_rate: int = 24000) -> Condition:
    """A shipped clip as Opus gives it back.

    The bit rate counts Opus's packets alone, without the headers of the Ogg file around them.

    Args:
        name: "speech_en", "music" or "hard".
        kbps: 6 or 12.

    Raises:
        ValueError: for a clip or a rate that there is not.

    >>> opus("speech_en", 6).kbps
    6.0...
    """
    folder = audio_.clip_folder()
    path = folder / f"{name}_{kbps}k.opus"
    if not path.is_file():
        known = ", ".join(sorted(each.stem for each in folder.glob("*.opus")))
        raise ValueError(f"there is no {path.name}; as Opus there are {known}.")
    clip, _ = audio_.load(path, sample_rate, channels=1)
    packets = packet_bytes(path)
    return Condition(clip[None], packets * 8 / (clip.shape[-1] / sample_rate) / 1000)


def packet_bytes(path: Path) -> int:
    """Bytes of all audio packets of an Ogg file (RFC 3533), which its page headers add up."""
    data, place, pages = path.read_bytes(), 0, []
    while data[place : place + 4] == b"OggS":
        segments = data[place + 26]
        table = data[place + 27 : place + 27 + segments]
        pages.append(sum(table))
        place += 27 + segments + sum(table)
    return sum(pages[2:])  # the first two pages hold the headers of Opus (RFC 7845)
