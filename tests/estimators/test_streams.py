"""Estimators that are fitted to a table which is read while they train."""

import numpy as np
import polars as pl
import pytest

import chainrule as cr
from chainrule.errors import InvalidArgumentError, InvalidTableError
from tests.tables.streams import mixed, numbers, write

FEATURES = ["size", "kind"]


@pytest.fixture(scope="module")
def pattern(tmp_path_factory):
    return write(tmp_path_factory.mktemp("mixed") / "data", mixed(2000), group=150)


@pytest.fixture(scope="module")
def fitted(pattern):
    stream = cr.TableStream(pattern, "label", shuffle_buffer=512)
    model = cr.NetworkClassifier((16,), random_state=0).fit(stream, epochs=12)
    return model, stream


def test_a_classifier_learns_text_and_missing_values_from_the_rows_of_files(fitted):
    model, _ = fitted
    rows = mixed(1000, seed=9)
    assert model.score(rows[FEATURES], rows["label"]) > 0.9
    assert list(model.classes_) == ["no", "yes"]
    assert list(model.feature_names_in_) == FEATURES
    assert model.n_iter_ == 12


def test_its_encoder_is_the_one_of_the_sample(fitted):
    model, stream = fitted
    encoder = cr.TableEncoder().fit(stream.sample[FEATURES])
    assert encoder.columns_ == model.encoder_.columns_


def test_the_same_stream_gives_the_same_bits_and_the_model_survives_its_file(fitted, tmp_path):
    model, stream = fitted
    again = cr.NetworkClassifier((16,), random_state=0).fit(stream, epochs=12)
    np.testing.assert_array_equal(again.network_.parameters, model.network_.parameters)
    model.save(tmp_path / "model.safetensors")
    rows = mixed(50, seed=3)[FEATURES]
    loaded = cr.load(tmp_path / "model.safetensors")
    np.testing.assert_array_equal(loaded.predict_proba(rows), model.predict_proba(rows))


def test_validation_rows_calibrate_and_give_prediction_sets(fitted):
    model, _ = fitted
    assert len(model.validation_loss_curve_) == 12
    sets = model.predict_set(mixed(500, seed=4)[FEATURES], coverage=0.9)
    true = (mixed(500, seed=4)["label"] == "yes").to_numpy().astype(int)
    assert sets[np.arange(500), true].mean() > 0.85


@pytest.mark.parametrize("random_state", [0, None])
def test_a_training_that_was_killed_resumes_to_the_same_bits(pattern, tmp_path, random_state):
    def model():
        return cr.NetworkClassifier((8,), random_state=random_state, batch_size=32)

    def stream():
        return cr.TableStream(pattern, "label", shuffle_buffer=256)

    path = tmp_path / "checkpoint"
    whole = model().fit(stream(), epochs=3, checkpoint=path, every=40)
    path.unlink()
    path.with_name("checkpoint.previous").rename(path)
    resumed = model().fit(stream(), epochs=3, checkpoint=path, resume=True)
    np.testing.assert_array_equal(resumed.network_.parameters, whole.network_.parameters)


def test_a_regressor_predicts_in_the_units_of_the_target(tmp_path):
    random = np.random.default_rng(0)
    x = random.normal(size=(3000, 2))
    table = pl.DataFrame({"a": x[:, 0], "b": x[:, 1], "price": 500 + 90 * x[:, 0] - 40 * x[:, 1]})
    pattern = write(tmp_path / "data", table[:2500], group=200)
    model = cr.NetworkRegressor(hidden_layer_sizes=(16,)).fit(cr.TableStream(pattern, "price"))
    assert model.score(table[2500:, :2], table["price"][2500:]) > 0.99


def test_numbers_alone_need_no_encoder_and_gaps_elsewhere_become_means(tmp_path):
    table = numbers(2000)
    pattern = write(tmp_path / "data", table, group=200)
    model = cr.NetworkClassifier((8,), random_state=0).fit(cr.TableStream(pattern, "y"), epochs=5)
    assert model.encoder_ is None
    assert model.score(table[["a", "b"]], table["y"]) > 0.9


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"quality": "best"}, "quality: expected another value where X is a TableStream"),
        ({"solver": "lbfgs"}, "solver: expected another value where X is a TableStream"),
        ({"class_weight": "balanced"}, "class_weight: expected None where X is a TableStream"),
    ],
)
def test_what_needs_all_rows_in_memory_is_refused(pattern, options, message):
    with pytest.raises(InvalidArgumentError, match=message):
        cr.NetworkClassifier(**options).fit(cr.TableStream(pattern, "label"))


def test_other_arguments_with_rows_are_refused_and_the_estimator_stays_as_it_was(pattern, fitted):
    stream = cr.TableStream(pattern, "label")
    for name in ("y", "sample_weight", "X_val", "y_val", "sample_weight_val"):
        with pytest.raises(InvalidArgumentError, match=f"^{name}: expected None"):
            cr.NetworkClassifier().fit(stream, **{name: [1]})
    with pytest.raises(InvalidArgumentError, match="NetworkClassifier or NetworkRegressor"):
        cr.MLPClassifier().fit(stream)


def test_a_value_that_cannot_be_used_is_named_with_its_file(tmp_path):
    table = numbers(600)
    pattern = write(tmp_path / "data", table, group=100)
    broken = table[:200].with_columns(b=pl.lit(float("inf"), pl.Float32))
    broken.write_parquet(tmp_path / "data" / "part1.parquet")
    with pytest.raises((InvalidArgumentError, InvalidTableError), match="inf"):
        cr.NetworkClassifier().fit(cr.TableStream(pattern, "y"))
