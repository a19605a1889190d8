"""The codec at every bandwidth, and its controls."""

import io
import math

import pytest
import soundfile
import torch

import minicodec
from minicodec import listening
from minicodec.listening import live

RATE = 24000


def test_bit_rates_are_those_of_the_bytes(tiny):
    clip = 0.1 * torch.randn(1, 1, RATE)
    player = listening.bandwidths(tiny, clip, "All of them")
    assert [sound.label for sound in player.sounds] == ["original", "1.5 kbps", "3 kbps"]
    assert player.sounds[0].facts.split() == ["384", "kbps"]
    for sound, bandwidth in zip(player.sounds[1:], (1.5, 3.0)):
        kbps = len(minicodec.compress(tiny, clip, bandwidth)) * 8 / 1000
        assert float(sound.facts.split()[0]) == pytest.approx(kbps, rel=0.005)
        assert "SI-SDR" in sound.facts
    assert "All of them" in player._repr_html_()


def test_the_sounds_are_the_codecs(tiny):
    clip = 0.1 * torch.randn(1, 1, 5000)
    player = listening.bandwidths(tiny, clip)
    expected = tiny.decode(tiny.encode(clip, 1.5), length=5000)
    heard, _ = soundfile.read(io.BytesIO(player.sounds[1].flac), dtype="float32")
    scale = max(1.0, float(expected.abs().max()))
    assert torch.allclose(torch.from_numpy(heard) * scale, expected[0, 0], atol=1e-3)


def test_stereo_codecs_with_scales_and_silence_are_fine(tiny_stereo):
    player = listening.bandwidths(tiny_stereo, torch.zeros(1, 2, 9000))
    assert "SI-SDR" not in player._repr_html_()


@pytest.mark.parametrize(
    "clip",
    [torch.zeros(1, 1, 0), torch.zeros(2, 1, 100), torch.zeros(1, 2, 100), "a.wav", None,
     torch.full((1, 1, 100), math.nan)],
)  # fmt: skip
def test_what_is_not_one_clip_of_the_codecs_kind_is_refused(tiny, clip):
    with pytest.raises(ValueError):
        listening.bandwidths(tiny, clip)


def test_damage_turns_exactly_as_many_bits(tiny):
    codes = torch.randint(0, 16, (1, 2, 50))
    for count in (0, 1, 7, 400):
        turned = live.flip_bits(codes, 4, count)
        assert sum(bin(value).count("1") for value in (turned ^ codes).flatten()) == count
        assert turned.min() >= 0 and turned.max() < 16
    assert torch.equal(live.flip_bits(codes, 4, 9), live.flip_bits(codes, 4, 9))


def test_codebooks_left_out_are_left_out(tiny):
    clip = 0.1 * torch.randn(1, 1, 3200)
    codes = tiny.encode(clip, 3.0)
    kept = live.through(tiny, clip, 3.0, n_q=1)
    assert torch.equal(kept, tiny.decode(codes[:, :1], length=3200))
    assert not torch.equal(kept, live.through(tiny, clip, 3.0))


def test_without_a_kernel_there_is_the_player_alone(tiny, displayed):
    listening.bandwidths(tiny, torch.randn(1, 1, 800) * 0.1)._ipython_display_()
    assert len(displayed) == 1 and displayed.html().startswith("<figure")


def test_controls_run_the_codec_once_for_each_change(tiny, shown, monkeypatch):
    runs = []
    through = live.through
    monkeypatch.setattr(live, "through", lambda *a: runs.append(a[2:]) or through(*a))
    player = listening.bandwidths(tiny, torch.randn(1, 1, 800) * 0.1)
    runs.clear()
    player._ipython_display_()
    _, box = shown
    _, bandwidth, n_q, damage, _ = box.children
    assert runs == [], "it ran before anyone asked"
    most = tiny.config.max_n_q
    damage.value = 3
    n_q.value = 1
    bandwidth.value = 1.5
    assert runs == [(3.0, most, 3), (3.0, 1, 3), (1.5, tiny.config.n_q(1.5), 3)]
    assert n_q.max == n_q.value == tiny.config.n_q(1.5)
    labels = [each.sounds[1].label for each in shown[2:]]
    assert labels[0] == f"{most} of {most} codebooks, 3 damaged bits"


def test_each_move_shows_a_player_that_goes_on_for_the_one_before(tiny, shown):
    player = listening.bandwidths(tiny, torch.randn(1, 1, 800) * 0.1)
    for _ in range(2):
        player._ipython_display_()
    for box in (shown[1], shown[3]):
        box.children[3].value = 3
        box.children[3].value = 4
    first, second, other, _ = shown[4:]
    assert first.slot == second.slot != other.slot != ""
