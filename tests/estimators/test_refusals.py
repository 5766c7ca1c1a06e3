"""What cannot be used is refused by name."""

import pytest

import chainrule as cr
from chainrule import MLPClassifier, MLPRegressor
from tests.estimators.tables import (
    classes,
    values,
)

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        (
            {"alpha": -1},
            r"The 'alpha' parameter of MLPClassifier must be a finite number ≥ 0",
        ),
        ({"solver": "newton"}, "'solver' .* one of 'lbfgs', 'sgd'.*; got 'newton'"),
        ({"learning_rate": "sine"}, "'learning_rate' .* got 'sine'"),
        ({"batch_size": 0}, "'batch_size' .* whole number of at least 1 or 'auto'; got 0"),
        ({"max_iter": 2.5}, "'max_iter' .* got 2.5"),
        ({"shuffle": "no"}, "'shuffle' .* True or False; got 'no'"),
        ({"tol": "small"}, "'tol' .* got 'small'"),
        ({"momentum": 1.5}, r"'momentum' .* \[0, 1\]; got 1.5"),
        ({"validation_fraction": 1.0}, r"'validation_fraction' .* \[0, 1\); got 1.0"),
        ({"n_iter_no_change": 0}, "'n_iter_no_change' .* or infinity or 'auto'; got 0"),
        ({"early_stopping": 3}, "'early_stopping' .* got 3"),
        ({"hidden_layer_sizes": (5, 0)}, r"hidden_layer_sizes must be > 0.*got \(5, 0\)"),
        ({"hidden_layer_sizes": 2.5}, "hidden_layer_sizes must be > 0.*got 2.5"),
        ({"init": "magic"}, "^init: expected auto, .*got 'magic'"),
        ({"engine": "magic"}, "^engine: expected auto"),
        ({"dtype": "float16"}, "'dtype' .* got 'float16'"),
        ({"n_layers": -1}, "'n_layers' .* got -1"),
    ],
)
def test_a_parameter_that_cannot_be_is_refused_by_name(settings, message):
    with pytest.raises(cr.InvalidArgumentError, match=message):
        MLPClassifier(**settings).fit(*classes())


def test_lbfgs_has_no_partial_fit():
    assert not hasattr(MLPClassifier(solver="lbfgs"), "partial_fit")
    assert not hasattr(MLPRegressor(solver="lbfgs"), "partial_fit")
    assert hasattr(MLPRegressor(), "partial_fit")


def test_early_stopping_that_was_asked_for_is_refused_by_parts():
    with pytest.raises(ValueError, match="partial_fit does not support early_stopping=True"):
        MLPRegressor(early_stopping=True).partial_fit(*values())


def test_a_warm_start_with_other_classes_is_refused():
    X, y = classes()
    model = MLPClassifier(warm_start=True, max_iter=1).fit(X, y)
    with pytest.raises(ValueError, match="same classes as in the previous call"):
        model.fit(X[:100], y[:100])


def test_the_first_part_needs_the_classes_and_later_ones_the_same():
    X, y = classes()
    with pytest.raises(ValueError, match="classes must be passed on the first call"):
        MLPClassifier().partial_fit(X, y)
    model = MLPClassifier().partial_fit(X[:50], y[:50], classes=[0, 1, 2])
    with pytest.raises(ValueError, match="is not the same as on last call"):
        model.partial_fit(X, y, classes=[0, 1])
    with pytest.raises(ValueError, match="has classes not in"):
        model.partial_fit(X, y + 1)


def test_a_default_of_one_s_own_class_is_checked_too():
    class Own(cr.MLPClassifier):
        def __init__(self, alpha=-1.0):
            super().__init__(alpha=alpha)

    with pytest.raises(cr.InvalidArgumentError, match=r"The 'alpha' parameter of Own must be"):
        Own().fit([[0.0], [1.0]], [0, 1])
