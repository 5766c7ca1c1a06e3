import pytest
from hypothesis import given
from hypothesis import strategies as st

from chainrule.ensembles.budget import Budget


@pytest.mark.parametrize(
    ("seconds", "expected"),
    [
        (1000, Budget(5, None, 8)),
        # 10 s a member on each of two workers: 25.5 s have room for two each, which is four folds.
        (30, Budget(4, None, 1)),
        (12, Budget(2, None, 1)),
        # Not even one: fewer epochs, so that the schedule still ends.
        (5, Budget(2, 4, 1)),
        (0.001, Budget(2, 1, 1)),
        (-3, Budget(2, 1, 1)),
    ],
)
def test_folds_come_before_epochs(seconds, expected):
    found = Budget.within(seconds, 1.0, 10, folds=5, variations=8, workers=2)
    assert found == expected


@given(
    st.floats(-10, 1e6),
    st.floats(0, 1e3),
    st.integers(1, 200),
    st.integers(2, 5),
    st.integers(1, 8),
    st.integers(1, 64),
)
def test_there_is_always_something_to_train_and_never_more_than_without_a_limit(
    seconds, epoch_seconds, epochs, folds, variations, workers
):
    found = Budget.within(seconds, epoch_seconds, epochs, folds, variations, workers)
    assert 1 <= found.folds <= folds
    assert 1 <= found.variations <= variations
    assert found.epochs is None or 1 <= found.epochs <= epochs
