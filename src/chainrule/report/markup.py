"""HTML and SVG from nested calls: everything that is not markup already is escaped.

`Html` is only made by `element`, `text` and `join`, so no value of a table can become markup by
mistake.
"""

import html
import re
from collections.abc import Iterable

from chainrule.printable import printable

_VOID = frozenset({"br", "meta", "link", "img", "hr", "wbr"})


class Html(str):
    """Text that is markup."""

    __slots__ = ()


def text(value: object) -> Html:
    """Return a value as escaped text; control and invisible characters become visible escapes."""
    if isinstance(value, Html):
        return value
    return Html(html.escape(printable(value, keep="\n\t")))


def join(parts: Iterable[object], separator: str = "") -> Html:
    """Concatenate parts, each escaped unless it is markup."""
    return Html(text(separator).join(text(part) for part in parts))


def breakable(name: str) -> Html:
    """Return a name that may be broken across lines after an underscore, dot, hyphen or slash.

    Without one of these, it may be broken after every 12 characters.
    """
    pieces = [
        piece
        for part in re.split(r"(?<=[_.\-/])(?=[^_.\-/])", name)
        for piece in re.findall(r".{1,12}", part, re.DOTALL)
    ]
    return join(pieces, element("wbr"))


def element(name: str, /, *children: object, **attributes: object) -> Html:
    """Return an element; children and attributes are escaped unless they are markup.

    Parameters
    ----------
    name : str
    *children : object
        Its content; None is left out.
    **attributes : object
        ``class_`` becomes class, and an underscore inside a name a hyphen. None and False are left
        out; True gives an attribute without a value.

    Examples
    --------
    >>> from chainrule.report.markup import element
    >>> print(element("p", "1 < 2", element("br"), class_="lead"))
    <p class="lead">1 &lt; 2<br></p>
    """
    inside = "".join(
        f" {_name(key)}" if value is True else f' {_name(key)}="{text(_plain(value))}"'
        for key, value in attributes.items()
        if value is not None and value is not False
    )
    if name in _VOID:
        return Html(f"<{name}{inside}>")
    content = "".join(text(child) for child in children if child is not None)
    return Html(f"<{name}{inside}>{content}</{name}>")


def _name(key: str) -> str:
    return "viewBox" if key == "view_box" else key.rstrip("_").replace("_", "-")


def _plain(value: object) -> object:
    """Return an attribute's value, with floats as coordinates."""
    return coordinate(value) if isinstance(value, float) else value


def coordinate(value: float) -> str:
    """Return a coordinate as text, with two decimals: a screen shows no more."""
    shown = f"{value:.2f}".rstrip("0").rstrip(".")
    return "0" if shown == "-0" else shown
