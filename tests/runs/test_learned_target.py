"""What a run makes of its target: task by the loss, missing words, spellings, a long tail."""

from dataclasses import replace

import numpy as np
import polars as pl
import pytest

import chainrule as cr
from chainrule.errors import InvalidArgumentError, InvalidTableError
from chainrule.runs.config import RunConfig
from chainrule.runs.parts import rows_with_target
from chainrule.runs.training import PreparedRun

ROWS = 400
RANDOM = np.random.default_rng(0)
A, B = RANDOM.normal(size=ROWS), RANDOM.uniform(size=ROWS)


def prepared(values, **settings):
    table = pl.DataFrame({"a": A, "b": B, "y": values})
    return PreparedRun.prepare(RunConfig.of({"target": "y", "preset": "fast", **settings}), table)


def texts(*words):
    return [words[i % len(words)] for i in range(ROWS)]


def notes_of(run, word):
    return [note for note in run.notes if word in note]


# The task that a loss asks for


def test_a_loss_of_values_makes_few_whole_numbers_a_regression():
    counts = np.random.default_rng(2).poisson(2, ROWS)
    assert prepared(counts).target.task == "classification"
    run = prepared(counts, loss="poisson")
    assert run.target.task == run.config.data.task == "regression"
    assert notes_of(run, "the loss poisson asks for a regression")
    again = RunConfig.from_toml(run.config.to_toml()).updated({"table": "t"})
    assert again.data.task == "regression"


def test_a_loss_of_classes_makes_numbers_classes():
    values = np.arange(ROWS) % 25
    assert prepared(values).target.task == "regression"
    assert prepared(values, loss="focal").target.task == "classification"


@pytest.mark.parametrize(("loss", "task"), [("poisson", "classification"), ("focal", "regression")])
def test_a_loss_and_a_task_that_contradict_are_both_named(loss, task):
    with pytest.raises(
        InvalidArgumentError, match=f"leave out one of --loss {loss} and --task {task}"
    ):
        prepared(np.arange(ROWS) % 25, loss=loss, task=task)


def test_text_does_not_become_a_regression_by_its_loss():
    with pytest.raises(InvalidArgumentError, match=r"expected log_loss, focal .* got 'poisson'"):
        prepared(texts("a", "b"), loss="poisson")


def test_counts_are_offered_their_loss_and_years_are_not():
    counts = np.random.default_rng(3).poisson(3, ROWS)
    assert notes_of(prepared(counts, task="regression"), "--loss poisson may fit")
    assert not notes_of(prepared(counts, loss="poisson"), "--loss poisson may")
    assert not notes_of(prepared(np.random.default_rng(4).integers(1950, 2020, ROWS)), "poisson")
    assert not notes_of(prepared(counts + 0.5, task="regression"), "poisson")
    assert not notes_of(prepared(counts - 1, task="regression"), "poisson")


# Words for missing values


def test_words_for_missing_values_are_no_classes_and_are_counted():
    run = prepared(texts("yes", "no", "NA", "yes", "no", " n/a ", "no", None))
    assert run.target.classes == ("no", "yes")
    (note,) = notes_of(run, "without a value of y")
    assert "left out 150 rows" in note
    assert "(NA in 50, n/a in 50, 50 empty); --target-missing empty keeps" in note


def test_words_can_be_kept_as_classes():
    values = texts("yes", "no", "NA")
    assert prepared(values, target_missing="empty").target.classes == ("NA", "no", "yes")


def test_a_table_of_numbers_with_such_words_has_classes_without_them():
    assert prepared(texts("0", "1", "?")).target.classes == (0, 1)


def test_words_that_people_mean_are_classes():
    run = prepared(texts("none", "some", "many", "unknown"))
    assert run.target.classes == ("many", "none", "some", "unknown")
    assert not notes_of(run, "without a value")


def test_namibia_is_a_country_among_countries_and_a_note_says_so():
    codes = texts("NA", "ZA", "DE", "FR", "BW", "MZ", "N/A")
    run = prepared(codes)
    assert run.target.classes == ("BW", "DE", "FR", "MZ", "NA", "ZA")
    (note,) = notes_of(run, "is one of the codes")
    assert note == (
        "the table: NA is one of the codes of y, in 58 rows; --target-missing words takes it as a "
        "missing value"
    )
    assert "NA" not in prepared(codes, target_missing="words").target.classes


def test_nothing_but_words_for_missing_values_is_refused():
    with pytest.raises(InvalidTableError, match=r"no value in any .* \(\? in 200, NA in 200 are"):
        prepared(texts("NA", "?"))


def test_another_table_s_words_are_missing_unless_the_model_has_them_as_classes(tmp_path):
    path = tmp_path / "t.parquet"
    pl.DataFrame({"y": ["NA", "no", "?"]}).write_parquet(path)
    for settings, height in [({}, 1), ({"target_missing": "empty"}, 2)]:
        run = prepared(texts("yes", "no", "NA"), **settings)
        rows, notes, _ = rows_with_target(path, run.fit().model)
        assert rows.height == height
        assert f"left out {3 - height} row" in notes[0]


# Spellings of classes

SPELLINGS = texts("Yes", "no", "yes ", "no", "Yes", "NO")


def test_spellings_of_a_class_are_told_with_the_option_that_merges_them():
    run = prepared(SPELLINGS)
    assert len(run.target.classes) == 4
    (note,) = notes_of(run, "--merge-spellings")
    assert "'no' (134), 'NO' (66); 'Yes' (133), 'yes' (67)" in note


def test_merged_spellings_are_one_class_named_by_the_most_frequent(tmp_path):
    run = prepared(SPELLINGS, merge_spellings=True)
    assert run.target.classes == ("Yes", "no")
    trained = run.fit()
    trained.model.save(tmp_path / "m.safetensors")
    model = cr.load(tmp_path / "m.safetensors")
    table = pl.DataFrame({"a": A, "b": B, "y": [text.upper() for text in SPELLINGS]})
    scores = model.evaluate(table)
    assert scores == model.evaluate(table.with_columns(y=pl.Series(SPELLINGS)))
    assert scores["confusion_matrix"]["classes"] == ["Yes", "no"]
    assert "merge_spellings=True" in run.command


def test_another_table_to_test_with_is_respelled_as_well(tmp_path):
    path = tmp_path / "test.parquet"
    pl.DataFrame({"a": A, "b": B, "y": texts("YES", " No")}).write_parquet(path)
    run = prepared(SPELLINGS, merge_spellings=True, test=str(path))
    assert set(run.parts.test["y"]) == {"Yes", "no"}


# Long tails

TAME = 3 * A + B + RANDOM.normal(0, 0.2, ROWS)


def far(values, place=17, to=1e9):
    values = values.copy()
    values[place] = to
    return values


def test_a_tame_target_is_trained_on_to_the_same_bits_as_without_any_transform():
    automatic, without = (prepared(TAME, target_transform=name) for name in (None, "none"))
    assert automatic.target == without.target
    assert automatic.fit().model.network.parameters.tobytes() == (
        without.fit().model.network.parameters.tobytes()
    )
    assert "target-transform" not in automatic.command


@pytest.mark.parametrize("to", [1e9, -1e9, 1e30])
def test_one_value_far_outside_does_not_spoil_the_others(to):
    run = prepared(far(TAME, to=to))
    place = next(n for n, t in run.parts.tables().items() if to in t["y"].to_list())
    assert place == "train"
    assert notes_of(run, "1 value of the training rows lie")
    scores = run.fit().scores
    assert scores["validation"]["r2"] > 0.8
    assert scores["test"]["r2"] > 0.8


def test_without_a_transform_one_value_spoils_the_others_and_a_note_says_so():
    without = prepared(far(TAME), target_transform="none", l2=0.0, ema_decay=0.0).fit()
    assert without.scores["test"]["r2"] < -100
    assert any("worse than always answering" in note for note in without.notes)


def test_six_decades_are_learned_as_a_logarithm_and_answered_without_bias():
    noise = np.random.default_rng(5).normal(0, 0.6, ROWS)
    run = prepared(np.exp(2 * A + 3 * B + noise), epochs=60)
    assert run.target.transform.kind == "log"
    assert notes_of(run, "learns its logarithm")
    model = run.fit().model
    # Of normal noise the mean is e^{σ²/2} times the median; Duan's needs no distribution.
    assert model.target.transform.rise == pytest.approx(np.exp(0.6**2 / 2), rel=0.15)


def test_a_loss_of_medians_is_undone_exactly():
    run = prepared(np.exp(2.3 * A), loss="absolute_error")
    assert run.fit().model.target.transform == run.target.transform.plain


def test_huber_bears_a_far_value_by_a_robust_scale_and_its_delta_stays_in_the_target_s_units():
    run = prepared(far(TAME), loss="huber", huber_delta=1.5)
    assert run.target.transform is None
    assert run.target.std < 10
    assert notes_of(run, "scaled by its median and quartiles")
    assert run.fit().scores["test"]["r2"] > 0.8


def test_a_transformed_model_predicts_evaluates_and_explains_in_the_target_s_units(tmp_path):
    run = prepared(np.exp(2.3 * A + B))
    trained = run.fit()
    trained.model.save(tmp_path / "m.safetensors")
    model = cr.load(tmp_path / "m.safetensors")
    test = run.parts.test
    predicted = model.predict(test)["prediction"].to_numpy()
    missed = test["y"].to_numpy() - predicted
    assert model.evaluate(test)["rmse"] == pytest.approx(np.sqrt(np.mean(missed**2)))
    assert trained.scores["test"] == model.evaluate(test)
    found = model.explain(test, rows=1).rows[0]
    assert found.value == pytest.approx(predicted[0], rel=1e-4)
    total = sum(one.effect for one in found.effects)
    assert total == pytest.approx(found.value - found.baseline, rel=1e-5)
    errors = trained.history.epochs[(trained.model.details["best_epoch"] or 1) - 1]
    validation = trained.scores["validation"]["rmse"]
    assert errors.validation_metrics["rmse"] == pytest.approx(validation, rel=0.2)


def test_a_transform_is_part_of_the_command_and_of_run_toml():
    run = prepared(TAME, target_transform="asinh")
    assert "target_transform='asinh'" in run.command
    config = RunConfig.from_toml(run.config.to_toml())
    assert config.encoding.target_transform == "asinh"


@pytest.mark.parametrize(
    ("values", "settings", "message"),
    [
        (TAME, {"target_transform": "log"}, "log needs values above 0"),
        (texts("a", "b"), {"target_transform": "log"}, "log is for values"),
        (RANDOM.poisson(2, ROWS), {"target_transform": "log", "loss": "poisson"}, "as they are"),
        (TAME, {"target_transform": "sqrt"}, "expected auto, none, log or asinh"),
    ],
)
def test_a_transform_that_cannot_be_is_refused_with_the_reason(values, settings, message):
    with pytest.raises((InvalidArgumentError, InvalidTableError), match=message):
        prepared(values, **settings)


def test_a_network_worse_than_the_mean_says_so_and_a_good_one_does_not():
    noise = np.random.default_rng(1).normal(size=ROWS)
    poor = prepared(noise, epochs=200, early_stopping=False, l2=0.0, layers=(200, 200)).fit()
    (note,) = [note for note in poor.notes if "worse than always answering" in note]
    named = [part for part in ("validation", "test") if f"on the {part} rows" in note]
    assert named
    for part in named:
        assert f"RMSE {poor.scores[part]['rmse']:.5g} against" in note
    good = prepared(TAME).fit()
    assert not any("worse than" in note for note in good.notes)


def test_a_value_out_of_reach_among_the_validation_rows_hides_no_comparison():
    values = np.exp(2.3 * A)
    run = prepared(values)
    run = replace(
        run,
        parts=replace(
            run.parts,
            validation=run.parts.validation.with_columns(
                y=pl.when(pl.int_range(pl.len()) == 0).then(1e15).otherwise(pl.col("y"))
            ),
        ),
    )
    assert not any("worse than" in note for note in run.fit().notes)
