"""The codec that a person names, and what is wrong with a name or a file."""

import re
from pathlib import Path

import pytest
import torch

from minicodec.listening import codec_choice
from minicodec.listening.codec_choice import named

ROOT = Path(__file__).resolve().parents[2]
GOOD = """
import torch

class Eight:
    name, sample_rate, channels = "eight bits", 8000, 1

    def encode(self, audio):
        return ((audio[0, 0].clamp(-1, 1) + 1) * 127).byte().numpy().tobytes()

    def decode(self, data):
        return (torch.frombuffer(bytearray(data), dtype=torch.uint8) / 127 - 1).view(1, 1, -1)

"""


@pytest.fixture
def write(tmp_path, monkeypatch):
    """Writes a file of one's own, and gives its name."""
    monkeypatch.chdir(tmp_path)

    def file(text: str, name: str = "mine.py") -> str:
        (tmp_path / name).write_text(text)
        return name

    return file


def test_a_file_of_ones_own(write):
    (codec,) = named(write(GOOD + "codec = Eight()"))
    assert codec.name == "eight bits" and len(codec.encode(torch.zeros(1, 1, 80))) == 80
    two = "other = Eight()\nother.name = 'other'\ncodec = [Eight(), other]"
    assert [each.name for each in named(write(GOOD + two))] == ["eight bits", "other"]


def test_the_codec_of_the_book_can_be_measured(write):
    page = (ROOT / "book" / "how-to-use.md").read_text(encoding="utf-8")
    (text,) = re.findall(r"^```python\n(.*?)^```$", page, re.DOTALL | re.MULTILINE)
    (codec,) = named(write(text))
    assert codec.name == "eight bits"


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "mine.py does not set `codec`, to one codec or to a list"),
        (GOOD + "codec = []", "does not set `codec`"),
        (GOOD + "codec = Eight", r"mine.py: Eight is a class: use one of its kind, Eight\(\)"),
        (GOOD + "codec = 7", "mine.py: int has no name"),
        (GOOD + "Eight.decode = None\ncodec = Eight()", "mine.py: Eight.decode is no function"),
        (GOOD + "del Eight.decode\ncodec = Eight()", "mine.py: Eight has no decode"),
        ("codec = (", "mine.py is no Python: .* in line 1"),
        ("x = 1\n\nraise OSError('no\\nline')",
         r"mine.py raised OSError in line 3 of mine.py: no line\.$"),
        ("import nothing_of_that_name", "raised ModuleNotFoundError in line 1 of mine.py"),
        ("import sys; sys.exit(3)", "mine.py raised SystemExit in line 1"),
        (GOOD + "Eight.encode = lambda self, x: x.nothing\ncodec = Eight()",
         "eight bits: encode raised AttributeError in line 13 of mine.py"),
    ],
)  # fmt: skip
def test_a_file_that_holds_no_codec_is_one_sentence(write, text, words):
    with pytest.raises(ValueError, match=words) as error:
        named(write(text))
    assert "\n" not in str(error.value)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("nothing.py", "nothing.py: no such file"),
        ("mine.py=6", "says itself which codecs it has"),
        ("", "there is no codec ''"),
        ("flac", "there is no codec 'flac': name a .py file that sets `codec`, a folder"),
        ("mp3=", "behind = stand bit rates in kbps, such as 6 or 6,12, not ''"),
        ("mp3=fast", "not 'fast'"),
        ("mp3=32,-1", "not '32,-1'"),
        ("mp3=inf", "not 'inf'"),
        ("mp3=9999", "MP3 at 44100 Hz has 32 to 320 kbps"),
        ("encodec_24khz", r"are not here yet: minicodec.load\(\"encodec_24khz\"\) fetches them"),
        ("weights.th", "weights.th is to begin with encodec_24khz or encodec_48khz"),
        ("encodec_24khz-none.th", "encodec_24khz-none.th: no such file"),
        ("empty", "empty holds no model of transformers that is known here: "),
        ("hf:nobody/nothing", "nobody/nothing holds no model of transformers that is known here: "),
    ],
)
def test_a_name_that_is_no_codecs_is_one_sentence(write, tmp_path, monkeypatch, text, words):
    monkeypatch.setenv("MINICODEC_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    (tmp_path / "empty").mkdir()
    write(GOOD + "codec = Eight()")
    if "encodec" in text:
        pytest.importorskip("encodec")
    if text == "empty" or text.startswith("hf:"):
        pytest.importorskip("transformers")
    with pytest.raises(ValueError, match=words) as error:
        named(text)
    assert "\n" not in str(error.value)


def test_mp3_at_some_rates():
    assert [codec.name for codec in named("mp3")] == ["mp3 64"]
    assert [codec.name for codec in named("mp3=32,96")] == ["mp3 32", "mp3 96"]


@pytest.mark.parametrize("name", ["encodec_24khz-x.th", "encodec_24khz"])
def test_official_weights_by_file_and_from_the_cache(write, tmp_path, monkeypatch, name):
    pytest.importorskip("encodec")
    from minicodec.listening.known_codecs import Official

    monkeypatch.setenv("MINICODEC_CACHE", str(tmp_path))
    file = name if name.endswith(".th") else "encodec_24khz-d7cc33bc.th"
    torch.save(Official("encodec_24khz", 1.5)._model.state_dict(), tmp_path / file)
    found = named(f"{name}=1.5,3")
    assert [codec.name for codec in found] == [f"official encodec_24khz {b}" for b in ("1.5", "3")]
    assert not any(codec.note for codec in found)


def test_a_folder_or_a_name_on_the_hub_is_handed_on(tmp_path, monkeypatch):
    asked = []
    monkeypatch.setattr(codec_choice, "from_folder", lambda *how: asked.append(how) or [])
    folder = tmp_path / "a=b"  # a name that is there is taken whole
    folder.mkdir()
    for text in (str(folder), f"{folder}=1.1", "hf:kyutai/mimi=0.55,1.1"):
        named(text)
    assert asked == [(str(folder), None), (str(folder), [1.1]), ("kyutai/mimi", [0.55, 1.1])]
