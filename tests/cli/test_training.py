import csv
import json
import math
import os
import re
import shlex

import numpy as np
import polars as pl
import pytest

import chainrule as cr


def test_training_writes_its_files_and_names_them(trained):
    outcome, folder = trained
    assert outcome.code == 0
    names = {"model.safetensors", "history.csv", "metrics.json", "test_predictions.csv", "run.toml"}
    assert {path.name for path in folder.iterdir()} == names
    for name in names:
        assert str(folder / name) in outcome.out.replace("\n", "")


def test_training_says_what_it_understood_and_chose(trained):
    out = trained[0].out
    assert "569 rows; 455 train, 57 validate, 57 test" in out
    assert "Classification of diagnosis: 2 classes, B (285), M (170) in the training rows" in out
    assert "30 inputs from 30 columns → 128 silu → 128 silu → 128 silu → 2 classes" in out
    assert "adamw, learning rate 0.0035 (cosine), batches of 32, 20 epochs" in out
    assert "of which the best is kept, seed 0" in out


def test_training_shows_the_scores_and_the_confusion_matrix(trained):
    outcome, folder = trained
    scores = json.loads((folder / "metrics.json").read_text(encoding="utf-8"))["test"]
    for name in ("accuracy", "precision", "recall", "F1", "ROC AUC", "validation", "true"):
        assert name in outcome.out
    assert f"{scores['accuracy']:.4f}" in outcome.out
    assert "those of class M" in outcome.out


def test_training_shows_what_the_test_rows_tell_of_it_beside_the_baselines(trained):
    out = trained[0].out
    assert "Scores on 57 test rows, with 95% intervals:" in out
    table = out[out.index("Scores on 57") :]
    for name in ("This network", "Always “B”", "Linear model", "Boosted trees"):
        assert re.search(rf"{name} +\d+\.\d% \([\d.]+–[\d.]+\) +[\d.]+ \([\d.]+–[\d.]+\)", table)
    told = " ".join(table.split())
    assert "On these rows, the network is better than always predicting “B” in accuracy" in told


def test_training_shows_its_progress_on_standard_error(trained):
    *lines, stopped = trained[0].err.splitlines()
    assert lines[0].startswith("epoch 1/20  loss ")
    epochs = len((trained[1] / "history.csv").read_text().splitlines()) - 1
    assert lines[-1].startswith(f"epoch {epochs}/20  loss ")
    # Its validation loss had become much worse by then.
    told = rf"stopped after {epochs} epochs: no better validation loss since epoch \d+, whose"
    assert re.match(told, stopped)


def test_the_metrics_file_has_the_scores_of_all_parts(trained):
    scores = json.loads((trained[1] / "metrics.json").read_text(encoding="utf-8"))
    assert list(scores) == ["train", "validation", "test"]
    for part, rows in (("train", 455), ("validation", 57), ("test", 57)):
        assert scores[part]["rows"] == rows
        assert scores[part]["accuracy"] > 0.9
        counts = np.array(scores[part]["confusion_matrix"]["counts"])
        assert counts.sum() == rows
        # The counts are whole, so their quotient rounds like scikit-learn's.
        assert scores[part]["accuracy"] == counts.trace() / rows


def test_the_history_file_has_a_row_an_epoch(trained):
    with (trained[1] / "history.csv").open(encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    assert [row["epoch"] for row in rows] == [str(epoch) for epoch in range(1, len(rows) + 1)]
    assert 10 < len(rows) <= 20
    assert {"loss", "validation_loss", "validation_accuracy"} <= set(rows[0])
    assert float(rows[-1]["loss"]) < float(rows[0]["loss"])


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
        chainrule(
            "train",
            table,
            "--target",
            "y",
            "--epochs",
            1,
            "--no-report",
            "--out",
            tmp_path / "run",
            *more,
        )
        for more in ([], ["--task", "regression", "--overwrite"])
    )
    assert "Classification of y: 2 classes, 0 (16), 1 (16) in the training rows" in by_itself.out
    assert "Regression of y" in forced.out


def test_each_hidden_layer_can_have_an_activation_of_its_own(chainrule, wdbc, tmp_path):
    options = ("--target", "diagnosis", "--epochs", 1, "--no-report", "--layers", "5,3")
    outcome = chainrule(
        *("train", wdbc, *options, "--activation", "tanh, leaky_relu(slope=0.2)"),
        *("--out", tmp_path / "run"),
    )
    assert outcome.code == 0
    model = cr.load(tmp_path / "run" / "model.safetensors")
    hidden = [layer.activation for layer in model.network.spec.layers if layer.has_weights]
    assert hidden == ["tanh", "leaky_relu(slope=0.2)", "sigmoid"]
    assert "--activation 'tanh,leaky_relu(slope=0.2)'" in model.details["command"]
    with_three = chainrule(
        *("train", wdbc, *options, "--activation", "tanh,relu,relu", "--out", tmp_path / "three")
    )
    assert with_three.code == 2
    assert "activation: expected a name, or a list with one for each of the 2" in with_three.err


def test_options_reach_the_network_and_the_optimizer(chainrule, wdbc, tmp_path):
    outcome = chainrule(
        *("train", wdbc, "--target", "diagnosis", "--out", tmp_path, "--epochs", 2, "--no-report"),
        *("--layers", "5, 3", "--activation", "leaky_relu(slope=0.2)", "--seed", 7),
        *("--schedule", "constant"),
        *("--bins", 0, "--no-scale-layer"),
        *("--optimizer", "sgd", "--learning-rate", 0.25, "--batch-size", 64, "--l1", 0.1),
    )
    assert outcome.code == 0
    model = cr.load(tmp_path / "model.safetensors")
    assert model.network.spec.sizes == (30, 5, 3, 1)
    assert model.network.spec.layers[0].activation == "leaky_relu(slope=0.2)"
    assert model.details["config"]["training"]["seed"] == 7
    history = pl.read_csv(tmp_path / "history.csv")
    assert history["learning_rate"].to_list() == [0.25, 0.25]
    assert history["penalty"].min() > 0


def test_no_hidden_layer_is_possible(chainrule, wdbc, tmp_path):
    arguments = (
        "train",
        wdbc,
        "--target",
        "diagnosis",
        "--out",
        tmp_path,
        "--epochs",
        1,
        "--no-report",
    )
    assert chainrule(*arguments, "--layers", "none").code == 0
    assert cr.load(tmp_path / "model.safetensors").network.spec.sizes == (30, 270, 270, 1)


def test_names_that_look_like_markup_are_shown_as_they_are(chainrule, tmp_path):
    table = tmp_path / "[red]table.csv"
    rows = "".join(f"{i},{i * i},{'[bold]' if i % 2 else ':smile: $_{'}\n" for i in range(40))
    table.write_text("[blue]x,$y$,[i]kind\n" + rows, encoding="utf-8")
    outcome = chainrule(
        "train",
        table,
        "--target",
        "[i]kind",
        "--epochs",
        1,
        "--no-report",
        "--out",
        tmp_path / "run",
    )
    assert outcome.code == 0
    for name in ("[red]table.csv", "[i]kind", "[bold]", ":smile: $_{"):
        assert name in outcome.out


def test_many_classes_are_trained_and_not_shown_as_a_matrix(chainrule, tmp_path):
    table = tmp_path / "table.csv"
    rows = "".join(f"{i % 15},c{i % 15}\n" for i in range(150))
    table.write_text("x,kind\n" + rows, encoding="utf-8")
    outcome = chainrule(
        "train", table, "--target", "kind", "--epochs", 1, "--no-report", "--out", tmp_path
    )
    assert outcome.code == 0
    assert "15 classes is too wide to show" in outcome.out
    assert "means over the classes" in outcome.out


@pytest.mark.parametrize("twice", [True, False])
def test_the_same_command_gives_the_same_file_to_the_bit(chainrule, wdbc, tmp_path, twice):
    files = []
    for place, seed in enumerate((3, 3 if twice else 4)):
        folder = tmp_path / str(place)
        arguments = ("--target", "diagnosis", "--epochs", 2, "--seed", seed, "--out", folder)
        assert chainrule("train", wdbc, *arguments, "--no-report").code == 0
        files.append((folder / "model.safetensors").read_bytes())
    assert (files[0] == files[1]) is twice


def same_files(one, other):
    """Tell whether two runs left the same bytes, but for how long an epoch took."""
    names = ("model.safetensors", "metrics.json", "test_predictions.csv", "run.toml")
    same = [(one / name).read_bytes() == (other / name).read_bytes() for name in names]
    histories = [pl.read_csv(folder / "history.csv").drop("seconds") for folder in (one, other)]
    return [*same, histories[0].equals(histories[1])]


@pytest.mark.parametrize(
    "options",
    [
        (),
        ("--preset", "fast", "--seed", 11, "--split", "0.7,0.1,0.2"),
        ("--dropout", "0.1,0.0,0.2", "--batch-norm", "--schedule", "one_cycle", "--l1", 0.5),
        ("--loss", "focal", "--focal-gamma", 1.5, "--class-weight", "balanced"),
        ("--ignore", "mean_area,mean_radius", "--ignore", "worst_area", "--scaling", "robust"),
        ("--optimizer", "lbfgs", "--layers", "8", "--epochs", 5),
        ("--optimizer", "sgd", "--learning-rate", 0.1, "--no-nesterov", "--no-early-stopping"),
        ("--max-grad-norm", 0.5, "--init", "he_normal", "--dtype", "float64", "--no-shuffle"),
        ("--group", "mean_area", "--label-smoothing", 0.1),
        ("--time", "mean_area", "--patience", 2, "--layers", "none"),
    ],
)
def test_a_run_is_repeated_to_the_bit_from_its_run_toml(chainrule, wdbc, tmp_path, options):
    if "--epochs" not in options:
        options = (*options, "--epochs", 3)
    arguments = ("train", wdbc, "--target", "diagnosis", "--no-report", "--quiet")
    first = chainrule(*arguments, *options, "--out", tmp_path / "first")
    assert (first.code, first.out, first.err) == (0, "", "")
    again = ("train", "--config", tmp_path / "first" / "run.toml", "--no-report", "--quiet")
    assert chainrule(*again, "--out", tmp_path / "again").code == 0
    assert same_files(tmp_path / "first", tmp_path / "again") == [True] * 5


def test_the_command_in_the_file_repeats_the_run_to_the_bit(chainrule, wdbc, tmp_path):
    options = ("--epochs", 3, "--layers", "7,5", "--seed", 2, "--dropout", 0.25, "--l2", 0.125)
    options += ("--ignore", "mean_area", "--split", "0.6,0.2,0.2", "--batch-norm")
    arguments = ("train", wdbc, "--target", "diagnosis", "--no-report", "--quiet")
    assert chainrule(*arguments, *options, "--out", tmp_path / "first").code == 0
    command = cr.load(tmp_path / "first" / "model.safetensors").details["command"]
    words = shlex.split(command)
    assert words[:3] == ["chainrule", "train", str(wdbc)]
    assert "--batch-size" not in words
    again = (*words[1:], "--no-report", "--quiet", "--out", tmp_path / "again")
    assert chainrule(*again).code == 0
    assert same_files(tmp_path / "first", tmp_path / "again") == [True] * 5


def test_options_beside_a_config_come_first(chainrule, wdbc, tmp_path):
    (tmp_path / "run.toml").write_text(
        '[data]\ntarget = "nothing"\n[training]\nepochs = 7\nlayers = [5]\n', encoding="utf-8"
    )
    arguments = ("--config", tmp_path / "run.toml", "--target", "diagnosis", "--epochs", 2)
    outcome = chainrule("train", wdbc, *arguments, "--no-report", "--out", tmp_path / "run")
    assert outcome.code == 0
    model = cr.load(tmp_path / "run" / "model.safetensors")
    assert model.network.spec.sizes == (30, 270, 270, 5, 1)
    assert model.network.epochs_trained == 2


def test_another_table_tests_and_lends_no_row_to_training(chainrule, wdbc, tmp_path):
    rows = pl.read_csv(wdbc)
    rows[:400].write_csv(tmp_path / "train.csv")
    rows[400:].write_csv(tmp_path / "other.csv")
    outcome = chainrule(
        *("train", tmp_path / "train.csv", "--test", tmp_path / "other.csv"),
        *("--target", "diagnosis", "--epochs", 3, "--no-report", "--out", tmp_path / "run"),
    )
    assert "train.csv: 400 rows; 360 train, 40 validate" in outcome.out
    assert "other.csv: 169 rows; all test" in outcome.out
    scores = json.loads((tmp_path / "run" / "metrics.json").read_text(encoding="utf-8"))
    model = cr.load(tmp_path / "run" / "model.safetensors")
    assert scores["test"] == model.evaluate(rows[400:])


def test_a_group_stays_together_and_is_not_learned_from(chainrule, tmp_path):
    table = tmp_path / "table.csv"
    rows = "".join(f"{i},p{i // 6},{i % 2}\n" for i in range(240))
    table.write_text("x,patient,y\n" + rows, encoding="utf-8")
    outcome = chainrule(
        *("train", table, "--target", "y", "--group", "patient", "--epochs", 1, "--no-report"),
        *("--out", tmp_path / "run"),
    )
    assert outcome.code == 0
    model = cr.load(tmp_path / "run" / "model.safetensors")
    assert [column.name for column in model.encoder.columns_] == ["x"]
    assert all(count % 6 == 0 for count in model.details["rows"].values())


def test_rows_without_a_target_are_counted(chainrule, wdbc, tmp_path):
    table = tmp_path / "table.csv"
    pl.read_csv(wdbc).with_columns(
        diagnosis=pl.when(pl.int_range(569) < 9).then(None).otherwise(pl.col("diagnosis"))
    ).write_csv(table)
    arguments = ("train", table, "--target", "diagnosis", "--epochs", 1, "--no-report")
    out = chainrule(*arguments, "--out", tmp_path / "run").out
    assert "left out 9 rows without a value of diagnosis" in out
    assert "560 rows; 447 train, 57 validate, 56 test" in out


def test_a_column_that_knows_the_answer_is_told(chainrule, wdbc, tmp_path):
    table = tmp_path / "table.csv"
    pl.read_csv(wdbc).with_columns(
        code=pl.when(pl.col("diagnosis") == "M").then(7).otherwise(3) + pl.int_range(569) / 1e4
    ).write_csv(table)
    arguments = ("train", table, "--target", "diagnosis", "--epochs", 1, "--no-report")
    notes = [
        line
        for line in chainrule(*arguments, "--out", tmp_path / "run").out.splitlines()
        if line.startswith("Note: ") and "test rows" not in line
    ]
    assert len(notes) == 1
    assert "'code'" in notes[0]


def test_json_has_a_line_an_event_and_the_scores_at_the_end(chainrule, wdbc, tmp_path):
    arguments = ("train", wdbc, "--target", "diagnosis", "--epochs", 3, "--no-report", "--json")
    outcome = chainrule(*arguments, "--out", tmp_path)
    assert outcome.err == ""
    lines = [json.loads(line) for line in outcome.out.splitlines()]
    assert [line["event"] for line in lines] == [
        *("run", "started", "epoch", "epoch", "epoch", "stopped", "finished")
    ]
    assert lines[0]["config"]["training"]["layers"] == [128, 128, 128]
    assert lines[0]["rows"] == {"train": 455, "validation": 57, "test": 57}
    assert [line["epoch"] for line in lines[2:5]] == [1, 2, 3]
    scores = json.loads((tmp_path / "metrics.json").read_text(encoding="utf-8"))
    assert lines[-1]["scores"] == scores
    verdict = lines[-1]["verdict"]
    assert verdict["part"] == "test"
    assert verdict["rows"] == 57
    assert verdict["scores"]["network"]["accuracy"]["value"] == scores["test"]["accuracy"]
    for baseline in ("constant", "linear", "trees"):
        found = verdict["differences"][baseline]["log_loss"]
        low, high = found["low"], found["high"]
        outcome = "better" if high < 0 else "worse" if low > 0 else "inconclusive"
        assert found["outcome"] == outcome


def test_the_report_is_written_unless_it_is_not_wanted(chainrule, wdbc, tmp_path):
    arguments = ("train", wdbc, "--target", "diagnosis", "--epochs", 1, "--out", tmp_path / "run")
    outcome = chainrule(*arguments)
    report = tmp_path / "run" / "report.html"
    assert str(report) in outcome.out.replace("\n", "")
    text = report.read_text(encoding="utf-8")
    assert "chainrule train" in text
    assert "diagnosis" in text


@pytest.mark.parametrize("preset", ["fast", "thorough"])
def test_a_preset_decides_what_is_not_set(chainrule, wdbc, tmp_path, preset):
    arguments = ("train", wdbc, "--target", "diagnosis", "--epochs", 1, "--no-report")
    assert chainrule(*arguments, "--preset", preset, "--out", tmp_path).code == 0
    sizes = cr.load(tmp_path / "model.safetensors").network.spec.sizes
    hidden = {"fast": (64, 64), "thorough": (256,) * 6}[preset]  # with dropout: twice
    assert sizes == (30, 270, 270, *hidden, 1)


def test_counts_are_predicted_in_their_own_unit(chainrule, tmp_path):
    table = tmp_path / "table.csv"
    rows = "".join(f"{i % 9},{(i * 7) % 5 + i % 9}\n" for i in range(300))
    table.write_text("x,y\n" + rows, encoding="utf-8")
    arguments = ("train", table, "--target", "y", "--task", "regression", "--loss", "poisson")
    assert chainrule(*arguments, "--no-report", "--out", tmp_path / "run").code == 0
    model = cr.load(tmp_path / "run" / "model.safetensors")
    assert model.network.spec.output_activation == "exponential"
    assert model.evaluate(table)["rmse"] < 1.6  # y deviates by √2 from what x says


def test_a_search_in_parts_is_the_search_in_one_go(chainrule, wdbc, tmp_path):
    arguments = ("train", wdbc, "--target", "diagnosis", "--epochs", 2, "--no-report")
    whole, parts = tmp_path / "whole", tmp_path / "parts"
    assert chainrule(*arguments, "--search", 4, "--out", whole).code == 0
    assert chainrule(*arguments, "--search", 2, "--out", parts).code == 0
    outcome = chainrule(*arguments, "--search", 4, "--out", parts)
    lines = [line.split("  ")[0] for line in outcome.err.splitlines()]
    assert lines == ["2 trials of an earlier call count", "trial 3/4", "trial 4/4"]
    assert "Best of 4 trials: trial" in outcome.out
    assert same_files(whole, parts) == [True] * 5
    again = chainrule(*arguments, "--search", 4, "--out", parts)
    assert "trial " not in again.err


def test_the_best_of_a_search_is_repeated_from_its_run_toml(chainrule, wdbc, tmp_path):
    arguments = ("train", wdbc, "--target", "diagnosis", "--epochs", 2, "--no-report", "--json")
    outcome = chainrule(*arguments, "--search", 3, "--layers", "6", "--out", tmp_path / "found")
    trials = [json.loads(line) for line in outcome.out.splitlines() if '"trial"' in line]
    assert [trial["number"] for trial in trials] == [1, 2, 3]
    assert trials[-1]["best_loss"] == min(trial["loss"] for trial in trials)
    config = ("--config", tmp_path / "found" / "run.toml")
    assert chainrule("train", *config, "--no-report", "--out", tmp_path / "again").code == 0
    assert same_files(tmp_path / "found", tmp_path / "again") == [True] * 5
    assert cr.load(tmp_path / "again" / "model.safetensors").network.spec.sizes == (
        30,
        270,
        270,
        6,
        1,
    )


def test_a_search_ends_with_its_best_beside_the_default(chainrule, tmp_path):
    table = tmp_path / "waves.csv"
    rows = "".join(f"{x / 50},{math.sin(x / 50):.4f}\n" for x in range(600))
    table.write_text("x,y\n" + rows, encoding="utf-8")
    settings = (
        "--target",
        "y",
        "--epochs",
        3,
        "--layers",
        8,
        "--bins",
        0,
        "--out",
        tmp_path / "run",
    )
    outcome = chainrule("train", table, *settings, "--search", 8)
    assert outcome.code == 0
    best = re.search(
        r"Best of 8 trials: trial ([0-9]), .*--activation [a-z]+ --learning-rate", outcome.out
    )
    assert best
    assert "learning_rate" not in outcome.out
    assert "On 60 test rows, " in outcome.out
    assert re.search(rf"trial {best[1]} (against|is better than) the default", outcome.out)
    page = (tmp_path / "run" / "report.html").read_text(encoding="utf-8")
    assert "What the search gained" in page
    again = chainrule("train", table, *settings, "--search", 8)  # all from the journal
    assert again.out.split("Best of")[1] == outcome.out.split("Best of")[1]


def test_a_search_that_finds_nothing_better_says_so(chainrule, wdbc, tmp_path):
    arguments = ("train", wdbc, "--target", "diagnosis", "--epochs", 1, "--no-report")
    out = chainrule(*arguments, "--search", 1, "--out", tmp_path / "run").out
    assert "these are the default settings, and no other trial has a lower loss" in out
    assert "than the default" not in out


def test_a_search_ends_when_its_time_is_over_but_not_before_one_trial(chainrule, wdbc, tmp_path):
    arguments = ("train", wdbc, "--target", "diagnosis", "--epochs", 2, "--no-report")
    outcome = chainrule(*arguments, "--time-limit", "0.001s", "--out", tmp_path)
    assert outcome.code == 0
    assert "Best of 1 trial: trial 1" in outcome.out


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="the system has no FIFOs")
def test_a_table_that_was_a_pipe_is_told_at_once_by_what_would_read_it_again(
    chainrule, wdbc, tmp_path
):
    fifo, folder = tmp_path / "fifo", tmp_path / "run"
    os.mkfifo(fifo)
    config = tmp_path / "run.toml"
    config.write_text(f'[data]\ntable = "{fifo}"\ntarget = "diagnosis"\n')
    again = chainrule("train", "--config", config, "--out", folder)
    assert "run.toml names the table" in again.sentence
    assert "a pipe, which cannot be read a second time" in again.sentence
    assert (
        "--checkpoint"
        in chainrule(
            *("train", fifo, "--target", "diagnosis", "--checkpoint", "--out", folder)
        ).sentence
    )
    folder.mkdir()
    (folder / "run.toml").write_text(config.read_text())
    assert "a pipe" in chainrule("resume", folder).sentence
    # A table that is given beside the file is read instead.
    options = ("--epochs", "1", "--no-report", "--out", tmp_path / "other")
    assert chainrule("train", wdbc, "--config", config, *options).code == 0


def test_every_command_takes_a_model_with_embedded_categories(chainrule, tmp_path):
    table, folder = tmp_path / "towns.csv", tmp_path / "run"
    rows = [f"town{i % 12},{i * 7 % 5},{'yes' if i % 12 % 3 else 'no'}\n" for i in range(300)]
    table.write_text("town,size,y\n" + "".join(rows))
    arguments = ("--target", "y", "--embed-above", 5, "--epochs", 2, "--out", folder)
    assert chainrule("train", table, *arguments).code == 0
    page = (folder / "report.html").read_text(encoding="utf-8")
    assert ">town 1<" in page
    assert ">size<" in page
    model = folder / "model.safetensors"
    for command in ("evaluate", "importance", "check", "predict"):
        assert chainrule(command, model, table).code == 0
    assert chainrule("explain", model, table, "--row", 1, "-o", tmp_path / "e.html").code == 0


@pytest.mark.parametrize(("columns", "short"), [(60, "a cla…"), (80, "a class of a rath…")])
def test_the_verdict_fits_the_terminal(chainrule, tmp_path, monkeypatch, columns, short):
    random = np.random.default_rng(0)
    size = random.normal(size=300)
    names = {True: "a class of a rather long name", False: "another one"}
    table = pl.DataFrame({"size": size, "kind": [names[one] for one in size > -0.5]})
    table.write_csv(tmp_path / "table.csv")
    monkeypatch.setenv("COLUMNS", str(columns))
    arguments = ("train", tmp_path / "table.csv", "--target", "kind", "--epochs", 2, "--no-report")
    out = chainrule(*arguments, "--out", tmp_path / "run").out
    told = out[out.index("Scores on 30") : out.index("On these rows")]
    *table, _ = told.splitlines()  # the sentences after it are wrapped by the terminal
    assert all(len(line) <= columns for line in table)
    assert f"Always “{short}”" in told
    # Nothing but the class is cut.
    assert told.count("…") == 1


@pytest.mark.parametrize(("signal", "code"), [(KeyboardInterrupt(), 130), (SystemExit(143), 143)])
def test_an_interruption_of_the_scores_keeps_the_model(
    chainrule, wdbc, tmp_path, monkeypatch, signal, code
):
    def interrupted(run, fitted):
        raise signal

    monkeypatch.setattr("chainrule.runs.training.PreparedRun.judged", interrupted)
    arguments = ("train", wdbc, "--target", "diagnosis", "--epochs", 2, "--out", tmp_path / "run")
    outcome = chainrule(*arguments)
    assert outcome.code == code
    assert "interrupted; the model of" in outcome.err
    assert cr.load(tmp_path / "run" / "model.safetensors").target.name == "diagnosis"
    assert (tmp_path / "run" / "run.toml").is_file()
