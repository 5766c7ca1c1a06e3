"""The course of the training: losses and metrics over the epochs."""

import numpy as np

from chainrule.ensembles.summary import EnsembleSummary
from chainrule.ensembles.variations import PORTFOLIO
from chainrule.number_texts import count, number, plain
from chainrule.pictures.canvas import shortened
from chainrule.pictures.curves import LOGARITHMIC_FROM, NOT_METRICS, TITLES
from chainrule.report.charts.plot import Plot, legend
from chainrule.report.charts.scales import padded, round_step
from chainrule.report.markup import Html, join
from chainrule.report.sections.elements import figure, figures, section, table
from chainrule.report.subject import Subject


def training(subject: Subject) -> Html:
    """Return the section."""
    history = subject.history
    ensemble = _ensemble(subject)
    tables = [] if ensemble is None else [_variations(ensemble)]
    if not len(history):
        lead = "The history has no epochs." if ensemble is None else _ensemble_lead(ensemble)
        return section("training", "How it was trained", lead, *tables)
    best = _best_epoch(subject)
    seconds = sum(history["seconds"])
    lead = f"{count(len(history), 'epoch')} in {_duration(seconds)}."
    if best:
        loss = min(history["validation_loss"])
        lead += f" The validation loss was lowest, {number(loss)}, after epoch {plain(best)}"
        last = history["epoch"][-1]
        lead += "." if best == last else "; later epochs did not improve it."
    if ensemble is not None:
        lead = f"{_ensemble_lead(ensemble)} The curves are those of its first network: {lead}"
    names = ["loss"]
    for column in history.columns:
        name = column.removeprefix("validation_")
        if name not in NOT_METRICS and name not in names:
            names.append(name)
    return section(
        "training",
        "How it was trained",
        lead,
        figures(*(_panel(subject, name, best) for name in names)),
        *tables,
    )


def _ensemble(subject: Subject) -> EnsembleSummary | None:
    details = subject.model.details.get("ensemble")
    return None if details is None else EnsembleSummary.from_details(details)


def _ensemble_lead(ensemble: EnsembleSummary) -> str:
    trained = f"{count(ensemble.trained, 'network')} on {count(ensemble.folds, 'fold')}"
    return (
        f"The model is an ensemble of {plain(ensemble.networks)} of {trained} of the rows, merged "
        f"into one. On rows that they did not learn from, its loss is {number(ensemble.loss)}."
    )


def _variations(ensemble: EnsembleSummary) -> Html:
    rows = [
        [
            plain(index),
            variation.words,
            number(loss) if np.isfinite(loss) else "not trained",
            f"{weight:.0%}",
        ]
        for index, (variation, loss, weight) in enumerate(
            zip(PORTFOLIO, ensemble.losses, ensemble.weights, strict=False), start=1
        )
    ]
    columns = [
        ("Variation", "number"),
        ("Settings", ""),
        ("Loss out of fold", "number"),
        ("Weight", "number"),
    ]
    return table("The variations of the settings that were trained", columns, rows, "variations")


def _best_epoch(subject: Subject) -> int:
    history = subject.history
    if "validation_loss" not in history:
        return 0
    return int(history["epoch"][int(np.argmin(history["validation_loss"]))])


def _duration(seconds: float) -> str:
    if seconds < 0.1:
        return "less than 0.1 seconds"
    if seconds < 120:
        return f"{number(seconds, 2)} seconds"
    return f"{number(seconds / 60, 2)} minutes"


def _panel(subject: Subject, name: str, best: int) -> Html:
    history = subject.history
    epochs = history["epoch"]
    given = {
        series: np.asarray(history[column], np.float64)
        for series, column in (("network", name), ("validation", f"validation_{name}"))
        if column in history
    }
    seen = np.concatenate(list(given.values()))
    seen = seen[np.isfinite(seen)]
    low, high = (float(seen.min()), float(seen.max())) if len(seen) else (0.0, 1.0)
    logarithmic = name == "loss" and low > 0 and high / low > LOGARITHMIC_FROM
    up = (low * 0.9, high * 1.1) if logarithmic else padded(low, high, 0.06)
    if name == "loss" and low >= 0 and not logarithmic:
        up = (0.0, max(1.06 * high, 1e-12))
    across = (epochs[0], epochs[-1]) if len(epochs) > 1 else (epochs[0] - 0.5, epochs[0] + 0.5)
    title = TITLES.get(name, name.replace("_", " ").capitalize())
    plot = Plot(
        across,
        up,
        x_label="Epoch",
        y_label=shortened(title, 40) + (", logarithmic" if logarithmic else ""),
        x_format=plain,
        x_ticks=_whole_ticks(across),
        logarithmic=logarithmic,
    )
    if best:
        plot.vertical(best, f"lowest validation loss: epoch {plain(best)}")
    for series, line in given.items():
        fine = np.isfinite(line)
        plot.line(np.asarray(epochs)[fine], line[fine], series)
        if best and series == "validation":
            plot.dots(best, line[epochs.index(best)], series, 4.5)
        if len(epochs) == 1:
            plot.dots(epochs, line, series)
    names = {"network": "Training rows", "validation": "Validation rows"}
    last = ", ".join(
        f"{names[series].lower()} {number(line[-1])}" for series, line in given.items()
    )
    entries = [(series, names[series]) for series in given]
    picture = plot.svg(f"{title} over {count(len(epochs), 'epoch')}; at the end {last}")
    return figure(title, join([legend(*entries), picture]), f"At the end: {last}.")


def _whole_ticks(across: tuple[float, float]) -> list[float]:
    first, last = int(np.ceil(across[0])), int(np.floor(across[1]))
    step = max(1, int(round_step(max(1, last - first) / 8)))
    ticks = [float(tick) for tick in range(first, last + 1) if tick % step == 0]
    return ticks or [float(first)]
