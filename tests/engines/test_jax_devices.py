"""The jax engine on several devices: a CPU, which JAX divides into eight in a fresh process."""

import os
import subprocess
import sys
from pathlib import Path

import jax
import numpy as np
import pytest

import chainrule as cr
from chainrule.engines import engine_named, jax_programs
from chainrule.engines.base import Penalties, Problem
from chainrule.engines.reference import ReferenceEngine
from chainrule.errors import InvalidArgumentError
from tests.engines.test_layer_kinds import ALL, DROPS, NORMAL, examples, network, parameters, train
from tests.numerics import assert_within, epsilon

ROOT = Path(__file__).parents[2]
PENALTIES = Penalties(1e-3, 1e-2, shared=True)
# Rows, and rows of a batch: 8 devices divide 9 unevenly, and of the last 5 some get none.
ROWS, BATCH = 23, 9

TRAINED = {
    "every kind of layer": (ALL, "float64", cr.SGD(0.01), {}),
    "averages, clipping and dropout": (
        DROPS, "float32", cr.ScheduleFreeAdamW(0.01), {"max_grad_norm": 0.1},
    ),
    "blocks one by one": (NORMAL, "float64", cr.Momentum(0.1), {}),
}  # fmt: skip


def by_blocks(wanted):
    """Have the next network's blocks updated one by one, as those of a wide network are."""
    jax_programs._MOST_IN_ONE_PART = 0 if wanted else 2**14


def trained(engine, name):
    layers, dtype, optimizer, given = TRAINED[name]
    spec = network(layers, dtype)
    by_blocks(name == "blocks one by one")
    data = examples(spec, ROWS, weighted=True)
    theta, state, records = train(engine, spec, data, optimizer, BATCH, PENALTIES, **given)
    by_blocks(False)
    return [theta, state.slots, *records]


def loss_and_gradient(engine):
    spec = network(DROPS)
    theta, data = parameters(spec), examples(spec, ROWS, weighted=True)
    gradient = np.empty_like(theta)
    loss = engine.loss_and_gradient(Problem(spec, theta, data, PENALTIES), gradient)
    return [np.array(loss), gradient]


def everything(engine):
    results = {name: trained(engine, name) for name in TRAINED}
    results["a whole table"] = loss_and_gradient(engine)
    return {
        f"{name}/{i}": one for name, several in results.items() for i, one in enumerate(several)
    }


def main(path):
    """Train on eight devices, twice, and on one: the process of the fixture below."""
    engine = engine_named("jax(devices=8)")
    found, again = everything(engine), everything(engine)
    alone = {
        f"alone/{i}": one
        for i, one in enumerate(trained(engine_named("jax"), "averages, clipping and dropout"))
    }
    data = examples(network(ALL), ROWS)
    with engine.holding(data):
        copies = [len(held.addressable_shards) for _, held in engine._held.values()]
    np.savez(
        path,
        repeated=[name for name in found if np.array_equal(found[name], again[name])],
        surroundings=engine.surroundings["instruction set"],
        copies=copies,
        **found,
        **alone,
    )


@pytest.fixture(scope="module")
def eight(tmp_path_factory):
    """Return what a process with eight devices has found."""
    path = tmp_path_factory.mktemp("devices") / "found.npz"
    # Without optimization, programs are compiled in half the time.
    flags = "--xla_force_host_platform_device_count=8 --xla_backend_optimization_level=0"
    flags += " " + os.environ.get("XLA_FLAGS", "")
    subprocess.run(
        [sys.executable, "-m", "tests.engines.test_jax_devices", path],
        env={**os.environ, "XLA_FLAGS": flags, "JAX_PLATFORMS": "cpu"}, cwd=ROOT, check=True,
    )  # fmt: skip
    with np.load(path) as found:
        return dict(found)


@pytest.mark.parametrize("name", TRAINED)
def test_eight_devices_train_as_the_reference_does(eight, name):
    # The bound of test_jax: three steps of sums of at most 23 terms, and some hundreds by which an
    # update stretches a rounding.
    tolerance = 3 * ROWS * 400 * epsilon(TRAINED[name][1])
    for i, expected in enumerate(trained(ReferenceEngine(), name)):
        found = eight[f"{name}/{i}"]
        assert_within(found, expected, tolerance * np.maximum(1, np.abs(expected)))


def test_one_device_and_eight_differ_in_roundings(eight):
    name = "averages, clipping and dropout"
    for i, part in enumerate(("parameters", "state", "cost", "norm", "penalty")):
        one, many = eight[f"alone/{i}"], eight[f"{name}/{i}"]
        tolerance = 3 * ROWS * 400 * epsilon("float32")
        np.testing.assert_allclose(many, one, rtol=tolerance, atol=tolerance, err_msg=part)


def test_the_loss_of_a_whole_table_is_divided_too(eight):
    for i, expected in enumerate(loss_and_gradient(ReferenceEngine())):
        assert_within(eight[f"a whole table/{i}"], expected, ROWS * 100 * epsilon("float64"))


def test_a_repetition_has_the_same_bits(eight):
    names = [f"{name}/{i}" for name in TRAINED for i in range(5)]
    assert sorted(eight["repeated"]) == sorted([*names, "a whole table/0", "a whole table/1"])


def test_examples_are_copied_to_each_device(eight):
    assert set(eight["copies"]) == {8}


def test_surroundings_name_the_number_of_devices(eight):
    assert str(eight["surroundings"]).startswith("8 × ")


def test_one_device_is_used_unless_more_are_asked_for():
    assert engine_named("jax")._mesh is None
    assert engine_named("jax(devices=1)")._mesh is None


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("jax(devices=0)", r"jax's devices must be a whole number of at least 1; got 0"),
        ("jax(devices=1.5)", r"jax's devices must be a whole number of at least 1; got 1.5"),
        ("jax(devises=2)", r"jax takes devices=.*; got 'devises=2'; did you mean 'devices'"),
        ("jax(processes=2)", r"jax's processes must be 1, which trains in each process alone"),
        ("native(devices=2)", r"expected one of jax, perhaps with parameters"),
    ],
)
def test_a_wrong_parameter_of_an_engine_is_refused_in_words(name, message):
    with pytest.raises(InvalidArgumentError, match=f"^engine: {message}"):
        engine_named(name)


@pytest.mark.skipif(jax.device_count() > 999, reason="JAX has as many devices here")
def test_more_devices_than_there_are_are_refused_with_their_number():
    with pytest.raises(InvalidArgumentError, match=r"expected at most \d+ devices.*; got 1000"):
        engine_named("jax(devices=1000)")


if __name__ == "__main__":
    main(sys.argv[1])
