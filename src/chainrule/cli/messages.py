"""The messages of train while it works: for people, for machines, or none."""

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from typing import TYPE_CHECKING, Any, Protocol

from chainrule.training.events import Callback

if TYPE_CHECKING:
    import polars as pl

    from chainrule.assessment.comparison import Comparison
    from chainrule.cli.search_display import SearchDisplay
    from chainrule.ensembles.members import MemberEnded
    from chainrule.runs.folder import RunFolder
    from chainrule.runs.options import TrainingOptions
    from chainrule.runs.run import Run
    from chainrule.runs.search import Found
    from chainrule.runs.training import PreparedRun


class Teller(Protocol):
    """The output of train, called at each stage of a run."""

    def working(self, what: str) -> AbstractContextManager[object]:
        """Show a slow step until the `with` block ends."""

    def understood(self, run: "PreparedRun") -> None:
        """Report the division of the table and the chosen settings."""

    def progress(self, early_stopping: bool) -> Sequence[Callback]:
        """Return callbacks that show the training's progress."""

    def members(self) -> "Callable[[MemberEnded], object]":
        """Return what is called after each network of an ensemble, and shows it."""

    def search(self, trials: int | None, seconds: float | None) -> "SearchDisplay":
        """Return the display of a search."""

    def found(self, found: "Found") -> None:
        """Report the result of a search."""

    def result_elsewhere(self, sentence: str, folder: "RunFolder") -> None:
        """Report that another process has written, or writes, the result of a shared search."""

    def compared(self, comparison: "Comparison") -> None:
        """Report how the best of a search compares with the default settings."""

    def close(self) -> None:
        """End the progress display, whether the training succeeded or not."""

    def finished(
        self, run: "PreparedRun", trained: "Run", folder: "RunFolder", report: bool
    ) -> None:
        """Report the scores, and the files that were written."""


def teller(json: bool, quiet: bool) -> Teller:
    """Return the output that the options --json and --quiet ask for."""
    return TellMachines() if json else TellNobody() if quiet else TellPeople()


def files_of(folder: "RunFolder", report: bool) -> list[str]:
    """Return the names of the files that a run wrote."""
    files = [folder.model, folder.history, folder.metrics, folder.predictions, folder.config]
    return [str(path) for path in ([*files, folder.report] if report else files)]


class TellNobody:
    """No output; the base of the others."""

    def working(self, what: str) -> AbstractContextManager[object]:
        """Show nothing."""
        return nullcontext()

    def understood(self, run: "PreparedRun") -> None:
        """Show nothing."""

    def progress(self, early_stopping: bool) -> Sequence[Callback]:
        """Return no callbacks."""
        return ()

    def members(self) -> "Callable[[MemberEnded], object]":
        """Return a function that shows nothing."""
        return lambda ended: None

    def search(self, trials: int | None, seconds: float | None) -> "SearchDisplay":
        """Return a display that shows nothing."""
        from chainrule.cli.search_display import SearchDisplay

        return SearchDisplay()

    def found(self, found: "Found") -> None:
        """Show nothing."""

    def result_elsewhere(self, sentence: str, folder: "RunFolder") -> None:
        """Show nothing."""

    def compared(self, comparison: "Comparison") -> None:
        """Show nothing."""

    def close(self) -> None:
        """Do nothing."""

    def finished(
        self, run: "PreparedRun", trained: "Run", folder: "RunFolder", report: bool
    ) -> None:
        """Show nothing."""


class TellMachines(TellNobody):
    """One line of JSON per event: run, started, epoch …, stopped, finished."""

    def __init__(self) -> None:
        from chainrule.cli.progress import JSONLines

        self._lines = JSONLines()

    def understood(self, run: "PreparedRun") -> None:
        """Write the settings, the numbers of rows and the notes."""
        rows = run.parts.heights()
        entries = {"config": run.config.values(), "rows": rows, "notes": run.notes}
        self._lines.write("run", {**entries, "command": run.command})

    def progress(self, early_stopping: bool) -> Sequence[Callback]:
        """Return the callback that writes a line for each event."""
        return (self._lines,)

    def members(self) -> "Callable[[MemberEnded], object]":
        """Return a function that writes a line for each network."""

        def write(ended: "MemberEnded") -> None:
            entries = ended._asdict()
            place = entries.pop("place")
            self._lines.write("network", {**place._asdict(), **entries})

        return write

    def search(self, trials: int | None, seconds: float | None) -> "SearchDisplay":
        """Return the display that writes a line for each trial."""
        from chainrule.cli.search_display import SearchLines

        return SearchLines(self._lines)

    def result_elsewhere(self, sentence: str, folder: "RunFolder") -> None:
        """Write the sentence and the folder."""
        self._lines.write("elsewhere", {"reason": sentence, "folder": str(folder.path)})

    def finished(
        self, run: "PreparedRun", trained: "Run", folder: "RunFolder", report: bool
    ) -> None:
        """Write the scores, the verdict and the names of the files."""
        from chainrule.cli.verdict_table import comparison_entry, verdict_entries

        self._lines.write(
            "finished",
            {
                "scores": trained.scores,
                "verdict": verdict_entries(trained),
                "best_epoch": trained.model.details["best_epoch"],
                "config": trained.config.values(),
                "notes": trained.result_notes,
                "files": files_of(folder, report),
                **comparison_entry(trained),
            },
        )


class TellPeople(TellNobody):
    """Sentences, a progress display and tables of scores."""

    def __init__(self) -> None:
        from chainrule.cli.displays import console

        self._screen = console()
        self._progress: Any = None

    def working(self, what: str) -> AbstractContextManager[object]:
        """Show a line in a terminal until the block ends; nothing elsewhere."""
        from chainrule.cli.progress import working

        return working(what)

    def understood(self, run: "PreparedRun") -> None:
        """Show the numbers of rows, the task, the settings and the notes."""
        for line in introduction(run):
            self._tell(line)

    def progress(self, early_stopping: bool) -> Sequence[Callback]:
        """Return a progress display."""
        from chainrule.cli.progress import progress_for_people

        self._progress = progress_for_people(early_stopping)
        return (self._progress,)

    def members(self) -> "Callable[[MemberEnded], object]":
        """Return a display of the networks that have been trained."""
        from chainrule.cli.progress import members_for_people

        self._progress = members_for_people()
        return self._progress  # type: ignore[no-any-return]

    def search(self, trials: int | None, seconds: float | None) -> "SearchDisplay":
        """Return a display with a table of the best trials."""
        from chainrule.cli.search_display import search_for_people

        self._progress = search_for_people(trials, seconds)
        return self._progress  # type: ignore[no-any-return]

    def found(self, found: "Found") -> None:
        """Show the best trial."""
        from chainrule.cli.search_display import best_of

        self._tell(best_of(found))

    def result_elsewhere(self, sentence: str, folder: "RunFolder") -> None:
        """Show the sentence with the folder."""
        self._tell(f"{sentence} {folder.path}")

    def compared(self, comparison: "Comparison") -> None:
        """Show the comparison as a table and a sentence."""
        from chainrule.cli.displays import comparison_table

        self._screen.print()
        self._screen.print(comparison_table(comparison))
        self._tell(comparison.sentence)

    def close(self) -> None:
        """End the progress display."""
        if self._progress is not None:
            self._progress.close()

    def finished(
        self, run: "PreparedRun", trained: "Run", folder: "RunFolder", report: bool
    ) -> None:
        """Show the scores and the names of the files."""
        from chainrule.cli.displays import averaging_note, confusion_table, score_table
        from chainrule.runs.next_steps import next_steps

        show = self._screen.print
        best = trained.model.details["best_epoch"]
        if best is not None:
            show()
            show(f"Kept the weights of epoch {best}, which has the lowest validation loss")
        if "ensemble" in trained.model.details:
            show()
            self._tell(ensemble_line(trained.model.details["ensemble"]))
        show()
        show(score_table(trained.scores))
        note = averaging_note(trained.scores["test"])
        if note:
            show(note)
            show()
            show("Confusion matrix of the test rows:")
            show(confusion_table(trained.scores["test"]))
        self._show_verdict(trained)
        if trained.comparison is not None:
            self.compared(trained.comparison)
            show()
        for note in trained.result_notes:
            self._tell(f"Note: {note}")
        show("Written:")
        for path in files_of(folder, report):
            show(f"  {path}", soft_wrap=True)
        show("Next:")
        for step in next_steps(run, trained, folder.model):
            show(f"  {step}", soft_wrap=True)

    def _tell(self, line: str) -> None:
        """Show a sentence, wrapped between words in a terminal, and as one line elsewhere."""
        self._screen.print(line, soft_wrap=not self._screen.is_terminal)

    def _show_verdict(self, trained: "Run") -> None:
        """Show the scores of network and baselines, and which differences are significant."""
        from chainrule.cli.verdict_table import verdict_lines, verdict_table, verdict_title
        from chainrule.errors import InvalidArgumentError

        show = self._screen.print
        try:
            with self.working("comparing the network with simpler models"):
                title = verdict_title(trained.judgement)
        except InvalidArgumentError as error:  # values too large for their scores
            show(f"Note: {error}", soft_wrap=True)
            return
        show(title)
        show(verdict_table(trained, self._screen.width))
        for line in verdict_lines(trained):
            self._tell(line)
        show()


def ensemble_line(found: "Mapping[str, Any]") -> str:
    """Return a sentence about an ensemble, from the details of its model file."""
    from chainrule.ensembles.summary import EnsembleSummary

    summary = EnsembleSummary.from_details(found)
    trained = ""
    if summary.trained > summary.networks:
        trained = f", of {summary.trained} that were trained"
    gain = ""
    if summary.gain > 0:
        gain = f", {summary.gain:.1%} below that of the first {summary.folds} alone"
    return (
        f"Ensemble of {summary.networks} networks{trained}: on rows that they did not learn from, "
        f"the loss is {summary.loss:.4g}{gain}. The validation scores are of the networks that did "
        "not learn from these rows"
    )


def _length(training: "TrainingOptions") -> str:
    """Return how long a training is, and what ends it."""
    if training.early_stopping and training.patience is None:
        return f"{training.epochs} epochs, of which the best is kept"
    return f"at most {training.epochs} epochs{', early stopping' * bool(training.early_stopping)}"


def introduction(run: "PreparedRun") -> Iterable[str]:
    """Yield the lines that describe a run: its rows, its target, its network and its training."""
    parts, target, training = run.parts, run.target, run.config.training
    heights = parts.heights()
    data = run.config.data
    words = {"train": "train", "validation": "validate", "test": "test"}
    if data.test:
        del words["test"]
    total = sum(heights[name] for name in words)
    divided = ", ".join(f"{heights[name]:,} {word}" for name, word in words.items())
    yield f"{data.table or 'The table'}: {total:,} rows; {divided}"
    if data.test:
        yield f"{data.test}: {heights['test']:,} rows; all test"
    training_rows = "the training rows" if parts.stream is None else "a sample of the training rows"
    if target.task == "classification":
        counts = dict(parts.train[target.name].value_counts().iter_rows())
        named = [f"{name} ({counts.get(name, 0):,})" for name in target.classes[:10]]
        more = ", …" if len(target.classes) > 10 else ""
        yield (
            f"Classification of {target.name}: {len(target.classes)} classes, "
            f"{', '.join(named)}{more} in {training_rows}"
        )
    else:
        yield f"Regression of {target.name}: {described_values(parts.train[target.name])}"
    sizes, names = training.layers or (), training.activation
    shown = names if isinstance(names, tuple) else (names,) * len(sizes)
    # A list of another length is an error, which the network's construction reports.
    hidden = [f"{units} {name}" for units, name in zip(sizes, shown, strict=False)]
    inputs = f"{run.training.X.shape[1]} inputs from {len(run.encoder.columns_)} columns"
    yield f"Network: {' → '.join([inputs, *hidden, _output(target)])}"
    yield (
        f"Training: {training.optimizer}, learning rate {training.learning_rate:g} "
        f"({training.schedule}), batches of {training.batch_size}, {_length(training)}, "
        f"seed {training.seed}"
    )
    if run.is_ensemble:
        from chainrule.ensembles.training import FOLDS, VARIATIONS

        limit = f", for about {training.time_limit}" if training.time_limit else ""
        yield (
            f"Ensemble: up to {FOLDS * VARIATIONS} networks{limit}: {VARIATIONS} variations of "
            f"these settings, each on {FOLDS} folds of the training and validation rows"
        )
    for note in run.notes:
        yield f"Note: {note}"


def described_values(column: "pl.Series") -> str:
    """Return a target's mean and deviation in its units, and its quartiles if it is skewed."""
    import numpy as np
    import polars as pl

    from chainrule.tables.target import mean_and_deviation
    from chainrule.tables.transform import is_heavy

    values = column.cast(pl.Float64).to_numpy()
    text = mean_and_spread(*mean_and_deviation(values))
    if not is_heavy(values):
        return text
    low, high = np.quantile(values, [0.25, 0.75])
    return f"{text}, quartiles {low:.5g} and {high:.5g}"


def mean_and_spread(mean: float, deviation: float) -> str:
    """Return "mean ± deviation", the mean with enough digits to resolve the deviation."""
    digits = 5
    if mean and deviation:
        apart = math.floor(math.log10(abs(mean))) - math.floor(math.log10(deviation))
        digits = min(15, max(digits, apart + 3))
    return f"{mean:.{digits}g} ± {deviation:.5g}"


def _output(target: Any) -> str:
    if target.task == "regression":
        return "1 value"
    return f"{len(target.classes)} classes"
