"""What becomes a slide, by rule, on small notebooks; and where slides are written."""

import io
import tarfile

import notebooks
import npm_package
import pytest
import slide_prose
import slide_views
import slides
from slide_prose import Block
from slide_rules import build_of, slides_of

HEAD = """# 05 Vectors

[![Open in Colab](badge.svg)](https://colab.example)

| You will build | You will hear | Time | You need |
|---|---|---|---|
| a search | speech | 65 minutes | chapter 03 |

<details><summary>Minutes by section</summary>

| Section | Minutes |
|---|---|
| Opening | 2 |

</details>

A file holds bits."""


def markdown(source, **metadata):
    return {"cell_type": "markdown", "source": source, "metadata": metadata}


def code(source, *outputs, **metadata):
    return {"cell_type": "code", "source": source, "outputs": outputs, "metadata": metadata}


def printed(text):
    return {"output_type": "stream", "name": "stdout", "text": text}


def shown(markup):
    return {"output_type": "display_data", "data": {"text/html": markup}}


PLAYER = '<figure class="minicodec-player" data-minicodec="compare"></figure>'


def deck(*cells):
    return slides_of({"cells": [markdown(HEAD), *cells]})


def kinds(slides):
    return [slide.kind for slide in slides]


def test_the_head_is_the_title_and_the_rest_of_it_a_slide():
    title, text = deck()
    assert title.kind == "title" and title.heading == "05 Vectors"
    assert "<dt>You will hear</dt><dd>speech</dd>" in title.body
    assert text.body == "<p>A file holds bits.</p>\n"
    assert "Opening" not in title.body + text.body and "65" not in title.body


def test_each_heading_and_each_output_has_a_slide_of_its_own():
    found = deck(
        markdown("## Listen\n\nA sentence in few latents:"),
        code("compare(x)", shown(PLAYER)),
        markdown("Two vectors say little.\n\n### Closer\n\nMore."),
    )
    assert kinds(found) == ["title", "text", "player", "text", "text"]
    assert [slide.heading for slide in found[2:]] == ["Listen", "Listen", "Closer"]
    assert [slide.section for slide in found] == [0, 0, 1, 1, 1]
    lead = '<div class="lead"><p>A sentence in few latents:</p>\n</div>'
    assert found[2].body == lead + PLAYER
    assert "compare(x)" in found[2].notes[-1]


def test_code_is_shown_only_where_it_is_the_build():
    assert build_of("import x\n\n\ndef my_sum(a):\n    return a\n\n\nprint(my_sum(1))", [], "") == (
        "def my_sum(a):\n    return a"
    )
    helper = "def helper(a):\n    return a"
    assert build_of(helper, [], "Listen first") == ""
    assert build_of(helper, [], "Build: the help") == helper
    assert build_of("%pip install x\nclass MyBlock:\n    pass", [], "") == (
        "class MyBlock:\n    pass"
    )
    assert build_of("bits = None  # your answer", ["exercise"], "") != ""


def test_a_line_or_two_stay_with_the_code_and_a_table_gets_a_slide():
    few = deck(markdown("## B"), code("def my_a():\n    pass", printed("agrees\n")))
    assert kinds(few)[2:] == ["code"] and "agrees" in few[2].body
    many = deck(markdown("## B"), code("def my_a():\n    pass", printed("1\n2\n3\n4\n")))
    assert kinds(many)[2:] == ["code", "printed"]
    alone = deck(markdown("## B\n\nOne claim."), code("print(7)", printed("7\n")))
    assert kinds(alone)[2:] == ["text"] and ">7</code>" in alone[2].body


def test_a_long_table_is_cut_between_its_parts():
    rows = [*(["row"] * 12), "", *(["other"] * 12)]
    found = deck(markdown("## B"), code("show()", printed("\n".join(rows))))
    assert kinds(found)[2:] == ["printed", "printed"]
    assert "other" not in found[2].body and "row" not in found[3].body
    sizes = [len(body.split("\n")) for body in (found[2].body, found[3].body)]
    assert sizes == [12, 12]


def test_a_solution_comes_with_the_next_key():
    source = "def f(x):\n    ### BEGIN SOLUTION\n    y = x\n    return y\n    ### END SOLUTION"
    (body,) = slide_views.code_html(source, room=20)
    assert "SOLUTION" not in body
    first, *answer = body.split("\n")
    assert "fragment" not in first
    assert [line.count('data-fragment-index="0"') for line in answer] == [1, 1]


def test_an_answer_that_goes_on_over_a_slide_is_not_hidden_there():
    lines = [f"    y{i} = {i}" for i in range(30)]
    source = "\n".join(["def f():", "    ### BEGIN SOLUTION", *lines, "    ### END SOLUTION"])
    first, *others = slide_views.code_html(source, room=20)
    assert "fragment" in first and others
    assert not any("fragment" in other for other in others)


def test_long_code_is_cut_where_it_begins_anew():
    source = "\n\n".join(f"def f{i}():\n" + "    pass\n" * 8 for i in range(4)).strip()
    bodies = slide_views.code_html(source, room=24)
    assert sum(body.count("def</span>") for body in bodies) == 4
    assert all(body.count("\n") < 24 for body in bodies)
    assert all(body.split("<code>")[1].startswith('<span class="k">def') for body in bodies)


@pytest.mark.parametrize("tag", ["setup", "check", "solution", "instructor"])
def test_what_is_not_for_a_lecture_is_left_out(tag):
    assert kinds(deck(code("def my_a(): pass", printed("1"), tags=[tag]))) == ["title", "text"]


def test_exercises_quiz_reading_recorders_and_folded_text_are_left_out():
    recorder = '<figure class="minicodec-player" data-minicodec="recorder"></figure>'
    found = deck(
        code("recorder()", shown(recorder)),
        markdown("## Exercises\n\n1. Paper."),
        code("def my_a(): pass", printed("1"), tags=["exercise"]),
        markdown("## Quiz\n\n<details><summary>Why?</summary>\n\nSo.\n\n</details>"),
        markdown(
            "## After it\n\nSeen. <br>\n\n<details><summary>Why?</summary>\n\nNo.\n\n</details>"
        ),
    )
    assert [slide.heading for slide in found] == ["05 Vectors", "05 Vectors", "After it"]
    assert "No." not in found[-1].body


def test_a_cell_may_say_what_the_rule_gets_wrong():
    long = "The first. " + "A second sentence says more of it than a slide can hold. " * 6
    assert long.count("second") > deck(markdown(f"## B\n\n{long}"))[2].body.count("second") > 0
    whole = {"slideshow": {"slide_type": "slide"}}
    assert deck(markdown(f"## B\n\n{long}", **whole))[2].body.count("second") == 6
    assert "plot" in deck(code("plot()", **whole))[-1].body
    skip = {"slideshow": {"slide_type": "skip"}}
    without = deck(markdown("## B\n\nNot this.", **skip), code("f()", shown("<b>"), **skip))
    assert kinds(without) == ["title", "text"]
    notes = {"slideshow": {"slide_type": "notes"}}
    last = deck(markdown("## B\n\nSeen."), markdown("## C"), markdown("Said.", **notes))[-1]
    assert "Said." in last.notes[-1] and "Said." not in last.body
    with pytest.raises(ValueError, match='cell 1 has the slide_type "fragment"; skip, notes'):
        deck(markdown("x", slideshow={"slide_type": "fragment"}))


def test_a_notebook_keeps_what_its_cells_say_to_the_slides(tmp_path):
    cell = markdown("x", slideshow={"slide_type": "skip"}, collapsed=True)
    notebook = notebooks.clean({"cells": [cell, markdown("y", slideshow={"slide_type": "-"})]})
    assert [c["metadata"] for c in notebook["cells"]] == [{"slideshow": {"slide_type": "skip"}}, {}]
    path = tmp_path / "x.ipynb"
    notebooks.write(path, notebook)
    assert notebooks.from_text(notebooks.to_text(path)) == notebook


def test_condensed_prose_keeps_what_defines_and_what_leads():
    text = (
        "It could learn from the gradient, as everything else in this network does, slowly. "
        "Nobody needs to know this sentence at all. "
        "A running mean does it instead. This is an **average that forgets**. "
        "(An aside that nobody reads from afar, however long it goes on here.) "
        "With two totals:"
    )
    assert slide_prose.condensed(Block("paragraph", text)).text == (
        "It could learn from the gradient, as everything else in this network does, slowly. "
        "Nobody needs to know this sentence at all. "
        "A running mean does it instead. This is an **average that forgets**. With two totals:"
    )
    item = "* **Alone.** It stays where it is, for nothing calls it away from there at all. "
    item += "And so on, and so on, with many more words than anyone who sits at the back wants."
    assert slide_prose.condensed(Block("list", item)).text.endswith("there at all.")


def test_links_into_the_book_are_words_and_formulas_are_left_to_mathjax():
    text = '[terms](../book/glossary.md#t "A (word).") of $a<b$, and [a page](https://x.org/a).'
    assert slide_prose.as_html(text) == (
        '<p>terms of <span class="whole"><span class="math inline">\\(a&lt;b\\)</span>,</span> '
        'and <a href="https://x.org/a">a page</a>.</p>\n'
    )


def test_what_stands_for_an_object_is_not_shown_and_long_lines_are_broken():
    plain = {"output_type": "execute_result", "data": {"text/plain": "<object at 0x1>"}}
    assert slide_views.outputs_of(code("x", plain)) == []
    (output,) = slide_views.outputs_of(code("x", printed("word " * 40)))
    assert output.lines == 2 and max(map(len, output.body.split("\n"))) <= slide_views.WIDTH


def test_a_folder_of_others_is_not_emptied(tmp_path, capsys, monkeypatch):
    diary = tmp_path / "diary.txt"
    diary.write_text("dear")
    monkeypatch.setattr("sys.argv", ["slides.py", str(tmp_path)])
    assert slides.main() == 1
    assert "holds something else than slides" in capsys.readouterr().out
    assert diary.read_text() == "dear"


def test_chapters_that_were_not_run_are_named(tmp_path, capsys, monkeypatch):
    monkeypatch.setattr(slides, "executed_by_book", lambda path: None)
    monkeypatch.setattr("sys.argv", ["slides.py", str(tmp_path / "new")])
    assert slides.main() == 1
    assert "05_vector_quantization, " in (said := capsys.readouterr().out)
    assert said.endswith("run: make chapters\n") and not (tmp_path / "new").exists()


def test_without_npm_the_reason_is_one_sentence(tmp_path, capsys, monkeypatch):
    notebook = tmp_path / "own.ipynb"
    notebooks.write(notebook, notebooks.clean({"cells": [markdown(HEAD)]}))

    def missing(*_):
        raise npm_package.PackageMissing("reveal.js, for there was no npm to bring it")

    monkeypatch.setattr(npm_package, "fetched", missing)
    monkeypatch.setattr("sys.argv", ["slides.py", str(tmp_path / "new"), str(notebook)])
    assert slides.main() == 1
    assert capsys.readouterr().out == (
        "The slides need reveal.js, for there was no npm to bring it.\n"
    )


def test_a_deck_names_only_files_that_lie_beside_it(tmp_path, monkeypatch):
    archive = io.BytesIO()
    with tarfile.open(fileobj=archive, mode="w:gz") as package:
        for name in slides.PARTS:
            package.addfile(tarfile.TarInfo(f"package/{name}"), io.BytesIO())
    kept = tmp_path / "reveal.tgz"
    kept.write_bytes(archive.getvalue())
    monkeypatch.setattr(npm_package, "fetched", lambda *_: kept)
    notebook = tmp_path / "own.ipynb"
    notebooks.write(notebook, notebooks.clean({"cells": [markdown(HEAD)]}))
    folder = tmp_path / "new"
    assert slides.lay_out(folder, [notebook]) == {"own": 2}
    assert slides.lay_out(folder, [notebook]) == {"own": 2}, "not written over itself"
    for page in ("own.html", "index.html"):
        for soup in slides_links(folder / page):
            assert (folder / soup).exists(), soup


def slides_links(page):
    from bs4 import BeautifulSoup

    soup = BeautifulSoup(page.read_text(), "html.parser")
    found = [tag.get("src") or tag.get("href") for tag in soup.find_all(["script", "link", "a"])]
    return [name for name in found if name]
