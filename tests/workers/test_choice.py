import joblib
import pytest
from typer.testing import CliRunner

import chainrule as cr
from chainrule.cli.app import app
from chainrule.errors import InvalidArgumentError
from chainrule.workers.choice import MOST, active_workers, workers_from
from chainrule.workers.cluster import Cluster
from chainrule.workers.processes import Processes
from tests.workers.runs import TABLE


@pytest.mark.parametrize(
    ("given", "address"),
    [
        ("dask://localhost:8786", "localhost:8786"),
        ("dask://10.0.0.1", "10.0.0.1:8786"),
        ("dask://[::1]:99/", "[::1]:99"),
    ],
)
def test_an_address_names_a_scheduler(given, address):
    found = workers_from(given)
    assert isinstance(found, Cluster)
    assert found.address == address


@pytest.mark.parametrize("given", [3, "3"])
def test_a_number_asks_for_processes(given):
    found = workers_from(given)
    assert isinstance(found, Processes)
    assert found.number == 3


def test_nothing_asks_for_the_threads_of_this_process():
    assert workers_from(None) is None


@pytest.mark.parametrize(
    "given",
    [
        *(0, -1, MOST + 1, True, 2.0, "0", "4.0", "9" * 5000, "²", "", b"2", ["2"]),
        *("dask://", "dask://a:b", "dask://a:99999", "tcp://localhost:8786", "dask://a@host:1"),
    ],
)
def test_anything_else_is_refused_in_one_sentence(given):
    with pytest.raises(InvalidArgumentError, match=r"^workers: expected a number of processes"):
        workers_from(given)


def test_without_a_configuration_of_joblib_nothing_is_asked_for():
    assert active_workers() == (None, None)
    with joblib.parallel_config("loky"):
        assert active_workers() == (None, None)


def test_the_configuration_of_joblib_chooses_processes_or_threads():
    with joblib.parallel_config(n_jobs=3):
        workers, threads = active_workers()
    assert (workers.number, threads) == (3, None)
    with joblib.parallel_config("threading", n_jobs=2):
        assert active_workers() == (None, 2)


def test_inside_a_worker_of_joblib_the_cores_of_others_are_left_alone():
    with joblib.parallel_config("threading", n_jobs=2):
        found = joblib.Parallel()(joblib.delayed(active_workers)() for _ in range(2))
    assert found == [(None, None)] * 2


def test_a_backend_that_cannot_train_members_is_refused():
    X, y = TABLE.select("a", "b").to_numpy(), TABLE["y"].to_numpy()
    model = cr.NetworkClassifier((4,), quality="best", max_iter=1)
    with (
        joblib.parallel_config("multiprocessing", n_jobs=2),
        pytest.raises(InvalidArgumentError, match="got MultiprocessingBackend"),
    ):
        model.fit(X, y)


def test_a_single_network_has_no_workers():
    with pytest.raises(InvalidArgumentError, match="workers: expected none without quality"):
        cr.train(TABLE, "y", workers=2, verbose=False)


def test_the_option_is_refused_where_one_network_is_trained(tmp_path):
    table = tmp_path / "t.csv"
    TABLE.write_csv(table)
    words = ["train", str(table), "--target", "y", "--workers"]
    for given, sentence in (
        ("2", "--workers: a single network is trained by the threads of one process"),
        ("many", "--workers: expected a number of processes"),
    ):
        result = CliRunner().invoke(app, [*words, given])
        assert result.exit_code == 2
        assert sentence in result.stderr
