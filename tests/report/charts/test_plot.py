import xml.etree.ElementTree as ET

import numpy as np

from chainrule.report.charts.heat import heat_map
from chainrule.report.charts.plot import Plot, kept_points
from chainrule.report.charts.scales import Scale
from chainrule.report.charts.small import bar_with_interval, interval_dot, small_bars

HOSTILE = "</svg><script>alert(1)</script>\"'&"


def texts(picture):
    return [node.text for node in ET.fromstring(picture).iter() if node.tag.endswith("text")]


def test_a_line_goes_through_its_points():
    plot = Plot((0, 10), (0, 100), x_label="x", y_label="y")
    plot.line([0, 5, 10], [0, 50, 100], "network")
    (line,) = [
        node for node in ET.fromstring(plot.svg("a")).iter() if node.get("class") == "line network"
    ]
    corners = [tuple(map(float, pair.split())) for pair in line.get("d")[1:].split("L")]
    (left, bottom), middle, (right, top) = corners
    assert middle == ((left + right) / 2, (bottom + top) / 2)
    assert bottom > top  # up is up


def test_a_long_line_keeps_its_ends_and_its_jumps():
    x = np.linspace(0, 100, 10_000)
    y = np.where(np.arange(10_000) == 5_000, 80.0, 0.0)
    kept = kept_points(np.column_stack([x, y]), 200)
    assert len(kept) <= 200
    assert kept[0] == 0
    assert kept[-1] == 9_999
    assert 5_000 in kept


def test_a_long_line_without_length_keeps_its_ends():
    kept = kept_points(np.zeros((1000, 2)), 100)
    assert kept[0] == 0
    assert kept[-1] == 999


def test_axes_and_ticks_are_named():
    plot = Plot((0, 1), (0, 1), x_label="Recall", y_label="Precision")
    shown = texts(plot.svg("a"))
    assert {"Recall", "Precision", "0", "0.2", "1"} <= set(shown)


def test_whatever_a_table_holds_a_picture_stays_one():
    pictures = [
        Plot((0, 1), (0, 1), x_label=HOSTILE, y_label=HOSTILE).svg(HOSTILE),
        heat_map(np.eye(2), [HOSTILE, "b"], ["a", HOSTILE], [["1", ""]] * 2, HOSTILE, "a", "b"),
        small_bars([1, 2, 0], HOSTILE),
        bar_with_interval(0.5, (0.4, 0.6), (0, 1), HOSTILE),
        interval_dot(0.5, 0.4, 0.6, Scale(0, 1, 0, 100), "network", HOSTILE),
    ]
    for picture in pictures:
        assert "<script" not in picture
        assert ET.fromstring(picture).get("aria-label") == HOSTILE


def test_every_picture_says_what_it_shows():
    root = ET.fromstring(small_bars([1, 2], "Distribution of x"))
    assert root.get("role") == "img"
    assert root.get("aria-label") == "Distribution of x"


def test_a_score_that_is_not_defined_has_no_dot():
    scale = Scale(0, 1, 0, 100)
    assert "circle" not in interval_dot(*[float("nan")] * 3, scale, "network", "none")


def test_bars_of_nothing_can_be_drawn():
    ET.fromstring(small_bars([0, 0], "nothing"))
    ET.fromstring(small_bars([], "nothing"))


def test_a_bar_whose_interval_contains_0_is_an_outline():
    for interval, kind in (((0.1, 0.9), "network"), ((-0.1, 0.9), "noise"), ((0, 0), "noise")):
        bar = bar_with_interval(0.5, interval, (-1, 1), "x")
        assert f"bar {kind}" in bar
    assert "bar validation" in bar_with_interval(-0.5, (-0.9, -0.1), (-1, 1), "x")
