"""Support: the book's diagrams, each a function that a notebook's cell ends with.

`system` is the picture of the whole that opens every chapter, with the chapter's part in colour;
the others explain one thing each. They are drawn by our own code (`drawing`), in one style.

>>> print(system("encoder").svg[:4], system("encoder"))
<svg The whole system. ... In colour here: encoder.
"""

from minicodec.sound.diagrams_bits import frame_in_bitstream as frame_in_bitstream
from minicodec.sound.diagrams_bits import language_model_step as language_model_step
from minicodec.sound.diagrams_bits import range_interval as range_interval
from minicodec.sound.diagrams_model import lstm_gates as lstm_gates
from minicodec.sound.diagrams_model import padding as padding
from minicodec.sound.diagrams_model import residual_block as residual_block
from minicodec.sound.diagrams_model import stream_state as stream_state
from minicodec.sound.diagrams_model import stride_and_dilation as stride_and_dilation
from minicodec.sound.diagrams_model import transposed_convolution as transposed_convolution
from minicodec.sound.diagrams_quantizer import nearest_code as nearest_code
from minicodec.sound.diagrams_quantizer import residual_levels as residual_levels
from minicodec.sound.diagrams_quantizer import split_quantizer as split_quantizer
from minicodec.sound.diagrams_sound import masking as masking
from minicodec.sound.diagrams_sound import mel_scales as mel_scales
from minicodec.sound.diagrams_sound import uncertainty as uncertainty
from minicodec.sound.diagrams_training import gradient_paths as gradient_paths
from minicodec.sound.diagrams_training import stft_discriminator as stft_discriminator
from minicodec.sound.drawing import (
    BLUE,
    GREEN,
    INK,
    PINK,
    VERMILLION,
    Diagram,
    Drawing,
    Point,
)

#: Columns and rows of the whole system.
_LEFT, _MIDDLE, _RIGHT = 18, 140, 262
_WIDE, _HIGH = 96, 46
#: Each part: its corner, its colour, and what stands in its box.
_PARTS: dict[str, tuple[int, int, str, tuple[str, ...]]] = {
    "samples": (_LEFT, 4, BLUE, ("samples", "[*B*, 1, *T*]")),
    "encoder": (_MIDDLE, 4, BLUE, ("encoder",)),
    "latents": (_RIGHT, 4, BLUE, ("latents", "[*B*, *D*, *T*′]")),
    "quantizer": (_RIGHT, 109, BLUE, ("quantizer",)),
    "codes": (_RIGHT, 214, BLUE, ("codes", "[*B*, *K*, *T*′]")),
    "decoder": (_MIDDLE, 214, BLUE, ("decoder",)),
    "copy": (_LEFT, 214, BLUE, ("copy", "[*B*, 1, *T*]")),
    "losses": (_LEFT, 74, VERMILLION, ("losses",)),
    "discriminator": (_LEFT, 144, VERMILLION, ("discriminator",)),
    "balancer": (_MIDDLE, 109, VERMILLION, ("balancer",)),
    "entropy coder": (_RIGHT, 284, GREEN, ("entropy", "coder")),
    "language model": (_MIDDLE, 284, GREEN, ("language", "model")),
    "bitstream": (_RIGHT, 354, GREEN, ("bitstream",)),
    "listener": (_LEFT, 284, PINK, ("listener",)),
}
#: Arrows, strong if two parts are lit: the parts, the way, and what it is: "" for a signal, "both"
#: for one that goes both ways, "line" for one without a head, "gradient".
_ARROWS: list[tuple[str, str, tuple[Point, ...], str]] = [
    ("samples", "encoder", ((114, 27), (140, 27)), ""),
    ("encoder", "latents", ((236, 27), (262, 27)), ""),
    ("latents", "quantizer", ((310, 50), (310, 109)), ""),
    ("quantizer", "codes", ((310, 155), (310, 214)), ""),
    ("codes", "decoder", ((262, 237), (236, 237)), ""),
    ("decoder", "copy", ((140, 237), (114, 237)), ""),
    ("copy", "listener", ((66, 260), (66, 284)), ""),
    ("samples", "copy", ((18, 27), (6, 27), (6, 237), (18, 237)), "line"),
    ("copy", "losses", ((6, 97), (18, 97)), ""),
    ("copy", "discriminator", ((6, 167), (18, 167)), ""),
    ("discriminator", "losses", ((66, 144), (66, 120)), ""),
    ("losses", "balancer", ((114, 97), (127, 97), (127, 132), (140, 132)), "gradient"),
    ("balancer", "decoder", ((188, 155), (188, 214)), "gradient"),
    ("balancer", "encoder",
     ((224, 214), (224, 202), (249, 202), (249, 66), (224, 66), (224, 50)), "gradient"),
    ("codes", "entropy coder", ((320, 260), (320, 284)), "both"),
    ("entropy coder", "bitstream", ((320, 330), (320, 354)), "both"),
    ("codes", "language model", ((280, 260), (280, 272), (188, 272), (188, 284)), ""),
    ("language model", "entropy coder", ((236, 307), (262, 307)), ""),
]  # fmt: skip


def system(*lit: str) -> Diagram:
    """The whole of EnCodec: the codec, how it is trained, and how its codes become a file.

    Args:
        lit: parts that are filled with colour; all of them if none is named.

    Raises:
        ValueError: naming the parts, if there is none of a name.
    """
    unknown = [name for name in lit if name not in _PARTS]
    if unknown:
        raise ValueError(f"there is no part {unknown[0]!r}; the parts are {', '.join(_PARTS)}.")
    shown = f" In colour here: {', '.join(lit)}." if lit else ""
    lit = lit or tuple(_PARTS)
    drawing = Drawing(
        "The whole system",
        "The whole system. Samples pass the encoder and become latents; the quantizer makes codes "
        "of them; the decoder makes a copy of codes, for a listener. In training, losses compare "
        "samples and copy, some with the help of a discriminator; the balancer weighs their "
        "gradients, which go back through the decoder to the encoder. To store codes, an entropy "
        "coder packs them into a bitstream with probabilities from a language model, and unpacks "
        "them again." + shown,
        height=404,
    )
    for start, end, points, kind in _ARROWS:
        opacity = 1 if start in lit and end in lit else 0.6
        if kind == "line":
            drawing.line(*points, opacity=opacity)
        elif kind == "gradient":
            drawing.arrow(*points, color=VERMILLION, dashed=True, opacity=opacity)
        else:
            drawing.arrow(*points, both=kind == "both", opacity=opacity)
    for name, (x, y, color, lines) in _PARTS.items():
        strong = name in lit
        drawing.box(
            x, y, _WIDE, _HIGH, color=color if strong else INK, filled=strong,
            opacity=1 if strong else 0.5,
        )  # fmt: skip
        for line, middle in zip(lines, (14, 32) if len(lines) == 2 else (23,)):
            drawing.text(
                x + _WIDE / 2, y + middle, line, size=12 if line.startswith("[") else 13,
                on=color if strong else INK, opacity=1 if strong else 0.8,
            )  # fmt: skip
    drawing.arrow((26, 366), (56, 366), opacity=0.8)
    drawing.text(64, 366, "signals and codes", anchor="start", size=12, opacity=0.8)
    drawing.arrow((26, 388), (56, 388), color=VERMILLION, dashed=True)
    drawing.text(64, 388, "gradients, in training only", anchor="start", size=12, opacity=0.8)
    return drawing.finished()
