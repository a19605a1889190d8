"""Fixtures that tests of all rooms share; what they import lies in `helpers`."""

import os
import signal
from collections.abc import Iterator

import hypothesis
import pytest
import torch
from recordings import recordings

from minicodec.model.checkpoint import save_codec
from minicodec.model.codec import Codec
from minicodec.model.config import CodecConfig
from minicodec.sound import audio
from minicodec.training.interrupts import SIGNALS

# Tests that call make do so as a person does, not as a part of the `make test` around them.
for name in ("MAKEFLAGS", "MAKELEVEL", "MFLAGS"):
    os.environ.pop(name, None)


class TorchRandom:
    """Torch's generator in the form in which hypothesis seeds it, once for every example."""

    seed = staticmethod(torch.manual_seed)
    getstate = staticmethod(torch.get_rng_state)
    setstate = staticmethod(torch.set_rng_state)


TORCH_RANDOM = TorchRandom()  # hypothesis does not keep it alive
hypothesis.register_random(TORCH_RANDOM)
# Every run tries the same examples, so that a change is judged by itself and not by luck.
# MINICODEC_EXPLORE=1 looks for new ones.
hypothesis.settings.register_profile("explore", deadline=None, print_blob=True)
hypothesis.settings.register_profile("same", derandomize=True, deadline=None)
hypothesis.settings.load_profile("explore" if os.environ.get("MINICODEC_EXPLORE") else "same")


@pytest.fixture(autouse=True)
def _seeded():
    torch.manual_seed(0)


@pytest.fixture(autouse=True)
def _one_thread():
    """Tests run side by side, one process per core; before each, for sums depend on the number."""
    torch.set_num_threads(int(os.environ.get("OMP_NUM_THREADS", "1")))


@pytest.fixture
def terminal() -> Iterator[None]:
    """Signals as a terminal has them: what is started in the background ignores some from birth."""
    before = {number: signal.signal(number, signal.SIG_DFL) for number in SIGNALS}
    signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    for number, handler in before.items():
        signal.signal(number, handler)


@pytest.fixture
def tiny() -> Codec:
    """A codec that runs in milliseconds."""
    config = CodecConfig(n_filters=2, dimension=8, bandwidths=(1.5, 3.0), codebook_size=16)
    return Codec(config).eval()


@pytest.fixture
def tiny_stereo() -> Codec:
    """A codec of the 48 kHz kind that runs in milliseconds."""
    config = CodecConfig(
        sample_rate=8000, channels=2, n_filters=4, dimension=8, bandwidths=(1.0, 2.0),
        codebook_size=16, causal=False, norm="time_group_norm", pad_mode="reflect", segment=1.0,
        normalize=True,
    )  # fmt: skip
    return Codec(config).eval()


@pytest.fixture
def folder(tmp_path, monkeypatch, tiny, tiny_stereo):
    """A folder that commands work in, with two models and some sounds."""
    monkeypatch.chdir(tmp_path)
    save_codec(tiny, "tiny.safetensors")
    save_codec(tiny_stereo, "stereo.safetensors")
    audio.save("mono.wav", 0.1 * torch.randn(1, 30000), 24000)
    audio.save("stereo44.flac", 0.1 * torch.randn(2, 44100), 44100)
    return tmp_path


@pytest.fixture
def album(folder):
    """Three sounds in two folders, of which one lies in the other."""
    (folder / "album" / "live").mkdir(parents=True)
    for name, length in (("a.wav", 5000), ("live/b.flac", 3000), ("live/c.v2.wav", 800)):
        audio.save(folder / "album" / name, 0.1 * torch.randn(1, length), 24000)
    (folder / "album" / "cover.txt").write_text("no sound")
    (folder / "album" / "._a.wav").write_bytes(b"what another system notes")
    return folder


@pytest.fixture(scope="session")
def speech() -> torch.Tensor:
    """Five seconds of real speech where there are recordings, else synthetic, [1, 1, T]."""
    return recordings("speech", 1, 5)[0]
