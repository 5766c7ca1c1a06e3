import csv
import json

import matplotlib.image
import numpy as np
import polars as pl
import pytest

import chainrule as cr


def test_training_writes_the_five_files_and_names_them(trained):
    outcome, folder = trained
    assert outcome.code == 0
    names = {
        "model.safetensors",
        "history.csv",
        "learning_curves.png",
        "network.png",
        "metrics.json",
    }
    assert {path.name for path in folder.iterdir()} == names
    for name in names:
        assert str(folder / name) in outcome.out.replace("\n", "")


def test_training_says_what_it_understood(trained):
    out = trained[0].out
    assert "569 rows; 364 train, 91 validate, 114 test" in out
    assert "Classification of diagnosis: 2 classes, B (357), M (212)" in out
    assert "30 inputs → 24 relu → 24 relu → 2 softmax; 1,394 parameters" in out


def test_training_shows_the_scores_and_the_confusion_matrix(trained):
    outcome, folder = trained
    scores = json.loads((folder / "metrics.json").read_text(encoding="utf-8"))["test"]
    for name in ("accuracy", "precision", "recall", "F1", "ROC AUC", "validation", "true"):
        assert name in outcome.out
    assert f"{scores['accuracy']:.4f}" in outcome.out
    assert "those of class M" in outcome.out


def test_training_shows_its_progress_on_standard_error(trained):
    lines = trained[0].err.splitlines()
    assert lines[0].startswith("epoch 1/20  loss ")
    assert lines[-1].startswith("epoch 20/20  loss ")


def test_the_metrics_file_has_the_scores_of_all_parts(trained):
    scores = json.loads((trained[1] / "metrics.json").read_text(encoding="utf-8"))
    assert list(scores) == ["train", "validation", "test"]
    for part, rows in (("train", 364), ("validation", 91), ("test", 114)):
        assert scores[part]["rows"] == rows
        assert scores[part]["accuracy"] > 0.9
        counts = np.array(scores[part]["confusion_matrix"]["counts"])
        assert counts.sum() == rows
        # The counts are whole, so their quotient rounds like scikit-learn's.
        assert scores[part]["accuracy"] == counts.trace() / rows


def test_the_history_file_has_a_row_an_epoch(trained):
    with (trained[1] / "history.csv").open(encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    assert [row["epoch"] for row in rows] == [str(epoch) for epoch in range(1, 21)]
    assert {"loss", "validation_loss", "accuracy", "validation_accuracy"} <= set(rows[0])
    assert float(rows[-1]["loss"]) < float(rows[0]["loss"])


def test_the_pictures_can_be_opened_and_are_not_blank(trained):
    for name in ("learning_curves.png", "network.png"):
        pixels = matplotlib.image.imread(trained[1] / name)
        assert min(pixels.shape[:2]) > 500
        assert pixels.std() > 0.05


def test_the_model_loads_in_python_and_takes_the_table(trained, wdbc):
    model = cr.load(trained[1] / "model.safetensors")
    assert isinstance(model, cr.TableModel)
    assert model.evaluate(wdbc)["accuracy"] > 0.95


def test_a_regression_shows_errors_in_the_targets_units(regression):
    _, _, outcome = regression
    assert "Regression of price" in outcome.out
    for name in ("RMSE", "MAE", "R²"):
        assert name in outcome.out
    assert "confusion" not in outcome.out


def test_a_task_can_be_forced(chainrule, tmp_path):
    table = tmp_path / "table.csv"
    table.write_text("x,y\n" + "".join(f"{i},{i % 2}\n" for i in range(40)), encoding="utf-8")
    by_itself, forced = (
        chainrule("train", table, "--target", "y", "--epochs", 1, "--out", tmp_path / "run", *more)
        for more in ([], ["--task", "regression"])
    )
    assert "Classification of y: 2 classes, 0 (20), 1 (20)" in by_itself.out
    assert "Regression of y" in forced.out


def test_options_reach_the_network_and_the_optimizer(chainrule, wdbc, tmp_path):
    outcome = chainrule(
        *("train", wdbc, "--target", "diagnosis", "--out", tmp_path, "--epochs", 2),
        *("--layers", "5, 3", "--activation", "leaky_relu(slope=0.2)", "--seed", 7),
        *("--optimizer", "sgd", "--learning-rate", 0.25, "--batch-size", 64, "--l1", 0.1),
    )
    assert outcome.code == 0
    model = cr.load(tmp_path / "model.safetensors")
    assert model.network.spec.sizes == (30, 5, 3, 2)
    assert model.network.spec.layers[0].activation == "leaky_relu(slope=0.2)"
    assert model.network.seed == 7
    history = pl.read_csv(tmp_path / "history.csv")
    assert history["learning_rate"].to_list() == [0.25, 0.25]
    assert history["penalty"].min() > 0.1


def test_no_hidden_layer_is_possible(chainrule, wdbc, tmp_path):
    arguments = ("train", wdbc, "--target", "diagnosis", "--out", tmp_path, "--epochs", 1)
    assert chainrule(*arguments, "--layers", "none").code == 0
    assert cr.load(tmp_path / "model.safetensors").network.spec.sizes == (30, 2)


def test_names_that_look_like_markup_are_shown_as_they_are(chainrule, tmp_path):
    table = tmp_path / "[red]table.csv"
    rows = "".join(f"{i},{i * i},{'[bold]' if i % 2 else ':smile: $_{'}\n" for i in range(40))
    table.write_text("[blue]x,$y$,[i]kind\n" + rows, encoding="utf-8")
    outcome = chainrule(
        "train", table, "--target", "[i]kind", "--epochs", 1, "--out", tmp_path / "run"
    )
    assert outcome.code == 0
    for name in ("[red]table.csv", "[i]kind", "[bold]", ":smile: $_{"):
        assert name in outcome.out


def test_many_classes_are_trained_and_not_shown_as_a_matrix(chainrule, tmp_path):
    table = tmp_path / "table.csv"
    rows = "".join(f"{i % 15},c{i % 15}\n" for i in range(150))
    table.write_text("x,kind\n" + rows, encoding="utf-8")
    outcome = chainrule("train", table, "--target", "kind", "--epochs", 1, "--out", tmp_path)
    assert outcome.code == 0
    assert "15 classes is too wide to show" in outcome.out
    assert "means over the classes" in outcome.out


@pytest.mark.parametrize("twice", [True, False])
def test_the_same_command_gives_the_same_model_to_the_bit(chainrule, wdbc, tmp_path, twice):
    models = []
    for seed in (3, 3 if twice else 4):
        folder = tmp_path / str(len(models))
        arguments = ("--target", "diagnosis", "--epochs", 2, "--seed", seed, "--out", folder)
        assert chainrule("train", wdbc, *arguments).code == 0
        models.append(cr.load(folder / "model.safetensors"))
    assert np.array_equal(*(model.network.parameters for model in models)) is twice
    assert (models[0].encoder.columns_ == models[1].encoder.columns_) is twice
