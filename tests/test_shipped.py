"""The model in the package loads, runs at every bandwidth, and gets better with each."""

import pytest
import torch

import minicodec
from minicodec.checkpoint import SHIPPED, facts
from minicodec.metrics import mel_distance


@pytest.fixture(scope="module")
def codec():
    return minicodec.load("mini_24khz")


def test_the_file_is_small_and_says_where_it_comes_from():
    path = SHIPPED["mini_24khz"]
    assert path.stat().st_size < 20e6
    assert facts(path), "say how it was trained: save_codec(..., facts=...)"


def test_it_runs_at_every_bandwidth(codec, speech):
    assert codec.config == minicodec.MINI_24KHZ and codec.name == "mini_24khz"
    distances = {}
    for bandwidth in codec.config.bandwidths:
        for clip in (speech, speech[..., :1], speech[..., :12345]):
            codes = codec.encode(clip, bandwidth)
            restored = codec.decode(codes, length=clip.shape[-1])
            assert codes.shape[1] == codec.config.n_q(bandwidth)
            assert restored.shape == clip.shape and torch.isfinite(restored).all()
        restored = codec.decode(codec.encode(speech, bandwidth), length=speech.shape[-1])
        distances[bandwidth] = mel_distance(restored, speech, 24000).item()
    print(f"\nmel distance in dB by kbps: { {b: round(d, 2) for b, d in distances.items()} }")
    values = list(distances.values())
    assert values == sorted(values, reverse=True) and values[-1] < values[0] - 0.5


def test_a_stream_of_it_needs_no_other_model(codec, speech):
    data = minicodec.compress(codec, speech, 1.5)
    assert torch.equal(minicodec.decompress(data), minicodec.decompress(data, codec))


def test_silence_stays_quiet(codec):
    silence = torch.zeros(1, 1, 24000)
    assert codec.decode(codec.encode(silence)).abs().max() < 0.1
