"""Sounds that come from the browser: through Jupyter, through Colab, and not at all."""

import base64
import io
import math
import re
import sys
import types

import pytest
import soundfile
import torch

from minicodec import listening
from minicodec.listening.microphone import Recording

RATE = 24000


def wav(clip: torch.Tensor, rate: int = RATE, kind: str = "WAV") -> bytes:
    buffer = io.BytesIO()
    soundfile.write(buffer, clip.numpy().T, rate, format=kind)
    return buffer.getvalue()


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
        (b"", "is empty"),
        (b"<html>", "cannot be read as audio"),
        (wav(torch.zeros(1, RATE)), "silent: is the microphone muted"),
        (wav(torch.full((1, 100), 0.5)), "shorter than a tenth of a second"),
        (wav(torch.full((1, 100), 0.5))[:50], "shorter than a tenth of a second"),
    ],
    ids=["nothing", "HTML", "silence", "too short", "cut"],
)
@pytest.mark.filterwarnings("ignore:.* breaks off after")
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
