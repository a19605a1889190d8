"""Support: your own voice, or your own file, from the browser to Python.

The browser may be far from the kernel, so the sound has to travel through the page: in Colab by its
own call from a page to Python, in Jupyter through a hidden text field of ipywidgets.
"""

import base64
import binascii
import html
import io
from itertools import count
from typing import Any

from torch import Tensor

from minicodec.listening.fragment import fragment
from minicodec.listening.live import has_kernel
from minicodec.sound import audio as audio_

LONGEST = 30.0  # seconds: what a file is cut to, so that the next cells stay quick
_SILENT = 1e-3  # of full scale
_number = count(1)


class Recording:
    """A sound that comes from the browser some time after the cell has run."""

    def __init__(self, sample_rate: int):
        self.sample_rate = sample_rate
        self._audio: Tensor | None = None

    @property
    def ready(self) -> bool:
        """Whether there is a sound yet."""
        return self._audio is not None

    @property
    def audio(self) -> Tensor:
        """The sound, [1, 1, T].

        Raises:
            ValueError: while there is none.
        """
        if self._audio is None:
            raise ValueError(
                "there is no sound yet: use the button above, wait for “received”, and run this "
                "cell again."
            )
        return self._audio

    def receive(self, data: bytes, seconds: float = LONGEST) -> str:
        """Take an audio file's bytes; says in one sentence what was received.

        Raises:
            ValueError: if it is not audio, silent, or shorter than a tenth of a second; what was
                received before stays.
        """
        clip, _ = audio_.load(io.BytesIO(data), self.sample_rate, channels=1)
        clip = clip[None, :, : round(seconds * self.sample_rate)]
        if clip.shape[-1] < 0.1 * self.sample_rate:
            raise ValueError("this sound is shorter than a tenth of a second: try again.")
        if float(clip.abs().max()) < _SILENT:
            raise ValueError("this sound is silent: is the microphone muted, or another one meant?")
        self._audio = clip.clamp(-1, 1)
        return f"{clip.shape[-1] / self.sample_rate:.1f} seconds received. Run the next cell."

    def __repr__(self) -> str:
        if self._audio is None:
            return "Recording (nothing yet)"
        return f"Recording ({self._audio.shape[-1] / self.sample_rate:.1f} s)"


def record(seconds: float = 5.0, sample_rate: int = 24000) -> Recording:
    """Show a button that records from your microphone; a file chooser stands beside it.

    The recording arrives some time after the cell has run: look at it in a later cell, as
    `recording.audio`, when `recording.ready`.

    Args:
        seconds: the longest recording.
        sample_rate: in Hz, of what you get.

    Raises:
        ValueError: outside a notebook, or for a length that is not positive or above 30 s.
    """
    if not 0 < seconds <= LONGEST:
        raise ValueError(f"a recording lasts up to {LONGEST:g} seconds, not {seconds!r}.")
    _need_notebook("record")
    return _show(Recording(sample_rate), seconds, microphone=True)


def upload(sample_rate: int = 24000) -> Recording:
    """Show a file chooser; of a long file, the first 30 seconds are taken.

    Args:
        sample_rate: in Hz, of what you get: mono, in `recording.audio`.

    Raises:
        ValueError: outside a notebook.
    """
    _need_notebook("upload")
    recording = Recording(sample_rate)
    if _colab() is not None:
        return _show(recording, LONGEST, microphone=False)
    import ipywidgets as widgets
    from IPython.display import display

    chooser = widgets.FileUpload(accept="audio/*", multiple=False, description="Choose a file")
    status = widgets.HTML()

    def taken(change: Any) -> None:
        if change["new"]:
            status.value = html.escape(_attempt(recording, uploaded(change["new"])))

    chooser.observe(taken, "value")
    display(widgets.VBox([chooser, status]))
    return recording


def uploaded(value: Any) -> bytes:
    """The newest file in a FileUpload's value: a dict by name in ipywidgets 7, a tuple in 8.

    >>> uploaded({"a.wav": {"content": b"RIFF"}}), uploaded(({"content": memoryview(b"RIFF")},))
    (b'RIFF', b'RIFF')
    """
    *_, newest = value.values() if isinstance(value, dict) else value
    return bytes(newest["content"])


def recorder(seconds: float, sample_rate: int, inbox: str, microphone: bool) -> str:
    """The button and the file chooser, as a piece of a page; Python listens under `inbox`."""
    return fragment(
        "recorder",
        "Your voice" if microphone else "Your sound",
        "",
        scripts=("dom", "microphone", "resample", "wav", "recorder"),
        data={
            "seconds": f"{seconds:g}",
            "rate": str(sample_rate),
            "inbox": inbox,
            "microphone": str(microphone).lower(),
        },
    )


def _show(recording: Recording, seconds: float, microphone: bool) -> Recording:
    from IPython.display import HTML, display

    inbox = f"recording{next(_number)}"
    page = recorder(seconds, recording.sample_rate, inbox, microphone)

    def arrived(text: str) -> str:
        try:
            data = base64.b64decode(text, validate=True)
        except (binascii.Error, ValueError):
            return "What came from the browser is damaged: try again."
        return _attempt(recording, data, seconds)

    display(HTML(page))
    colab = _colab()
    if colab is not None:
        from IPython.display import JSON

        colab.register_callback(f"minicodec.{inbox}", lambda text: JSON({"message": arrived(text)}))
        return recording

    import ipywidgets as widgets

    # The page's script finds this field by its class, and puts the sound in as text.
    field = widgets.Textarea(layout={"display": "none"})
    field.add_class("minicodec-inbox")
    status = widgets.HTML()

    def changed(change: Any) -> None:
        if change["new"]:
            status.value = html.escape(arrived(change["new"]))
            field.value = ""  # the next recording may be the same again

    field.observe(changed, "value")
    display(widgets.VBox([field, status]))
    return recording


def _attempt(recording: Recording, data: bytes, seconds: float = LONGEST) -> str:
    """What to tell the reader: nothing that arrives from a page may raise where nobody looks."""
    try:
        return recording.receive(data, seconds)
    except ValueError as error:
        return str(error)[:1].upper() + str(error)[1:]


def _colab() -> Any:
    """Colab's bridge between pages and Python, or None elsewhere."""
    try:
        from google.colab import output
    except ImportError:
        return None
    return output


def _need_notebook(name: str) -> None:
    if not has_kernel():
        raise ValueError(
            f"{name} needs a notebook, for it works in the browser; elsewhere, read a file with "
            "minicodec.audio.load."
        )
