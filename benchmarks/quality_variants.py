"""Variants of chainrule in benchmarks/quality.py; none pays enough to be a default.

    python benchmarks/quality.py --methods "chainrule smooth" --half tuning --splits 2

Each is what other networks for tables do before or after theirs; docs/quality.md has the figures.
"""

from functools import partial

import numpy as np
from quality_methods import VALUES, Chainrule, methods


class Smooth(Chainrule):
    """(x − median)/(third − first quartile) of numbers, then x/√(1 + (x/3)²), as in RealMLP."""

    def fit(self, X, y, task, seed):
        self.numbers = {}
        for name, kind in X.schema.items():
            values = X[name].drop_nulls().to_numpy() if kind.is_numeric() else np.array([])
            if len(np.unique(values)) > 2:
                low, center, high = np.quantile(values, (0.25, 0.5, 0.75))
                # A column that is mostly one value has no quartiles apart.
                spread = high - low if high > low else np.ptp(values) / 2
                self.numbers[name] = center, spread
        super().fit(self._prepared(X), y, task, seed)

    def predict(self, X):
        return super().predict(self._prepared(X))

    def _prepared(self, X):
        import polars as pl

        robust = {name: (pl.col(name) - a) / b for name, (a, b) in self.numbers.items()}
        return X.with_columns(
            (z / (1 + (z / 3) ** 2).sqrt()).alias(name) for name, z in robust.items()
        )


class Signs(Chainrule):
    """One input of −1 and 1 for a column of two categories, instead of two of 0 and 1."""

    def fit(self, X, y, task, seed):
        known = {
            name: X[name].unique().sort().to_list()
            for name, kind in X.schema.items()
            if not kind.is_numeric() and X[name].null_count() == 0
        }
        self.pairs = {name: values for name, values in known.items() if len(values) == 2}
        super().fit(self._prepared(X), y, task, seed)

    def predict(self, X):
        return super().predict(self._prepared(X))

    def _prepared(self, X):
        import polars as pl

        return X.with_columns(
            pl.col(name)
            .replace_strict(values, [-1.0, 1.0], default=0.0, return_dtype=pl.Float64)
            .fill_null(0.0)
            for name, values in self.pairs.items()
        )


class Codes(Chainrule):
    """A learned embedding for each column of more than eight categories."""

    def fit(self, X, y, task, seed):
        from chainrule.model.embeddings import embedded_columns
        from chainrule.tables.encoder import TableEncoder

        self.encoder = TableEncoder(embed_above=8).fit(X)
        self.settings |= {"embeddings": embedded_columns(self.encoder) or None}
        super().fit(self.encoder.transform(X), y, task, seed)

    def predict(self, X):
        return super().predict(self.encoder.transform(X))


class Clamped(Chainrule):
    """Predictions of values within the range of the rows that it was fitted to."""

    def fit(self, X, y, task, seed):
        self.range = (np.min(y), np.max(y)) if task == VALUES else None
        super().fit(X, y, task, seed)

    def predict(self, X):
        found = super().predict(X)
        return found if self.range is None else np.clip(found, *self.range)


def with_variants(settings, time_limit):
    """Return all methods by name, variants among them."""
    kinds = {"smooth": Smooth, "signs": Signs, "codes": Codes, "clamped": Clamped}
    variants = {f"chainrule {name}": partial(kind, **settings) for name, kind in kinds.items()}
    return methods(settings, time_limit) | variants
