"""Files appear whole or not at all, under the name asked for, whatever refuses and whenever."""

import errno
import os
import stat
import subprocess
import sys
import threading
from pathlib import Path

import numpy as np
import pytest
import soundfile

from minicodec.sound import files
from minicodec.sound.files import (
    KINDS,
    READABLE,
    WRITABLE,
    NotWritten,
    recordings,
    whole,
    whole_sound,
    write_bytes,
    write_text,
)

POSIX = pytest.mark.skipif(os.name != "posix", reason="links, modes and pipes are those of POSIX")


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def noise(frames: int, channels: int = 1) -> np.ndarray:
    return 0.1 * np.random.default_rng(0).standard_normal((frames, channels)).astype(np.float32)


# whole


def test_a_file_appears_at_the_end_and_its_part_has_its_ending(tmp_path):
    with whole(tmp_path / "a.flac") as part:
        assert part.parent == tmp_path and part.suffix == ".flac" and part.name.startswith(".a.")
        part.write_bytes(b"new")
        assert names(tmp_path) == [part.name]
    assert names(tmp_path) == ["a.flac"] and (tmp_path / "a.flac").read_bytes() == b"new"


@pytest.mark.parametrize("error", [KeyError, KeyboardInterrupt, OSError("No space left on device")])
def test_any_error_leaves_what_was_there(tmp_path, error):
    path = tmp_path / "a.bin"
    path.write_bytes(b"precious")
    with pytest.raises((KeyError, KeyboardInterrupt, NotWritten)), whole(path) as part:
        part.write_bytes(b"half")
        raise error
    assert names(tmp_path) == ["a.bin"] and path.read_bytes() == b"precious"


def test_two_writers_of_one_file_do_not_mix(tmp_path):
    with whole(tmp_path / "a") as first, whole(tmp_path / "a") as second:
        first.write_bytes(b"first")
        second.write_bytes(b"second")
        assert first != second
    assert (tmp_path / "a").read_bytes() == b"first"  # that of the one who ended last


@pytest.mark.parametrize("target", ["no/folder/a.bin", ".", "file/a.bin"])
def test_what_the_system_refuses_is_one_sentence_that_names_the_file(tmp_path, target):
    (tmp_path / "file").touch()
    with pytest.raises(NotWritten) as error:
        write_bytes(tmp_path / target, b"x")
    text = str(error.value)
    assert text.startswith(f"{tmp_path / target} ") and text.count(str(tmp_path)) == 1
    assert text.endswith(".") and "\n" not in text and ".part" not in text and "Errno" not in text
    assert isinstance(error.value, ValueError) and isinstance(error.value, OSError)


def test_a_folder_is_refused_before_the_work(tmp_path):
    with pytest.raises(NotWritten, match="is a folder, not a file"), whole(tmp_path):
        pytest.fail("it had begun")


def test_an_error_about_another_file_is_not_put_on_this_one(tmp_path):
    with pytest.raises(FileNotFoundError, match="other"), whole(tmp_path / "a"):
        (tmp_path / "other").read_bytes()
    assert names(tmp_path) == []


@pytest.mark.parametrize("failing", [1, 2])
def test_without_the_disks_word_it_is_not_written(tmp_path, monkeypatch, failing):
    """First the file is forced to the disk, then the folder that has its new name."""
    forced, force = [], os.fsync

    def fsync(handle):
        forced.append(stat.S_ISDIR(os.fstat(handle).st_mode))
        if len(forced) == failing:
            raise OSError(5, "Input/output error")
        force(handle)

    monkeypatch.setattr(os, "fsync", fsync)
    (tmp_path / "old").write_bytes(b"old")
    with pytest.raises(NotWritten, match="old cannot be written: Input/output error"):
        write_bytes(tmp_path / "old", b"new")
    assert forced == [False, True][:failing]
    assert (tmp_path / "old").read_bytes() == (b"old" if failing == 1 else b"new")
    assert names(tmp_path) == ["old"]


def test_a_file_system_that_cannot_force_folders_is_good_enough(tmp_path, monkeypatch):
    force = os.fsync

    def fsync(handle):
        if stat.S_ISDIR(os.fstat(handle).st_mode):
            raise OSError(22, "Invalid argument")
        force(handle)

    monkeypatch.setattr(os, "fsync", fsync)
    write_bytes(tmp_path / "a", b"x")
    assert (tmp_path / "a").read_bytes() == b"x"


def test_text_is_utf8_with_its_own_line_ends(tmp_path):
    write_text(tmp_path / "a", "ä\r\nb\n")
    assert (tmp_path / "a").read_bytes() == b"\xc3\xa4\r\nb\n"


def test_long_names_can_be_written(tmp_path):
    name = "ä" * 120 + ".flac"  # 245 bytes, of 255
    write_bytes(tmp_path / name, b"x")
    assert names(tmp_path) == [name]


@POSIX
def test_a_link_stays_and_what_it_points_to_is_replaced(tmp_path):
    (tmp_path / "there").mkdir()
    for name in ("old", "dangling"):
        (tmp_path / name).symlink_to(f"there/{name}")
    (tmp_path / "there" / "old").write_bytes(b"old")
    for name in ("old", "dangling"):
        write_bytes(tmp_path / name, b"new")
        assert (tmp_path / name).is_symlink()
        assert (tmp_path / "there" / name).read_bytes() == b"new"
    assert names(tmp_path / "there") == ["dangling", "old"]


@POSIX
@pytest.mark.parametrize("mode", [0o600, 0o640, 0o444, 0o755])
def test_permissions_are_handed_down(tmp_path, mode):
    path = tmp_path / "a"
    path.write_bytes(b"old")
    path.chmod(mode)
    with whole(path) as part:
        assert stat.S_IMODE(part.stat().st_mode) == 0o600, "not even for a moment for all to read"
        part.write_bytes(b"new")
    assert stat.S_IMODE(path.stat().st_mode) == mode and path.read_bytes() == b"new"


@POSIX
def test_a_new_file_has_the_permissions_of_any_new_file(tmp_path):
    (tmp_path / "usual").touch()
    write_bytes(tmp_path / "ours", b"x")
    assert (tmp_path / "ours").stat().st_mode == (tmp_path / "usual").stat().st_mode


class Fifo:
    """A named pipe, and what somebody reads from it."""

    def __init__(self, path: Path):
        os.mkfifo(path)
        self.path, self.data = path, b""
        self._thread = threading.Thread(target=self._read, daemon=True)
        self._thread.start()

    def _read(self) -> None:
        self.data = self.path.read_bytes()

    def read(self) -> bytes:
        self._thread.join(timeout=600)
        assert not self._thread.is_alive() and stat.S_ISFIFO(self.path.stat().st_mode)
        return self.data


@POSIX
def test_a_pipe_is_written_into_not_replaced(tmp_path):
    pipe = Fifo(tmp_path / "pipe.mcdc")
    write_bytes(pipe.path, b"data")
    assert pipe.read() == b"data" and names(tmp_path) == ["pipe.mcdc"]


@POSIX
@pytest.mark.parametrize("ending", WRITABLE)
def test_sound_into_a_pipe_is_what_a_file_would_hold(tmp_path, ending):
    pipe = Fifo(tmp_path / f"pipe{ending}")
    for path in (pipe.path, tmp_path / f"file{ending}"):
        with whole_sound(path, 24000, 1) as write:
            write(noise(5000))
    (tmp_path / f"piped{ending}").write_bytes(pipe.read())
    piped, filed = (soundfile.read(tmp_path / f"{name}{ending}") for name in ("piped", "file"))
    assert len(piped[0]) == 5000 and np.array_equal(piped[0], filed[0])


@POSIX
def test_a_pipe_without_an_ending_gets_wav(tmp_path):
    pipe = Fifo(tmp_path / "pipe")
    with whole_sound(pipe.path, 24000, 1) as write:
        write(noise(100))
    assert pipe.read()[:4] == b"RIFF" and names(tmp_path) == ["pipe"]


@POSIX
def test_a_device_is_written_into_not_replaced():
    write_bytes("/dev/null", b"x")
    with whole_sound("/dev/null", 24000, 1) as write:
        write(noise(100))
    assert stat.S_ISCHR(os.stat("/dev/null").st_mode)


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="needs /dev/full")
def test_a_full_device_is_one_sentence():
    with pytest.raises(NotWritten, match="^/dev/full cannot be written: No space left on device.$"):
        write_bytes("/dev/full", b"x")


# sound


@pytest.mark.parametrize("channels", [1, 2])
@pytest.mark.parametrize("ending", WRITABLE)
@pytest.mark.parametrize("lengths", [[], [1], [1151], [70_000, 1, 140_000]])
def test_sound_of_any_length_reads_back(tmp_path, ending, channels, lengths):
    path = tmp_path / f"x{ending}"
    with whole_sound(path, 24000, channels) as write:
        for length in lengths:
            write(noise(length, channels))
    assert names(tmp_path) == [path.name]
    if lengths:
        assert soundfile.read(path, always_2d=True)[0].shape == (sum(lengths), channels)


def test_wav_beyond_what_it_can_tell_is_rf64(tmp_path, monkeypatch):
    """Four GiB, or here ten thousand bytes."""
    monkeypatch.setattr(files, "_LARGEST_WAV", 10_000)
    path, sound = tmp_path / "x.wav", noise(9000)
    path.touch(mode=0o640)
    with whole_sound(path, 8000, 1) as write:
        write(sound[:5000])
    assert soundfile.info(path).format == "WAV"
    with (
        pytest.warns(UserWarning, match="x.wav is longer than 4 GiB") as notes,
        whole_sound(path, 8000, 1) as write,
    ):
        for start in range(0, 9000, 3000):
            write(sound[start : start + 3000])
        (part,) = (p for p in tmp_path.iterdir() if p != path)
        assert stat.S_IMODE(part.stat().st_mode) == 0o600
    assert len(notes) == 1 and names(tmp_path) == ["x.wav"]
    assert stat.S_IMODE(path.stat().st_mode) == 0o640
    back, _ = soundfile.read(path, dtype="float32", always_2d=True)
    assert soundfile.info(path).format == "RF64" and np.abs(back - sound).max() < 1e-4


@pytest.mark.parametrize("name", ["音" * 80 + ".wav", "n" * 251 + ".wav", "é" * 120 + ".flac"])
def test_sound_with_a_long_name(tmp_path, name):
    with whole_sound(tmp_path / name, 8000, 1) as write:
        write(noise(100))
    assert names(tmp_path) == [name]


@POSIX
def test_sound_whose_name_is_not_utf8(tmp_path):
    path = tmp_path / os.fsdecode(b"bad\xff\xfename.wav")
    with whole_sound(path, 8000, 1) as write:
        write(noise(100))
    assert path.is_file()


FULL = """
import resource, signal, sys
import numpy as np
from minicodec.sound.files import NotWritten, whole_sound
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_FSIZE, (int(sys.argv[2]), resource.RLIM_INFINITY))
try:
    with whole_sound(sys.argv[1], 24000, 1) as write:
        write(0.1 * np.random.default_rng(0).standard_normal((240_000, 1)).astype(np.float32))
except NotWritten as error:
    print(error)
"""


@POSIX
@pytest.mark.parametrize("ending", WRITABLE)
@pytest.mark.parametrize("missing", [1, 300, 20_000])
def test_sound_that_the_disk_has_no_room_for_is_not_written(tmp_path, ending, missing):
    """libsndfile is silent when the last bytes, which it writes as it closes, find no room."""
    path = tmp_path / f"x{ending}"
    with whole_sound(path, 24000, 1) as write:
        write(noise(240_000))
    before = path.read_bytes()
    room = str(len(before) - missing)
    result = subprocess.run(
        [sys.executable, "-c", FULL, path, room], capture_output=True, text=True, check=True
    )
    assert result.stdout.startswith(f"{path} cannot be written: ")
    assert "disk" in result.stdout and result.stdout.count("\n") == 1
    assert names(tmp_path) == [path.name] and path.read_bytes() == before


def test_what_was_damaged_on_its_way_is_not_kept(tmp_path):
    path = tmp_path / "x.wav"
    with (
        pytest.raises(NotWritten, match="x.wav cannot be written: it does not read back"),
        whole_sound(path, 8000, 1) as write,
    ):
        write(noise(100))
        (part,) = tmp_path.iterdir()
        part.unlink()  # as if the disk had lost what was written
        soundfile.write(part, np.zeros(10), 8000)
    assert names(tmp_path) == []


# what is a recording


def test_recordings_are_found_by_their_ending_wherever_they_are(tmp_path):
    wanted = [f"{number}{ending}" for number, ending in enumerate(READABLE)]
    wanted += ["a/deep/9.WAV", "a/deep/9b.Flac"]
    other = ["notes.txt", "wav", ".hidden.wav", ".trash/gone.wav", "a/.x.1234.part.flac", "b.mcdc"]
    for name in wanted + other:
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).touch()
    (tmp_path / "folder.wav").mkdir()
    found = [path.relative_to(tmp_path).as_posix() for path in recordings(tmp_path)]
    assert sorted(found) == sorted(wanted)
    assert recordings(tmp_path) == sorted(recordings(str(tmp_path)))


def test_a_hidden_folder_that_was_named_is_looked_into(tmp_path):
    (tmp_path / ".data").mkdir()
    (tmp_path / ".data" / "a.wav").touch()
    assert len(recordings(tmp_path / ".data")) == 1 and not recordings(tmp_path)


def test_folders_that_may_not_be_read(tmp_path, monkeypatch):
    for name in ("open", "locked"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "a.wav").touch()
    scan, locked = os.scandir, tmp_path / "locked"

    def scandir(path):
        if Path(path) == locked:
            raise PermissionError(errno.EACCES, "Permission denied", str(path))
        return scan(path)

    monkeypatch.setattr(os, "scandir", scandir)
    with pytest.warns(UserWarning, match="^passed over: .*locked cannot be read: Permission deni"):
        assert recordings(tmp_path) == [tmp_path / "open" / "a.wav"]
    with pytest.raises(ValueError, match="locked cannot be read: Permission denied.$"):
        recordings(locked)


def test_recordings_of_no_folder(tmp_path):
    with pytest.raises(ValueError, match="nowhere is not a folder of recordings"):
        recordings(tmp_path / "nowhere")


def test_every_ending_that_is_called_readable_is(tmp_path):
    """The formats that libsndfile is asked to write here are those that the endings stand for."""
    formats = {
        ".aif": ("AIFF", "PCM_16"), ".aiff": ("AIFF", "PCM_16"), ".flac": ("FLAC", "PCM_16"),
        ".mp3": ("MP3", "MPEG_LAYER_III"), ".oga": ("OGG", "VORBIS"), ".ogg": ("OGG", "VORBIS"),
        ".opus": ("OGG", "OPUS"), ".wav": ("WAV", "PCM_16"),
    }  # fmt: skip
    assert tuple(formats) == READABLE and set(WRITABLE) <= set(READABLE)
    for ending, (kind, subtype) in formats.items():
        path = tmp_path / f"x{ending}"
        soundfile.write(path, noise(4800), 48000, format=kind, subtype=subtype)
        assert len(soundfile.read(path)[0]) == 4800
    assert all(kind.lower() in KINDS.lower() for kind, _ in formats.values())


def test_reasons_do_not_name_the_file_again():
    error = FileNotFoundError(2, "No such file or directory", "/secret/.x.part")
    assert files.reason(error) == "No such file or directory"
    assert "full" in files.reason(OSError("System error."))
