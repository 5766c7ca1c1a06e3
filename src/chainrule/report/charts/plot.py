"""A plot with two axes, to which series are added one by one."""

from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import ArrayLike, NDArray

from chainrule.number_texts import plain
from chainrule.report.charts.scales import Scale
from chainrule.report.markup import Html, coordinate, element, join

Format = Callable[[float], str]
Range = tuple[float, float]

# More points than a screen can show would only make the file larger.
_MOST_POINTS = 400

UNIT = (0.0, 1.0)
TENTHS = (0.0, 0.2, 0.4, 0.6, 0.8, 1.0)

# Average width of a letter in the axes' font, in pixels.
_LETTER = 7.2


class Plot:
    """A plot; the class of a series ("network", "linear", …) determines its colour.

    Parameters
    ----------
    x, y : (float, float)
        The ranges of the axes.
    x_label, y_label : str
    width, height : float
        In CSS pixels at full size.
    x_format, y_format : callable
        Functions from a tick's value to its text.
    x_ticks, y_ticks : sequence of float, optional
        The ticks' values; by default round ones.
    logarithmic : bool
        Whether the y axis is logarithmic.
    """

    def __init__(
        self,
        x: Range,
        y: Range,
        *,
        x_label: str = "",
        y_label: str = "",
        width: float = 480,
        height: float = 320,
        x_format: Format = plain,
        y_format: Format = plain,
        x_ticks: Sequence[float] | None = None,
        y_ticks: Sequence[float] | None = None,
        logarithmic: bool = False,
    ) -> None:
        self.width, self.height = width, height
        top, right, bottom = 14.0, 16.0, 50.0 if x_label else 28.0
        self.y = Scale(*y, height - bottom, top, logarithmic)
        ups = [(tick, y_format(tick)) for tick in (self.y.ticks(5) if y_ticks is None else y_ticks)]
        left = (32 if y_label else 12) + _LETTER * max((len(shown) for _, shown in ups), default=1)
        self.x = Scale(*x, left, width - right)
        most = 6 if width < 700 else 12
        across = self.x.ticks(most) if x_ticks is None else x_ticks
        self._marks: list[Html] = []
        self._frame = self._axes(x_label, y_label, [(tick, x_format(tick)) for tick in across], ups)

    def line(self, x: ArrayLike, y: ArrayLike, series: str) -> None:
        """Add a line through points."""
        places = np.column_stack([self.x(x), self.y(y)])
        path = path_through(places[kept_points(places, _MOST_POINTS)])
        self._marks.append(element("path", d=path, class_=f"line {series}"))

    def step_area(self, edges: ArrayLike, heights: ArrayLike, series: str) -> None:
        """Add a histogram as a filled outline."""
        x, y = self.x(edges), self.y(heights)
        base = float(self.y(self.y.low))
        corners = np.column_stack(
            [np.repeat(x, 2), np.concatenate([[base], np.repeat(y, 2), [base]])]
        )
        self._marks.append(element("path", d=path_through(corners) + "Z", class_=f"area {series}"))

    def dots(self, x: ArrayLike, y: ArrayLike, series: str, radius: ArrayLike = 4.0) -> None:
        """Add a dot for each point, with one radius for all or one for each."""
        places = np.column_stack([np.atleast_1d(self.x(x)), np.atleast_1d(self.y(y))])
        radii = np.broadcast_to(np.asarray(radius, np.float64), len(places))
        self._marks += [
            element("circle", cx=across, cy=up, r=size, class_=f"dot {series}")
            for (across, up), size in zip(places.tolist(), radii.tolist(), strict=True)
        ]

    def cloud(self, x: ArrayLike, y: ArrayLike, series: str, radius: float = 2.0) -> None:
        """Add many dots as a single SVG path, which keeps the file small."""
        path = "".join(
            f"M{coordinate(float(across))} {coordinate(float(up))}h0"
            for across, up in zip(self.x(x), self.y(y), strict=True)
        )
        self._marks.append(
            element("path", d=path, class_=f"cloud {series}", stroke_width=2 * radius)
        )

    def cells(
        self, x_edges: ArrayLike, y_edges: ArrayLike, shares: NDArray[np.float64], series: str
    ) -> None:
        """Add a shaded cell for each positive share, (len(x_edges) − 1, len(y_edges) − 1)."""
        x, y = self.x(x_edges), self.y(y_edges)
        for column, row in zip(*np.nonzero(shares > 0), strict=True):
            self._marks.append(
                element(
                    "rect",
                    x=float(x[column]),
                    y=float(y[row + 1]),
                    width=float(x[column + 1] - x[column]),
                    height=float(y[row] - y[row + 1]),
                    class_=f"cell {series}",
                    fill_opacity=float(0.12 + 0.88 * shares[column, row]),
                )
            )

    def whiskers(self, x: ArrayLike, low: ArrayLike, high: ArrayLike, series: str) -> None:
        """Add vertical intervals."""
        path = "".join(
            f"M{coordinate(float(at))} {coordinate(float(below))}V{coordinate(float(above))}"
            for at, below, above in zip(self.x(x), self.y(low), self.y(high), strict=True)
        )
        self._marks.append(element("path", d=path, class_=f"whisker {series}"))

    def bars(self, edges: ArrayLike, heights: ArrayLike, series: str) -> None:
        """Add a bar for each bin of `edges`, (bins, 2)."""
        pairs = np.asarray(edges, np.float64)
        left, right, top = self.x(pairs[:, 0]), self.x(pairs[:, 1]), self.y(heights)
        base = float(self.y(self.y.low))
        for start, end, height in zip(left, right, top, strict=True):
            self._marks.append(
                element(
                    "rect",
                    x=float(start) + 1,
                    y=float(height),
                    width=max(float(end - start) - 2, 1.0),
                    height=base - float(height),
                    class_=f"bar {series}",
                )
            )

    def vertical(self, x: float, label: str = "") -> None:
        """Add a dotted vertical line with a label beside its top."""
        at = float(self.x(x))
        self._marks.append(
            element("line", x1=at, x2=at, y1=self.y.start, y2=self.y.end, class_="guide")
        )
        if label:
            right = at > (self.x.start + self.x.end) / 2
            self._marks.append(
                element(
                    "text",
                    label,
                    x=at + (-6.0 if right else 6.0),
                    y=self.y.end + 10,
                    text_anchor="end" if right else "start",
                    class_="note",
                )
            )

    def guide(self, x: ArrayLike, y: ArrayLike) -> None:
        """Add a dotted reference line: what a perfect, or a useless, model would give."""
        self._marks.append(
            element("path", d=path_through(np.column_stack([self.x(x), self.y(y)])), class_="guide")
        )

    def svg(self, label: str) -> Html:
        """Return the plot; `label` describes it in words for screen readers."""
        return svg(self.width, self.height, label, self._frame, *self._marks)

    def _axes(
        self,
        x_label: str,
        y_label: str,
        x_ticks: Sequence[tuple[float, str]],
        y_ticks: Sequence[tuple[float, str]],
    ) -> Html:
        parts = []
        left, right, bottom = self.x.start, self.x.end, self.y.start
        for tick, shown in y_ticks:
            at = float(self.y(tick))
            parts.append(element("line", x1=left, x2=right, y1=at, y2=at, class_="grid"))
            parts.append(element("text", shown, x=left - 8, y=at + 4, text_anchor="end"))
        for tick, shown in x_ticks:
            at = float(self.x(tick))
            parts.append(element("line", x1=at, x2=at, y1=bottom, y2=bottom + 4, class_="axis"))
            parts.append(element("text", shown, x=at, y=bottom + 18, text_anchor="middle"))
        parts.append(element("line", x1=left, x2=right, y1=bottom, y2=bottom, class_="axis"))
        if x_label:
            middle = (left + right) / 2
            parts.append(
                element(
                    "text", x_label, x=middle, y=bottom + 40, text_anchor="middle", class_="label"
                )
            )
        if y_label:
            turned = f"translate(14 {coordinate((bottom + self.y.end) / 2)}) rotate(-90)"
            parts.append(
                element("text", y_label, transform=turned, text_anchor="middle", class_="label")
            )
        return element("g", *parts, class_="axes")


def unit_square(x_label: str, y_label: str) -> Plot:
    """Return a plot of two quantities from 0 to 1."""
    return Plot(
        UNIT,
        (0.0, 1.0),
        x_label=x_label,
        y_label=y_label,
        x_ticks=TENTHS,
        y_ticks=TENTHS,
        height=360,
    )


def svg(width: float, height: float, label: str, *marks: object, class_: str = "chart") -> Html:
    """Return an SVG picture with a description for screen readers."""
    return element(
        "svg",
        *marks,
        view_box=f"0 0 {coordinate(width)} {coordinate(height)}",
        width=coordinate(width),
        height=coordinate(height),
        role="img",
        aria_label=label,
        class_=class_,
    )


def path_through(places: NDArray[np.float64]) -> str:
    """Return the SVG path through points in pixels, (n, 2)."""
    return "M" + "L".join(f"{coordinate(x)} {coordinate(y)}" for x, y in places.tolist())


def kept_points(places: NDArray[np.float64], most: int) -> NDArray[np.intp]:
    """Return the indices of the points to keep: both ends, and others evenly along the line."""
    if len(places) <= most:
        return np.arange(len(places))
    lengths = np.abs(np.diff(places, axis=0)).sum(axis=1)
    along = np.append(0.0, np.cumsum(lengths))
    wanted = np.linspace(0, along[-1], most)
    return np.unique(np.append(np.searchsorted(along, wanted[:-1]), len(places) - 1))


def legend(*entries: tuple[str, str]) -> Html:
    """Return a legend of (series, name) entries."""
    items = [
        element("li", element("span", class_=f"swatch {series}", aria_hidden="true"), name)
        for series, name in entries
    ]
    return element("ul", join(items), class_="legend")
