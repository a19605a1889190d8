"""A class that does not exist: files as the page of `class_kit` gives them, from drawn answers.

Nobody has heard anything here. Each listener has a scale of their own, hears a difference with a
chance of their own, and sits behind headphones or loudspeakers.
"""

import random
from pathlib import Path

from minicodec.listening.headphones import TRIALS
from minicodec.listening.tables import dump

KIT = "0123abcd"
ITEMS = ("speech", "music")
DAMAGE = {"reference": 0, "6 kbps": 22, "1.5 kbps": 45, "anchor 7 kHz": 40, "anchor 3.5 kHz": 70}
RATED, TOLD = "How close?", "6 or 12 kbps?"

Rows = list[dict[str, object]]


def listener(
    number: int, *, heard: int = 6, hears: float = 0.8, careful: bool = True, kit: str = KIT
) -> Rows:
    """One listener's rows.

    Args:
        heard: right answers of the headphone check.
        hears: chance of a right answer in the ABX test.
        careful: whether the hidden reference gets 90 or more.
    """
    luck = random.Random(number)
    told = {"kit": kit, "listener": f"listener-{number:02}"}
    told["session"] = f"2026-11-27T10:{number:02}:00.000Z"
    rows: Rows = [told | {"part": "consent", "answer": "agreed"}]
    for trial in range(1, TRIALS + 1):
        soft, turned = luck.sample((1, 2, 3), 2)
        answer = soft if trial <= heard else turned
        told_trial = {"item": "try 1", "trial": trial, "position": turned, "x": soft}
        answers = {"answer": answer, "correct": int(answer == soft), "seconds": "6.0"}
        rows.append(told | {"part": "headphones"} | told_trial | answers)
    scale = luck.uniform(0.8, 1.2)
    for trial, item in enumerate(ITEMS, 1):
        for position, (condition, damage) in enumerate(DAMAGE.items(), 1):
            rating = 100 - scale * damage + luck.gauss(0, 6) * (damage > 0)
            if condition == "reference" and not careful:
                rating = 70
            place = {"item": item, "trial": trial, "position": position, "condition": condition}
            given = {"rating": round(min(100, max(0, rating))), "seconds": "40.0"}
            rows.append(told | {"part": "mushra", "test": RATED} | place | given)
    for trial in range(1, 13):
        x = luck.choice("AB")
        right = luck.random() < hears
        answer = x if right else "BA"["AB".index(x)]
        given = {"answer": answer, "correct": int(right), "seconds": "5.0"}
        rows.append(told | {"part": "abx", "test": TOLD, "trial": trial, "x": x} | given)
    return rows


def hand_in(folder: Path, name: str, rows: Rows) -> Path:
    """One file, as the page saves it."""
    path = folder / f"{name}.csv"
    path.write_text(dump(rows), encoding="utf-8")
    return path


def class_of_fourteen(folder: Path) -> Path:
    """Ten careful listeners with headphones, and all that can go wrong."""
    for number in range(1, 11):
        hand_in(folder, f"{KIT}-{number:02}", listener(number, hears=0.5 if number % 3 else 0.9))
    hand_in(folder, f"{KIT}-11", listener(11, careful=False, hears=0.5))
    hand_in(folder, f"{KIT}-12", listener(12, heard=2))
    hand_in(folder, f"{KIT}-03 (1)", listener(3, hears=0.9))
    (folder / "notes.csv").write_text("who,when\nAda,today\n", encoding="utf-8")
    return folder
