"""`Network.fit` on a table that is read meanwhile."""

import os
import subprocess
import sys
import textwrap

import numpy as np
import polars as pl
import pytest

import chainrule as cr
from chainrule.errors import InvalidArgumentError, InvalidTableError
from chainrule.training.events import Checkpointed, EpochEnded
from tests.tables.streams import mixed, numbers, write


def network(**options):
    layers = [2, cr.Dense(6, "tanh"), cr.Dropout(0.2), cr.Dense(2, "softmax")]
    return cr.Network(layers, "cross_entropy", seed=4, **options)


def arrays(table):
    return table[["a", "b"]].to_numpy(), table["y"].to_numpy()


@pytest.fixture(scope="module")
def table():
    return numbers(1000)


@pytest.fixture(scope="module")
def pattern(table, tmp_path_factory):
    return write(tmp_path_factory.mktemp("model") / "data", table, group=70)


@pytest.mark.parametrize("engine", ["native", "reference"])
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_without_shuffling_the_steps_are_those_of_the_rows_in_memory(pattern, table, engine, dtype):
    options = {"batch_size": 32, "epochs": 3, "shuffle": False, "engine": engine, "l2": 1e-3}
    streamed, held = network(dtype=dtype), network(dtype=dtype)
    stream = cr.TableStream(pattern, "y", validation=0.0, shuffle_buffer=100)
    history = streamed.fit(stream, **options)
    expected = held.fit(*arrays(table), **options)
    np.testing.assert_array_equal(streamed.parameters, held.parameters)
    for ours, theirs in zip(history.epochs, expected.epochs, strict=True):
        assert (ours.loss, ours.penalty) == (theirs.loss, theirs.penalty)


def test_one_block_in_one_window_is_shuffled_as_in_memory(tmp_path, table):
    pattern = write(tmp_path / "data", table, files=1, group=1000)
    streamed, held = network(), network()
    streamed.fit(cr.TableStream(pattern, "y", validation=0.0), epochs=2, batch_size=32)
    held.fit(*arrays(table), epochs=2, batch_size=32)
    np.testing.assert_array_equal(streamed.parameters, held.parameters)


def test_any_number_of_threads_gives_the_same_bits(pattern):
    def trained(threads):
        net = network()
        net.fit(cr.TableStream(pattern, "y", shuffle_buffer=200), epochs=2, threads=threads)
        return net.parameters

    np.testing.assert_array_equal(trained(1), trained(3))


def test_validation_rows_are_never_trained_on_and_give_the_validation_loss(pattern):
    stream = cr.TableStream(pattern, "y", validation=0.2)
    net = network()
    history = net.fit(stream, epochs=2, metrics=["accuracy"])
    held_out = arrays(stream.validation_rows)
    assert history.epochs[-1].validation_loss == pytest.approx(net.loss(*held_out), rel=1e-6)
    assert history.epochs[-1].metrics == {}
    assert set(history.epochs[-1].validation_metrics) == {"accuracy"}


def test_label_smoothing_and_early_stopping_work_as_in_memory(pattern, table):
    options = {"batch_size": 32, "shuffle": False, "label_smoothing": 0.1, "epochs": 2}
    streamed, held = network(), network()
    streamed.fit(cr.TableStream(pattern, "y", validation=0.0), **options)
    held.fit(*arrays(table), **options)
    np.testing.assert_array_equal(streamed.parameters, held.parameters)
    stream = cr.TableStream(pattern, "y", validation=0.3)
    history = network().fit(stream, optimizer=cr.Adam(0.3), epochs=40, early_stopping=1)
    assert len(history.epochs) < 40
    lowest = min(history.epochs, key=lambda event: event.validation_loss)
    assert history.best_epoch == lowest.epoch


def test_a_training_that_was_killed_resumes_within_an_epoch_to_the_same_bits(pattern, tmp_path):
    def stream():
        return cr.TableStream(pattern, "y", shuffle_buffer=128)

    path, events = tmp_path / "checkpoint", []
    options = {"epochs": 3, "batch_size": 16, "checkpoint": path}
    net = network()
    net.fit(stream(), every=40, callbacks=[events.append], **options)
    written = sum(isinstance(event, Checkpointed) for event in events)
    assert written > 3
    # The checkpoint before the last one is within an epoch.
    path.unlink()
    path.with_name("checkpoint.previous").rename(path)
    again, resumed, read = network(), stream(), []
    pieces = resumed.files.read
    resumed.files.read = lambda block, columns: read.append(block) or pieces(block, columns)
    _ = resumed.scan
    read.clear()
    events.clear()
    again.fit(resumed, resume=True, callbacks=[events.append], **options)
    np.testing.assert_array_equal(again.parameters, net.parameters)
    # Of the epoch in which it goes on, it reads what is left.
    assert sum(block.rows for block in read) < 1000
    assert [event.epoch for event in events if isinstance(event, EpochEnded)] == [3]


def test_a_checkpoint_of_other_rows_or_another_buffer_is_refused(pattern, tmp_path):
    options = {"epochs": 1, "checkpoint": tmp_path / "checkpoint"}
    network().fit(cr.TableStream(pattern, "y"), **options)
    for other in ({"shuffle_buffer": 64}, {"seed": 1}, {"validation": 0.3}):
        with pytest.raises(InvalidArgumentError, match="stream: "):
            network().fit(cr.TableStream(pattern, "y", **other), resume=True, **options)


def test_a_file_that_changes_during_the_training_ends_it_with_its_name(tmp_path):
    pattern = write(tmp_path / "data", numbers(1000), group=70)
    changed = tmp_path / "data" / "part1.parquet"

    def change(event):
        if isinstance(event, EpochEnded):
            os.utime(changed, ns=(1, 1))

    net = network()
    with pytest.raises(InvalidTableError, match=r"part1\.parquet: was changed"):
        net.fit(cr.TableStream(pattern, "y"), epochs=5, callbacks=[change])
    assert net.epochs_trained >= 1
    assert np.isfinite(net.parameters).all()


def test_a_traced_step_shows_the_rows_that_it_took(pattern):
    tracer = cr.Tracer(steps=[1, 30])
    stream = cr.TableStream(pattern, "y", validation=0.0, shuffle_buffer=64)
    network().fit(stream, epochs=1, batch_size=16, callbacks=[tracer])
    assert sorted(tracer.traces) == [1, 30]
    known = set(map(tuple, stream.sample[["a", "b"]].to_numpy().tolist()))
    for trace in tracer.traces.values():
        assert set(map(tuple, trace.X.T.tolist())) <= known
        assert trace.X.shape == (2, 16)
    with pytest.raises(InvalidArgumentError, match="rows: expected none for a stream"):
        network().fit(stream, epochs=1, callbacks=[cr.Tracer(rows=[1])])


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"Y": [0, 1]}, "Y: expected none where X is a TableStream"),
        ({"sample_weight": [1.0]}, "sample_weight: expected none"),
        ({"class_weight": "balanced"}, "class_weight: expected none"),
        ({"validation_data": ([[0, 0]], [0])}, "validation_data: expected none"),
        ({"validation_split": 0.2}, "validation_split: expected none"),
    ],
)
def test_an_argument_that_needs_all_rows_is_refused(pattern, arguments, message):
    with pytest.raises(InvalidArgumentError, match=message):
        network().fit(cr.TableStream(pattern, "y"), **arguments)


def test_targets_that_are_missing_altogether_are_asked_for(table):
    with pytest.raises(InvalidArgumentError, match="Y: expected the targets"):
        network().fit(table[["a", "b"]].to_numpy())


def test_columns_of_text_are_refused_with_what_takes_them(tmp_path):
    pattern = write(tmp_path / "data", mixed())
    with pytest.raises(InvalidTableError, match="NetworkClassifier"):
        network().fit(cr.TableStream(pattern, "label"))


def test_a_value_that_is_no_number_is_named_with_its_file(tmp_path, table):
    pattern = write(tmp_path / "data", table, group=70)
    broken = table[:333].with_columns(b=pl.lit(float("inf"), pl.Float32))
    broken.write_parquet(tmp_path / "data" / "part0.parquet")
    with pytest.raises(InvalidArgumentError, match="finite numbers"):
        network().fit(cr.TableStream(pattern, "y", validation=0.0))


_BOUNDED = """
import resource, shutil, sys
import numpy as np, polars as pl
import chainrule as cr
from chainrule.tables import blocks, table_stream

table_stream.HELD_OUT_ROWS = table_stream.SAMPLE_ROWS = 5000
blocks.PIECE = 8192
folder, rows = sys.argv[1], int(sys.argv[2])

def trained(pattern):
    net = cr.Network([8, cr.Dense(2, "softmax")], "cross_entropy", seed=0)
    net.fit(cr.TableStream(pattern, "y", shuffle_buffer=8192), epochs=1, batch_size=1024)

def written(name, rows):
    X = np.random.default_rng(0).standard_normal((rows, 8), np.float32)
    table = pl.DataFrame({f"x{i}": X[:, i] for i in range(8)} | {"y": (X[:, 0] > 0).astype("i1")})
    path = f"{folder}/{name}.parquet"
    table.write_parquet(path, row_group_size=8192)
    return path

# What imports, threads and libraries take for good, before what is measured.
trained(written("small", 60_000))
part = written("part0", rows // 20)
for number in range(1, 20):
    shutil.copy(part, part.replace("part0", f"part{number}"))
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
trained(f"{folder}/part*.parquet")
print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before)
"""


def test_memory_does_not_grow_with_the_rows(tmp_path):
    # The windows, 2 · 8192 · (8 + 1) numbers; the pieces that are read, and their encoded copies;
    # and 10,000 rows that are kept, as they are in the file and as inputs: below 4 MiB in all.
    limit, rows = 4 << 20, 1_300_000
    assert rows * (8 * 4 + 1) > 10 * limit
    command = [sys.executable, "-c", textwrap.dedent(_BOUNDED), str(tmp_path), str(rows)]
    found = subprocess.run(command, capture_output=True, text=True, check=True)
    assert int(found.stdout) * 1024 < limit, found.stdout
