"""Learning rates that change, and what else a step is bounded or bent by."""

import math

import numpy as np
import pytest

import chainrule as cr
from chainrule import MLPClassifier, MLPRegressor, NetworkClassifier
from chainrule.engines.optimizers import with_parameter
from chainrule.training.events import EpochEnded
from tests.estimators.tables import classes, two_classes, values

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")

# Of a training of 9 epochs, by the share of it that is done: the rate in parts of the first one.
SHAPES = {
    "time": lambda done: 1 / (1 + 9 * done),
    "exponential": lambda done: 0.01**done,
    "staircase": lambda done: 0.1 ** math.floor(3 * done),
    "cosine": lambda done: (1 + math.cos(math.pi * done)) / 2,
}


def rates(model, X, y, **arguments):
    """Fit, and return the learning rate of each epoch's last step."""
    seen = []
    model.set_params(
        callbacks=[
            lambda event: (
                seen.append(event.learning_rate) if isinstance(event, EpochEnded) else None
            )
        ]
    ).fit(X, y, **arguments)
    return seen


@pytest.mark.parametrize("solver", ["adam", "sgd", "adamw", "rmsprop"])
@pytest.mark.parametrize("name", sorted(SHAPES))
def test_a_schedule_by_name_spans_the_training(name, solver):
    model = MLPRegressor(
        solver=solver, learning_rate=name, learning_rate_init=0.004, max_iter=9, batch_size=50
    )
    seen = rates(model, *values())  # 442 examples: 9 steps an epoch, the last of which is seen
    expected = [0.004 * SHAPES[name]((9 * epoch - 1) / 81) for epoch in range(1, 10)]
    np.testing.assert_allclose(seen, expected, rtol=1e-9)


def test_one_cycle_and_warm_up_rise_to_the_first_rate_and_fall_to_nothing():
    for name in ("one_cycle", "warmup_cosine"):
        model = MLPRegressor(
            learning_rate=name, learning_rate_init=0.01, max_iter=30, tol=0, batch_size=50
        )
        seen = rates(model, *values())
        assert len(seen) == 30
        assert max(seen) == pytest.approx(0.01, rel=0.02)
        assert seen[-1] < 1e-4


def test_a_schedule_of_ones_own_is_followed():
    X, y = values()
    model = MLPRegressor(learning_rate=cr.CosineDecay(0.02, final=0.01), max_iter=4, batch_size=442)
    assert rates(model, X, y) == cr.CosineDecay(0.02, final=0.01, steps=4).rates(1, 4).tolist()


def test_a_function_of_the_step_is_followed():
    X, y = values()
    model = MLPRegressor(learning_rate=lambda t: 0.01 / t, max_iter=3, batch_size=200, solver="sgd")
    assert rates(model, X, y) == pytest.approx([0.01 / 3, 0.01 / 6, 0.01 / 9])


def test_epochs_of_one_fit_are_the_schedules_length():
    model = MLPRegressor(learning_rate="cosine", learning_rate_init=1.0, batch_size=442)
    seen = rates(model, *values(), epochs=2)
    assert seen == pytest.approx([1.0, 0.5])


def test_data_by_parts_follow_the_schedule_of_the_whole_training():
    X, y = values()
    settings = {"learning_rate": "cosine", "max_iter": 4, "shuffle": False, "random_state": 0}
    whole, parts = MLPRegressor(**settings).fit(X, y), MLPRegressor(**settings)
    for _ in range(4):
        parts.partial_fit(X, y)
    np.testing.assert_allclose(parts.coefs_[0], whole.coefs_[0], rtol=0, atol=1e-12)


def test_a_step_is_no_longer_than_the_bound_on_its_gradient():
    X, y = values()
    settings = {"solver": "sgd", "momentum": 0.0, "learning_rate_init": 0.1, "batch_size": 442}
    start = MLPRegressor(random_state=0, **settings).fit(X, y, epochs=0).network_.parameters
    bounded = MLPRegressor(random_state=0, max_grad_norm=0.01, **settings).fit(X, y, epochs=1)
    step = np.linalg.norm(bounded.network_.parameters - start)
    assert step == pytest.approx(0.1 * 0.01, rel=1e-9)
    free = MLPRegressor(random_state=0, **settings).fit(X, y, epochs=1)
    assert np.linalg.norm(free.network_.parameters - start) > 2 * step


def test_good_defaults_can_be_bounded_too():
    X, y = classes()
    model = NetworkClassifier(max_grad_norm=1e-9, solver="sgd", random_state=0)
    start = model.fit(X, y, epochs=0).network_.parameters.copy()
    np.testing.assert_allclose(model.fit(X, y, epochs=2).network_.parameters, start, atol=1e-8)


@pytest.mark.parametrize("solver", with_parameter("weight_decay"))
def test_weights_decay_as_much_as_they_are_told(solver):
    X, y = values()
    sizes = [
        np.abs(
            MLPRegressor(solver=solver, weight_decay=decay, random_state=0, max_iter=30)
            .fit(X, y)
            .coefs_[0]
        ).mean()
        for decay in (0.0, 10.0)
    ]
    assert sizes[1] < 0.9 * sizes[0]


@pytest.mark.parametrize("make", [classes, two_classes])
def test_smoothed_labels_leave_probabilities_short_of_certain(make):
    X, y = make()
    n = len(np.unique(y))
    models = [
        MLPClassifier(
            (20,), label_smoothing=s, random_state=0, max_iter=400, learning_rate_init=0.01, tol=0
        ).fit(X, y)
        for s in (0.0, 0.3)
    ]
    sharp, smooth = (np.median(model.predict_proba(X).max(axis=1)) for model in models)
    assert sharp > 0.99
    assert smooth == pytest.approx(1 - 0.3 + 0.3 / n, abs=0.05)
    assert models[1].score(X, y) > 0.95


def test_the_validation_loss_has_smoothed_labels_as_the_training_loss_has():
    X, y = two_classes()
    model = MLPClassifier(label_smoothing=0.4, random_state=0, max_iter=20)
    model.fit(X, y, X_val=X, y_val=y)
    p = np.clip(model.predict_proba(X), 1e-300, 1)
    targets = 0.6 * np.eye(2)[y] + 0.2
    loss = -(targets * np.log(p)).sum(axis=1).mean()
    assert model.validation_loss_curve_[-1] == pytest.approx(loss)


def test_mixed_precision_is_asked_of_the_engine():
    X, y = values()
    model = MLPRegressor(precision="mixed", dtype="float32", engine="reference", max_iter=1)
    with pytest.warns(RuntimeWarning, match="^precision: there are no bfloat16 products here"):
        model.fit(X, y)
    with pytest.raises(cr.InvalidArgumentError, match=r"^precision: mixed .*this one is float64"):
        MLPRegressor(precision="mixed").fit(X, y)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"learning_rate": "linear"}, "'learning_rate' .*'cosine'.*; got 'linear'"),
        ({"learning_rate": cr.CosineDecay}, "'learning_rate' .* a schedule such as CosineDecay"),
        ({"max_grad_norm": 0}, "'max_grad_norm' .* a finite number > 0 or None; got 0"),
        ({"weight_decay": -1}, "'weight_decay' .* got -1"),
        ({"precision": "half"}, "'precision' .* got 'half'"),
        ({"label_smoothing": 1.0}, r"'label_smoothing' .* \[0, 1\) or 'auto'; got 1.0"),
    ],
)
def test_what_cannot_be_is_refused_by_name(settings, message):
    with pytest.raises(cr.InvalidArgumentError, match=message):
        MLPClassifier(**settings).fit(*classes())
