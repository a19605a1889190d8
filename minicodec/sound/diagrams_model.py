"""Support: diagrams of the codec's layers, for chapters 02 to 04. `diagrams` offers them."""

from minicodec.sound.drawing import AMBER, BLUE, GREEN, SKY, VERMILLION, Diagram, Drawing


def padding() -> Diagram:
    """Where a strided convolution's zeros go: all before the clip, or half on each side."""
    kernel, stride, length, cell = 4, 2, 7, 29
    total = kernel - stride
    extra = -length % stride
    frames = (length + extra) // stride
    drawing = Drawing(
        "Padding",
        f"A convolution of kernel size {kernel} and stride {stride} over {length} samples. Causal: "
        f"{total} zeros before the clip and {extra} behind it to fill the last window; each of the "
        f"{frames} windows ends with the {stride} samples that its output stands for. Centred: "
        f"{total // 2} zero before and {total // 2 + extra} behind; each window reaches "
        f"{total // 2} sample beyond, into the future.",
        height=358,
    )
    said = f"*k* = {kernel}, *s* = {stride}: *P* = *k* − *s* = {total} zeros"
    drawing.text(20, 10, said, anchor="start", bold=True)
    for top, left, name in ((26, total, "causal"), (188, total // 2, "centred")):
        right = total - left + extra
        start = 20 + (total - left) * cell  # sample 0 stands in one column
        zeros = f"{left} before" if left == total else f"{left} before, {right - extra} behind"
        said = f"{name}: {zeros}, {extra} to fill the end"
        drawing.text(20, 10 + top, said, anchor="start")
        for index in range(left + length + right):
            sample = index - left
            inside = 0 <= sample < length
            label = f"*x*_{{{sample}}}" if inside else "0"
            drawing.cell(start + index * cell, 26 + top, cell, label, SKY if inside else None)
        for frame in range(frames):
            x, y = start + frame * stride * cell, 60 + top + 21 * frame
            ahead = (total - left) * cell
            wide = kernel * cell - 4
            drawing.rect(x + 2, y, wide - ahead, 18, BLUE)
            if ahead:
                drawing.rect(x + 2 + wide - ahead, y, ahead, 18, VERMILLION)
            label = f"*y*_{{{frame}}} sees"
            drawing.text(x + 2 + (wide - ahead) / 2, y + 8, label, size=12, on=BLUE)
    drawing.rect(20, 340, 12, 12, VERMILLION)
    drawing.text(38, 346, "of the next frame: the future", anchor="start", size=12)
    return drawing.finished()


def stride_and_dilation() -> Diagram:
    """Which inputs each output sees, for a stride and for a dilation."""
    drawing = Drawing(
        "Stride and dilation",
        "Three convolutions of kernel size 3 over ten inputs. Stride 1, dilation 1: every output "
        "sees three neighbours. Stride 2: an output for every second input. Dilation 2: an output "
        "sees every second of five inputs.",
        height=308,
    )
    kernel, inputs, step = 3, 10, 34
    for panel, (stride, dilation) in enumerate(((1, 1), (2, 1), (1, 2))):
        top = 102 * panel
        span = (kernel - 1) * dilation + 1
        said = f"*k* = {kernel}, *s* = {stride}, *d* = {dilation}: spans {span} inputs"
        drawing.text(27, 10 + top, said, anchor="start", bold=True)
        upper, lower = 32 + top, 78 + top
        ends = list(range(span - 1, inputs, stride))
        seen = [ends[-1] - tap * dilation for tap in range(kernel)]
        for end in ends:
            strong = end == ends[-1]
            for tap in range(kernel):
                points = ((27 + end * step, upper), (27 + (end - tap * dilation) * step, lower))
                drawing.line(*points, color=BLUE if strong else "currentColor",
                             width=2.2 if strong else 1, opacity=1 if strong else 0.4)  # fmt: skip
        for index in range(inputs):
            hit = index in seen
            drawing.dot(27 + index * step, lower, 6, color=BLUE if hit else "currentColor",
                        filled=hit)  # fmt: skip
        for end in ends:
            drawing.dot(27 + end * step, upper, 6, color=VERMILLION)
        if panel == 2:
            drawing.text(20, upper, "outputs", anchor="start", size=12)
            drawing.text(20, lower + 18, "inputs", anchor="start", size=12)
    return drawing.finished()


def transposed_convolution() -> Diagram:
    """Two inputs, each painting its own copy of the kernel; where copies overlap, they add."""
    kernel, stride, inputs = (1, 2, 2, 1), 2, (2, 3)
    keep = stride * len(inputs)
    painted = [
        [z * kernel[i - n * stride] if 0 <= i - n * stride < len(kernel) else 0 for i in range(6)]
        for n, z in enumerate(inputs)
    ]
    sums = [sum(column) for column in zip(*painted)]
    drawing = Drawing(
        "A transposed convolution paints",
        f"Kernel {kernel}, stride {stride}. Input {inputs[0]} paints {painted[0]}, input "
        f"{inputs[1]} paints {painted[1]}, {stride} samples later. Their sum is {sums}; of it the "
        f"first {keep} samples are kept and the last {len(sums) - keep} trimmed.",
        height=274,
    )
    drawing.text(14, 12, f"kernel *w* = {' '.join(map(str, kernel))}, *s* = {stride}",
                 anchor="start", bold=True)  # fmt: skip
    rows = ((78, f"*z*_{{0}} = {inputs[0]}", painted[:1], [BLUE]),
            (146, f"*z*_{{1}} = {inputs[1]}", painted[1:], [AMBER]),
            (240, "sum", painted, [BLUE, AMBER]))  # fmt: skip
    for base, name, layers, colors in rows:
        drawing.text(14, base - 18, name, anchor="start")
        drawing.line((76, base), (352, base), opacity=0.6)
        for index in range(6):
            x, y = 80 + 46 * index, float(base)
            for color, layer in zip(colors, layers):
                high = 7 * layer[index]
                kept = len(layers) == 1 or index < keep
                drawing.rect(x, y - high, 38, high, color, 1 if kept else 0.35)
                y -= high
            total = sum(layer[index] for layer in layers)
            if total:
                drawing.text(x + 19, y - 9, str(total))
    drawing.line((80 + 46 * keep - 4, 176), (80 + 46 * keep - 4, 272), dashed=True)
    drawing.text(80 + 46 * keep / 2 - 4, 260, f"kept: *s* · {len(inputs)} = {keep}")
    drawing.text(80 + 46 * (keep + 1) - 4, 260, f"*k* − *s* = {len(sums) - keep}")
    return drawing.finished()


def residual_block() -> Diagram:
    """The residual unit of SEANet: a look at the neighbours, added to what was there."""
    drawing = Drawing(
        "The residual block",
        "x with F channels goes two ways. One: ELU, a convolution of kernel size 3 with dilation d "
        "from F to F/2 channels, ELU, a convolution of kernel size 1 from F/2 to F. The other, the "
        "shortcut: a convolution of kernel size 1 from F to F. The sum of both is y.",
        height=318,
    )
    drawing.text(120, 12, "*x*   [*B*, *F*, *T*]")
    drawing.arrow((120, 24), (120, 58))
    drawing.box(30, 58, 180, 30, "ELU")
    drawing.arrow((120, 88), (120, 104))
    drawing.box(30, 104, 180, 46, "conv  *k* = 3, dilation *d*", "*F* → *F*/2 channels",
                color=BLUE, filled=True)  # fmt: skip
    drawing.arrow((120, 150), (120, 166))
    drawing.box(30, 166, 180, 30, "ELU")
    drawing.arrow((120, 196), (120, 212))
    drawing.box(30, 212, 180, 46, "conv  *k* = 1", "*F*/2 → *F* channels", color=BLUE, filled=True)
    drawing.arrow((120, 258), (120, 270))
    drawing.operation(120, 279, "+")
    drawing.arrow((120, 36), (288, 36), (288, 134))
    drawing.box(228, 134, 120, 46, "conv  *k* = 1", "*F* → *F* channels", color=AMBER, filled=True)
    drawing.text(296, 118, "shortcut", anchor="start")
    drawing.arrow((288, 180), (288, 279), (129, 279))
    drawing.arrow((120, 288), (120, 302))
    drawing.text(128, 307, "*y*   [*B*, *F*, *T*]", anchor="start")
    return drawing.finished()


def lstm_gates() -> Diagram:
    """One step of an LSTM: three gates between a line of memory and the new frame."""
    drawing = Drawing(
        "One step of an LSTM",
        "The memory, or cell, runs along the top. The forget gate, keep, multiplies what is old; "
        "the input gate, write, multiplies what is new, and the product is added; the output gate, "
        "show, multiplies tanh of the cell and gives the output h. All four see the new frame x "
        "and the last output h. So the new cell is keep times the old one plus write times new, "
        "and the new output is show times tanh of the new cell.",
        height=320,
    )
    columns = {"forget": 62, "input": 138, "new": 222, "output": 304}
    drawing.text(4, 16, "cell_{t−1}", anchor="start")
    drawing.line((4, 34), (53, 34), color=BLUE, width=3)
    drawing.line((71, 34), (171, 34), color=BLUE, width=3)
    drawing.arrow((189, 34), (356, 34), color=BLUE, width=3)
    drawing.text(348, 16, "cell_{t}", anchor="end")
    drawing.text(120, 18, "memory", size=12)
    drawing.operation(62, 34, "×")
    drawing.operation(180, 34, "+")
    drawing.operation(180, 100, "×")
    drawing.arrow((180, 91), (180, 43))
    drawing.arrow((304, 36), (304, 54))
    drawing.text(310, 63, "tanh", anchor="middle", size=12)
    drawing.arrow((304, 72), (304, 91))
    drawing.operation(304, 100, "×")
    drawing.arrow((313, 100), (348, 100))
    drawing.text(340, 84, "*h*_{t}")
    drawing.arrow((62, 150), (62, 43))
    drawing.arrow((138, 150), (138, 100), (171, 100))
    drawing.arrow((222, 150), (222, 100), (189, 100))
    drawing.arrow((304, 150), (304, 109))
    words = ("keep_{t}", "write_{t}", "new_{t}", "show_{t}")
    for (name, x), word in zip(columns.items(), words):
        drawing.text(x + 6, 132, word, anchor="start")
        color, squash = (VERMILLION, "tanh") if name == "new" else (GREEN, "*σ*")
        drawing.box(x - 33, 150, 66, 44, name, squash, color=color, filled=True)
        drawing.arrow((x, 222), (x, 194))
    drawing.line((40, 222), (304, 222))
    drawing.line((40, 246), (40, 222))
    drawing.text(4, 256, "*x*_{t} and *h*_{t−1}: seen by all four", anchor="start")
    drawing.text(180, 284, "cell_{t} = keep_{t} · cell_{t−1} + write_{t} · new_{t}")
    drawing.text(180, 308, "*h*_{t} = show_{t} · tanh cell_{t}")
    return drawing.finished()


def stream_state() -> Diagram:
    """What a causal convolution keeps from one piece of a stream for the next."""
    kernel, pieces, cell, left = 4, (4, 3, 2), 28, 12
    kept = kernel - 1
    drawing = Drawing(
        "The state of a stream",
        f"A causal convolution of kernel size {kernel} and stride 1 takes nine samples in pieces "
        f"of 4, 3 and 2. Before the first piece stand {kept} zeros; before each other one stand "
        f"the last {kept} samples of the piece before: that is the state. So every output sees "
        "what it would see in the whole clip.",
        height=272,
    )
    begin = 0
    colors = (SKY, BLUE, GREEN)
    for piece, (size, color) in enumerate(zip(pieces, colors)):
        y = 28 + 70 * piece
        for sample in range(begin - kept, begin + size):
            x = left + (sample + kept) * cell
            label = f"*x*_{{{sample}}}" if sample >= 0 else "0"
            old = AMBER if sample >= 0 else None
            drawing.cell(x, y, cell, label, old if sample < begin else color, height=26)
        middle = left + (begin + size / 2 + kept) * cell
        drawing.text(middle, y - 12, f"piece {piece + 1}", bold=True)
        begin += size
        if piece < 2:
            middle = left + (begin - kept / 2 + kept) * cell
            first, last = middle - 1.5 * cell + 2, middle + 1.5 * cell - 2
            drawing.line((first, y + 29), (first, y + 34), (last, y + 34), (last, y + 29))
            drawing.arrow((middle, y + 34), (middle, y + 66), color=AMBER, width=2.5)
            drawing.text(middle - 8, y + 50, f"state: {kept} samples", size=12, anchor="end")
    sample = 0
    for size, color in zip(pieces, colors):
        for _ in range(size):
            x = left + (sample + kept) * cell
            drawing.cell(x, 228, cell, f"*y*_{{{sample}}}", color, height=26)
            sample += 1
    drawing.text(left + 1.5 * cell, 241, "outputs", size=12)
    return drawing.finished()
