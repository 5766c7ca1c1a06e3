"""What `verbose` prints: scikit-learn's own lines from its twins, progress from the others."""

import re

import numpy as np
import pytest
from sklearn import neural_network as theirs

import chainrule as cr
from tests.estimators.tables import classes, values

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")

NUMBER = re.compile(r"-?\d+\.\d+")

# What there is to say, and settings that make a training say it.
SAID = {
    "Iteration 4, loss = ": {"max_iter": 4},
    "consecutive epochs. Stopping.": {"tol": 0.5, "n_iter_no_change": 3},
    "Setting learning rate to": {
        "solver": "sgd",
        "learning_rate": "adaptive",
        "tol": 0.5,
        "n_iter_no_change": 2,
        "max_iter": 20,
    },
    "Learning rate too small. Stopping.": {
        "solver": "sgd",
        "learning_rate": "adaptive",
        "learning_rate_init": 1e-4,
        "tol": 0.5,
        "n_iter_no_change": 1,
    },
    "Validation score did not improve more than tol=0.200000 for 4": {
        "early_stopping": True,
        "tol": 0.2,
        "n_iter_no_change": 4,
    },
}


def lines_of(kind, settings, capsys, fit="fit", **arguments):
    X, y = classes() if "Classifier" in kind.__name__ else values()
    model = kind(random_state=0, hidden_layer_sizes=5, verbose=True, **settings)
    for _ in range(2 if fit == "partial_fit" else 1):
        getattr(model, fit)(X.astype(np.float64), y, **arguments)
    out, err = capsys.readouterr()
    assert err == ""
    return out.splitlines()


def assert_same_lines(ours, expected):
    """The words to the letter, the numbers to the last digit shown."""
    assert [NUMBER.sub("#", line) for line in ours] == [NUMBER.sub("#", line) for line in expected]
    for line, other in zip(ours, expected, strict=True):
        for number, same in zip(NUMBER.findall(line), NUMBER.findall(other), strict=True):
            digits = len(same.partition(".")[2])
            assert len(number.partition(".")[2]) == digits
            # Two roundings of values that differ by the order of sums.
            assert float(number) == pytest.approx(float(same), rel=1e-9, abs=1.01 * 10.0**-digits)


@pytest.mark.parametrize("name", ["MLPClassifier", "MLPRegressor"])
@pytest.mark.parametrize("what", SAID)
def test_the_lines_are_those_of_scikit_learn(name, what, capsys):
    expected = lines_of(getattr(theirs, name), SAID[what], capsys)
    assert any(what in line for line in expected)
    assert expected[0].startswith("Iteration 1, loss = ")
    assert_same_lines(lines_of(getattr(cr, name), SAID[what], capsys), expected)


def test_by_parts_every_part_is_iteration_1(capsys):
    arguments = {"fit": "partial_fit", "classes": np.unique(classes()[1])}
    ours = lines_of(cr.MLPClassifier, {}, capsys, **arguments)
    assert_same_lines(ours, lines_of(theirs.MLPClassifier, {}, capsys, **arguments))
    assert [line.partition(",")[0] for line in ours] == ["Iteration 1"] * 2


def test_early_stopping_by_the_loss_says_what_it_looks_at(capsys):
    X, y = classes()
    model = cr.MLPClassifier(
        random_state=0, early_stopping="loss", tol=0.5, n_iter_no_change=2, verbose=True
    )
    model.fit(X, y)
    lines = capsys.readouterr().out.splitlines()
    shown = [float(line.split()[-1]) for line in lines if line.startswith("Validation loss: ")]
    np.testing.assert_allclose(shown, model.validation_loss_curve_, atol=5.1e-7)
    assert lines[-1].startswith("Validation loss did not improve more than tol=0.500000 for 2 ")


@pytest.mark.parametrize(
    ("kind", "table"),
    [(cr.NetworkClassifier, classes), (cr.NetworkRegressor, values)],
    ids=["classes", "values"],
)
def test_the_others_show_progress_on_standard_error(kind, table, capsys):
    kind(max_iter=5, random_state=0, verbose=True).fit(*table())
    captured = capsys.readouterr()
    assert captured.out == ""
    assert "epoch 5/5  loss " in captured.err


def test_lbfgs_prints_what_scikit_learn_prints_and_shows_progress_on_standard_error(capfd):
    settings = {"solver": "lbfgs", "max_iter": 5, "random_state": 0, "verbose": True}
    theirs.MLPClassifier(**settings).fit(*classes())
    expected = capfd.readouterr().out
    cr.MLPClassifier(**settings).fit(*classes())
    captured = capfd.readouterr()
    # (Older releases of SciPy print numbers there.)
    assert len(captured.out.splitlines()) == len(expected.splitlines())
    assert "epoch 5/5  loss " in captured.err
