"""Charts small enough for a table's cell."""

import numpy as np
from numpy.typing import ArrayLike

from chainrule.report.charts.plot import svg
from chainrule.report.charts.scales import Scale
from chainrule.report.markup import Html, coordinate, element

_WIDTH, _HEIGHT = 132.0, 30.0


def small_bars(heights: ArrayLike, label: str, gap: float = 0.5) -> Html:
    """Return a bar chart without axes, which shows the shape of a distribution."""
    values = np.asarray(heights, np.float64)
    top = values.max(initial=0) or 1.0
    step = _WIDTH / max(1, len(values))
    path = ""
    for index, value in enumerate(values):
        if value <= 0:
            continue
        height = max(1.0, float(value / top) * (_HEIGHT - 1))  # a single row stays visible
        path += (
            f"M{coordinate(index * step)} {coordinate(_HEIGHT - height)}"
            f"h{coordinate(step - gap)}V{coordinate(_HEIGHT)}h{coordinate(gap - step)}Z"
        )
    base = element("line", x1=0, x2=_WIDTH, y1=_HEIGHT - 0.5, y2=_HEIGHT - 0.5, class_="axis")
    return svg(
        _WIDTH, _HEIGHT, label, element("path", d=path, class_="bar small"), base, class_="spark"
    )


def bar_with_interval(
    value: float, interval: tuple[float, float], ends: tuple[float, float], label: str
) -> Html:
    """Return a bar from 0 to `value` with a whisker over its interval, on the range of `ends`.

    The bar is only an outline if the interval contains 0.
    """
    width, height = 420.0, 20.0
    scale = Scale(*ends, 2.0, width - 2)
    zero, end = float(scale(0.0)), float(scale(value))
    start, stop = (float(scale(one)) for one in interval)
    noise = interval[0] <= 0 <= interval[1]
    kind = "noise" if noise else "network" if value > 0 else "validation"
    return svg(
        width,
        height,
        label,
        element(
            "rect",
            x=min(zero, end),
            y=4,
            width=abs(end - zero),
            height=height - 8,
            rx=1.5,
            class_=f"bar {kind}",
        ),
        element("line", x1=zero, x2=zero, y1=0, y2=height, class_="axis"),
        element(
            "line",
            x1=start,
            x2=stop,
            y1=height / 2,
            y2=height / 2,
            class_=f"whisker {'small' if noise else 'ink'}",
        ),
        class_="rowbar",
    )


def interval_dot(
    value: float, low: float, high: float, scale: Scale, series: str, label: str
) -> Html:
    """Return a dot with its interval on a scale that several such charts share."""
    height = 22.0
    parts = [element("line", x1=scale.start, x2=scale.end, y1=11, y2=11, class_="grid")]
    if low == low:
        parts.append(
            element(
                "line",
                x1=float(scale(low)),
                x2=float(scale(high)),
                y1=11,
                y2=11,
                class_=f"interval {series}",
            )
        )
    if value == value:
        parts.append(
            element("circle", cx=float(scale(value)), cy=11, r=5.5, class_=f"dot {series}")
        )
    return svg(scale.end + scale.start, height, label, *parts, class_="rowbar")
