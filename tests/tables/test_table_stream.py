"""A table that is read while a network trains: its parts, its order, its bounds."""

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from chainrule.errors import InvalidArgumentError, InvalidTableError
from chainrule.tables import table_stream
from chainrule.tables.table_stream import TableStream, with_target
from tests.tables.streams import mixed, numbers, write


@pytest.fixture(scope="module")
def pattern(tmp_path_factory):
    table = numbers(3000).with_row_index("row")
    return write(tmp_path_factory.mktemp("stream") / "data", table, group=200)


def trained(stream, epoch=1, first=0, **options):
    """Return the training rows of an epoch, in order."""

    def keep(raw, places):
        table, rows = with_target(raw, stream.target)
        return table, places[rows]

    rows = stream.training_rows(epoch, first, stream.counts, keep, **options)
    return [row for table, _, _ in rows for row in table["row"].to_list()]


def test_each_row_is_in_one_part_and_is_trained_on_once_in_each_epoch(pattern):
    stream = TableStream(pattern, "y", validation=0.2, test=0.1)
    held_out = [*stream.validation_rows["row"], *stream.test_rows["row"]]
    for epoch in (1, 2):
        assert sorted([*trained(stream, epoch), *held_out]) == list(range(3000))
    assert set(stream.sample["row"]) == set(trained(stream))  # of so few rows, all


def test_the_parts_have_their_shares_up_to_chance(pattern):
    stream = TableStream(pattern, "y", validation=0.2, test=0.1)
    for rows, share in ((stream.validation_rows, 0.2), (stream.test_rows, 0.1)):
        deviation = np.sqrt(3000 * share * (1 - share))
        assert abs(rows.height - 3000 * share) < 5 * deviation


def test_the_parts_depend_on_seed_and_place_alone(pattern, tmp_path):
    def tested(files, seed=0):
        return set(TableStream(files, "y", test=0.2, seed=seed).test_rows["row"])

    assert tested(pattern, 1) != tested(pattern, 0)
    # A file of the same name elsewhere, in other row groups, and with a new file beside it.
    table = numbers(3000).with_row_index("row")
    table[1000:2000].write_parquet(tmp_path / "part1.parquet", row_group_size=77)
    numbers(50).with_row_index("row", 9000).write_parquet(tmp_path / "part0.parquet")
    there = {row for row in tested(str(tmp_path / "*.parquet")) if row < 9000}
    assert there == {row for row in tested(pattern) if 1000 <= row < 2000}


def test_blocks_come_in_a_new_order_in_each_epoch_unless_they_are_not_shuffled(pattern):
    stream = TableStream(pattern, "y", validation=0.0)
    orders = [trained(stream, epoch) for epoch in (1, 2, 1)]
    assert orders[0] == orders[2] != orders[1]
    assert trained(stream, 1, shuffle=False) == list(range(3000))


@settings(max_examples=20, deadline=None)
@given(first=st.integers(0, 2600), epoch=st.integers(1, 3))
def test_an_epoch_that_begins_later_has_the_rest_of_the_same_rows(pattern, first, epoch):
    stream = TableStream(pattern, "y", validation=0.1)
    assert trained(stream, epoch, first) == trained(stream, epoch)[first:]


def test_an_epoch_that_begins_later_does_not_read_the_blocks_before(pattern):
    stream = TableStream(pattern, "y", validation=0.0)
    _ = stream.counts
    blocks = []
    read = stream.files.read

    def reading(block, columns):
        blocks.append(block)
        return read(block, columns)

    stream.files.read = reading
    trained(stream, 1, first=2500)
    assert sum(block.rows for block in blocks) <= 500 + 200


def test_held_out_rows_and_sample_are_bounded_whatever_the_shares(pattern, monkeypatch):
    monkeypatch.setattr(table_stream, "HELD_OUT_ROWS", 100)
    monkeypatch.setattr(table_stream, "SAMPLE_ROWS", 300)
    stream = TableStream(pattern, "y", validation=0.3, test=0.3)
    assert stream.validation_rows.height < 100 + 5 * 10
    assert stream.test_rows.height < 100 + 5 * 10
    assert stream.sample.height < 300 + 5 * 18
    left = 3000 - stream.validation_rows.height - stream.test_rows.height
    assert len(trained(stream)) == left


def test_the_sample_has_a_row_of_every_class_however_rare(tmp_path, monkeypatch):
    monkeypatch.setattr(table_stream, "SAMPLE_ROWS", 20)
    label = np.full(2000, "usual", object)
    label[[1234, 777]] = ["rare", "rarer"]
    table = pl.DataFrame({"x": np.arange(2000.0), "label": label.astype(str)})
    stream = TableStream(write(tmp_path / "data", table), "label", validation=0.0)
    assert set(stream.sample["label"]) == {"usual", "rare", "rarer"}
    assert stream.sample.height < 60


def test_values_that_are_all_new_do_not_fill_the_sample_with_the_first_rows(tmp_path, monkeypatch):
    monkeypatch.setattr(table_stream, "SAMPLE_ROWS", 100)
    table = pl.DataFrame({"x": np.arange(2000.0), "y": np.arange(2000) + 0.5})
    stream = TableStream(write(tmp_path / "data", table), "y", validation=0.0)
    assert 50 < stream.sample.height < 150
    assert abs(stream.sample["x"].mean() - 1000) < 5 * 577 / np.sqrt(stream.sample.height)


def test_rows_without_a_target_are_left_out_everywhere(tmp_path):
    missing = [
        None if row % 3 == 0 else float("nan") if row % 3 == 1 else 1.0 for row in range(900)
    ]
    table = pl.DataFrame({"row": np.arange(900), "y": missing})
    stream = TableStream(write(tmp_path / "data", table), "y", validation=0.2)
    everywhere = [*trained(stream), *stream.validation_rows["row"]]
    assert sorted(everywhere) == list(range(2, 900, 3))


def test_ignored_columns_are_not_read(tmp_path):
    stream = TableStream(write(tmp_path / "data", mixed()), "label", ignore=["kind"])
    assert stream.features == ("size",)
    assert stream.sample.columns == ["size", "label"]


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        ({"target": "z"}, InvalidTableError, "no column 'z' to use as the target"),
        ({"validation": 0.6, "test": 0.5}, InvalidArgumentError, "some to train with"),
        ({"validation": 1.5}, InvalidArgumentError, "validation: expected"),
        ({"shuffle_buffer": 0}, InvalidArgumentError, "shuffle_buffer: expected"),
        ({"ignore": ["nothing"]}, InvalidTableError, "nothing"),
    ],
)
def test_a_wrong_argument_is_named(pattern, arguments, error, message):
    with pytest.raises(error, match=message):
        TableStream(**{"files": pattern, "target": "y"} | arguments)


def test_a_handful_of_rows_is_refused(tmp_path):
    with pytest.raises(InvalidTableError, match="has 6 rows, and at least 10 are needed"):
        TableStream(write(tmp_path / "data", numbers(6)), "y")


def test_quantiles_of_the_sample_have_the_error_that_is_stated(tmp_path):
    # With 99 % probability, by the inequality of Dvoretzky, Kiefer and Wolfowitz.
    random = np.random.default_rng(5)
    values = np.sort(random.lognormal(sigma=2, size=20_000))
    table = pl.DataFrame({"x": random.permutation(values), "y": np.zeros(20_000)})
    old = table_stream.SAMPLE_ROWS
    table_stream.SAMPLE_ROWS = 2000
    try:
        stream = TableStream(write(tmp_path / "data", table, group=5000), "y", validation=0.0)
        sample = np.sort(stream.sample["x"].to_numpy())
    finally:
        table_stream.SAMPLE_ROWS = old
    shares = np.searchsorted(values, sample, side="right") / len(values)
    expected = np.arange(1, len(sample) + 1) / len(sample)
    assert np.abs(shares - expected).max() < np.sqrt(np.log(200) / (2 * len(sample)))
