"""Unknown keyword arguments: a TypeError that names the right one."""

import copy
import inspect
import pickle
import re
from dataclasses import replace

import numpy as np
import pytest

import chainrule as cr
from chainrule.arguments import HOMES, hinting
from chainrule.errors import UnknownArgumentError

X = np.array([[0.0], [1.0]])
LAYERS = [1, cr.Dense(1, "identity")]


def network():
    return cr.Network(LAYERS, "mse", seed=0)


CASES = [
    (network().fit, "lr", "learning_rate is an argument of the optimizer, such as optimizer=Adam("),
    (network().fit, "loss", "cost is an argument of Network: Network(…, cost=…)"),
    (network().fit, "optimiser", "did you mean 'optimizer'?"),
    (network().fit, "batchsize", "did you mean 'batch_size'?"),
    (network().fit, "n_epochs", "did you mean 'epochs'?"),
    (network().fit, "max_iter", "did you mean 'epochs'?"),
    (network().fit, "validation_fraction", "did you mean 'validation_split'?"),
    (network().fit, "activation_function", "activation is an argument of each layer: Dense("),
    (network().fit, "momentum", "beta of the optimizer"),
    (network().fit, "dropout", "a separate layer"),
    (cr.Network, "loss", "did you mean 'cost'?"),
    (cr.Network, "lr", "learning_rate is an argument of the optimizer"),
    (cr.Network, "random_state", "did you mean 'seed'?"),
    (cr.Network, "epochs", "epochs is an argument of fit: fit(…, epochs=…)"),
    (cr.Dense, "activation_function", "did you mean 'activation'?"),
    (cr.Dense, "kernel_initializer", "did you mean 'init'?"),
    (cr.Dense, "neurons", "did you mean 'units'?"),
    (cr.Dense, "bias", "its arguments are units, activation, init"),
    (cr.Dropout, "p", "did you mean 'rate'?"),
    (cr.Adam, "lr", "did you mean 'learning_rate'?"),
    (cr.Adam, "beta1", "did you mean 'beta_1'?"),
    (cr.HeavyBall, "momentum", "did you mean 'beta'?"),
    (cr.CosineDecay, "lr", "did you mean 'initial'?"),
    (cr.MLPClassifier, "lr", "did you mean 'learning_rate_init'?"),
    (cr.MLPClassifier, "epochs", "did you mean 'max_iter'?"),
    (cr.NetworkRegressor, "hidden_layers", "did you mean 'hidden_layer_sizes'?"),
    (cr.MLPClassifier().fit, "batch_size", "batch_size is an argument of MLPClassifier: MLP"),
    (cr.TableEncoder, "scale", "did you mean 'scaling'?"),
]


@pytest.mark.parametrize(
    ("called", "name", "hint"), [pytest.param(*c, id=f"{c[0].__name__}-{c[1]}") for c in CASES]
)
def test_an_unknown_argument_is_answered_with_the_right_one(called, name, hint):
    with pytest.raises(TypeError, match=re.escape(f"argument {name!r}")) as refused:
        called(**{name: 1})
    assert isinstance(refused.value, UnknownArgumentError)
    assert hint in str(refused.value)


@pytest.mark.parametrize("name", HOMES)
def test_every_argument_with_a_home_is_known_there(name):
    doors = [cr.Network, cr.Network.fit, cr.Dense, *cr.engines.optimizers.OPTIMIZERS.values()]
    known = {parameter for door in doors for parameter in inspect.signature(door).parameters}
    assert name in known | {"dropout", "momentum"}


def test_the_signature_stays_as_it_was():
    parameters = inspect.signature(cr.Dense).parameters
    assert list(parameters)[:3] == ["units", "activation", "init"]
    assert parameters["activation"].default == "relu"
    assert "optimizer" in inspect.signature(cr.Network.fit).parameters
    assert cr.Network.fit.__doc__.startswith("Train on examples")


def test_a_type_error_of_the_function_itself_is_left_alone():
    @hinting
    def fails(a):
        raise TypeError("of its own")

    with pytest.raises(TypeError, match="of its own"):
        fails(a=1)
    with pytest.raises(TypeError, match="missing 1 required positional argument"):
        fails()


def test_layers_are_copied_pickled_and_replaced_as_before():
    layer = cr.Dense(3, "tanh")
    assert pickle.loads(pickle.dumps(layer)) == copy.deepcopy(layer) == layer
    assert replace(layer, units=4) == cr.Dense(4, "tanh")


def test_a_warning_of_a_training_points_at_the_line_of_the_user(monkeypatch):
    monkeypatch.setattr(
        "chainrule.engines.base.Engine.with_precision", lambda engine, name: "no", raising=False
    )
    monkeypatch.setattr(
        "chainrule.engines.native.NativeEngine.with_precision", lambda engine, name: "no"
    )
    with pytest.warns(RuntimeWarning, match="bfloat16") as caught:
        network().fit(X, X, epochs=1, precision="mixed", engine="reference")
    assert caught[0].filename == __file__
