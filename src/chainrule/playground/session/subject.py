"""What a training is about: its rows, their columns and inputs, and what its outputs mean."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from chainrule.engines.base import Examples, Floats
from chainrule.errors import InvalidArgumentError
from chainrule.model.table_model import TableModel
from chainrule.network.spec import NetworkSpec
from chainrule.runs.training import PreparedRun
from chainrule.tables.encoder import TableEncoder
from chainrule.tables.row_numbers import RowNumbers
from chainrule.tables.target import TargetEncoder
from chainrule.tables.task import Task
from chainrule.training.plan import Plan

if TYPE_CHECKING:
    import polars as pl

TRAIN, VALIDATION, SET_ASIDE = 0, 1, 2
"""The parts of the rows: learned from, measured after each epoch, and kept for the final scores."""

MOST_ROWS = 5_000
"""Training rows from which planes and typical rows are taken."""


@dataclass(frozen=True, eq=False)
class Part:
    """The rows of a part.

    Parameters
    ----------
    X : array (rows, n[0])
        The network's inputs.
    truth : array (rows,)
        Class indices, or values in the target's units.
    table : polars.DataFrame, optional
    numbers : RowNumbers, optional
        Where the rows stand in their file.
    """

    X: Floats
    truth: NDArray[Any]
    table: "pl.DataFrame | None" = None
    numbers: RowNumbers | None = None

    def __len__(self) -> int:
        return len(self.X)


@dataclass(frozen=True, eq=False)
class Subject:
    """What a training is about.

    Parameters
    ----------
    spec : NetworkSpec
    task : {"classification", "regression"}
    target : str
        The column to predict.
    classes : tuple of str
        The classes, in the order of the outputs; empty for values.
    features, columns : tuple of str
        The names of the network's inputs, and of the column that each of them is made from.
    parts : tuple of Part
        Rows for training, validation, and those that are set aside; none for a model without its
        table.
    encoder, coder : TableEncoder and TargetEncoder, optional
        How columns become inputs, and outputs become predictions; none for arrays.
    is_toy : bool
        Whether all columns follow from x1 and x2.
    """

    spec: NetworkSpec
    task: Task
    target: str
    classes: tuple[str, ...]
    features: tuple[str, ...]
    columns: tuple[str, ...]
    parts: tuple[Part, ...] = ()
    encoder: TableEncoder | None = None
    coder: TargetEncoder | None = None
    is_toy: bool = False
    typical: Floats | None = field(default=None)
    """Typical inputs, (k, n[0]), if there are no rows to take them from."""

    @classmethod
    def of_run(
        cls, prepared: PreparedRun, spec: NetworkSpec | None = None, is_toy: bool = False
    ) -> "Subject":
        """Return the subject of a run's training; the network's specification saves drawing it."""
        parts = prepared.parts
        if spec is None:
            spec = prepared.description().network().spec
        encoded = {"train": prepared.training.X, "validation": prepared.validation.X}
        found = []
        for name, table in parts.tables().items():
            X = encoded.get(name)
            if X is None:
                X = prepared.encoder.encode(table)
            truth = prepared.target.truth(table[prepared.target.name])
            found.append(Part(_as(spec, X), truth, table, parts.numbers[name]))
        return cls._of_encoders(spec, prepared.encoder, prepared.target, tuple(found), is_toy)

    @classmethod
    def of_model(cls, model: TableModel, table: "pl.DataFrame | None" = None) -> "Subject":
        """Return the subject of a model: all rows of a table, or none, are for validation."""
        spec, target = model.network.spec, model.target
        parts: tuple[Part, ...] = ()
        if table is not None:
            X, truth = model.truth(table)
            empty = Part(_as(spec, X[:0]), truth[:0], table[:0], RowNumbers.counted(0))
            rows = RowNumbers.counted(table.height)
            parts = (empty, Part(_as(spec, X), truth, table, rows))
        typical = np.concatenate([_typical_of(column) for column in model.encoder.columns_])[None]
        points = model.background
        # With embedded columns, the points are inputs behind the embeddings.
        if points is not None and points.inputs.shape[1] == spec.n_features:
            typical = points.inputs
        return cls._of_encoders(spec, model.encoder, target, parts, typical=_as(spec, typical))

    @classmethod
    def of_plan(
        cls,
        plan: Plan,
        feature_names: Sequence[str] | None = None,
        class_names: Sequence[str] | None = None,
        target: str = "target",
    ) -> "Subject":
        """Return the subject of a training on arrays.

        Parameters
        ----------
        plan : Plan
        feature_names : sequence of str, optional
            By default x1, x2, ….
        class_names : sequence of str, optional
            By default 0, 1, ….
        target : str
        """
        spec = plan.problem.spec
        n_classes = max(2, spec.n_outputs) if spec.gives_probabilities else 0
        names = tuple(feature_names or (f"x{place + 1}" for place in range(spec.n_features)))
        classes = tuple(class_names or map(str, range(n_classes)))
        rows = [plan.problem.examples] + ([plan.validation] if plan.validation else [])
        parts = tuple(Part(one.X, _truth(one, bool(n_classes))) for one in rows)
        task: Task = "classification" if n_classes else "regression"
        return cls(spec, task, target, classes if n_classes else (), names, names, parts)

    @classmethod
    def _of_encoders(
        cls,
        spec: NetworkSpec,
        encoder: TableEncoder,
        target: TargetEncoder,
        parts: tuple[Part, ...],
        is_toy: bool = False,
        typical: Floats | None = None,
    ) -> "Subject":
        names = [name for column in encoder.columns_ for name in column.feature_names()]
        columns = [column.name for column in encoder.columns_ for _ in range(column.width)]
        return cls(
            spec,
            target.task,
            target.name,
            tuple(map(str, target.classes)),
            tuple(names),
            tuple(columns),
            parts,
            encoder,
            target,
            is_toy,
            typical,
        )

    @property
    def decoder(self) -> TargetEncoder:
        """What the outputs mean; for arrays, the values themselves."""
        if self.coder is not None:
            return self.coder
        return TargetEncoder(self.task, self.target, self.classes)

    @property
    def n_rows(self) -> int:
        """The number of rows of all parts."""
        return sum(map(len, self.parts))

    def place_of(self, index: object) -> tuple[int, int]:
        """Return the part and the place in it of a row, by its index over all parts.

        Raises
        ------
        InvalidArgumentError
            If there is no such row.
        """
        if not isinstance(index, int) or isinstance(index, bool) or not 0 <= index < self.n_rows:
            raise InvalidArgumentError(
                f"index: expected a row from 0 to {self.n_rows - 1}; got {index!r:.40}"
            )
        rest = index
        for number, part in enumerate(self.parts):
            if rest < len(part):
                return number, rest
            rest -= len(part)
        raise AssertionError("the row lies in a part")

    def training_rows(self) -> Floats:
        """Return evenly spaced rows for planes and typical rows: of training, or of any part."""
        for part in self.parts:
            if len(part):
                count = min(len(part), MOST_ROWS)
                return part.X[np.linspace(0, len(part) - 1, count).astype(np.intp)]
        assert self.typical is not None
        return self.typical

    def values_of(self, outputs: Floats) -> NDArray[np.float64]:
        """Return outputs of a regression, (rows, n), as values in the target's units, (rows,)."""
        raw = outputs[:, 0].astype(np.float64)
        if self.coder is None or self.task != "regression":
            return raw
        with np.errstate(over="ignore", invalid="ignore"):
            return self.coder.undone(raw * self.coder.std + self.coder.mean)

    def probabilities_of(self, outputs: Floats) -> NDArray[np.float64]:
        """Return outputs of a classification as probabilities of all classes, (rows, classes)."""
        found = outputs.astype(np.float64)
        return np.hstack([1 - found, found]) if found.shape[1] == 1 else found


def _as(spec: NetworkSpec, X: NDArray[Any]) -> Floats:
    return np.ascontiguousarray(X, spec.dtype)


def _truth(examples: Examples, classifies: bool) -> NDArray[Any]:
    Y = examples.Y
    if Y.ndim == 1:
        return Y
    if not classifies:
        return Y[:, 0].astype(np.float64)
    return (Y[:, 0] >= 0.5).astype(np.intp) if Y.shape[1] == 1 else Y.argmax(axis=1)


def _typical_of(column: Any) -> NDArray[np.float32]:
    """Return the inputs at the mean of a column; for categories without known shares, the first."""
    import polars as pl

    out = np.zeros((1, column.width), np.float32)
    if column.kind == "numeric":
        column.encode(pl.Series(column.name, [column.fill]), out)
    elif column.kind == "category" and column.embedding is None and column.width:
        out[0, 0] = 1
    inputs: NDArray[np.float32] = out[0]
    return inputs
