"""The data: numbers of rows, profiles of the columns, and the distribution of the target."""

from typing import TYPE_CHECKING

import numpy as np

from chainrule.assessment.profile import ColumnProfile, profile
from chainrule.number_texts import count, plain, share, small_share
from chainrule.pictures.canvas import shortened
from chainrule.report.charts.plot import Plot, legend
from chainrule.report.charts.small import small_bars
from chainrule.report.markup import Html, breakable, element, join, text
from chainrule.report.sections.elements import figure, figures, section, table, unfold
from chainrule.report.subject import Subject
from chainrule.tables.kinds import Column

if TYPE_CHECKING:
    import polars as pl

_MOST_ROWS = 200_000
_MOST_COLUMNS = 30
_MOST_CLASSES = 12
_LENGTH = 26
_NAMES = {"train": "training", "validation": "validation", "test": "test"}
_SERIES = {"train": "network", "validation": "validation", "test": "linear"}


def data(subject: Subject) -> Html:
    """Return the section."""
    sizes = [count(table.height, f"{_NAMES[name]} row") for name, table in subject.parts.items()]
    described, whole = subject.parts["train"].height, subject.n_trained
    sample = f" (a sample of {whole:,})" if whole > described else ""
    sizes[0] += sample
    lead = f"{', '.join(sizes)}. The rest describes the training rows unless stated otherwise."
    return section(
        "data",
        "The data",
        lead,
        _notes(subject),
        _target(subject),
        *_columns(subject),
    )


def _notes(subject: Subject) -> Html | None:
    notes = list(subject.notes)
    notes += [str(note) for note in subject.model.encoder.dropped_ if str(note) not in notes]
    if not notes:
        return None
    return element(
        "div",
        element("h3", "Notes"),
        element("ul", join(element("li", note) for note in notes)),
        class_="notes",
    )


def _target(subject: Subject) -> Html:
    return _balance(subject) if subject.classes else _spread(subject)


def _balance(subject: Subject) -> Html:
    target = subject.model.target
    counts = {
        name: np.bincount(target.encode(table[target.name]), minlength=len(target.classes))
        for name, table in subject.parts.items()
    }
    rows = []
    for index, label in enumerate(subject.classes):
        part = counts["train"][index] / max(1, counts["train"].sum())
        cells: list[object] = [
            label,
            element("span", element("span", style=f"width:{100 * part:.1f}%"), class_="meter"),
        ]
        for found in counts.values():
            cells += [plain(int(found[index])), share(found[index] / max(1, found.sum()))]
        rows.append(cells)
    columns = [("Class", ""), ("Share of the training rows", "picture")]
    for name in counts:
        columns += [(f"{_NAMES[name].capitalize()} rows", "number"), ("Share", "number fine")]
    made = table(f"Classes of {subject.target}", columns, rows, "balance")
    title = element("h3", "The target, ", element("em", subject.target))
    if len(rows) > _MOST_CLASSES:
        shares = counts["train"] / counts["train"].sum()
        most, least = int(np.argmax(shares)), int(np.argmin(shares))
        words = (
            f"{len(rows)} classes, from “{subject.classes[most]}” with {share(shares[most])} of "
            f"the training rows to “{subject.classes[least]}” with {share(shares[least])}."
        )
        return join([title, element("p", words), unfold("All classes", made)])
    return join([title, made])


def _spread(subject: Subject) -> Html:
    values = {
        name: np.asarray(table[subject.target].to_numpy(), np.float64)
        for name, table in subject.parts.items()
    }
    low = min(float(given.min()) for given in values.values())
    high = max(float(given.max()) for given in values.values())
    edges = np.linspace(low, high, 41) if high > low else np.array([low - 0.5, low + 0.5])
    heights = {name: np.histogram(given, edges)[0] / len(given) for name, given in values.items()}
    top = max(float(height.max()) for height in heights.values())
    plot = Plot(
        (float(edges[0]), float(edges[-1])),
        (0.0, 1.08 * top),
        x_label=shortened(subject.target, 60),
        y_label="Share of rows",
        height=300,
        x_format=plain,
        y_format=lambda value: share(value, 0 if top > 0.05 else 1),
    )
    for name in ("train", subject.part):
        plot.step_area(edges, heights[name], _SERIES[name])
    train = values["train"]
    words = (
        f"Training rows: from {plain(float(train.min()))} to {plain(float(train.max()))}, "
        f"mean {_rounded(float(train.mean()))}, median {_rounded(float(np.median(train)))}, "
        f"standard deviation {_rounded(float(train.std()))}."
    )
    names = legend(
        ("network", "Training rows"), (_SERIES[subject.part], f"{subject.part.capitalize()} rows")
    )
    picture = plot.svg(f"Distribution of {subject.target}. {words}")
    return figures(figure(f"The target, {subject.target}", join([names, picture]), words))


def _columns(subject: Subject) -> list[object]:
    train = subject.parts["train"]
    sampled = ""
    if train.height > _MOST_ROWS:
        generator = np.random.default_rng(subject.seed)
        train = train[np.sort(generator.choice(train.height, _MOST_ROWS, replace=False))]
        sampled = f"From a random sample of {plain(_MOST_ROWS)} training rows. "
    columns = {column.name: column for column in subject.model.encoder.columns_}
    dropped = {note.column for note in subject.model.encoder.dropped_}
    names = [name for name in train.columns if name != subject.target]
    names.sort(key=lambda name: name not in columns)  # columns that the model uses come first
    rows = [_row(train, name, columns.get(name), name in dropped) for name in names]
    head = [
        ("Column", ""),
        ("Type", "type"),
        ("Missing", "number"),
        ("Distinct", "number"),
        ("Distribution", "picture"),
        ("Values", "fine"),
    ]
    used = sum(name in columns for name in names)
    content: list[object] = [
        element("h3", "The columns"),
        element("p", f"{sampled}{used} of {count(len(names), 'column')} are used.", class_="fine"),
        table("Columns of the table", head, rows[:_MOST_COLUMNS], "columns"),
    ]
    if len(rows) > _MOST_COLUMNS:
        rest = rows[_MOST_COLUMNS:]
        content.append(
            unfold(
                count(len(rest), "more column"),
                table("More columns of the table", head, rest, "columns"),
            )
        )
    return content


def _row(train: "pl.DataFrame", name: str, column: Column | None, dropped: bool) -> list[object]:
    found = profile(train[name], as_categories=column is not None and column.is_categorical)
    use = column.kind if column is not None else "left out" if dropped else "not used"
    shape = ""
    if found.histogram is not None:
        shape = small_bars(found.histogram.counts, f"Distribution of {name}")
    elif found.top:
        shape = small_bars([rows for _, rows in found.top], f"Most frequent values of {name}", 3)
    return [
        breakable(name),
        join([use, " ", element("small", found.dtype)]),
        small_share(found.missing / found.rows),
        plain(found.distinct),
        shape,
        _values(found),
    ]


def _values(found: ColumnProfile) -> Html:
    if found.quartiles:
        low, _, middle, _, high = found.quartiles
        return join([f"{_rounded(low)} to {_rounded(high)}, median {_rounded(middle)}"])
    if found.span:
        return text(" to ".join(found.span))
    present = max(1, found.rows - found.missing)
    named = [
        f"{shortened(value, _LENGTH)} {_whole_share(rows / present)}" for value, rows in found.top
    ]
    more = found.distinct - len(named)
    return join([", ".join(named), f" and {plain(more)} more" if more > 0 else ""])


def _whole_share(value: float) -> str:
    return "<1%" if value < 0.005 else share(value, 0)


def _rounded(value: float) -> str:
    """Return integers without decimals, other numbers with four digits."""
    return plain(value if value == round(value) else float(f"{value:.4g}"))
