import json

import numpy as np
import polars as pl
import pytest

import chainrule as cr
from chainrule.assessment.column_bins import Bins
from chainrule.assessment.training_profile import TrainingProfile
from chainrule.errors import InvalidModelFileError, InvalidTableError

ROWS = 3000


def table(rows=ROWS, seed=0, shift=0.0):
    """Return rows of which "much" decides the target, and "noise" does not matter."""
    random = np.random.default_rng(seed)
    much, noise = random.normal(shift, 1, rows), random.normal(0, 1, rows)
    kind = random.choice(["a", "b", "c"], rows, p=[0.5, 0.3, 0.2])
    when = np.datetime64("2026-01-01") + random.integers(0, 300, rows)
    target = 3 * much + (kind == "b") + random.normal(0, 0.1, rows)
    return pl.DataFrame(
        {"much": much, "noise": noise, "kind": kind, "when": when, "some": kind == "b", "y": target}
    )


def trained(rows, **options):
    return cr.train(rows, target="y", epochs=15, layers=(8,), **options).model


@pytest.fixture(scope="module")
def model():
    return trained(table())


def by_name(found):
    return {one.column: one for one in found.columns}


def test_rows_of_the_same_distribution_hardly_ever_have_a_drift(model):
    shifted = 0
    for seed, rows in enumerate([30, 300, 1000] * 12, start=1):
        found = model.drift(table(rows, seed).drop("y"))
        assert (found.rows, found.training_rows) == (rows, 2400)
        shifted += {one.verdict for one in (*found.columns, found.predictions)} != {"none"}
    # Of 36 tables, each with a probability of 1 in 100: more than 4 once in over 10,000 trials.
    assert shifted <= 4


def test_a_shift_of_a_column_that_matters_is_said_to_matter(model):
    found = model.drift(table(500, 1, shift=1.5))
    shifted = by_name(found)["much"]
    assert shifted.verdict == "large"
    assert shifted.matters
    assert found.columns[0] is shifted
    assert found.predictions.verdict == "large"
    assert {one.verdict for one in found.columns[1:]} == {"none"}
    assert "Shifted column that the model depends on: much." in " ".join(found.sentences)


def test_a_shift_of_a_column_that_matters_little_is_told_apart(model):
    rows = table(500, 1).with_columns(noise=pl.lit(0.5))
    found = model.drift(rows)
    shifted = by_name(found)["noise"]
    assert shifted.verdict == "large"
    assert shifted.weight < 0.05
    assert not shifted.matters
    assert found.predictions.verdict == "none"
    assert "Shifted column that the model depends on little: noise." in " ".join(found.sentences)


def test_the_weights_are_the_shares_of_what_shuffling_changes(model):
    weights = {one.column: one.weight for one in model.drift(table(500, 1)).columns}
    assert sum(weights.values()) == pytest.approx(1)
    # The standard deviations of 3·much and of an indicator of probability 0.3: 3 to 0.46.
    assert weights["much"] > 0.7
    assert max(weights, key=weights.get) == "much"


def test_the_index_of_a_column_is_that_of_its_deciles_by_hand():
    then, now = np.arange(1, 101.0), np.array([5.0] * 60 + [95.0] * 40)
    bins = Bins.of_numbers(then)
    assert bins.edges == tuple(range(10, 100, 10))
    assert bins.counts == (10,) * 10
    assert bins.count_numbers(now).bins == (60, 0, 0, 0, 0, 0, 0, 0, 0, 40)
    small = trained(
        pl.DataFrame({"x": then, "z": then[::-1] ** 2, "y": then}), split=(0.98, 0.01, 0.01)
    )
    profile = TrainingProfile.of_model(small).columns["x"]
    counts = np.array([profile.counts, profile.count_numbers(now).bins], float)
    p, q = (counts + 0.5) / (counts.sum(axis=1, keepdims=True) + 5)
    found = by_name(small.drift(pl.DataFrame({"x": now, "z": now})))["x"]
    assert found.psi == pytest.approx(float(np.sum((q - p) * np.log(q / p))))


def test_missing_values_have_a_bin(model):
    rows = table(1000, 1)
    rows = rows.with_columns(much=pl.when(pl.int_range(1000) < 200).then(None).otherwise("much"))
    found = by_name(model.drift(rows))["much"]
    assert (found.missing_then, found.missing_now) == (0, 0.2)
    assert found.verdict == "large"


def test_unknown_categories_are_named_with_their_share(model):
    kinds = ["a"] * 90 + ["new"] * 8 + ["newer"] * 2
    rows = table(100, 1).with_columns(kind=pl.Series(kinds))
    found = by_name(model.drift(rows))["kind"]
    assert found.outside == 0.1
    assert found.examples == ("new", "newer")


def test_values_outside_the_training_range_are_counted(model):
    low, high = model.details["profile"]["columns"]["much"]["span"]
    values = [low, high, low - 1, high + 1, 0.0]
    rows = table(5, 1).with_columns(much=pl.Series(values))
    assert by_name(model.drift(rows))["much"].outside == 0.4
    later = table(10, 1).with_columns(when=pl.lit("2030-01-01").str.to_date())
    found = by_name(model.drift(later))["when"]
    assert found.outside == 1
    assert found.span == ("2026-01-01", "2026-10-27")


def test_one_row_is_too_few_to_tell_anything_by(model):
    found = model.drift(table(1, 1, shift=1))
    assert {one.verdict for one in found.columns} == {"none"}
    assert "With 1 row, only very large shifts" in repr(found)


def test_the_same_table_has_the_same_drift_in_every_format(tmp_path):
    rows = table(400, 1)
    for name, write in (("t.csv", rows.write_csv), ("t.parquet", rows.write_parquet)):
        write(tmp_path / name)
    model = trained(str(tmp_path / "t.csv"))
    new = table(300, 2, shift=0.5)
    new.write_csv(tmp_path / "new.csv")
    new.write_parquet(tmp_path / "new.parquet")
    found = [model.drift(tmp_path / "new.csv"), model.drift(tmp_path / "new.parquet")]
    assert found[0] == found[1] == model.drift(new) == model.drift(new.to_pandas())


def test_a_classification_is_compared_by_its_classes_or_its_probability():
    rows = table().with_columns(y=pl.col("y") > 0)
    two = trained(rows)
    assert two.drift(table(500, 1)).predictions.verdict == "none"
    assert two.drift(table(500, 1, shift=1)).predictions.verdict == "large"
    three = trained(table().with_columns(y=(pl.col("y") / 4).round().clip(-1, 1).cast(pl.String)))
    assert three.drift(table(500, 1)).predictions.verdict == "none"
    assert three.drift(table(500, 1, shift=1)).predictions.verdict == "large"


def test_a_saved_model_has_the_same_drift(model, tmp_path):
    model.save(tmp_path / "m.safetensors")
    new = table(300, 2, shift=0.5)
    assert cr.load(tmp_path / "m.safetensors").drift(new) == model.drift(new)


def test_a_model_without_the_distributions_says_what_to_do(model):
    old = type(model)(model.network, model.encoder, model.target, {})
    with pytest.raises(InvalidModelFileError, match="train it again"):
        old.drift(table(10))


@pytest.mark.parametrize(
    "damage",
    [
        lambda profile: profile.pop("columns"),
        lambda profile: profile["columns"].update(other=profile["columns"]["much"]),
        lambda profile: profile["columns"]["much"].update(edges=[2, 1]),
        lambda profile: profile["columns"]["much"].update(counts=[1]),
        lambda profile: profile["columns"]["much"].update(counts=[-1] * 10),
        lambda profile: profile["columns"]["kind"].update(kind="numbers"),
        lambda profile: profile["columns"]["kind"].update(known=[1, 2]),
        lambda profile: profile.update(dependence={"much": "x"}),
        lambda profile: profile.update(dependence={"much": 1.0}),
        lambda profile: profile.update(predictions=3),
        lambda profile: profile["predictions"].update(missing=None),
    ],
)
def test_a_damaged_profile_is_refused(model, damage):
    details = json.loads(json.dumps(model.details))
    damage(details["profile"])
    damaged = type(model)(model.network, model.encoder, model.target, details)
    with pytest.raises(InvalidModelFileError, match="profile of the training rows cannot be used"):
        damaged.drift(table(10))


def test_columns_that_are_missing_or_changed_are_named(model):
    with pytest.raises(InvalidTableError, match="no column 'much', which the model needs"):
        model.drift(table(10).drop("much"))
    with pytest.raises(InvalidTableError, match="column 'much' holds"):
        model.drift(table(10).with_columns(much=pl.lit("text")))
    with pytest.raises(InvalidTableError, match="at least one row"):
        model.drift(table(10).clear())


def test_a_profile_of_many_columns_keeps_those_that_matter_and_fits_into_a_file(model):
    profile = TrainingProfile.of_model(model)
    names = [f"{n:05d}" for n in range(3000)]
    dependence = {name: float(int(name) % 7) for name in names}
    bins = dict.fromkeys(names, profile.columns["much"])
    entry = TrainingProfile(bins, dependence, profile.predictions).to_json()
    kept = entry["columns"]
    assert 100 < len(kept) < 3000
    assert len(json.dumps(kept)) < 1_100_000
    assert min(dependence[name] for name in kept) >= max(
        dependence[name] for name in names if name not in kept
    )


def test_many_categories_are_not_taken_for_unknown_ones():
    names = [f"k{n}" for n in range(500) for _ in range(1 + n % 3)]
    bins = Bins.of_texts(pl.Series(names))
    assert len(bins.known) == 200
    assert bins.more == 300
    found = bins.count_texts(pl.Series(names + ["other"] * 10))
    assert found.outside == 0
    assert sum(found.bins) == len(names) + 10


def test_a_drift_shows_itself_within_80_columns_and_as_html(model):
    rows = table(500, 1, shift=1.5)
    found = model.drift(rows.with_columns(kind=pl.lit("<b>new</b>")))
    assert max(map(len, repr(found).splitlines())) <= 80
    assert "<b>new</b>" in repr(found)
    assert "<b>new</b>" not in found._repr_html_()
    assert "&lt;b&gt;new" in found._repr_html_()
    frame = found.to_frame()
    assert frame["column"].to_list() == [one.column for one in found.columns]
    assert json.loads(json.dumps(found.to_json()))["rows"] == 500


def test_the_command_shows_what_python_shows(model, tmp_path):
    from typer.testing import CliRunner

    from chainrule.cli.app import app

    model.save(tmp_path / "model.safetensors")
    table(500, 1, shift=1.5).write_csv(tmp_path / "new.csv")
    expected = model.drift(tmp_path / "new.csv")
    shown = CliRunner().invoke(app, ["drift", str(tmp_path), str(tmp_path / "new.csv")])
    assert shown.stdout == f"{expected!r}\n"
    told = CliRunner().invoke(app, ["drift", str(tmp_path), str(tmp_path / "new.csv"), "--json"])
    assert json.loads(told.stdout) == json.loads(json.dumps(expected.to_json()))


def test_with_many_columns_one_of_mean_weight_matters():
    random = np.random.default_rng(0)
    inputs = {f"x{i}": random.normal(size=800) for i in range(25)}
    rows = pl.DataFrame({**inputs, "y": sum(inputs.values())})
    model = cr.train(rows, target="y", epochs=10, layers=(8,)).model
    weights = {one.column: one.weight for one in model.drift(rows).columns}
    name = min((weight, name) for name, weight in weights.items() if weight >= 1 / 25)[1]
    assert weights[name] < 0.05
    shifted = by_name(model.drift(rows.with_columns(pl.col(name) * 100)))[name]
    assert shifted.matters
    least = min(weights, key=weights.__getitem__)
    assert weights[least] < 1 / 25
    assert not by_name(model.drift(rows.with_columns(pl.col(least) * 100)))[least].matters
