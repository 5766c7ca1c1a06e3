"""Which examples are set aside."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from chainrule.training.validation import divided


@given(
    classes=st.lists(st.integers(0, 4), min_size=2, max_size=200),
    share=st.floats(0.01, 0.99),
    seed=st.integers(0, 2**63),
    sorted_by_class=st.booleans(),
)
def test_of_each_class_about_that_share_is_set_aside(classes, share, seed, sorted_by_class):
    classes = np.array(sorted(classes) if sorted_by_class else classes)
    rows = divided(len(classes), share, seed, classes)
    both = np.concatenate(rows)
    np.testing.assert_array_equal(np.sort(both), np.arange(len(classes)))
    assert all((np.diff(part) > 0).all() for part in rows)
    trained, aside = (np.bincount(classes[part], minlength=5) for part in rows)
    counts = trained + aside
    assert (trained[counts > 0] > 0).all()
    spare = np.maximum(counts - 1, 0)
    # Evenly spaced among those that can be spared, each class gets its share of them, ± 1.
    expected = len(rows.validation) * spare / max(1, spare.sum())
    assert (np.abs(aside - expected) <= 1 + 1e-9).all()


@given(n=st.integers(2, 300), share=st.floats(1e-6, 0.999999), seed=st.integers(0, 2**63))
def test_without_classes_the_share_is_exact_and_no_side_is_empty(n, share, seed):
    rows = divided(n, share, seed)
    assert len(rows.validation) == min(max(1, round(share * n)), n - 1)
    again = divided(n, share, seed)
    np.testing.assert_array_equal(rows.validation, again.validation)


@pytest.mark.parametrize("seed", range(5))
def test_rows_are_drawn_from_everywhere(seed):
    rows = divided(10_000, 0.5, seed).validation
    # 5000 rows of 10000: 2500 ± 4 deviations (35.4) in each half.
    assert abs((rows < 5000).sum() - 2500) < 4 * 35.4
