"""Blocks of any size go in, and the stream says what it should."""

import math
import random
from io import BytesIO

import pytest
import torch
from mcdc_by_hand import parse
from small_streams import CONFIGS, noise

from minicodec.bits.bitstream import BitstreamError, StreamWriter, compress, decompress
from minicodec.model.checkpoint import fingerprint
from minicodec.model.codec import Codec


@pytest.mark.parametrize("kind", CONFIGS)
def test_blocks_of_any_size_give_the_same_stream(codecs, kind):
    codec, chance = codecs[kind], random.Random(0)
    audio = noise(codec, 3 * codec.config.sample_rate + 5)
    file, left = BytesIO(), audio
    with StreamWriter(file, codec, chunk_seconds=0.5) as out:
        while left.shape[-1]:
            size = chance.choice([1, 100, 5000, 50000])
            out.write(left[..., :size])
            left = left[..., size:]
    assert file.getvalue() == compress(codec, audio, chunk_seconds=0.5)
    assert (out.length, out.size) == (audio.shape[-1], len(file.getvalue()))


def test_a_writer_never_goes_back(codecs):
    class Pipe:
        def __init__(self):
            self.data = b""

        def write(self, data):
            self.data += bytes(data[:7])  # as much as a full pipe takes
            return len(data[:7])

        def flush(self):
            pass

    codec, pipe = codecs["as mini"], Pipe()
    audio = noise(codec, 9000)
    with StreamWriter(pipe, codec, chunk_seconds=0.1) as out:
        out.write(audio)
    assert pipe.data == compress(codec, audio, chunk_seconds=0.1)


def test_the_stream_says_what_it_should(codecs):
    """Compared with the reader that was written from the page of the book."""
    codec = codecs["as encodec_48khz"]
    codec_named = Codec(codec.config, "ein Name mit ü")
    codec_named.load_state_dict(codec.state_dict())
    audio = noise(codec, 20000)
    stream = parse(compress(codec_named.eval(), audio, 0.5, chunk_seconds=2))
    codes, scales = codec.encode_scaled(audio, 0.5)
    assert stream.name.decode() == "ein Name mit ü" and stream.fingerprint == fingerprint(codec)
    assert (stream.channels, stream.bits, stream.codebooks) == (2, 4, 5)
    assert (stream.chunk_frames, stream.chunk_samples, stream.sample_rate) == (50, 15840, 8000)
    assert [(c.index, c.frames, len(c.scales)) for c in stream.chunks] == [
        (0, 50, 2), (1, 13, 1), (2, 0, 0)]  # fmt: skip
    assert int.from_bytes(stream.chunks[2].codes, "big") == 20000
    told = [scale for chunk in stream.chunks for scale in chunk.scales]
    assert told == scales[0].tolist() and codes.shape[2] == 63


def test_long_names_are_cut_between_characters(codecs):
    codec = Codec(CONFIGS["as mini"], "ü" * 200).eval()
    data = compress(codec, noise(codec, 400))
    assert parse(data).name.decode() == "ü" * 127
    assert decompress(data, codec).shape == (1, 1, 400)


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (dict(audio=torch.zeros(2, 1, 100)), "one clip .* a batch of 2"),
        (dict(audio=torch.zeros(1, 2, 100)), "1 channel here"),
        (dict(audio=torch.zeros(1, 1, 0)), "at least one sample"),
        (dict(audio=torch.full((1, 1, 9), math.nan)), "NaN"),
        (dict(bandwidth=7), "one of 1.5, 3 kbps, but 7 was given"),
        (dict(entropy="zip"), "one of none, histogram, lm, but 'zip' was given"),
        (dict(entropy="lm"), "no language model ships for these weights of 'as mini'"),
        (dict(chunk_seconds=0), "more than 0 and at most 60 seconds, not 0"),
        (dict(chunk_seconds=61), "more than 0 and at most 60 seconds, not 61"),
        (dict(chunk_seconds=math.nan), "more than 0 and at most 60 seconds, not nan"),
    ],
)
def test_compress_refuses(codecs, arguments, words):
    with pytest.raises(ValueError, match=words):
        compress(codecs["as mini"], **(dict(audio=torch.zeros(1, 1, 100)) | arguments))


def test_a_language_model_of_fewer_codebooks_is_refused_before_anything_is_written(
    codecs, language_models
):
    file = BytesIO()
    with pytest.raises(ValueError, match="knows 1 to 5 codebooks, not 10"):
        StreamWriter(file, codecs["as mini"], 3.0, "lm", lm=language_models[5])
    assert not file.getvalue()


def test_sound_too_loud_to_tell(codecs):
    codec = codecs["as encodec_48khz"]
    with pytest.raises(ValueError, match="too loud"):
        compress(codec, torch.full((1, 2, 9000), 1e30))


def test_nothing_written_is_no_stream(codecs):
    empty = StreamWriter(BytesIO(), codecs["as mini"])
    with pytest.raises(ValueError, match="at least one sample"), empty:
        pass


def test_an_error_leaves_the_stream_without_an_end(codecs):
    codec, file = codecs["as mini"], BytesIO()
    with pytest.raises(KeyError), StreamWriter(file, codec, chunk_seconds=0.1) as out:
        out.write(noise(codec, 24000))
        raise KeyError
    with pytest.raises(BitstreamError, match="its end is missing"):
        decompress(file.getvalue(), codec)
