"""A table's columns as the inputs of a network."""

import json
from collections.abc import Mapping, Sequence
from itertools import groupby
from typing import TYPE_CHECKING, Any, NamedTuple, Self

import numpy as np
from numpy.typing import NDArray

from chainrule.arguments import hinting
from chainrule.checks import json_from_file, whole_number
from chainrule.errors import InvalidArgumentError, InvalidModelFileError
from chainrule.suggestions import did_you_mean
from chainrule.tables.columns import RowError, column_named
from chainrule.tables.contract import Transformer
from chainrule.tables.fitted_columns import fit_columns
from chainrule.tables.kinds import KINDS, Column, column_from_json
from chainrule.tables.kinds.fits import Options, Scaling
from chainrule.tables.notes import Note, notes_from_json, notes_to_json
from chainrule.tables.reader import read_by, read_for_training
from chainrule.tables.table_notations import TableReading
from chainrule.tables.threads import in_threads

if TYPE_CHECKING:
    import polars as pl

KEY = "encoder"
"""The header entry of a model file, and what the names of the arrays start with."""

SCALINGS = ("standard", "robust", "none")

# The size of a block of rows, in numbers of the output: large enough for the array operations to be
# worth their calls, small enough for the block to stay in the cache.
_BLOCK = 1 << 21


def _threads() -> int:
    """Return how many threads encode: as many as polars has; both do their work without the GIL."""
    import polars as pl

    return pl.thread_pool_size()


class _Run(NamedTuple):
    """Columns side by side whose inputs are written in the same way."""

    columns: "list[tuple[Column, pl.Series]]"
    """With their prepared values."""
    first: int
    """The place of the first of their inputs."""
    sparse: bool

    def write(self, start: int, block: NDArray[np.float32]) -> None:
        """Write the inputs of the rows from `start` on into a block of rows that holds zeros."""
        width = sum(column.width for column, _ in self.columns)
        out = block[:, self.first : self.first + width]
        if self.sparse:
            self._fill(start, out)
            return
        # Each input contiguous first: writing it straight into the block would touch a cache line
        # per number, which takes four times as long.
        side = np.zeros((len(block), width), np.float32, order="F")
        self._fill(start, side)
        out[:] = side

    def _fill(self, start: int, out: NDArray[np.float32]) -> None:
        place = 0
        for column, values in self.columns:
            column.write(values.slice(start, len(out)), out[:, place : place + column.width])
            place += column.width


def _runs(columns: Sequence[Column], prepared: "Sequence[pl.Series]") -> list[_Run]:
    """Return columns with their prepared values in runs, in order."""
    runs = []
    place = 0
    for sparse, pairs in groupby(zip(columns, prepared, strict=True), lambda pair: pair[0].sparse):
        run = _Run(list(pairs), place, sparse)
        runs.append(run)
        place += sum(column.width for column, _ in run.columns)
    return runs


class TableEncoder(Transformer):
    """Turn the columns of a table into a network's inputs; a scikit-learn transformer.

    Numbers are centred and scaled, categories are one-hot encoded, true and false are 1 and 0,
    dates are divided into parts (see the classes in `chainrule.tables.kinds`). Missing values are
    filled in, and flagged by an input of their own if training rows had some. Columns without
    information (constant, without values, copies of another, or identifiers of the rows) are left
    out with a note. Columns are found by name: their order does not matter, and others are ignored.

    Parameters
    ----------
    scaling : {"standard", "robust", "none"}
        Of numbers: (x − mean)/standard deviation, (x − median)/(third − first quartile), or x.
    max_categories : int
        The largest number of categories of a column that have an input each: the most frequent.
    min_frequency : int, optional
        A category in fewer training rows than this shares an input with the other rare ones. By
        default 10 rows, or one in a hundred if that is fewer.
    embed_above : int, optional
        Columns with more categories than this become one input, the code of the category, for a
        layer of embeddings; see `CategoryColumn.embedding`. By default none does.
    categorical : sequence of str
        Columns that are categories whatever their type, such as numbers that are identifiers.

    Attributes
    ----------
    columns_ : tuple of Column
        The columns that are used, in the order of the inputs.
    notes_ : tuple of Note
        Notes on how the columns were read.
    dropped_ : tuple of Note
        The columns that are not used, with the reason.
    feature_names_in_ : array of str
        Names of all columns of the training rows.
    n_features_in_ : int
        How many there are.

    Examples
    --------
    >>> import polars as pl
    >>> from chainrule.tables.encoder import TableEncoder
    >>> table = pl.DataFrame({"size": [1.0, None, 3.0], "kind": ["a", "b", "a"]})
    >>> encoder = TableEncoder().fit(table)
    >>> list(map(str, encoder.get_feature_names_out()))
    ['size', 'size=(missing)', 'kind=a', 'kind=b']
    >>> encoder.transform(table)
    array([[-1.,  0.,  1.,  0.],
           [ 0.,  1.,  0.,  1.],
           [ 1.,  0.,  1.,  0.]], dtype=float32)
    """

    columns_: tuple[Column, ...]
    notes_: tuple[Note, ...]
    dropped_: tuple[Note, ...]
    feature_names_in_: NDArray[Any]
    n_features_in_: int

    @hinting
    def __init__(
        self,
        *,
        scaling: Scaling = "standard",
        max_categories: int = 100,
        min_frequency: int | None = None,
        embed_above: int | None = None,
        categorical: Sequence[str] = (),
    ) -> None:
        self.scaling = scaling
        self.max_categories = max_categories
        self.min_frequency = min_frequency
        self.embed_above = embed_above
        self.categorical = categorical

    def fit(self, X: Any, y: Any = None) -> Self:
        """Decide what each column is and take its statistics.

        Parameters
        ----------
        X : path, polars or pandas DataFrame, Arrow table, or array (rows, columns)
            The training rows, without the target.
        y : ignored

        Returns
        -------
        TableEncoder

        Raises
        ------
        InvalidArgumentError
            If a parameter cannot be.
        InvalidTableError
            If a column cannot be used: free text, lists, infinite numbers.
        """
        table = read_for_training(X)
        return self.fit_read(table.table, table.reading, table.notes)

    def fit_read(
        self, table: "pl.DataFrame", reading: TableReading, notes: Sequence[Note] = ()
    ) -> Self:
        """Fit to rows that have been read already; `fit` decides their reading itself.

        Parameters
        ----------
        table : polars.DataFrame
            The training rows, as `reading` reads them.
        reading : TableReading
            How new rows are to be read.
        notes : sequence of Note
            Notes on the reading.

        Returns
        -------
        TableEncoder

        Raises
        ------
        InvalidArgumentError, InvalidTableError
            As `fit`.
        """
        options = self._options()
        for name in options.categorical:
            column_named(table, name, ", which categorical names")
        self.columns_, self.dropped_ = fit_columns(table, reading, options)
        self.notes_ = tuple(notes)
        self.feature_names_in_ = np.array(table.columns, dtype=object)
        self.n_features_in_ = table.width
        return self

    def transform(self, X: Any) -> Any:
        """Return the network's inputs.

        Parameters
        ----------
        X : path, polars or pandas DataFrame, Arrow table, or array (rows, columns)
            With the columns that are used, in any order.

        Returns
        -------
        array (rows, inputs) of float32
            Or a table, if `set_output` asked for one.

        Raises
        ------
        InvalidTableError
            If a column is missing or a value is not of the column's kind.
        """
        self._check_fitted()
        table = read_by(X, self.reading).table
        return self._as_chosen(self.encode(table), self.get_feature_names_out())

    def fit_transform(self, X: Any, y: Any = None) -> Any:
        """Fit, and return the network's inputs."""
        found = read_for_training(X)
        self.fit_read(found.table, found.reading, found.notes)
        return self._as_chosen(self.encode(found.table), self.get_feature_names_out())

    def encode(
        self, table: "pl.DataFrame", out: NDArray[np.float32] | None = None
    ) -> NDArray[np.float32]:
        """Return the network's inputs, (rows, inputs); `transform` without its choice of output.

        They are written to `out`, if that is given: C-ordered, of any values.
        """
        self._check_fitted()
        found = {column.name: column for column in table.iter_columns()}
        used = {one.name for one in self.columns_}
        for one in self.columns_:
            if one.name not in found:
                column_named(table, one.name, ", which the model needs", used)
        series = [found[one.name] for one in self.columns_]
        if out is None:
            inputs = np.zeros((table.height, self.n_inputs), np.float32)
        else:
            inputs = out
            inputs[:] = 0
        rows = max(1, _BLOCK // self.n_inputs)
        threads = _threads()
        prepared = in_threads(
            lambda pair: pair[0].prepare(pair[1]),
            zip(self.columns_, series, strict=True),
            threads,
        )

        runs = _runs(self.columns_, prepared)

        def write(start: int) -> None:
            block = inputs[start : start + rows]
            try:
                for run in runs:
                    run.write(start, block)
            except RowError as error:
                raise error.moved(start) from None

        in_threads(write, range(0, table.height, rows), threads)
        return inputs

    @property
    def n_inputs(self) -> int:
        """How many inputs a network for this encoder has."""
        return sum(column.width for column in self.columns_)

    def get_feature_names_out(self, input_features: Any = None) -> NDArray[Any]:
        """Return the names of the inputs, (inputs,)."""
        self._check_fitted()
        names = [name for column in self.columns_ for name in column.feature_names()]
        return np.array(names, dtype=object)

    @property
    def reading(self) -> TableReading:
        """How the columns that are used are read."""
        self._check_fitted()
        return TableReading({column.name: column.notation for column in self.columns_})

    def to_file(self) -> tuple[dict[str, str], dict[str, NDArray[np.float64]]]:
        """Return header entries and arrays for a model file.

        The array "encoder.numbers" has the fields that each column's `numbers` names, column by
        column; the header has everything else.
        """
        self._check_fitted()
        numbers: list[float] = []
        columns = []
        for column in self.columns_:
            entry = column.to_json()
            numbers += [entry.pop(name) for name in column.numbers]
            columns.append(entry)
        header = {
            "settings": {**self.get_params(), "categorical": list(self.categorical)},
            "columns": columns,
            "dropped": notes_to_json(self.dropped_),
            "names": list(self.feature_names_in_),
        }
        text = json.dumps(header, ensure_ascii=False, sort_keys=True, allow_nan=False)
        return {KEY: text}, {f"{KEY}.numbers": np.array(numbers, np.float64)}

    @classmethod
    def from_file(
        cls,
        metadata: Mapping[str, str],
        arrays: Mapping[str, NDArray[Any]],
        most_inputs: int | None = None,
    ) -> Self:
        """Build the encoder that `to_file` wrote; data only, checked.

        Parameters
        ----------
        metadata, arrays : mapping
            The header entries and the arrays of a model file.
        most_inputs : int, optional
            How many inputs its network has: more columns are refused before they are looked at.

        Raises
        ------
        InvalidModelFileError
            If entries are missing or contradict each other.
        """
        try:
            header = json_from_file(metadata[KEY])
            if most_inputs is not None:
                _check_least_inputs(header["columns"], most_inputs)
            encoder = cls(**_settings(header["settings"]))
            encoder._options()
            encoder.columns_ = _columns(header["columns"], arrays[f"{KEY}.numbers"])
            encoder.notes_ = ()
            encoder.dropped_ = notes_from_json(header["dropped"])
            encoder.feature_names_in_ = np.array(_names(header["names"]), dtype=object)
            encoder.n_features_in_ = len(encoder.feature_names_in_)
        except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
            raise InvalidModelFileError(
                f"its table encoder cannot be used ({type(error).__name__}: {error})"
            ) from error
        return encoder

    def _options(self) -> Options:
        if self.scaling not in SCALINGS:
            raise InvalidArgumentError(
                f"scaling: expected one of {', '.join(SCALINGS)}; got {self.scaling!r}"
                f"{did_you_mean(self.scaling, SCALINGS)}"
            )
        if isinstance(self.categorical, str):
            raise InvalidArgumentError(
                f"categorical: expected names of columns in a list; got {self.categorical!r}"
            )
        least = self.min_frequency
        above = self.embed_above
        return Options(
            self.scaling,
            whole_number("max_categories", self.max_categories, 1),
            None if least is None else whole_number("min_frequency", least, 1),
            None if above is None else whole_number("embed_above", above, 1),
            frozenset(self.categorical),
        )

    def __sklearn_is_fitted__(self) -> bool:
        return hasattr(self, "columns_")

    def _check_fitted(self) -> None:
        if not hasattr(self, "columns_"):
            raise InvalidArgumentError("TableEncoder: not fitted yet; call fit first")


def _check_least_inputs(columns: Sequence[Mapping[str, Any]], most: int) -> None:
    """Raise `ValueError` if columns that were read need more inputs than there are."""
    one_hot = [column.get("categories", ()) for column in columns if not column.get("as_codes")]
    least = max(len(columns), sum(map(len, one_hot)))
    if least > most:
        raise ValueError(f"its columns need at least {least} inputs, and the network has {most}")


def _settings(given: Any) -> dict[str, Any]:
    known = TableEncoder().get_params()
    if not isinstance(given, dict) or set(given) != set(known):
        raise ValueError("its settings are not those of an encoder")
    names = given["categorical"]
    if not isinstance(names, list) or not all(type(name) is str for name in names):
        raise ValueError("categorical names no columns")
    return {**given, "categorical": tuple(names)}


def _names(given: Any) -> list[str]:
    if not isinstance(given, list) or not all(type(name) is str for name in given):
        raise ValueError("its columns are not named by text")
    return given


def _columns(entries: Any, numbers: NDArray[Any]) -> tuple[Column, ...]:
    """Return columns from their header entries and their numbers."""
    if not isinstance(entries, list) or not entries:
        raise ValueError("it has no columns")
    if numbers.ndim != 1 or numbers.dtype != np.float64 or not np.isfinite(numbers).all():
        raise ValueError("its numbers are not finite ones of float64")
    columns = []
    left = iter(numbers.tolist())
    for entry in entries:
        if not isinstance(entry, dict):
            raise ValueError("a column is not described by an object")
        kind = KINDS.get(str(entry.get("kind")))
        more = {name: next(left, None) for name in kind.numbers} if kind else {}
        columns.append(column_from_json({**entry, **more}))
    if next(left, None) is not None:
        raise ValueError("it has more numbers than its columns need")
    names = [column.name for column in columns]
    if len(set(names)) != len(names):
        raise ValueError("two of its columns have one name")
    return tuple(columns)
