"""Several ranks train on a stream: each reads its own rows, and no others."""

import os
import threading
import time
from contextlib import nullcontext

import numpy as np
import polars as pl
import pytest

import chainrule as cr
from chainrule.communication.shares import Share
from chainrule.errors import InvalidArgumentError, RankError
from chainrule.training.courses import StreamedCourse, WindowOrder
from tests.communication.thread_ranks import Aborted, on_ranks, trained_on_ranks
from tests.tables.streams import as_ranks_take, numbers, write
from tests.training.test_ranks import assert_same_bits
from tests.training.test_streaming import SAMPLE, Source, stream_of

OPTIONS = {"epochs": 2, "batch_size": 16, "shuffle": False, "threads": 1}


def network():
    layers = [2, cr.Dense(6, "tanh"), cr.Dropout(0.2), cr.Dense(2, "softmax")]
    return cr.Network(layers, "cross_entropy", seed=1)


def held(table):
    return table[["a", "b"]].to_numpy(), table["y"].to_numpy()


def in_groups(folder, table, sizes):
    """Write a table to files of one row group each, of these sizes; return the pattern."""
    folder.mkdir()
    assert sum(sizes) == table.height
    first = 0
    for number, rows in enumerate(sizes):
        table[first : first + rows].write_parquet(folder / f"part{number}.parquet")
        first += rows
    return str(folder / "*.parquet")


def streamed(communicator, pattern, net=None, buffer=48, before=lambda stream: None, **given):
    """Fit a network to a stream on ranks; `before` is given the stream."""
    net = net or network()
    stream = cr.TableStream(pattern, "y", validation=0.0, shuffle_buffer=buffer)
    before(stream)
    net.fit(stream, communicator=communicator, **{**OPTIONS, **given})
    return net


@pytest.mark.parametrize("engine", ["native", "reference"])
@pytest.mark.parametrize(
    ("ranks", "rows"),
    # Batches of 32: the last has 20 of two ranks, 1 of the second alone; of 48: 20 of three ranks;
    # of 64 of four: 2 of the second and the fourth, at the end of a window.
    [(2, 500), (2, 481), (3, 500), (4, 386)],
)
def test_ranks_train_on_a_stream_as_on_rows_in_memory_that_are_taken_alike(
    tmp_path, ranks, rows, engine
):
    table = numbers(rows)
    pattern = write(tmp_path / "data", table, group=70)

    def in_memory(communicator):
        net = network()
        data = held(as_ranks_take(table, ranks, 16))
        net.fit(*data, communicator=communicator, engine=engine, **OPTIONS)
        return net

    nets = trained_on_ranks(ranks, lambda own: streamed(own, pattern, engine=engine))
    assert_same_bits(*nets, *trained_on_ranks(ranks, in_memory))


def integers(rows):
    """Return a table of small integers: sums and products of some steps on them are exact."""
    random = np.random.default_rng(rows)
    a, b, y = random.integers(-2, 3, (3, rows)).astype(np.float64)
    return pl.DataFrame({"a": a, "b": b, "y": y})


@pytest.mark.parametrize("engine", ["native", "reference"])
@pytest.mark.parametrize(
    ("ranks", "sizes"),
    [
        (2, [7, 7, 6]),  # the last of three batches has 4 rows
        (2, [1, 13, 1, 1, 1]),  # it has 1 row, of the second rank; row groups of uneven sizes
        (4, [34]),  # it has 2 rows of four ranks; a single row group
        (3, [9, 7]),  # fewer rows than a batch of all ranks
        (20, [9, 7]),  # fewer rows than ranks
    ],
)
def test_ranks_on_a_stream_have_the_bits_of_one_process_where_numbers_are_exact(
    tmp_path, ranks, sizes, engine
):
    table = integers(sum(sizes))
    pattern = in_groups(tmp_path / "data", table, sizes)
    own = 8 if ranks in (3, 20) else 8 // ranks
    options = {**OPTIONS, "epochs": 1, "optimizer": cr.SGD(0.125), "engine": engine}

    def linear():
        net = cr.Network([2, cr.Dense(1, "identity")], "mse", seed=0, dtype="float64")
        net.parameters[...] = [1.0, -1.0, 2.0]
        return net

    one, taken = linear(), as_ranks_take(table, ranks, own)
    one.fit(*held(taken), **{**options, "batch_size": min(own * ranks, table.height)})
    nets = trained_on_ranks(
        ranks,
        lambda communicator: streamed(
            communicator, pattern, linear(), buffer=2 * own, **{**options, "batch_size": own}
        ),
    )
    assert_same_bits(one, *nets)
    assert not np.array_equal(one.parameters, linear().parameters)


@pytest.mark.parametrize(("ranks", "rows"), [(2, 103), (3, 64), (5, 98), (7, 4)])
def test_each_row_is_taken_once_in_an_epoch_by_the_ranks_together(ranks, rows):
    batch = min(8 * ranks, rows)

    def taken(communicator, epoch):
        share = Share(communicator.rank, ranks)
        windows = stream_of(Source(rows)).of_rank(share).windows(epoch, 0, batch)
        order, hold = WindowOrder(3, epoch, True), lambda examples: nullcontext()
        with StreamedCourse(windows, batch, order, hold, SAMPLE, communicator) as course:
            steps, done = [], 0
            while done < -(-rows // batch):
                examples, own, stop, total = course.part(done, 1000)
                steps += [(stop, total)]
                chosen.setdefault((communicator.rank, epoch), []).extend(examples.X[own[0], 0])
                done = stop
        return steps

    chosen = {}
    for epoch in (1, 2):
        parts = trained_on_ranks(ranks, lambda own, epoch=epoch: taken(own, epoch))
        assert all(steps == parts[0] for steps in parts)  # parts of the same steps
        assert sum(total for _, total in parts[0]) == rows
        together = [row for rank in range(ranks) for row in chosen[rank, epoch]]
        assert sorted(together) == list(range(rows))
        sizes = [len(chosen[rank, epoch]) for rank in range(ranks)]
        assert max(sizes) - min(sizes) <= 1
    if rows > 8 * ranks:
        assert chosen[0, 1] != chosen[0, 2] != sorted(chosen[0, 1])
        first, second = (np.array(chosen[rank, 1][:8]) for rank in (0, 1))
        assert list(first) != list(second - rows // ranks), "ranks shuffle alike"


class Watch:
    """Keeps the numbers of the rows that each step takes on this rank, which are 512 a."""

    def __init__(self):
        self.steps = []

    def __call__(self, event):
        return None

    def steps_left(self, done):
        return 0

    def between_steps(self, moment):
        if moment.rows is not None:
            self.steps.append(512 * moment.examples.X[moment.rows, 0])


def test_all_rows_of_a_table_are_trained_on_once_in_each_epoch(tmp_path):
    table = numbers(500).with_columns(a=pl.Series(np.arange(500, dtype=np.float32) / 512))
    pattern = write(tmp_path / "data", table, group=30)

    def run(communicator):
        watch = Watch()
        streamed(communicator, pattern, callbacks=[watch], shuffle=True)
        return watch.steps

    ranks = trained_on_ranks(3, run)
    steps = len(ranks[0]) // 2
    assert [len(own) for own in ranks] == [2 * steps] * 3 == [2 * -(-500 // 48)] * 3
    epochs = [
        np.concatenate([rows for own in ranks for rows in own[begin : begin + steps]])
        for begin in (0, steps)
    ]
    for rows in epochs:
        assert sorted(rows) == list(range(500))
    assert list(epochs[0]) != list(epochs[1])


def test_a_callback_that_watches_the_steps_of_one_rank_changes_no_bit(tmp_path):
    pattern = write(tmp_path / "data", numbers(300), group=30)

    def run(communicator, watches):
        callbacks = [Watch()] if communicator.rank in watches else []
        return streamed(communicator, pattern, callbacks=callbacks, shuffle=True)

    nets = [trained_on_ranks(2, lambda own, w=watches: run(own, w)) for watches in ((), (1,))]
    assert_same_bits(*nets[0], *nets[1])


def noting(blocks):
    """Return a function that makes a stream note in a list which row groups it reads."""

    def before(stream):
        _ = stream.scan
        read = stream.files.read

        def reading(block, columns):
            blocks.append(block)
            return read(block, columns)

        stream.files.read = reading

    return before


def test_a_rank_reads_its_own_row_groups_and_no_others(tmp_path):
    table = numbers(600)
    pattern = in_groups(tmp_path / "data", table, [10, 250, 40, 40, 160, 100])

    def run(communicator, shuffle):
        blocks = []
        streamed(communicator, pattern, before=noting(blocks), epochs=1, shuffle=shuffle)
        return [block.file for block in blocks]

    # Thirds of 200 rows: the first ends in the second group; the second has its rest, to 400.
    plain = trained_on_ranks(3, lambda own: run(own, False))
    assert plain == [[0, 1], [1, 2, 3, 4], [4, 5]]
    shuffled = trained_on_ranks(3, lambda own: run(own, True))
    assert {file for files in shuffled for file in files} == set(range(6))
    assert sum(map(len, shuffled)) <= 6 + 2  # two boundaries


def test_a_killed_training_resumes_in_an_epoch_without_reading_what_is_behind(tmp_path):
    pattern = write(tmp_path / "data", numbers(1000), group=50)

    def run(communicator, blocks=None, **given):
        path = tmp_path / f"rank{communicator.rank}"
        before = noting([] if blocks is None else blocks)
        given = {"epochs": 3, "shuffle": True, "checkpoint": path, "every": 12, **given}
        return streamed(communicator, pattern, before=before, buffer=64, **given)

    through = trained_on_ranks(2, run)
    # Of 3 · 32 steps, the checkpoint before the last one is after 84: within the third epoch.
    (tmp_path / "rank0").unlink()
    (tmp_path / "rank0.previous").rename(tmp_path / "rank0")
    read = [], []
    resumed = trained_on_ranks(2, lambda own: run(own, read[own.rank], resume=True))
    for net, expected in zip(resumed, through, strict=True):
        assert net.parameters.tobytes() == expected.parameters.tobytes()
    # 20 of the 32 steps of 16 rows on each rank are behind, which are 5 windows of 64 rows.
    for blocks in read:
        assert sum(block.rows for block in blocks) <= 500 - 5 * 64 + 2 * 50


def test_a_checkpoint_of_another_number_of_ranks_is_refused_with_the_reason(tmp_path):
    pattern = write(tmp_path / "data", numbers(300))

    def run(communicator, batch, **given):
        rank = 0 if communicator is None else communicator.rank
        path = tmp_path / f"rank{rank}"
        return streamed(communicator, pattern, checkpoint=path, batch_size=batch, **given)

    trained_on_ranks(2, lambda own: run(own, 16))
    with pytest.raises(InvalidArgumentError, match="divided among 2 ranks there"):
        run(None, 32, resume=True)


def assert_told(results, reasons, rank, words):
    """Assert that all ranks ended with an error that names a rank and a file; none aborted."""
    assert reasons == []
    for result in results:
        assert isinstance(result, RankError)
        assert str(result).startswith(f"rank {rank} of {len(results)} failed: ")
        assert words in str(result)


def damage(path):
    """Overwrite a third of a file without a trace in its size and time."""
    status = path.stat()
    with path.open("r+b") as file:
        file.seek(4)
        file.write(b"\xff" * (status.st_size // 3))
    os.utime(path, ns=(status.st_atime_ns, status.st_mtime_ns))


def test_a_row_group_that_is_damaged_ends_all_ranks_with_its_file(tmp_path):
    pattern = write(tmp_path / "data", numbers(600), files=4, group=150)
    damaged, nets = tmp_path / "data" / "part3.parquet", [network(), network()]
    ready = threading.Barrier(2, lambda: damage(damaged))

    def run(communicator):
        def scanned(stream):
            _ = stream.scan
            ready.wait(30)

        return streamed(communicator, pattern, nets[communicator.rank], before=scanned)

    results, reasons = on_ranks(2, run)
    assert_told(results, reasons, 1, "part3.parquet: is damaged")
    # Both have the parameters of the same finished step.
    assert nets[0].parameters.tobytes() == nets[1].parameters.tobytes()
    assert not np.array_equal(nets[0].parameters, network().parameters)


def test_a_file_that_vanishes_ends_all_ranks_with_its_name(tmp_path):
    pattern = write(tmp_path / "data", numbers(600), files=4, group=150)

    def run(communicator):
        def gone(event):
            if communicator.rank == 1 and isinstance(event, cr.events.EpochEnded):
                (tmp_path / "data" / "part0.parquet").unlink()

        return streamed(communicator, pattern, epochs=3, callbacks=[gone])

    results, reasons = on_ranks(2, run)
    assert_told(results, reasons, 0, "part0.parquet: cannot be read any more")


def test_a_rank_that_reads_slowly_changes_no_bit(tmp_path):
    pattern = write(tmp_path / "data", numbers(300), group=30)

    def run(communicator, seconds):
        def slow(stream):
            read = stream.files.read
            stream.files.read = lambda *given: time.sleep(seconds) or read(*given)

        return streamed(communicator, pattern, before=slow if communicator.rank else lambda _: None)

    fast = trained_on_ranks(2, lambda own: run(own, 0))
    assert_same_bits(*fast, *trained_on_ranks(2, lambda own: run(own, 0.01)))


def test_a_tracer_is_refused_where_each_rank_has_its_own_rows_of_a_batch(tmp_path):
    pattern = write(tmp_path / "data", numbers(300))

    def run(communicator):
        return streamed(communicator, pattern, callbacks=[cr.Tracer(steps=[1])])

    results, reasons = on_ranks(2, run)
    assert all(isinstance(result, Aborted) for result in results)
    assert "callbacks: expected no Tracer for a stream on several ranks" in reasons[0][1]


def test_files_that_differ_between_ranks_are_an_error_on_all(tmp_path):
    patterns = [write(tmp_path / f"data{rank}", numbers(500, seed=rank)) for rank in range(2)]

    results, _ = on_ranks(2, lambda own: streamed(own, patterns[own.rank]))
    for result in results:
        assert isinstance(result, RankError)
        assert "data" in str(result)
