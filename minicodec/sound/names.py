"""Support: names that a stranger may have chosen, as people see them."""

import re


def printable(text: str) -> str:
    r"""A text with escapes for all that would steer a terminal, hide, or have no letter at all.

    Names of files may hold any of that, and so may what a stream says of itself. A byte of a name
    that is not UTF-8 becomes an escape, too.

    >>> print(printable("\x1b[31mred\x07.wav"))
    \x1b[31mred\x07.wav
    >>> print(printable("caf\udce9.wav"))
    caf\xe9.wav
    """
    return "".join(c if c.isprintable() else _escape(c) for c in text)


def encodable(text: str) -> str:
    r"""A text with escapes for what no file in UTF-8 can hold, and no browser can show.

    Such are the bytes of a file's name in another encoding.

    >>> print(encodable("caf\udce9.wav"))
    caf\xe9.wav
    """
    return re.sub(r"[\ud800-\udfff]", lambda found: _escape(found[0]), text)


def _escape(character: str) -> str:
    code = ord(character)
    if 0xDC80 <= code <= 0xDCFF:  # what Python makes of a byte that is not UTF-8
        return f"\\x{code - 0xDC00:02x}"
    return character.encode("unicode_escape", "surrogatepass").decode("ascii")
