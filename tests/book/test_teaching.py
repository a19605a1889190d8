"""Instructors' pages: made from the chapters and the package, with figures that files hold."""

import copy
import json
import re
import subprocess
import sys
import tempfile
from functools import cache
from math import comb, sqrt
from pathlib import Path
from statistics import fmean, stdev

import pytest
import soundfile
import yaml
from notebooks import ROOT
from simulated_class import class_of_fourteen
from teaching import BY_CHAPTER, NAME, PAGE, SOURCE, Book, coded, names_in, pages

from minicodec.bits import language_model_file
from minicodec.listening import headphones, pool
from minicodec.listening.analysis import t_quantile
from minicodec.model.checkpoint import SHIPPED, facts
from minicodec.sound import audio

TOLD = yaml.safe_load(SOURCE.read_text(encoding="utf-8"))
WEIGHTS = ROOT / "minicodec" / "weights"


@pytest.fixture(scope="module")
def book() -> Book:
    return Book(TOLD)


def changed(book: Book, change) -> list[str]:
    """Complaints after a change of what is told."""
    other = copy.copy(book)
    other.told = copy.deepcopy(TOLD)
    change(other.told)
    return other.complaints()


def read_json(path: Path):
    return json.loads(path.read_text(encoding="utf-8"))


@cache
def figures() -> dict[str, str]:
    """What the page says of measurements, by name, as it should say it."""
    log = [json.loads(line) for line in (WEIGHTS / "mini_24khz_training.jsonl").open()]
    first, *_, last = [row for row in log if "mel_6" in row]
    learned, lm = facts(SHIPPED["mini_24khz"]), language_model_file.facts("mini_24khz")
    (six,) = [r for r in read_json(ROOT / "benchmarks" / "quality.json")
              if r["condition"] == "mini_24khz 6" and r["class"] == "all"]  # fmt: skip
    mel = {(r["condition"], r["class"], r["clip"]): r["mel_distance"]
           for r in read_json(WEIGHTS / "mini_24khz_quality.json")["rows"]}  # fmt: skip
    gains = [mel[key] - mel[("mini_24khz 12", *key[1:])] for key in mel if key[0] == "mini_24khz 6"]
    half = t_quantile(len(gains) - 1) * stdev(gains) / sqrt(len(gains))
    entropy = {r["bandwidth"]: r for r in read_json(ROOT / "benchmarks" / "entropy.json")["rows"]}
    tail = [comb(12, k) for k in (10, 11, 12)]
    power = sum(n * 0.9**k * 0.1 ** (12 - k) for n, k in zip(tail, (10, 11, 12)))
    return {
        "first_hours": f"{first['audio_hours']:.1f}",
        "first_mel": f"{first['mel_6']:.2f}",
        "last_hours": f"{last['audio_hours']:.1f}",
        "last_mel": f"{last['mel_6']:.2f}",
        "heard": f"{learned['audio_hours']:.1f}",
        "train_hours": f"{learned['minutes'] / 60:.1f}",
        "mel_6": f"{six['mel_distance']:.2f}",
        "visqol_6": f"{six['visqol']:.2f}",
        "gain": f"{fmean(gains):.2f}",
        "gain_low": f"{fmean(gains) - half:.2f}",
        "gain_high": f"{fmean(gains) + half:.2f}",
        "lm_hours": f"{lm['hours']:.1f}",
        "lm_minutes": f"{lm['minutes']:.0f}",
        **{f"saved_{b:g}".replace(".5", "5"): f"{entropy[b]['saved']['lm']:.0f}" for b in entropy},
        "hist_6": f"{entropy[6]['saved']['histogram']:.0f}",
        "spread_low": f"{entropy[6]['spread']['lm'][0]:.0f}",
        "spread_high": f"{entropy[6]['spread']['lm'][1]:.0f}",
        "paper_6": f"{entropy[6]['paper']:.0f}",
        "half_10": f"{t_quantile(9) * 10 / sqrt(10):.1f}",
        "half_20": f"{t_quantile(19) * 10 / sqrt(20):.1f}",
        "power": f"{100 * power:.0f}",
        "alpha": f"{100 * sum(tail) / 2**12:.1f}",
        "chance_1": f"{100 * headphones.chance():.1f}",
        "chance_2": f"{100 * headphones.chance(headphones.TRIES):.1f}",
    }


def report() -> str:
    with tempfile.TemporaryDirectory() as folder:
        return str(pool(class_of_fourteen(Path(folder))))


# One sentence for each figure: what stands before and behind it.
SENTENCES = [
    "From nothing to {first_hours} hours of sound heard, mel distance at 6 kbps on held-out "
    "recordings was {first_mel} dB; at {last_hours} hours it was {last_mel} dB.",
    "has heard {heard} hours in {train_hours} hours on one core, and has {mel_6} dB and ViSQOL "
    "{visqol_6} over 37 recordings.",
    "bring {gain} dB (95 % interval over recordings {gain_low} to {gain_high})",
    "learned from {lm_hours} hours of codes in {lm_minutes} minutes.",
    "by {saved_15} % at 1.5 kbps, {saved_3} % at 3, {saved_6} % at 6 and {saved_12} % at 12",
    "the histogram saves {hist_6} % at 6",
    "it is {spread_low} to {spread_high} % at 6 kbps. The paper reports {paper_6} % there",
    "± {half_10} points with 10 listeners, ± {half_20} with 20",
    "with a chance of {power} %, and one who guesses passes it in {alpha} %",
    "with a probability of {chance_1} %, in two tries of {chance_2} %",
]


def test_the_pages_are_what_the_tool_makes(book):
    assert book.complaints() == []
    for path, text in pages(book).items():
        assert path.read_text(encoding="utf-8") == text, "run: python tools/teaching.py"


@pytest.mark.parametrize("sentence", SENTENCES)
def test_figures_are_those_of_files(sentence):
    text = " ".join(PAGE.read_text(encoding="utf-8").split())
    assert sentence.format(**figures()) in text


def test_the_report_is_that_of_the_simulated_class():
    assert f"```text\n{report()}\n```" in PAGE.read_text(encoding="utf-8")


def test_every_name_on_the_pages_is_an_exercise(book):
    for path in (PAGE, BY_CHAPTER):
        found = set(re.findall(rf"`({NAME.pattern})`", path.read_text(encoding="utf-8")))
        assert found and found <= set(book.by_name), found - set(book.by_name)


def test_lectures_and_homework_are_the_whole_book(book):
    lectures = TOLD["lectures"]
    assert len(lectures) == 16
    solved = sum(book.by_name[name].minutes for each in lectures for name in each["solve"])
    total = sum(book.in_class(each) + book.at_home(each) for each in lectures)
    assert total - solved == sum(sum(book.sections(n).values()) for n in book.paths)
    given = {e.name for each in lectures for e in book.homework(each)}
    core = {e.name for e in book.by_name.values() if e.core}
    assert core <= given | {name for each in lectures for name in each["solve"]}


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda t: t["chapters"].pop("07"), "not those of the book"),
        (lambda t: t["chapters"]["05"]["outcomes"][0].append("05.gone"), "no exercise 05.gone"),
        (lambda t: t["chapters"]["05"]["outcomes"][0].pop(), "no outcome has the exercise 05.near"),
        (lambda t: t["chapters"]["05"]["outcomes"].append(["think"]), "“think” has no exercise"),
        (lambda t: t["chapters"]["05"]["cut"].update(more=9), "05: the cut takes 59 minutes"),
        (lambda t: t["chapters"]["05"].update(home="05.x_y"), "05: there is no exercise 05.x_y"),
        (lambda t: t["lectures"][0]["chapters"].pop(), "do not have each chapter once"),
        (lambda t: t["lectures"][2]["home"].update({"02": ["Gone"]}), "3: 02 has no section Gone"),
        (lambda t: t["lectures"][2]["solve"].append("05.lag"), "05.lag is not of its chapters"),
        (lambda t: t["lectures"][3]["home"].clear(), "minutes in class are too many"),
    ],
)
def test_what_does_not_fit_is_named(book, change, words):
    assert any(words in complaint for complaint in changed(book, change))


def test_the_graph_shows_what_heads_ask_for(book, monkeypatch):
    monkeypatch.setattr("teaching.ARROWS", {"08": []})
    assert "08: needs 07, and the graph does not show it" in book.complaints()


def test_names_are_found_and_written_as_code():
    assert names_in({"a": ["05.lag", {"b 01b.spread": 1}], "c": 2.5}) == ["05.lag", "01b.spread"]
    assert coded("see 05.lag, `05.lag` and 1.5") == "see `05.lag`, `05.lag` and 1.5"


def test_the_example_makes_a_kit(tmp_path, monkeypatch):
    (example,) = re.findall(r"```python\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL)
    monkeypatch.chdir(tmp_path)
    exec(compile(example, "instructors.md", "exec"), {})
    text = (tmp_path / "our_test" / "index.html").read_text(encoding="utf-8")
    assert text.count('<figure class="minicodec-player') == 3
    assert "How close?" in text and "6 or 12 kbps?" in text


def test_students_do_not_get_the_pages(tmp_path):
    from student import make

    make(tmp_path / "student")
    assert not list((tmp_path / "student").rglob("instructors*"))
    for path in (tmp_path / "student").rglob("*.md"):
        assert "instructors" not in path.read_text(encoding="utf-8"), path


def test_the_projects_commands_run_in_their_order(tmp_path):
    """On clips that ship, and for seconds in place of hours; the last of two options counts."""
    for folder, names in {"recordings": ["music", "drums"], "others/speech": ["speech_en"]}.items():
        (tmp_path / folder).mkdir(parents=True)
        for name in names:
            clip = audio.clip(name)[0, :, : 3 * 24000]
            soundfile.write(tmp_path / folder / f"{name}.wav", clip.numpy().T, 24000)
    (tmp_path / "others/speech/speech_en.wav").rename(tmp_path / "others/speech/a.wav")
    blocks = re.findall(r"```\n(minicodec .*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL)
    lines = [line for block in blocks for line in block.replace("\\\n", " ").splitlines()]
    assert [line.split()[1] for line in lines] == [
        "train", "evaluate", "evaluate", "train-lm", "encode", "decode"]  # fmt: skip
    for line in lines:
        words = line.split()
        words += ["--minutes", "0.02", "--batch", "2"] if "train" in words[1] else []
        words += ["--steps", "2"] if words[1] == "train" else []
        words += ["--measures", "mel_distance", "--opus"] if words[1] == "evaluate" else []
        result = subprocess.run(
            [sys.executable, "-m", *words],
            cwd=tmp_path,
            capture_output=True,
            text=True,
            check=False,
        )
        assert result.returncode == 0, f"{line}: {result.stderr[-500:]}"
    before, after = (read_json(tmp_path / f"{name}.json") for name in ("before", "after"))
    assert before != after
    assert soundfile.info(tmp_path / "a.wav").frames == 3 * 24000


def test_every_target_on_the_pages_is_in_the_makefile():
    targets = re.findall(r"`make ([a-z]+)", PAGE.read_text(encoding="utf-8"))
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    assert targets
    for target in set(targets):
        assert re.search(rf"(?m)^{target}:", makefile), target
