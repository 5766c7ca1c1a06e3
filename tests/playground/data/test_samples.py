import numpy as np
import pytest
from sklearn import datasets

from chainrule.errors import InvalidArgumentError
from chainrule.playground.data.samples import SAMPLES, sample_table

LOADERS = {
    "iris": datasets.load_iris,
    "wine": datasets.load_wine,
    "wdbc": datasets.load_breast_cancer,
    "digits": datasets.load_digits,
}


@pytest.mark.parametrize("name", LOADERS)
def test_a_sample_is_the_table_of_scikit_learn(name):
    bunch, table, sample = LOADERS[name](), sample_table(name), SAMPLES[name]
    assert np.array_equal(table.select(sample.columns).to_numpy(), bunch.data)
    named = sample.classes or tuple(range(10))
    assert table[sample.target].to_list() == [named[code] for code in bunch.target]


@pytest.mark.parametrize("name", ["iris", "wdbc"])
def test_columns_and_classes_have_the_names_of_scikit_learn(name):
    bunch = LOADERS[name]()
    assert list(SAMPLES[name].columns) == list(bunch.feature_names)
    assert list(SAMPLES[name].classes) == list(bunch.target_names)


def test_an_unknown_sample_is_refused():
    with pytest.raises(InvalidArgumentError, match="got 'irsi'; did you mean 'iris'"):
        sample_table("irsi")
