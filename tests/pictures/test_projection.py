"""Principal components, against scikit-learn's."""

import numpy as np
import pytest
from sklearn.decomposition import PCA

from chainrule.pictures.projection import principal_components


@pytest.mark.parametrize("shape", [(50, 7), (3, 7), (7, 2), (200, 3)])
def test_directions_and_shares_are_those_of_scikit_learn_up_to_their_sign(shape):
    X = np.random.RandomState(0).normal(size=shape) * np.arange(1, shape[1] + 1)
    found, pca = principal_components(X - X.mean(axis=0)), PCA(2).fit(X)
    assert np.allclose(np.abs(np.sum(found.directions * pca.components_, axis=1)), 1)
    assert found.shares == pytest.approx(pca.explained_variance_ratio_)


def test_the_largest_entry_of_a_direction_is_positive():
    X = np.random.RandomState(0).normal(size=(20, 4))
    for sign in (1, -1):
        for direction in principal_components(sign * (X - X.mean(axis=0))).directions:
            assert direction[np.abs(direction).argmax()] > 0


@pytest.mark.parametrize("X", [np.zeros((4, 3)), np.zeros((1, 1)), np.outer([1, -1], [3.0, 4.0])])
def test_directions_in_which_nothing_differs_are_zero(X):
    found = principal_components(X)
    assert found.shares[1] == pytest.approx(0)
    assert not found.directions[1].any()
    assert found.label(2) == "principal component 2 (0% of the variance)"
