import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from chainrule.tables.folds import divided_into_folds


@given(st.integers(2, 200), st.integers(2, 6), st.integers(0, 2**31))
def test_every_fold_gets_the_same_number_of_rows_up_to_one(rows, folds, seed):
    sizes = np.bincount(divided_into_folds(rows, folds, seed=seed), minlength=folds)
    assert sizes.sum() == rows
    assert sizes.max() - sizes.min() <= 1


@given(st.lists(st.sampled_from("abc"), min_size=5, max_size=100), st.integers(2, 5))
def test_every_fold_gets_the_same_share_of_every_class_up_to_one_row(classes, folds):
    labels = np.array(classes)
    fold = divided_into_folds(len(labels), folds, classes=labels)
    for label in set(classes):
        counts = np.bincount(fold[labels == label], minlength=folds)
        assert counts.max() - counts.min() <= 1


@given(st.lists(st.integers(0, 9), min_size=5, max_size=100), st.integers(2, 5))
def test_all_rows_of_a_group_are_in_one_fold(groups, folds):
    fold = divided_into_folds(len(groups), folds, groups=groups)
    for group in set(groups):
        assert len(set(fold[np.array(groups) == group])) == 1
    assert set(fold) == set(range(min(folds, len(set(groups)))))


@given(st.lists(st.integers(0, 30), min_size=5, max_size=100), st.integers(2, 5))
def test_each_fold_is_a_stretch_of_time(times, folds):
    fold, given_times = divided_into_folds(len(times), folds, times=times), np.array(times)
    assert (np.diff(fold[np.argsort(given_times, kind="stable")]) >= 0).all()
    for time in set(times):
        assert len(set(fold[given_times == time])) == 1
    assert set(fold) == set(range(fold.max() + 1))


def test_another_seed_gives_other_folds():
    one, other = (divided_into_folds(50, 5, seed=seed) for seed in (0, 1))
    assert not np.array_equal(one, other)
