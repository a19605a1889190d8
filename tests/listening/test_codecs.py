"""Any codec, tried before it is measured: what is wrong with it is one sentence."""

import json
import math

import numpy as np
import pytest
import torch

from minicodec import audio
from minicodec.listening.codecs import CodecError, check_codec, delay, through
from minicodec.sound.metrics import si_sdr


class Pcm:
    """Sixteen bits a sample; what is wrong with others is changed in it."""

    name, sample_rate, channels = "pcm", 8000, 1

    def encode(self, sound):
        samples = (sound[0].T * 32767).round().clamp(-32768, 32767)
        return samples.numpy().astype("<i2").tobytes()

    def decode(self, data):
        samples = np.frombuffer(data, "<i2").astype(np.float32).reshape(-1, self.channels)
        return torch.from_numpy(samples.T.copy() / 32767)[None]


def changed(**what) -> Pcm:
    return type("Changed", (Pcm,), what)()


class Forgetful(Pcm):
    """Keeps the sound for itself, and writes nothing."""

    def encode(self, sound):
        self.kept = sound
        return b"!"

    def decode(self, data):
        return self.kept


def test_a_codec_is_tried_with_its_own_rate_and_channels():
    seen = []

    class Watched(Pcm):
        sample_rate, channels = 44100, 2

        def encode(self, sound):
            seen.append(sound.shape)
            return super().encode(sound)

    check_codec(Watched())
    assert seen == [(1, 2, 22050), (1, 2, 13230)]


@pytest.mark.parametrize(
    ("codec", "words"),
    [
        (None, "NoneType has no name; a codec has a name, a sample_rate"),
        (Pcm, r"^type is a class: use one of its kind, Pcm\(\)"),
        (changed(name=" "), "Changed.name is a word or two, not ' '"),
        (changed(sample_rate=8000.0), "sample_rate is an integer in Hz, not 8000.0"),
        (changed(sample_rate=8), "sample_rate is an integer in Hz, not 8"),
        (changed(channels=6), "channels is 1 or 2, not 6"),
        (changed(decode=b""), "Changed.decode is no function"),
        (changed(encode=lambda self, x: None), "encode has to give bytes, .* it gives None"),
        (changed(encode=lambda self, x: x), "it gives a Tensor"),
        (changed(encode=lambda self, x: 1 / 0),
         r"encode raised ZeroDivisionError in line \d+ of test_codecs.py: division by zero\.$"),
        (changed(encode=lambda self, x: json.loads("{")),
         r"encode raised JSONDecodeError in line \d+ of test_codecs.py: "),
        (changed(decode=lambda self, data: data["x"]), "pcm: decode raised TypeError in line"),
        (changed(decode=lambda self, data: np.zeros(4000)), "this is a ndarray"),
        (changed(decode=lambda self, data: torch.zeros(1, 4000)), "three axes"),
        (changed(decode=lambda self, data: torch.zeros(1, 1, 4000, dtype=torch.int16)), "int16"),
        (changed(decode=lambda self, data: torch.full((1, 1, 4000), math.nan)), "NaN"),
        (changed(decode=lambda self, data: torch.zeros(1, 1, 4001)),
         r"gives \[1, 1, 4001\] where encode was given \[1, 1, 4000\]: is the length written"),
        (Forgetful(), r"gives \[1, 1, 2400\] where encode was given \[1, 1, 4000\]"),
    ],
)  # fmt: skip
def test_what_is_no_codec_is_named_in_one_sentence(codec, words):
    with pytest.raises(CodecError, match=words) as error:
        check_codec(codec)
    assert "\n" not in str(error.value)


def test_a_codec_without_decode():
    class Half:
        name, sample_rate, channels = "half", 8000, 1

        def encode(self, sound):
            return b""

    with pytest.raises(CodecError, match="mine.py: Half has no decode"):
        check_codec(Half(), "mine.py: Half")


def test_a_lack_of_memory_is_no_fault_of_the_codec():
    def full(self, sound):
        raise MemoryError

    with pytest.raises(MemoryError):
        check_codec(changed(encode=full))


@pytest.mark.parametrize("rate", [8000, 24000, 44100])
@pytest.mark.parametrize("channels", [1, 2])
def test_a_copy_is_as_the_clip_was(rate, channels):
    clip = audio.mix(audio.clip("speech_en", rate, seconds=0.7), channels)[..., :-1]
    copy, size = through(Pcm(), clip, rate)
    assert copy.shape == clip.shape and abs(size - 2 * 0.7 * 8000) <= 4
    assert delay(copy, clip, rate) == 0
    assert float(si_sdr(copy, clip)) > 5  # what is above 4 kHz is gone


def test_a_stereo_codec_gives_mono_back_to_who_compares_in_mono():
    clip = audio.clip("speech_en", 8000, seconds=0.5)
    copy, size = through(changed(channels=2), clip, 8000)
    assert size == 4 * clip.shape[-1] and float(si_sdr(copy, clip)) > 50


def test_a_codec_that_works_in_place_does_not_change_the_original():
    clip = audio.clip("speech_en", 8000, seconds=0.5)
    before = clip.clone()
    through(changed(encode=lambda self, x: Pcm.encode(self, x.mul_(0.5))), clip, 8000)
    assert torch.equal(clip, before)


def test_in_a_notebook_the_line_is_one_of_the_cell():
    code = compile("\n\n1 / 0", "/tmp/ipykernel_12/345.py", "exec")
    codec = changed(encode=lambda self, x: exec(code))
    with pytest.raises(CodecError, match="ZeroDivisionError in line 3 of the cell: division"):
        check_codec(codec)


def test_what_counts_is_what_the_codec_says_counts():
    assert through(changed(counted=lambda self, data: 7), torch.randn(1, 1, 800), 8000).size == 7


def test_a_codec_gets_no_gradients_to_keep():
    weight = torch.nn.Parameter(torch.ones(1))
    codec = changed(decode=lambda self, data: weight * Pcm.decode(self, data))
    assert not through(codec, torch.randn(1, 1, 800), 8000).audio.requires_grad


# --- delay


@pytest.mark.parametrize("samples", [0, 1, -7, 480])
@pytest.mark.parametrize("sign", [1, -1])
def test_a_delay_is_found_to_the_sample(samples, sign):
    clip = audio.clip("speech_en", 24000, seconds=1)
    late = sign * clip.roll(samples, -1) + 0.02 * torch.randn_like(clip)
    assert delay(late, clip, 24000) == pytest.approx(samples / 24)


def test_a_tone_is_late_by_less_than_a_period():
    tone = torch.sin(2 * math.pi * 440 * torch.arange(24000) / 24000).view(1, 1, -1)
    assert delay(tone, tone, 24000) == 0
    assert abs(delay(tone.roll(3, -1), tone, 24000)) < 1000 / 440


def test_what_has_nothing_in_common_has_no_delay():
    noise, other, silence = (
        torch.randn(1, 1, 8000),
        torch.randn(1, 1, 8000),
        torch.zeros(1, 1, 8000),
    )
    for copy, clip in ((noise, other), (noise, silence), (silence, noise)):
        assert math.isnan(delay(copy, clip, 8000))
    assert math.isnan(delay(torch.ones(1, 1, 1), torch.ones(1, 1, 1), 8000))
