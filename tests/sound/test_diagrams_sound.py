"""The diagrams of hearing and of windows draw what formulas give."""

import re

import numpy as np
import pytest

from minicodec import diagrams
from minicodec.sound.diagrams_sound import (
    HEARD,
    HIDDEN,
    HIDES,
    MASKER,
    bark,
    hearing_threshold,
    masked_threshold,
    plausible_answers,
)


def test_the_threshold_of_hearing():
    """Lowest between 3 and 4 kHz, and high at both ends."""
    hz = np.geomspace(50, 15000, 500)
    levels = [hearing_threshold(f) for f in hz]
    assert 3000 < hz[int(np.argmin(levels))] < 4000
    assert min(levels) < 0 < 30 < min(levels[0], levels[-1])


def test_critical_bands():
    """The edges that Zwicker listed: 300 Hz ends band 3, 1080 Hz band 9, 4400 Hz band 18."""
    assert [bark(f) for f in (300, 1080, 4400)] == pytest.approx([3, 9, 18], abs=0.1)


def test_the_hidden_tone_is_hidden_and_the_other_is_not():
    assert HIDDEN[1] == HEARD[1] < MASKER[1]
    assert hearing_threshold(HIDDEN[0]) < HIDDEN[1] < masked_threshold(HIDDEN[0])
    assert HEARD[1] > max(hearing_threshold(HEARD[0]), masked_threshold(HEARD[0]))


def test_masking_spreads_further_to_higher_tones():
    peak = masked_threshold(MASKER[0])
    assert peak == pytest.approx(MASKER[1] - HIDES, abs=0.1)
    low = peak - masked_threshold(MASKER[0] / 1.4)
    high = peak - masked_threshold(MASKER[0] * 1.4)
    assert low > 1.5 * high > 0


def test_windows_trade_time_for_frequency():
    said = re.findall(r">([\d.]+) ms × ([\d.]+) Hz<", diagrams.mel_scales().svg)
    areas = [float(ms) / 1000 * float(hz) for ms, hz in said]
    assert len(areas) == 4 and areas == pytest.approx([1, 1, 1, 1], rel=0.01)


def test_the_mean_of_many_answers_is_none_of_them():
    answers = plausible_answers()
    loudness = np.sqrt((answers**2).mean(1))
    assert loudness == pytest.approx(1)
    mean = answers.mean(0)
    # The mean has the least squared error to all, as no answer has.
    error = ((answers - mean) ** 2).mean()
    assert all(((answers - answer) ** 2).mean() > error for answer in answers)
    rms = np.sqrt((mean**2).mean())
    assert rms == pytest.approx(1 / np.sqrt(len(answers)), abs=0.1)
    drawn = re.findall(r">RMS ([\d.]+)<", diagrams.uncertainty().svg)
    assert [float(d) for d in drawn] == pytest.approx([*loudness, rms], abs=0.005)
