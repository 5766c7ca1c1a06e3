import json
from dataclasses import replace

import numpy as np
import polars as pl
import pytest

import chainrule as cr
from chainrule.errors import InvalidArgumentError, InvalidModelFileError, InvalidTableError
from chainrule.files.model_file import read_model_file, write_model_file
from chainrule.tables.encoder import TableEncoder
from chainrule.tables.target import TargetEncoder

TABLE = pl.DataFrame(
    {
        "x": [1.0, 2.0, 3.0, 6.0],
        "z": [5, 7, 5, 9],
        "kind": ["b", "a", "b", "a"],
        "price": [10.0, 20.0, 30.0, 60.0],
    }
)


INPUTS = TableEncoder().fit(TABLE.select("x", "z"))
KINDS = TargetEncoder.fit(TABLE["kind"])
PRICES = TargetEncoder.fit(TABLE["price"], "regression")


def classifier(output="softmax", units=2, **options):
    cost = "cross_entropy" if output == "softmax" else "binary_cross_entropy"
    network = cr.Network([2, cr.Dense(3, "tanh"), cr.Dense(units, output)], cost=cost, seed=1)
    return cr.TableModel(network, INPUTS, KINDS, **options)


def regressor():
    network = cr.Network([2, cr.Dense(1, "identity")], cost="mse", seed=1)
    return cr.TableModel(network, INPUTS, PRICES)


def test_classes_are_predicted_with_the_probability_of_each():
    model = classifier()
    predictions = model.predict(TABLE)
    assert predictions.columns == ["prediction", "probability_a", "probability_b"]
    outputs = model.network.predict(model.encoder.transform(TABLE))
    assert np.array_equal(predictions.drop("prediction").to_numpy(), outputs)
    expected = ["ab"[index] for index in outputs.argmax(axis=1)]
    assert predictions["prediction"].to_list() == expected


def test_a_single_sigmoid_output_is_the_probability_of_the_second_class():
    model = classifier("sigmoid", 1)
    predictions = model.predict(TABLE)
    p = model.network.predict(model.encoder.transform(TABLE))[:, 0]
    assert np.array_equal(predictions["probability_b"].to_numpy(), p)
    assert predictions["prediction"].to_list() == ["b" if value > 0.5 else "a" for value in p]
    assert model.evaluate(TABLE)["rows"] == 4


def test_values_are_predicted_in_the_units_of_the_target():
    model = regressor()
    outputs = model.network.predict(model.encoder.transform(TABLE))[:, 0].astype(np.float64)
    prices = TABLE["price"].to_numpy()
    expected = outputs * prices.std() + prices.mean()
    # Mean and deviation are computed in units of the largest price: a few roundings apart.
    tolerance = 16 * np.finfo(np.float64).eps * np.abs(expected).max()
    assert np.abs(model.predict(TABLE)["prediction"].to_numpy() - expected).max() <= tolerance


def test_the_scores_are_those_of_the_predictions():
    model = classifier()
    right = model.predict(TABLE)["prediction"] == TABLE["kind"]
    assert model.evaluate(TABLE)["accuracy"] == right.mean()
    model = regressor()
    errors = (model.predict(TABLE)["prediction"] - TABLE["price"]).to_numpy()
    # float64 throughout; the target passes through its standardised form.
    tolerance = 64 * np.finfo(np.float64).eps * 60
    assert abs(model.evaluate(TABLE)["mae"] - np.abs(errors).mean()) <= tolerance


@pytest.mark.parametrize("make", [classifier, regressor])
def test_a_saved_model_loads_and_predicts_the_same(tmp_path, make):
    model = make()
    model.save(tmp_path / "model.safetensors")
    again = cr.load(tmp_path / "model.safetensors")
    assert isinstance(again, cr.TableModel)
    assert again.predict(TABLE).equals(model.predict(TABLE))
    assert again.network.seed == model.network.seed
    assert repr(again) == repr(model)


def test_a_path_is_read_and_predicted(tmp_path):
    TABLE.write_csv(tmp_path / "table.csv")
    model = classifier()
    assert model.predict(tmp_path / "table.csv").equals(model.predict(TABLE))
    assert model.predict(str(tmp_path / "table.csv")).equals(model.predict(TABLE))


def test_column_order_and_further_columns_change_no_prediction():
    model = classifier()
    assert model.predict(TABLE.select("z", "price", "x")).equals(model.predict(TABLE))


def test_a_missing_column_is_a_clear_error():
    with pytest.raises(InvalidTableError, match="no column 'z', which the model needs"):
        classifier().predict(TABLE.drop("z"))


@pytest.mark.parametrize(
    ("layers", "cost", "message"),
    [
        (
            [3, cr.Dense(2, "softmax")],
            "cross_entropy",
            "3 inputs, but the 2 columns are encoded as 2",
        ),
        ([2, cr.Dense(3, "softmax")], "cross_entropy", "2 classes need"),
        ([2, cr.Dense(2, "sigmoid")], "binary_cross_entropy", r"Dense\(1, 'sigmoid'\)"),
        ([2, cr.Dense(2, "identity")], "mse", "2 outputs with identity"),
    ],
)
def test_a_network_that_does_not_fit_the_encoder_is_refused(layers, cost, message):
    with pytest.raises(InvalidArgumentError, match=message):
        cr.TableModel(cr.Network(layers, cost=cost, seed=0), INPUTS, KINDS)


def test_a_regression_needs_one_output():
    network = cr.Network([2, cr.Dense(2, "identity")], cost="mse", seed=0)
    with pytest.raises(InvalidArgumentError, match="2 outputs for one value"):
        cr.TableModel(network, INPUTS, PRICES)


@pytest.mark.parametrize(
    "change",
    [
        lambda model: replace(model, arrays={}),
        lambda model: replace(model, metadata={**model.metadata, "encoder": "{}"}),
        lambda model: replace(
            model,
            metadata={**model.metadata, **PRICES.to_file()[0]},
        ),
    ],
    ids=["no arrays", "empty header", "target of another network"],
)
def test_a_model_file_that_contradicts_itself_is_refused_with_its_name(tmp_path, change):
    path = tmp_path / "model.safetensors"
    classifier().save(path)
    write_model_file(path, change(read_model_file(path)))
    with pytest.raises(InvalidModelFileError, match=r"model\.safetensors: "):
        cr.load(path)


def changed(header, **changes):
    return json.dumps({**json.loads(header), **changes})


MANY = [f"c{number}" for number in range(200_000)]
CATEGORIES = {
    "kind": "category", "name": "x", "categories": MANY, "other": False, "missing": False,
    "as_codes": False,
}  # fmt: skip


@pytest.mark.parametrize(
    ("entry", "changes", "message"),
    [
        ("encoder", {"columns": [CATEGORIES]}, "at least 200000 inputs, and the network has 2"),
        ("encoder", {"columns": [1, 2, 3]}, "its table encoder cannot be used"),
        ("target", {"classes": MANY}, "200000 classes for 2 outputs"),
    ],
)
def test_an_encoder_larger_than_its_network_is_refused_before_it_is_built(
    tmp_path, entry, changes, message
):
    path = tmp_path / "model.safetensors"
    classifier().save(path)
    model = read_model_file(path)
    metadata = {**model.metadata, entry: changed(model.metadata[entry], **changes)}
    write_model_file(path, replace(model, metadata=metadata))
    with pytest.raises(InvalidModelFileError, match=message):
        cr.load(path)


def test_a_file_of_a_network_alone_loads_as_a_network(tmp_path):
    path = tmp_path / "network.safetensors"
    regressor().network.save(path)
    assert isinstance(cr.load(path), cr.Network)
