"""A table that is read while a network trains on it, since it does not fit into memory.

One pass counts its rows, and keeps those to validate and to test with, and a sample of the
training rows, from which the encoding is decided. Which part a row belongs to depends on a hash of
its place alone. With a probability of 99 %, a uniform sample of k rows has at most these errors:
the share of the rows below any quantile is wrong by √(ln(200)/2k) (Dvoretzky, Kiefer and Wolfowitz
1956, with the constant of Massart 1990), 0.0052 for 100,000 rows; and no category is missed that
one row in 20,000 has.
"""

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from chainrule.arguments import hinting
from chainrule.checks import number_below_one, whole_number
from chainrule.errors import InvalidArgumentError, InvalidTableError
from chainrule.network.random import Stream, generator, row_numbers_in_unit
from chainrule.tables.blocks import Block, BlockFiles, RawPiece
from chainrule.tables.columns import column_named, ignored_columns, is_missing
from chainrule.tables.missing_words import MISSING_IN_TEXT
from chainrule.tables.patterns import files_named, naming_file
from chainrule.tables.row_numbers import RowNumbers
from chainrule.tables.splits import LEAST_ROWS, Split

if TYPE_CHECKING:
    import polars as pl

HELD_OUT_ROWS = 100_000
"""How many rows the validation part, and the test part, have at most (about: a hash decides)."""
SAMPLE_ROWS = 100_000
"""About how many of the training rows are kept in memory, to decide the encoding from."""

# The first row of every value of the target is kept, up to so many values, so that no class is
# missed; with more of them, the target holds no classes.
_MOST_CLASSES = 10_000

_TRAINED, _SAMPLED, _VALIDATED, _TESTED = range(4)


class Targets(NamedTuple):
    """Which training rows of a block have a target."""

    rows: int
    """All training rows."""
    empty: int
    words: Mapping[str, int]
    """How many have each of the words that may mean a missing value."""

    def count(self, missing: frozenset[str]) -> int:
        """Return how many rows have a target, if these words are missing values."""
        return self.rows - self.empty - sum(self.words.get(word, 0) for word in missing)


@dataclass(frozen=True)
class Scan:
    """What one pass over a table found."""

    kept: "pl.DataFrame"
    """A sample of the training rows, and all rows to validate and to test with."""
    numbers: RowNumbers
    """Of the kept rows, counted over all files, in the order of these."""
    split: Split
    """Which of the kept rows are in which part."""
    targets: tuple[Targets, ...]
    """Of each block."""


class TableStream:
    """The rows of Parquet files, read while a network trains; they need not fit into memory.

    `NetworkClassifier`, `NetworkRegressor` and `Network` take it in place of X and y, and
    ``chainrule train 'data/*.parquet'`` makes one itself. It needs ``pip install
    'chainrule[stream]'``.

    Before the first epoch, one pass over the files counts the rows and keeps a sample of the
    training rows (about 100,000) and those to validate and to test with. Then each epoch reads the
    files' row groups in an order of its own, fills a buffer with their rows, and trains on the
    rows of the buffer in an order of its own, while another thread fills the next buffer.

    Parameters
    ----------
    files : str, Path, or sequence of them
        Parquet files with the same columns: names, or patterns such as ``"data/*.parquet"``.
    target : str
        The column to predict. Rows without a value in it are left out.
    validation, test : float, default 0.1 and 0
        Shares of the rows, of about 100,000 rows each at most. Which part a row is in depends on
        the seed, the name of its file and its place in it alone.
    seed : int, default 0
        Determines the parts, and the order of the row groups in each epoch.
    ignore : sequence of str
        Columns that are not read.
    shuffle_buffer : int, optional
        How many rows are shuffled together; by default as many as take 128 MiB as a network's
        inputs. Two such buffers are in memory, of each rank if several train.

    Raises
    ------
    InvalidTableError
        If a file cannot be read, there is no such target, or there are fewer than 10 rows.
    InvalidArgumentError
        If an argument is invalid, or pyarrow is not installed.

    Examples
    --------
    >>> import tempfile, numpy as np, polars as pl, chainrule as cr
    >>> x = np.random.default_rng(0).normal(size=(2000, 2))
    >>> table = pl.DataFrame({"a": x[:, 0], "b": x[:, 1], "y": x[:, 0] > x[:, 1]})
    >>> folder = tempfile.TemporaryDirectory()
    >>> for part in range(2):
    ...     table[part::2].write_parquet(f"{folder.name}/part{part}.parquet")
    >>> stream = cr.TableStream(f"{folder.name}/*.parquet", "y", test=0.2)
    >>> model = cr.NetworkClassifier(random_state=0).fit(stream)
    >>> model.score(stream.test_rows[["a", "b"]], stream.test_rows["y"]) > 0.9
    True
    >>> folder.cleanup()
    """

    @hinting
    def __init__(
        self,
        files: str | Path | Sequence[str | Path],
        target: str,
        *,
        validation: float = 0.1,
        test: float = 0.0,
        seed: int = 0,
        ignore: Sequence[str] = (),
        shuffle_buffer: int | None = None,
    ) -> None:
        import polars as pl

        self.validation = number_below_one("validation", validation)
        self.test = number_below_one("test", test)
        if self.validation + self.test >= 1:
            raise InvalidArgumentError(
                "validation, test: expected shares that leave some to train with; got "
                f"{validation} and {test}"
            )
        self.seed = whole_number("seed", seed, 0)
        self.shuffle_buffer = (
            None if shuffle_buffer is None else whole_number("shuffle_buffer", shuffle_buffer, 1)
        )
        self.files = BlockFiles(files_named(files))
        self.target = target
        columns = pl.DataFrame(schema=dict.fromkeys(self.files.columns, pl.Null))
        column_named(columns, target, " to use as the target")
        self.ignore = ignored_columns(ignore, self.files.columns, target)
        if self.files.rows < LEAST_ROWS:
            raise InvalidTableError(
                f"the table has {self.files.rows} rows, and at least {LEAST_ROWS} are needed to "
                "train, validate and test with different ones"
            )

    def __repr__(self) -> str:
        return f"TableStream({self.files.rows:,} rows, target={self.target!r})"

    @property
    def columns(self) -> tuple[str, ...]:
        """The columns that are read."""
        return tuple(name for name in self.files.columns if name not in self.ignore)

    @property
    def features(self) -> tuple[str, ...]:
        """The columns to predict from."""
        return tuple(name for name in self.columns if name != self.target)

    @cached_property
    def sample(self) -> "pl.DataFrame":
        """About 100,000 of the training rows."""
        return self._kept(self.scan.split.train)

    @cached_property
    def validation_rows(self) -> "pl.DataFrame":
        """The rows to validate with."""
        return self._kept(self.scan.split.validation)

    @cached_property
    def test_rows(self) -> "pl.DataFrame":
        """The rows to test with."""
        return self._kept(self.scan.split.test)

    def _kept(self, rows: NDArray[np.intp]) -> "pl.DataFrame":
        return with_target(self.scan.kept[rows], self.target)[0]

    @cached_property
    def counts(self) -> NDArray[np.int64]:
        """How many training rows of each block have a value of the target."""
        return np.array([one.count(frozenset()) for one in self.scan.targets], np.int64)

    @cached_property
    def shares(self) -> tuple[float, float, float]:
        """The shares of the test rows, the validation rows, and the sample, in this order."""
        rows = self.files.rows
        most = HELD_OUT_ROWS / rows
        tested, validated = min(self.test, most), min(self.validation, most)
        return tested, validated, min(1 - tested - validated, SAMPLE_ROWS / rows)

    @property
    def identity(self) -> str:
        """Text that differs if the rows, or their division and order, do."""
        parts = ", ".join(f"{share:.6g}" for share in self.shares)
        return f"{self.files.identity}, shares {parts}, seed {self.seed}"

    @cached_property
    def scan(self) -> Scan:
        """What one pass over all rows found; made when it is first asked for."""
        scanning = _Scanning(self)
        targets = [scanning.block(block) for block in self.files.blocks]
        return scanning.found(targets)

    def parts(self, block: Block, piece: RawPiece) -> NDArray[np.int8]:
        """Return the part of each row of a piece."""
        key = self.files.key_of(block.file) ^ (self.seed * 0x9E3779B97F4A7C15 % 2**64)
        unit = row_numbers_in_unit(key, piece.first, piece.table.height)
        tested, validated, sampled = self.shares
        parts = np.full(len(unit), _TRAINED, np.int8)
        parts[unit < tested + validated + sampled] = _SAMPLED
        parts[unit < tested + validated] = _VALIDATED
        parts[unit < tested] = _TESTED
        return parts

    def order(self, epoch: int, shuffle: bool) -> NDArray[np.intp]:
        """Return the order of the blocks in an epoch."""
        count = len(self.files.blocks)
        if not shuffle:
            return np.arange(count)
        return generator(self.seed, Stream.BLOCKS, epoch).permutation(count)

    def training_rows(
        self,
        epoch: int,
        first: int,
        counts: NDArray[np.int64],
        keep: "Callable[[pl.DataFrame, RowNumbers], tuple[pl.DataFrame, RowNumbers]]",
        *,
        shuffle: bool = True,
    ) -> "Iterator[tuple[pl.DataFrame, RowNumbers, str]]":
        """Yield the training rows of an epoch, from row `first` of them on.

        Parameters
        ----------
        epoch, first : int
        counts : array (blocks,)
            How many training rows each block has.
        keep : callable
            Reads raw rows and their numbers, and leaves out those that are not trained on.
        shuffle : bool
            Whether the blocks have a new order in each epoch.

        Yields
        ------
        table, numbers, file
            Pieces of bounded size, where their rows stand in a file, and its name.
        """
        order = self.order(epoch, shuffle)
        ends = np.cumsum(counts[order])
        begin = int(np.searchsorted(ends, first, side="right"))
        for place in range(begin, len(order)):
            block = self.files.blocks[order[place]]
            behind = max(0, first - int(ends[place] - counts[order[place]]))
            yield from self._of_block(block, behind, int(counts[order[place]]), keep)

    def _of_block(
        self,
        block: Block,
        behind: int,
        expected: int,
        keep: "Callable[[pl.DataFrame, RowNumbers], tuple[pl.DataFrame, RowNumbers]]",
    ) -> "Iterator[tuple[pl.DataFrame, RowNumbers, str]]":
        name, seen = self.files.name_of(block.file), 0
        for piece in self.files.read(block, self.columns):
            rows = np.flatnonzero(self.parts(block, piece) <= _SAMPLED)
            numbers = RowNumbers.counted(piece.table.height, piece.first + 1)[rows]
            with naming_file(name):
                table, numbers = keep(piece.table[rows], numbers)
            ahead = max(0, behind - seen)
            seen += table.height
            if ahead < table.height:
                yield table[ahead:], numbers[slice(ahead, None)], name
        if seen != expected:
            raise InvalidTableError(
                f"{name}: row group {block.group} has {seen:,} training rows with a target, and "
                f"{expected:,} were counted; was it changed while the network trained?"
            )


def with_target(table: "pl.DataFrame", target: str) -> "tuple[pl.DataFrame, NDArray[np.intp]]":
    """Return the rows that have a value of the target, and their places."""
    rows = np.flatnonzero(~is_missing(table[target]).to_numpy())
    return table[rows], rows


class _Scanning:
    """One pass over the rows of a stream."""

    def __init__(self, stream: TableStream) -> None:
        self._stream = stream
        self._kept: list[pl.DataFrame] = []
        self._parts: list[NDArray[np.int8]] = []
        self._numbers: list[NDArray[np.int64]] = []
        self._values: set[Any] | None = set()
        """The values of the target so far; None once it is known that they are no classes."""

    def block(self, block: Block) -> Targets:
        """Read a block, keep some of its rows, and count its targets."""
        rows = empty = 0
        words: Counter[str] = Counter()
        for piece in self._stream.files.read(block, self._stream.columns):
            parts = self._stream.parts(block, piece)
            self._mark_new_values(piece, parts)
            chosen = np.flatnonzero(parts != _TRAINED)
            self._kept.append(piece.table[chosen])
            self._parts.append(parts[chosen])
            self._numbers.append(1 + self._stream.files.rows_before(block) + piece.first + chosen)
            target = piece.table[self._stream.target].gather(np.flatnonzero(parts <= _SAMPLED))
            rows += len(target)
            empty += int(is_missing(target).sum())
            words.update(_words(target))
        return Targets(rows, empty, dict(words))

    def _mark_new_values(self, piece: RawPiece, parts: NDArray[np.int8]) -> None:
        """Take the first training row of each value of the target into the sample."""
        if self._values is None:
            return
        rows = np.flatnonzero(parts <= _SAMPLED)
        target = piece.table[self._stream.target].gather(rows)
        first = np.sort(target.arg_unique().to_numpy())
        values = target.gather(first)
        # The sample must not be made of the first rows of the files, where all values are new.
        fractions = values.dtype.is_float() and bool((values.floor() != values).any())
        if fractions or len(values) + len(self._values) > _MOST_CLASSES:
            self._values = None
            return
        for row, value in zip(rows[first], values.to_list(), strict=True):
            if value not in self._values:
                self._values.add(value)
                parts[row] = _SAMPLED

    def found(self, targets: Sequence[Targets]) -> Scan:
        """Return what was found."""
        import polars as pl

        kept = pl.concat(self._kept, rechunk=True)
        parts = np.concatenate(self._parts)
        rows = [np.flatnonzero(parts == part) for part in (_SAMPLED, _VALIDATED, _TESTED)]
        numbers = RowNumbers(np.concatenate(self._numbers))
        return Scan(kept, numbers, Split(*rows), tuple(targets))


def _words(target: "pl.Series") -> dict[str, int]:
    """Return how often a text column has each word that may mean a missing value."""
    import polars as pl

    if not isinstance(target.dtype, pl.String | pl.Categorical | pl.Enum):
        return {}
    stripped = target.cast(pl.String).str.strip_chars().drop_nulls()
    found = stripped.filter(stripped.is_in(sorted(MISSING_IN_TEXT)))
    return {str(word): int(count) for word, count in found.value_counts().iter_rows()}
