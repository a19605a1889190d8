"""The players in JupyterLab with a live kernel: they play, and the controls reach Python."""

import json
import os
import re
import secrets
import shutil
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator

import pytest
import torch
from browsing import (
    BROWSERS,
    FLAGS,
    HANGS,
    chosen,
    launched,
    let_go,
    new_context,
    place,
    playing,
    unavailable,
    wait_until_it_plays,
)

from minicodec.listening import Condition, abx, compare

pytestmark = pytest.mark.browser

# The browser brings a microphone that beeps once a second.
WAIT = 0.1  # seconds between two looks at whether the server is there
MICROPHONE = ["--use-fake-device-for-media-stream", "--use-fake-ui-for-media-stream"]
# The player behind the slider has another name in the place of this one.
NEXT = """label => {
    const names = document.querySelectorAll(".jp-CodeCell:nth-child(2) .minicodec-player .mc-name");
    return names.length > 1 && names[names.length - 1].textContent !== label;
}"""
CELLS = [
    """import torch
from minicodec import listening
from minicodec.model.codec import Codec
from minicodec.model.config import CodecConfig
tone = 0.3 * torch.sin(torch.arange(48000) * 0.1)
listening.compare({"$one$": tone, "two": tone / 2}, 24000, "Two tones for $5 or $6")""",
    """config = CodecConfig(n_filters=2, dimension=8, bandwidths=(1.5, 3.0), codebook_size=16)
codec = Codec(config).eval()
listening.bandwidths(codec, tone[None, None])""",
    "voice = listening.record(seconds=1)",
    "files = listening.upload()",
    """from IPython.display import HTML
rows = [dict(listener="$x$", item="a", condition=c, rating=99) for c in ("reference", "$b$")]
listening.analyse(rows)""",
    "HTML('<p>A formula, for this is a place where some are: $x^2$</p>')",
    "print('heard', voice.ready, files.ready)",
]


def strangers_cells() -> list[dict]:
    """Cells that somebody else has run: JupyterLab lets none of their scripts run."""
    tone = 0.3 * torch.sin(torch.arange(24000) * 0.1)
    sounds = {"minicodec 1.5": Condition(tone / 2, 1.68, "SI-SDR 3 dB"),
              "original": Condition(tone, 384), "bare": tone}  # fmt: skip
    players = [compare(sounds, 24000, "Three"), abx(tone, -tone, 24000)]
    return [
        {"cell_type": "code", "id": f"s{i}", "metadata": {}, "source": "", "execution_count": 1,
         "outputs": [{"output_type": "execute_result", "execution_count": 1, "metadata": {},
                      "data": {"text/html": player._repr_html_()}}]}
        for i, player in enumerate(players)
    ]  # fmt: skip


@pytest.fixture(scope="module")
def lab(tmp_path_factory) -> Iterator[str]:
    """Address of a notebook, not yet run, in a JupyterLab of its own."""
    if next((p for p in map(shutil.which, BROWSERS) if p), None) is None:
        unavailable(f"no browser found; install one of {', '.join(BROWSERS)}")
    pytest.importorskip("jupyterlab")
    folder = tmp_path_factory.mktemp("lab")
    cells = [
        {"cell_type": "code", "id": f"c{i}", "metadata": {}, "source": source, "outputs": [],
         "execution_count": None}
        for i, source in enumerate(CELLS)
    ]  # fmt: skip
    kernel = {"display_name": "Python 3", "language": "python", "name": "python3"}
    notebook = {"metadata": {"kernelspec": kernel}, "nbformat": 4, "nbformat_minor": 5}
    (folder / "test.ipynb").write_text(json.dumps(notebook | {"cells": cells}))
    (folder / "strangers.ipynb").write_text(json.dumps(notebook | {"cells": strangers_cells()}))
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    token = secrets.token_hex(8)
    command = [
        sys.executable, "-m", "jupyterlab", "--no-browser", f"--port={port}", "--ip=127.0.0.1",
        f"--ServerApp.root_dir={folder}", f"--IdentityProvider.token={token}",
        "--allow-root", "--LabApp.collaborative=False",
    ]  # fmt: skip
    env = os.environ | {
        "JUPYTER_CONFIG_DIR": str(folder / "config"),
        "JUPYTERLAB_WORKSPACES_DIR": str(folder / "workspaces"),
        "JUPYTERLAB_SETTINGS_DIR": str(folder / "settings"),
    }
    log = (folder / "log").open("w")
    server = subprocess.Popen(command, env=env, stdout=log, stderr=log)
    address = f"http://127.0.0.1:{port}"
    for _ in range(round(HANGS / 1000 / WAIT)):
        try:
            urllib.request.urlopen(f"{address}/api?token={token}", timeout=HANGS / 1000)
            break
        except OSError:
            if server.poll() is not None:
                break
            time.sleep(WAIT)
    if server.poll() is not None:
        raise AssertionError((folder / "log").read_text()[-2000:])
    yield f"{address}/lab/tree/test.ipynb?token={token}"
    server.terminate()
    server.wait(HANGS / 1000)


@pytest.fixture(scope="module")
def notebook(lab) -> Iterator:
    """The page of the notebook, all cells run."""
    for browser in launched(FLAGS + MICROPHONE):
        page = new_context(browser, viewport={"width": 1200, "height": 1600}).new_page()
        page.goto(lab)
        page.locator(".jp-Notebook .jp-Cell").first.wait_for()
        page.get_by_text("Python 3 (ipykernel) | Idle").wait_for()
        page.get_by_role("menuitem", name="Run", exact=True).click()
        page.get_by_role("menuitem", name="Run All Cells", exact=True).click()
        page.get_by_text("heard False False").wait_for()
        yield page


def test_compare_plays_and_its_keys_leave_the_notebook_alone(notebook):
    player = notebook.locator(".minicodec-player").first
    player.get_by_role("button", name="Play").click()
    wait_until_it_plays(player)
    cells = notebook.locator(".jp-Notebook .jp-Cell").count()
    for key in ("2", "a", "b", "m", "ArrowDown", "1", "2"):
        notebook.keyboard.press(key)
    assert chosen(player) == [1]
    assert "turned up by 6.0 dB" in player.locator(".mc-legend").inner_text()
    assert notebook.locator(".jp-Notebook .jp-Cell").count() == cells
    assert notebook.locator(".jp-MarkdownCell").count() == 0


def test_dollars_in_titles_and_labels_are_no_formulas(notebook):
    notebook.locator(".jp-CodeCell").nth(5).locator("mjx-container").wait_for()
    player = notebook.locator(".minicodec-player").first
    assert player.locator("figcaption").inner_text() == "Two tones for $5 or $6"
    assert player.locator(".mc-name").first.inner_text() == "$one$"
    assert "$b$" in notebook.locator(".jp-CodeCell").nth(4).locator("pre").last.inner_text()
    assert notebook.locator("mjx-container").count() == 1


def test_a_slider_runs_the_codec_again(notebook):
    cell = notebook.locator(".jp-CodeCell").nth(1)
    assert cell.locator(".minicodec-player").count() == 1
    cell.locator(".widget-slider:has-text('damaged bits') .noUi-handle").press("ArrowRight")
    player = cell.locator(".minicodec-player").nth(1)
    player.get_by_text("1 damaged bit").first.wait_for()
    player.locator(".mc-choice").nth(1).click()
    wait_until_it_plays(player)


def test_the_next_move_of_a_slider_keeps_choice_and_place(notebook):
    """Once silent, once while it plays: the sound goes on in the next player."""
    cell = notebook.locator(".jp-CodeCell").nth(1)
    slider = cell.locator(".widget-slider:has-text('damaged bits') .noUi-handle")
    player = cell.locator(".minicodec-player").nth(1)
    label = None
    if player.count():  # the test before has left it there, and playing
        if playing(player):
            player.locator(".mc-play").click()
        label = player.locator(".mc-name").nth(1).inner_text()
    slider.press("ArrowRight")
    notebook.wait_for_function(NEXT, arg=label)
    player.locator(".mc-choice").nth(1).click()
    player.get_by_role("button", name="Loop").click()  # so that it ends on no machine, however slow
    wait_until_it_plays(player, beyond=0.3)
    player.locator(".mc-play").click()
    stopped, label = place(player), player.locator(".mc-name").nth(1).inner_text()

    def moved():
        slider.press("ArrowRight")
        notebook.wait_for_function(NEXT, arg=label)
        return chosen(player)

    assert moved() == [1] and place(player) == stopped and not playing(player)
    label = player.locator(".mc-name").nth(1).inner_text()
    player.locator(".mc-play").click()
    wait_until_it_plays(player, beyond=stopped)
    let_go(notebook)
    assert moved() == [1]
    wait_until_it_plays(player, beyond=stopped)


def test_without_trust_a_list_reads_right_and_says_what_trust_brings(notebook, lab):
    page = notebook.context.new_page()
    page.goto(lab.replace("test.ipynb", "strangers.ipynb"))
    outputs = page.locator(".jp-OutputArea-output")
    outputs.locator("audio").nth(4).wait_for()
    text = outputs.first.inner_text().replace("\N{NO-BREAK SPACE}", " ")
    assert [line for line in text.splitlines() if line][2:] == [
        "minicodec 1.5: 1.68 kbps, SI-SDR 3 dB", "original: 384 kbps", "bare"
    ]  # fmt: skip
    assert "“Trust Notebook”) for one player" in text
    assert "“Trust Notebook”) for the test" in outputs.nth(1).inner_text()
    lasts = outputs.first.locator("audio").first.evaluate(
        "audio => new Promise(known => { audio.readyState ? known(audio.duration)"
        " : audio.addEventListener('loadedmetadata', () => known(audio.duration)) })"
    )
    assert lasts == 1
    page.get_by_text("Python 3 (ipykernel) | Idle").wait_for()
    page.keyboard.press("Control+Shift+C")
    page.locator(".jp-ModalCommandPalette input").fill("Trust Notebook")
    page.locator(".lm-CommandPalette-item", has_text="Trust Notebook").first.click()
    page.get_by_role("button", name="Trust").click()
    player = page.locator(".minicodec-player").first
    player.get_by_role("button", name="Play").click()
    wait_until_it_plays(player)
    assert "Scripts are off" not in player.inner_text()
    page.close()


def test_a_voice_reaches_python(notebook):
    cell = notebook.locator(".jp-CodeCell").nth(2)
    cell.get_by_role("button", name="Record").click()
    # A busy machine's microphone may lose a little.
    cell.get_by_text(re.compile(r"(0\.[5-9]|1\.0) seconds received")).wait_for()


def test_a_file_reaches_python(notebook, tmp_path):
    import soundfile

    soundfile.write(tmp_path / "a.wav", 0.1 * torch.randn(12000).numpy(), 24000)
    cell = notebook.locator(".jp-CodeCell").nth(3)
    with notebook.expect_file_chooser() as chooser:
        cell.get_by_role("button", name="Choose a file").click()
    chooser.value.set_files(tmp_path / "a.wav")
    cell.get_by_text("0.5 seconds received").wait_for()
