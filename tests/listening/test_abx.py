"""ABX: p is exact, the page holds the two sounds and not the answers, wrong input is refused."""

import re

import pytest
import torch
from scipy import stats

from minicodec.listening import abx, abx_p_value

RATE = 24000


def noise(seconds: float = 0.1) -> torch.Tensor:
    return 0.1 * torch.randn(1, 1, round(seconds * RATE))


@pytest.mark.parametrize("trials", [1, 5, 12, 16, 100])
def test_p_is_that_of_an_exact_binomial_test(trials):
    for correct in range(trials + 1):
        expected = stats.binomtest(correct, trials, 0.5, alternative="greater").pvalue
        assert abx_p_value(correct, trials) == pytest.approx(expected, rel=1e-9)


def test_p_counts_every_way_to_be_that_lucky():
    assert abx_p_value(10, 12) == (66 + 12 + 1) / 4096
    assert abx_p_value(0, 12) == 1


@pytest.mark.parametrize(("correct", "trials"), [(13, 12), (-1, 12), (0, 0)])
def test_impossible_counts_are_refused(correct, trials):
    with pytest.raises(ValueError, match=f"{correct} of {trials}"):
        abx_p_value(correct, trials)


def test_the_page_holds_two_sounds_in_the_order_given_and_no_answer():
    page = abx(noise(), noise(), RATE, trials=12)._repr_html_()
    assert re.findall(r'class="mc-label">([^<]+)<', page) == ["A", "B"]
    assert page.count("base64,") == 2, "X must not be a third sound in the page"
    assert 'data-trials="12"' in page and "getRandomValues" in page
    assert page == page.replace("http", ""), "a page that asks the network"


def test_the_same_sounds_make_the_same_page():
    a, b = noise(), noise()
    assert abx(a, b, RATE)._repr_html_() == abx(a, b, RATE)._repr_html_()


def test_a_title_is_only_text(tmp_path):
    page = abx(noise(), noise(), RATE, title='"><script>alert(1)</script>')
    for text in (page._repr_html_(), page.save(tmp_path / "x.html").read_text()):
        assert text.count("<script>") == 1


def test_loudness_can_be_matched_and_the_page_says_so():
    a = noise(1)
    page = abx(a, a / 4, RATE, match_loudness=True)._repr_html_()
    assert "brought to the loudness of “A”" in page
    flac = re.findall(r"base64,([^\"]+)", page)
    assert abs(len(flac[0]) - len(flac[1])) < 0.01 * len(flac[0])


@pytest.mark.parametrize(
    ("a", "b", "options", "words"),
    [
        (noise(0.1), noise(0.2), {}, "length alone would tell"),
        (noise(), torch.full((1, 1, 2400), torch.nan), {}, "'B' cannot be played"),
        (torch.zeros(1, 1, 0), noise(), {}, "'A' cannot be played"),
        (noise(), noise(), {"trials": 0}, "from 1 to 100, not 0"),
        (noise(), noise(), {"trials": 101}, "from 1 to 100, not 101"),
        (noise(), noise(), {"trials": 2.5}, "not 2.5"),
        (noise(), noise(), {"trials": True}, "not True"),
    ],
)
def test_wrong_input_is_refused_in_one_sentence(a, b, options, words):
    with pytest.raises(ValueError, match=re.escape(words)):
        abx(a, b, RATE, **options)
