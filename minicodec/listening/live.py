"""One sound at every bandwidth of a codec; with a kernel, the codec runs while you listen.

Chapter 00.
"""

import secrets
from typing import Any

import torch
from torch import Tensor

from minicodec.bits.bitstream import compress, decompress
from minicodec.listening.comparison import Comparison
from minicodec.listening.sounds import Condition, Sound, prepare
from minicodec.model.codec import Codec
from minicodec.sound.metrics import si_sdr


class Bandwidths(Comparison):
    """The player of `bandwidths`, with controls below it where there is a kernel."""

    def __init__(
        self, sounds: list[Sound], title: str, note: str, codec: Codec, audio: Tensor
    ) -> None:
        super().__init__(sounds, codec.config.sample_rate, title, note)
        self.codec, self.audio = codec, audio

    def _ipython_display_(self) -> None:
        """The player as HTML, which is what a page without a kernel keeps, then the controls."""
        from IPython.display import HTML, display

        display(HTML(self._repr_html_()))
        if has_kernel():
            display(controls(self.codec, self.audio))


def bandwidths(codec: Codec, audio: Tensor, title: str = "") -> Bandwidths:
    """A clip as the codec gives it back at each of its bandwidths, beside the original.

    The bit rates shown are real: all bytes of the stream, over the clip's duration. In a notebook
    with a kernel, controls below the player run the codec on any bandwidth, with codebooks left
    out, or with damaged bits; without one the player is all there is.

    Args:
        audio: [1, C, T] in [-1, 1], at the codec's rate.
        title: above the player; the codec's name by default.

    Raises:
        ValueError: for audio that is not one clip of this codec's kind.

    >>> from minicodec.model.config import CodecConfig
    >>> codec = Codec(CodecConfig(n_filters=2, dimension=8, bandwidths=(1.5, 3.0))).eval()
    >>> bandwidths(codec, 0.1 * torch.randn(1, 1, 2400))
    Comparison of original, 1.5 kbps, 3 kbps (... kB of FLAC)
    """
    config = codec.config
    seconds = audio.shape[-1] / config.sample_rate if isinstance(audio, Tensor) else 0
    sounds: dict[str, Tensor | Condition] = {}
    for bandwidth in config.bandwidths:
        data = compress(codec, audio, bandwidth)
        restored, kbps = decompress(data, codec), len(data) * 8 / seconds / 1000
        sounds[f"{bandwidth:g} kbps"] = Condition(restored, kbps, quality(restored, audio))
    pcm = 16 * config.channels * config.sample_rate / 1000
    prepared, note = prepare({"original": Condition(audio, pcm)} | sounds, config.sample_rate)
    return Bandwidths(prepared, title or f"{codec.name} at every bandwidth", note, codec, audio)


def through(
    codec: Codec, audio: Tensor, bandwidth: float, n_q: int | None = None, damage: int = 0
) -> Tensor:
    """Encode and decode, with only the first `n_q` codebooks, and with `damage` random bits turned.

    The same bits are turned each time, so that a change of another control is heard alone.

    Raises:
        ValueError: for audio that is not of this codec's kind, or a bandwidth it does not have.
    """
    codes, scales = codec.encode_scaled(audio, bandwidth)
    codes = flip_bits(codes[:, :n_q], codec.config.bits, damage)
    return codec.decode(codes, scales, audio.shape[-1])


def flip_bits(codes: Tensor, bits: int, count: int, seed: int = 0) -> Tensor:
    """Codes with `count` different random bits turned.

    Shape:
        codes: [B, K, T] int64 of `bits` bits each → the same

    >>> flip_bits(torch.zeros(1, 1, 4, dtype=torch.int64), bits=10, count=40)
    tensor([[[1023, 1023, 1023, 1023]]])
    """
    places = torch.randperm(codes.numel() * bits, generator=torch.Generator().manual_seed(seed))[
        :count
    ]
    turned = torch.zeros(codes.numel(), dtype=torch.int64)
    turned.index_add_(0, places // bits, 2 ** (places % bits))
    return codes ^ turned.view_as(codes).to(codes.device)


def quality(restored: Tensor, original: Tensor) -> str:
    """SI-SDR in words, or "" for silence, which has none."""
    value = float(si_sdr(restored.cpu(), original.cpu()).mean())
    return f"SI-SDR {value:.1f} dB" if value > -100 else ""


def has_kernel() -> bool:
    """Is this a notebook, where a control reaches Python?"""
    try:
        from IPython.core.getipython import get_ipython
    except ImportError:
        return False
    return getattr(get_ipython(), "kernel", None) is not None


def controls(codec: Codec, audio: Tensor) -> Any:
    """Sliders that run the codec: a widget, of those parts that ipywidgets 7 and 8 share."""
    import ipywidgets as widgets
    from IPython.display import display

    config = codec.config
    wide = {
        "style": {"description_width": "9em"},
        "layout": {"width": "min(100%, 30em)"},
        "continuous_update": False,
    }
    bandwidth = widgets.SelectionSlider(
        options=[(f"{b:g} kbps", b) for b in config.bandwidths],
        value=config.bandwidths[-1],
        description="bandwidth",
        **wide,
    )
    n_q = widgets.IntSlider(config.max_n_q, 1, config.max_n_q, description="codebooks", **wide)
    damage = widgets.IntSlider(0, 0, 200, description="damaged bits", **wide)
    hint = widgets.HTML("Move a slider, and the codec runs again in this notebook.")
    output = widgets.Output()
    heard: list[tuple[float, int, int]] = []
    slot = secrets.token_hex(8)  # in which each move shows a new player

    def run(_: Any = None) -> None:
        kept = min(n_q.value, config.n_q(bandwidth.value))
        # One move of a slider may move another; the codec need not run twice for that.
        wanted = (bandwidth.value, kept, damage.value)
        if heard[-1:] == [wanted]:
            return
        heard.append(wanted)
        restored = through(codec, audio, bandwidth.value, kept, damage.value)
        kbps = kept * config.bits * config.frame_rate / 1000
        label = f"{kept} of {config.n_q(bandwidth.value)} codebooks"
        if damage.value:
            label += f", {damage.value} damaged bit" + "s" * (damage.value > 1)
        now = Condition(restored, kbps, quality(restored, audio))
        prepared, note = prepare({"original": audio, label: now}, config.sample_rate)
        with output:
            output.clear_output(wait=True)
            display(Comparison(prepared, config.sample_rate, "", note, slot=slot))

    def limit(_: Any) -> None:
        n_q.max = config.n_q(bandwidth.value)
        n_q.value = n_q.max
        run()

    bandwidth.observe(limit, "value")
    n_q.observe(run, "value")
    damage.observe(run, "value")
    return widgets.VBox([hint, bandwidth, n_q, damage, output])
