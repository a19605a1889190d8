"""minicodec: EnCodec, rebuilt part by part, to be read, heard and used.

>>> import minicodec
>>> codec = minicodec.load("mini_24khz")
>>> speech = minicodec.audio.clip("speech_en")
>>> codes = codec.encode(speech, bandwidth=6.0)
>>> restored = codec.decode(codes, length=speech.shape[-1])
>>> restored.shape == speech.shape
True

The package has a room for each part of the book: `sound` (chapter 01), `model` (02 to 06),
`training` (07 to 10), `bits` (11 to 13), `listening` (00 and 14).
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from minicodec import listening as listening
    from minicodec.bits.bitstream import compress as compress
    from minicodec.bits.bitstream import decompress as decompress
    from minicodec.model.checkpoint import save_codec as save  # noqa: F401
    from minicodec.model.codec import Codec as Codec
    from minicodec.model.config import ENCODEC_24KHZ as ENCODEC_24KHZ
    from minicodec.model.config import ENCODEC_48KHZ as ENCODEC_48KHZ
    from minicodec.model.config import MINI_24KHZ as MINI_24KHZ
    from minicodec.model.config import CodecConfig as CodecConfig
    from minicodec.model.pretrained import load as load
    from minicodec.model.streams import encode_batch as encode_batch
    from minicodec.sound import audio as audio
    from minicodec.sound import metrics as metrics
    from minicodec.sound import plotting as plotting
    from minicodec.sound import spectral as spectral

__version__ = "0.1.0"

# Each name is looked up when it is first used: `minicodec --help` need not wait for torch, nor
# `import minicodec` for the libraries that draw.
_HOMES = {
    "ENCODEC_24KHZ": "model.config",
    "ENCODEC_48KHZ": "model.config",
    "MINI_24KHZ": "model.config",
    "Codec": "model.codec",
    "CodecConfig": "model.config",
    "audio": "sound.audio",
    "compress": "bits.bitstream",
    "decompress": "bits.bitstream",
    "encode_batch": "model.streams",
    "listening": "listening",
    "load": "model.pretrained",
    "metrics": "sound.metrics",
    "plotting": "sound.plotting",
    "save": "model.checkpoint",
    "spectral": "sound.spectral",
}
_MODULES = {"audio", "listening", "metrics", "plotting", "spectral"}

__all__ = sorted(_HOMES)


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module 'minicodec' has no attribute {name!r}")
    module = import_module(f"minicodec.{_HOMES[name]}")
    value = module if name in _MODULES else getattr(module, {"save": "save_codec"}.get(name, name))
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
