"""Support: diagrams of entropy coding, for chapters 11 to 13. `diagrams` offers them."""

import math

from minicodec.sound.drawing import AMBER, BLUE, GREEN, INK, SKY, VERMILLION, Diagram, Drawing

#: The symbols of a message, with their probabilities in hundredths, and the message.
HUNDREDTHS = {"a": 50, "b": 30, "c": 20}
MESSAGE = "bac"


def range_interval() -> Diagram:
    """An interval that narrows with each symbol of a message."""
    steps = _intervals()
    low, width = steps[-1]
    drawing = Drawing(
        "The range coder's interval",
        f"The message {', '.join(MESSAGE)}, of symbols with the probabilities "
        + ", ".join(f"{s}: {p / 100:g}" for s, p in HUNDREDTHS.items())
        + f". The interval from 0 to 1 is divided in these shares; the first symbol's share "
        f"is divided again, and so on. It ends at {low:.3g} to {low + width:.3g}, "
        f"{width:.3g} wide: {-math.log2(width):.2f} bits.",
        height=330,
    )
    left, wide = 14.0, 332.0
    for step, (symbol, (low, width)) in enumerate(zip(MESSAGE, steps)):
        y, x, begin = 30 + 92 * step, left, low
        drawing.text(left, y - 12, f"{low:.3g}", anchor="start", size=12)
        drawing.text(left + wide, y - 12, f"{low + width:.3g}", anchor="end", size=12)
        drawing.text(180, y - 12, f"symbol {step + 1}: {symbol}", bold=True)
        for name, share in HUNDREDTHS.items():
            size = wide * share / 100
            taken = name == symbol
            drawing.box(x, y, size, 28, name, color=BLUE if taken else INK, filled=taken,
                        round_by=0)  # fmt: skip
            if taken:
                drawing.line((x, y + 28), (left, y + 92 - 24), dashed=True, opacity=0.6)
                drawing.line((x + size, y + 28), (left + wide, y + 68), dashed=True, opacity=0.6)
            x += size
            begin += width * share / 100
    low, width = steps[-1]
    drawing.text(left, 294, f"{low:.3g}", anchor="start", size=12)
    drawing.text(left + wide, 294, f"{low + width:.3g}", anchor="end", size=12)
    shares = " · ".join(f"{HUNDREDTHS[s] / 100:g}" for s in MESSAGE)
    drawing.text(180, 294, f"width {shares} = {width:.3g}")
    drawing.text(180, 316, f"−log_{{2}} {width:.3g} = {-math.log2(width):.2f} bits", bold=True)
    return drawing.finished()


def _intervals() -> list[tuple[float, float]]:
    """Low end and width: before the first symbol, then after each."""
    steps, low, width = [(0.0, 1.0)], 0.0, 1.0
    for symbol in MESSAGE:
        below = 0
        for name, share in HUNDREDTHS.items():
            if name == symbol:
                break
            below += share
        low += width * below / 100
        width *= HUNDREDTHS[symbol] / 100
        steps.append((low, width))
    return steps


def language_model_step() -> Diagram:
    """From the codes of one frame to probabilities for all codes of the next."""
    levels = 8
    drawing = Drawing(
        "One step of the language model",
        "The 8 codes of frame t − 1 choose an embedding each, from a table for each codebook; "
        "their sum is one vector of 200. A Transformer of 5 layers sees it and, through cached "
        "keys and values, the last 3.5 seconds, 262 frames. 8 heads give 1024 probabilities each: "
        "one table for each code of frame t, which the entropy coder uses.",
        height=352,
    )
    drawing.text(180, 10, "codes of frame *t* − 1", bold=True)
    for level in range(levels):
        x = 24 + 39 * level
        label = f"*c*_{{{level + 1}}}"
        drawing.box(x + 2, 24, 35, 26, label, color=SKY, filled=True, round_by=3)
        drawing.line((x + 19.5, 50), (180, 84), opacity=0.6)
    drawing.operation(180, 91, "+")
    drawing.text(164, 96, "an embedding each,", anchor="end", size=12)
    drawing.text(196, 96, "summed: [200]", anchor="start", size=12)
    drawing.arrow((180, 100), (180, 122))
    said = "looks back 3.5 s: 262 cached keys and values"
    drawing.box(26, 122, 308, 52, "Transformer, 5 layers", said,
                color=GREEN, filled=True)  # fmt: skip
    for level in range(levels):
        x = 24 + 39 * level
        drawing.line((180, 174), (x + 19.5, 208), opacity=0.6)
        drawing.box(x + 2, 208, 35, 22, "head", color=AMBER, filled=True, round_by=3, size=12)
        drawing.arrow((x + 19.5, 230), (x + 19.5, 250), opacity=0.7)
        heights = [math.exp(2.2 * math.sin(1.7 * level + 2.3 * bar)) for bar in range(7)]
        for bar, height in enumerate(heights):
            tall = 32 * height / max(heights)
            drawing.rect(x + 4 + 4.5 * bar, 288 - tall, 3.5, tall, VERMILLION)
        drawing.line((x + 3, 288), (x + 36, 288), width=1)
    drawing.text(180, 304, "1024 probabilities for each code of frame *t*", bold=True, size=12)
    drawing.text(180, 326, "all at once: one step for each frame,", size=12)
    drawing.text(180, 343, "however many codes it has", size=12)
    return drawing.finished()


def frame_in_bitstream() -> Diagram:
    """What becomes of 320 samples on their way into a file at 6 kbps."""
    hop, levels, bits, frames = 320, 8, 10, 375
    size = frames * levels * bits // 8
    drawing = Drawing(
        "One frame's way into the file",
        f"{hop} samples, {hop * 16} bits as 16-bit PCM, become one latent vector, {levels} codes "
        f"of {bits} bits, {levels * bits} bits. {frames} frames, 5 seconds, make a chunk of at "
        f"most {size} bytes of codes, between 17 bytes of head and a CRC-32 of 4. A file is a "
        "header, chunks, and a chunk that ends it.",
        height=366,
    )
    wave = [(20 + 320 * i / 160, 34 - 14 * math.sin(i / 7) * math.sin(math.pi * i / 160))
            for i in range(161)]  # fmt: skip
    drawing.line(*wave, color=BLUE, width=2)
    drawing.text(20, 10, f"{hop} samples", anchor="start", bold=True)
    drawing.text(340, 10, f"{hop} · 16 = {hop * 16} bits", anchor="end", size=12)
    drawing.arrow((180, 54), (180, 74))
    drawing.text(190, 64, "encoder", anchor="start", size=12)
    drawing.box(20, 74, 320, 26, "latent vector *z* [*D*]", color=SKY, filled=True)
    drawing.arrow((180, 100), (180, 120))
    drawing.text(190, 110, "quantizer", anchor="start", size=12)
    for level in range(levels):
        drawing.box(20 + 40 * level + 1, 120, 38, 26, f"*c*_{{{level + 1}}}", color=AMBER,
                    filled=True, round_by=3)  # fmt: skip
    drawing.text(340, 162, f"{levels} · {bits} = {levels * bits} bits", anchor="end", size=12)
    drawing.arrow((180, 148), (180, 182))
    drawing.text(172, 162, "entropy coder", anchor="end", size=12)
    for x, wide, name, said, color in (
        (20, 70, "head", "17 bytes", None),
        (90, 170, f"codes of {frames} frames", f"≤ {size} bytes", GREEN),
        (260, 80, "CRC-32", "4 bytes", None),
    ):
        drawing.box(x, 182, wide, 44, name, said, color=color or INK, filled=bool(color),
                    round_by=2, size=12)  # fmt: skip
    said = f"a chunk: at most {17 + size + 4} bytes"
    drawing.text(180, 244, said, size=12)
    drawing.line((20, 228), (106, 288), dashed=True, opacity=0.6)
    drawing.line((340, 228), (176, 288), dashed=True, opacity=0.6)
    cells = (("header", 66), ("chunk 0", 70), ("chunk 1", 70), ("…", 44), ("end", 70))
    x = 20
    for name, wide in cells:
        drawing.box(x, 288, wide, 28, name, color=GREEN if name == "chunk 0" else INK,
                    filled=name == "chunk 0", round_by=2, size=12)  # fmt: skip
        x += wide
    drawing.text(180, 332, "the file, or the pipe", bold=True)
    said = "a chunk's head: CHNK, index, lengths, CRC-32"
    drawing.text(180, 354, said, size=12)
    return drawing.finished()
