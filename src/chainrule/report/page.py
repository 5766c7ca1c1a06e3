"""The report of a run: one page on how good the model is, for people who did not train it."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from functools import cache
from html import escape
from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING

from chainrule.assessment.comparison import Comparison
from chainrule.assessment.importance import permutation_importance
from chainrule.assessment.judgement import Judgement, judge_parts, within_range
from chainrule.assessment.verdict import verdict
from chainrule.files.atomic import atomic_path
from chainrule.model.table_model import TableModel
from chainrule.pictures.picture import wrapped
from chainrule.report.markup import Html, element, join
from chainrule.report.sections.classes import classes
from chainrule.report.sections.data import data
from chainrule.report.sections.importance import importance
from chainrule.report.sections.mistakes import mistakes
from chainrule.report.sections.network import network
from chainrule.report.sections.provenance import provenance
from chainrule.report.sections.scores import scores
from chainrule.report.sections.search import search
from chainrule.report.sections.summary import summary
from chainrule.report.sections.training import training
from chainrule.report.sections.values import values
from chainrule.report.subject import Subject
from chainrule.tables.row_numbers import RowNumbers
from chainrule.training.history import History

if TYPE_CHECKING:
    import polars as pl

POLICY = "default-src 'none'; style-src 'unsafe-inline'; img-src data:"
"""A page loads nothing and runs no scripts, whatever a table tries to inject."""

# With a majority class as large as this, shuffling a column hardly changes the accuracy, and log
# loss is measured instead.
_UNBALANCED_FROM = 0.9


class Report:
    """The report on a model: a notebook shows the page, and `save` writes it.

    Attributes
    ----------
    html : str
        The page, which needs no other file.
    """

    def __init__(self, html: str, text: str) -> None:
        self.html, self._text = html, text

    def save(self, path: str | Path) -> None:
        """Write the page to a file, whole or not at all; an existing file is replaced.

        Parameters
        ----------
        path : str or Path

        Raises
        ------
        OSError
            If the file cannot be written; an existing file is then left unchanged.
        """
        with atomic_path(path) as temporary:
            temporary.write_text(self.html, encoding="utf-8")

    def __repr__(self) -> str:
        return self._text

    def _repr_html_(self) -> str:
        # A frame of its own, so that the page's style and the notebook's do not meet. An empty
        # sandbox: with allow-same-origin, the page's links would open the notebook in the frame.
        return str(
            element(
                "iframe",
                srcdoc=Html(escape(self.html)),
                sandbox="",
                title="Report on the model",
                style="width:100%;height:720px;border:1px solid #8886;box-sizing:border-box",
            )
        )


def report_of(
    model: TableModel,
    parts: "Mapping[str, pl.DataFrame]",
    *,
    history: History,
    command: str,
    numbers: Mapping[str, RowNumbers] | None = None,
    notes: Sequence[str] = (),
    versions: Mapping[str, str] | None = None,
    seed: int = 0,
    date: str | None = None,
    judgement: Judgement | None = None,
    comparison: Comparison | None = None,
) -> Report:
    """Return a report on a model, its scores and its data as one self-contained HTML page.

    The same arguments give the same bytes.

    Parameters
    ----------
    model : TableModel
        The trained model.
    parts : mapping of str to polars.DataFrame
        The rows with their target: "train", and "validation" and "test" if there are any. The model
        is scored on the test rows; if there are none, on the validation rows, with a warning on the
        page. From very long tables a sample is drawn, and the page says so.
    history : History
        The history of the training.
    command : str
        The command that trains this model again.
    numbers : mapping of str to RowNumbers, optional
        The row numbers of each part in its file, which the page shows.
    notes : sequence of str, optional
        Notes on the data.
    versions : mapping of str to str, optional
        Names and versions of the software that was used.
    seed : int
        The seed of the run, which the report's samples are drawn with, too.
    date : str, optional
        When the report was written; by default now.
    judgement : Judgement, optional
        The judgement of these rows by `judge_parts`, if it has been computed before.
    comparison : Comparison, optional
        The model against that of the default settings, after a search.

    Raises
    ------
    InvalidArgumentError
        If there are no training rows, or no test or validation rows.
    InvalidTableError
        If a table lacks columns or has values that the model cannot use.
    """
    given = {
        name: parts[name]
        for name in ("train", "validation", "test")
        if name in parts and parts[name].height
    }
    judged = judge_parts(model, given, seed=seed) if judgement is None else judgement
    with within_range():
        metric = None
        if model.target.classes:
            metric = (
                "accuracy" if judged.baselines["constant"].max() < _UNBALANCED_FROM else "log_loss"
            )
        subject = Subject(
            model,
            given,
            judged,
            permutation_importance(model, given[judged.part], metric=metric, seed=seed),
            history,
            command,
            None if numbers is None else numbers[judged.part][judged.numbers],
            notes,
            {} if versions is None else versions,
            seed,
            datetime.now().astimezone().strftime("%Y-%m-%d %H:%M %Z") if date is None else date,
            comparison,
        )
        text = f"<!doctype html>\n{_page(subject)}\n"
    found = verdict(model, judged)
    return Report(text, wrapped(" ".join((found.sentence, *found.comparisons))))


def _page(subject: Subject) -> Html:
    sections = [
        ("scores", "Scores", scores(subject)),
        *([("search", "Search", search(subject))] if subject.comparison else []),
        ("classes", "Confusion", classes(subject))
        if subject.classes
        else ("values", "Errors", values(subject)),
        ("importance", "Importance", importance(subject)),
        ("mistakes", "Mistakes", mistakes(subject)),
        ("data", "Data", data(subject)),
        ("training", "Training", training(subject)),
        ("network", "Network", network(subject)),
        ("provenance", "Command", provenance(subject)),
    ]
    links = [
        element("li", element("a", name, href=f"#{identifier}")) for identifier, name, _ in sections
    ]
    head = element(
        "head",
        element("meta", charset="utf-8"),
        element("meta", http_equiv="Content-Security-Policy", content=POLICY),
        element("meta", name="viewport", content="width=device-width, initial-scale=1"),
        element("meta", name="color-scheme", content="light dark"),
        element("title", f"Predicting {subject.target}: model report"),
        style(),
    )
    body = element(
        "body",
        summary(subject),
        element("nav", element("ul", join(links)), aria_label="Sections"),
        element("main", join(content for *_, content in sections)),
        element("footer", "Made by chainrule. This page loads no files and runs no scripts."),
    )
    return element("html", head, body, lang="en")


@cache
def style() -> Html:
    """Return the style sheet, the only part of a page that is not built from elements."""
    sheet = files("chainrule.report").joinpath("page.css").read_text(encoding="utf-8")
    return Html(f"<style>\n{sheet}</style>")
