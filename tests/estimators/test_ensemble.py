import copy
import os
import pickle
import signal

import numpy as np
import polars as pl
import pytest
from sklearn.base import clone
from sklearn.datasets import load_breast_cancer, load_diabetes, load_iris
from sklearn.metrics import log_loss
from sklearn.model_selection import train_test_split

import chainrule as cr
from chainrule.errors import InvalidArgumentError

# Small networks and few epochs: what is tested here is what comes of many of them.
QUICK = {"hidden_layer_sizes": (8, 8), "quality": "best", "random_state": 0, "max_iter": 6}


def classes(rows=240, seed=0):
    random = np.random.default_rng(seed)
    X = random.standard_normal((rows, 4))
    return X, np.array(["low", "high", "odd"])[1 * (X[:, 0] > 0) + (X[:, 1] > 1)]


@pytest.fixture(scope="module")
def fitted():
    return cr.NetworkClassifier(**QUICK).fit(*classes())


def test_an_ensemble_is_one_network_that_predicts_like_any(fitted):
    X, y = classes(100, 1)
    probabilities = fitted.predict_proba(X)
    np.testing.assert_allclose(probabilities.sum(axis=1), 1, rtol=1e-6)
    assert fitted.score(X, y) > 0.8
    assert fitted.network_.spec.n_outputs == 3
    assert fitted.ensemble_.networks % 5 == 0
    assert fitted.ensemble_.trained == 40
    assert fitted.ensemble_.complete


def test_predictions_of_the_training_rows_are_of_networks_that_did_not_learn_from_them(fitted):
    assert fitted.out_of_fold_.shape == (240, 3)
    assert np.isfinite(fitted.out_of_fold_).all()
    # A network that learns by heart is better on rows that it knows.
    random = np.random.default_rng(0)
    noise = random.integers(0, 2, 200)
    heart = cr.NetworkClassifier(
        (64, 64), quality="best", early_stopping=False, random_state=0, max_iter=40, alpha=0.0
    ).fit(random.standard_normal((200, 4)), noise)
    chance = (heart.out_of_fold_.argmax(axis=1) == noise).mean()
    assert 0.35 < chance < 0.65


def test_the_out_of_fold_loss_is_that_of_the_predictions():
    X, y = classes()
    model = cr.NetworkClassifier(**QUICK, calibrate="off", label_smoothing=0.0).fit(X, y)
    probabilities = model.out_of_fold_.astype(np.float64)
    probabilities /= probabilities.sum(axis=1, keepdims=True)  # of the rounding of float32
    expected = log_loss(y, probabilities, labels=model.classes_)
    assert model.ensemble_.loss == pytest.approx(expected, rel=1e-4)
    assert model.loss_ == model.ensemble_.loss
    assert model.ensemble_.loss <= model.ensemble_.losses[0]


def test_values_of_several_targets_are_predicted_out_of_fold_in_their_units():
    X = np.random.default_rng(0).standard_normal((240, 3))
    y = np.column_stack([100 * X[:, 0] + 1000, X[:, 1] * X[:, 2]])
    model = cr.NetworkRegressor(**QUICK | {"max_iter": 30}).fit(X, y)
    assert model.out_of_fold_.shape == y.shape
    assert abs(model.out_of_fold_[:, 0].mean() - 1000) < 20
    single = cr.NetworkRegressor(**QUICK).fit(X, y[:, 0])
    assert single.out_of_fold_.shape == (240,)


def test_intervals_come_from_the_out_of_fold_residuals():
    X, y = load_diabetes(return_X_y=True)
    model = cr.NetworkRegressor(**QUICK | {"max_iter": 20}).fit(X[:300], y[:300])
    interval = model.predict_interval(X[300:], coverage=0.8)
    half = (interval[:, 1] - interval[:, 0]) / 2
    residuals = np.sort(np.abs(y[:300] - model.out_of_fold_))
    assert half == pytest.approx(residuals[int(np.ceil(301 * 0.8)) - 1], rel=1e-4)


def test_a_temperature_is_fitted_to_the_out_of_fold_predictions():
    X, y = load_breast_cancer(return_X_y=True)
    A, B, a, b = train_test_split(X, y, random_state=0)
    given = QUICK | {"label_smoothing": 0.3, "max_iter": 20}
    plain = cr.NetworkClassifier(**given, calibrate="off").fit(A, a)
    tempered = cr.NetworkClassifier(**given, calibrate="on").fit(A, a)
    assert plain.temperature_ == 1.0
    assert tempered.temperature_ < 1.0  # smoothed labels make probabilities too even
    assert log_loss(b, tempered.predict_proba(B)) < log_loss(b, plain.predict_proba(B))


def test_all_kinds_of_targets_and_estimators_train_ensembles():
    X, y = load_iris(return_X_y=True)
    binary, many = (y > 0).astype(int), np.column_stack([y > 0, y > 1]).astype(int)
    for target in (y, binary, many):
        assert cr.NetworkClassifier(**QUICK).fit(X, target).score(X, target) > 0.3
        assert cr.MLPClassifier(**QUICK).fit(X, target).score(X, target) > 0.2
    assert cr.MLPRegressor(**QUICK).fit(X, X[:, 0]).predict(X).shape == (150,)
    mixed = cr.NetworkMixed(**QUICK).fit(X, np.column_stack([y, X[:, 0]]))
    assert len(mixed.predict(X)) == 150
    assert mixed.ensemble_.trained == 40
    counts = cr.NetworkRegressor(**QUICK, loss="poisson").fit(X, y)
    assert (counts.predict(X) >= 0).all()


@pytest.mark.parametrize(
    "more",
    [
        {"batch_norm": True},
        {"dropout": 0.2},
        {"dropout": [0.0, 0.3]},
        {"hidden_layer_sizes": ()},
        {"hidden_layer_sizes": (8,), "activation": ["tanh"]},
        {"scale_layer": False, "numeric_bins": 0},
        {"early_stopping": "accuracy"},
        {"early_stopping": False},
        {"class_weight": "balanced"},
        {"solver": "sgd", "learning_rate": "adaptive"},
        {"precision": "mixed"},
        {"engine": "reference", "max_iter": 1},
    ],
)
@pytest.mark.filterwarnings("ignore:precision. there are no bfloat16:RuntimeWarning")
def test_the_settings_of_a_network_are_those_of_an_ensembles_networks(more):
    X, y = classes()
    model = cr.NetworkClassifier(**QUICK | more).fit(X, y)
    assert np.isfinite(model.predict_proba(X)).all()


def test_tables_with_text_and_missing_values_make_ensembles():
    random = np.random.default_rng(0)
    town = random.choice(["Ulm", "Bern", "Graz", None], 300)
    size = np.where(random.random(300) < 0.1, np.nan, random.random(300))
    many = [f"street {number}" for number in random.integers(0, 60, 300)]
    table = pl.DataFrame({"town": town.tolist(), "size": size, "street": many})
    price = 3 * np.nan_to_num(size) + (town == "Ulm")
    model = cr.NetworkRegressor(**QUICK | {"max_iter": 20}).fit(table, price)
    assert model.score(table, price) > 0.5
    explained = cr.TableModel.from_estimator(model).explain(table, rows=[1])
    assert {"town", "size", "street"} <= set(str(explained).split())


def test_weights_of_examples_count_in_every_part_of_an_ensemble():
    X, y = classes()
    wrong = y.copy()
    wrong[::2] = "low"
    weights = np.ones(240)
    weights[::2] = 0
    model = cr.NetworkClassifier(**QUICK | {"max_iter": 20}).fit(X, wrong, weights)
    assert model.score(X[1::2], y[1::2]) > 0.85


@pytest.mark.parametrize("threads", [1, 2, 3])
def test_the_bits_are_the_same_for_any_number_of_threads(threads, fitted):
    model = cr.NetworkClassifier(**QUICK, threads=threads).fit(*classes())
    assert np.array_equal(model.network_.parameters, fitted.network_.parameters)
    assert np.array_equal(model.out_of_fold_, fitted.out_of_fold_)


def test_a_time_limit_trains_fewer_networks():
    random = np.random.default_rng(0)
    X = random.standard_normal((20_000, 20))
    y = (X[:, 0] + 0.3 * random.standard_normal(20_000) > 0).astype(int)
    model = cr.NetworkClassifier(quality="best", time_limit=0.5, random_state=0).fit(X, y)
    assert model.ensemble_.trained < 40
    assert not model.ensemble_.complete
    assert model.score(X, y) > 0.8


def test_the_settings_of_the_ensemble_can_be_cloned_copied_and_pickled(fitted):
    again = clone(fitted)
    assert (again.quality, again.time_limit) == ("best", None)
    for other in (copy.deepcopy(fitted), pickle.loads(pickle.dumps(fitted))):
        assert np.array_equal(other.predict_proba(classes()[0]), fitted.predict_proba(classes()[0]))


def test_a_saved_ensemble_is_loaded_whole(fitted, tmp_path):
    path = tmp_path / "ensemble.safetensors"
    fitted.save(path)
    again = cr.load(path)
    X, _ = classes(50, 2)
    assert np.array_equal(again.predict_proba(X), fitted.predict_proba(X))
    assert again.ensemble_ == fitted.ensemble_
    assert np.array_equal(again.predict_set(X), fitted.predict_set(X))


def test_a_second_fit_without_the_ensemble_forgets_it(fitted):
    model = copy.deepcopy(fitted).set_params(quality="standard")
    model.fit(*classes())
    assert not hasattr(model, "ensemble_")
    assert not hasattr(model, "out_of_fold_")


def test_without_epochs_there_is_a_network_and_no_ensemble():
    model = cr.NetworkClassifier(**QUICK).fit(*classes(), epochs=0)
    assert not hasattr(model, "ensemble_")
    assert model.predict(classes()[0]).shape == (240,)


@pytest.mark.parametrize(
    ("settings", "arguments", "message"),
    [
        ({"solver": "lbfgs"}, {}, "quality: 'best': .*use 'adamw'"),
        ({"warm_start": True}, {}, "quality: 'best': warm_start=True .* set it to False"),
        ({"callbacks": [print]}, {}, "quality: 'best': .*set callbacks to None"),
        ({}, {"X_val": classes()[0], "y_val": classes()[1]}, "add the rows of X_val and y_val"),
        ({"activation": "softmax"}, {}, "Use an activation of single units"),
        ({"quality": "standard", "time_limit": 3.0}, {}, "time_limit: expected None without"),
        ({"time_limit": 0.0}, {}, "'time_limit' parameter of NetworkClassifier must be"),
        ({"quality": "Best"}, {}, "'quality' parameter .*did you mean 'best'"),
    ],
)
def test_what_does_not_suit_an_ensemble_is_refused(settings, arguments, message):
    with pytest.raises(InvalidArgumentError, match=message):
        cr.NetworkClassifier(**QUICK | settings).fit(*classes(), **arguments)


def test_partial_fit_of_an_ensemble_is_refused_and_changes_nothing(fitted):
    model = copy.deepcopy(fitted)
    with pytest.raises(InvalidArgumentError, match="fit trains the ensemble from the beginning"):
        model.partial_fit(*classes())
    assert np.array_equal(model.network_.parameters, fitted.network_.parameters)


def test_scikit_learn_s_networks_have_no_ensembles(fitted):
    with pytest.raises(InvalidArgumentError, match=r"networks have no .* export the model"):
        fitted.to_sklearn()


def test_a_single_example_is_refused():
    with pytest.raises(InvalidArgumentError, match="'best' needs at least 2 examples"):
        cr.NetworkRegressor(**QUICK).fit([[1.0]], [2.0])


class Stops:
    """Sends Ctrl-C to this process after so many networks."""

    def __init__(self, monkeypatch, after):
        from chainrule.ensembles.training import _Trainer

        original = _Trainer._ended

        def ended(trainer, place, future):
            original(trainer, place, future)
            if len(trainer._members) == after:
                os.kill(os.getpid(), signal.SIGINT)

        monkeypatch.setattr(_Trainer, "_ended", ended)


def test_ctrl_c_keeps_the_networks_so_far(monkeypatch):
    Stops(monkeypatch, 11)
    with pytest.warns(UserWarning, match="Training interrupted by user"):
        model = cr.NetworkClassifier(**QUICK).fit(*classes())
    assert 11 <= model.ensemble_.trained < 40
    assert not model.ensemble_.complete
    assert model.score(*classes()) > 0.7


def test_ctrl_c_before_the_first_networks_raises(monkeypatch):
    Stops(monkeypatch, 2)
    model = cr.NetworkClassifier(**QUICK)
    with pytest.raises(KeyboardInterrupt):
        model.fit(*classes())


def test_an_interrupted_ensemble_resumes_to_the_same_bits(monkeypatch, tmp_path, fitted):
    path = tmp_path / "checkpoint"
    with monkeypatch.context() as patched:
        Stops(patched, 13)
        with pytest.raises(KeyboardInterrupt):
            cr.NetworkClassifier(**QUICK).fit(*classes(), checkpoint=path)
    resumed = cr.NetworkClassifier(**QUICK).fit(*classes(), checkpoint=path, resume=True)
    assert np.array_equal(resumed.network_.parameters, fitted.network_.parameters)
    assert resumed.ensemble_.losses == fitted.ensemble_.losses


def test_a_drawn_seed_is_kept_by_the_checkpoint(monkeypatch, tmp_path):
    path, given = tmp_path / "checkpoint", QUICK | {"random_state": None}
    with monkeypatch.context() as patched:
        Stops(patched, 13)
        with pytest.raises(KeyboardInterrupt):
            cr.NetworkClassifier(**given).fit(*classes(), checkpoint=path)
    resumed = cr.NetworkClassifier(**given).fit(*classes(), checkpoint=path, resume=True)
    whole = cr.NetworkClassifier(**given | {"random_state": resumed.seed_}).fit(*classes())
    assert np.array_equal(resumed.network_.parameters, whole.network_.parameters)


def test_the_progress_of_an_ensemble_is_shown_on_standard_error(capsys):
    cr.NetworkClassifier(**QUICK, verbose=True).fit(*classes())
    shown = capsys.readouterr()
    assert shown.out == ""
    assert shown.err.splitlines()[0].startswith("network 1/40  loss on its fold ")
    assert "network 40/40" in shown.err.splitlines()[-1]
