"""The codec at every bandwidth, its controls, and sounds that come from the browser."""

import base64
import io
import math
import re
import sys
import types

import pytest
import soundfile
import torch

import minicodec
from minicodec import listening
from minicodec.listening import live, microphone
from minicodec.listening.microphone import Recording

RATE = 24000


class Shown(list):
    """What was displayed, in place of a notebook."""

    def html(self) -> str:
        return "".join(str(getattr(each, "data", "")) for each in self)


@pytest.fixture
def shown(monkeypatch) -> Shown:
    """A notebook with a kernel, as far as our code can tell."""
    shown = Shown()
    monkeypatch.setattr("IPython.display.display", lambda *objects: shown.extend(objects))
    for module in (live, microphone):
        monkeypatch.setattr(module, "has_kernel", lambda: True)
    return shown


def wav(clip: torch.Tensor, rate: int = RATE, kind: str = "WAV") -> bytes:
    buffer = io.BytesIO()
    soundfile.write(buffer, clip.numpy().T, rate, format=kind)
    return buffer.getvalue()


# ------------------------------------------------------------------------------ bandwidths


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


def test_without_a_kernel_there_is_the_player_alone(tiny, monkeypatch):
    shown = Shown()
    monkeypatch.setattr("IPython.display.display", lambda *objects: shown.extend(objects))
    listening.bandwidths(tiny, torch.randn(1, 1, 800) * 0.1)._ipython_display_()
    assert len(shown) == 1 and shown.html().startswith("<figure")


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


# ------------------------------------------------------------------------------ record, upload


def test_a_recording_arrives_resampled_and_mono():
    recording = Recording(RATE)
    assert not recording.ready and repr(recording) == "Recording (nothing yet)"
    with pytest.raises(ValueError, match="there is no sound yet"):
        _ = recording.audio
    stereo = 0.3 * torch.sin(torch.arange(48000) * 0.05).expand(2, -1)
    assert recording.receive(wav(stereo, 48000)).startswith("1.0 seconds received")
    assert recording.ready and recording.audio.shape == (1, 1, RATE)
    assert repr(recording) == "Recording (1.0 s)"


@pytest.mark.parametrize("kind", ["WAV", "FLAC", "OGG", "MP3"])
def test_files_of_all_our_kinds(kind):
    recording = Recording(RATE)
    recording.receive(wav(0.3 * torch.sin(torch.arange(24000) * 0.05)[None], kind=kind))
    assert abs(recording.audio.shape[-1] - RATE) < 3000
    assert 0.2 < float(recording.audio.abs().max()) < 0.4


def test_long_sounds_are_cut():
    recording = Recording(8000)
    recording.receive(wav(0.1 * torch.randn(1, 40 * 8000), 8000))
    assert recording.audio.shape[-1] == 30 * 8000
    recording.receive(wav(0.1 * torch.randn(1, 40 * 8000), 8000), seconds=2)
    assert recording.audio.shape[-1] == 16000


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"", "cannot be read as audio"),
        (b"<html>", "cannot be read as audio"),
        (wav(torch.zeros(1, RATE)), "silent: is the microphone muted"),
        (wav(torch.full((1, 100), 0.5)), "shorter than a tenth of a second"),
        (wav(torch.full((1, 100), 0.5))[:50], "cannot be read|no samples|shorter"),
    ],
    ids=["nothing", "HTML", "silence", "too short", "cut"],
)
def test_what_is_no_sound_is_said_and_keeps_the_last_one(data, words):
    recording = Recording(RATE)
    recording.receive(wav(0.1 * torch.randn(1, RATE)))
    before = recording.audio
    with pytest.raises(ValueError, match=words):
        recording.receive(data)
    assert recording.audio is before


def test_outside_a_notebook_both_say_so():
    for function in (listening.record, listening.upload):
        with pytest.raises(ValueError, match="needs a notebook"):
            function()


@pytest.mark.parametrize("seconds", [0, -1, 31, math.nan])
def test_recordings_have_a_length(shown, seconds):
    with pytest.raises(ValueError, match="up to 30 seconds"):
        listening.record(seconds)


def test_in_jupyter_a_recording_comes_through_the_hidden_field(shown):
    recording = listening.record(2)
    page, box = shown
    assert 'data-seconds="2"' in page.data and 'data-microphone="true"' in page.data
    assert not re.search(r"(src|href)=|://", page.data)
    field, status = box.children
    field.value = base64.b64encode(wav(0.1 * torch.randn(1, 3 * RATE))).decode()
    assert recording.audio.shape[-1] == 2 * RATE
    assert "2.0 seconds received" in status.value and field.value == ""
    field.value = "<b>not base64"
    assert status.value == "What came from the browser is damaged: try again."
    field.value = base64.b64encode(b"<b>nothing</b>").decode()
    assert status.value.startswith("This stream cannot be read as audio")
    assert "<" not in status.value


@pytest.mark.parametrize("version", [7, 8])
def test_in_jupyter_a_file_comes_through_file_upload(shown, version):
    recording = listening.upload()
    ((chooser, status),) = (box.children for box in shown)
    content = wav(0.1 * torch.randn(1, RATE))
    new = {"a.wav": {"content": content}} if version == 7 else ({"content": memoryview(content)},)
    (handler,) = chooser._trait_notifiers["value"]["change"]
    handler({"new": new})
    assert recording.audio.shape[-1] == RATE and "received" in status.value
    handler({"new": {} if version == 7 else ()})
    assert recording.ready


@pytest.mark.parametrize("function", [listening.record, listening.upload])
def test_in_colab_a_sound_comes_through_its_callback(shown, monkeypatch, function):
    callbacks = {}
    output = types.SimpleNamespace(register_callback=callbacks.__setitem__)
    colab = types.ModuleType("google.colab")
    colab.output = output
    monkeypatch.setitem(sys.modules, "google", types.ModuleType("google"))
    monkeypatch.setitem(sys.modules, "google.colab", colab)
    recording = function()
    ((name, callback),) = callbacks.items()
    inbox = re.search(r'data-inbox="(\w+)"', shown.html()).group(1)
    assert name == f"minicodec.{inbox}" and len(shown) == 1
    reply = callback(base64.b64encode(wav(0.1 * torch.randn(1, RATE))).decode())
    assert "received" in reply.data["message"] and recording.ready
    assert "damaged" in callback("???").data["message"]
