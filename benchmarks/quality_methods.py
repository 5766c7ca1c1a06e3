"""The methods of benchmarks/quality.py: each fits a table and predicts, on one thread.

A method gets the table as a polars DataFrame with floats, texts and missing values, and targets as
whole numbers (classes, 0 to K − 1) or floats. What it needs beyond that (scaling, one-hot columns,
categories) it does itself, in its own time. All are at their defaults.
"""

import importlib.metadata
import subprocess
from pathlib import Path

import numpy as np

CLASSES, VALUES = "classes", "values"


class Chainrule:
    """chainrule's networks, given the table as it is."""

    def __init__(self, **settings):
        self.settings = {"threads": 1} | settings

    def load(self):
        import polars as pl

        import chainrule as cr

        X = pl.DataFrame({"a": np.arange(300.0), "b": ["x", "y", "z"] * 100})
        cr.NetworkClassifier(max_iter=2).fit(X, np.arange(300) % 2).predict_proba(X)
        cr.NetworkRegressor(max_iter=2).fit(X, np.arange(300.0)).predict(X)

    def version(self):
        import chainrule

        folder = Path(chainrule.__file__).parent
        top = _git(folder, "rev-parse", "--show-toplevel")
        of = (Path(top) / "src", Path(top) / "native")  # what the predictions depend on
        commit = _git(folder, "log", "-1", "--format=%h", "--abbrev=10", "--", *of)
        changed = _git(folder, "status", "--porcelain", "--untracked-files=no", "--", *of)
        if not commit:
            return importlib.metadata.version("chainrule")
        return commit + ("+" if changed else "")

    def fit(self, X, y, task, seed):
        import chainrule as cr

        kind = cr.NetworkClassifier if task == CLASSES else cr.NetworkRegressor
        self.model = kind(random_state=seed, **self.settings).fit(X, y)

    def predict(self, X):
        return _predictions(self.model, X)


class ScikitLearnMLP:
    """MLPClassifier and MLPRegressor behind the usual pipeline."""

    def version(self):
        return importlib.metadata.version("scikit-learn")

    def fit(self, X, y, task, seed):
        from sklearn.compose import TransformedTargetRegressor, make_column_transformer
        from sklearn.impute import SimpleImputer
        from sklearn.neural_network import MLPClassifier, MLPRegressor
        from sklearn.pipeline import make_pipeline
        from sklearn.preprocessing import OneHotEncoder, StandardScaler

        numbers = [name for name, kind in X.schema.items() if kind.is_numeric()]
        texts = [name for name in X.columns if name not in numbers]
        encoder = make_column_transformer(
            (make_pipeline(SimpleImputer(strategy="median"), StandardScaler()), numbers),
            (
                make_pipeline(
                    SimpleImputer(strategy="constant", fill_value="missing", missing_values=None),
                    OneHotEncoder(handle_unknown="ignore", sparse_output=False),
                ),
                texts,
            ),
        )
        if task == CLASSES:
            network = MLPClassifier(random_state=seed)
        else:
            network = TransformedTargetRegressor(
                MLPRegressor(random_state=seed), transformer=StandardScaler()
            )
        self.model = make_pipeline(encoder, network).fit(_pandas_objects(X), y)

    def predict(self, X):
        return _predictions(self.model, _pandas_objects(X))


class WithCategories:
    """A method that takes pandas' categories: those of the rows that it is fitted to."""

    package = ""

    def version(self):
        return importlib.metadata.version(self.package)

    def fit(self, X, y, task, seed):
        self.categories = {
            name: X[name].drop_nulls().unique().sort().to_list()
            for name, kind in X.schema.items()
            if not kind.is_numeric()
        }
        self.model = self.made(task, seed)
        self.model.fit(self._frame(X), y)

    def predict(self, X):
        return _predictions(self.model, self._frame(X))

    def _frame(self, X):
        import pandas as pd

        frame = _pandas_objects(X)
        for name, known in self.categories.items():
            frame[name] = pd.Categorical(frame[name], categories=known)
        return frame


class HistGradientBoosting(WithCategories):
    """scikit-learn's histogram-based trees, told which columns are categories."""

    package = "scikit-learn"

    def made(self, task, seed):
        from sklearn import ensemble

        kind = (
            ensemble.HistGradientBoostingClassifier
            if task == CLASSES
            else ensemble.HistGradientBoostingRegressor
        )
        return kind(random_state=seed, categorical_features="from_dtype")


class LightGBM(WithCategories):
    package = "lightgbm"

    def made(self, task, seed):
        import lightgbm

        kind = lightgbm.LGBMClassifier if task == CLASSES else lightgbm.LGBMRegressor
        return kind(random_state=seed, n_jobs=1, verbose=-1)

    def _frame(self, X):
        frame = super()._frame(X)
        frame.columns = [f"column_{place}" for place in range(frame.shape[1])]
        return frame


class CatBoost:
    """CatBoost, told which columns are categories; missing texts are a category."""

    def version(self):
        return importlib.metadata.version("catboost")

    def fit(self, X, y, task, seed):
        import catboost

        kind = catboost.CatBoostClassifier if task == CLASSES else catboost.CatBoostRegressor
        texts = [name for name, kind in X.schema.items() if not kind.is_numeric()]
        self.model = kind(
            random_seed=seed,
            thread_count=1,
            verbose=False,
            allow_writing_files=False,
            cat_features=texts,
        )
        self.model.fit(self._frame(X), y)

    def predict(self, X):
        return _predictions(self.model, self._frame(X))

    def _frame(self, X):
        frame = _pandas_objects(X)
        texts = [name for name, kind in X.schema.items() if not kind.is_numeric()]
        return frame.fillna(dict.fromkeys(texts, "missing"))


class Pytabkit(WithCategories):
    """A network of pytabkit (PyTorch) on the CPU, by the name of its class without its ending.

    It takes no missing numbers: they get the median of the rows that it is fitted to, and a column
    that says so, which is more than scikit-learn's MLP gets.
    """

    package = "pytabkit"

    def __init__(self, name):
        self.name = name

    def load(self):
        import pytabkit  # noqa: F401
        import torch

        torch.ones(1) @ torch.ones(1)

    def fit(self, X, y, task, seed):
        self.medians = {
            name: X[name].median()
            for name, kind in X.schema.items()
            if kind.is_numeric() and X[name].null_count()
        }
        super().fit(X, y, task, seed)

    def _frame(self, X):
        frame = super()._frame(X)
        for name in self.medians:
            frame[f"{name} is missing"] = frame[name].isna().astype(float)
        numbers = [name for name, kind in X.schema.items() if kind.is_numeric()]
        # Missing in the rows to predict alone: 0, for want of anything better.
        frame[numbers] = frame[numbers].fillna(self.medians).fillna(0.0)
        return frame

    def made(self, task, seed):
        import pytabkit
        import torch

        torch.set_num_threads(1)
        ending = "Classifier" if task == CLASSES else "Regressor"
        kind = getattr(pytabkit, f"{self.name}_{ending}")
        return kind(device="cpu", random_state=seed, n_threads=1, verbosity=0)


def methods(settings, time_limit):
    """Return the methods by name; `settings` are further settings of chainrule's."""
    return {
        "chainrule": lambda: Chainrule(**settings),
        "chainrule best": lambda: Chainrule(quality="best", time_limit=time_limit, **settings),
        "scikit-learn MLP": ScikitLearnMLP,
        "HistGradientBoosting": HistGradientBoosting,
        "LightGBM": LightGBM,
        "CatBoost": CatBoost,
        "RealMLP-TD-S": lambda: Pytabkit("RealMLP_TD_S"),
        "RealMLP-TD": lambda: Pytabkit("RealMLP_TD"),
        "TabM-D": lambda: Pytabkit("TabM_D"),
    }


USUAL = ("chainrule", "scikit-learn MLP", "HistGradientBoosting", "LightGBM", "CatBoost")
SLOW = ("RealMLP-TD-S", "RealMLP-TD", "TabM-D")


def _pandas_objects(X):
    """Return the table in pandas: floats with NaN, texts as objects with None."""
    import pandas as pd

    return pd.DataFrame(
        {
            name: X[name].to_numpy()
            if X[name].dtype.is_numeric()
            else np.array(X[name].to_list(), object)
            for name in X.columns
        }
    )


def _predictions(model, X):
    """Return the probabilities of the classes, or the values."""
    if not hasattr(model, "predict_proba"):
        return np.asarray(model.predict(X), float).reshape(len(X))
    known = np.asarray(model.classes_).astype(int)
    if not np.array_equal(known, np.arange(len(known))):
        raise AssertionError(f"the classes are not 0 to K - 1: {known}")
    return np.asarray(model.predict_proba(X), float)


def _git(folder, *command):
    done = subprocess.run(["git", "-C", str(folder), *command], capture_output=True, text=True)
    return done.stdout.strip() if done.returncode == 0 else ""
