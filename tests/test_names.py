"""The names as types: each is the list of its registry."""

from typing import get_args

import pytest

from chainrule import engines, names
from chainrule.engines import ENGINES
from chainrule.engines.optimizers import OPTIMIZERS
from chainrule.engines.schedules import SCHEDULES
from chainrule.network.function_names import parse_name
from chainrule.network.registry.activations import ACTIVATIONS
from chainrule.network.registry.costs import COSTS
from chainrule.network.registry.initializers import INITIALIZERS
from chainrule.network.spec import DTYPES
from chainrule.settings.losses import CLASSIFICATION, REGRESSION
from chainrule.settings.names import RULES
from chainrule.training.metrics import METRICS

REGISTRIES = {
    "ActivationName": ACTIVATIONS,
    "CostName": COSTS,
    "InitializerName": ("auto", *INITIALIZERS),
    "DType": DTYPES,
    "OptimizerName": OPTIMIZERS,
    "ScheduleName": (*RULES, *SCHEDULES),
    "ClassificationLoss": CLASSIFICATION,
    "RegressionLoss": REGRESSION,
    "MetricName": METRICS,
}


@pytest.mark.parametrize("name", REGISTRIES)
def test_a_type_lists_the_names_of_its_registry_in_order(name):
    assert get_args(getattr(names, name)) == tuple(REGISTRIES[name])


def test_the_type_of_engines_lists_those_that_are_installed():
    # Without the compiled core there is no "native", which is a name all the same.
    assert set(get_args(names.EngineName)) - {"native"} == {"auto", *ENGINES} - {"native"}


def test_the_written_parameters_of_an_engine_can_be_read():
    for name in get_args(names.JaxDevices):
        parse_name(name, "engine", engines._PARAMETERS)


def test_every_type_is_compared_with_a_registry():
    types = {name for name in vars(names) if name[0].isupper()} - {"Literal", "TypeAlias"}
    derived = {
        "ActivationText",
        "CostText",
        "SolverName",
        "EngineName",
        "EngineText",
        "JaxDevices",
        "Precision",
        "PredictionPrecision",
    }
    assert types == set(REGISTRIES) | derived
