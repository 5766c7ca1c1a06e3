"""The jax engine in two processes that mpiexec starts: one launch does everything in turn."""

import os
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pytest

import chainrule as cr
from tests.numerics import assert_within, epsilon

ROOT = Path(__file__).parents[2]
MPIEXEC = Path(sys.executable).with_name("mpiexec")

X = np.random.default_rng(0).standard_normal((42, 3)).astype(np.float32)
Y = (X[:, :1] * X[:, 1:2] + X[:, 2:]).astype(np.float32)
EPOCHS = 6
# 30 steps, whose sums have at most 10 terms of order 1, as in test_jax.
TOLERANCE = 30 * 20 * 10 * epsilon("float32")


def fitted(engine, seed=0, rows=42):
    layers = [3, cr.Dense(6, "tanh"), cr.Dropout(0.2), cr.Dense(1, "identity")]
    net = cr.Network(layers, cost="mse", seed=seed)
    net.history = net.fit(
        X[:rows],
        Y[:rows],
        validation_data=(X[:9], Y[:9]),
        epochs=EPOCHS,
        batch_size=10,
        engine=engine,
        early_stopping=EPOCHS,
    )
    return net


def refused(**given):
    try:
        fitted("jax", **given)
    except cr.InvalidArgumentError as error:
        return str(error)
    return ""


def main(folder):
    """Train in this process and in the other one."""
    net = fitted("jax")

    import jax

    from chainrule.engines.jax_processes import join_processes

    rank = jax.process_index()
    alone = fitted("jax(processes=1)", seed=rank)
    np.savez(
        Path(folder) / f"{rank}.npz",
        parameters=net.parameters,
        loss=net.history["loss"],
        alone=alone.parameters,
        processes=[join_processes(), join_processes()],
        seeds=refused(seed=rank),
        tables=refused(rows=40 + rank),
    )
    if rank == 1:
        raise ValueError("the second process is lost")
    for _ in range(1000):
        fitted("jax")


@pytest.fixture(scope="module")
def launched(tmp_path_factory):
    """Return what each of two processes has found, and the end of their job."""
    if find_spec("mpi4py") is None or not MPIEXEC.exists():
        pytest.skip("the extra mpi is not installed")
    folder = tmp_path_factory.mktemp("processes")
    flags = "--xla_backend_optimization_level=0 " + os.environ.get("XLA_FLAGS", "")
    done = subprocess.run(
        [
            MPIEXEC, "-n", "2", "--allow-run-as-root", "--oversubscribe", "--bind-to", "none",
            sys.executable, "-m", "tests.engines.test_jax_processes", folder,
        ],
        env={**os.environ, "XLA_FLAGS": flags, "JAX_PLATFORMS": "cpu"}, cwd=ROOT,
        capture_output=True, text=True, timeout=400, check=False,
    )  # fmt: skip
    found = []
    for rank in range(2):
        assert (folder / f"{rank}.npz").exists(), done.stderr
        with np.load(folder / f"{rank}.npz") as arrays:
            found.append(dict(arrays))
    return found, done


def test_two_processes_train_one_network_as_the_reference_does(launched):
    (first, second), _ = launched
    np.testing.assert_array_equal(first["parameters"], second["parameters"])
    np.testing.assert_array_equal(first["loss"], second["loss"])
    expected = fitted("reference")
    assert_within(first["parameters"], expected.parameters, TOLERANCE)
    np.testing.assert_allclose(first["loss"], expected.history["loss"], rtol=TOLERANCE)


def test_processes_join_once(launched):
    for found in launched[0]:
        assert found["processes"].tolist() == [2, 2]


def test_a_process_can_train_alone(launched):
    for rank, found in enumerate(launched[0]):
        expected = fitted("reference", seed=rank).parameters
        assert_within(found["alone"], expected, TOLERANCE)


@pytest.mark.parametrize(
    ("given", "differing"), [("seeds", "parameters and orders"), ("tables", "examples")]
)
def test_processes_that_would_train_differently_all_say_so(launched, given, differing):
    for found in launched[0]:
        message = str(found[given])
        assert message.startswith("engine: expected the same training in all 2 processes of jax")
        assert f"different {differing}" in message


def test_an_exception_in_one_process_ends_all_of_them(launched):
    done = launched[1]
    assert done.returncode != 0
    assert "ValueError: the second process is lost" in done.stderr


if __name__ == "__main__":
    main(sys.argv[1])
