"""What the estimators have beyond scikit-learn's."""

import math
import warnings

import numpy as np
import pytest
from sklearn.datasets import load_diabetes, make_classification
from sklearn.exceptions import ConvergenceWarning
from sklearn.metrics import balanced_accuracy_score, log_loss

import chainrule as cr
from chainrule import MLPClassifier, MLPRegressor, NetworkClassifier, NetworkRegressor
from chainrule.engines.optimizers import OPTIMIZERS
from chainrule.training.events import EpochEnded, Stopped, TrainingStarted
from tests.estimators.tables import classes, counts, labels, three_values, two_classes, values

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")


def halves(make):
    X, y = make()
    return X[::2], y[::2], X[1::2], y[1::2]


def rare():
    """One positive in twenty, and not easy."""
    return make_classification(
        2000, 8, n_informative=4, weights=[0.95], class_sep=0.7, flip_y=0.02, random_state=0
    )


# Weights and views


def test_writing_to_the_coefficients_changes_predictions():
    X, y = classes()
    model = MLPClassifier(max_iter=5, random_state=0).fit(X, y)
    model.coefs_[1][...] = 0
    model.intercepts_[1][...] = [0, 0, 5]
    assert (model.predict(X) == 2).all()
    model.intercepts_[1] = [9, 0, 5]
    assert (model.predict(X) == 0).all()
    model.coefs_ = [np.ones_like(W) for W in model.coefs_]
    assert (model.network_.weights[0] == 1).all()


def test_coefficients_are_views_of_the_networks_vector():
    model = MLPClassifier(max_iter=1).fit(*classes())
    assert all(np.shares_memory(W, model.network_.parameters) for W in model.coefs_)
    assert all(np.shares_memory(b, model.network_.parameters) for b in model.intercepts_)


def test_a_coefficient_of_another_shape_is_refused():
    model = MLPClassifier(max_iter=1).fit(*classes())
    with pytest.raises(cr.InvalidArgumentError, match=r"expected an array of shape \(4, 100\)"):
        model.coefs_[0] = np.ones((100, 4))


def test_the_network_itself_predicts_the_same():
    X, y = classes()
    model = MLPClassifier(max_iter=5).fit(X, y)
    np.testing.assert_array_equal(model.network_.predict(X), model.predict_proba(X))
    assert isinstance(model.network_, cr.Network)


def test_no_epochs_make_the_network_and_train_nothing():
    X, y = classes()
    model = MLPClassifier(random_state=0).fit(X, y, epochs=0)
    start = MLPClassifier(random_state=0, max_iter=1).fit(X, y)
    assert model.n_iter_ == 0
    assert model.loss_curve_ == []
    # The first epoch's loss is taken before its only update.
    assert model.loss_ == pytest.approx(start.loss_, rel=1e-12)
    assert model.predict(X).shape == y.shape


def test_epochs_are_an_upper_bound_without_a_warning():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert MLPClassifier(random_state=0).fit(*classes(), epochs=3).n_iter_ == 3


def test_initial_weights_are_where_training_starts():
    X, y = classes()
    given = MLPClassifier(random_state=7, max_iter=4).fit(X, y)
    weights = [W.copy() for W in given.coefs_], [b.copy() for b in given.intercepts_]
    model = MLPClassifier(initial_weights=weights).fit(X, y, epochs=0)
    for W, V in zip(given.coefs_, model.coefs_, strict=True):
        np.testing.assert_array_equal(W, V)


@pytest.mark.parametrize("wrong", [3, ([np.ones((2, 2))], []), "weights", ([], [])])
def test_initial_weights_that_do_not_fit_are_refused(wrong):
    with pytest.raises(cr.InvalidArgumentError, match=r"^initial_weights: expected .* got "):
        MLPClassifier(initial_weights=wrong).fit(*classes())


def test_an_initialiser_of_the_package_draws_the_weights():
    X, y = classes()
    model = MLPClassifier(init="he_normal", random_state=0, hidden_layer_sizes=400)
    W = model.fit(X, y, epochs=0).coefs_[0]
    # 1600 draws of deviation √(2/4): their own deviation errs by 1/√3200 of it, relatively.
    assert W.std() == pytest.approx(math.sqrt(0.5), rel=5 / math.sqrt(3200))
    assert not any(b.any() for b in model.intercepts_)


# Shape, activations, solvers


def test_depth_and_width_are_numbers():
    X, y = classes()
    shapes = {
        (None, None): [7, 5],
        (3, None): [7, 5, 5],
        (1, None): [7],
        (None, 9): [9, 9],
        (3, 4): [4, 4, 4],
        (0, None): [],
    }
    for (depth, width), expected in shapes.items():
        model = MLPClassifier((7, 5), n_layers=depth, n_units=width).fit(X, y, epochs=0)
        assert [W.shape[1] for W in model.coefs_[:-1]] == expected


def test_each_layer_has_an_activation_of_its_own():
    model = MLPClassifier((5, 4), ["gelu", "leaky_relu(slope=0.2)"]).fit(*classes(), epochs=1)
    assert [layer.activation for layer in model.network_.spec.layers] == [
        "gelu",
        "leaky_relu(slope=0.2)",
        "softmax",
    ]


@pytest.mark.parametrize("wrong", [["tanh"], "sine", 3, ["tanh", "sine"]])
def test_activations_that_do_not_fit_are_refused(wrong):
    with pytest.raises(cr.InvalidArgumentError, match=r"^activation: expected"):
        MLPClassifier((5, 4), wrong).fit(*classes())


@pytest.mark.parametrize("solver", sorted(OPTIMIZERS))
def test_every_optimizer_of_the_package_is_a_solver_and_learns(solver):
    X, y = two_classes()
    model = MLPClassifier(solver=solver, random_state=0, learning_rate_init=0.01, max_iter=60)
    assert model.fit(X, y).score(X, y) > 0.95


def test_an_l1_penalty_leaves_fewer_weights_of_any_size():
    X, y = two_classes()
    sizes = [
        np.abs(MLPClassifier(l1=l1, random_state=0, max_iter=80).fit(X, y).coefs_[0]).sum()
        for l1 in (0.0, 5.0)
    ]
    assert sizes[1] < 0.5 * sizes[0]


def test_threads_and_engine_do_not_change_what_is_learned():
    X, y = classes()
    one = MLPClassifier(max_iter=5, random_state=0).fit(X, y)
    threads = MLPClassifier(max_iter=5, random_state=0, threads=1).fit(X, y)
    reference = MLPClassifier(max_iter=5, random_state=0, engine="reference").fit(X, y)
    np.testing.assert_array_equal(threads.coefs_[0], one.coefs_[0])
    np.testing.assert_allclose(reference.coefs_[0], one.coefs_[0], rtol=0, atol=1e-10)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_the_precision_can_be_asked_for(dtype):
    model = MLPRegressor(dtype=dtype).fit(*values(), epochs=1)
    assert model.network_.spec.dtype == dtype
    assert model.predict(values()[0]).dtype == dtype


# Weights of classes


def test_balanced_classes_find_more_of_the_rare_one():
    X, y = rare()
    plain, balanced = (
        MLPClassifier(class_weight=weight, random_state=0, max_iter=60).fit(X[::2], y[::2])
        for weight in (None, "balanced")
    )
    recall = [model.predict(X[1::2])[y[1::2] == 1].mean() for model in (plain, balanced)]
    assert recall[1] > recall[0] + 0.1
    scores = [
        balanced_accuracy_score(y[1::2], model.predict(X[1::2])) for model in (plain, balanced)
    ]
    assert scores[1] > scores[0]


def test_class_weights_multiply_the_weights_of_examples():
    X, y = rare()
    own = np.random.default_rng(0).uniform(0.5, 2, len(y))
    by_class = MLPClassifier(class_weight={0: 0.5, 1: 4.0}, random_state=0, max_iter=3)
    by_example = MLPClassifier(random_state=0, max_iter=3)
    by_class.fit(X, y, sample_weight=own)
    by_example.fit(X, y, sample_weight=own * np.where(y == 1, 4.0, 0.5))
    np.testing.assert_allclose(by_class.coefs_[0], by_example.coefs_[0], rtol=0, atol=1e-12)


def test_balanced_classes_weigh_the_same_with_weights_of_examples_too():
    X, y = rare()
    own = np.random.default_rng(0).uniform(0.5, 2, len(y))
    weights = MLPClassifier(class_weight="balanced").fit(X, y, epochs=0)._with_class_weights(y, own)
    assert weights[y == 0].sum() == pytest.approx(weights[y == 1].sum())
    assert weights.sum() == pytest.approx(own.sum())


def test_balanced_classes_cannot_be_known_by_parts():
    with pytest.raises(cr.InvalidArgumentError, match="class_weight: 'balanced'"):
        MLPClassifier(class_weight="balanced").partial_fit(*classes(), classes=[0, 1, 2])


# Validation


@pytest.mark.parametrize(
    ("kind", "make"),
    [
        (MLPClassifier, two_classes),
        (MLPClassifier, classes),
        (MLPClassifier, labels),
        (MLPRegressor, values),
        (MLPRegressor, three_values),
    ],
)
def test_own_validation_data_are_followed(kind, make):
    X, y, X_val, y_val = halves(make)
    model = kind(random_state=0, max_iter=4).fit(X, y, X_val=X_val, y_val=y_val)
    assert len(model.validation_loss_curve_) == 4
    if kind is MLPRegressor:
        expected = 0.5 * np.mean((model.predict(X_val) - y_val) ** 2)
    elif make is labels:
        P = np.clip(model.predict_proba(X_val), 1e-300, 1)
        expected = -np.mean(np.sum(np.where(y_val == 1, np.log(P), np.log(1 - P)), axis=1))
    else:
        expected = log_loss(y_val, model.predict_proba(X_val))
    assert model.validation_loss_curve_[-1] == pytest.approx(expected, rel=1e-9)
    # Following changes nothing.
    plain = kind(random_state=0, max_iter=4).fit(X, y)
    np.testing.assert_array_equal(plain.coefs_[0], model.coefs_[0])


def test_weights_of_validation_examples_count_in_the_validation_loss():
    X, y, X_val, y_val = halves(values)
    weights = np.random.default_rng(0).uniform(0.1, 2, len(X_val))
    model = MLPRegressor(random_state=0, max_iter=2)
    model.fit(X, y, X_val=X_val, y_val=y_val, sample_weight_val=weights)
    errors = 0.5 * (model.predict(X_val) - y_val) ** 2
    assert model.validation_loss_curve_[-1] == pytest.approx(np.average(errors, weights=weights))


def test_stopping_by_the_validation_loss_keeps_the_best_weights():
    X, y, X_val, y_val = halves(values)
    model = MLPRegressor(
        early_stopping="loss", learning_rate_init=0.01, random_state=0, max_iter=300
    )
    model.fit(X, y, X_val=X_val, y_val=y_val)
    assert model.n_iter_ < 300
    best = min(model.validation_loss_curve_)
    assert model.best_loss_ == best
    assert best < model.validation_loss_curve_[-1]
    assert 0.5 * np.mean((model.predict(X_val) - y_val) ** 2) == pytest.approx(best, rel=1e-9)
    assert model.validation_scores_ is None


@pytest.mark.parametrize(
    ("stopping", "make"),
    [
        ("balanced_accuracy", rare),
        ("neg_log_loss", classes),
        (lambda model, X, y: -np.mean(model.predict(X) != y), classes),
    ],
    ids=["name", "name of probabilities", "function"],
)
def test_any_scorer_decides_when_to_stop(stopping, make):
    X, y, X_val, y_val = halves(make)
    model = MLPClassifier(
        early_stopping=stopping, random_state=0, learning_rate_init=0.02, max_iter=150
    )
    model.fit(X, y, X_val=X_val, y_val=y_val)
    assert model.n_iter_ == len(model.validation_scores_) < 150
    assert model.best_validation_score_ == max(model.validation_scores_)
    # The best weights are back: they score the best again.
    from sklearn.metrics import check_scoring

    again = check_scoring(model, scoring=stopping)(model, X_val, y_val)
    assert again == pytest.approx(model.best_validation_score_)


def test_a_scorer_sees_texts_as_labels_and_values_in_their_own_units():
    X, y = two_classes()
    seen = []

    def scorer(model, X, y):
        seen.append((set(y), set(model.predict(X))))
        return 0.0

    names = np.where(y == 1, "benign", "malignant")
    MLPClassifier(early_stopping=scorer, max_iter=3, random_state=0).fit(X, names)
    assert all(
        truth | guess <= {"benign", "malignant"} and len(truth) == 2 for truth, guess in seen
    )
    X, y = load_diabetes(return_X_y=True)
    model = NetworkRegressor(early_stopping="neg_root_mean_squared_error", random_state=0)
    model.fit(X, y)
    assert -80 < model.best_validation_score_ < -30


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"X_val": True}, "X_val and y_val: expected both or neither; got only 'X_val'"),
        ({"y_val": True}, "got only 'y_val'"),
        ({"sample_weight_val": True}, "expected both or neither"),
    ],
)
def test_half_of_validation_data_is_refused(given, message):
    X, y = classes()
    arguments = {"X_val": X, "y_val": y, "sample_weight_val": np.ones(len(y))}
    chosen = {name: arguments[name] for name in given}
    with pytest.raises(cr.InvalidArgumentError, match=message.replace("'", "")):
        MLPClassifier().fit(X, y, **chosen)


def test_validation_labels_that_were_never_trained_on_are_refused():
    X, y = classes()
    with pytest.raises(cr.InvalidArgumentError, match="has classes not in"):
        MLPClassifier().fit(X[:100], y[:100], X_val=X, y_val=y)


# Watching


def test_callbacks_hear_every_event_and_can_end_the_training():
    heard = []

    def callback(event):
        heard.append(event)
        return isinstance(event, EpochEnded) and event.epoch == 3

    model = MLPClassifier(callbacks=[callback], random_state=0).fit(*classes())
    assert model.n_iter_ == 3
    assert isinstance(heard[0], TrainingStarted)
    assert heard[-1] == Stopped(3, "callback")
    losses = [event.objective for event in heard if isinstance(event, EpochEnded)]
    assert losses == model.loss_curve_


def test_a_callback_sees_the_parameters_of_its_epoch():
    X, y = classes()
    seen = []
    model = MLPClassifier(random_state=0, max_iter=4)
    model.set_params(callbacks=[lambda event: seen.append(model.network_.parameters.copy())])
    model.fit(X, y)
    plain = MLPClassifier(random_state=0, max_iter=2).fit(X, y)
    np.testing.assert_array_equal(seen[2], plain.network_.parameters)


@pytest.mark.parametrize("wrong", [3, [3], "print"])
def test_callbacks_that_cannot_be_called_are_refused(wrong):
    with pytest.raises(cr.InvalidArgumentError, match=r"^callbacks: expected a list of functions"):
        MLPClassifier(callbacks=wrong).fit(*classes())


@pytest.mark.parametrize("solver", ["adam", "lbfgs"])
def test_progress_is_shown_on_standard_error_if_asked_for(solver, capsys):
    model = MLPClassifier(solver=solver, max_iter=5, random_state=0, verbose=True)
    model.fit(*classes(), X_val=classes()[0], y_val=classes()[1])
    captured = capsys.readouterr()
    assert captured.out == ""
    assert "epoch 5/5  loss " in captured.err
    assert ("(val " in captured.err) == (solver == "adam")


@pytest.mark.parametrize("solver", ["adam", "sgd", "lbfgs"])
def test_nothing_is_printed_otherwise(solver, capsys):
    MLPClassifier(solver=solver, max_iter=5, early_stopping=solver != "lbfgs").fit(*classes())
    assert capsys.readouterr() == ("", "")


# Divergence


def test_divergence_from_the_first_is_an_error_with_the_remedy():
    X, y = values()
    model = MLPRegressor(activation="identity", solver="sgd", learning_rate_init=1e100)
    with pytest.raises(ValueError, match=r"non-finite.*learning rate 1e\+100.*smaller learning_r"):
        model.fit(X, y)
    with pytest.raises(cr.TrainingDivergedError):
        model.fit(X, y)


def test_later_divergence_ends_training_with_a_warning_and_finite_weights():
    X, y = values()
    # Each epoch grows by a factor: the loss leaves float32 after some of them.
    model = MLPRegressor(
        hidden_layer_sizes=(),
        solver="sgd",
        momentum=0,
        learning_rate_init=1.0,
        dtype="float32",
        batch_size=len(X),
        n_iter_no_change=np.inf,
    )
    with pytest.warns(ConvergenceWarning, match=r"after \d+ epochs: .* not finite at step 1 of "):
        model.fit(X, y)
    assert 0 < model.n_iter_ < 200
    assert len(model.loss_curve_) == model.n_iter_
    assert np.isfinite(model.coefs_[0]).all()
    assert np.isfinite(model.predict(X)).all()


# Scaling inside, good defaults


def test_a_standardised_target_is_given_back_in_its_own_units():
    X, y = load_diabetes(return_X_y=True)
    X = (X - X.mean(axis=0)) / X.std(axis=0)
    inside = MLPRegressor(standardize_target=True, random_state=0).fit(X, y)
    outside = MLPRegressor(random_state=0).fit(X, (y - y.mean()) / y.std())
    np.testing.assert_allclose(inside.predict(X), outside.predict(X) * y.std() + y.mean())
    assert MLPRegressor(random_state=0).fit(X, y).score(X, y) < 0 < inside.score(X, y)


def test_standardised_inputs_are_what_a_scaler_gives():
    X, y = values()
    raw = 3 + 100 * X
    inside = MLPRegressor(standardize=True, random_state=0, max_iter=5).fit(raw, y)
    outside = MLPRegressor(random_state=0, max_iter=5).fit(X, y)
    np.testing.assert_allclose(inside.predict(raw), outside.predict(X), rtol=0, atol=1e-9)


@pytest.mark.parametrize("kind", [NetworkClassifier, NetworkRegressor])
def test_a_column_that_does_not_vary_does_no_harm(kind):
    X, y = two_classes()
    X = np.column_stack([X, np.full(len(X), 0.1), np.zeros(len(X))])
    model = kind(random_state=0, max_iter=20).fit(X, y)
    assert np.isfinite(model.network_.parameters).all()
    assert model.score(X, y) > 0.7


def test_nothing_set_reaches_what_scikit_learns_defaults_miss_on_diabetes():
    from sklearn.model_selection import KFold, cross_val_score

    X, y = load_diabetes(return_X_y=True)
    folds = KFold(5, shuffle=True, random_state=0)
    assert cross_val_score(NetworkRegressor(random_state=0), X, y, cv=folds).mean() >= 0.40


def test_the_validation_split_has_the_shares_of_every_class():
    X, y = rare()
    three = np.where(X[:, 0] > 1, 2, y)
    seen = []
    model = NetworkClassifier(
        early_stopping=lambda model, X, y: seen.append(y) or 0.0, random_state=0, max_iter=1
    )
    model.fit(X, three)
    shares = np.bincount(seen[0]) / len(seen[0])
    # Stratified: each class within one example of its share.
    np.testing.assert_allclose(shares, np.bincount(three) / len(three), atol=1.5 / len(seen[0]))


def test_good_defaults_depend_on_the_rows():
    X, y = rare()
    large = NetworkClassifier().fit(X, y, epochs=1)
    assert large.network_.spec.dtype == "float32"
    assert len(large.validation_loss_curve_) == 1
    small = NetworkClassifier().fit(X[:100], y[:100], epochs=1)
    assert small.network_.spec.dtype == "float64"
    assert small.validation_loss_curve_ is None


def test_good_defaults_take_data_by_parts():
    X, y = classes()
    model = NetworkClassifier(random_state=0)
    for _ in range(60):
        model.partial_fit(X, y, classes=[0, 1, 2])
    assert model.score(X, y) > 0.95
    assert model.t_ == 60 * 150


def test_counts_are_learned_through_their_logarithm():
    X, y = counts()
    for kind in (MLPRegressor, NetworkRegressor):
        model = kind(loss="poisson", random_state=0, max_iter=100).fit(X, y)
        assert (model.predict(X) > 0).all()
        assert np.corrcoef(model.predict(X), np.exp(X[:, 0] * 0.5))[0, 1] > 0.8
    with pytest.raises(cr.InvalidArgumentError, match=r"^y: loss='poisson' expects values ≥ 0"):
        MLPRegressor(loss="poisson").fit(X, -y)


# Refusals


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"alpha": -1}, r"The 'alpha' parameter of MLPClassifier must be a number in \[0, inf\)"),
        ({"solver": "newton"}, "'solver' .* one of 'lbfgs', 'sgd'.*; got 'newton'"),
        ({"learning_rate": "cosine"}, "'learning_rate' .* got 'cosine'"),
        ({"batch_size": 0}, "'batch_size' .* whole number of at least 1 or 'auto'; got 0"),
        ({"max_iter": 2.5}, "'max_iter' .* got 2.5"),
        ({"shuffle": "no"}, "'shuffle' .* True or False; got 'no'"),
        ({"tol": "small"}, "'tol' .* got 'small'"),
        ({"momentum": 1.5}, r"'momentum' .* \[0, 1\]; got 1.5"),
        ({"validation_fraction": 1.0}, r"'validation_fraction' .* \[0, 1\); got 1.0"),
        ({"n_iter_no_change": 0}, "'n_iter_no_change' .* or infinity; got 0"),
        ({"early_stopping": 3}, "'early_stopping' .* got 3"),
        ({"hidden_layer_sizes": (5, 0)}, r"hidden_layer_sizes must be > 0.*got \(5, 0\)"),
        ({"hidden_layer_sizes": 2.5}, "hidden_layer_sizes must be > 0.*got 2.5"),
        ({"init": "magic"}, "^init: expected auto, .*got 'magic'"),
        ({"engine": "magic"}, "^engine: expected auto"),
        ({"dtype": "float16"}, "'dtype' .* got 'float16'"),
        ({"n_layers": -1}, "'n_layers' .* got -1"),
    ],
)
def test_a_parameter_that_cannot_be_is_refused_by_name(settings, message):
    with pytest.raises(cr.InvalidArgumentError, match=message):
        MLPClassifier(**settings).fit(*classes())


def test_lbfgs_has_no_partial_fit():
    assert not hasattr(MLPClassifier(solver="lbfgs"), "partial_fit")
    assert not hasattr(MLPRegressor(solver="lbfgs"), "partial_fit")
    assert hasattr(MLPRegressor(), "partial_fit")


def test_early_stopping_that_was_asked_for_is_refused_by_parts():
    with pytest.raises(ValueError, match="partial_fit does not support early_stopping=True"):
        MLPRegressor(early_stopping=True).partial_fit(*values())


def test_a_warm_start_with_other_classes_is_refused():
    X, y = classes()
    model = MLPClassifier(warm_start=True, max_iter=1).fit(X, y)
    with pytest.raises(ValueError, match="same classes as in the previous call"):
        model.fit(X[:100], y[:100])


def test_the_first_part_needs_the_classes_and_later_ones_the_same():
    X, y = classes()
    with pytest.raises(ValueError, match="classes must be passed on the first call"):
        MLPClassifier().partial_fit(X, y)
    model = MLPClassifier().partial_fit(X[:50], y[:50], classes=[0, 1, 2])
    with pytest.raises(ValueError, match="is not the same as on last call"):
        model.partial_fit(X, y, classes=[0, 1])
    with pytest.raises(ValueError, match="has classes not in"):
        model.partial_fit(X, y + 1)
