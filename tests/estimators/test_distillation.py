"""`distill` for estimators: a student of the same class learns the teacher's answers."""

import copy

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
from scipy.sparse import coo_matrix, csr_matrix
from sklearn.datasets import load_breast_cancer, load_diabetes, load_iris
from sklearn.ensemble import RandomForestClassifier
from sklearn.exceptions import ConvergenceWarning, NotFittedError
from sklearn.metrics import accuracy_score, r2_score
from sklearn.neural_network import MLPClassifier as TheirClassifier

import chainrule as cr
from chainrule.errors import InvalidArgumentError
from chainrule.model.distillation import Distillation, divided
from tests.estimators import tables

SMALL = {"hidden_layer_sizes": (8,)}
QUICK = SMALL | {"max_iter": 20}

pytestmark = pytest.mark.filterwarnings("ignore:Stochastic Optimizer")


@pytest.fixture(scope="module")
def cancer():
    """Return a teacher of half of the rows, and the other half."""
    X, y = load_breast_cancer(return_X_y=True)
    names = np.array(["malignant", "benign"])[y]
    teacher = cr.NetworkClassifier((64, 64), random_state=0).fit(X[::2], names[::2], epochs=20)
    return teacher, X[1::2], names[1::2]


@pytest.fixture(scope="module")
def diabetes():
    X, y = load_diabetes(return_X_y=True)
    teacher = cr.NetworkRegressor(hidden_layer_sizes=(64, 64), random_state=0)
    return teacher.fit(X[:221], y[:221], epochs=20), X[221:], y[221:]


def test_a_small_student_answers_almost_like_an_ensemble():
    X, y = load_breast_cancer(return_X_y=True)
    teacher = cr.NetworkClassifier((8, 8), quality="best", max_iter=6, random_state=0)
    teacher.fit(X[::2], y[::2])
    found = cr.distill(teacher, X[1::2], y[1::2], hidden_layer_sizes=(8,), max_iter=60)
    assert found.agreement > 0.93
    assert found.score > 0.9
    assert found.model.quality == "standard"
    assert not hasattr(found.model, "ensemble_")
    assert found.teacher_parameters == teacher.network_.parameters.size
    assert found.parameters == found.model.network_.parameters.size < found.teacher_parameters / 5


def test_a_logistic_regression_is_recovered_from_its_probabilities():
    # The cross-entropy of the teacher's own probabilities is lowest at its own weights alone.
    X, y = tables.two_classes()
    X = X[:, :2]
    one_layer = {"hidden_layer_sizes": (), "solver": "lbfgs", "tol": 1e-12, "max_iter": 5000}
    teacher = cr.MLPClassifier(alpha=100.0, **one_layer).fit(X, y)
    student = cr.distill(teacher, X, alpha=0.0).model
    probabilities = teacher.predict_proba(X)
    np.testing.assert_allclose(student.predict_proba(X), probabilities, atol=1e-4)
    # The labels lead to other probabilities.
    by_labels = cr.MLPClassifier(alpha=0.0, **one_layer).fit(X, y)
    assert np.abs(by_labels.predict_proba(X) - probabilities).max() > 0.2


def test_a_linear_regression_is_recovered_from_its_values():
    X, y = tables.values()
    # Without correlations the cost is as steep in every direction. With them (a condition number
    # of 21) L-BFGS may stop, by its change of the cost, 1e-4 away from the lowest point.
    X = np.linalg.qr(X)[0] * np.sqrt(len(X))
    least_squares, *_ = np.linalg.lstsq(np.column_stack([X, np.ones(len(X))]), y, rcond=None)
    one_layer = {"hidden_layer_sizes": (), "solver": "lbfgs", "tol": 1e-12, "alpha": 0.0}
    teacher = cr.MLPRegressor(max_iter=5000, **one_layer).fit(X, y)
    found = cr.distill(teacher, X, y)
    np.testing.assert_allclose(found.model.coefs_[0][:, 0], least_squares[:-1], atol=1e-5)
    assert found.agreement > 0.999999


def test_steps_are_those_of_a_network_that_is_fitted_to_the_same_soft_targets():
    X, y = tables.classes()
    teacher = cr.MLPClassifier((16,), max_iter=30, random_state=1).fit(X, y)
    descent = {"solver": "sgd", "momentum": 0.0, "learning_rate_init": 0.5, "alpha": 0.0}
    whole = {"batch_size": 120, "shuffle": False, "n_iter_no_change": 100}
    student = cr.distill(
        teacher, X, hidden_layer_sizes=(4,), activation="tanh", max_iter=25, **descent, **whole
    ).model
    rows = divided(150, 0.2, 0).train
    network = cr.Network(
        [4, cr.Dense(4, "tanh"), cr.Dense(3, "softmax")], "cross_entropy", dtype="float64"
    )
    first = cr.MLPClassifier((4,), "tanh", random_state=0).fit(X, y, epochs=0)
    network.parameters[:] = first.network_.parameters
    network.fit(
        X[rows],
        teacher.predict_proba(X)[rows],
        optimizer=cr.SGD(0.5),
        epochs=25,
        batch_size=120,
        shuffle=False,
    )
    np.testing.assert_allclose(student.predict_proba(X), network.predict(X), rtol=1e-9)


@pytest.mark.parametrize("with_truth", [True, False])
def test_the_numbers_are_those_of_scikit_learn_on_the_rows_that_are_held_out(
    cancer, diabetes, with_truth
):
    for (teacher, X, y), measure in ((cancer, accuracy_score), (diabetes, r2_score)):
        found = cr.distill(teacher, X, y if with_truth else None, held_out=0.3, seed=5, **QUICK)
        rows = divided(len(X), 0.3, 5).test
        assert len(rows) == found.rows == np.ceil(0.3 * len(X))
        theirs, ours = teacher.predict(X[rows]), found.model.predict(X[rows])
        assert found.agreement == pytest.approx(measure(theirs, ours))
        if with_truth:
            assert found.score == pytest.approx(measure(y[rows], ours))
            assert found.teacher_score == pytest.approx(measure(y[rows], theirs))
            assert found.scored == found.rows
        else:
            assert found.score is found.teacher_score is None
            assert found.scored == 0


def test_held_out_rows_do_not_change_the_student(cancer):
    teacher, X, _ = cancer
    other = X.copy()
    other[divided(len(X), 0.2, 0).test] *= 2
    first, second = (cr.distill(teacher, rows, **QUICK).model for rows in (X, other))
    assert np.array_equal(first.network_.parameters, second.network_.parameters)


def test_true_targets_do_not_change_what_the_student_learns(cancer, diabetes):
    for teacher, X, y in (cancer, diabetes):
        with_truth, without = (cr.distill(teacher, X, given, **QUICK).model for given in (y, None))
        assert np.array_equal(with_truth.network_.parameters, without.network_.parameters)


def test_the_same_seed_gives_the_same_bits_and_another_one_others(cancer):
    teacher, X, _ = cancer
    one, again, other = (
        cr.distill(teacher, X, seed=seed, **QUICK).model.network_.parameters for seed in (1, 1, 2)
    )
    assert np.array_equal(one, again)
    assert not np.array_equal(one, other)
    assert cr.distill(teacher, X, seed=3, **QUICK).model.random_state == 3


def test_a_student_has_the_teachers_parameters_except_those_of_labels_and_ensembles():
    X, y = load_iris(return_X_y=True)
    teacher = cr.NetworkClassifier(
        (8,), "tanh", quality="best", time_limit=60.0, label_smoothing=0.1, dropout=0.1,
        class_weight="balanced", loss="focal", max_iter=3, random_state=4,
    ).fit(X, y)  # fmt: skip
    given = teacher.get_params()
    student = cr.distill(teacher, X, max_iter=5).model
    assert given == teacher.get_params()
    changed = {name: value for name, value in student.get_params().items() if value != given[name]}
    assert changed == {
        "quality": "standard",
        "time_limit": None,
        "label_smoothing": 0.0,
        "class_weight": None,
        "loss": "log_loss",
        "max_iter": 5,
        "random_state": 0,
    }


def test_a_quantile_is_learned_as_it_is_and_not_a_quantile_of_it(diabetes):
    _, X, y = diabetes
    teacher = cr.NetworkRegressor("quantile", (16,), quantile=0.9, max_iter=60, random_state=0)
    teacher.fit(X, y)
    student = cr.distill(teacher, X).model
    difference = student.predict(X) - teacher.predict(X)
    assert abs(np.median(difference)) < 0.02 * y.std()


def test_counts_stay_counts():
    X, y = load_iris(return_X_y=True)
    teacher = cr.NetworkRegressor("poisson", (8,), max_iter=20, random_state=0).fit(X, y)
    student = cr.distill(teacher, X, y).model
    assert student.loss == "poisson"
    assert (student.predict(X) >= 0).all()


def test_several_values_are_distilled_together():
    X, Y = tables.three_values()
    teacher = cr.NetworkRegressor(hidden_layer_sizes=(16,), random_state=0).fit(X, Y, epochs=60)
    found = cr.distill(teacher, X, Y)
    rows = divided(len(X), 0.2, 0).test
    ours, theirs = found.model.predict(X[rows]), teacher.predict(X[rows])
    assert found.agreement == pytest.approx(r2_score(theirs, ours))
    assert found.score == pytest.approx(r2_score(Y[rows], ours))


def test_classes_that_the_teacher_never_answers_remain_classes():
    X, y = tables.classes()
    teacher = cr.NetworkClassifier((8,), random_state=0).fit(X, y, epochs=60)
    some = X[teacher.predict(X) != 2]
    student = cr.distill(teacher, some, max_iter=20).model
    assert student.classes_.tolist() == [0, 1, 2]
    assert student.predict_proba(X).shape == (150, 3)


def test_a_class_that_the_teacher_answers_once_can_be_set_aside():
    X, y = tables.two_classes()
    teacher = cr.MLPClassifier((8,), early_stopping=True, random_state=0).fit(X, y)
    answers = teacher.predict(X)
    rows = [*np.flatnonzero(answers == 1)[:99], np.flatnonzero(answers == 0)[0]]
    student = cr.distill(teacher, X[rows], max_iter=5).model
    assert len(student.validation_scores_) == 5


def test_a_teacher_of_one_class_has_a_student_of_one_class():
    X, _ = tables.classes()
    teacher = cr.NetworkClassifier((4,), random_state=0).fit(X, ["only"] * 150, epochs=2)
    found = cr.distill(teacher, X, ["only"] * 150, max_iter=2)
    assert found.agreement == found.score == 1.0
    assert found.model.predict(X[:2]).tolist() == ["only", "only"]


def test_sets_and_intervals_are_about_the_true_targets(cancer, diabetes):
    teacher, X, y = cancer
    many, labels = np.tile(X, (3, 1)), np.tile(y, 3)
    wrong = labels.copy()
    wrong[: len(wrong) // 2] = "benign"
    right_sets, wrong_sets = (
        cr.distill(teacher, many, given, **QUICK).model.predict_set(X, 0.9).sum()
        for given in (labels, wrong)
    )
    assert wrong_sets > right_sets  # the labels are less certain
    with pytest.raises(InvalidArgumentError, match="fitted with validation examples"):
        cr.distill(teacher, many, **QUICK).model.predict_set(X)
    teacher, X, y = diabetes
    student = cr.distill(teacher, X, y, early_stopping=True, **QUICK).model
    with pytest.raises(InvalidArgumentError, match="fitted with validation examples"):
        student.predict_interval(X)  # fewer than 200 examples: none are set aside
    many, values = np.tile(X, (3, 1)), np.tile(y, 3)
    interval = cr.distill(teacher, many, values, **QUICK).model.predict_interval(X, 0.8)
    assert 0.7 < ((interval[:, 0] <= y) & (y <= interval[:, 1])).mean() < 0.95


def test_tables_of_all_libraries_are_distilled_and_the_target_is_not_learned_from():
    random = np.random.default_rng(0)
    town = random.choice(["Ulm", "Bern", "Graz"], 300)
    size = random.random(300)
    price = 3 * size + (town == "Ulm")
    table = pl.DataFrame({"town": town, "size": size})
    teacher = cr.NetworkRegressor(hidden_layer_sizes=(16,), random_state=0)
    teacher.fit(table, pl.Series("price", price), epochs=20)
    whole = table.with_columns(price=price)
    students = [
        cr.distill(teacher, given, price, max_iter=10).model
        for given in (whole, whole.to_pandas(), whole.to_arrow(), table)
    ]
    for student in students:
        assert [column.name for column in student.encoder_.columns_] == ["town", "size"]
        assert np.array_equal(student.network_.parameters, students[0].network_.parameters)
    model = cr.TableModel.from_estimator(students[0])
    assert model.target.name == "price"
    assert "size" in str(model.explain(table, rows=[1]))
    assert isinstance(whole.to_arrow(), pa.Table)


def test_missing_values_and_tables_of_numbers_are_distilled():
    X, y = load_iris(return_X_y=True, as_frame=True)
    teacher = cr.NetworkClassifier((8,), random_state=0).fit(X, y, epochs=20)
    student = cr.distill(teacher, X, y, max_iter=5).model
    assert list(student.feature_names_in_) == list(X.columns)
    holes = X.copy()
    holes.iloc[::7, 0] = np.nan
    assert len(cr.distill(teacher, holes, max_iter=5).model.predict(holes)) == 150
    assert isinstance(holes, pd.DataFrame)


@pytest.mark.parametrize("kind", [csr_matrix, coo_matrix, np.ndarray.tolist])
def test_sparse_inputs_and_lists_give_the_same_student(kind):
    X, y = tables.classes()
    teacher = cr.MLPClassifier((8,), max_iter=20, random_state=0).fit(X, y)
    ours = cr.distill(teacher, kind(X), y.tolist(), max_iter=5).model
    expected = cr.distill(teacher, X, y, max_iter=5).model
    assert np.array_equal(ours.network_.parameters, expected.network_.parameters)


def test_a_student_is_saved_copied_exported_and_distilled_like_any_estimator(cancer, tmp_path):
    teacher, X, y = cancer
    student = cr.distill(teacher, X, y, **QUICK).model
    path = tmp_path / "student.safetensors"
    student.save(path)
    again = cr.load(path)
    assert np.array_equal(again.predict_proba(X), student.predict_proba(X))
    assert np.array_equal(copy.deepcopy(student).predict(X), student.predict(X))
    cr.export(student, tmp_path / "student.onnx")
    assert cr.distill(again, X, y, **QUICK).agreement > 0.9


def test_the_sentence_states_the_loss_in_score(cancer, diabetes):
    teacher, X, y = cancer
    found = cr.distill(teacher, X, y, **QUICK)
    rows = len(divided(len(X), 0.2, 0).test)
    assert str(found).startswith(
        f"distilled to {found.parameters:,} of {found.teacher_parameters:,} parameters: on {rows} "
        "rows, "
    )
    score, its = found.score, found.teacher_score
    assert str(found).endswith(
        f" % of the answers are the same; accuracy {score:.3f}, the teacher's {its:.3f}"
    )
    teacher, X, y = diabetes
    found = cr.distill(teacher, X, **QUICK)
    assert str(found).endswith(f" rows, R² against the teacher's values is {found.agreement:.3f}")


def test_only_answers_that_are_all_the_same_are_a_hundred_per_cent():
    given = {"score": None, "teacher_score": None, "parameters": 1, "teacher_parameters": 2}
    almost, all_ = (
        Distillation(None, "classification", agreement, **given, rows=5000, scored=0)
        for agreement in (0.9998, 1.0)
    )
    assert "99.9 % of" in str(almost)
    assert "100.0 % of" in str(all_)


def refused(model, message, *arguments, error=InvalidArgumentError, **settings):
    X, y = load_iris(return_X_y=True)
    given = arguments or (X, y)
    with pytest.raises(error, match=message):
        cr.distill(model, *given, **settings)


@pytest.fixture(scope="module")
def iris():
    X, y = load_iris(return_X_y=True)
    return cr.NetworkClassifier((4,), random_state=0).fit(X, y, epochs=2)


def test_models_that_cannot_be_teachers_are_refused_with_the_remedy():
    X, y = load_iris(return_X_y=True)
    refused(cr.NetworkClassifier(), "not fitted", error=NotFittedError)
    refused(cr.NetworkClassifier, r"itself; create and fit one: NetworkClassifier\(\)")
    mixed = cr.NetworkMixed(hidden_layer_sizes=(4,)).fit(X, np.column_stack([y, X[:, 0]]), epochs=1)
    refused(mixed, "NetworkMixed has several. Distill a NetworkClassifier or a NetworkRegressor")
    labels = cr.MLPClassifier((4,)).fit(X, np.column_stack([y > 0, y > 1]).astype(int), epochs=1)
    refused(labels, "fitted to 2 labels. Distill a classifier of each label")
    refused(cr.Network([4, cr.Dense(1, "identity")], "mse"), r"net.fit\(X, model.predict\(X\)\)")
    with pytest.warns(ConvergenceWarning):
        theirs = TheirClassifier((4,), max_iter=2).fit(X, y)
    refused(theirs, "convert it with chainrule.from_sklearn")
    refused(RandomForestClassifier(), "got RandomForestClassifier$")
    refused(None, "got NoneType$")


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"held_out": 0.0}, "held_out: expected a share .* got 0.0"),
        ({"held_out": 1}, "held_out: expected a share .* got 1"),
        ({"held_out": "half"}, "held_out: expected a share .* got 'half'"),
        ({"held_out": 0.001}, "held_out: .*0.001 of 150 rows leaves 149 and 1"),
        ({"held_out": 0.999}, "held_out: .*0.999 of 150 rows leaves 0 and 150"),
        ({"seed": -1}, "seed: expected a whole number of at least 0"),
        ({"seed": 2**40}, "seed: expected a whole number of at most"),
        ({"random_state": 3}, "random_state: is the argument seed of distill"),
        ({"quality": "best"}, "quality: expected 'standard', since a student is one network"),
        ({"time_limit": 3.0}, "time_limit: expected None without quality='best'"),
        ({"layers": (8,)}, "layers: neither .* NetworkClassifier; did you mean 'hidden_layer_s"),
        ({"heldout": 0.3}, "heldout: neither .*; did you mean 'held_out'"),
        ({"hidden_layer_sizes": (-1,)}, "hidden_layer_sizes must be > 0"),
        ({"alpha": -1}, "'alpha' parameter of NetworkClassifier must be"),
    ],
)
def test_wrong_settings_are_refused(iris, settings, message):
    refused(iris, message, **settings)


def test_wrong_rows_and_targets_are_refused(iris):
    X, y = load_iris(return_X_y=True)
    refused(iris, "X: expected at least 10 rows.*got 4", X[:4])
    refused(iris, "y: expected a target for each of the 150 rows of X; got 149", X, y[1:])
    refused(iris, r"`y` has classes not in .* \[7\] too, first at row 0", X, np.where(y == 0, 7, y))
    refused(iris, "X has 3 features, but .* 4 features", X[:, :3], error=ValueError)
    values = cr.NetworkRegressor(hidden_layer_sizes=(4,)).fit(X, y, epochs=1)
    refused(values, "y: .*nan", X, np.where(y == 0, np.nan, y))


def test_a_refused_call_leaves_the_teacher_as_it_was(iris):
    X, _ = load_iris(return_X_y=True)
    before = copy.deepcopy(iris.get_params()), iris.network_.parameters.copy()
    refused(iris, "alpha", X, alpha=-1)
    assert before[0] == iris.get_params()
    assert np.array_equal(before[1], iris.network_.parameters)
