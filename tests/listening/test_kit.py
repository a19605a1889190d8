"""The folder of a class's test: a page that holds all it needs, and a text that explains it."""

import re

import pytest
import torch

from minicodec.listening import abx, class_kit, mushra

RATE = 24000
X = 0.1 * torch.sin(torch.arange(RATE) / 7)


def both():
    return [
        mushra(
            {"half": {"low": X / 2, "lower": X / 2}},
            {"low": X, "lower": X},
            RATE,
            title="How close?",
        ),
        abx(X, X / 2, RATE, trials=12, title="Which?"),
    ]


def test_the_page_has_consent_tones_and_tests_in_order(tmp_path):
    page = class_kit(tmp_path / "new" / "kit", both(), title="Our <test>")
    text = page.read_text(encoding="utf-8")
    modes = re.findall(r'data-minicodec="(\w+)"', text)
    assert modes == ["kit", "mushra", "abx"]
    assert "Our &lt;test&gt;" in text and "Taking part is voluntary" in text
    assert "<!-- consent -->" in text and "{minutes}" not in text
    for label in ("loud", "soft", "turned"):
        assert f'<span class="mc-label">{label}</span>' in text
    told = (page.parent / "README.txt").read_text(encoding="utf-8")
    (kit,) = re.findall(r'data-kit="(\w{8})"', text)
    assert f"{kit}-….csv" in told and "in two tries of 3.5%" in told
    # 2 minutes, 8 versions of 0.4, 12 trials of 0.5: 11.2
    assert "15 minutes" in told and "about 15 minutes" in text


def test_a_kit_is_known_by_what_is_in_it(tmp_path):
    def kit(*given, **more):
        text = class_kit(tmp_path, *given, **more).read_text(encoding="utf-8")
        return re.findall(r'data-kit="(\w+)"', text)

    first = kit(both())
    assert kit(both()) == first
    assert kit(both()[:1]) != first and kit(both(), consent="Yes?") != first


def test_consent_is_the_teachers_and_is_text(tmp_path):
    page = class_kit(tmp_path, both()[1], consent="One & two\nlines.\n\n<b>{minutes} min</b> {x}")
    text = page.read_text(encoding="utf-8")
    assert "<p>One &amp; two lines.</p><p>&lt;b&gt;10 min&lt;/b&gt; {x}</p>" in text


@pytest.mark.parametrize(
    ("given", "more", "words"),
    [
        ([], {}, "at least one"),
        (None, {}, "tests are a list"),
        ("abx", {}, "tests are a list"),
        ([X], {}, "is no Tensor"),
        ([both()[0], both()[0]], {}, "a title of its own"),
        ([abx(X, X / 2, RATE, title="")], {}, "a title of its own"),
        (both(), {"consent": " "}, "must know what they agree to"),
        (both(), {"consent": None}, "must know what they agree to"),
    ],
)
def test_wrong_input_is_one_sentence(tmp_path, given, more, words):
    with pytest.raises(ValueError, match=words):
        class_kit(tmp_path, given, **more)


def test_a_file_is_no_folder(tmp_path):
    (tmp_path / "kit").write_text("")
    with pytest.raises(ValueError, match="kit cannot be made: File exists"):
        class_kit(tmp_path / "kit", both())
