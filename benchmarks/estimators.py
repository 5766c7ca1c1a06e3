"""The estimators beside scikit-learn's: fits, a search, predictions, accuracies.

    python benchmarks/estimators.py [--parts fit,search,predict,accuracy,adult,california]
                                    [--runs 5] [--data DIR]

Both get the same data, splits and random states, take turns within each run, and must agree before
a ratio is printed: times are medians over the runs, a ratio is the median of scikit-learn /
chainrule run by run. Adult (adult_train.csv, adult_test.csv: the last column is the class) and
California housing (california_housing.csv: the last column is the value) are read from --data.
"""

import argparse
import statistics
import time
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
from peers import fall_asleep
from sklearn.base import clone
from sklearn.compose import make_column_transformer
from sklearn.datasets import (
    load_breast_cancer,
    load_diabetes,
    load_digits,
    load_iris,
    load_wine,
    make_friedman1,
)
from sklearn.metrics import root_mean_squared_error
from sklearn.model_selection import (
    GridSearchCV,
    KFold,
    StratifiedKFold,
    cross_val_score,
    train_test_split,
)
from sklearn.neural_network import MLPClassifier as TheirClassifier
from sklearn.neural_network import MLPRegressor as TheirRegressor
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler

import chainrule as cr

CLASSES = {
    "iris": load_iris,
    "wine": load_wine,
    "WDBC": load_breast_cancer,
    "digits": load_digits,
}


def table(name: str) -> tuple[np.ndarray, np.ndarray]:
    X, y = CLASSES[name](return_X_y=True)
    return StandardScaler().fit_transform(X), y


def seconds(action: Callable[[], Any]) -> float:
    started = time.perf_counter()
    action()
    return time.perf_counter() - started


def in_turns(runs: int, actions: dict[str, Callable[[], Any]]) -> dict[str, list[float]]:
    times: dict[str, list[float]] = {name: [] for name in actions}
    for _ in range(runs):
        for name, action in actions.items():
            fall_asleep()
            times[name].append(seconds(action))
    return times


def ratio(times: dict[str, list[float]], of: str = "chainrule") -> float:
    pairs = zip(times["scikit-learn"], times[of], strict=True)
    return statistics.median(theirs / ours for theirs, ours in pairs)


def agree(what: str, ours: float, theirs: float, tolerance: float) -> None:
    if not abs(ours - theirs) <= tolerance:
        raise AssertionError(f"{what}: chainrule {ours:.4f}, scikit-learn {theirs:.4f}")


def fits(runs: int) -> None:
    print("\nfit at default parameters")
    for name in CLASSES:
        fit_one(name, runs)


def fit_one(name: str, runs: int) -> None:
    X, y = table(name)
    models = {
        "scikit-learn": TheirClassifier(random_state=0),
        "chainrule": cr.MLPClassifier(random_state=0),
        "float32": cr.MLPClassifier(random_state=0, dtype="float32"),
    }
    theirs, ours, single = (clone(model).fit(X, y) for model in models.values())
    agree(f"{name}, epochs", ours.n_iter_, theirs.n_iter_, 1)
    agree(f"{name}, loss", ours.loss_, theirs.loss_, 1e-3 * theirs.loss_)
    agree(f"{name}, accuracy", ours.score(X, y), theirs.score(X, y), 0.005)
    agree(f"{name}, accuracy in float32", single.score(X, y), theirs.score(X, y), 0.005)
    actions = {peer: lambda m=model: m.fit(X, y) for peer, model in models.items()}
    times = in_turns(runs, actions | {"bare": lambda: bare(ours, X, y)})
    medians = {peer: statistics.median(t) * 1e3 for peer, t in times.items()}
    print(
        f"  {name:<8}{medians['scikit-learn']:10.1f} ms scikit-learn"
        f"{medians['chainrule']:9.2f} ms chainrule{ratio(times):7.1f} ×"
        f"{medians['chainrule'] - medians['bare']:8.2f} ms above the engine"
        f"{medians['float32']:9.2f} ms in float32{ratio(times, 'float32'):7.1f} ×"
    )


def bare(model: Any, X: np.ndarray, y: np.ndarray) -> None:
    """Take the steps of a fit in one call of the engine."""
    from chainrule.engines import engine_named
    from chainrule.engines.base import Batches, Examples, Problem, StepRecords, UpdateRule
    from chainrule.engines.orders import epoch_orders
    from chainrule.settings.optimizers import optimizer_of

    spec, n = model.network_.spec, len(X)
    batch = min(200, n)
    steps = -(-n // batch) * model.n_iter_
    theta, optimizer = (
        model.network_.parameters.copy(),
        optimizer_of(vars(model), model.learning_rate_init),
    )
    examples = Examples(X, model._labels.targets(y, spec.dtype))
    engine_named("auto").train(
        Problem(spec, theta, examples, model._penalties(examples)),
        UpdateRule(optimizer),
        optimizer.new_state(theta),
        Batches(
            epoch_orders(0, range(1, model.n_iter_ + 1), n, True),
            batch,
            optimizer.learning_rates(1, steps),
        ),
        StepRecords(np.empty(steps), np.empty(steps), np.empty(steps)),
    )


def search(runs: int) -> None:
    print("\nGridSearchCV on WDBC: 5 widths, 5 alphas, 4 rates, 5 folds, n_jobs=2")
    X, y = table("WDBC")
    grid = {
        "hidden_layer_sizes": [(8,), (16,), (32,), (64,), (100,)],
        "alpha": [1e-5, 1e-4, 1e-3, 1e-2, 1e-1],
        "learning_rate_init": [3e-4, 1e-3, 3e-3, 1e-2],
    }
    searches = {
        "scikit-learn": GridSearchCV(TheirClassifier(random_state=0), grid, cv=5, n_jobs=2),
        "chainrule": GridSearchCV(cr.MLPClassifier(random_state=0), grid, cv=5, n_jobs=2),
        "float32": GridSearchCV(
            cr.MLPClassifier(random_state=0, dtype="float32"), grid, cv=5, n_jobs=2
        ),
    }
    times = in_turns(runs, {name: lambda s=s: s.fit(X, y) for name, s in searches.items()})
    scores = [s.cv_results_["mean_test_score"] for s in searches.values()]
    agree("mean score", scores[1].mean(), scores[0].mean(), 1e-3)
    agree("mean score in float32", scores[2].mean(), scores[0].mean(), 2e-3)
    for name, measured in times.items():
        print(f"  {name:<14}{statistics.median(measured):9.1f} s{ratio(times, name):8.1f} ×")


def predictions(runs: int) -> None:
    print("\npredict_proba of one row")
    X, y = table("WDBC")
    row = X[:1].copy()
    theirs = TheirClassifier(max_iter=20, random_state=0).fit(X, y)
    ours = cr.MLPClassifier(max_iter=20, random_state=0).fit(X, y)
    np.testing.assert_allclose(ours.predict_proba(X), theirs.predict_proba(X), atol=1e-8)
    calls = {
        "scikit-learn": theirs.predict_proba,
        "chainrule": ours.predict_proba,
        "network_": ours.network_.predict,
    }

    def often(call: Callable[[np.ndarray], Any]) -> None:
        for _ in range(1000):
            call(row)

    times = in_turns(runs, {name: lambda c=call: often(c) for name, call in calls.items()})
    for name, measured in times.items():
        own = statistics.median(t / o for t, o in zip(times["scikit-learn"], measured, strict=True))
        print(f"  {name:<14}{statistics.median(measured) * 1e3:9.2f} µs{own:9.1f} ×")


def accuracies() -> None:
    print("\n5-fold score at default parameters, inputs standardised (mean ± standard error)")
    data = {name: load(return_X_y=True) for name, load in CLASSES.items()}
    data["diabetes"] = load_diabetes(return_X_y=True)
    data["friedman1"] = make_friedman1(5000, noise=1.0, random_state=0)
    for name, (X, y) in data.items():
        classes = name in CLASSES
        folds = (StratifiedKFold if classes else KFold)(5, shuffle=True, random_state=0)
        models = {
            "scikit-learn": TheirClassifier if classes else TheirRegressor,
            "chainrule": cr.NetworkClassifier if classes else cr.NetworkRegressor,
        }
        line, means, error = f"  {name:<11}", {}, 0.0
        for peer, kind in models.items():
            model = make_pipeline(StandardScaler(), kind(random_state=0))
            scores = cross_val_score(model, X, y, cv=folds)
            means[peer] = scores.mean()
            error = max(error, scores.std(ddof=1) / np.sqrt(len(scores)))
            line += f"{scores.mean():9.4f} ± {scores.std(ddof=1) / np.sqrt(5):.4f} {peer}"
        reached = means["chainrule"] >= means["scikit-learn"] - error
        print(line + ("" if reached else "  BELOW by more than a standard error"))
    X, y = load_diabetes(return_X_y=True)
    folds = KFold(5, shuffle=True, random_state=0)
    score = cross_val_score(cr.NetworkRegressor(random_state=0), X, y, cv=folds).mean()
    print(f"  diabetes, its inputs as they come, nothing set: R² {score:.3f}")


def adult(folder: Path) -> None:
    print("\nAdult: one-hot and standardised, 2 × 256, early stopping")
    train, test = (
        pl.read_csv(folder / f"adult_{part}.csv").fill_null("missing") for part in ("train", "test")
    )
    target = train.columns[-1]
    columns = train.drop(target)
    numbers = columns.select(pl.selectors.numeric()).columns
    texts = [name for name in columns.columns if name not in numbers]
    encoder = make_column_transformer(
        (StandardScaler(), numbers),
        (OneHotEncoder(handle_unknown="ignore", sparse_output=False), texts),
    )
    X, X_test = encoder.fit_transform(columns), encoder.transform(test.drop(target))
    y, y_test = train[target].to_numpy(), test[target].to_numpy()
    shared: dict[str, Any] = {
        "hidden_layer_sizes": (256, 256),
        "early_stopping": True,
        "random_state": 0,
    }
    models = {
        "scikit-learn": TheirClassifier(**shared),
        "chainrule": cr.MLPClassifier(**shared, dtype="float32"),
        "good defaults": cr.NetworkClassifier(hidden_layer_sizes=(256, 256), random_state=0),
    }
    times, best = {}, {}
    for name, model in models.items():
        fall_asleep()
        times[name] = [seconds(lambda m=model: m.fit(X, y))]
        best[name] = model.best_validation_score_ or float("nan")
        print(
            f"  {name:<14}{times[name][0]:8.1f} s  {model.n_iter_:3} epochs"
            f"  validation {best[name]:.4f}  test {model.score(X_test, y_test):.4f}"
        )
    agree("validation score", best["chainrule"], best["scikit-learn"], 0.003)
    # How long each took to the score that both came to.
    both = min(best["chainrule"], best["scikit-learn"])
    reached = {}
    for name in ("scikit-learn", "chainrule"):
        epochs = 1 + int(np.argmax(np.array(models[name].validation_scores_) >= both))
        reached[name] = [times[name][0] * epochs / models[name].n_iter_]
        print(f"  {name:<14}{reached[name][0]:8.2f} s to a validation score of {both:.4f}")
    print(f"  {ratio(reached):.1f} × to the same score, {ratio(times):.1f} × to the end")


def california(folder: Path) -> None:
    frame = pl.read_csv(folder / "california_housing.csv").drop_nulls()
    X, y = frame[:, :-1].to_numpy().astype(float), frame[:, -1].to_numpy().astype(float)
    unit = 1e5 if y.max() > 1000 else 1.0
    errors = []
    for state in range(5):
        X_train, X_test, y_train, y_test = train_test_split(
            X, y / unit, test_size=0.2, random_state=state
        )
        model = cr.NetworkRegressor(random_state=state)
        spent = seconds(lambda m=model, X=X_train, y=y_train: m.fit(X, y))
        errors.append(root_mean_squared_error(y_test, model.predict(X_test)))
        print(f"  split {state}: RMSE {errors[-1]:.4f}, {model.n_iter_} epochs, {spent:.1f} s")
    print(f"  California housing, NetworkRegressor(): RMSE {np.mean(errors):.4f}, mean of 5 splits")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--parts", default="fit,predict,accuracy,search,adult,california")
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--data", type=Path, help="the folder of Adult and California housing")
    arguments = parser.parse_args()
    warnings.simplefilter("ignore")  # both stop at max_iter where they do
    parts: dict[str, Callable[[], None]] = {
        "fit": lambda: fits(arguments.runs),
        "predict": lambda: predictions(arguments.runs),
        "accuracy": accuracies,
        "search": lambda: search(1),
    }
    if arguments.data is not None:
        parts |= {
            "adult": lambda: adult(arguments.data),
            "california": lambda: california(arguments.data),
        }
    for part in arguments.parts.split(","):
        if part in parts:
            parts[part]()
        else:
            print(f"\n{part}: needs --data")


if __name__ == "__main__":
    main()
