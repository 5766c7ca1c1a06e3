"""`distill` for table models: a network of a run's settings learns the teacher's answers."""

import inspect
from pathlib import Path

import numpy as np
import pandas as pd
import polars as pl
import pytest
from sklearn.datasets import load_diabetes, load_iris
from sklearn.metrics import accuracy_score, r2_score
from typer.testing import CliRunner

import chainrule as cr
from chainrule.cli.app import app
from chainrule.errors import InvalidArgumentError, InvalidTableError
from chainrule.model.distillation import divided

WDBC = Path(__file__).parents[2] / "examples" / "wdbc.csv"
QUICK = {"layers": [8], "epochs": 20}


def quick(table, target, **settings):
    given = {"epochs": 10, "layers": [32], "verbose": False} | settings
    return cr.train(table, target, **given).model


def diabetes():
    X, y = load_diabetes(return_X_y=True)
    return pl.DataFrame(X, [f"x{place}" for place in range(10)]).with_columns(progress=y)


def flowers():
    X, y = load_iris(return_X_y=True)
    names = np.array(["setosa", "versicolor", "virginica"])[y]
    return pl.DataFrame(X, ["a", "b", "c", "d"]).with_columns(kind=pl.Series(names))


@pytest.fixture(scope="module")
def wdbc():
    return quick(WDBC, "diagnosis", layers=[64, 64], epochs=40)


@pytest.fixture(scope="module")
def progress():
    return quick(diabetes(), "progress", layers=[64, 64])


def test_a_small_student_answers_almost_like_an_ensemble():
    teacher = quick(WDBC, "diagnosis", quality="best", epochs=6, layers=[8, 8])
    found = cr.distill(teacher, WDBC, layers=[8])
    assert found.agreement > 0.95
    assert found.score > 0.9
    assert found.parameters == found.model.network.parameters.size < found.teacher_parameters / 5
    assert found.teacher_parameters == teacher.network.parameters.size


def test_a_student_has_the_columns_and_the_target_of_its_teacher(wdbc, progress):
    for teacher, table in ((wdbc, WDBC), (progress, diabetes())):
        student = cr.distill(teacher, table, **QUICK).model
        assert isinstance(student, cr.TableModel)
        assert student.encoder is teacher.encoder
        assert student.target is teacher.target
        assert student.predict(table).columns == teacher.predict(table).columns


@pytest.mark.parametrize("with_truth", [True, False])
def test_the_numbers_are_those_of_scikit_learn_on_the_rows_that_are_held_out(
    wdbc, progress, with_truth
):
    cases = (wdbc, pl.read_csv(WDBC), accuracy_score), (progress, diabetes(), r2_score)
    for teacher, table, measure in cases:
        name = teacher.target.name
        given = table if with_truth else table.drop(name)
        found = cr.distill(teacher, given, held_out=0.3, seed=5, **QUICK)
        rows = divided(table.height, 0.3, 5, validation=0.1).test
        theirs, ours = (
            model.predict(table[rows])["prediction"].to_list() for model in (teacher, found.model)
        )
        assert found.rows == len(rows)
        assert found.agreement == pytest.approx(measure(theirs, ours))
        if with_truth:
            true = table[rows][name].to_list()
            assert found.score == pytest.approx(measure(true, ours))
            assert found.teacher_score == pytest.approx(measure(true, theirs))
        else:
            assert found.score is found.teacher_score is None


def test_a_linear_network_is_recovered_from_its_values():
    table = diabetes()
    linear = {"layers": [], "bins": 0, "scale_layer": False, "optimizer": "lbfgs"}
    teacher = quick(table, "progress", **linear, l2=0.0)
    student = cr.distill(teacher, table.drop("progress"), **linear, l2=0.0, tolerance=1e-9).model
    difference = student.predict(table)["prediction"] - teacher.predict(table)["prediction"]
    # Both are lowest points of a quadratic function, in float32.
    assert difference.abs().max() < 1e-2 * table["progress"].std()


@pytest.mark.parametrize("classes", [2, 3])
def test_the_student_is_the_softmax_regression_on_the_teachers_probabilities(classes):
    table = flowers() if classes == 3 else flowers().filter(pl.col("kind") != "setosa")
    teacher = quick(table, "kind")
    descent = {
        **{"layers": [], "bins": 0, "scale_layer": False, "width_scaling": False, "init": "zeros"},
        **{"optimizer": "sgd", "learning_rate": 0.5, "schedule": "constant", "epochs": 40},
        **{"batch_size": 1000, "early_stopping": False, "l2": 0.0, "calibrate": "off"},
        **{"dtype": "float64", "ema_decay": 0.0, "momentum": 0.0},
    }
    student = cr.distill(teacher, table, **descent).model
    rows = divided(table.height, 0.2, 0, validation=0.1).train
    X, S = teacher.examples(table)[0][rows].astype(float), teacher.probabilities(table)[rows]
    assert S.max(axis=1).min() < 0.95  # they say more than classes
    X = np.column_stack([X, np.ones(len(X))])
    if classes == 2:  # the weights of the second class alone, by its probability
        w = np.zeros(X.shape[1])
        for _ in range(40):
            w -= 0.5 * X.T @ (1 / (1 + np.exp(-X @ w)) - S[:, 1]) / len(X)
        expected = 1 / (1 + np.exp(-X @ w))
        found = student.probabilities(table)[rows, 1]
    else:
        W = np.zeros((X.shape[1], 3))
        for _ in range(40):
            exps = np.exp(X @ W)
            W -= 0.5 * X.T @ (exps / exps.sum(axis=1, keepdims=True) - S) / len(X)
        exps = np.exp(X @ W)
        expected = exps / exps.sum(axis=1, keepdims=True)
        found = student.probabilities(table)[rows]
    # A teacher of float32 has probabilities that add up to 1 but for their rounding.
    np.testing.assert_allclose(found, expected, rtol=1e-5)


def test_soft_targets_are_learned_and_not_the_classes(wdbc):
    table = pl.read_csv(WDBC)
    soft = wdbc.probabilities(table)
    student = cr.distill(wdbc, table.drop("diagnosis"), layers=[32], calibrate="off").model
    ours = student.probabilities(table)
    hard = quick(table.with_columns(diagnosis=wdbc.predict(table)["prediction"]), "diagnosis")
    apart = [np.abs(model - soft).mean() for model in (ours, hard.probabilities(table))]
    assert apart[0] < apart[1]


def test_held_out_rows_do_not_change_the_student(progress):
    table = diabetes()
    other = table.with_columns(
        pl.when(pl.int_range(table.height).is_in(divided(442, 0.2, 0, validation=0.1).test))
        .then(pl.col("x0") * 2)
        .otherwise(pl.col("x0"))
        .alias("x0")
    )
    assert not other.equals(table)
    first, second = (cr.distill(progress, rows, **QUICK).model.network for rows in (table, other))
    assert np.array_equal(first.parameters, second.parameters)


def test_true_targets_do_not_change_what_the_student_learns(wdbc):
    table = pl.read_csv(WDBC)
    with_truth, without = (
        cr.distill(wdbc, rows, **QUICK).model.network.parameters
        for rows in (table, table.drop("diagnosis"))
    )
    assert np.array_equal(with_truth, without)


def test_the_same_seed_gives_the_same_bits_and_another_one_others(progress):
    one, again, other = (
        cr.distill(progress, diabetes(), seed=seed, **QUICK).model.network.parameters
        for seed in (1, 1, 2)
    )
    assert np.array_equal(one, again)
    assert not np.array_equal(one, other)


def test_a_path_and_tables_of_all_libraries_give_the_same_student(wdbc):
    table = pl.read_csv(WDBC)
    students = [
        cr.distill(wdbc, given, **QUICK).model.network.parameters
        for given in (WDBC, str(WDBC), table, pd.read_csv(WDBC), table.to_arrow())
    ]
    for student in students[1:]:
        assert np.array_equal(student, students[0])


@pytest.mark.parametrize("kind", [list, np.array, pl.Series, pd.Series])
def test_true_targets_are_a_column_or_an_argument(wdbc, progress, kind):
    for teacher, table in ((wdbc, pl.read_csv(WDBC)), (progress, diabetes())):
        name = teacher.target.name
        y = kind(table[name].to_list())
        column = cr.distill(teacher, table, **QUICK)
        argument = cr.distill(teacher, table.drop(name), y, **QUICK)
        assert (argument.score, argument.teacher_score) == (column.score, column.teacher_score)
        scores = [found.model.conformal.scores for found in (argument, column)]
        assert np.array_equal(*scores)


def test_some_rows_may_have_a_true_target_and_others_none(wdbc):
    table = pl.read_csv(WDBC)
    some = pl.int_range(table.height) % 3 == 0
    found = cr.distill(wdbc, table.with_columns(diagnosis=pl.when(some).then("diagnosis")), **QUICK)
    split = divided(table.height, 0.2, 0, validation=0.1)
    known = split.test[split.test % 3 == 0]
    assert (found.rows, found.scored) == (len(split.test), len(known))
    assert found.score == found.model.evaluate(table[known])["accuracy"]
    assert f" on {len(known)} of them, the teacher's " in str(found)
    assert found.model.conformal.rows == (split.validation % 3 == 0).sum()


def test_sets_and_intervals_are_about_the_true_targets(wdbc, progress):
    for teacher, table, added in (
        (wdbc, pl.read_csv(WDBC), ["prediction_set"]),
        (progress, diabetes(), ["lower", "upper"]),
    ):
        student = cr.distill(teacher, table, **QUICK).model
        assert student.predict(table, interval=0.8).columns[-len(added) :] == added
        rows = divided(table.height, 0.2, 0, validation=0.1).validation
        expected = np.sort(student.scores_of(*student.truth(table[rows])))
        assert np.array_equal(student.conformal.scores[:, 0], expected)
        without = cr.distill(teacher, table.drop(teacher.target.name), **QUICK).model
        with pytest.raises(InvalidArgumentError, match="no calibration scores"):
            without.predict(table, interval=0.8)


def test_a_transformed_target_comes_back_in_its_units():
    random = np.random.default_rng(0)
    x = random.normal(size=400)
    table = pl.DataFrame({"x": x, "price": np.exp(2 * x + 0.1 * random.normal(size=400))})
    teacher = quick(table, "price", target_transform="log", epochs=40)
    found = cr.distill(teacher, table, layers=[16])
    assert found.agreement > 0.9
    ratio = found.model.predict(table)["prediction"] / teacher.predict(table)["prediction"]
    assert 0.8 < ratio.median() < 1.25


def test_counts_stay_counts():
    random = np.random.default_rng(0)
    x = random.normal(size=300)
    table = pl.DataFrame({"x": x, "visits": random.poisson(np.exp(x))})
    teacher = quick(table, "visits", loss="poisson", task="regression")
    student = cr.distill(teacher, table, layers=[8]).model
    assert str(student.network.spec.cost) == "poisson"
    assert (student.predict(table)["prediction"] >= 0).all()


def test_tables_with_text_embeddings_and_missing_values_are_distilled():
    random = np.random.default_rng(0)
    street = [f"street {number}" for number in random.integers(0, 40, 400)]
    size = [None if random.random() < 0.1 else random.random() for _ in range(400)]
    price = [3 * (value or 0) + len(name) for value, name in zip(size, street, strict=True)]
    table = pl.DataFrame({"street": street, "size": size, "price": price})
    teacher = quick(table, "price", embed_above=10)
    student = cr.distill(teacher, table, **QUICK).model
    assert student.network.spec.layers[0].codes == teacher.network.spec.layers[0].codes != ()
    assert {"street", "size"} <= set(str(student.explain(table, rows=[1])).split())


def test_an_estimators_table_model_is_a_teacher():
    table = flowers()
    estimator = cr.NetworkClassifier((8,), random_state=0)
    estimator.fit(table.drop("kind"), table["kind"], epochs=40)
    found = cr.distill(cr.TableModel.from_estimator(estimator), table, **QUICK)
    assert found.model.target.name == "kind"
    assert found.agreement > 0.6


def test_the_details_of_a_saved_student_say_that_it_is_distilled(wdbc, tmp_path):
    found = cr.distill(wdbc, WDBC, **QUICK)
    path = tmp_path / "student.safetensors"
    found.model.save(path)
    again = cr.load(path)
    table = pl.read_csv(WDBC)
    assert again.predict(table).equals(found.model.predict(table))
    told = again.details["distilled"]
    assert told["agreement"] == found.agreement
    assert told["teacher_parameters"] == wdbc.network.parameters.size
    assert again.details["command"] == "chainrule.distill(model, X, layers=[8], epochs=20)"
    assert "569 rows, compared with the 409 training rows" in str(again.drift(table))
    done = CliRunner().invoke(app, ["info", str(path)])
    assert done.exit_code == 0
    assert "chainrule.distill" in done.output


def test_a_student_is_exported_and_reported_and_distilled_like_any_model(wdbc, tmp_path):
    student = cr.distill(wdbc, WDBC, **QUICK).model
    cr.export(student, tmp_path / "student.onnx")
    assert student.report(WDBC, train=WDBC) is not None
    assert cr.distill(student, WDBC, **QUICK).agreement > 0.9


def test_all_settings_of_training_are_settings_of_the_student(progress):
    student = cr.distill(
        progress, diabetes(), layers=[4], activation="tanh", epochs=3, batch_size=16, bins=0,
        scale_layer=False, dropout=0.1, optimizer="adam", schedule="constant", learning_rate=None,
        early_stopping=False, preset="fast", threads=1, dtype="float64",
    ).model  # fmt: skip
    assert student.network.spec.dtype == "float64"
    assert student.network.spec.layers[0].activation == "tanh"
    assert student.details["epochs"] == 3
    assert student.details["best_epoch"] is None


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"held_out": 0.0}, "held_out: expected a share .* got 0.0"),
        ({"held_out": 0.001}, "held_out: .*0.001 of 442 rows"),
        ({"seed": 0.5}, "seed: expected a whole number"),
        ({"quality": "best"}, "quality: expected 'standard', since a student is one network"),
        ({"time_limit": "60s"}, "time_limit: expected None, since only"),
        ({"class_weight": "balanced"}, "class_weight: expected 'none', since the teacher's"),
        ({"hidden_layer_sizes": [8]}, "hidden_layer_sizes: neither .*; did you mean 'layers'"),
        ({"heldout": 0.3}, "heldout: neither .*; did you mean 'held_out'"),
        ({"target_transform": "log"}, "target_transform: a setting of a table and its encoding"),
        ({"split": [0.8, 0.1, 0.1]}, "split: a setting of a table"),
        ({"layers": "wide"}, "layers: expected a list of whole numbers; got 'wide'"),
        ({"epochs": -1}, "epochs: expected"),
        ({"loss": "log_loss"}, "loss: expected squared_error.* for a regression; got 'log_loss'"),
    ],
)
def test_wrong_settings_are_refused(progress, settings, message):
    with pytest.raises(InvalidArgumentError, match=message):
        cr.distill(progress, diabetes(), **settings)


def test_wrong_rows_and_targets_are_refused(wdbc, progress):
    table = diabetes()
    with pytest.raises(InvalidArgumentError, match=r"X: expected at least 10 rows.*got 9"):
        cr.distill(progress, table[:9])
    with pytest.raises(InvalidTableError, match="x3"):
        cr.distill(progress, table.drop("x3"))
    with pytest.raises(InvalidArgumentError, match="y: expected a target for each of the 442 rows"):
        cr.distill(progress, table, [1.0])
    with pytest.raises(InvalidArgumentError, match="y: expected the true target of each row"):
        cr.distill(progress, table, 5)
    with pytest.raises(InvalidTableError, match=r"'Z'.*none of the model's classes"):
        cr.distill(wdbc, WDBC, ["Z"] * 569)
    with pytest.raises(InvalidArgumentError, match="table: expected a path"):
        cr.distill(progress, 5)


def test_a_run_is_refused_with_the_remedy():
    run = cr.train(flowers(), "kind", epochs=1, layers=[4], verbose=False)
    with pytest.raises(InvalidArgumentError, match=r"got a Run\. Use its attribute model"):
        cr.distill(run, flowers())


def test_the_signature_names_what_both_kinds_of_teachers_take():
    assert list(inspect.signature(cr.distill).parameters) == [
        *("model", "X", "y", "held_out", "seed", "settings")
    ]
