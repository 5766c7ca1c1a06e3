"""A limit is the same wherever a setting comes in.

Values at each limit and beyond it go through every door that a setting has: `Network` and its
`fit`, the optimizers, layers and costs that a network takes, the estimators, an option of the
command line, and run.toml. All take what the table of settings says, but for what is listed here.
"""

import json
import math
from dataclasses import fields
from numbers import Real

import numpy as np
import pytest
import typer
from typer.testing import CliRunner

import chainrule as cr
from chainrule.cli.settings import takes_settings
from chainrule.engines.hyperparameters import parameter_of
from chainrule.engines.optimizers import OPTIMIZERS
from chainrule.errors import InvalidArgumentError
from chainrule.limits import Choice, Either, Limit, Number, Readable, Whole
from chainrule.runs.config import RunConfig
from chainrule.settings.setting import ABSENT
from chainrule.settings.table import OPTIONS, SETTINGS

pytestmark = [
    pytest.mark.filterwarnings("ignore::chainrule.errors.TrainingDiagnosisWarning"),
    pytest.mark.filterwarnings("ignore:precision. there are no bfloat16:RuntimeWarning"),
    pytest.mark.filterwarnings("ignore:Got `batch_size` less than 1 or larger:UserWarning"),
]

X = np.random.default_rng(0).standard_normal((12, 2))
CLASSES = np.arange(12) % 3
VALUES = X[:, 0]
ESTIMATORS = {
    cr.MLPClassifier: CLASSES,
    cr.NetworkClassifier: CLASSES,
    cr.NetworkRegressor: VALUES,
    cr.NetworkMixed: np.column_stack([CLASSES, VALUES]),
}
COSTS = {
    "focal_gamma": "focal(gamma={})",
    "huber_delta": "huber(delta={})",
    "quantile": "quantile(quantile={})",
}
LAYERS = {"layers": cr.Dense, "dropout": cr.Dropout}

# Where a door says something else than the table, and why.
OTHERWISE = {
    # A schedule may end at 0, and an optimizer takes a number as a schedule that does not change.
    ("optimizers", "learning_rate", "0.0"),
    # scikit-learn's contract has a momentum of 1, at which no velocity ends. The optimizer of an
    # estimator has the number before.
    ("optimizers", "momentum", "1"),
    # scikit-learn's name of the sigmoid.
    ("estimators", "activation", "'logistic'"),
}


def values(limit):
    """Return values at a limit and beyond it, and such as are of another kind."""
    if isinstance(limit, Either):
        others = [[one] if not isinstance(one, Limit) else values(one) for one in limit.others]
        return [*values(limit.first), *(value for several in others for value in several)]
    if isinstance(limit, Number):
        low, high = limit.low, limit.high
        found = [low, math.nextafter(low, -1), math.nextafter(low, 1), low - 1, 10**400, math.nan]
        if high < math.inf:
            found += [high, math.nextafter(high, 0), math.nextafter(high, 2), high + 1]
        return [*found, math.inf, "1", None, True, np.float32(0.5)]
    if isinstance(limit, Whole):
        found = [limit.least - 1, limit.least, limit.least + 0.5, float(limit.least)]
        found += [] if limit.most is None else [limit.most + 1]
        return [*found, np.int64(limit.least + 1), math.nan, "1", None, True]
    if isinstance(limit, Choice):
        names = limit.names()
        return [*names, f"{names[0]}_", names[-1].upper(), "", None, 3]
    if isinstance(limit, Readable):
        return ["auto", "relu", "logistic", "elu(alpha=2)", "he_normal", "reference", "Auto", ""]
    return [True, False, np.True_, 0, 1, 1.5, None, (True,)]


def taken(function, *arguments, **settings):
    try:
        function(*arguments, **settings)
    except InvalidArgumentError:
        return False
    return True


def differences(door, row, limit, takes):
    """Return the values that a door says something else of than a limit."""
    return [
        value
        for value in values(limit)
        if takes(value) != (limit.fits(value) != ((door, row.name, repr(value)) in OTHERWISE))
    ]


def rows(has):
    return [pytest.param(row, id=row.name) for row in SETTINGS if has(row)]


@pytest.mark.parametrize("estimator", ESTIMATORS, ids=lambda one: one.__name__)
@pytest.mark.parametrize(
    "row", rows(lambda row: row.mlp is not ABSENT and (row.limit or row.name in LAYERS))
)
def test_estimators_take_what_the_table_says(estimator, row):
    name = row.parameter_name
    settings = {"hidden_layer_sizes": (1,), "solver": "sgd", "dtype": "float32", "random_state": 0}
    if row.needs is not None and row.needs.setting == "quality":
        settings["quality"] = row.needs.values()[0]

    def takes(value):
        value = (value,) if name == "hidden_layer_sizes" else value
        model = estimator(**settings | {name: value})
        return taken(model.fit, X, ESTIMATORS[estimator], epochs=0)

    if name in estimator._get_param_names():
        limit = row.limit or row.option_limit
        assert differences("estimators", row, limit, takes) == []


@pytest.mark.parametrize("name", ["relu", "logistic", "elu(alpha=2)", "auto", ""])
def test_estimators_take_the_activations_of_the_command_line(name):
    (row,) = (row for row in OPTIONS if row.name == "activation")
    said = taken(cr.MLPClassifier((1,), name).fit, X, CLASSES, epochs=0)
    other = ("estimators", "activation", repr(name)) in OTHERWISE
    assert said == (row.option_limit.fits(name) != other)


@pytest.mark.parametrize("row", rows(lambda row: row.fit is not ABSENT and row.limit))
def test_a_network_and_its_fit_take_what_the_table_says(row):
    name = row.fit_name or row.name
    making = {"seed": 0} | ({name: row.fit} if name in ("dtype", "init") else {})

    def takes(value):
        given = {name: value}
        own = {key: given.pop(key) for key in making if key in given}
        if name == "early_stopping":
            given["validation_split"] = 0.25

        def train():
            layers = [2, cr.Dense(1, "relu"), cr.Dense(3, "softmax")]
            net = cr.Network(layers, cost="cross_entropy", **making | own)
            net.fit(X, CLASSES, **{"epochs": 0} | given)

        return taken(train)

    assert differences("fit", row, row.fit_limit or row.limit, takes) == []


@pytest.mark.parametrize("kind", OPTIMIZERS.values(), ids=OPTIMIZERS)
def test_optimizers_take_what_the_table_says(kind):
    parameters = {row.parameter_name: row for row in SETTINGS}
    for field in fields(kind):
        name = parameter_of(field)
        if field.name == "learning_rate":
            name = "learning_rate_init"
        elif name not in kind.parameters():
            continue
        row = parameters.get(name)
        if row is not None:

            def takes(value, field=field):
                return taken(kind, **{field.name: value})

            assert differences("optimizers", row, row.limit, takes) == []


@pytest.mark.parametrize("row", rows(lambda row: row.name in COSTS))
def test_costs_take_what_the_table_says(row):
    def takes(value):
        output = cr.Dense(2, "softmax") if "focal" in COSTS[row.name] else cr.Dense(1)
        return taken(cr.Network, [2, output], cost=COSTS[row.name].format(value))

    numbers = [one for one in values(row.limit) if isinstance(one, Real) and one is not True]
    assert [one for one in numbers if takes(one) != row.limit.fits(one)] == []


@pytest.mark.parametrize("row", rows(lambda row: row.name in LAYERS))
def test_layers_take_what_the_table_says(row):
    limit = row.option_limit
    assert differences("layers", row, limit, lambda value: taken(LAYERS[row.name], value)) == []


@pytest.mark.parametrize("row", rows(lambda row: row.option and row.option_limit))
def test_run_toml_takes_what_the_table_says(row):
    def takes(value):
        entry = json.dumps(value) if isinstance(value, str | bool) else repr(value)
        return taken(RunConfig.from_toml, f"[training]\n{row.name} = {entry}")

    plain = (int, float, str, bool)  # what TOML can say
    limit = row.option_limit
    found = [value for value in values(limit) if type(value) in plain]
    assert [value for value in found if takes(value) != limit.fits(value)] == []


@pytest.mark.parametrize("row", rows(lambda row: row.option and row.option_limit))
def test_an_option_takes_what_the_table_says(row):
    app, runner = typer.Typer(), CliRunner()

    def command(settings) -> None:
        RunConfig.of(settings)

    app.command()(takes_settings(command))

    def takes(value):
        flag = f"--{row.name.replace('_', '-')}"
        words = [flag if value else flag.replace("--", "--no-")]
        if row.form != "flag":
            words = [flag, str(value)]
        result = runner.invoke(app, words)
        assert result.exit_code in (0, 2) or isinstance(result.exception, InvalidArgumentError)
        return result.exit_code == 0

    limit = row.option_limit
    kinds = {"flag": (bool,), "text": (str,), "names": (str,)}.get(row.form, (int, float))
    found = [value for value in values(limit) if type(value) in kinds]
    if row.form in ("whole", "wholes"):
        found = [value for value in found if type(value) is int or value % 1]
    if row.name == "layers":
        found.remove(0)  # no hidden layer
    assert found
    assert [value for value in found if takes(value) != limit.fits(value)] == []
