"""What is drawn is SVG that says what it shows, in letters and colours that any page can show."""

import re
from xml.etree import ElementTree

import pytest

from minicodec.sound.drawing import BLUE, INK, Diagram, Drawing, ink_on
from minicodec.sound.plotting import COLORS

SVG = "{http://www.w3.org/2000/svg}"


def drawn(draw) -> ElementTree.Element:
    drawing = Drawing("A title", "What it shows.", height=100)
    draw(drawing)
    return ElementTree.fromstring(drawing.finished().svg)


def test_a_diagram_says_what_it_shows():
    diagram = Drawing('Less < more & "so"', 'Left < right & "up".', height=50).finished()
    root = ElementTree.fromstring(diagram.svg)
    assert root.get("role") == "img"
    assert root.get("aria-label") == str(diagram) == repr(diagram) == 'Left < right & "up".'
    assert root.find(f"{SVG}title").text == 'Less < more & "so"'
    assert root.get("viewBox") == "0 0 360 50"


def test_a_notebook_shows_the_picture_and_text_shows_the_description():
    diagram = Drawing("A title", "What it shows.", height=50).finished()
    bundle = diagram._repr_mimebundle_(include=None, exclude=None)
    assert bundle == {"text/html": diagram._repr_html_(), "text/plain": "What it shows."}
    assert diagram.svg in bundle["text/html"]
    assert "tex2jax_ignore" in bundle["text/html"] and "mathjax_ignore" in bundle["text/html"]


def test_a_diagram_does_not_change():
    diagram = Diagram("<svg/>", "Nothing.")
    with pytest.raises(AttributeError):
        diagram.svg = ""


@pytest.mark.parametrize(
    ("label", "shown"),
    [("plain", "plain"), ("*x* and y", "x and y"), ("*c*_{t−1}", "ct−1"),
     ("2^{10} bits", "210 bits"), ("a < b & c", "a < b & c"), ("a * b", "a * b"),
     ("a_b", "a_b"), ("", "")],
)  # fmt: skip
def test_labels_keep_all_their_letters(label, shown):
    text = drawn(lambda d: d.text(0, 0, label)).find(f"{SVG}text")
    assert "".join(text.itertext()) == shown


def test_what_was_lowered_is_set_back():
    text = drawn(lambda d: d.text(0, 0, "*c*_{t−1} + *x*^{2}")).find(f"{SVG}text")
    shifts = [float(span.get("dy", 0)) for span in text]
    assert shifts[1] > 0 and sum(shifts[:3]) == pytest.approx(0)
    assert shifts[-1] < 0
    slanted = [s.text for s in text.iter(f"{SVG}tspan") if s.get("font-style") == "italic"]
    assert slanted == ["c", "t", "x"]


def test_an_arrow_ends_where_it_points():
    root = drawn(lambda d: d.arrow((10, 10), (10, 50), (60, 50)))
    head, line = root.find(f"{SVG}polygon"), root.find(f"{SVG}polyline")
    assert head.get("points").split()[0] == "60,50"
    assert line.get("points") == "10,10 10,50 53,50"


def test_an_arrow_with_two_heads():
    root = drawn(lambda d: d.arrow((10, 10), (60, 10), both=True))
    tips = {head.get("points").split()[0] for head in root.findall(f"{SVG}polygon")}
    assert tips == {"10,10", "60,10"}
    assert root.find(f"{SVG}polyline").get("points") == "17,10 53,10"


def test_letters_on_a_colour_are_read():
    def light(color: str) -> float:
        parts = [int(color[i : i + 2], 16) / 255 for i in (1, 3, 5)]
        return sum(
            w * ((p + 0.055) / 1.055) ** 2.4 for w, p in zip((0.2126, 0.7152, 0.0722), parts)
        )

    for color in COLORS:
        ink = {"#000": 0.0, "#fff": 1.0}[ink_on(color)]
        bright, dark = max(ink, light(color)), min(ink, light(color))
        assert (bright + 0.05) / (dark + 0.05) > 4.5, color


def test_a_box_holds_its_lines_in_the_middle():
    root = drawn(lambda d: d.box(10, 20, 100, 40, "one", "two", color=BLUE, filled=True))
    first, second = root.findall(f"{SVG}text")
    assert {first.get("x"), second.get("x")} == {"60"}
    assert {first.get("fill"), second.get("fill")} == {"#fff"}
    assert (float(first.get("y")) + float(second.get("y"))) / 2 == pytest.approx(40, abs=6)


def test_an_empty_box_has_letters_in_the_colour_of_the_page():
    root = drawn(lambda d: d.box(10, 20, 100, 40, "one", color=BLUE))
    assert root.find(f"{SVG}text").get("fill") == INK
    assert root.find(f"{SVG}rect").get("fill") == "none"


def test_a_turned_label_turns_about_its_place():
    text = drawn(lambda d: d.text(30, 40, "down", turned=True)).find(f"{SVG}text")
    assert text.get("transform") == "rotate(90 30 40)"


def test_signs_and_cells():
    root = drawn(lambda d: (d.operation(20, 20, "+"), d.operation(50, 20, "×")))
    assert len(root.findall(f"{SVG}circle")) == 2 and len(root.findall(f"{SVG}polyline")) == 4
    plain = drawn(lambda d: d.cell(0, 0, 30, "0", None)).find(f"{SVG}rect")
    assert plain.get("stroke-dasharray") and plain.get("fill") == "none"
    filled = drawn(lambda d: d.cell(0, 0, 30, "0", BLUE, height=20)).find(f"{SVG}rect")
    assert (filled.get("fill"), filled.get("height")) == (BLUE, "20")


def test_numbers_are_short():
    points = drawn(lambda d: d.line((1 / 3, 2.0), (10.504, 1e-9))).find(f"{SVG}polyline")
    assert re.fullmatch(r"0\.33,2 10\.5,0", points.get("points"))
