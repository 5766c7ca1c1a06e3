"""The result of a run: the model, its history, its scores and the verdict."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from html import escape
from pathlib import Path
from typing import TYPE_CHECKING, Any

from chainrule.assessment.comparison import Comparison
from chainrule.assessment.judgement import Judgement, judge_parts
from chainrule.assessment.verdict import Verdict, verdict
from chainrule.errors import InvalidArgumentError, InvalidTableError
from chainrule.files.outputs import check_apart
from chainrule.model.table_predictions import write_predictions
from chainrule.pictures.picture import wrapped
from chainrule.pictures.tables import TextTable
from chainrule.printable import printable
from chainrule.runs.config import RunConfig
from chainrule.runs.folder import Outputs, RunFolder
from chainrule.runs.held_out import held_out_predictions
from chainrule.runs.parts import Parts
from chainrule.runs.python_names import in_python
from chainrule.runs.table_model import TableModel
from chainrule.training.history import History

if TYPE_CHECKING:
    import polars as pl

    from chainrule.report.page import Report

_SCORES = {
    "accuracy": "accuracy",
    "f1": "F1",
    "roc_auc": "ROC AUC",
    "rmse": "RMSE",
    "mae": "MAE",
    "r2": "R²",
}


@dataclass(frozen=True, repr=False)
class Run:
    """The result of `train`: a model with its history, its scores and its report.

    A notebook and ``print`` show the verdict on the model and its scores.

    Parameters
    ----------
    config : RunConfig
        All settings, those that were chosen by default included.
    model : TableModel
    history : History
    scores : dict
        `TableModel.evaluate` for each of "train", "validation" and "test".
    table_notes, result_notes : tuples of str
        Notes on the table, and on the training and the result.
    parts : Parts
        The rows that the model was trained and scored on.
    comparison : Comparison, optional
        After a search, the comparison with the model of the default settings, on the test rows.
    validating : TableModel, optional
        Of an ensemble, whose networks learn from the validation rows too: its networks that did
        not, which these rows are scored by.
    """

    config: RunConfig
    model: TableModel
    history: History
    scores: Mapping[str, Mapping[str, Any]]
    table_notes: tuple[str, ...]
    result_notes: tuple[str, ...]
    parts: Parts
    comparison: Comparison | None = None
    validating: TableModel | None = None

    @property
    def notes(self) -> tuple[str, ...]:
        """Notes on the table, the training and the result."""
        return tuple(map(in_python, (*self.table_notes, *self.result_notes)))

    @property
    def command(self) -> str:
        """The command that repeats the run, or the call of `train` if the table was not a file."""
        return str(self.model.details["command"])

    @cached_property
    def judgement(self) -> Judgement:
        """The comparison with the baselines on the test rows, or else on the validation rows.

        The first access fits the baselines; later ones return the same judgement.
        """
        seed = self.config.training.seed
        return judge_parts(self.model, self.parts.tables(), seed=0 if seed is None else seed)

    @cached_property
    def verdict(self) -> Verdict:
        """The verdict on the model, in sentences."""
        return verdict(self.model, self.judgement)

    def predict(self, table: Any, interval: float | None = None) -> "pl.DataFrame":
        """Return a prediction for each row; see `TableModel.predict`.

        Parameters
        ----------
        table : path, polars or pandas DataFrame, or Arrow table
        interval : float, optional
            The coverage of prediction intervals, or for classes of prediction sets, to add.
        """
        return self.model.predict(table, interval)

    def report(self) -> "Report":
        """Return the report, which a notebook shows; its ``save`` writes it as a page.

        This is the page that ``chainrule train`` writes.
        """
        return self._report

    @cached_property
    def _report(self) -> "Report":
        from chainrule.report.page import report_of

        seed = self.config.training.seed
        return report_of(
            self.model,
            self.parts.tables(),
            numbers=self.parts.numbers,
            history=self.history,
            command=self.command,
            notes=(*self.table_notes, *self.result_notes),
            versions=self.model.details["versions"],
            seed=0 if seed is None else seed,
            judgement=self.judgement,
            comparison=self.comparison,
        )

    def save(self, folder: str | Path, *, overwrite: bool = False, report: bool = True) -> None:
        """Write the folder that ``chainrule train`` writes.

        The folder contains the model, its history, its scores, the predictions for the held-out
        rows, run.toml and the report.

        Parameters
        ----------
        folder : str or Path
            It is created if it does not exist.
        overwrite : bool, default False
            Whether files of another run, and files that no run wrote, are replaced.
        report : bool, default True
            Whether report.html is written.

        Raises
        ------
        FileWriteError
            If a file is in the way, or cannot be written.
        InvalidArgumentError
            If the folder's files include the table that the run was trained on.
        """
        place, outputs = RunFolder(Path(folder)), Outputs(report)
        tables = [("table", self.config.data.table), ("test", self.config.data.test)]
        check_apart(
            [("folder", path) for path in place.written(outputs)],
            [(name, path) for name, path in tables if path],
        )
        with place.alone("folder"):
            place.check("folder", outputs, overwrite=overwrite, remedy="overwrite=True")
            if overwrite:
                place.clear(outputs)
            self.write_to(place, report)

    def write_to(self, folder: RunFolder, report: bool) -> None:
        """Write the files of a run to a folder that is ready for them."""
        self.model.save(folder.model)
        self.history.to_csv(folder.history)
        folder.write_config(self.config, self.command)
        folder.write_scores(self.scores)
        write_predictions(
            held_out_predictions(self.model, self.parts, self.validating), folder.predictions
        )
        if report:
            self.report().save(folder.report)

    def __repr__(self) -> str:
        lines = [wrapped(line) for line in (self._title, *self._judged)]
        lines += ["", self._score_table.to_text()]
        if self.notes:
            lines += ["", *(wrapped(f"Note: {note}") for note in self.notes)]
        return "\n".join(lines)

    def _repr_html_(self) -> str:
        title, *sentences = (self._title, *self._judged)
        notes = "".join(f"<li>{escape(printable(note))}</li>" for note in self.notes)
        return (
            f"<p><b>{escape(title)}</b></p>"
            + "".join(f"<p>{escape(sentence)}</p>" for sentence in sentences)
            + self._score_table.to_html()
            + (f"<details><summary>Notes ({len(self.notes)})</summary><ul>{notes}</ul></details>")
            * bool(self.notes)
        )

    @property
    def _title(self) -> str:
        of = f" of {self.config.data.table}" if self.config.data.table else ""
        return printable(f"{self.model.target.task.capitalize()} of {self.model.target.name}{of}")

    @property
    def _judged(self) -> tuple[str, ...]:
        """The sentences of the verdict; none if there are too few rows for one."""
        try:
            found = self.verdict
        except (InvalidArgumentError, InvalidTableError):
            return ()
        return tuple(map(printable, (found.sentence, *found.comparisons)))

    @property
    def _score_table(self) -> TextTable:
        keys = [key for key in _SCORES if key in self.scores["train"]]
        rows = []
        for name, scores in self.scores.items():
            values = [scores.get(key) for key in keys]
            shown = ["–" if value is None else f"{value:.4g}" for value in values]
            rows.append((name, f"{scores['rows']:,}", *shown))
        return TextTable(("rows", ">number", *(f">{_SCORES[key]}" for key in keys)), tuple(rows))
