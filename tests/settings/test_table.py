"""The table of settings, and whoever says a name or a default again."""

import inspect

import pytest

import chainrule as cr
from chainrule.runs.options import TrainingOptions, settings_of
from chainrule.runs.presets import resolved
from chainrule.settings.names import with_names
from chainrule.settings.setting import ABSENT, ALL
from chainrule.settings.table import OPTIONS, PARAMETERS, SETTINGS

# Each estimator: what it is, and whether its defaults are the good ones.
ESTIMATORS = {
    cr.MLPClassifier: ("classifier", False),
    cr.MLPRegressor: ("regressor", False),
    cr.NetworkClassifier: ("classifier", True),
    cr.NetworkRegressor: ("regressor", True),
    cr.NetworkMixed: ("mixed", True),
}

# Of `Network.fit`: examples, what is measured of them, the checkpoint, and the ranks.
NO_SETTINGS = {
    *("self", "X", "Y", "validation_data", "sample_weight", "metrics"),
    *("checkpoint", "every", "resume", "state", "communicator", "local_steps"),
}
# Of `Network`: what it is made of.
PARTS = {"self", "layers", "cost", "fused"}


def constructor(estimator):
    parameters = inspect.signature(estimator.__init__).parameters
    return {name: one.default for name, one in parameters.items() if name != "self"}


@pytest.mark.parametrize("estimator", ESTIMATORS, ids=lambda one: one.__name__)
def test_a_constructor_says_the_names_and_defaults_of_the_table(estimator):
    defaults = {name: row.default(*ESTIMATORS[estimator]) for name, row in PARAMETERS.items()}
    expected = {name: value for name, value in defaults.items() if value is not ABSENT}
    assert constructor(estimator) == expected


def test_a_network_and_its_fit_say_the_names_and_defaults_of_the_table():
    said = {}
    for function, others in ((cr.Network.__init__, PARTS), (cr.Network.fit, NO_SETTINGS)):
        parameters = inspect.signature(function).parameters
        said |= {name: one.default for name, one in parameters.items() if name not in others}
    assert said == {row.fit_name or row.name: row.fit for row in SETTINGS if row.fit is not ABSENT}


@pytest.mark.parametrize("estimator", [cr.NetworkClassifier, cr.NetworkRegressor])
def test_the_standard_preset_is_what_the_estimators_do(estimator):
    task = "classification" if estimator is cr.NetworkClassifier else "regression"
    # All settings that only some losses, optimizers and schedules look at are looked at by one.
    asked = [{}, {"optimizer": "adamw"}, {"optimizer": "sgd", "schedule": "invscaling"}]
    losses = ["focal"] if task == "classification" else ["huber", "quantile"]
    asked += [{"loss": loss} for loss in losses]
    by_rows = {"batch_size", "early_stopping", "dtype", "epochs", "l2", "bins"}
    by_rows |= {"label_smoothing", "patience", "schedule"}
    by_rows |= {"time_limit"}  # a time as text on the command line
    seen = set()
    for wanted in asked:
        chosen = resolved(TrainingOptions(**wanted), task, 450, 500)
        for row in OPTIONS:
            value = getattr(chosen, row.name)
            ours = constructor(estimator).get(row.parameter_name, ABSENT)
            if ours is ABSENT or value is None or row.name in {"seed", *wanted, *by_rows}:
                continue
            assert row.as_parameter(value) == ours, row.name
            seen.add(row.name)
    of_task = {row.name for row in OPTIONS if row.parameter_name in constructor(estimator)}
    assert seen == of_task - {"seed", "threads", *by_rows}


def test_every_setting_is_described_wherever_it_comes_in():
    names = [row.name for row in SETTINGS]
    assert len(set(names)) == len(names)
    assert {row.parameter_name for row in SETTINGS if row.mlp is not ABSENT} == set(PARAMETERS)
    for row in SETTINGS:
        assert (row.mlp is ABSENT) == (not row.meaning), row.name
        assert row.mlp is ABSENT or row.type, row.name
        assert set(row.of) <= set(ALL)
        if row.needs is not None:
            assert row.needs.setting in names
            assert row.needs.values()
        about = row.option.about if row.option is not None else ""
        assert "{" not in with_names(row.meaning + about)


def test_options_are_those_of_the_table_in_its_order():
    assert [one.name for one in settings_of("training")] == [row.name for row in OPTIONS]


def test_the_docstrings_of_the_estimators_say_what_the_table_says():
    documentation = " ".join((cr.NetworkRegressor.__doc__ or "").split())
    for name in constructor(cr.NetworkRegressor):
        assert f"{name} : {PARAMETERS[name].type}, default" in documentation
        assert with_names(PARAMETERS[name].meaning) in documentation
