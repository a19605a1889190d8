"""Support: diagrams of vector quantization, for chapters 05, 06 and 16b, offered by `diagrams`."""

import math

from minicodec.sound.drawing import BLUE, GREEN, INK, SKY, VERMILLION, Diagram, Drawing, Point

#: A codebook of five vectors and a latent, in a plane.
CODEBOOK: list[Point] = [(-1.3, 0.6), (-0.6, -0.8), (0.2, 0.7), (0.9, -0.4), (1.6, 0.7)]
LATENT: Point = (1.2, -0.12)
#: A latent that three levels of eight vectors each approximate, and their lengths and directions.
TARGET: Point = (1.81, 0.72)
LENGTHS, TURNS = (1.1, 0.6, 0.33), (0.15, 0.55, 0.3)


def nearest_code() -> Diagram:
    """A plane divided among five codebook vectors, a latent, and its nearest."""
    distances = [math.dist(LATENT, vector) for vector in CODEBOOK]
    chosen = distances.index(min(distances))
    drawing = Drawing(
        "The nearest code",
        f"Five codebook vectors divide the plane: each has the region that is nearer to it than to "
        f"the others. The latent z lies in the region of vector {chosen}, at a distance of "
        f"{distances[chosen]:.2f}; so its code is {chosen}.",
        height=268,
    )
    scale, middle, height = 100, (165, 112), (-1.1, 1.1)
    frame = [(-1.62, height[0]), (1.92, height[0]), (1.92, height[1]), (-1.62, height[1])]

    def at(point: Point) -> Point:
        return middle[0] + scale * point[0], middle[1] - scale * point[1]

    for index in range(len(CODEBOOK)):
        region = [at(corner) for corner in _region(index, frame)]
        drawing.polygon(region, color=SKY, opacity=0.45 if index == chosen else 0.06, edge=True)
    for index, vector in enumerate(CODEBOOK):
        x, y = at(vector)
        drawing.dot(x, y, 5, color=BLUE)
        said = f"*e*_{{{index}}}: {distances[index]:.2f}"
        drawing.text(x, y + 16, said, bold=index == chosen)
    drawing.line(at(CODEBOOK[chosen]), at(LATENT), color=VERMILLION, width=2.5)
    drawing.dot(*at(CODEBOOK[chosen]), 5, color=BLUE)
    x, y = at(LATENT)
    drawing.dot(x, y, 5, color=VERMILLION)
    drawing.text(x, y - 15, "*z*", bold=True)
    drawing.text(6, 240, "numbers: how far each vector is from *z*", anchor="start", size=12)
    drawing.text(6, 258, f"*e*_{{{chosen}}} is nearest: the code is {chosen}, the line its error",
                 anchor="start", size=12)  # fmt: skip
    return drawing.finished()


def residual_levels() -> Diagram:
    """Three levels, each with a vector for what the levels before it left over."""
    left_over, path, codes = _chain()
    norms = [math.hypot(*residual) for residual in left_over]
    drawing = Drawing(
        "Residual levels",
        "A latent z is approached by three vectors, one from each level's codebook, laid one after "
        "another. What is left over has length "
        + ", then ".join(f"{norm:.2f}" for norm in norms) + ".",
        height=354,
    )  # fmt: skip
    scale, origin = 100, (118, 122)

    def at(point: Point) -> Point:
        return origin[0] + scale * point[0], origin[1] - scale * point[1]

    for level, color in enumerate((BLUE, GREEN, VERMILLION)):
        (x, y), book = path[level], _book(level)
        ring = [at((x + dx, y + dy)) for dx, dy in book]
        drawing.line(*ring, ring[0], width=1, opacity=0.3)
        for end in ring:
            drawing.dot(*end, 3, color=color)
    besides = ((-18, 16), (2, 16), (-13, -4))
    for level, (color, (dx, dy)) in enumerate(zip((BLUE, GREEN, VERMILLION), besides)):
        start, end = at(path[level]), at(path[level + 1])
        drawing.arrow(start, end, color=color, width=2.4)
        x, y = (start[0] + end[0]) / 2 + dx, (start[1] + end[1]) / 2 + dy
        drawing.text(x, y, f"*e*_{{{level + 1}}}", size=12)
    x, y = at(TARGET)
    drawing.dot(x, y, 5, filled=False)
    drawing.text(x + 14, y, "*z*", bold=True)
    drawing.dot(*at((0, 0)), 3)
    names = ("*r*_{1} = *z*", "*r*_{2} = *r*_{1} − *e*_{1,c₁}", "*r*_{3} = *r*_{2} − *e*_{2,c₂}",
             "*r*_{4} = *r*_{3} − *e*_{3,c₃}")  # fmt: skip
    for row, (name, norm, bar) in enumerate(zip(names, norms, (INK, BLUE, GREEN, VERMILLION))):
        y = 262 + 26 * row
        drawing.text(6, y, name, anchor="start")
        drawing.rect(124, y - 8, 95 * norm, 16, bar, 0.6 if bar == INK else 1)
        drawing.text(130 + 95 * norm, y, f"{norm:.2f}", anchor="start")
    return drawing.finished()


def split_quantizer() -> Diagram:
    """One semantic codebook beside a chain of acoustic ones, and a teacher for the first."""
    drawing = Drawing(
        "The split quantizer",
        "The latent z goes two ways. One: a projection, one semantic codebook, a projection back. "
        "The other: a projection, a chain of acoustic codebooks, a projection back. The sum of "
        "both goes to the decoder. In training, the vector of the semantic branch is compared with "
        "that of a teacher that hears the same sound, by the cosine of the angle between them.",
        height=318,
    )
    drawing.text(185, 12, "*z*   [*B*, *D*, *T*′]")
    ways = ((85, ("semantic", "1 codebook"), GREEN), (285, ("acoustic", "a chain of 7"), BLUE))
    for x, lines, color in ways:
        drawing.arrow((185, 22), (185, 32), (x, 32), (x, 48))
        drawing.box(x - 60, 48, 120, 28, "project")
        drawing.arrow((x, 76), (x, 92))
        drawing.box(x - 60, 92, 120, 46, *lines, color=color, filled=True)
        drawing.arrow((x, 138), (x, 154))
        drawing.box(x - 60, 154, 120, 28, "project")
        side = -9 if x < 185 else 9
        drawing.arrow((x, 182), (x, 212), (185 + side, 212))
    drawing.operation(185, 212, "+")
    drawing.arrow((185, 221), (185, 248))
    drawing.text(193, 254, "to the decoder", anchor="start")
    drawing.box(25, 276, 120, 34, "teacher", dashed=True, color=VERMILLION)
    drawing.arrow((85, 276), (85, 216), color=VERMILLION, dashed=True, both=True)
    drawing.text(92, 246, "cosine", anchor="start", size=12)
    drawing.text(153, 293, "hears the same sound, in training", anchor="start", size=12)
    return drawing.finished()


def _region(index: int, frame: list[Point]) -> list[Point]:
    """The part of the frame that is nearer to a codebook vector than to the others."""
    region = frame
    ax, ay = CODEBOOK[index]
    for other, (bx, by) in enumerate(CODEBOOK):
        if other == index:
            continue

        def beyond(p: Point, bx: float = bx, by: float = by) -> float:
            return math.dist(p, (ax, ay)) ** 2 - math.dist(p, (bx, by)) ** 2

        kept: list[Point] = []
        for start, end in zip(region, region[1:] + region[:1]):
            s, e = beyond(start), beyond(end)
            if s <= 0:
                kept.append(start)
            if (s <= 0) != (e <= 0):
                share = s / (s - e)
                kept.append((start[0] + share * (end[0] - start[0]),
                             start[1] + share * (end[1] - start[1])))  # fmt: skip
        region = kept
    return region


def _book(level: int) -> list[Point]:
    """The codebook of a level: eight vectors of one length."""
    angles = [TURNS[level] + math.pi * turn / 4 for turn in range(8)]
    return [(LENGTHS[level] * math.cos(a), LENGTHS[level] * math.sin(a)) for a in angles]


def _chain() -> tuple[list[Point], list[Point], list[int]]:
    """Residuals before each level and after the last, the sums on the way, and the codes."""
    left_over, path, codes = [TARGET], [(0.0, 0.0)], []
    for level in range(len(LENGTHS)):
        book = _book(level)
        x, y = left_over[-1]
        code = min(range(8), key=lambda turn: math.dist(book[turn], (x, y)))
        ex, ey = book[code]
        codes.append(code)
        left_over.append((x - ex, y - ey))
        path.append((path[-1][0] + ex, path[-1][1] + ey))
    return left_over, path, codes
