import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from chainrule.errors import InvalidTableError
from chainrule.tables.splitting import split_rows

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
