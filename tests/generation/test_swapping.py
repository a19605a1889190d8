"""The player of two speakers who exchange levels, and its sliders."""

import io

import pytest
import soundfile
import torch

from minicodec import listening
from minicodec.generation import swapping
from minicodec.generation.levels import freeze_levels, swap_levels
from minicodec.model.codec import Codec
from minicodec.model.config import CodecConfig


@pytest.fixture
def codec():
    torch.manual_seed(0)
    config = CodecConfig(n_filters=2, dimension=8, bandwidths=(0.6, 1.2), codebook_size=16)
    return Codec(config).eval()


@pytest.fixture
def clips():
    torch.manual_seed(1)
    return {"low": 0.1 * torch.randn(1, 1, 4800), "high": 0.1 * torch.randn(1, 1, 4500)}


def heard(sound):
    return torch.from_numpy(soundfile.read(io.BytesIO(sound.flac), dtype="float32")[0])


def same(sound, expected):
    """As decoded; all versions are turned down by one factor if one is too loud."""
    sound = heard(sound)
    scale = float(expected.abs().max() / sound.abs().max())
    return scale >= 0.999 and torch.allclose(sound * scale, expected[0, 0], atol=2e-3)


def test_the_slider_takes_more_and_more_levels_from_the_other(codec, clips):
    player = swapping.swapped(codec, clips)
    labels = [sound.label for sound in player.sounds]
    assert labels == [
        "low, all levels its own",
        "low, level 1 from high",
        "low, levels 1, 2 from high",
        "low, levels 1 to 3 from high",
        "high, all levels its own",
    ]
    assert isinstance(player, listening.Comparison)
    ours, theirs = (codec.encode(clip) for clip in clips.values())
    for count in (1, 3):
        expected = codec.decode(swap_levels(ours, theirs, range(1, count + 1)))
        assert same(player.sounds[count], expected)
        assert not same(player.sounds[2], expected)


def test_bandwidth_says_how_many_stops_the_slider_has(codec, clips):
    assert len(swapping.swapped(codec, clips, 0.6).sounds) == 3
    assert len(swapping.held_still(codec, clips["low"], 0.6).sounds) == 3


def test_each_level_is_held_still_in_turn(codec, clips):
    player = swapping.held_still(codec, clips["low"], title="Still")
    labels = [sound.label for sound in player.sounds]
    assert labels == ["no level held still", *(f"level {k} held still" for k in (1, 2, 3, 4))]
    codes = codec.encode(clips["low"])
    assert same(player.sounds[3], codec.decode(freeze_levels(codes, [3])))
    assert 'data-knob="The level that is held still"' in player._repr_html_()


@pytest.mark.parametrize("clips", [{}, {"a": torch.zeros(1, 1, 320)}, None, torch.zeros(2, 1, 9)])
def test_one_speaker_cannot_exchange_anything(codec, clips):
    with pytest.raises(ValueError, match="two clips exchange levels"):
        swapping.swapped(codec, clips)


def test_a_bandwidth_that_there_is_not(codec, clips):
    with pytest.raises(ValueError, match="bandwidth"):
        swapping.swapped(codec, clips, 99.0)


def test_held_still_is_not_the_other_speaker(codec, clips):
    codes = [codec.encode(clip) for clip in clips.values()]
    swap, still = (
        swapping.changed(*codes, [1], way) for way in (swapping.SWAPPED, swapping.FROZEN)
    )
    assert torch.equal(swap[:, 1:], still[:, 1:, : swap.shape[2]])
    assert not torch.equal(swap[:, 0], still[:, 0, : swap.shape[2]])


def test_sliders_show_a_new_player_in_the_place_of_the_old_one(codec, clips, monkeypatch):
    shown = []
    monkeypatch.setattr("IPython.display.display", lambda *objects: shown.extend(objects))
    monkeypatch.setattr(swapping, "has_kernel", lambda: True)
    swapping.swapped(codec, clips)._ipython_display_()
    page, box = shown
    assert page.data.startswith("<figure")
    _, which, way, _ = box.children
    which.value = (2, 3)
    way.value = swapping.FROZEN
    first, second = shown[2:]
    assert first.sounds[-1].label == "levels 2, 3 from the other speaker"
    assert second.sounds[-1].label == "levels 2, 3 held still"
    assert first.slot == second.slot != ""
