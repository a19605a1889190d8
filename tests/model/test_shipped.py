"""The model in the package loads, runs at every bandwidth, and gets better with each."""

import pytest
import torch
from recordings import recordings

import minicodec
from minicodec.model.checkpoint import SHIPPED, facts
from minicodec.sound.metrics import mel_distance, si_sdr


@pytest.fixture(scope="module")
def codec():
    return minicodec.load("mini_24khz")


def test_the_file_is_small_and_says_where_it_comes_from():
    path = SHIPPED["mini_24khz"]
    assert path.stat().st_size < 20e6
    assert facts(path), "say how it was trained: save_codec(..., facts=...)"


def test_it_runs_at_every_bandwidth(codec, speech):
    assert codec.config == minicodec.MINI_24KHZ and codec.name == "mini_24khz"
    for bandwidth in codec.config.bandwidths:
        for clip in (speech, speech[..., :1], speech[..., :12345]):
            codes = codec.encode(clip, bandwidth)
            restored = codec.decode(codes, length=clip.shape[-1])
            assert codes.shape[1] == codec.config.n_q(bandwidth)
            assert restored.shape == clip.shape and torch.isfinite(restored).all()


def test_more_bits_are_worth_having(codec):
    """Over several sounds: one quiet clip alone may like fewer bits better."""
    names = ("speech_en", "speech_fr", "speech_de", "music", "drums", "hard")
    clips = [minicodec.audio.clip(name) for name in names]
    clips += [clip / clip.abs().max() for clip in recordings("speech", 3, 5)]
    codes = [codec.encode(clip) for clip in clips]  # fewer kbps are a prefix
    means = []
    for bandwidth in codec.config.bandwidths:
        n_q = codec.config.n_q(bandwidth)
        copies = [codec.decode(c[:, :n_q], length=x.shape[-1]) for c, x in zip(codes, clips)]
        mels = [float(mel_distance(y, x, 24000)) for y, x in zip(copies, clips)]
        sdrs = [float(si_sdr(y, x)) for y, x in zip(copies, clips)]
        means.append((sum(mels) / len(clips), sum(sdrs) / len(clips)))
        mel, sdr = means[-1]
        print(f"\n{bandwidth:g} kbps: mel {mel:.2f} dB, SI-SDR {sdr:.2f} dB", end="")
    assert means == sorted(means, reverse=True), "mel distance should fall"
    assert [sdr for _, sdr in means] == sorted(sdr for _, sdr in means), "SI-SDR should rise"
    assert means[-1][0] < means[0][0] - 0.5


def test_a_stream_of_it_needs_no_other_model(codec, speech):
    data = minicodec.compress(codec, speech, 1.5)
    assert torch.equal(minicodec.decompress(data), minicodec.decompress(data, codec))


def test_silence_stays_quiet(codec):
    silence = torch.zeros(1, 1, 24000)
    assert codec.decode(codec.encode(silence)).abs().max() < 0.1
