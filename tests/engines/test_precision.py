"""Asking for a precision: where it is available, where not, and what is refused."""

import warnings
from contextlib import contextmanager

import numpy as np
import pytest

import chainrule as cr
from chainrule.engines import engine_for, extension
from chainrule.engines.native import has_precision
from chainrule.errors import InvalidArgumentError
from chainrule.network.layers import Dense
from chainrule.network.spec import NetworkSpec
from tests.engines.instruction_sets import computing_with

native = extension.native
SPEC = NetworkSpec(70, (Dense(301, "relu"), Dense(10, "softmax")), "cross_entropy")
BFLOAT16 = ["mixed", "split"]


@contextmanager
def tiles():
    """Compute with tiles of AMX, which are emulated."""
    with computing_with("amx_bf16_emulated"):
        yield


@pytest.mark.parametrize("precision", BFLOAT16)
def test_without_bfloat16_a_warning_says_why_and_training_is_in_float32(precision):
    X, y = np.eye(3), [0, 1, 2]
    full, other = (
        cr.Network([3, cr.Dense(3, "softmax")], cost="cross_entropy", seed=0) for _ in range(2)
    )
    full.fit(X, y, epochs=2, engine="reference")
    with pytest.warns(RuntimeWarning, match=r"^precision: there are no bfloat16 .* training in f"):
        other.fit(X, y, epochs=2, engine="reference", precision=precision)
    np.testing.assert_array_equal(full.parameters, other.parameters)


def test_without_bfloat16_a_warning_says_why_and_predictions_are_in_float32():
    net = cr.Network([3, cr.Dense(3, "softmax")], cost="cross_entropy", seed=0)
    with pytest.warns(RuntimeWarning, match=r"^precision: .* \(the reference .*predicting in f"):
        outputs = net.predict(np.eye(3), engine="reference", precision="split")
    np.testing.assert_array_equal(outputs, net.predict(np.eye(3), engine="reference"))


@pytest.mark.parametrize(
    ("precision", "reason"), [("mixed", "no AMX, nor AVX-512-BF16"), ("split", r"\(no AMX is")]
)
def test_an_instruction_set_without_bfloat16_falls_back_to_float32_with_a_warning(
    precision, reason
):
    with computing_with("generic"), pytest.warns(RuntimeWarning, match=reason):
        engine = engine_for(SPEC, "native", precision=precision)
    assert engine.precision == "full"


@pytest.mark.parametrize("precision", BFLOAT16)
def test_an_engine_says_in_which_precision_it_trains(precision):
    with tiles():
        assert has_precision(precision)
        assert engine_for(SPEC, "auto", 2, precision).surroundings["precision"] == precision


def test_full_precision_warns_of_nothing():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        engine_for(SPEC, "auto", precision="full")


@pytest.mark.parametrize("precision", BFLOAT16)
def test_precisions_of_bfloat16_are_refused_for_float64(precision):
    spec = NetworkSpec(2, (Dense(2, "softmax"),), "cross_entropy", dtype="float64")
    with pytest.raises(
        InvalidArgumentError, match=rf"^precision: {precision} .* dtype float32; .* float64$"
    ):
        engine_for(spec, "auto", precision=precision)


def test_split_predictions_of_float64_are_refused():
    net = cr.Network([2, cr.Dense(1, "identity")], "mse", dtype="float64")
    with pytest.raises(InvalidArgumentError, match=r"^precision: split .* this one is float64$"):
        net.predict(np.zeros((1, 2)), precision="split")


@pytest.mark.parametrize("precision", ["half", "", None, 16])
def test_an_unknown_precision_is_refused(precision):
    with pytest.raises(
        InvalidArgumentError, match=r"^precision: expected full, mixed or split; got"
    ):
        engine_for(SPEC, "auto", precision=precision)


@pytest.mark.parametrize("precision", ["mixed", "half", None])
def test_predictions_are_full_or_split(precision):
    net = cr.Network([2, cr.Dense(1, "identity")], "mse")
    with pytest.raises(InvalidArgumentError, match=r"^precision: expected full or split; got"):
        net.predict(np.zeros((1, 2)), precision=precision)


def wide_network():
    """Return a network that is wide enough for split products, and rows for it."""
    net = cr.Network(
        [256, cr.Dense(256, "tanh"), cr.Dense(3, "softmax")], cost="cross_entropy", seed=0
    )
    return net, np.random.default_rng(0).standard_normal((160, 256)).astype(np.float32)


def test_split_predictions_are_nearer_to_float64_than_those_of_float32():
    net, X = wide_network()
    exact = cr.Network(
        [256, cr.Dense(256, "tanh"), cr.Dense(3, "softmax")],
        cost="cross_entropy",
        dtype="float64",
    )
    exact.parameters = net.parameters
    expected = exact.predict(X.astype(np.float64))
    with tiles():
        full, split = net.predict(X), net.predict(X, precision="split")
    assert (full != split).any()
    assert np.linalg.norm(split - expected) < np.linalg.norm(full - expected)


def test_an_estimator_trained_with_split_products_predicts_with_them():
    _, X = wide_network()
    y = X[:, 0] > 0
    model = cr.MLPClassifier((256,), precision="split", dtype="float32")
    with tiles():
        outputs = model.fit(X, y, epochs=2).predict_proba(X)[:, 1]
        full, split = (model.network_.predict(X, precision=name) for name in ("full", "split"))
    np.testing.assert_array_equal(outputs, split[:, -1])
    assert (full != split).any()


def test_an_estimator_predicts_in_float32_without_a_warning_where_there_is_no_split():
    X = np.eye(3, dtype=np.float32)
    model = cr.MLPRegressor(
        hidden_layer_sizes=(4,), precision="split", dtype="float32", engine="reference"
    )
    with pytest.warns(RuntimeWarning, match="no bfloat16 products"):
        model.fit(X, X[:, 0], epochs=1)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        np.testing.assert_array_equal(
            model.predict(X), model.network_.predict(X, engine="reference")[:, 0]
        )
