"""Next steps after a run: at most two sentences, each with a command to paste."""

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from chainrule.runs.program_name import called, calling
from chainrule.settings.rules import is_planned

if TYPE_CHECKING:
    from chainrule.runs.run import Run
    from chainrule.runs.training import PreparedRun

# Scores of the training rows that are so much better say that the network learned them by heart.
_POINTS_APART, _ERRORS_APART = 0.05, 1.3
_STILL_FALLING = 0.95


def next_steps(prepared: "PreparedRun", run: "Run", model: Path) -> list[str]:
    """Return the most useful change to the run, and how to predict with its model."""
    predict = calling("predict", model, "new.csv", "-o", "predictions.csv")
    change = _doubt(prepared) or _improvement(prepared, run)
    return [*([change] if change else []), f"To predict new rows: {predict}"]


def _doubt(prepared: "PreparedRun") -> str:
    """Return what to do about scores that may be too good or too imprecise."""
    found, target = prepared.findings, prepared.target.name
    ignored = prepared.config.data.ignore
    if found.leaks:
        columns = found.leaks[0]
        again = _again(prepared, data={"ignore": (*ignored, columns[0])})
        if len(columns) == 1:
            return f"If {columns[0]!r} is not known before {target!r}, leave it out: {again}"
        names = f"{', '.join(map(repr, columns[:-1]))} and {columns[-1]!r}"
        return f"If {names} are not all known before {target!r}, leave out those not known: {again}"
    if found.groups:
        again = _again(prepared, data={"group": found.groups[0]})
        return f"To test the model on new values of {found.groups[0]!r}: {again}"
    if found.dates:
        again = _again(prepared, data={"time": found.dates[0]})
        return f"To test the model on later rows: {again}"
    if found.few_test_rows and not prepared.config.data.test:
        return f"For a more precise test score: {_again(prepared, data={'split': (0.6, 0.1, 0.3)})}"
    return ""


def _improvement(prepared: "PreparedRun", run: "Run") -> str:
    """Return what may make the scores better."""
    training = prepared.config.training
    best = run.model.details["best_epoch"]
    # A schedule over the whole training makes the last epochs the best ones by design.
    falling = best is not None and best >= _STILL_FALLING * training.epochs
    if falling and not is_planned(training.schedule):
        again = _again(prepared, training={"epochs": 2 * training.epochs})
        return f"The validation loss was still falling at the last epoch: {again}"
    train, test = run.scores["train"], run.scores["test"]
    if "accuracy" in train:
        apart = train["accuracy"] - test["accuracy"] > _POINTS_APART
    else:
        apart = test["rmse"] > _ERRORS_APART * train["rmse"]
    if apart and training.layers and not training.dropout:
        again = _again(prepared, training={"dropout": (0.2,)})
        return f"The training rows score much better than the test rows; dropout may help: {again}"
    return ""


def _again(
    prepared: "PreparedRun",
    data: dict[str, Any] | None = None,
    training: dict[str, Any] | None = None,
) -> str:
    """Return the command of the run with other options."""
    config = prepared.config
    config = replace(
        config,
        data=replace(config.data, **(data or {})),
        training=replace(config.training, **(training or {})),
    )
    return called(replace(prepared, config=config).command)
