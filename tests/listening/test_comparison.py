"""The players hold their sound, keep its level, and let nothing in from a label."""

import base64
import html
import io
import json
import os
import re
from html.parser import HTMLParser

import numpy as np
import pytest
import soundfile
import torch

from minicodec.listening import Condition, compare
from minicodec.listening.loudness import loudness

RATE = 24000


def sounds_in(page: str) -> list[tuple[np.ndarray, int, bytes]]:
    """Every player's samples [C, T], its rate, and the file as bytes."""
    found = []
    for data in re.findall(r'src="data:audio/flac;base64,([^"]+)"', page):
        flac = base64.b64decode(data)
        samples, rate = soundfile.read(io.BytesIO(flac), dtype="float32", always_2d=True)
        found.append((samples.T, rate, flac))
    return found


class Tags(HTMLParser):
    """All tags of a page, as a browser would see them."""

    def __init__(self, page: str):
        super().__init__()
        self.tags: list[tuple[str, dict]] = []
        self.feed(page)

    def handle_starttag(self, tag, attributes):
        self.tags.append((tag, dict(attributes)))


def test_nothing_is_fetched():
    page = compare({"a": torch.randn(1000) * 0.1}, RATE, "A title")._repr_html_()
    assert not re.search(r'\b(src|href)="(?!data:)', page)
    for word in ("http", "@import", "url(", "require", "fetch(", "iframe"):
        assert word not in page, word
    assert page.count("<audio controls") == page.count("<script>") == page.count("</script>") == 1


def test_the_same_sounds_make_the_same_page():
    clips = {"a": torch.linspace(-1, 1, 900), "b": torch.zeros(900)}
    page = compare(clips, RATE)._repr_html_()
    assert page == compare(clips, RATE)._repr_html_()
    assert " id=" not in page  # so two on a page cannot clash


def test_sounds_come_out_as_they_went_in():
    clips = {
        "batch": 0.3 * torch.randn(1, 1, 5000).clamp(-3, 3),
        "stereo": 0.3 * torch.randn(2, 700).clamp(-3, 3),
        "bare": torch.linspace(-1, 1, 300),
        "silence": torch.zeros(1, 1, 10),
        "double": 0.1 * torch.randn(1, 50, dtype=torch.float64),
        "list": [0.0, 0.5],
    }
    page = compare(clips, RATE)._repr_html_()
    for clip, (samples, rate, _) in zip(clips.values(), sounds_in(page), strict=True):
        clip = torch.as_tensor(clip).float().reshape(-1, samples.shape[1]).numpy()
        assert rate == RATE
        np.testing.assert_allclose(samples, clip, atol=2 / 32768)  # 16 bits


def test_level_is_kept_and_only_what_is_too_loud_is_turned_down():
    quiet, loud = 0.25 * torch.sin(torch.arange(1000.0)), 2.0 * torch.sin(torch.arange(1000.0))
    comparison = compare({"quiet": quiet, "loud": loud}, RATE, "Two")
    assert "Levels: all turned down by 6.0 dB." in comparison._repr_html_()
    (a, _, _), (b, _, _) = sounds_in(comparison._repr_html_())
    assert abs(b).max() <= 1 and abs(abs(b).max() / abs(a).max() - 8) < 0.01
    assert "Levels" not in compare({"full": torch.ones(10)}, RATE)._repr_html_()


def test_loudness_is_matched_on_request_and_stated(speech):
    clips = {"one": speech, "half": 0.5 * speech, "bright": speech.diff(), "mute": speech * 0}
    page = compare(clips, RATE, match_loudness=True)._repr_html_()
    assert "Levels: all brought to the loudness of “one”" in page
    found = [torch.from_numpy(samples) for samples, _, _ in sounds_in(page)]
    one, half, bright, mute = (loudness(clip, RATE) for clip in found)
    assert abs(half - one) < 0.1 and abs(bright - one) < 0.1 and mute == -np.inf


def gains_of(sounds: dict) -> list[float] | None:
    found = re.search(r' data-gains="([^"]*)"', compare(sounds, RATE)._repr_html_())
    return json.loads(found.group(1)) if found else None


def test_gains_for_equal_loudness_go_into_the_page_where_they_are_worth_it(speech):
    assert gains_of({"a": speech, "half": 0.5 * speech}) == pytest.approx([0, 6.02], abs=0.01)
    assert gains_of({"a": speech}) is None
    assert gains_of({"a": speech, "b": 0.999 * speech, "mute": 0 * speech}) is None
    matched = compare({"a": speech, "half": 0.5 * speech}, RATE, match_loudness=True)
    assert "data-gains" not in matched._repr_html_()


def test_where_ears_alone_are_to_judge_the_page_says_so():
    assert ' data-blind=""' in compare({"x": torch.zeros(9)}, RATE, pictures=False)._repr_html_()
    assert "data-blind" not in compare({"x": torch.zeros(9)}, RATE)._repr_html_().split("<style")[0]


def test_rates_and_measures_stand_beside_the_label():
    sounds = {"x": Condition(torch.zeros(9), 6.0123, "<SI-SDR> 3 dB"), "y": torch.zeros(9)}
    page = compare(sounds, RATE)._repr_html_().replace("\N{NO-BREAK SPACE}", " ")
    assert '<span class="mc-facts">6.01 kbps, &lt;SI-SDR&gt; 3 dB</span>' in page
    assert page.count('class="mc-facts"') == 1
    for kbps, text in [(1.5, "1.50 kbps"), (12.04, "12.0 kbps"), (384, "384 kbps"), (0, "0.00")]:
        page = compare({"x": Condition(torch.zeros(9), kbps)}, RATE)._repr_html_()
        assert text in page.replace("\N{NO-BREAK SPACE}", " ")


def test_ten_seconds_in_six_versions_fit_in_three_megabytes(speech):
    clip = speech.repeat(1, 1, 2)[..., : 10 * RATE]
    page = compare({str(i): clip for i in range(6)}, RATE)._repr_html_()
    script = re.search("<script>(.*?)</script>", page, re.S).group(1)
    assert len(script.encode()) < 36_000
    assert len(page.encode()) < 3_000_000


def test_labels_titles_and_notes_are_only_text(tmp_path):
    evil = '"><script>alert(1)</script><img src=x onerror=alert(1)>'
    sounds = {evil: torch.zeros(10), 6.0: Condition(torch.zeros(10), metric=evil)}
    comparison = compare(sounds, RATE, evil, match_loudness=True)
    page = comparison.save(tmp_path / "page.html", intro=evil).read_text(encoding="utf-8")
    for text in (comparison._repr_html_(), page):
        tags = Tags(text).tags
        names = [tag for tag, _ in tags]
        assert "img" not in names and names.count("script") == 1
        assert not any(key.startswith("on") for _, attributes in tags for key in attributes)
        assert html.escape(evil) in text
        labels = [attributes["aria-label"] for tag, attributes in tags if tag == "audio"]
        assert labels == [f"{evil}, 0.0 seconds", "6.0, 0.0 seconds"]


def test_a_name_in_another_encoding_does_not_spoil_the_page(tmp_path):
    name = os.fsdecode(b"caf\xe9")
    comparison = compare(
        {name: torch.ones(99), "b": torch.ones(9)}, RATE, name, match_loudness=True
    )
    comparison._repr_html_().encode("utf-8")
    page = comparison.save(tmp_path / "page.html", name).read_text(encoding="utf-8")
    assert page.count(r"caf\xe9") == 6  # title twice, intro, label twice, note


def test_players_are_no_larger_than_flac(speech):
    ((_, _, flac),) = sounds_in(compare({"speech": speech}, RATE)._repr_html_())
    buffer = io.BytesIO()
    soundfile.write(buffer, speech[0].numpy().T, RATE, format="FLAC", subtype="PCM_16")
    assert len(flac) <= len(buffer.getvalue())
    assert len(flac) < 2 * speech.numel()  # less than as plain 16-bit samples


def test_it_says_what_it_is():
    assert repr(compare({"a": torch.zeros(9), 6: torch.zeros(9)}, RATE)).startswith(
        "Comparison of a, 6 ("
    )


@pytest.mark.parametrize(
    ("sounds", "words"),
    [
        ({}, "at least one sound"),
        ({"x": torch.zeros(0)}, "'x' cannot be played: audio needs at least one sample"),
        ({"x": torch.tensor([0.0, float("nan")])}, "'x' cannot be played: .*NaN"),
        ({"x": np.zeros(10, dtype=np.int16)}, "'x' cannot be played: .*int16"),
        ({"x": "speech.wav"}, "'x' cannot be played"),
        ({"x": None}, "'x' cannot be played"),
        ({"x": torch.zeros(1, 1, 1, 5)}, "'x' cannot be played: audio has three axes"),
        ({"x": torch.zeros(2, 1, 5)}, "'x' is a batch of 2 clips: choose one"),
        ({"x": torch.zeros(500, 1)}, "'x' has 500 channels; mono and stereo can be played"),
        ({"x": Condition(torch.zeros(0))}, "'x' cannot be played: audio needs at least one sample"),
    ],
)
def test_what_cannot_be_played(sounds, words):
    with pytest.raises(ValueError, match=words):
        compare({"fine": torch.zeros(5)} | sounds if sounds else {}, RATE)


@pytest.mark.parametrize("rate", [0, -1, 24000.5, "24 kHz", None, 700_000])
def test_impossible_rates(rate):
    with pytest.raises(ValueError, match="the sample rate is an integer"):
        compare({"x": torch.zeros(5)}, rate)


def test_the_list_reads_right_without_style_and_script():
    """As where a notebook is not trusted: tags that lay out or run are taken away."""
    tone = 0.1 * torch.ones(2400)
    page = compare({"one": Condition(tone, 1.68, "SI-SDR 3 dB"), "two": tone}, RATE)._repr_html_()
    page = re.sub(r"<(style|script)>.*?</\1>", "", page, flags=re.S)
    text = re.sub(r"<[^>]+>", "", page.replace("<li>", "\n").replace("<br", "\n<br"))
    note, one, two = (line for line in text.replace("\N{NO-BREAK SPACE}", " ").splitlines() if line)
    assert (one, two) == ("one: 1.68 kbps, SI-SDR 3 dB", "two")
    assert note.startswith("Scripts are off here") and "“Trust Notebook”" in note
    assert "Scripts are off" not in compare({"alone": tone}, RATE)._repr_html_()


def test_players_that_replace_each_other_share_a_slot():
    tone = compare({"a": torch.zeros(2400)}, RATE)
    assert "data-slot" not in tone._repr_html_()
    tone.slot = "<1>"
    assert 'data-slot="&lt;1&gt;"' in tone._repr_html_()
