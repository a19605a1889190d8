"""minicodec: EnCodec, rebuilt part by part, to be read, heard and used.

>>> import minicodec
>>> codec = minicodec.load("mini_24khz")
>>> speech = minicodec.audio.clip("speech_en")
>>> codes = codec.encode(speech, bandwidth=6.0)
>>> restored = codec.decode(codes, length=speech.shape[-1])
>>> restored.shape == speech.shape
True
"""

from minicodec import audio, listening, metrics, plotting, spectral
from minicodec.batch import encode_batch
from minicodec.bitstream import compress, decompress
from minicodec.checkpoint import save_codec as save
from minicodec.codec import Codec
from minicodec.config import ENCODEC_24KHZ, ENCODEC_48KHZ, MINI_24KHZ, CodecConfig
from minicodec.pretrained import load

__version__ = "0.1.0"

__all__ = [
    "ENCODEC_24KHZ",
    "ENCODEC_48KHZ",
    "MINI_24KHZ",
    "Codec",
    "CodecConfig",
    "audio",
    "compress",
    "decompress",
    "encode_batch",
    "listening",
    "load",
    "metrics",
    "plotting",
    "save",
    "spectral",
]
