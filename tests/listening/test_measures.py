"""Each measure says what it misses, and for each there is a sound that fools it."""

import math

import pytest
import torch

from minicodec import audio
from minicodec.listening import measures
from minicodec.listening.measures import MEASURES, SPEECH_ONLY, chosen, explained
from minicodec.sound import judges

RATE = 24000


def need(name: str) -> None:
    if name in judges.PACKAGES:
        pytest.importorskip(judges.PACKAGES[name])


def speech(seconds: float = 3.0) -> torch.Tensor:
    return audio.clip("speech_en", RATE, seconds=seconds)


def whistle(hertz: float, like: torch.Tensor, loud: float = 0.5) -> torch.Tensor:
    time = torch.arange(like.shape[-1], dtype=torch.float64) / RATE  # rounded, it would be noisy
    fade = torch.hann_window(len(time))  # one that begins at once would click, at all pitches
    return (loud * fade * torch.sin(2 * math.pi * hertz * time)).float()


def low_passed(clip: torch.Tensor, hertz: float) -> torch.Tensor:
    spectrum = torch.fft.rfft(clip)
    spectrum[..., round(hertz * clip.shape[-1] / RATE) :] = 0
    return torch.fft.irfft(spectrum, clip.shape[-1])


def buzz(pitch: torch.Tensor) -> torch.Tensor:
    """Harmonics of a melody in Hz, sample by sample; where it is 0 there is hiss."""
    phase = 2 * math.pi * torch.cumsum(pitch / RATE, 0)
    sound = sum(torch.sin(k * phase) / k for k in range(1, 9))
    return torch.where(pitch > 0, 0.1 * sound, 0.05 * torch.randn(len(pitch))).view(1, 1, -1)


def test_si_sdr_hears_a_millisecond_and_not_the_highs():
    clip, measure = speech(), MEASURES["si_sdr"]
    late, dull = clip.roll(RATE // 1000, -1), low_passed(clip, 3400)
    assert measure(late, clip, RATE) < 0 < 10 < measure(dull, clip, RATE)


def test_mel_distance_is_deaf_to_phase_and_hears_what_nobody_hears():
    clip, measure = speech(), MEASURES["mel_distance"]
    pair = audio.mix(clip, 2)
    hollow = pair * torch.tensor([1.0, -1.0]).view(1, 2, 1)  # in mono nothing is left of it
    assert measure(hollow, pair, RATE) == 0
    beeps = whistle(440, clip).view(1, 1, -1) * (torch.arange(clip.shape[-1]) % RATE < RATE // 4)
    hissing = beeps + 10 ** (-75 / 20) * torch.randn_like(clip)
    assert measure(hissing, beeps, RATE) > 2


@pytest.mark.parametrize("name", ["visqol", "visqol_speech"])
def test_visqol_misses_a_word_and_the_sides(name):
    need(name)
    clip, measure = speech(4.0), MEASURES[name]
    whole = measure(clip, clip, RATE)
    muted = clip.clone()
    muted[..., 2 * RATE : 2 * RATE + RATE // 4] = 0
    hissing = clip + 0.02 * torch.randn_like(clip)  # and every word is there
    assert measure(hissing, clip, RATE) + 0.5 < measure(muted, clip, RATE)
    sides = torch.cat([clip, 0 * clip], dim=1)
    assert measure(sides.flip(1), sides, RATE) == pytest.approx(whole, abs=0.01)


@pytest.mark.parametrize(("name", "hertz"), [("visqol_speech", 10000), ("pesq", 10000),
                                             ("stoi", 6000)])  # fmt: skip
def test_measures_of_speech_miss_a_loud_whistle(name, hertz):
    need(name)
    clip, measure = speech(), MEASURES[name]
    whistled = clip + whistle(hertz, clip)
    assert measure(whistled, clip, RATE) == pytest.approx(measure(clip, clip, RATE), abs=0.05)
    assert MEASURES["mel_distance"](whistled, clip, RATE) > 1, "which is there"


def test_pitch_is_perfect_without_a_word():
    need("f0_cents")
    melody = torch.linspace(110, 160, 2 * RATE)
    melody[RATE // 2 : RATE] = 0
    original, copy = buzz(melody), low_passed(buzz(melody), 700)  # "ah" has become "mm"
    assert MEASURES["f0_gross"](copy, original, RATE) == 0
    assert MEASURES["f0_cents"](copy, original, RATE) < 5
    assert MEASURES["voicing"](copy, original, RATE) < 10
    assert MEASURES["mel_distance"](copy, original, RATE) > 10


@pytest.mark.parametrize("name", sorted({*MEASURES} - {"f0_gross", "f0_cents"}))
def test_measures_rise_or_fall_as_they_say(name):
    need(name)
    clip = speech(2.0)
    noisy = [clip + loud * torch.randn_like(clip) for loud in (0.001, 0.2)]
    better, worse = (MEASURES[name](copy, clip, RATE) for copy in noisy)
    assert better > worse if MEASURES[name].better == "higher" else better < worse


def test_all_that_is_measured_is_explained():
    text = " ".join(explained().split())
    for name, measure in MEASURES.items():
        direction = f"{name} ({measure.better} is better"
        assert direction in text and measure.hears in text and measure.misses in text
        assert measure.better in ("higher", "lower")
    assert len({measure.title for measure in MEASURES.values()}) == len(MEASURES)
    assert set(judges.PACKAGES) <= set(MEASURES), "each package is for a measure"
    assert max(map(len, explained().splitlines())) <= 92
    assert "si_sdr" not in SPEECH_ONLY and "f0_cents" in SPEECH_ONLY


@pytest.mark.parametrize("name", judges.PACKAGES)
def test_what_can_be_measured_follows_from_what_is_installed(name, monkeypatch):
    find, package = judges.importlib.util.find_spec, judges.PACKAGES[name]
    monkeypatch.setattr(
        judges.importlib.util, "find_spec", lambda n: None if n == package else find(n)
    )
    assert name not in measures.installed() and "si_sdr" in measures.installed()
    assert name not in chosen(None)
    for call in (lambda: chosen([name]), lambda: MEASURES[name](speech(1), speech(1), RATE)):
        with pytest.raises(ValueError, match=r'pip install "(visqol-python|pesq|pystoi|librosa)>='):
            call()


def test_a_measure_that_there_is_not():
    with pytest.raises(ValueError, match="no measure 'mos'; there are si_sdr"):
        chosen(["si_sdr", "mos"])
