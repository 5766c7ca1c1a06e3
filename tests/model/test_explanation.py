import json
import re

import numpy as np
import polars as pl
import pytest

import chainrule as cr
from chainrule.model.background import Background
from chainrule.model.explanation_text import explanation_text
from chainrule.tables.encoder import TableEncoder
from chainrule.tables.target import TargetEncoder

ROWS = 200
RANDOM = np.random.default_rng(0)
TABLE = pl.DataFrame(
    {
        "x": RANDOM.normal(size=ROWS),
        "z": RANDOM.normal(size=ROWS),
        "kind": [("a", "b", None)[row % 3] for row in range(ROWS)],
        "class": [("no", "yes")[row % 2] for row in range(ROWS)],
        "price": RANDOM.normal(size=ROWS) * 10 + 50,
    }
)
INPUTS = TableEncoder(min_frequency=1).fit(TABLE.select("x", "z", "kind"))


def model(target="class", output="softmax", units=2):
    cost = {"softmax": "cross_entropy", "sigmoid": "binary_cross_entropy"}.get(output, "mse")
    layers = [INPUTS.n_inputs, cr.Dense(8, "relu"), cr.Dense(units, output)]
    network = cr.Network(layers, cost=cost, seed=1)
    task = "regression" if target == "price" else None
    background = Background.summary(network, INPUTS.encode(TABLE))
    return cr.TableModel(
        network, INPUTS, TargetEncoder.fit(TABLE[target], task), background=background
    )


MODELS = {
    "softmax": model,
    "sigmoid": lambda: model(output="sigmoid", units=1),
    "values": lambda: model("price", "identity", 1),
}


@pytest.fixture(params=MODELS)
def any_model(request):
    return MODELS[request.param]()


@pytest.mark.parametrize("method", ["expected_gradients", "shapley"])
def test_the_effects_add_up_to_the_prediction_minus_the_baseline(any_model, method):
    found = any_model.explain(TABLE, rows=[1, 2, 200], method=method)
    assert [row.row for row in found.rows] == [1, 2, 200]
    predicted = any_model.predict(TABLE)
    for row in found.rows:
        answer = predicted.row(row.row - 1, named=True)
        value = answer["prediction"]
        assert row.prediction == value
        if any_model.target.classes:
            assert row.class_name == value
            value = answer[f"probability_{value}"]
        # The predictions are computed in float32, the explanation in float64.
        assert row.value == pytest.approx(value, rel=1e-4)
        total = sum(effect.effect for effect in row.effects)
        assert abs(row.value - row.baseline - total) <= 1e-7 * max(1, abs(row.value))
        sizes = [abs(effect.effect) for effect in row.effects]
        assert sizes == sorted(sizes, reverse=True)


def test_the_baseline_of_a_given_background_is_its_mean_prediction(any_model):
    given = TABLE[:40]
    found = any_model.explain(TABLE, rows=1, background=given).rows[0]
    predicted = any_model.predict(given)
    if any_model.target.classes:
        predicted = predicted[f"probability_{found.class_name}"]
    else:
        predicted = predicted["prediction"]
    assert found.baseline == pytest.approx(predicted.mean(), rel=1e-4)


def test_a_row_that_is_the_whole_background_has_no_effects(any_model):
    found = any_model.explain(TABLE, rows=5, background=TABLE[4:5]).rows[0]
    assert found.value == pytest.approx(found.baseline)
    assert [effect.effect for effect in found.effects] == [0, 0, 0]


@pytest.mark.parametrize("name", ["softmax", "sigmoid"])
def test_the_effects_on_one_of_two_classes_are_those_on_the_other_negated(name):
    both = [MODELS[name]().explain(TABLE, 3, class_name=one).rows[0] for one in ("no", "yes")]
    assert both[0].value + both[1].value == pytest.approx(1)
    by_column = [{one.column: one.effect for one in row.effects} for row in both]
    for column, effect in by_column[0].items():
        assert effect == pytest.approx(-by_column[1][column], abs=1e-7)


def test_the_inputs_of_one_column_are_summed():
    found = model().explain(TABLE, rows=3, method="shapley").rows[0]
    assert {effect.column for effect in found.effects} == {"x", "z", "kind"}
    assert [effect.value for effect in found.effects if effect.column == "kind"] == [None]


def test_a_table_without_the_target_or_with_an_empty_one_is_explained(any_model):
    target = any_model.target.name
    expected = any_model.explain(TABLE, rows=4).rows[0]
    assert expected.truth == TABLE[target][3]
    without = any_model.explain(TABLE.drop(target), rows=4).rows[0]
    empty = any_model.explain(TABLE.with_columns(pl.lit(None).alias(target)), rows=4).rows[0]
    for found in (without, empty):
        assert found.truth is None
        assert found.effects == expected.effects


@pytest.mark.parametrize("word", ["NA", "", "?!"])
def test_a_target_that_is_no_value_does_not_keep_a_row_from_being_explained(word):
    path_like = TABLE.with_columns(price=pl.lit(word))
    assert MODELS["values"]().explain(path_like, rows=1).rows[0].truth is None


def test_an_unseen_category_is_explained():
    row = TABLE[:1].with_columns(kind=pl.lit("never seen"))
    found = model().explain(row).rows[0]
    assert [one.value for one in found.effects if one.column == "kind"] == ["never seen"]


def test_the_same_call_has_the_same_bits_for_any_number_of_threads():
    from threadpoolctl import threadpool_limits

    one = model()
    expected = one.explain(TABLE, [1, 2])
    with threadpool_limits(2):
        assert one.explain(TABLE, [1, 2]) == expected


def test_a_saved_model_explains_as_before(tmp_path):
    one = model()
    one.save(tmp_path / "m.safetensors")
    assert cr.load(tmp_path / "m.safetensors").explain(TABLE, 7) == one.explain(TABLE, 7)


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        ({"rows": 0}, "rows: .* at least 1"),
        ({"rows": 201}, "rows: expected a number from 1 to 200"),
        ({"rows": []}, "rows: expected row numbers"),
        ({"rows": "3"}, "rows: expected row numbers"),
        ({"rows": 1.5}, "rows: "),
        ({"class_name": "maybe"}, "expected one of no, yes; got 'maybe'"),
        ({"class_name": "yess"}, "did you mean 'yes'"),
        ({"method": "shap"}, "did you mean 'shapley'"),
        ({"method": "lime"}, "method: expected one of expected_gradients, shapley"),
    ],
)
def test_a_wrong_argument_is_named(arguments, sentence):
    with pytest.raises(cr.InvalidArgumentError, match=sentence):
        model().explain(TABLE, **{"rows": 1, **arguments})


def test_all_rows_are_explained_by_default_unless_they_are_many():
    many = pl.concat([TABLE] * 6)
    with pytest.raises(cr.InvalidArgumentError, match=r"name the rows, such as range\(1, 1001\)"):
        model().explain(many)
    assert len(model().explain(TABLE[:4]).rows) == 4
    assert [row.row for row in model().explain(many, range(1199, 1201)).rows] == [1199, 1200]


def test_a_prediction_beyond_all_numbers_is_a_sentence_and_no_warning():
    one = model("price", "exponential", 1)
    one.network.weights[-1][:] = 1e30
    with pytest.raises(cr.InvalidTableError, match="beyond what a number can hold"):
        one.explain(TABLE, 1)


def test_a_class_of_a_model_of_values_is_refused():
    with pytest.raises(cr.InvalidArgumentError, match="predicts values of 'price'"):
        MODELS["values"]().explain(TABLE, 1, class_name="yes")


def test_a_model_without_a_background_asks_for_one():
    one = model()
    one.background = None
    with pytest.raises(cr.InvalidArgumentError, match=r"background: .* give a table"):
        one.explain(TABLE, 1)
    assert one.explain(TABLE, 1, background=TABLE).rows


def test_exact_shapley_values_of_many_columns_are_refused_with_the_number():
    table = pl.DataFrame({f"x{i}": RANDOM.normal(size=50) for i in range(15)})
    encoder = TableEncoder().fit(table)
    network = cr.Network([15, cr.Dense(1, "identity")], cost="mse", seed=0)
    target = TargetEncoder("regression", "y")
    one = cr.TableModel(network, encoder, target)
    with pytest.raises(cr.InvalidArgumentError, match=r"at most 14 columns.*this model has 15"):
        one.explain(table, 1, background=table, method="shapley")


def test_a_frame_and_plain_data_hold_every_effect():
    found = model().explain(TABLE, [1, 2])
    frame = found.to_frame()
    assert frame.columns == ["row", "column", "value", "effect"]
    assert frame["row"].to_list() == [1, 1, 1, 2, 2, 2]
    data = json.loads(json.dumps(found.to_dict()))
    assert [row["row"] for row in data["rows"]] == [1, 2]
    flat = [effect["effect"] for row in data["rows"] for effect in row["effects"]]
    assert flat == frame["effect"].to_list()


def test_shap_gets_values_base_values_and_data_in_the_order_of_the_columns():
    pytest.importorskip("shap")
    found = model().explain(TABLE, [1, 2])
    given = found.to_shap()
    assert given.feature_names == ["x", "z", "kind"]
    for index, row in enumerate(found.rows):
        by = {effect.column: effect for effect in row.effects}
        assert given.values[index].tolist() == [by[name].effect for name in found.columns]
        assert given.base_values[index] == row.baseline
        assert given.data[index].tolist() == [by[name].value for name in found.columns]


def test_shapley_values_are_those_of_shap_s_exact_explainer():
    shap = pytest.importorskip("shap")
    one = model()
    numbers = TABLE.select("x", "z").to_numpy()

    def probability(rows):
        table = pl.DataFrame({"x": rows[:, 0], "z": rows[:, 1], "kind": ["a"] * len(rows)})
        return one.predict(table)["probability_yes"].to_numpy()

    background = TABLE[:30].with_columns(kind=pl.lit("a"))
    masker = shap.maskers.Independent(numbers[:30], max_samples=30)
    expected = shap.explainers.Exact(probability, masker)(numbers[40:41])
    row = TABLE[40:41].with_columns(kind=pl.lit("a"))
    found = one.explain(row, background=background, class_name="yes", method="shapley").rows[0]
    by = {effect.column: effect.effect for effect in found.effects}
    assert by["kind"] == pytest.approx(0, abs=1e-12)
    # shap asks for predictions, which are computed in float32.
    np.testing.assert_allclose([by["x"], by["z"]], expected.values[0], atol=1e-5)


def test_without_shap_the_error_says_how_to_install_it(monkeypatch):
    monkeypatch.setitem(__import__("sys").modules, "shap", None)
    with pytest.raises(cr.InvalidArgumentError, match="pip install shap"):
        model().explain(TABLE, 1).to_shap()


def wide_model(columns, name="column"):
    table = pl.DataFrame({f"{name} {i}": RANDOM.normal(size=50) for i in range(columns)})
    encoder = TableEncoder().fit(table)
    network = cr.Network([columns, cr.Dense(1, "identity")], cost="mse", seed=0)
    target = TargetEncoder("regression", "a target with a rather long name " * 3)
    return cr.TableModel(network, encoder, target), table


@pytest.mark.parametrize("columns", [1, 2, 14, 15, 16, 17, 60])
@pytest.mark.parametrize("name", ["c", "a name that is much too long for a line of a terminal"])
def test_text_has_at_most_25_lines_of_80_characters_and_all_of_the_sum(columns, name):
    one, table = wide_model(columns, name)
    found = one.explain(table, 1, background=table)
    lines = str(found).splitlines()
    assert len(lines) <= 25
    assert max(map(len, lines)) <= 80
    start = next(i for i, line in enumerate(lines) if line.startswith("column  "))
    *effects, total = [
        float(line[47:57].replace(",", "")) for line in lines[start + 1 :] if line.strip()
    ]
    # Each number is rounded at its third digit or later.
    assert sum(effects) == pytest.approx(total, abs=0.5e-2 * len(lines) * max(map(abs, effects)))
    assert ("other columns" in str(found)) == (columns > len(effects))


def test_several_rows_are_separated_by_a_line():
    found = model().explain(TABLE, [1, 2])
    texts = [explanation_text(words) for words in found._words()]
    assert str(found) == "\n\n".join(texts)


def test_probabilities_are_shown_in_percent_and_effects_in_points():
    found = model().explain(TABLE, 1, class_name="yes")
    row = found.rows[0]
    text = " ".join(str(found).split())
    shown = re.search(r"The probability of yes is ([0-9.]+) %", text)[1]
    assert float(shown) == pytest.approx(100 * row.baseline, abs=0.05)
    assert "percentage points" in text
    first = next(line for line in str(found).splitlines() if line.startswith(row.effects[0].column))
    assert float(first.split()[2]) == pytest.approx(100 * row.effects[0].effect, rel=5e-3)


def test_a_notebook_gets_html_in_which_nothing_of_the_table_is_markup():
    table = TABLE.rename({"x": "<script>x"}).with_columns(kind=pl.lit("<b>&amp;"))
    encoder = TableEncoder(min_frequency=1).fit(table.select("<script>x", "z"))
    network = cr.Network([2, cr.Dense(1, "identity")], cost="mse", seed=0)
    target = TargetEncoder("regression", "<i>y")
    found = cr.TableModel(network, encoder, target).explain(table, 1, background=table)
    page = found._repr_html_()
    assert "<script>" not in page
    assert "<i>y" not in page
    assert "&lt;script&gt;x" in page


def test_a_name_in_a_notebook_is_broken_after_an_underscore():
    table = TABLE.rename({"x": "mean_of_<x>"})
    encoder = TableEncoder(min_frequency=1).fit(table.select("mean_of_<x>", "z"))
    network = cr.Network([2, cr.Dense(1, "identity")], cost="mse", seed=0)
    model = cr.TableModel(network, encoder, TargetEncoder("regression", "y"))
    page = model.explain(table, 1, background=table)._repr_html_()
    assert '<th scope="row">mean_<wbr>of_<wbr>&lt;x&gt;</th>' in page
