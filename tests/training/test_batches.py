"""Batches: a function of the step, mixed as in the paper, and never clipped."""

import dataclasses
from collections import Counter
from random import Random

import numpy as np
import pytest
import torch
from sources_by_hand import CONFIG, RATE, Ramps, mixed_folder

from minicodec.training.batches import Batches, reverberated
from minicodec.training.folder import Folder
from minicodec.training.sources import Weighted


@pytest.mark.filterwarnings("ignore:left out")
def test_a_batch_is_a_function_of_its_step(tmp_path):
    folder = mixed_folder(tmp_path)

    def batches(rank=0, world=1, seed=0):
        config = dataclasses.replace(CONFIG, seed=seed, reverb=0.5)
        return Batches([Weighted(Folder(folder, RATE, 1, 0.5), 1.0)], config, rank, world)

    whole = batches()
    later = whole[7].audio
    assert later.shape == (4, 1, 4000)
    assert torch.equal(batches()[7].audio, later)
    assert not torch.equal(whole[8].audio, later)
    assert not torch.equal(batches(seed=1)[7].audio, later)
    halves = [batches(rank, 2)[7].audio for rank in (0, 1)]
    assert torch.equal(torch.cat(halves), later)


def test_gain_stays_in_its_range_and_nothing_is_clipped():
    config = dataclasses.replace(CONFIG, mixing=(1, 0, 0), gain=(-10, 6))
    batches = Batches([Weighted(Ramps(0.1), 1.0)], config)
    levels = [20 * np.log10(float(batches.clip(Random(i)).max()) / 0.1) for i in range(300)]
    assert -10 <= min(levels) < -9 and 5 < max(levels) <= 6
    loud = Batches([Weighted(Ramps(0.9), 1.0)], dataclasses.replace(config, gain=(0, 20)))
    assert max(float(loud.clip(Random(i)).max()) for i in range(20)) == pytest.approx(0.99)


def test_mixing_follows_the_paper():
    """Three sources are never music; single ones are music half of the time."""
    config = dataclasses.replace(CONFIG, gain=(0, 0))
    sources = [Weighted(Ramps(0.2), 1.0, music=True), Weighted(Ramps(0.01), 3.0)]
    batches = Batches(sources, config)
    found = Counter(round(float(batches.clip(Random(i))[0, 0]), 2) for i in range(2000))
    share = {value: count / 2000 for value, count in found.items()}
    assert share[0.2] == pytest.approx(0.32, abs=0.04)  # music alone
    assert share[0.01] == pytest.approx(0.32, abs=0.04)
    assert share[0.03] == pytest.approx(0.12, abs=0.03)  # three of the others
    assert sum(share.get(v, 0) for v in (0.4, 0.21, 0.02)) == pytest.approx(0.24, abs=0.04)


def test_reverberation_rings_on_and_leaves_the_direct_sound():
    click = torch.zeros(1, RATE)
    click[0, 100] = 1.0
    wet = reverberated(click, RATE, Random(3))
    assert torch.allclose(wet[0, :135], click[0, :135], atol=1e-5)
    early, late = wet[0, 200:1200].norm(), wet[0, 6000:7000].norm()
    assert early > 0.02 and late < 0.5 * early
    assert not torch.equal(wet, reverberated(click, RATE, Random(4)))


def test_music_alone_stays_dry():
    config = dataclasses.replace(CONFIG, gain=(0, 0), mixing=(1, 0, 0), reverb=1.0)
    both = Batches([Weighted(Ramps(0.2), 1.0, True), Weighted(Ramps(0.01), 1.0)], config)
    for i in range(20):
        clip = both.clip(Random(i))
        assert (clip.std() < 1e-6) == bool(clip[0, 0] > 0.15)


def test_batches_that_cannot_be():
    with pytest.raises(ValueError, match="at least one source"):
        Batches([], CONFIG)
    with pytest.raises(ValueError, match="positive"):
        Batches([Weighted(Ramps(0.1), 0.0)], CONFIG)
    with pytest.raises(ValueError, match="shared by 3"):
        Batches([Weighted(Ramps(0.1), 1.0)], CONFIG, 0, 3)
