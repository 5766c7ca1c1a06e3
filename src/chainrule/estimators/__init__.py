"""Estimators with scikit-learn's interface: `fit`, `predict` and related methods.

`MLPClassifier` and `MLPRegressor` replace scikit-learn's classes of the same names;
`NetworkClassifier` and `NetworkRegressor` differ from them by better defaults. The docstrings of
the parameters are assembled in `documentation`; `parameters` checks their values.
"""
