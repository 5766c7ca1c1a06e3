"""Numbers and vectors that Python has and the core does not."""

import os
import subprocess
import sys

import numpy as np
import pytest

import chainrule as cr
from chainrule.errors import InvalidArgumentError, InvalidTableError
from chainrule.tables.reader import read_table

HUGE = 10**400
X = np.ones((4, 2), np.float32)


def network():
    return cr.Network([2, cr.Dense(1, "identity")], "mse", seed=0)


@pytest.mark.parametrize(
    "given",
    [
        lambda: network().fit(X, X[:, 0], epochs=1, l1=HUGE),
        lambda: network().fit(X, X[:, 0], epochs=1, l2=HUGE),
        lambda: network().fit(X, X[:, 0], epochs=1, max_grad_norm=HUGE),
        lambda: cr.SGD(HUGE),
        lambda: cr.Adam(epsilon=HUGE),
        lambda: cr.AdamW(weight_decay=HUGE),
        lambda: cr.CosineDecay(HUGE, 3),
    ],
)
def test_a_number_that_no_float_holds_is_refused(given):
    with pytest.raises(InvalidArgumentError, match=r"bits|1000"):
        given()


def test_parameters_that_the_core_cannot_take_are_refused():
    spec, theta = network().spec, network().parameters
    for wrong in (np.repeat(theta, 2)[::2], theta[::-1], theta.tolist()):
        with pytest.raises(InvalidArgumentError, match=r"^parameters: expected"):
            cr.Network.from_parameters(spec, wrong)


def test_parameters_that_are_read_only_are_trained_in_a_copy():
    spec, theta = network().spec, network().parameters
    theta.flags.writeable = False
    before, shared = theta.copy(), cr.Network.from_parameters(spec, theta)
    assert shared.parameters is theta
    shared.fit(X, X[:, 0], epochs=1)
    np.testing.assert_array_equal(theta, before)
    assert (shared.parameters != before).any()


def test_a_number_of_threads_of_thousands_of_digits_is_all_cores():
    code = "from chainrule.engines.native import default_threads; assert default_threads() >= 1"
    environment = os.environ | {"CHAINRULE_THREADS": "1" * 5000}
    subprocess.run([sys.executable, "-c", code], check=True, env=environment, timeout=60)


@pytest.mark.parametrize("name", ["a\0b", "a\udcff.csv"])
def test_a_name_that_no_table_has_is_refused(name):
    with pytest.raises(InvalidTableError, match=r"no file's name|no Unicode text"):
        read_table(name)


def numbers_of_steps(every):
    from chainrule.training.interval import Interval

    return Interval(every).steps


@pytest.mark.parametrize("every", ["1" * 5000, "1" * 5000 + "s", "9" * 10 + "h"])
def test_an_interval_of_thousands_of_digits_is_refused(every):
    with pytest.raises(InvalidArgumentError, match=r"^every: expected"):
        numbers_of_steps(every)


@pytest.mark.parametrize("seed", [HUGE, -1, 2**32, 2**64])
def test_a_random_state_beyond_numpys_is_refused(seed):
    with pytest.raises(InvalidArgumentError, match=r"^random_state: expected"):
        cr.MLPRegressor(random_state=seed, max_iter=1).fit(X, np.arange(4.0))


@pytest.mark.parametrize("layers", [HUGE, 2**63, 2**31])
def test_more_layers_than_memory_holds_are_refused(layers):
    with pytest.raises(InvalidArgumentError, match="'n_layers'"):
        cr.NetworkRegressor(n_layers=layers).fit(X, np.arange(4.0))


@pytest.mark.parametrize("units", [HUGE, 2**63, 2**31])
def test_more_units_than_the_core_counts_are_refused(units):
    with pytest.raises(InvalidArgumentError):
        cr.NetworkRegressor((units,)).fit(X, np.arange(4.0))


def test_numbers_of_steps_and_epochs_may_be_as_large_as_one_likes():
    def stop(event):
        return type(event).__name__ == "EpochEnded"

    net = network()
    net.fit(X, X[:, 0], epochs=HUGE, batch_size=HUGE, callbacks=[stop])
    assert net.epochs_trained == 1
