"""What becomes of indicators (columns of 0 and 1) in the Network… estimators.

    python benchmarks/tables_in_estimators.py --data DIR [--seeds 6]

For each table: the mean error over the seeds, in percent (misclassified rows; 1 − R² of values), if
indicators are standardised like other numbers, and if they are left as they are, as the estimators
and the command line do; and the same of a pipeline with a TableEncoder and of the table as it is.
Adult (adult_train.csv) and flights (flights.parquet) are read from --data.
"""

import argparse
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import polars as pl
from sklearn.datasets import load_digits, make_friedman1
from sklearn.model_selection import train_test_split
from sklearn.pipeline import make_pipeline

import chainrule as cr
from chainrule.estimators import preparation
from chainrule.estimators.scaling import Scale


class Case(NamedTuple):
    name: str
    X: Any
    y: np.ndarray
    is_class: bool


def cases(data: Path) -> Iterator[Case]:
    adult = pl.read_csv(data / "adult_train.csv").sample(12_000, seed=1, shuffle=True)
    income = adult["income"].to_numpy()
    yield Case("Adult, income", adult.drop("income"), income, True)
    hours = adult["hours-per-week"].to_numpy().astype(float)
    yield Case("Adult, hours per week", adult.drop("hours-per-week"), hours, False)
    flights = pl.read_parquet(data / "flights.parquet").drop_nulls()
    flights = flights.sample(12_000, seed=3, shuffle=True)
    late = np.clip(flights["arr_delay"].to_numpy().astype(float), -60, 180)
    hidden = ("arr_time", "air_time", "arr_delay", "time_hour", "tailnum", "dep_delay")
    yield Case("flights, arrival delay", flights.drop(hidden), late, False)
    random = np.random.default_rng(0)
    X, y = make_friedman1(2000, n_features=10, noise=1, random_state=0)
    kind = random.integers(0, 30, 2000)
    effect = random.normal(0, 3, 30)[kind]
    yield Case("Friedman, 30 categories", np.hstack([X, np.eye(30)[kind]]), y + effect, False)
    bits = random.random((2000, 20)) < random.uniform(0.02, 0.5, 20)
    effect = bits @ random.normal(0, 3, 20)
    yield Case("Friedman, 20 indicators", np.hstack([X, bits]), y + effect, False)
    X, y = load_digits(return_X_y=True)
    yield Case("digits", X, y, True)
    yield Case("digits, black and white", (X > 7).astype(float), y, True)


@contextmanager
def indicators_standardised() -> Iterator[None]:
    usual = preparation.scale_of_inputs
    preparation.scale_of_inputs = lambda inputs, weights, codes: Scale.of(inputs, weights)
    try:
        yield
    finally:
        preparation.scale_of_inputs = usual


def error(case: Case, model: Any, seed: int) -> float:
    rows = np.arange(len(case.y))
    train, test = train_test_split(
        rows, test_size=0.3, random_state=seed, stratify=case.y if case.is_class else None
    )
    model.fit(case.X[train], case.y[train])
    return float(100 * (1 - model.score(case.X[test], case.y[test])))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--seeds", type=int, default=6)
    options = parser.parse_args()
    warnings.simplefilter("ignore")
    print(f"{'':26}standardised  as they are  table itself")
    for case in cases(options.data):
        kind = cr.NetworkClassifier if case.is_class else cr.NetworkRegressor
        is_table = isinstance(case.X, pl.DataFrame)
        errors: dict[str, list[float]] = {"scaled": [], "kept": [], "table": []}
        for seed in range(options.seeds):
            model: Any = kind(random_state=seed)
            if is_table:
                errors["table"].append(error(case, model, seed))
                model = make_pipeline(cr.TableEncoder(), kind(random_state=seed))
            with indicators_standardised():
                errors["scaled"].append(error(case, model, seed))
            errors["kept"].append(error(case, model, seed))
        means = [f"{np.mean(each):12.2f}" if each else f"{'–':>12}" for each in errors.values()]
        print(f"{case.name:<26}{' '.join(means)}", flush=True)


if __name__ == "__main__":
    main()
