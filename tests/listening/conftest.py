"""A notebook to show things in."""

import pytest

from minicodec.listening import live, microphone


class Shown(list):
    """What was displayed, in place of a notebook."""

    def html(self) -> str:
        return "".join(str(getattr(each, "data", "")) for each in self)


@pytest.fixture
def displayed(monkeypatch) -> Shown:
    """What is displayed, wherever this runs."""
    shown = Shown()
    monkeypatch.setattr("IPython.display.display", lambda *objects: shown.extend(objects))
    return shown


@pytest.fixture
def shown(displayed, monkeypatch) -> Shown:
    """The same in a notebook with a kernel, as far as our code can tell."""
    for module in (live, microphone):
        monkeypatch.setattr(module, "has_kernel", lambda: True)
    return displayed
