"""What train says while it works: to people, to machines, or not at all."""

import math
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any, Protocol

from chainrule.training.events import Callback

if TYPE_CHECKING:
    import polars as pl

    from chainrule.cli.search_display import SearchDisplay
    from chainrule.runs.folder import RunFolder
    from chainrule.runs.search import Found
    from chainrule.runs.training import Run, Trained


class Teller(Protocol):
    """Whoever is told what train does."""

    def understood(self, run: "Run") -> None:
        """Hear that the table is divided and everything decided."""

    def progress(self, early_stopping: bool) -> Sequence[Callback]:
        """Return who follows the training."""

    def search(self, trials: int | None, seconds: float | None) -> "SearchDisplay":
        """Return who follows a search."""

    def found(self, found: "Found") -> None:
        """Hear what a search found."""

    def close(self) -> None:
        """Hear that the training ended, somehow."""

    def finished(self, trained: "Trained", folder: "RunFolder", report: bool) -> None:
        """Hear that everything is written."""


def teller(json: bool, quiet: bool) -> Teller:
    """Return whom to tell."""
    return TellMachines() if json else TellNobody() if quiet else TellPeople()


def files_of(folder: "RunFolder", report: bool) -> list[str]:
    """Return the names of the files that a run wrote."""
    files = [folder.model, folder.history, folder.metrics, folder.config]
    return [str(path) for path in ([*files, folder.report] if report else files)]


class TellNobody:
    """Says nothing."""

    def understood(self, run: "Run") -> None:
        """Say nothing."""

    def progress(self, early_stopping: bool) -> Sequence[Callback]:
        """Return nobody."""
        return ()

    def search(self, trials: int | None, seconds: float | None) -> "SearchDisplay":
        """Return nobody."""
        from chainrule.cli.search_display import SearchDisplay

        return SearchDisplay()

    def found(self, found: "Found") -> None:
        """Say nothing."""

    def close(self) -> None:
        """Say nothing."""

    def finished(self, trained: "Trained", folder: "RunFolder", report: bool) -> None:
        """Say nothing."""


class TellMachines(TellNobody):
    """Writes a line of JSON for each event: run, started, epoch …, stopped, finished."""

    def __init__(self) -> None:
        from chainrule.cli.progress import JSONLines

        self._lines = JSONLines()

    def understood(self, run: "Run") -> None:
        """Write what was decided."""
        rows = {name: part.height for name, part in run.parts.tables().items()}
        entries = {"config": run.config.values(), "rows": rows, "notes": run.notes}
        self._lines.write("run", {**entries, "command": run.command})

    def progress(self, early_stopping: bool) -> Sequence[Callback]:
        """Return what writes a line for each epoch."""
        return (self._lines,)

    def search(self, trials: int | None, seconds: float | None) -> "SearchDisplay":
        """Return what writes a line for each trial."""
        from chainrule.cli.search_display import SearchLines

        return SearchLines(self._lines)

    def finished(self, trained: "Trained", folder: "RunFolder", report: bool) -> None:
        """Write the scores."""
        self._lines.write(
            "finished",
            {
                "scores": trained.scores,
                "best_epoch": trained.model.details["best_epoch"],
                "config": trained.config.values(),
                "notes": trained.notes,
                "files": files_of(folder, report),
            },
        )


class TellPeople(TellNobody):
    """Shows what was understood, the training as it goes, and the scores."""

    def __init__(self) -> None:
        from chainrule.cli.displays import console

        self._screen = console()
        self._progress: Any = None

    def understood(self, run: "Run") -> None:
        """Show the rows, the task, what was chosen, and what a person should know."""
        for line in introduction(run):
            self._screen.print(line, soft_wrap=True)

    def progress(self, early_stopping: bool) -> Sequence[Callback]:
        """Return a progress display."""
        from chainrule.cli.progress import progress_for_people

        self._progress = progress_for_people(early_stopping)
        return (self._progress,)

    def search(self, trials: int | None, seconds: float | None) -> "SearchDisplay":
        """Return a table of the best trials."""
        from chainrule.cli.search_display import search_for_people

        self._progress = search_for_people(trials, seconds)
        return self._progress  # type: ignore[no-any-return]

    def found(self, found: "Found") -> None:
        """Show what the best trial is."""
        from chainrule.cli.search_display import best_of

        self._screen.print(best_of(found), soft_wrap=True)

    def close(self) -> None:
        """End the progress display."""
        if self._progress is not None:
            self._progress.close()

    def finished(self, trained: "Trained", folder: "RunFolder", report: bool) -> None:
        """Show the scores and name the files."""
        from chainrule.cli.displays import averaging_note, confusion_table, score_table

        show = self._screen.print
        for note in trained.notes:
            show(f"Note: {note}", soft_wrap=True)
        best = trained.model.details["best_epoch"]
        if best is not None:
            show()
            show(f"Kept: epoch {best}, of the lowest loss of the validation rows")
        show()
        show(score_table(trained.scores))
        note = averaging_note(trained.scores["test"])
        if note:
            show(note)
            show()
            show("Confusion matrix of the test rows:")
            show(confusion_table(trained.scores["test"]))
        show("Written:")
        for path in files_of(folder, report):
            show(f"  {path}", soft_wrap=True)


def introduction(run: "Run") -> Iterable[str]:
    """Return what was understood and chosen, in lines."""
    parts, target, training = run.parts, run.target, run.config.training
    tables = parts.tables()
    total = sum(part.height for part in tables.values())
    words = {"train": "train", "validation": "validate", "test": "test"}
    divided = ", ".join(f"{tables[name].height:,} {word}" for name, word in words.items())
    yield f"{run.config.data.table or 'The table'}: {total:,} rows; {divided}"
    if target.task == "classification":
        counts = dict(parts.train[target.name].value_counts().iter_rows())
        named = [f"{name} ({counts.get(name, 0):,})" for name in target.classes[:10]]
        more = ", …" if len(target.classes) > 10 else ""
        yield (
            f"Classification of {target.name}: {len(target.classes)} classes, "
            f"{', '.join(named)}{more} to train with"
        )
    else:
        yield f"Regression of {target.name}: {described_values(parts.train[target.name])}"
    layers = [f"{units} {training.activation}" for units in training.layers or ()]
    inputs = f"{run.training.X.shape[1]} inputs from {len(run.encoder.columns_)} columns"
    yield f"Network: {' → '.join([inputs, *layers, _output(target)])}"
    yield (
        f"Training: {training.optimizer}, learning rate {training.learning_rate:g} "
        f"({training.schedule}), batches of {training.batch_size}, at most {training.epochs} "
        f"epochs{', early stopping' if training.early_stopping else ''}, seed {training.seed}"
    )
    for note in run.notes:
        yield f"Note: {note}"


def described_values(column: "pl.Series") -> str:
    """Return mean and deviation of a target in its units, and the quartiles of a long tail."""
    import numpy as np
    import polars as pl

    from chainrule.tables.target import mean_and_deviation
    from chainrule.tables.transform import is_heavy

    values = column.cast(pl.Float64).to_numpy()
    text = mean_and_spread(*mean_and_deviation(values))
    if not is_heavy(values):
        return text
    low, high = np.quantile(values, [0.25, 0.75])
    return f"{text}, half of it from {low:.5g} to {high:.5g}"


def mean_and_spread(mean: float, deviation: float) -> str:
    """Return "mean ± deviation": the mean with as many digits as the deviation can tell apart."""
    digits = 5
    if mean and deviation:
        apart = math.floor(math.log10(abs(mean))) - math.floor(math.log10(deviation))
        digits = min(15, max(digits, apart + 3))
    return f"{mean:.{digits}g} ± {deviation:.5g}"


def _output(target: Any) -> str:
    if target.task == "regression":
        return "1 value"
    return f"{len(target.classes)} classes"
