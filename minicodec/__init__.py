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

__version__ = "0.1.0"

#: These draw, with libraries that take their time to load.
_DRAWING = {"listening": "minicodec.listening", "plotting": "minicodec.sound.plotting"}

if TYPE_CHECKING:
    from minicodec import listening as listening
    from minicodec.public import *  # noqa: F403
    from minicodec.sound import plotting as plotting
else:

    def __getattr__(name: str) -> Any:
        """A public name. The first one waits for torch, and `minicodec --help` asks for none."""
        if name == "__all__":
            return _names()
        if name in _DRAWING:
            return import_module(_DRAWING[name])
        if name in _names():
            return getattr(import_module("minicodec.public"), name)
        raise AttributeError(f"module 'minicodec' has no attribute {name!r}")


def load_ipython_extension(_: Any) -> None:
    """`%load_ext minicodec`, as chapters begin: say which versions run here, and on what device."""
    import torch

    device = "cuda" if torch.cuda.is_available() else "cpu"
    print(f"minicodec {__version__}, torch {torch.__version__}, {device}")


def __dir__() -> list[str]:
    return [*(name for name in globals() if name.startswith("__")), *_names()]


def _names() -> list[str]:
    public = vars(import_module("minicodec.public"))
    return sorted({*_DRAWING, *(name for name in public if not name.startswith("_"))})
