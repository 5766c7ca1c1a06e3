"""HTML and SVG from nested calls: whatever is not markup already is escaped, always.

There is no other way to make `Html` than `element`, `text` and `join`, so that no value of a table
becomes markup by being forgotten.
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
    """Return a value as text on a page; what cannot be seen or stand there, as its escape."""
    if isinstance(value, Html):
        return value
    return Html(html.escape(printable(value, keep="\n\t")))


def join(parts: Iterable[object], separator: str = "") -> Html:
    """Return parts one after the other, each escaped unless it is markup."""
    return Html(text(separator).join(text(part) for part in parts))


def breakable(name: str) -> Html:
    """Return a name that may continue on the next line after an underscore or a hyphen."""
    pieces = re.split(r"(?<=[_.\-/])(?=[^_.\-/])", name)
    return join(pieces, element("wbr"))


def element(name: str, /, *children: object, **attributes: object) -> Html:
    """Return an element; children and attributes are escaped unless they are markup.

    Parameters
    ----------
    name : str
    *children : object
        None is left out.
    **attributes : object
        ``class_`` is class, and an underscore inside a name a hyphen. None and False are left out,
        True is an attribute without a value.

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
    """Return an attribute's value as it is written."""
    return coordinate(value) if isinstance(value, float) else value


def coordinate(value: float) -> str:
    """Return a number of a drawing with as many digits as a screen can show."""
    shown = f"{value:.2f}".rstrip("0").rstrip(".")
    return "0" if shown == "-0" else shown
