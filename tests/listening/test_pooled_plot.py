"""The picture of a class's test."""

import matplotlib.pyplot as plt

from minicodec.listening.abx_result import AbxResult
from minicodec.listening.pooled import Heard, Pooled, Rated
from minicodec.listening.pooled_plot import plotted


def test_every_listener_is_a_point_and_the_line_is_where_p_is_small():
    results = {"$a$": AbxResult(5, 12, 0.8), "b": AbxResult(12, 12, 0.0002)}
    figure = plotted(Pooled(2, ["a", "b"], {}, [Heard("Which $x$?", results, {}, {})]))
    (ax,) = figure.axes
    points = [tuple(line.get_xdata()) for line in ax.lines if line.get_marker() == "o"]
    assert points == [(5,), (12,)]
    assert {float(line.get_xdata()[0]) for line in ax.lines} >= {6.0, 10.0}
    figure.canvas.draw()  # names with dollars are no formulas
    plt.close(figure)


def test_tests_without_listeners_leave_their_place_empty():
    figure = plotted(Pooled(0, [], {}, [Rated("a", None, {}, []), Heard("b", {}, {}, {})]))
    assert [ax.axison for ax in figure.axes] == [False, False]
    plt.close(figure)
