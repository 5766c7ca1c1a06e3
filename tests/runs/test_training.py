import json
from dataclasses import replace

import numpy as np
import polars as pl
import pytest

import chainrule as cr
from chainrule.errors import InvalidTableError
from chainrule.report import page
from chainrule.runs.config import RunConfig
from chainrule.runs.folder import RunFolder
from chainrule.runs.parts import divide
from chainrule.runs.training import PreparedRun


def table(rows=300, seed=0):
    random = np.random.default_rng(seed)
    x, z = random.normal(size=rows), random.normal(50, 10, rows)
    return pl.DataFrame(
        {
            "x": x,
            "z": z,
            "kind": np.where(x + random.normal(size=rows) > 0, "up", "down"),
            "grade": np.array(["a", "b", "c"])[np.clip((z // 7).astype(int) - 6, 0, 2)],
            "price": 1000 + 300 * x + random.normal(size=rows),
        }
    )


def prepared(target, rows=300, **settings):
    return PreparedRun.prepare(RunConfig.of({"target": target, **settings}), table(rows))


def test_statistics_are_those_of_the_training_rows_alone():
    run = prepared("kind")
    rows = run.parts.train
    assert rows.height == 239
    column = next(one for one in run.encoder.columns_ if one.name == "z")
    values = rows["z"].to_numpy()
    # Two ways to sum 239 numbers.
    tolerance = 239 * np.finfo(np.float64).eps * 100
    assert abs(column.center - values.mean()) <= tolerance
    assert abs(column.scale - values.std()) <= tolerance


@pytest.mark.parametrize(
    ("target", "settings", "parameters"),
    [
        ("kind", {}, {}),
        ("grade", {"dropout": (0.2,)}, {"dropout": 0.2}),
        ("grade", {"class_weight": "balanced"}, {"class_weight": "balanced"}),
        (
            "kind",
            {"loss": "focal", "label_smoothing": 0.1, "optimizer": "sgd"},
            {"loss": "focal", "label_smoothing": 0.1, "solver": "sgd"},
        ),
        ("price", {"layers": (9, 5), "schedule": "one_cycle"}, {
            "hidden_layer_sizes": (9, 5), "learning_rate": "one_cycle",
        }),
        ("price", {"batch_norm": True, "l1": 0.25, "max_grad_norm": 1.0}, {
            "batch_norm": True, "l1": 0.25, "max_grad_norm": 1.0,
        }),
    ],
)  # fmt: skip
def test_a_run_trains_the_network_that_the_estimator_trains_to_the_bit(
    target, settings, parameters
):
    run = prepared(target, seed=5, epochs=12, **settings)
    fitted = run.train()
    (X, y), (X_val, y_val) = run.training, run.validation
    kind = cr.NetworkRegressor if target == "price" else cr.NetworkClassifier
    alone = {"standardize_target": False} if target == "price" else {}
    estimator = kind(random_state=5, max_iter=12, standardize=False, **alone, **parameters)
    estimator.fit(X, y, X_val=X_val, y_val=y_val)
    np.testing.assert_array_equal(fitted.network.parameters, estimator.network_.parameters)
    assert len(fitted.history) == estimator.n_iter_


def test_the_best_epoch_is_the_one_whose_weights_were_kept():
    run = prepared("kind", epochs=60, layers=(64,), l2=0.0, patience=20, calibrate="off")
    fitted = run.train()
    losses = fitted.history["validation_loss"]
    assert fitted.best_epoch == int(np.argmin(losses)) + 1 < len(losses)
    X, y = run.validation
    loss = fitted.network.loss(X, y)
    assert loss == fitted.best_loss == min(losses)


def test_the_parts_are_scored_apart():
    trained = prepared("kind", epochs=2).fit()
    assert {name: part["rows"] for name, part in trained.scores.items()} == {
        "train": 239,
        "validation": 31,
        "test": 30,
    }


def test_the_history_of_a_regression_follows_the_error_in_the_targets_units():
    run = prepared("price", epochs=3, early_stopping=False)
    trained = run.fit()
    # The history compares float32 outputs with float32 targets: 8 roundings at most of values
    # that are a few standard deviations large.
    tolerance = 8 * np.finfo(np.float32).eps * 5 * run.target.std
    last = trained.history["validation_rmse"][-1]
    assert abs(last - trained.scores["validation"]["rmse"]) <= tolerance


def test_a_linear_target_is_learned():
    trained = prepared("price", layers=(), learning_rate=0.05, l2=0.0).fit()
    assert trained.scores["test"]["r2"] > 0.99


def test_the_details_are_plain_data_and_tell_the_run():
    trained = prepared("kind", epochs=2, seed=3).fit()
    details = json.loads(json.dumps(trained.model.details))
    assert details["scores"] == json.loads(json.dumps(trained.scores))
    assert details["config"]["training"]["seed"] == 3
    assert details["versions"]["chainrule"] == cr.__version__


def test_an_error_names_the_row_in_the_file_not_in_a_part():
    broken = table().with_columns(
        x=pl.when(pl.int_range(300) == 41).then(float("inf")).otherwise(pl.col("x"))
    )
    with pytest.raises(InvalidTableError, match="'x' holds inf in row 42"):
        PreparedRun.prepare(RunConfig.of({"target": "kind"}), broken)


def test_a_rare_class_is_learned_though_no_other_part_has_it():
    rare = table().with_columns(
        kind=pl.when(pl.int_range(300) == 3).then(pl.lit("rare")).otherwise(pl.col("kind"))
    )
    run = PreparedRun.prepare(RunConfig.of({"target": "kind", "epochs": 1}), rare)
    assert "rare" in run.parts.train["kind"]
    assert run.fit().scores["test"]["roc_auc"] is None


def test_a_class_of_another_table_that_the_model_does_not_know_is_named(tmp_path):
    other = tmp_path / "other.csv"
    table(20).with_columns(kind=pl.lit("sideways")).write_csv(other)
    run = prepared("kind", epochs=1, test=str(other))
    with pytest.raises(InvalidTableError, match=r"'sideways'.* none of the model's classes"):
        run.fit()


def test_trials_of_one_run_do_not_see_each_other():
    run = prepared("kind", epochs=2)
    narrow = replace(run, config=replace(
        run.config, training=replace(run.config.training, layers=(3,))
    ))  # fmt: skip
    first = run.train().network.parameters.copy()
    narrow.train()
    np.testing.assert_array_equal(run.train().network.parameters, first)


def test_the_latest_rows_test_and_the_first_train():
    config = RunConfig.of({"target": "price", "time": "z"})
    parts = divide(config, table())
    latest = [part["z"] for part in (parts.train, parts.validation, parts.test)]
    assert latest[0].max() <= latest[1].min() <= latest[1].max() <= latest[2].min()


@pytest.mark.parametrize("seeds", [(1, 1), (1, 2)])
def test_the_seed_decides_the_division(seeds):
    configs = [RunConfig.of({"target": "price", "seed": seed}) for seed in seeds]
    one, other = (divide(config, table()).test for config in configs)
    assert one.equals(other) == (seeds[0] == seeds[1])


def test_columns_of_many_categories_get_numbers_that_are_learned():
    random = np.random.default_rng(0)
    place = random.integers(0, 30, 1500)
    effect = random.normal(size=30)
    rows = pl.DataFrame(
        {
            "x": random.normal(size=1500),
            "place": [f"place {number}" for number in place],
            "y": effect[place] + 0.01 * random.normal(size=1500),
        }
    )
    config = RunConfig.of({"target": "y", "embed_above": 20, "layers": (16,), "epochs": 60})
    trained = PreparedRun.prepare(config, rows).fit()
    network = trained.model.network
    assert [table.shape[0] for table in network.embeddings] == [31]
    assert trained.scores["test"]["r2"] > 0.95

    found = trained.model.explain(rows, rows=1).rows[0]
    assert [one.column for one in found.effects] == ["place", "x"]
    moved = sum(one.effect for one in found.effects)
    assert moved == pytest.approx(found.value - found.baseline, rel=1e-6)
    assert found.value == pytest.approx(trained.model.predict(rows[:1])["prediction"][0], rel=1e-4)


def test_the_judgement_of_a_run_is_computed_once_and_shared_with_its_report(tmp_path, monkeypatch):
    run = prepared("kind", epochs=2, seed=7)
    trained = run.fit()
    judged = trained.judgement
    assert judged.part == "test"
    assert judged.table.equals(run.parts.test)
    assert trained.verdict.sentence.startswith("On 30 test rows")
    computed = []
    monkeypatch.setattr(page, "judge_parts", lambda *given, **named: computed.append(given))
    trained.write_to(RunFolder(tmp_path), report=True)
    assert not computed
    assert trained.judgement is judged
    assert trained.verdict.sentence in (tmp_path / "report.html").read_text(encoding="utf-8")
