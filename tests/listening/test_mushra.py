"""MUSHRA: anchors as the recommendation wants them, and a page that holds every version."""

import math
import os
import re

import numpy as np
import pytest
import torch

from minicodec.listening import low_pass, mushra

RATE = 24000


def noise(seconds: float = 0.2) -> torch.Tensor:
    return 0.1 * torch.randn(1, 1, round(seconds * RATE))


def gain(cutoff: float, rate: int, hz: np.ndarray) -> np.ndarray:
    """The filter's response in dB, from an impulse."""
    impulse = torch.zeros(1, 1, rate, dtype=torch.float64)
    impulse[..., rate // 2] = 1
    response = low_pass(impulse, rate, cutoff)[0, 0].numpy()
    level = 20 * np.log10(np.abs(np.fft.rfft(response)) + 1e-12)
    return np.interp(hz, np.arange(len(level)), level)


@pytest.mark.parametrize("rate", [16000, 24000, 44100, 48000])
@pytest.mark.parametrize("cutoff", [3500, 7000])
def test_anchors_are_flat_below_and_empty_above(rate, cutoff):
    """BS.1534: ±0.1 dB in the passband; 25 dB down at 4 kHz and 50 dB at 4.5 kHz, for 3.5 kHz."""
    assert np.abs(gain(cutoff, rate, np.linspace(0, cutoff, 400))).max() < 0.01
    above = np.linspace(cutoff * 8 / 7, rate / 2, 400)
    assert gain(cutoff, rate, above).max() < -70


def test_an_anchor_is_in_time_with_its_reference():
    tone = torch.sin(2 * torch.pi * 1000 * torch.arange(RATE) / RATE)[None, None]
    off = (low_pass(tone, RATE, 3500) - tone)[..., 1000:-1000]
    assert off.abs().max() < 1e-3


def test_clips_of_any_length_keep_it():
    for length in (1, 7, 100, 5000):
        clip = torch.randn(2, length)
        assert low_pass(clip, RATE, 7000).shape == clip.shape
    assert low_pass(torch.zeros(1, 1, 50), RATE, 7000).abs().max() == 0


def test_an_anchor_needs_room_above_it():
    with pytest.raises(ValueError, match="sample rate of 16000 Hz or more, not 8000"):
        low_pass(noise(), 8000, 7000)


def test_the_page_holds_every_version_of_every_sound():
    x, y = noise(), noise(0.3)
    test = mushra({"a": {"one": x, "two": y}}, {"one": x, "two": y}, RATE)
    page = test._repr_html_()
    labels = ["reference", "a", "anchor 3.5 kHz", "anchor 7 kHz"]
    assert re.findall(r'class="mc-label">([^<]+)<', page) == labels * 2
    assert 'data-items="[&quot;one&quot;, &quot;two&quot;]"' in page
    assert 'data-seconds="0.3000"' in page
    assert repr(test) == "Mushra of one, two: reference, a, anchor 3.5 kHz, anchor 7 kHz"
    assert "http" not in page


def test_a_page_of_its_own(tmp_path):
    test = mushra({"a": noise()}, noise(), RATE, title="Which <one>?")
    page = test.save(tmp_path / "x.html", intro="Wear headphones.").read_text(encoding="utf-8")
    assert page.startswith("<!doctype html>") and "<p>Wear headphones.</p>" in page
    assert "<title>Which &lt;one&gt;?</title>" in page and page.count("<audio") == 4


def test_results_of_another_test_are_kept_apart():
    x, y = noise(), noise()
    names = [
        re.search(r'data-test="(\w+)"', t._repr_html_())[1]
        for t in (mushra({"a": x}, x, RATE), mushra({"a": x}, x, RATE), mushra({"a": y}, x, RATE),
                  mushra({"b": x}, x, RATE), mushra({"a": x}, x, RATE, title="other"))
    ]  # fmt: skip
    assert names[0] == names[1] and len(set(names)) == 4


@pytest.mark.parametrize(
    ("conditions", "reference", "words"),
    [
        ({}, noise(), "at least one condition"),
        ({"a": {}}, {}, "at least one condition and one sound"),
        ({"reference": noise()}, noise(), "'reference' is added by the test itself"),
        ({"anchor 7 kHz": noise()}, noise(), "'anchor 7 kHz' is added"),
        ({"a": noise(0.1)}, noise(0.2), "'a' has 2400 samples and the reference 4800"),
        ({"a": noise()}, {"x": noise()}, "both be one clip, or both"),
        ({"a": {"y": noise()}}, {"x": noise()}, "'a' has the sounds ['y'], the reference ['x']"),
        ({"a": "file.wav"}, noise(), "'a' is a str, not a tensor"),
        ({"a": noise() * math.nan}, noise(), "'a' cannot be played"),
        ({str(i): noise() for i in range(10)}, noise(), "13 versions are more than"),
    ],
)
def test_what_does_not_fit_together_is_refused(conditions, reference, words):
    with pytest.raises(ValueError, match=re.escape(words)):
        mushra(conditions, reference, RATE)


def test_names_in_another_encoding_do_not_spoil_the_page(tmp_path):
    name, x = os.fsdecode(b"caf\xe9"), 0.1 * torch.randn(1, 1, RATE)
    page = mushra({name: {name: x}}, {name: x}, RATE, name).save(tmp_path / "page.html")
    text = page.read_text(encoding="utf-8")
    assert text.count(r"caf\xe9") >= 4 and "udce9" not in text
