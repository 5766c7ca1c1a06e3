"""The public `TableModel`, with methods that need more than the model itself.

The model's own module stands below assessment, runs and reports, and imports none of them. Methods
that need these are in this class, which `load` and runs return, and which is the public
`chainrule.TableModel`.
"""

from typing import TYPE_CHECKING, Any

import numpy as np

from chainrule.errors import ChainruleError, InvalidArgumentError
from chainrule.model.table_model import TableModel as Model
from chainrule.runs.config import RunConfig
from chainrule.runs.parts import Parts, divide
from chainrule.tables.columns import column_named
from chainrule.tables.reader import read_by
from chainrule.training.history import History

if TYPE_CHECKING:
    import polars as pl

    from chainrule.assessment.drift import Drift
    from chainrule.report.page import Report
    from chainrule.tables.row_numbers import RowNumbers


class TableModel(Model):  # noqa: D101 - described where the model is
    __doc__ = Model.__doc__

    @classmethod
    def from_estimator(cls, estimator: Any) -> "TableModel":
        """Return an estimator that was fitted to a table as a model that predicts files and tables.

        Network, encoder and classes are the estimator's own, not copies; so are the scores that
        its intervals or sets are made from.

        Parameters
        ----------
        estimator : NetworkClassifier or NetworkRegressor

        Returns
        -------
        TableModel
            The target is named like the `y` of `fit`, or "target" if that had no name.

        Raises
        ------
        InvalidArgumentError
            If the estimator was fitted to an array, to several targets, or to one class.
        NotFittedError
            If it is not fitted.
        """
        from chainrule.estimators.table_models import table_model_parts

        encoder, target, parts = table_model_parts(estimator)
        return cls(
            parts.network,
            encoder,
            target,
            background=parts.background,
            conformal=parts.conformal,
        )

    def drift(self, table: Any) -> "Drift":
        """Compare the distributions of a table's rows and of the training rows.

        Parameters
        ----------
        table : path, polars or pandas DataFrame, or Arrow table
            With the columns that the model needs; no target.

        Returns
        -------
        Drift
            It shows itself; ``to_frame()`` has a row for each column.

        Raises
        ------
        InvalidModelFileError
            If the model does not hold the distribution of its training rows: it was trained by an
            earlier version, or is not the model of a run.
        InvalidTableError
            If the table cannot be read, or a column is missing or cannot be used.
        """
        from chainrule.assessment.drift import drift

        found = read_by(table, self.encoder.reading)
        with found.numbers.naming():
            return drift(self, found.table)

    def report(self, table: Any = None, *, train: Any = None) -> "Report":
        """Return a report on the model's predictions for a table.

        Parameters
        ----------
        table : path, polars or pandas DataFrame, or Arrow table, optional
            The rows to score the model on, with their targets. By default the test rows of the run
            that trained the model.
        train : path, polars or pandas DataFrame, or Arrow table, optional
            The rows that the model was trained on: the baselines learn from them. By default those
            of the run, which are read once more from the file that it was trained on.

        Returns
        -------
        Report
            A notebook shows it; its ``save`` writes it as a page.

        Raises
        ------
        InvalidArgumentError
            If the rows of the run cannot be read again: the run's table was not a file, or the file
            has changed.
        InvalidTableError
            If a table cannot be read, or a column is missing or cannot be used.
        """
        from chainrule.report.page import report_of

        own = self._rows_of_run() if table is None or train is None else None
        parts: dict[str, pl.DataFrame] = {}
        numbers: dict[str, RowNumbers] = {}
        if own is not None:
            parts, numbers = own.tables(), dict(own.numbers)
        if table is not None:
            parts.pop("validation", None)
            parts["test"], numbers["test"] = self._scored(table)
        if train is not None:
            parts["train"], numbers["train"] = self._scored(train)
        details = self.details
        seed = details.get("config", {}).get("training", {}).get("seed", 0)
        return report_of(
            self,
            parts,
            history=History(),
            command=str(details.get("command", "(unknown: not in the model file)")),
            notes=("The history of the training is not part of a model file.",),
            versions=details.get("versions"),
            seed=seed,
            numbers=numbers,
        )

    def _scored(self, table: Any) -> "tuple[pl.DataFrame, RowNumbers]":
        """Return the rows of a table that have a target, and their numbers in the table."""
        read, _, numbers = self.read(table)
        known = column_named(read, self.target.name, ", the target").is_not_null()
        return read.filter(known), numbers[np.flatnonzero(known.to_numpy())]

    def _rows_of_run(self) -> Parts:
        """Read and divide the run's table as the run did; raise unless the rows are the same."""
        config, rows = self.details.get("config"), self.details.get("rows")
        remedy = "give both the rows to score and train=, the rows that the model was trained on"
        if not config or not config.get("data", {}).get("table"):
            raise InvalidArgumentError(
                f"table: the model file does not name the table of the run; {remedy}"
            )
        place = config["data"]["table"]
        values = {name: value for entries in config.values() for name, value in entries.items()}
        try:
            parts = divide(RunConfig.of(_with_tuples(values)))
        except (ChainruleError, OSError) as error:
            raise InvalidArgumentError(
                f"table: the run's own table cannot be read again ({error}); {remedy}"
            ) from error
        if parts.heights() != rows or (
            self.evaluate(parts.train) != self.details["scores"]["train"]
        ):
            raise InvalidArgumentError(
                f"table: {place} has changed since the model was trained on it; {remedy}"
            )
        return parts


def _with_tuples(values: dict[str, Any]) -> dict[str, Any]:
    return {
        name: tuple(value) if isinstance(value, list) else value for name, value in values.items()
    }
