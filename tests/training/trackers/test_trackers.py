"""Trackers: each writes to a local folder by its real client, and the client reads it back."""

import functools
import importlib
import json
import shutil
import struct
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import polars as pl
import pytest

import chainrule as cr
from chainrule.training.events import EpochEnded

RANDOM = np.random.default_rng(0)
X = RANDOM.normal(size=(80, 3))
Y = (X[:, 0] > 0).astype(int)

# The clients themselves warn: of Python's own deprecations, of files they close late.
pytestmark = pytest.mark.filterwarnings("ignore")


class TensorBoardFolder:
    """What TensorBoard's own reader finds in a folder."""

    def __init__(self, folder):
        pytest.importorskip("tensorboardX", reason="the extra tensorboard is not installed")
        pytest.importorskip("tensorboard", reason="tensorboard reads the files back")
        self.folder = folder
        self.tracker = cr.TensorBoard(folder, settings={"mine": "yes"})

    def _events(self):
        module = "tensorboard.backend.event_processing.event_accumulator"
        found = importlib.import_module(module).EventAccumulator(str(self.folder))
        return found.Reload()

    def curve(self, name):
        return [(event.step, event.value) for event in self._events().Scalars(name)]

    def names(self):
        return set(self._events().Tags()["scalars"])

    def _texts(self, name):
        events = self._events().Tensors(f"{name}/text_summary")
        return " ".join(event.tensor_proto.string_val[0].decode() for event in events)

    def settings(self):
        lines = self._texts("settings").splitlines()[2:]
        return {line.split(" | ")[0][2:]: line.split(" | ")[1][:-2] for line in lines}

    def end(self):
        return self._texts("end")

    def is_closed(self):
        return self.tracker._writer is None

    failed, interrupted, finished = "failed", "interrupted", "epochs"


@functools.cache
def empty_database():
    """Return a database with MLflow's tables, whose creation takes seconds."""
    mlflow = importlib.import_module("mlflow")
    path = Path(tempfile.mkdtemp()) / "empty.db"
    mlflow.MlflowClient(tracking_uri=f"sqlite:///{path}").search_experiments()
    return path


class MLflowDatabase:
    """What MLflow's own client finds in a database."""

    def __init__(self, folder):
        mlflow = pytest.importorskip("mlflow", reason="the extra mlflow is not installed")
        pytest.importorskip("sqlalchemy", reason="a database needs sqlalchemy")
        shutil.copy(empty_database(), f"{folder}.db")
        uri = f"sqlite:///{folder}.db"
        self.tracker = cr.MLflow("tests", tracking_uri=uri, settings={"mine": "yes"})
        self.client = mlflow.MlflowClient(tracking_uri=uri)

    def _run(self):
        return self.client.get_run(self.tracker.run_id)

    def curve(self, name):
        history = self.client.get_metric_history(self.tracker.run_id, name)
        return [(metric.step, metric.value) for metric in history]

    def names(self):
        return set(self._run().data.metrics)

    def settings(self):
        return self._run().data.params

    def end(self):
        run = self._run()
        return f"{run.info.status} {run.data.tags.get('chainrule.end', '')}"

    def is_closed(self):
        return self._run().info.end_time is not None

    failed, interrupted, finished = "FAILED", "KILLED", "FINISHED"


def log_records(data):
    """Yield the records of a log of LevelDB, which a file of wandb is after a header of 7 bytes."""
    place, record, block = 7, b"", 2**15
    while place + 7 <= len(data):
        if block - place % block < 7:  # no header fits into the rest of a block
            place += block - place % block
            continue
        size, kind = struct.unpack("<HB", data[place + 4 : place + 7])
        record += data[place + 7 : place + 7 + size]
        place += 7 + size
        if kind in (1, 4):  # a whole record, or its last part
            yield record
            record = b""


class WandBFolder:
    """What wandb's own reader finds in the file of an offline run."""

    def __init__(self, folder):
        pytest.importorskip("wandb", reason="the extra wandb is not installed")
        self.folder = folder
        folder.mkdir(exist_ok=True)
        self.tracker = cr.WandB(
            "tests", mode="offline", folder=folder, settings={"mine": "yes"},
            options={"settings": {"silent": True, "console": "off"}},
        )  # fmt: skip

    def _all_records(self):
        records = importlib.import_module("wandb.proto.wandb_internal_pb2")
        (path,) = self.folder.rglob(f"*{self.tracker.run_id}.wandb")
        found = []
        for data in log_records(path.read_bytes()):
            record = records.Record()
            record.ParseFromString(data)
            found.append(record)
        return found

    def _records(self, kind):
        # The client's own process may write the end of the file after `finish` has returned.
        for _ in range(200):
            found = self._all_records()
            if any(record.WhichOneof("record_type") == "exit" for record in found):
                break
            time.sleep(0.05)
        return [
            getattr(record, kind) for record in found if record.WhichOneof("record_type") == kind
        ]

    def _rows(self):
        for record in self._records("history"):
            yield {
                item.key or item.nested_key[0]: json.loads(item.value_json) for item in record.item
            }

    def curve(self, name):
        return [(row["_step"], row[name]) for row in self._rows()]

    def names(self):
        return {name for row in self._rows() for name in row if not name.startswith("_")}

    def settings(self):
        items = [item for run in self._records("run") for item in run.config.update]
        return {item.key or item.nested_key[0]: item.value_json.strip('"') for item in items}

    def end(self):
        texts = [
            item.value_json
            for record in self._records("summary")
            for item in record.update
            if (item.key or item.nested_key[0]) == "end"
        ]
        codes = [str(record.exit_code) for record in self._records("exit")]
        return " ".join([f"exit {code}" for code in codes] + texts)

    def is_closed(self):
        return bool(self._records("exit"))

    failed, interrupted, finished = "exit 1", "exit 1", "exit 0"


@pytest.fixture(
    params=[TensorBoardFolder, MLflowDatabase, WandBFolder], ids=lambda kind: kind.__name__
)
def store(request, tmp_path, monkeypatch):
    monkeypatch.setenv("WANDB_ERROR_REPORTING", "false")
    monkeypatch.setenv("MLFLOW_DISABLE_TELEMETRY", "true")
    monkeypatch.chdir(tmp_path)
    return request.param(tmp_path / "runs")


def network():
    return cr.Network(
        [3, cr.Dense(4, "tanh"), cr.Dense(2, "softmax")], cost="cross_entropy", seed=0
    )


def test_a_training_is_recorded_epoch_by_epoch(store):
    history = network().fit(
        X, Y, epochs=3, validation_split=0.25, metrics=["accuracy"], callbacks=[store.tracker]
    )
    assert store.names() == set(history.columns) - {"epoch"}
    for name in ("loss", "validation_loss", "accuracy", "validation_accuracy", "learning_rate"):
        # TensorBoard stores float32.
        assert [step for step, _ in store.curve(name)] == [1, 2, 3]
        np.testing.assert_allclose([value for _, value in store.curve(name)], history[name], 1e-6)


def test_the_settings_of_the_training_are_recorded(store):
    network().fit(
        X,
        Y,
        epochs=1,
        batch_size=20,
        optimizer=cr.Adam(0.03, beta_1=0.8),
        callbacks=[store.tracker],
    )
    settings = store.settings()
    expected = {
        "network": "inputs 3, dense 4, dense 2", "cost": "cross_entropy", "optimizer": "adam",
        "learning_rate": "0.03", "beta_1": "0.8", "batch_size": "20", "epochs": "1", "seed": "0",
        "mine": "yes",
    }  # fmt: skip
    assert {name: str(settings[name]) for name in expected} == expected


def test_how_it_ended_is_recorded(store):
    history = network().fit(
        X, Y, epochs=300, validation_split=0.25, early_stopping=2, optimizer=cr.Adam(0.3),
        callbacks=[store.tracker],
    )  # fmt: skip
    assert store.finished in store.end()
    assert f"since epoch {history.best_epoch}, whose weights are kept" in store.end()
    assert store.is_closed()


@pytest.mark.parametrize("error", [RuntimeError, KeyboardInterrupt])
def test_an_error_or_an_interruption_closes_the_run_with_what_it_has(store, error):
    def fail(event):
        if isinstance(event, EpochEnded) and event.epoch == 2:
            raise error

    with pytest.raises(error):
        network().fit(X, Y, epochs=9, callbacks=[store.tracker, fail])
    assert [step for step, _ in store.curve("loss")] == [1, 2]
    assert (store.failed if error is RuntimeError else store.interrupted) in store.end()
    assert store.is_closed()


def test_an_estimator_s_training_is_recorded(store):
    estimator = cr.NetworkClassifier(
        hidden_layer_sizes=(4,), max_iter=3, early_stopping=False, callbacks=[store.tracker],
        random_state=0,
    ).fit(X, Y)  # fmt: skip
    assert [step for step, _ in store.curve("loss")] == [1, 2, 3]
    assert estimator.get_params()["callbacks"] == [store.tracker]


def test_a_run_on_a_table_is_recorded_with_its_settings(store):
    table = pl.DataFrame({"a": X[:, 0], "b": X[:, 1], "y": Y})
    cr.train(table, "y", epochs=2, preset="fast", verbose=False, callbacks=[store.tracker])
    assert len(store.curve("validation_accuracy")) == 2
    settings = store.settings()
    assert (settings["target"], settings["preset"], settings["mine"]) == ("y", "fast", "yes")


def test_a_second_training_is_a_run_of_its_own(store):
    net = network()
    for _ in range(2):
        net.fit(X, Y, epochs=2, callbacks=[store.tracker])
    steps = [step for step, _ in store.curve("loss")]
    # TensorBoard's folder holds both: the second goes on where the first ended.
    assert steps == ([1, 2, 3, 4] if isinstance(store, TensorBoardFolder) else [3, 4])


def test_the_epochs_before_an_interruption_are_part_of_a_resumed_run(store, tmp_path):
    def fail(event):
        if isinstance(event, EpochEnded) and event.epoch == 2:
            raise RuntimeError

    kept = {"checkpoint": tmp_path / "checkpoint", "every": 1}
    with pytest.raises(RuntimeError):
        network().fit(X, Y, epochs=4, callbacks=[fail], **kept)
    network().fit(X, Y, epochs=4, callbacks=[store.tracker], resume=True, **kept)
    assert [step for step, _ in store.curve("loss")] == [1, 2, 3, 4]


def test_inside_a_run_of_the_users_mlflow_records_to_it(tmp_path, monkeypatch):
    mlflow = pytest.importorskip("mlflow", reason="the extra mlflow is not installed")
    monkeypatch.setenv("MLFLOW_DISABLE_TELEMETRY", "true")
    shutil.copy(empty_database(), tmp_path / "runs.db")
    monkeypatch.setenv("MLFLOW_TRACKING_URI", f"sqlite:///{tmp_path}/runs.db")
    monkeypatch.chdir(tmp_path)
    with mlflow.start_run() as mine:
        tracker = cr.MLflow()
        network().fit(X, Y, epochs=2, callbacks=[tracker])
        assert tracker.run_id == mine.info.run_id
        assert mlflow.active_run() is not None
        mlflow.log_metric("after", 1.0)
    assert mlflow.MlflowClient().get_run(tracker.run_id).data.metrics["after"] == 1.0


@pytest.mark.parametrize(
    ("make", "package"),
    [
        (lambda: cr.TensorBoard("runs"), "tensorboardX"),
        (cr.MLflow, "mlflow"),
        (cr.WandB, "wandb"),
    ],
)
def test_a_missing_client_is_an_error_that_names_the_extra(make, package, monkeypatch):
    monkeypatch.setattr("chainrule.training.trackers.base.find_spec", lambda name: None)
    with pytest.raises(cr.InvalidArgumentError, match=f"needs the package {package}") as caught:
        make()
    assert 'pip install "chainrule[' in str(caught.value)


def test_a_client_that_cannot_begin_says_so_itself(tmp_path, monkeypatch):
    tracker = cr.TensorBoard(tmp_path)
    monkeypatch.setattr(tracker, "_begin", lambda settings: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        network().fit(X, Y, epochs=1, callbacks=[tracker])


def test_a_tracker_loads_its_client_only_when_a_training_begins():
    program = (
        "import sys, chainrule as cr; cr.TensorBoard('runs'); cr.MLflow(); cr.WandB();"
        "print([name for name in ('tensorboardX', 'mlflow', 'wandb') if name in sys.modules])"
    )
    for name in ("tensorboardX", "mlflow", "wandb"):
        pytest.importorskip(name, reason=f"{name} is not installed")
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert done.stdout == "[]\n", done.stderr
