"""The command explain: the effect of each column on a prediction."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from chainrule.cli.options import ModelPath, TablePath, table_model
from chainrule.cli.streams import say, say_json
from chainrule.errors import InvalidArgumentError
from chainrule.suggestions import did_you_mean

if TYPE_CHECKING:
    from chainrule.model.explanation import Explanation

FORMATS = ("text", "html", "json")
_SUFFIXES = {".html": "html", ".htm": "html", ".json": "json"}

_EXAMPLES = """Examples:

chainrule explain run/model.safetensors data.csv --row 3

chainrule explain run/model.safetensors data.csv --row 3,7 -o why.html
"""


def _moved(value: str | None) -> str | None:
    if value is not None:
        raise InvalidArgumentError(
            "explain: --html, --latex, --optimizer and --learning-rate are options of chainrule "
            "trace now, which shows the equations of a training step. For a page with this "
            "explanation, use --format html -o FILE"
        )
    return None


_Moved = Annotated[str | None, typer.Option(hidden=True, callback=_moved)]


def register(app: typer.Typer) -> None:
    """Add the command to the command line."""
    app.command(epilog=_EXAMPLES)(explain)


def explain(
    model: ModelPath,
    table: TablePath,
    row: Annotated[
        list[str],
        typer.Option(
            metavar="N",
            help="Row number, counted from 1 below the header; several as 3,7, or repeat the "
            "option.",
        ),
    ],
    class_name: Annotated[
        str | None,
        typer.Option(
            "--class",
            metavar="NAME",
            help="The class whose probability is explained, instead of the predicted one.",
            show_default=False,
        ),
    ] = None,
    background: Annotated[
        Path | None,
        typer.Option(
            metavar="TABLE",
            help="A table of rows to compare with, instead of the training rows.",
            show_default=False,
        ),
    ] = None,
    method: Annotated[
        str,
        typer.Option(
            metavar="NAME", help="expected_gradients, or shapley: exact, for at most 14 columns."
        ),
    ] = "expected_gradients",
    format: Annotated[
        str | None,
        typer.Option(
            metavar="NAME",
            help="text, html or json; by default from the suffix of the output file.",
            show_default=False,
        ),
    ] = None,
    out: Annotated[
        Path | None,
        typer.Option("--out", "-o", metavar="FILE", help="Output file.", show_default=False),
    ] = None,
    skip_bad_rows: Annotated[
        bool, typer.Option("--skip-bad-rows", help="Skip rows that cannot be read.")
    ] = False,
    html: _Moved = None,
    latex: _Moved = None,
    optimizer: _Moved = None,
    learning_rate: _Moved = None,
) -> None:
    """Explain the prediction for a row by the effect of each column.

    The prediction is compared with the mean prediction over the training rows; the effects add up
    to the difference. The row needs no target value.
    """
    from chainrule.files.outputs import check_outputs
    from chainrule.tables.reader import read_by

    chosen = _format(format, out)
    inputs = [("MODEL", model), ("TABLE", table)]
    if background is not None:
        inputs.append(("--background", background))
    check_outputs([] if out is None else [("--out", out)], inputs)
    asked = _numbers(row)
    loaded = table_model(model)
    # The target is left unread: an explanation needs none, whatever the column holds.
    read, _, numbers = read_by(table, loaded.encoder.reading, skip_bad_rows=skip_bad_rows)
    rows = [numbers.index_of(number, "--row", str(table)) for number in asked]
    found = loaded.explain_read(
        read[rows],
        numbers[rows],
        name=str(table),
        class_name=class_name,
        background=background,
        method=method,  # type: ignore[arg-type]
    )
    _write(found, chosen, out)
    if out is not None:
        say(f"Explanation written to {out}")


def _numbers(texts: list[str]) -> list[int]:
    """Return row numbers from texts such as 3 or 3,7."""
    numbers = []
    for text in ",".join(texts).split(","):
        if not (text.strip().isascii() and text.strip().isdigit()):
            raise InvalidArgumentError(
                f"--row: expected row numbers from 1, such as 3 or 3,7; got {text!r}"
            )
        numbers.append(int(text))
    return list(dict.fromkeys(numbers))


def _format(name: str | None, out: Path | None) -> str:
    if name is None:
        return "text" if out is None else _SUFFIXES.get(out.suffix.lower(), "text")
    if name not in FORMATS:
        raise InvalidArgumentError(
            f"--format: expected one of {', '.join(FORMATS)}; got {name!r}"
            + did_you_mean(name, FORMATS)
        )
    return name


def _write(found: "Explanation", name: str, out: Path | None) -> None:
    """Write an explanation to standard output or to a file."""
    from chainrule.files.atomic import atomic_path
    from chainrule.report.explanation_page import explanation_page

    if out is None:
        if name == "json":
            say_json(found.to_dict())
            return
        for line in (explanation_page(found) if name == "html" else str(found)).split("\n"):
            say(line)
        return
    with atomic_path(out) as temporary, open(temporary, "w", encoding="utf-8") as file:
        if name == "json":
            say_json(found.to_dict(), file)
        else:
            file.write((explanation_page(found) if name == "html" else str(found)) + "\n")
