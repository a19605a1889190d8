"""What blind tests share on a page is there for each of them, and nothing on it is markup."""

import torch

from minicodec.listening import abx, mushra
from minicodec.listening.blind import blind_fragment
from minicodec.listening.fragment import script

RATE = 24000


def noise() -> torch.Tensor:
    return 0.1 * torch.randn(1, 1, RATE // 10)


def test_without_scripts_a_sentence_says_what_is_missing():
    for test in (abx(noise(), noise(), RATE), mushra({"a": noise()}, noise(), RATE)):
        page = test._repr_html_()
        assert page.index("needs scripts, which are off") < page.index("<audio controls")


def test_a_figure_holds_the_scripts_of_its_mode_and_no_others():
    def page(mode, *scripts):
        return blind_fragment(mode, "A", "<ol></ol>", "", scripts=scripts, data={"trials": "5"})

    assert 'role="group" data-minicodec="abx" data-trials="5"' in page("abx")
    for mode, other in (("abx", "mushra"), ("mushra", "abx")):
        assert f'boot("{mode}"' in page(mode) and f'boot("{other}"' not in page(mode)
        assert page(mode).count("<script>") == 1
    assert script("store")[10:100] in page("mushra", "store")
    assert script("store")[10:100] not in page("abx")


def test_what_was_done_to_levels_is_said_as_text():
    page = blind_fragment("abx", "", "", "brought to “<b>”", scripts=(), data={})
    assert '<p class="mc-note">Levels: brought to “&lt;b&gt;”.</p>' in page
    assert 'mc-note">' not in blind_fragment("abx", "", "", "", scripts=(), data={})
