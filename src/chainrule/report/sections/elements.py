"""Building blocks of the sections: figures, tables, collapsible details."""

import html
import re
from collections.abc import Iterable, Sequence

from chainrule.report.markup import Html, element, join


def section(identifier: str, title: str, lead: object, *content: object) -> Html:
    """Return a section with its heading and a first paragraph."""
    return element(
        "section",
        element("h2", title, id=f"{identifier}-title"),
        element("p", lead, class_="lead") if lead else None,
        *content,
        id=identifier,
        aria_labelledby=f"{identifier}-title",
    )


def figure(title: str, picture: object, *caption: object, wide: bool = False) -> Html:
    """Return a picture under its title, with a caption below."""
    return element(
        "figure",
        element("h3", title),
        picture,
        element("figcaption", *caption) if caption else None,
        class_="wide" if wide else None,
    )


def figures(*given: object) -> Html:
    """Return figures side by side where there is room."""
    return element("div", *given, class_="figures")


def table(
    caption: str,
    columns: Sequence[tuple[object, str]],
    rows: Iterable[Sequence[object]],
    class_: str = "",
) -> Html:
    """Return a table whose first column heads the rows.

    Where the screen is too narrow for it, each row becomes a block in which every value has the
    title of its column (page.css).

    Parameters
    ----------
    caption : str
        A description for screen readers.
    columns : sequence of (title, class)
        The class "number" aligns to the right.
    rows : iterable of sequences
    class_ : str
        Class of the table.
    """
    head = [element("th", title, scope="col", class_=kind or None) for title, kind in columns]
    labels = [_plain(title) for title, _ in columns]
    body = []
    for row in rows:
        kind = columns[0][1] or None
        cells = [element("th", row[0], scope="row", class_=kind, data_label=labels[0])]
        cells += [
            element("td", cell, class_=kind or None, data_label=label)
            for cell, (_, kind), label in zip(row[1:], columns[1:], labels[1:], strict=True)
        ]
        body.append(element("tr", join(cells)))
    return element(
        "div",
        element(
            "table",
            element("caption", caption),
            element("thead", element("tr", join(head))),
            element("tbody", join(body)),
            class_=class_ or None,
        ),
        class_="scroll",
        tabindex="0",
        role="region",
        aria_label=caption,
    )


def _plain(title: object) -> str:
    """Return a title without markup."""
    return html.unescape(re.sub(r"<[^>]*>", "", title)) if isinstance(title, Html) else str(title)


def unfold(summary: str, *content: object) -> Html:
    """Return collapsed details that open with a click on their summary."""
    return element("details", element("summary", summary), *content)
