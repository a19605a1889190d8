"""Small sound files that have tripped programs of this kind. Each function makes one, as bytes.

The sound is a second of a tone at 8 kHz with a little noise in it, the same in every run.
"""

import io
import struct
from functools import cache

import numpy as np
import soundfile

RATE = 8000
LENGTH = RATE


@cache
def samples() -> np.ndarray:
    """[T] float32."""
    noise = 0.01 * np.random.default_rng(0).standard_normal(LENGTH)
    return (0.4 * np.sin(2 * np.pi * 440 * np.arange(LENGTH) / RATE) + noise).astype(np.float32)


class Pipe:
    """What cannot go back, and gives as much as it likes."""

    name = "<stdin>"

    def __init__(self, data: bytes, most: int = 1 << 16):
        self._file, self._most = io.BytesIO(data), most

    def read(self, size: int) -> bytes:
        return self._file.read(min(size, self._most))


def chunk(kind: bytes, data: bytes) -> bytes:
    return kind + struct.pack("<I", len(data)) + data + bytes(len(data) % 2)


def riff(*chunks: bytes) -> bytes:
    body = b"WAVE" + b"".join(chunks)
    return b"RIFF" + struct.pack("<I", len(body)) + body


def form(bits: int = 16, width: int = 2) -> bytes:
    """The chunk that says what samples are like."""
    return chunk(b"fmt ", struct.pack("<HHIIHH", 1, 1, RATE, width * RATE, width, bits))


def pcm() -> bytes:
    return (samples() * 32767).astype("<i2").tobytes()


def three_bytes() -> bytes:
    return (samples() * 8388607).astype("<i4").view("u1").reshape(-1, 4)[:, :3].tobytes()


def notes() -> bytes:
    """A chunk that is no sound, and would be heard as noise."""
    text = np.random.default_rng(1).bytes(6000)
    return chunk(b"LIST", b"INFO" + chunk(b"ICMT", text))


def written(
    kind: str, subtype: str | None = None, sound: np.ndarray | None = None, **more
) -> bytes:
    """By libsndfile."""
    file = io.BytesIO()
    sound = samples() if sound is None else sound
    rate = more.pop("rate", RATE)
    soundfile.write(file, sound, rate, format=kind, subtype=subtype, **more)
    return file.getvalue()


def plain_wav() -> bytes:
    return written("WAV")


def list_behind_data() -> bytes:
    return riff(form(), chunk(b"data", pcm()), notes())


def odd_chunk_padded() -> bytes:
    return riff(chunk(b"JUNK", b"abc"), form(), chunk(b"data", pcm()))


def empty_data() -> bytes:
    return riff(form(), chunk(b"data", b""))


def empty_data_then_list() -> bytes:
    return riff(form(), chunk(b"data", b""), notes())


def length_never_written() -> bytes:
    """As Python's own wave module leaves it when the program is killed."""
    return riff(form(), chunk(b"data", b"")) + pcm()


def rf64_list_behind_data(size: int | None = None) -> bytes:
    sizes = struct.pack("<QQQI", 0, len(pcm()) if size is None else size, LENGTH, 0)
    body = chunk(b"ds64", sizes) + form() + b"data" + b"\xff" * 4 + pcm() + notes()
    return b"RF64" + b"\xff" * 4 + b"WAVE" + body


def extensible_24_bit() -> bytes:
    return written("WAVEX", "PCM_24")


def twenty_bits_in_24() -> bytes:
    return riff(form(20, 3), chunk(b"data", three_bytes()))


def cut_short_wav() -> bytes:
    return plain_wav()[: 44 + LENGTH]


def cut_short_aiff() -> bytes:
    return written("AIFF")[:LENGTH]


def cut_short_mp3() -> bytes:
    data = mp3()
    return data[: len(data) // 2]


def cut_short_ogg() -> bytes:
    data = written("OGG", "VORBIS", np.tile(samples(), 3))
    return data[: 2 * len(data) // 3]


def cut_short_flac() -> bytes:
    return written("FLAC")[:LENGTH]


def lfs_pointer() -> bytes:
    return b"version https://git-lfs.github.com/spec/v1\noid sha256:4d7a\nsize 12345\n"


def web_page() -> bytes:
    return b"<!doctype html><title>404</title>" * 40


def notes_of_a_mac() -> bytes:
    return bytes.fromhex("0005160700020000") + b"Mac OS X        " + bytes(4000)


def louder_than_full_scale() -> bytes:
    return written("WAV", "FLOAT", 3 * samples())


def floats_scaled_as_int16() -> bytes:
    return written("WAV", "FLOAT", 32768 * samples())


def huge_floats() -> bytes:
    return written("WAV", "FLOAT", np.tile(np.float32([1e30, -1e30]), LENGTH // 2))


def nan_at_the_end() -> bytes:
    return written("WAV", "FLOAT", np.append(samples()[:-1], np.float32(np.nan)))


def denormals() -> bytes:
    return written("WAV", "FLOAT", samples() * np.float32(1e-40))


def one_sample() -> bytes:
    return written("WAV", None, samples()[2000:2001])


def six_channels() -> bytes:
    return written("WAV", None, np.repeat(samples()[:, None], 6, 1))


def mp3(header: bool = True) -> bytes:
    """Noise and then silence, so that the first frames say little about the rest."""
    noise = np.random.default_rng(0).uniform(-0.9, 0.9, LENGTH)
    sound = np.concatenate([noise, np.zeros(2 * LENGTH), samples()])
    data = written("MP3", None, sound, bitrate_mode="VARIABLE", compression_level=0.0)
    if header:
        return data
    return data[data.find(data[:2], max(data.find(b"Xing"), data.find(b"Info"))) :]


def two_oggs_in_one() -> bytes:
    return written("OGG", "VORBIS") + written("OGG", "VORBIS", samples()[::-1])


def oggs_of_two_rates() -> bytes:
    return written("OGG", "VORBIS") + written("OGG", "VORBIS", rate=16000)


def flac_says(length: int) -> bytes:
    """A whole FLAC whose header says another number of samples; 0 is unknown."""
    data = bytearray(written("FLAC"))
    data[21] = data[21] & 0xF0 | length >> 32
    data[22:26] = struct.pack(">I", length & 0xFFFFFFFF)
    return bytes(data)
