"""Names that do not exist: what was probably meant, wherever a name is refused."""

import re

import numpy as np
import polars as pl
import pytest

import chainrule as cr
from chainrule.engines import ENGINES, engine_named
from chainrule.engines.optimizers import OPTIMIZERS, optimizer_named
from chainrule.engines.schedules import SCHEDULES
from chainrule.exports.export_file import TARGETS, export
from chainrule.network.activation import activation_of
from chainrule.network.cost import cost_of
from chainrule.network.layers.weighted import check_init
from chainrule.network.registry.activations import ACTIVATIONS
from chainrule.network.registry.costs import COSTS
from chainrule.network.registry.initializers import INITIALIZERS
from chainrule.network.spec import DTYPES
from chainrule.settings.losses import CLASSIFICATION, REGRESSION
from chainrule.settings.names import RULES, solvers
from chainrule.suggestions import OTHER_NAMES, did_you_mean, nearest
from chainrule.tables.encoder import SCALINGS
from chainrule.training.metrics import METRICS, named_metrics

X = np.array([[0.0], [1.0], [2.0], [3.0]])
TABLE = pl.DataFrame({"a": [1.0, 2.0]})


@pytest.mark.parametrize(
    ("name", "names", "meant"),
    [
        ("rellu", ACTIVATIONS, "relu"),
        ("ReLU", ACTIVATIONS, "relu"),
        ("LeakyReLU", ACTIVATIONS, "leaky_relu"),
        ("swish", ACTIVATIONS, "silu"),
        ("linear", ACTIVATIONS, "identity"),
        ("MSE", COSTS, "mse"),
        ("mean_squared_error", COSTS, "mse"),
        ("categorical_crossentropy", COSTS, "cross_entropy"),
        ("BCEWithLogitsLoss", COSTS, "binary_cross_entropy"),
        ("mse", REGRESSION, "squared_error"),
        ("cross_entropy", CLASSIFICATION, "log_loss"),
        ("adamm", OPTIMIZERS, "adam"),
        ("RMSProp", OPTIMIZERS, "rmsprop"),
        ("xavier_normal", INITIALIZERS, "glorot_normal"),
        ("acc", METRICS, "accuracy"),
        ("cosine_annealing", SCHEDULES, "cosine"),
        ("qqqq", ACTIVATIONS, None),
        (3, ACTIVATIONS, None),
        ("", ACTIVATIONS, None),
        ("--", ACTIVATIONS, None),
    ],
)
def test_the_name_that_was_probably_meant_is_found(name, names, meant):
    assert nearest(name, names) == meant


def test_the_end_of_a_message_is_empty_without_a_suggestion():
    assert did_you_mean("rellu", ["relu"]) == "; did you mean 'relu'?"
    assert did_you_mean("qqqq", ["relu"]) == ""


def test_every_other_name_leads_to_a_name_that_exists_somewhere():
    of_functions = [cr.Network, cr.Network.fit, cr.Dense, cr.Dropout, cr.Adam, cr.Momentum]
    of_functions += [cr.CosineDecay, cr.OneCycle, cr.MLPClassifier, cr.MLPClassifier.fit]
    of_functions += [cr.TableEncoder]
    import inspect

    known = {name for each in of_functions for name in inspect.signature(each).parameters}
    known |= {"target"}
    for names in (ACTIVATIONS, COSTS, INITIALIZERS, OPTIMIZERS, SCHEDULES, METRICS, ENGINES):
        known |= set(names)
    known |= {*CLASSIFICATION, *REGRESSION, *DTYPES, "native"}
    assert {ours for several in OTHER_NAMES.values() for ours in several} - known == set()


def small_network():
    return cr.Network([1, cr.Dense(2, "tanh"), cr.Dense(1, "identity")], "mse", seed=0)


def fitted(**parameters):
    """Fit an MLPRegressor to four rows."""
    cr.MLPRegressor(max_iter=1, **parameters).fit(X, X[:, 0])


# Each registry with the door at which its names are refused.
DOORS = {
    "activation": (ACTIVATIONS, activation_of),
    "cost": (COSTS, cost_of),
    "initialiser": (INITIALIZERS, check_init),
    "optimizer": (OPTIMIZERS, optimizer_named),
    "engine": (ENGINES, engine_named),
    "metric": (METRICS, lambda name: named_metrics([name])),
    "dtype": (DTYPES, lambda name: cr.Network([1, cr.Dense(1, "identity")], "mse", dtype=name)),
    "precision": (
        ("full", "mixed", "split"),
        lambda name: small_network().fit(X, X, precision=name),
    ),
    "precision of predictions": (
        ("full", "split"),
        lambda name: small_network().predict(X, precision=name),
    ),
    "class weight": (
        ("balanced",),
        lambda name: small_network().fit(X, X, class_weight=name),
    ),
    "export": (TARGETS, lambda name: export(small_network(), "model.c", to=name)),
    "solver": (solvers(), lambda name: fitted(solver=name)),
    "schedule": ((*RULES, *SCHEDULES), lambda name: fitted(learning_rate=name)),
    "loss": (REGRESSION, lambda name: fitted(loss=name)),
    "estimator's precision": (("full", "mixed", "split"), lambda name: fitted(precision=name)),
    "scaling": (
        SCALINGS,
        lambda name: cr.TableEncoder(scaling=name).fit(TABLE),
    ),
    "history": (("loss",), lambda name: small_network().fit(X, X, epochs=1)[name]),
    "heads": (ACTIVATIONS, lambda name: cr.Dense(2, f"heads({name}:2)")),
    "parameter": (("slope",), lambda name: cr.Dense(2, f"leaky_relu({name}=1)")),
    "scorer": (
        ("accuracy", "r2"),
        lambda name: fitted(early_stopping=name, validation_fraction=0.5),
    ),
    "set_params": (("solver", "alpha"), lambda name: cr.MLPClassifier().set_params(**{name: 1})),
    "encoder's set_params": (
        ("scaling", "embed_above"),
        lambda name: cr.TableEncoder().set_params(**{name: 1}),
    ),
}
NAMES = [
    pytest.param(name, door, id=f"{what}-{name}")
    for what, (names, door) in DOORS.items()
    for name in names
]


@pytest.mark.parametrize(("name", "door"), NAMES)
def test_a_misspelled_name_is_refused_with_the_right_one_at_every_door(name, door):
    with pytest.raises(cr.InvalidArgumentError, match=re.escape(f"did you mean {name!r}?")):
        door(f"{name}_")
