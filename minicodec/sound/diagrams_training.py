"""Support: diagrams of training, for chapters 08 to 10. `diagrams` offers them."""

from minicodec.sound.drawing import (
    AMBER,
    BLUE,
    PINK,
    SKY,
    VERMILLION,
    Diagram,
    Drawing,
)


def stft_discriminator() -> Diagram:
    """The layers of the discriminator at one scale, with the shapes of a second of sound."""
    window, samples, filters = 1024, 24000, 32
    frames, bins = (samples - window) // (window // 4) + 1, window // 2 + 1
    layers = [("STFT, real and imaginary", f"2, {frames}, {bins}", SKY),
              ("conv 3×9", f"{filters}, {frames}, {bins}", AMBER)]  # fmt: skip
    for dilation in (1, 2, 4):
        bins = -(-bins // 2)
        layers.append((f"conv 3×9, *d* = ({dilation}, 1), *s* = (1, 2)",
                       f"{filters}, {frames}, {bins}", AMBER))  # fmt: skip
    layers += [("conv 3×3", f"{filters}, {frames}, {bins}", AMBER),
               ("conv 3×3", f"1, {frames}, {bins}", VERMILLION)]  # fmt: skip
    drawing = Drawing(
        "The discriminator at one scale",
        f"The discriminator with a window of {window} samples, for one second. "
        + "; ".join(f"{name.replace('*', '')}: {shape}" for name, shape, _ in layers)
        + ". The five inner layers are the features, the last one gives the logits. There are five "
        "such networks, with windows of 2048, 1024, 512, 256 and 128 samples.",
        height=388,
    )
    drawing.text(109, 10, f"recording or copy, *W* = {window}", size=12)
    drawing.text(222, 10, f"[1, {samples}]", anchor="start", size=12)
    y = 30
    for index, (name, shape, color) in enumerate(layers):
        drawing.arrow((109, y - 12), (109, y))
        drawing.box(4, y, 210, 28, name, color=color, filled=True, size=12)
        drawing.text(222, y + 14, f"[{shape}]", anchor="start", size=12)
        y += 42 if index < len(layers) - 1 else 28
    drawing.line((324, 74), (332, 74), (332, 266), (324, 266))
    drawing.text(344, 170, "features", turned=True)
    drawing.arrow((109, y), (109, y + 14))
    drawing.text(109, y + 22, "logits: above 0 if it seems real", size=12)
    said = "five of these: *W* = 2048, 1024, 512, 256, 128"
    drawing.text(4, y + 46, said, anchor="start")
    drawing.text(4, y + 66, "sizes: frames × bins, of one second of sound", anchor="start", size=12)
    return drawing.finished()


def gradient_paths() -> Diagram:
    """Where each gradient comes from, where it is weighed, and how it gets past the quantizer."""
    drawing = Drawing(
        "The ways of the gradients",
        "Four losses look at the copy: time, mel, adversarial and features. Each sends a gradient "
        "to the balancer, which scales it and gives their sum to the decoder's output. From there "
        "it goes through the decoder, straight through the quantizer, which has no slope, and "
        "through the encoder. The commitment loss comes from the quantizer and is added at the "
        "encoder, not balanced. All losses but the adversarial one look at the recording too.",
        height=326,
    )
    for x, name in ((4, "encoder"), (102, "quantizer"), (200, "decoder")):
        drawing.box(x, 8, 80, 36, name, color=BLUE, filled=True)
    for x in (84, 182, 280):
        drawing.arrow((x, 20), (x + 18, 20))
    drawing.box(298, 8, 58, 36, "copy", color=BLUE)
    drawing.arrow((298, 34), (280, 34), color=VERMILLION, dashed=True)
    drawing.arrow((240, 44), (240, 66), (44, 66), (44, 44), color=VERMILLION, dashed=True)
    drawing.text(190, 80, "straight through", size=12)
    drawing.arrow((122, 44), (122, 118), (66, 118), (66, 140))
    drawing.box(98, 140, 258, 46, "balancer", "each *g*_{i} scaled to norm *G λ*_{i} / Σ*λ*",
                color=VERMILLION, filled=True)  # fmt: skip
    drawing.arrow((327, 140), (327, 44), color=VERMILLION, dashed=True)
    drawing.text(318, 108, "their sum", size=12, anchor="end")
    names = (("*ℓ*_{t}", "time"), ("*ℓ*_{f}", "mel"), ("*ℓ*_{g}", "logits"),
             ("*ℓ*_{feat}", "features"))  # fmt: skip
    marks = ("*g*_{t}", "*g*_{f}", "*g*_{g}", "*g*_{feat}")
    for index, ((letter, name), mark) in enumerate(zip(names, marks)):
        left = 98 + 65.5 * index
        color = AMBER if index < 2 else PINK
        drawing.box(left, 240, 61.5, 44, letter, name, color=color, filled=True)
        drawing.arrow((left + 24, 240), (left + 24, 186), color=VERMILLION, dashed=True)
        drawing.text(left + 30, 214, mark, anchor="start")
    drawing.box(2, 140, 86, 46, "*ℓ*_{w}", "commitment", color=SKY, filled=True)
    drawing.arrow((20, 140), (20, 44), color=VERMILLION, dashed=True)
    drawing.text(98, 298, "pink: through the discriminator;", size=12, anchor="start")
    said = "all but *ℓ*_{g} look at the recording too"
    drawing.text(98, 315, said, size=12, anchor="start")
    return drawing.finished()
