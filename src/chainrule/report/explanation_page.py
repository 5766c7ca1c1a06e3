"""Explanations of predictions as a separate page."""

from chainrule.model.explanation import Explanation
from chainrule.report.markup import Html, element
from chainrule.report.page import POLICY, style


def explanation_page(explanation: Explanation) -> str:
    """Return a self-contained HTML page, in the style of the report."""
    title = f"Why this prediction of {explanation.target}?"
    head = element(
        "head",
        element("meta", charset="utf-8"),
        element("meta", http_equiv="Content-Security-Policy", content=POLICY),
        element("meta", name="viewport", content="width=device-width, initial-scale=1"),
        element("meta", name="color-scheme", content="light dark"),
        element("title", title),
        style(),
    )
    body = element(
        "body",
        element("p", explanation.table or "Explanation", class_="kicker"),
        element("h1", "Why this prediction of ", element("em", explanation.target), "?"),
        element("main", Html(explanation._repr_html_())),
        element("footer", "Made by chainrule. This page loads no files and runs no scripts."),
    )
    return f"<!doctype html>\n{element('html', head, body, lang='en')}"
