"""What each judge can and cannot hear, and that none speaks where there is nothing to judge."""

import math
from contextlib import nullcontext
from types import SimpleNamespace

import pytest
import torch

from minicodec import audio
from minicodec.sound import judges

RATE = 24000
MEASURES = {
    "visqol": judges.visqol,
    "visqol_speech": lambda x, y, rate: judges.visqol(x, y, rate, "speech"),
    "pesq": judges.pesq,
    "stoi": judges.stoi,
}


def needs(name: str) -> None:
    pytest.importorskip(judges.PACKAGES[name])


def speech(seconds: float = 2.0) -> torch.Tensor:
    return audio.clip("speech_en", RATE, seconds=4)[..., : round(seconds * RATE)]


def noisy(clip: torch.Tensor, decibels: float) -> torch.Tensor:
    noise = torch.randn_like(clip)
    return clip + noise * clip.norm() / noise.norm() * 10 ** (-decibels / 20)


@pytest.mark.parametrize("name", MEASURES)
def test_more_noise_is_a_worse_verdict(name):
    needs(name)
    clip = speech()
    values = [MEASURES[name](x, clip, RATE) for x in (clip, noisy(clip, 20), noisy(clip, 0))]
    assert values == sorted(values, reverse=True) and values[0] - values[2] > 0.1
    best = {"visqol": 4.73, "visqol_speech": 5.0, "pesq": 4.64, "stoi": 1.0}[name]
    assert values[0] == pytest.approx(best, abs=0.01)


@pytest.mark.parametrize("name", MEASURES)
def test_where_there_is_nothing_to_judge_there_is_no_verdict(name):
    needs(name)
    clip, silence = speech(1.5), torch.zeros(1, 1, 36000)
    measure = MEASURES[name]
    assert math.isnan(measure(clip, silence, RATE))
    assert math.isnan(measure(silence, silence, RATE))
    assert math.isnan(measure(clip[..., :20000], clip[..., :20000], RATE))
    assert measure(silence, clip, RATE) == {"stoi": 0.0}.get(name, 1.0)


@pytest.mark.parametrize("name", MEASURES)
def test_clips_that_do_not_fit_are_refused(name):
    needs(name)
    for a, b in [(speech(1), speech(2)), (speech()[0], speech()[0])]:
        with pytest.raises(ValueError, match=r"\[1, C, T\] of one shape"):
            MEASURES[name](a, b, RATE)


def test_stoi_says_nothing_about_a_click():
    needs("stoi")
    clip = torch.zeros(1, 1, 3 * RATE)
    clip[..., 100:140] = 0.5
    assert math.isnan(judges.stoi(clip, clip, RATE))


def test_stereo_is_judged_as_mono():
    needs("stoi")
    clip = speech()
    pair = [audio.mix(x, 2) for x in (noisy(clip, 10), clip)]
    torch.manual_seed(0)
    assert judges.stoi(*pair, RATE) == pytest.approx(
        judges.stoi(pair[0][:, :1], clip, RATE), abs=1e-4
    )


def test_an_unknown_mode_is_refused():
    needs("visqol")
    with pytest.raises(ValueError, match="'audio' or 'speech', not 'music'"):
        judges.visqol(speech(), speech(), RATE, "music")


@pytest.mark.parametrize("name", MEASURES)
def test_a_missing_package_is_one_sentence(name, monkeypatch):
    find, package = judges.importlib.util.find_spec, judges.PACKAGES[name]
    monkeypatch.setattr(
        judges.importlib.util, "find_spec", lambda n: None if n == package else find(n)
    )
    assert judges.missing(name) == package and not judges.missing("si_sdr")
    with pytest.raises(ValueError, match=r'pip install "(visqol-python|pesq|pystoi)>='):
        MEASURES[name](speech(), speech(), RATE)


@pytest.mark.parametrize("fails", [False, True])
def test_visqol_leaves_torch_with_its_threads(monkeypatch, fails):
    """Its kernels were seen to leave two where one had been asked for: sums then differ."""
    needs("visqol")

    class Api:
        def measure_from_arrays(self, *arrays):
            torch.set_num_threads(2)
            if fails:
                raise RuntimeError("no")
            return SimpleNamespace(moslqo=3.0)

    monkeypatch.setattr(judges, "_visqol_api", lambda mode: Api())
    clip = speech(1.5)
    with pytest.raises(RuntimeError) if fails else nullcontext():
        assert judges.visqol(clip, clip, RATE) == 3.0
    assert torch.get_num_threads() == 1
