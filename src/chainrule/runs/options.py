"""The settings of a run, each defined once for both the command line and run.toml.

The settings of the network and its training are in `chainrule.settings.table`, the others here.

The preset and the data determine a setting that is None; see `chainrule.runs.presets`.
"""

from dataclasses import Field, dataclass, field, fields, make_dataclass
from typing import TYPE_CHECKING, Any, ClassVar

from chainrule.limits import COUNT, Choice, Limit
from chainrule.settings.setting import Setting
from chainrule.settings.table import OPTIONS


def setting(
    about: str,
    kind: str,
    metavar: str,
    default: Any = None,
    limit: Limit | None = None,
) -> Any:
    """Return a field of a group of settings.

    Parameters
    ----------
    about : str
        One line of help; `settings.names.with_names` fills in its placeholders in braces.
    kind : str
        "text", "whole", "number", "flag", or for tuples "texts", "wholes", "numbers"; "names": one
        text, or a tuple of several.
    metavar : str
        The placeholder for the value in the help.
    default
        The default; None if the preset or the data determine the value.
    limit : Limit, optional
        The permitted values; for a tuple, of each element.
    """
    return field(
        default=default,
        metadata={"about": about, "kind": kind, "metavar": metavar, "limit": limit},
    )


@dataclass(frozen=True)
class DataOptions:
    """The table, its target and feature columns, and the division of its rows."""

    table: str = setting("The table to learn from.", "text", "TABLE", "")
    target: str = setting("The column to predict.", "text", "COLUMN", "")
    task: str = setting(
        "classification, regression, or auto: classification for text, true/false, and whole "
        "numbers with few different values (2 to 20, with 10 rows per value).",
        "text",
        "NAME",
        "auto",
        limit=Choice.of("auto", "classification", "regression"),
    )
    test: str = setting("A table of test rows, instead of a part of TABLE.", "text", "OTHER", "")
    split: tuple[float, ...] | None = setting(
        "Shares of the rows for training, validation and testing (0.8,0.1,0.1); with --test, for "
        "training and validation (0.9,0.1).",
        "numbers",
        "SHARES",
    )
    group: str = setting(
        "A column that identifies groups, such as patients or customers: all rows of a group are "
        "in the same part.",
        "text",
        "COLUMN",
        "",
    )
    time: str = setting(
        "A column that orders the rows: the earliest are for training, the latest for testing.",
        "text",
        "COLUMN",
        "",
    )
    ignore: tuple[str, ...] = setting(
        "Columns to leave out, separated by commas; may be repeated.", "texts", "COLUMNS", ()
    )
    target_missing: str | None = setting(
        "Which texts of a class target are missing values: words (NA, N/A, NaN, NULL, ?, …), "
        "empty (only empty cells), or auto: words, except that NA is a class if the classes are "
        "two-letter codes, such as countries.",
        "text",
        "NAME",
        limit=Choice.of("auto", "words", "empty"),
    )
    merge_spellings: bool | None = setting(
        "Merge classes that differ only in case and spaces into the most frequent spelling.",
        "flag",
        "",
    )
    skip_bad_rows: bool = setting(
        "Skip rows that cannot be read, and show how many.", "flag", "", False
    )
    shuffle_buffer: int | None = setting(
        "Read the rows while training, so that they need not fit into memory, and shuffle N of "
        "them at a time. A TABLE that names several Parquet files, 'data/*.parquet', is read so "
        "in any case, with as many rows as take 128 MiB.",
        "whole",
        "N",
        limit=COUNT,
    )


_METAVARS = {
    "text": "NAME",
    "names": "NAMES",
    "whole": "N",
    "number": "NUMBER",
    "flag": "",
    "wholes": "SIZES",
    "numbers": "SHARES",
}


def _field(row: Setting) -> tuple[str, Any, Any]:
    """Return a row of the settings table as a dataclass field."""
    assert row.option is not None
    return (
        row.name,
        Any,
        setting(
            row.option.about,
            row.form,
            _METAVARS[row.form],
            row.option.default,
            limit=row.option_limit,
        ),
    )


if TYPE_CHECKING:

    class TrainingOptions:
        """The network and how it is trained: the options of `chainrule.settings.table`."""

        __dataclass_fields__: ClassVar[dict[str, Field[Any]]]

        def __init__(self, **values: Any) -> None: ...
        def __getattr__(self, name: str) -> Any: ...

else:
    TrainingOptions = make_dataclass(
        "TrainingOptions",
        map(_field, OPTIONS),
        namespace={"__module__": __name__, "__doc__": "The network and how it is trained."},
        frozen=True,
    )


@dataclass(frozen=True)
class EncodingOptions:
    """How columns become numbers."""

    scaling: str | None = setting(
        "standard (mean and deviation), robust (median and quartiles) or none.",
        "text",
        "NAME",
        limit=Choice.of("standard", "robust", "none"),
    )
    max_categories: int | None = setting(
        "Largest number of categories of a text column; the most frequent are kept.", "whole", "N"
    )
    min_frequency: int | None = setting(
        "Categories in fewer rows are merged into one.", "whole", "N"
    )
    embed_above: int | None = setting(
        "A text column with more categories than this gets a learned embedding.", "whole", "N"
    )
    target_transform: str | None = setting(
        "Transform of a numeric target during training: none, log, asinh, or auto: log or asinh "
        "if a few values are far larger than the others. Predictions are in the target's units.",
        "text",
        "NAME",
        limit=Choice.of("auto", "none", "log", "asinh"),
    )
    categorical: tuple[str, ...] | None = setting(
        "Numeric columns that are categories, such as codes.", "texts", "COLUMNS"
    )


Settings = DataOptions | EncodingOptions | TrainingOptions

SECTIONS: dict[str, type[Settings]] = {
    "data": DataOptions,
    "encoding": EncodingOptions,
    "training": TrainingOptions,
}


def settings_of(section: str) -> tuple[Field[Any], ...]:
    """Return the settings of a section."""
    return fields(SECTIONS[section])
