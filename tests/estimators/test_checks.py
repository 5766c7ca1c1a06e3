"""scikit-learn's own checks of an estimator: all of them, with no expected failure."""

import pytest
from sklearn.utils.estimator_checks import parametrize_with_checks

from chainrule import (
    MLPClassifier,
    MLPRegressor,
    NetworkClassifier,
    NetworkMixed,
    NetworkRegressor,
)

# The checks' own words for what they expect of a few epochs; and where their labels are drawn at
# random, it is said that nothing can be learned from them.
pytestmark = [
    pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning"),
    pytest.mark.filterwarnings("ignore::chainrule.errors.TrainingDiagnosisWarning"),
]


@parametrize_with_checks(
    [
        MLPClassifier(max_iter=100),
        MLPRegressor(max_iter=100),
        NetworkClassifier(),
        NetworkRegressor(),
        NetworkMixed(),
    ]
)
def test_every_check_of_scikit_learn_passes(estimator, check):
    check(estimator)
