"""Names as people see them: nothing steers a terminal, nothing hides, all can be printed."""

import os

import pytest

from minicodec.sound.names import encodable, printable


@pytest.mark.parametrize(
    "name", ["speech.wav", "音.wav", "Ünï – codé (1).wav", 'a b\'s "c".wav', "\\x1b"]
)
def test_what_people_name_files_stays(name):
    assert printable(name) == name


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ("a\x1b[2Jb", r"a\x1b[2Jb"),  # clears a screen
        ("a\rb\nc\td\x7f\0", r"a\rb\nc\td\x7f\x00"),
        ("\x9b31m", r"\x9b31m"),  # what begins an escape sequence in one byte
        ("a\u202egnp.wav", r"a\u202egnp.wav"),  # turns the rest round
        ("a\u2028b\u200b", r"a\u2028b\u200b"),
        (os.fsdecode(b"caf\xe9"), r"caf\xe9"),  # a name in Latin-1
        ("\ud800", r"\ud800"),
    ],
)
def test_the_rest_becomes_escapes(name, shown):
    assert printable(name) == shown
    shown.encode("utf-8")


def test_of_all_characters_none_is_left_that_is_no_letter():
    everything = "".join(map(chr, range(0x110000)))
    assert printable(everything).isprintable()


def test_only_what_no_file_can_hold_is_changed():
    for text in ("two\nlines, \u202eturned", "\0", "👩\u200d🚀", "𝄞", ""):
        assert encodable(text) == text
    assert encodable(os.fsdecode(b"caf\xe9")) == r"caf\xe9"
    assert encodable("\ud800x\udfff") == r"\ud800x\udfff"
    everything = "".join(map(chr, range(0x110000)))
    encodable(everything).encode("utf-8")
