"""Every diagram: readable on a phone, in light and dark, and told to those who cannot see it."""

import inspect
import re
from functools import cache
from itertools import combinations
from xml.etree import ElementTree

import pytest
from matplotlib.font_manager import FontProperties, findfont, get_font

from minicodec import diagrams
from minicodec.sound.drawing import WIDTH, Diagram
from minicodec.sound.plotting import COLORS

SVG = "{http://www.w3.org/2000/svg}"
PARTS = ["samples", "encoder", "latents", "quantizer", "codes", "decoder", "copy", "losses",
         "discriminator", "balancer", "entropy coder", "language model", "bitstream",
         "listener"]  # fmt: skip
SMALL = ["padding", "stride_and_dilation", "transposed_convolution", "residual_block",
         "lstm_gates", "stream_state", "nearest_code", "residual_levels", "mel_scales",
         "stft_discriminator", "gradient_paths", "range_interval", "language_model_step",
         "frame_in_bitstream", "masking", "uncertainty", "split_quantizer"]  # fmt: skip
ALL = ["system", *SMALL]


@cache
def picture(name: str) -> ElementTree.Element:
    return ElementTree.fromstring(getattr(diagrams, name)().svg)


def width_of(text: str, size: float, bold: bool, slanted: bool) -> float:
    """In DejaVu Sans, the widest of the fonts that pages are shown in."""
    look = {"weight": "bold" if bold else "normal", "style": "oblique" if slanted else "normal"}
    font = get_font(findfont(FontProperties(family="DejaVu Sans", **look)))
    font.set_size(100, 72)
    font.set_text(text)
    return font.get_width_height()[0] / 64 * size / 100


def texts(root: ElementTree.Element) -> list[tuple[str, tuple[float, float, float, float]]]:
    """Each text with the corners of the place it takes: left, top, right, bottom."""
    found = []
    for element in root.iter(f"{SVG}text"):
        size = float(element.get("font-size", root.get("font-size")))
        bold, wide = element.get("font-weight") is not None, 0.0

        def add(node, size, slanted, bold=bold):
            slanted = slanted or node.get("font-style") == "italic"
            size = float(node.get("font-size", size))
            total = width_of(node.text or "", size, bold, slanted)
            for child in node:
                total += add(child, size, slanted) + width_of(child.tail or "", size, bold, slanted)
            return total

        wide = add(element, size, False)
        x, y = float(element.get("x")), float(element.get("y"))
        left = x - {"start": 0, "middle": wide / 2, "end": wide}[element.get("text-anchor")]
        corners = (left, y - 0.75 * size, left + wide, y + 0.22 * size)
        if turned := element.get("transform"):
            cx, cy = map(float, re.findall(r"[\d.]+", turned)[1:])
            corners = (cx - size / 2, cy - wide / 2, cx + size / 2, cy + wide / 2)
        found.append(("".join(element.itertext()), corners))
    return found


def corners_of(element: ElementTree.Element) -> tuple[float, float, float, float]:
    get = {
        key: float(element.get(key, 0)) for key in ("x", "y", "width", "height", "cx", "cy", "r")
    }
    if element.tag == f"{SVG}rect":
        return get["x"], get["y"], get["x"] + get["width"], get["y"] + get["height"]
    if element.tag == f"{SVG}circle":
        return (get["cx"] - get["r"], get["cy"] - get["r"], get["cx"] + get["r"],
                get["cy"] + get["r"])  # fmt: skip
    places = [tuple(map(float, p.split(","))) for p in element.get("points").split()]
    return (min(x for x, _ in places), min(y for _, y in places),
            max(x for x, _ in places), max(y for _, y in places))  # fmt: skip


def inside(inner, outer, slack=0.0) -> bool:
    return (inner[0] >= outer[0] - slack and inner[1] >= outer[1] - slack
            and inner[2] <= outer[2] + slack and inner[3] <= outer[3] + slack)  # fmt: skip


def test_the_module_offers_what_chapters_ask_for():
    functions = [name for name, value in inspect.getmembers(diagrams, inspect.isfunction)]
    assert sorted(functions) == sorted(ALL)
    for name in ALL:
        assert isinstance(getattr(diagrams, name)(), Diagram)


@pytest.mark.parametrize("name", ALL)
def test_a_diagram_is_told_in_words(name):
    root = picture(name)
    assert root.get("role") == "img"
    assert len(root.get("aria-label")) > 100 and root.get("aria-label").endswith(".")
    assert "*" not in root.get("aria-label") and "_{" not in root.get("aria-label")
    assert root.find(f"{SVG}title").text


@pytest.mark.parametrize("name", ALL)
def test_a_page_may_hold_it_twice(name):
    """No ids that would be the same, no links to them, and no rules for the whole page."""
    assert not re.search(r"\bid=|url\(|href|<style|class=", getattr(diagrams, name)().svg)


@pytest.mark.parametrize("name", ALL)
def test_letters_are_read_on_a_phone(name):
    root = picture(name)
    assert float(root.get("viewBox").split()[2]) == WIDTH == 360
    for element in root.iter(f"{SVG}text"):
        assert float(element.get("font-size", root.get("font-size"))) >= 12
        for span in element.iter(f"{SVG}tspan"):
            assert float(span.get("font-size", 12)) > 9  # an index
        assert float(element.get("opacity", 1)) >= 0.75


@pytest.mark.parametrize("name", ALL)
def test_everything_is_inside(name):
    root = picture(name)
    page = (0, 0, *map(float, root.get("viewBox").split()[2:]))
    for text, corners in texts(root):
        assert inside(corners, page), f"{text!r} sticks out: {corners}"
    for element in root:
        if element.tag in (f"{SVG}rect", f"{SVG}circle", f"{SVG}polygon", f"{SVG}polyline"):
            assert inside(corners_of(element), page), ElementTree.tostring(element)


@pytest.mark.parametrize("name", ALL)
def test_no_text_lies_on_another(name):
    for (one, a), (other, b) in combinations(texts(picture(name)), 2):
        apart = a[2] <= b[0] or b[2] <= a[0] or a[3] <= b[1] or b[3] <= a[1]
        assert apart, f"{one!r} and {other!r}"


@pytest.mark.parametrize("name", ALL)
def test_text_that_begins_in_a_box_ends_there(name):
    root = picture(name)
    boxes = [corners_of(rect) for rect in root.iter(f"{SVG}rect")]
    for text, corners in texts(root):
        middle = ((corners[0] + corners[2]) / 2, (corners[1] + corners[3]) / 2) * 2
        for box in boxes:
            if inside(middle, box):
                assert inside(corners, box), f"{text!r} is wider than its box"


@pytest.mark.parametrize("name", ALL)
def test_colours_are_read_on_light_and_dark(name):
    """Those of the book, and the page's own. Black and white are for letters on them."""
    for element in picture(name).iter():
        for paint in (element.get("fill"), element.get("stroke")):
            letters = element.tag == f"{SVG}text"
            allowed = {
                None,
                "none",
                "currentColor",
                *COLORS,
                *(("#000", "#fff") if letters else ()),
            }
            assert paint in allowed


@pytest.mark.parametrize("part", PARTS)
def test_every_part_can_be_lit(part):
    diagram = diagrams.system(part)
    assert diagram.description.endswith(f"In colour here: {part}.")
    filled = [r for r in ElementTree.fromstring(diagram.svg).iter(f"{SVG}rect")
              if r.get("fill") != "none"]  # fmt: skip
    assert len(filled) == 1
    inner = [t for t, corners in texts(ElementTree.fromstring(diagram.svg))
             if inside(corners, corners_of(filled[0]))]  # fmt: skip
    assert " ".join(inner).startswith(part)


def test_all_parts_are_lit_if_none_is_named():
    rects = picture("system").findall(f"{SVG}rect")
    assert len(rects) == len(PARTS) and all(r.get("fill") != "none" for r in rects)
    assert "In colour" not in str(diagrams.system())


def test_an_unknown_part():
    with pytest.raises(ValueError, match=r"no part 'judge'; the parts are samples, .*listener\.$"):
        diagrams.system("encoder", "judge")


def test_arrows_of_the_system_touch_their_boxes():
    """An arrow begins and ends at the edge of a box, or at the line that feeds both losses."""
    root = picture("system")
    boxes = [corners_of(rect) for rect in root.iter(f"{SVG}rect")]

    def touches(x, y):
        return x == 6 or any(
            (x in (box[0], box[2]) and box[1] <= y <= box[3])
            or (y in (box[1], box[3]) and box[0] <= x <= box[2])
            for box in boxes
        )

    tips = [head.get("points").split()[0] for head in root.iter(f"{SVG}polygon")]
    legend = 2
    loose = [tip for tip in tips if not touches(*map(float, tip.split(",")))]
    assert len(loose) == legend
