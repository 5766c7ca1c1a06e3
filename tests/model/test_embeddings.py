"""From an encoder whose columns are codes to a network that looks them up."""

import numpy as np
import polars as pl
import pytest

import chainrule as cr
from chainrule.model.embeddings import embedded_columns
from chainrule.tables.encoder import TableEncoder
from chainrule.tables.target import TargetEncoder

RANDOM = np.random.default_rng(0)
ROWS = 600
CITY = RANDOM.integers(0, 12, ROWS)
EFFECT = RANDOM.permutation(np.linspace(-3, 3, 12))
TABLE = pl.DataFrame(
    {
        "city": [f"city {code:02}" for code in CITY],
        "size": RANDOM.standard_normal(ROWS),
        "garden": RANDOM.integers(0, 2, ROWS).astype(bool),
        "street": [f"street {code}" if code else None for code in RANDOM.integers(0, 15, ROWS)],
        "kind": [f"kind {code}" for code in RANDOM.integers(0, 3, ROWS)],
    }
)
PRICE = pl.Series("price", TABLE["size"].to_numpy() + EFFECT[CITY])


def encoder():
    return TableEncoder(embed_above=10, min_frequency=1).fit(TABLE)


def test_columns_are_counted_in_inputs_and_sized_by_their_codes():
    fitted = encoder()
    names = fitted.get_feature_names_out().tolist()
    found = embedded_columns(fitted)
    assert [names[column] for column, *_ in found] == ["city", "street"]
    # One more for rare and unknown categories, and one for missing values where there were some.
    assert [codes for _, codes, _ in found] == [13, 16]
    for column, codes, _ in found:
        assert fitted.transform(TABLE)[:, column].max() == codes - 1


def test_without_columns_of_codes_there_are_none():
    assert embedded_columns(TableEncoder().fit(TABLE)) == []


def test_a_table_model_looks_codes_up(tmp_path):
    fitted = encoder()
    layers = [
        fitted.n_inputs,
        cr.CategoryEmbedding(embedded_columns(fitted)),
        cr.Dense(16),
        cr.Dense(1, "identity"),
    ]
    target = TargetEncoder.fit(PRICE, "regression")
    model = cr.TableModel(cr.Network(layers, cost="mse", seed=0), fitted, target)
    X, y = model.examples(TABLE.with_columns(PRICE))
    model.network.fit(X, y, optimizer=cr.Adam(0.01), epochs=60)
    predicted = model.predict(TABLE)["prediction"].to_numpy()
    assert np.mean((predicted - PRICE.to_numpy()) ** 2) < 0.05 * PRICE.var()
    # What training did not know has a row too.
    unknown = TABLE.head(3).with_columns(
        city=pl.lit("another city"), street=pl.lit(None, pl.String)
    )
    assert np.isfinite(model.predict(unknown)["prediction"].to_numpy()).all()
    model.save(tmp_path / "model.safetensors")
    again = cr.load(tmp_path / "model.safetensors")
    np.testing.assert_array_equal(again.predict(TABLE)["prediction"].to_numpy(), predicted)


@pytest.mark.parametrize("embed_above", [None, 10])
def test_the_estimators_take_what_an_encoder_says(embed_above):
    fitted = TableEncoder(embed_above=embed_above, min_frequency=1).fit(TABLE)
    model = cr.NetworkRegressor(embeddings=embedded_columns(fitted), random_state=0)
    assert model.fit(fitted.transform(TABLE), PRICE).score(fitted.transform(TABLE), PRICE) > 0.9
