"""Coverage of intervals and sets, and the gain of a temperature, on three real tables.

    python benchmarks/intervals.py --data DIR [--seeds 8] [--rows 20000] [--epochs 30]

Each seed draws rows, divides them, trains, and counts on the test rows how often the interval or
the set holds the true target. The mean over the seeds must be within 1.5 points of the coverage
that was asked for. "fresh" is the coverage with scores from half of the test rows, which decided
nothing in the training, on the other half: the difference to it is what early stopping and the
temperature cost.
"""

import argparse
import time
from pathlib import Path

import numpy as np
import polars as pl

from chainrule.equations.conformal import conformal_rank
from chainrule.model.temperature import tempered
from chainrule.runs.config import RunConfig
from chainrule.runs.training import PreparedRun

COVERAGES = (0.8, 0.9, 0.95)
TOLERANCE = 0.015


def california(folder):
    """Return the table of house values, and its settings."""
    return pl.read_csv(folder / "california_housing.csv"), {"target": "MedHouseVal"}


def flights(folder):
    """Return the table of flights with what is known at push-back, and its settings."""
    table = pl.read_parquet(folder / "flights.parquet").drop_nulls("arr_delay")
    left_out = ["arr_time", "air_time", "time_hour", "year", "flight", "tailnum"]
    return table.drop(left_out), {"target": "arr_delay"}


def adult(folder):
    """Return the table of incomes, and its settings."""
    parts = [pl.read_csv(folder / f"adult_{part}.csv") for part in ("train", "test")]
    return pl.concat(parts), {"target": "income"}


def adult_with(**more):
    """Return the loader of the table of incomes with further settings."""

    def load(folder):
        table, settings = adult(folder)
        return table, settings | more

    return load


TABLES = {
    "California": california,
    "flights": flights,
    "Adult": adult,
    # Losses and trainings that make probabilities less or more certain than they should be.
    "Adult, focal loss": adult_with(loss="focal"),
    "Adult, label smoothing 0.2": adult_with(label_smoothing=0.2),
    "Adult, no early stopping": adult_with(early_stopping=False, l2=0.0),
}


def held(model, rows, coverage):
    """Return for each row whether its interval or set holds the truth, and how large it is."""
    true = model.truth(rows)[1]
    found = model.predict(rows, interval=coverage)
    if model.target.task == "classification":
        names = [model.target.classes[index] for index in true]
        sets = found["prediction_set"].to_list()
        inside = np.array([name in one for name, one in zip(names, sets, strict=True)])
        return inside, found["prediction_set"].list.len().to_numpy()
    lower, upper = found["lower"].to_numpy(), found["upper"].to_numpy()
    return (lower <= true) & (true <= upper), upper - lower


def fresh_coverage(model, rows, coverage):
    """Return the coverage with scores from one half of rows on the other half."""
    scores = model.scores_of(*model.truth(rows))
    first, second = scores[::2], scores[1::2]
    q = np.sort(first)[conformal_rank(len(first), coverage) - 1]
    return np.mean(second <= q)


def calibration_of(network, model, rows):
    """Return log loss and calibration error of a network on rows."""
    from chainrule.model.probability_scores import (
        calibration_error,
        log_losses,
        stated_probabilities,
    )

    X, true = model.truth(rows)
    p = network.predict(X).astype(np.float64)
    p = np.hstack([1 - p, p]) if p.shape[1] == 1 else p
    return np.mean(log_losses(true, p)), calibration_error(*stated_probabilities(true, p))


def measured(table, settings, seed, rows, epochs):
    """Train with a seed; return what was measured on the test rows."""
    sample = table.sample(min(rows, table.height), seed=seed, shuffle=True)
    run = PreparedRun.prepare(RunConfig.of({**settings, "seed": seed, "epochs": epochs}), sample)
    fitted = run.train()
    model, test = run.model_of(fitted), run.parts.test
    assert test.height >= 1000
    found = {"rows": test.height, "coverage": [], "size": [], "fresh": []}
    for coverage in COVERAGES:
        inside, size = held(model, test, coverage)
        found["coverage"].append(inside.mean())
        found["size"].append(size.mean())
        found["fresh"].append(fresh_coverage(model, test, coverage))
    T = fitted.temperature
    if T is not None:
        # Without a temperature, and with the fitted one whether or not it was applied.
        plain = tempered(model.network, 1 / T.value)
        found["temperature"] = (T.fitted, T.applied)
        found["before"] = calibration_of(plain, model, test)
        found["after"] = calibration_of(model.network, model, test)
        found["fitted"] = calibration_of(tempered(plain, T.fitted), model, test)
    return found


def main():
    """Print a table for each data set; fail if a mean coverage is off by more than allowed."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--seeds", type=int, default=8)
    parser.add_argument("--rows", type=int, default=20_000)
    parser.add_argument("--epochs", type=int, default=30)
    options = parser.parse_args()
    worst = 0.0
    for name, load in TABLES.items():
        begin = time.perf_counter()
        table, settings = load(options.data)
        found = [
            measured(table, settings, seed, options.rows, options.epochs)
            for seed in range(options.seeds)
        ]
        print(f"{name}: {options.seeds} seeds, {found[0]['rows']:,} test rows each")
        for place, coverage in enumerate(COVERAGES):
            each = np.array([one["coverage"][place] for one in found])
            size = np.mean([one["size"][place] for one in found])
            fresh = np.mean([one["fresh"][place] for one in found])
            worst = max(worst, abs(each.mean() - coverage))
            print(
                f"  {coverage:.0%}: coverage {each.mean():.2%} ({each.min():.1%} to "
                f"{each.max():.1%}), fresh {fresh:.2%}, mean width or size {size:.3f}"
            )
        if "temperature" in found[0]:
            T = [one["temperature"][0] for one in found]
            applied = sum(one["temperature"][1] for one in found)
            print(f"  T {min(T):.2f} to {max(T):.2f}, applied by {applied} of {len(found)}")
            for which in ("before", "fitted", "after"):
                loss, error = np.mean([one[which] for one in found], axis=0)
                print(f"  {which}: log loss {loss:.4f}, calibration error {error:.4f}")
        print(f"  {time.perf_counter() - begin:.0f} s", flush=True)
    assert worst <= TOLERANCE, f"a mean coverage is off by {worst:.2%}"
    print(f"All mean coverages are within {worst:.2%} of what was asked for.")


if __name__ == "__main__":
    main()
