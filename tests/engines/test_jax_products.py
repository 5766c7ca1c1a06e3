"""The order in which products are computed on a CPU, and what a call of the steps leaves out."""

from types import SimpleNamespace

import jax
import numpy as np
import pytest

import chainrule as cr
from chainrule.engines import jax as jax_engine
from chainrule.engines import jax_products
from chainrule.engines import jax_programs as programs
from chainrule.engines.jax import JaxEngine
from chainrule.engines.jax_products import reordered
from chainrule.network.layers import Dense
from chainrule.network.parameters import parameter_count
from chainrule.network.spec import NetworkSpec
from tests.engines.test_layer_kinds import examples, train
from tests.numerics import assert_within, epsilon

# Two layers have one below, to which BP2 goes.
DEEP = NetworkSpec(
    4, (Dense(6, "tanh"), Dense(5, "relu"), Dense(3, "softmax")), "cross_entropy", dtype="float32"
)

on_a_cpu = pytest.mark.skipif(jax.default_backend() != "cpu", reason="only a CPU has another order")


def operations(jaxpr):
    """All operations, with those of the loops and functions inside."""
    for one in jaxpr.eqns:
        yield one
        for value in one.params.values():
            for inner in value if isinstance(value, (tuple, list)) else (value,):
                yield from operations(inner.jaxpr) if hasattr(inner, "jaxpr") else ()


def products(found):
    """The products of two matrices, as what their first factors come from."""
    made_by = {id(result): one.primitive.name for one in found for result in one.outvars}
    return [
        made_by.get(id(one.invars[0]), "given")
        for one in found
        if one.primitive.name == "dot_general"
    ]


def steps(monkeypatch, spec):
    """The operations of a training's steps."""
    traced = []

    def keep(function, static, given, precision):
        traced.append(jax.make_jaxpr(lambda *arrays: function(*static, *arrays))(*given).jaxpr)
        raise InterruptedError

    monkeypatch.setattr(jax_engine, "compiled", keep)
    with pytest.raises(InterruptedError):
        train(JaxEngine(), spec, examples(spec, 8), cr.Adam(0.01), 8)
    return list(operations(traced[0]))


@on_a_cpu
def test_no_first_factor_of_a_steps_products_is_transposed_on_a_cpu(monkeypatch):
    assert "transpose" not in (of_cpu := products(steps(monkeypatch, DEEP)))
    monkeypatch.setattr(jax_products, "default_device", lambda: SimpleNamespace(platform="gpu"))
    as_on_paper = products(steps(monkeypatch, DEEP))
    assert as_on_paper.count("transpose") == of_cpu.count("optimization_barrier") == 2
    assert len(of_cpu) == len(as_on_paper)


@on_a_cpu
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_a_product_in_the_other_order_has_the_same_sums(dtype):
    random = np.random.default_rng(0)
    W, delta = (random.standard_normal(shape).astype(dtype) for shape in ((7, 5), (7, 3)))

    def of_both(W, delta):
        # The function of JAX in between has a derivative of its own, unlike plain operations.
        return W.T @ delta, {"after": jax.nn.relu(W.T @ delta) + 1.0}

    with jax.enable_x64(True):
        found, rest = jax.jit(reordered(of_both))(W, delta)
    assert found.dtype == dtype
    exact = W.astype(float).T @ delta.astype(float)
    # Sums of 7 products, of any order.
    bound = 7 * epsilon(dtype) * (np.abs(W).T @ np.abs(delta)).max()
    assert_within(found, exact, bound)
    assert_within(rest["after"], np.maximum(exact, 0) + 1.0, bound + 2 * epsilon(dtype))


def test_the_blocks_of_a_large_network_are_not_joined_in_its_steps(monkeypatch):
    monkeypatch.setattr(programs, "_MOST_IN_ONE_PART", 0)
    joined = [
        one.outvars[0].aval.size
        for one in steps(monkeypatch, DEEP)
        if one.primitive.name == "concatenate"
    ]
    assert parameter_count(DEEP) not in joined
