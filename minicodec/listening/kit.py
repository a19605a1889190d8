"""Support: a listening test for a class: one page that anyone can open, and one file each.

    class_kit("our_test", [mushra(…), abx(…)])
    print(pool("returned"))

The page asks for consent, checks for headphones, runs the tests one after another, and gives one
CSV. It needs no server: it works from any web space, and from a file.
"""

import hashlib
import math
from collections.abc import Sequence
from pathlib import Path

from minicodec.listening import headphones
from minicodec.listening.abx import Abx
from minicodec.listening.blind import blind_fragment
from minicodec.listening.fragment import as_html, save_page
from minicodec.listening.mushra import Mushra
from minicodec.listening.sounds import prepare
from minicodec.sound.files import write_text

#: What listeners agree to; `{minutes}` is put in. Change it to what your school asks for.
CONSENT = """\
This is a listening test of a class. You hear short sounds and say what you hear. It takes about \
{minutes} minutes.

Taking part is voluntary. You may stop at any time, without a reason: close the page.

The page writes down your code, your answers and how long each took, and nothing else. It stays \
in this browser; nothing is sent anywhere. At the end you can save it as a file. Only what you \
hand in yourself becomes known.

If your answers should not be known as yours, take a code that is not your name.

Choose a comfortable volume. Stop if a sound is unpleasant.
"""

_READ_ME = """\
{title}: a listening test for a class

index.html   the test. Put it on any web space, or send it as a file; it needs no network.
             What listeners agree to stands in it between "<!-- consent -->" and "<!-- end -->".

Each listener needs headphones and about {minutes} minutes, and ends with one file, {kit}-….csv,
which they hand in as you tell them. Give out codes beforehand if you want to know who took part.

When the files are back, put them into one folder:

    from minicodec import listening
    print(listening.pool("returned"))

The headphone check: {trials} trials, {passes} must be right, two tries. Who only guesses passes
with a probability of {once:.1%}, in two tries of {twice:.1%}. Those who fail may take the test, but
`pool` leaves them out.

Parts:
{parts}
"""
_MINUTES = {"check": 2.0, "trial": 0.5, "version": 0.4}  # of an unhurried listener


def class_kit(
    folder: str | Path,
    tests: Sequence[Mushra | Abx],
    title: str = "Listening test",
    consent: str = CONSENT,
) -> Path:
    """Write the folder of a class's test: the page, and a text that says what to do with it.

    Args:
        folder: made if it is not there; files of a kit in it are replaced.
        tests: in the order in which they are taken, each with a title of its own.
        title: of the page.
        consent: paragraphs with an empty line between them; `{minutes}` stands for an estimate.

    Returns:
        the page.

    Raises:
        ValueError: for no test, what is no test, two tests of one title, an empty consent, or a
            folder that cannot be made.

    >>> import tempfile, torch
    >>> from minicodec.listening import abx
    >>> x = 0.1 * torch.randn(1, 1, 24000)
    >>> class_kit(tempfile.mkdtemp(), [abx(x, x.sign() * 0.1, 24000)]).name
    'index.html'
    """
    folder, tests = Path(folder), _checked(tests)
    if not isinstance(consent, str) or not consent.strip():
        raise ValueError("listeners must know what they agree to: give the text of the consent.")
    minutes = str(5 * math.ceil(_minutes(tests) / 5))
    parts = [test._fragment(test.title, listener="") for test in tests]
    kit = hashlib.sha256("\n".join([title, consent, *parts]).encode()).hexdigest()[:8]
    text = consent.replace("{minutes}", minutes)
    page = _front(kit, text) + "".join(f'<div class="mc-part">{part}</div>' for part in parts)
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise ValueError(f"{folder} cannot be made: {error.strerror}.") from error
    rows = [f"  {place}. {test.title}: {test!r}" for place, test in enumerate(tests, 1)]
    write_text(
        folder / "README.txt",
        _READ_ME.format(
            title=title,
            minutes=minutes,
            kit=kit,
            trials=headphones.TRIALS,
            passes=headphones.PASS,
            once=headphones.chance(),
            twice=headphones.chance(headphones.TRIES),
            parts="\n".join(rows),
        ),
    )
    return save_page(folder / "index.html", title, "", page)


def _checked(tests: object) -> list[Mushra | Abx]:
    if isinstance(tests, (Mushra, Abx)):
        tests = [tests]
    if not isinstance(tests, Sequence) or isinstance(tests, str) or not tests:
        raise ValueError("tests are a list of what `mushra` and `abx` give, at least one.")
    for test in tests:
        if not isinstance(test, (Mushra, Abx)):
            raise ValueError(
                f"a test comes from `mushra` or `abx`, and is no {type(test).__name__}."
            )
    titles = [test.title for test in tests]
    if len(set(titles)) < len(titles) or not all(titles):
        raise ValueError("each test needs a title of its own, for results are sorted by it.")
    return list(tests)


def _minutes(tests: Sequence[Mushra | Abx]) -> float:
    total = _MINUTES["check"]
    for test in tests:
        if isinstance(test, Abx):
            total += test.trials * _MINUTES["trial"]
        else:
            total += sum(map(len, test.items.values())) * _MINUTES["version"]
    return total


def _front(kit: str, consent: str) -> str:
    """Consent and headphone check; the tones play without scripts, too."""
    sounds, _ = prepare(dict(headphones.tones()), headphones.RATE)
    paragraphs = "".join(
        f"<p>{as_html(' '.join(part.split()))}</p>"
        for part in consent.split("\n\n")
        if part.strip()
    )
    return blind_fragment(
        "kit",
        "",
        f'<div class="mc-consent"><!-- consent -->{paragraphs}<!-- end --></div>'
        f'<ol class="mc-sounds">{"".join(sound.item() for sound in sounds)}</ol>',
        "",
        scripts=(),
        data={
            "kit": kit,
            "rate": str(headphones.RATE),
            "trials": str(headphones.TRIALS),
            "pass": str(headphones.PASS),
            "tries": str(headphones.TRIES),
        },
    )
