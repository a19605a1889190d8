"""The player of two speakers who exchange levels, and its sliders."""

import io

import pytest
import soundfile
import torch

from minicodec import listening
from minicodec.generation import swapping
from minicodec.generation.levels import swap_levels
from minicodec.model.codec import Codec
from minicodec.model.config import CodecConfig


@pytest.fixture
def codec():
    torch.manual_seed(0)
    config = CodecConfig(n_filters=2, dimension=8, bandwidths=(1.5, 3.0), codebook_size=16)
    return Codec(config).eval()


@pytest.fixture
def clips():
    torch.manual_seed(1)
    return {"low": 0.1 * torch.randn(1, 1, 4800), "high": 0.1 * torch.randn(1, 1, 4500)}


def test_the_versions_are_those_that_were_asked_for(codec, clips):
    player = swapping.swapped(codec, clips, [[1], [2, 3, 4]])
    labels = [sound.label for sound in player.sounds]
    assert labels == ["low, coded", "level 1 from high", "levels 2 to 4 from high", "high, coded"]
    assert isinstance(player, listening.Comparison)
    ours, theirs = (codec.encode(clip) for clip in clips.values())
    expected = codec.decode(swap_levels(ours, theirs, [1]))
    heard, _ = soundfile.read(io.BytesIO(player.sounds[1].flac), dtype="float32")
    heard = torch.from_numpy(heard)  # all versions are turned down by one factor if one is too loud
    scale = float(expected.abs().max() / heard.abs().max())
    assert scale >= 0.999
    assert torch.allclose(heard * scale, expected[0, 0], atol=2e-3)


@pytest.mark.parametrize("clips", [{}, {"a": torch.zeros(1, 1, 320)}, None, torch.zeros(2, 1, 9)])
def test_one_speaker_cannot_exchange_anything(codec, clips):
    with pytest.raises(ValueError, match="two clips exchange levels"):
        swapping.swapped(codec, clips, [[1]])


def test_a_level_that_there_is_not(codec, clips):
    with pytest.raises(ValueError, match="levels count from 1"):
        swapping.swapped(codec, clips, [[99]])


def test_held_still_is_not_the_other_speaker(codec, clips):
    swap, still = (
        swapping.changed(codec, clips, [1], way) for way in (swapping.SWAPPED, swapping.FROZEN)
    )
    assert swap.shape[-1] == 4800 and not torch.equal(swap[..., :4000], still[..., :4000])


def test_sliders_show_a_new_player_in_the_place_of_the_old_one(codec, clips, monkeypatch):
    shown = []
    monkeypatch.setattr("IPython.display.display", lambda *objects: shown.extend(objects))
    monkeypatch.setattr(swapping, "has_kernel", lambda: True)
    swapping.swapped(codec, clips, [[1]])._ipython_display_()
    page, box = shown
    assert page.data.startswith("<figure")
    _, which, way, _ = box.children
    which.value = (2, 3)
    way.value = swapping.FROZEN
    first, second = shown[2:]
    assert first.sounds[-1].label == "levels 2, 3 from the other speaker"
    assert second.sounds[-1].label == "levels 2, 3 held still"
    assert first.slot == second.slot != ""
