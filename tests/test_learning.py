"""Whole trainings that must reach a known quality."""

from pathlib import Path

import numpy as np
import pytest

from chainrule.runs.config import RunConfig
from chainrule.runs.training import PreparedRun

WDBC = Path(__file__).parent.parent / "examples" / "wdbc.csv"


@pytest.fixture(scope="module")
def wdbc_test_accuracies():
    """Test accuracies on the breast cancer table with the command line's defaults, seeds 0 to 9."""
    accuracies = []
    for seed in range(10):
        settings = {"table": str(WDBC), "target": "diagnosis", "seed": seed}
        trained = PreparedRun.prepare(RunConfig.of(settings)).fit()
        accuracies.append(trained.scores["test"]["accuracy"])
    return accuracies


def test_breast_cancer_is_diagnosed_by_the_first_seed(wdbc_test_accuracies):
    assert wdbc_test_accuracies[0] >= 0.95


def test_breast_cancer_is_diagnosed_on_average_over_ten_seeds(wdbc_test_accuracies):
    assert np.mean(wdbc_test_accuracies) >= 0.96
