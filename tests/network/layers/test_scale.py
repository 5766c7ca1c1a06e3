"""The declaration of a scale layer, and its own learning rate."""

import math

import numpy as np
import pytest

import chainrule as cr
from chainrule.engines.optimizers import OPTIMIZERS
from chainrule.errors import InvalidArgumentError
from chainrule.network.layers import LAYER_KINDS, Dense, Layer, Scale
from chainrule.network.spec import NetworkSpec
from tests.engine_names import ENGINES


def test_a_scale_is_a_layer_of_its_kind():
    assert isinstance(Scale(), Layer)
    assert LAYER_KINDS["scale"] is Scale


@pytest.mark.parametrize("factor", [0, -1.0, math.nan, math.inf, "2", None, True, [1.0]])
def test_a_factor_that_is_no_positive_number_is_refused(factor):
    with pytest.raises(InvalidArgumentError, match=r"^learning_rate_factor: expected a finite"):
        Scale(factor)


@pytest.mark.parametrize("factor", [1, 0.25, np.float32(6)])
def test_its_representation_makes_the_layer_again(factor):
    layer = Scale(factor)
    assert type(layer.learning_rate_factor) is float
    assert eval(repr(layer)) == layer


def test_a_specification_with_scales_is_written_and_read_again():
    spec = NetworkSpec(3, (Scale(6.0), Dense(5), Scale(), Dense(2, "softmax")), "cross_entropy")
    assert spec.sizes == (3, 3, 5, 5, 2)
    assert NetworkSpec.from_json(spec.to_json()) == spec


def test_at_first_it_changes_nothing():
    dense = [cr.Dense(5, "tanh"), cr.Dense(2, "identity")]
    X = np.random.default_rng(0).standard_normal((7, 3))
    plain = cr.Network([3, *dense], cost="mse", seed=0)
    scaled = cr.Network([3, cr.Scale(), *dense], cost="mse", seed=0)
    scaled.parameters[3:] = plain.parameters
    np.testing.assert_array_equal(scaled.predict(X), plain.predict(X))


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("optimizer", OPTIMIZERS)
@pytest.mark.parametrize("norm", [None, 1e-3], ids=["free", "clipped"])
def test_its_factor_is_a_learning_rate_of_its_own(engine, optimizer, norm):
    # A network of two scales and one weight: s with factor f moves as s with f times the rate.
    def moved(factor, rate):
        layers = [2, cr.Scale(factor), cr.Dense(1, "identity")]
        net = cr.Network(layers, cost="mse", seed=0, dtype="float64")
        before = net.parameters.copy()
        X, y = [[1.0, -2.0], [0.5, 1.5], [3.0, 0.25]], [1.0, 2.0, -1.0]
        given = {} if norm is None else {"max_grad_norm": norm}
        net.fit(
            X, y, epochs=1, batch_size=3, optimizer=OPTIMIZERS[optimizer](learning_rate=rate),
            engine=engine, l2=0.1, **given,
        )  # fmt: skip
        return net.parameters - before

    own, plain, fast = moved(6.0, 0.01), moved(1.0, 0.01), moved(6.0 / 6.0, 0.06)
    np.testing.assert_allclose(own[:2], fast[:2], rtol=1e-9, atol=1e-15)
    np.testing.assert_allclose(own[2:], plain[2:], rtol=1e-9, atol=1e-15)
    assert np.abs(own[:2]).min() > 0


def test_a_gradient_check_and_a_trace_know_it():
    net = cr.Network([2, cr.Scale(3.0), cr.Dense(3, "tanh"), cr.Scale(), cr.Dense(2, "softmax")],
                     cost="cross_entropy", seed=0, dtype="float64")  # fmt: skip
    X, y = np.array([[0.5, -1.0], [2.0, 0.25]]), [0, 1]
    assert net.check_gradients(X, y)
    trace = net.trace(X, y)
    terms = {term.name: term for term in trace.terms}
    assert terms["A[1]"].equation == "SC1"
    assert terms["∂J/∂s[1]"].equation == "SC2"
    assert terms["δ[2]"].formula == "∂C/∂A[2] = s[3] ⊙ δ[3]; δ[2] = that ⊙ σ′(Z[2])"
    np.testing.assert_array_equal(terms["A[3]"].value, terms["A[2]"].value)
