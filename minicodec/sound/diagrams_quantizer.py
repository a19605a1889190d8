"""Support: diagrams of vector quantization, for chapters 05 and 06. `diagrams` offers them."""

import math

from minicodec.sound.drawing import BLUE, GREEN, SKY, VERMILLION, Diagram, Drawing, Point

#: A codebook of five vectors and a latent, in a plane.
CODEBOOK: list[Point] = [(-1.3, 0.6), (-0.6, -0.8), (0.2, 0.7), (0.9, -0.4), (1.6, 0.7)]
LATENT: Point = (0.75, 0.25)
#: A latent that three levels of eight vectors each approximate; the lengths of their vectors.
TARGET: Point = (1.5, 0.62)
LENGTHS = (1.25, 0.5, 0.2)


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
        drawing.text(x, y - 15, f"*e*_{{{index}}}", bold=index == chosen)
    drawing.line(at(CODEBOOK[chosen]), at(LATENT), color=VERMILLION, width=2.5)
    drawing.dot(*at(CODEBOOK[chosen]), 5, color=BLUE)
    x, y = at(LATENT)
    drawing.dot(x, y, 5, color=VERMILLION)
    drawing.text(x + 12, y - 2, "*z*", anchor="start", bold=True)
    drawing.text(6, 240, f"nearest: *e*_{{{chosen}}}, so the code is {chosen}", anchor="start")
    drawing.text(6, 260, f"error: |*z* − *e*_{{{chosen}}}| = {distances[chosen]:.2f}",
                 anchor="start")  # fmt: skip
    drawing.line((186, 260), (216, 260), color=VERMILLION, width=2.5)
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
        height=340,
    )  # fmt: skip
    scale, origin = 190, (22, 158)

    def at(point: Point) -> Point:
        return origin[0] + scale * point[0], origin[1] - scale * point[1]

    for center, length in zip(path, LENGTHS):
        for turn in range(8):
            angle = 2 * math.pi * turn / 8
            end = at((center[0] + length * math.cos(angle), center[1] + length * math.sin(angle)))
            if 0 < end[0] < 356 and 4 < end[1] < 196:
                drawing.line(at(center), end, width=1, opacity=0.3)
    for level, color in enumerate((BLUE, GREEN, VERMILLION)):
        drawing.arrow(at(path[level]), at(path[level + 1]), color=color, width=2.6)
    drawing.dot(*at(TARGET), 5)
    x, y = at(TARGET)
    drawing.text(x + 14, y - 6, "*z*", bold=True)
    drawing.dot(*at((0, 0)), 3)
    names = ("*r*_{1} = *z*", "*r*_{2} = *r*_{1} − *e*_{1}", "*r*_{3} = *r*_{2} − *e*_{2}",
             "*r*_{4} = *r*_{3} − *e*_{3}")  # fmt: skip
    colors = (None, BLUE, GREEN, VERMILLION)
    for row, (name, norm, color) in enumerate(zip(names, norms, colors)):
        y = 224 + 32 * row
        drawing.text(6, y, name, anchor="start")
        drawing.rect(124, y - 8, 110 * norm, 16, color or "currentColor", 1 if color else 0.6)
        drawing.text(130 + 110 * norm, y, f"{norm:.2f}", anchor="start")
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


def _chain() -> tuple[list[Point], list[Point], list[int]]:
    """Residuals before each level and after the last, the sums on the way, and the codes."""
    left_over, path, codes = [TARGET], [(0.0, 0.0)], []
    for length in LENGTHS:
        book = [
            (length * math.cos(2 * math.pi * turn / 8), length * math.sin(2 * math.pi * turn / 8))
            for turn in range(8)
        ]
        x, y = left_over[-1]
        code = min(range(8), key=lambda turn: math.dist(book[turn], (x, y)))
        ex, ey = book[code]
        codes.append(code)
        left_over.append((x - ex, y - ey))
        path.append((path[-1][0] + ex, path[-1][1] + ey))
    return left_over, path, codes
