import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from chainrule.errors import InvalidArgumentError, InvalidTableError
from chainrule.tables.splits import split_rows

# Up to six classes of very different sizes, some with a single row.
LABELS = st.lists(st.integers(1, 40), min_size=2, max_size=6).map(
    lambda counts: np.repeat(np.arange(len(counts)), counts)
)


@given(rows=st.integers(10, 300), seed=st.integers(0, 2**40))
def test_every_row_is_in_exactly_one_part(rows, seed):
    split = split_rows(rows, seed=seed)
    assert sorted(np.concatenate(split).tolist()) == list(range(rows))
    assert len(split.test) == -(-rows // 5)
    assert all(len(part) for part in split)


@given(labels=LABELS, seed=st.integers(0, 1000))
def test_every_part_has_every_class_in_its_share(labels, seed):
    try:
        split = split_rows(len(labels), labels, seed=seed)
    except InvalidTableError:
        assert len(labels) < 10 + 4 * len(np.unique(labels))
        return
    assert sorted(np.concatenate(split).tolist()) == list(range(len(labels)))
    share = len(split.test) / len(labels)
    for name in np.unique(labels):
        rows = int((labels == name).sum())
        in_test = int((labels[split.test] == name).sum())
        if rows == 1:
            assert name in labels[split.train]
        else:
            # Rows of single-row classes stay in training, which raises the others' share a little.
            assert abs(in_test - share * rows) <= 2
        assert name in labels[split.train]


def test_the_seed_decides_the_split():
    labels = np.arange(100) % 3
    first, again, other = (split_rows(100, labels, seed=seed) for seed in (7, 7, 8))
    assert all(np.array_equal(a, b) for a, b in zip(first, again, strict=True))
    assert not np.array_equal(first.test, other.test)


def test_rows_come_in_the_order_of_the_table():
    for part in split_rows(50, seed=3):
        assert (np.diff(part) > 0).all()


@pytest.mark.parametrize("classes", [None, np.arange(9) % 2])
def test_a_tiny_table_is_refused(classes):
    with pytest.raises(InvalidTableError, match="has 9 rows, and at least 10"):
        split_rows(9, classes)


def test_classes_of_single_rows_are_refused():
    with pytest.raises(InvalidTableError, match="too few rows"):
        split_rows(20, np.arange(20))


@given(labels=LABELS, share=st.floats(0.05, 0.45), seed=st.integers(0, 1000))
def test_the_parts_have_the_sizes_asked_for(labels, share, seed):
    try:
        split = split_rows(len(labels), labels, seed=seed, validation=share, test=share)
    except InvalidTableError:
        return
    assert len(split.test) == np.ceil(share * len(labels))
    rest = len(labels) - len(split.test)
    assert len(split.validation) == np.ceil(share / (1 - share) * rest)


def test_a_part_may_be_left_out():
    split = split_rows(50, np.arange(50) % 2, validation=0.2, test=0.0)
    assert [len(part) for part in split] == [40, 10, 0]
    split = split_rows(50, validation=0.0, test=0.0)
    assert [len(part) for part in split] == [50, 0, 0]


@pytest.mark.parametrize(
    ("shares", "message"),
    [
        ({"validation": 0.5, "test": 0.5}, "leave some to train with; got 0.5 and 0.5"),
        ({"validation": 1.0}, "validation: expected a number in"),
        ({"test": -0.1}, "test: expected a number in"),
        ({"groups": [1] * 10, "times": [1] * 10}, "expected one of them; got both"),
    ],
)
def test_shares_that_cannot_be_are_refused(shares, message):
    with pytest.raises(InvalidArgumentError, match=message):
        split_rows(10, **shares)


GROUPS = st.lists(st.integers(1, 30), min_size=3, max_size=40).map(
    lambda counts: np.repeat(np.arange(len(counts)), counts)
)


@given(groups=GROUPS, seed=st.integers(0, 1000))
def test_a_group_is_in_one_part_alone(groups, seed):
    if len(groups) < 10:
        return
    split = split_rows(len(groups), seed=seed, groups=groups)
    assert sorted(np.concatenate(split).tolist()) == list(range(len(groups)))
    parts = [set(groups[part].tolist()) for part in split]
    assert all(parts)
    assert sum(map(len, parts)) == len(set(groups.tolist()))
    if len(parts[0]) > 1:  # none was forced to leave a part empty
        largest = int(np.bincount(groups).max())
        assert abs(len(split.test) - 0.2 * len(groups)) <= largest


def test_the_seed_decides_which_groups_test():
    groups = pl.Series("who", [f"p{place // 5}" for place in range(100)])
    first, again, other = (split_rows(100, seed=seed, groups=groups) for seed in (1, 1, 2))
    assert np.array_equal(first.test, again.test)
    assert not np.array_equal(first.test, other.test)
    assert len(first.test) == 20


def test_groups_must_be_enough_and_known():
    with pytest.raises(InvalidTableError, match="of 2 groups, and at least 3 are needed"):
        split_rows(10, groups=[0, 1] * 5)
    assert len(split_rows(10, groups=[0, 1] * 5, validation=0.0).test) == 5
    with pytest.raises(InvalidTableError, match="column 'who' has no value in row 2"):
        split_rows(10, groups=pl.Series("who", ["a", None] * 5))


@given(order=st.permutations(range(50)))
def test_the_last_rows_test_and_the_first_train(order):
    times = np.array(order)
    split = split_rows(50, times=times)
    assert set(times[split.test]) == set(range(40, 50))
    assert times[split.train].max() < times[split.validation].min()
    assert times[split.validation].max() < times[split.test].min()


def test_rows_of_one_time_stay_together():
    split = split_rows(20, times=np.repeat([1, 2, 3, 4], 5), validation=0.2, test=0.2)
    assert [len(part) for part in split] == [10, 5, 5]
    with pytest.raises(InvalidTableError, match="of 2 different times, too few"):
        split_rows(20, times=np.repeat([1, 2], 10))


@pytest.mark.parametrize(
    "times",
    [
        pl.Series("when", [f"{day:02}.01.2024" for day in range(1, 31)]),
        pl.Series("when", [f"2024-01-{day:02}T00:00:00Z" for day in range(1, 31)]),
        pl.Series("when", range(30)),
        pl.Series("when", range(30)).cast(pl.Date),
        pl.Series("when", [day * 0.5 for day in range(30)]),
    ],
)
def test_dates_are_ordered_however_they_are_written(times):
    reverse = split_rows(30, times=times.reverse())
    assert reverse.test.tolist() == [0, 1, 2, 3, 4, 5]


@pytest.mark.parametrize(
    ("times", "message"),
    [
        (pl.Series("when", ["yesterday"] * 10), "'when' holds text that is not a date"),
        (pl.Series("when", [1.0, float("nan")] * 5), "'when' has no value in row 2 and 4 more"),
        (pl.Series("when", [[1]] * 10), "'when' holds values of type List"),
    ],
)
def test_what_has_no_order_in_time_is_refused(times, message):
    with pytest.raises(InvalidTableError, match=message):
        split_rows(10, times=times)
