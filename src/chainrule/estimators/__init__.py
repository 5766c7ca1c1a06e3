"""Networks as scikit-learn's users know them: `fit`, `predict`, and everything around these.

`MLPClassifier` and `MLPRegressor` take the place of scikit-learn's; `NetworkClassifier` and
`NetworkRegressor` are the same with good defaults. What a parameter means is written once, in
`documentation`; how it is checked, in `parameters`.
"""
