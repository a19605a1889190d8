"""A folder to work in."""

import pytest
import torch

from minicodec import audio
from minicodec.model.checkpoint import save_codec


@pytest.fixture
def folder(tmp_path, monkeypatch, tiny, tiny_stereo):
    """A folder to work in, with two models and some sounds."""
    monkeypatch.chdir(tmp_path)
    save_codec(tiny, "tiny.safetensors")
    save_codec(tiny_stereo, "stereo.safetensors")
    audio.save("mono.wav", 0.1 * torch.randn(1, 30000), 24000)
    audio.save("stereo44.flac", 0.1 * torch.randn(2, 44100), 44100)
    return tmp_path
