"""`save` and `load` give an estimator back, with everything but its optimizer's state."""

import copy
import json
import pickle
import warnings

import numpy as np
import pandas as pd
import pytest
from sklearn.datasets import load_iris

import chainrule as cr
from chainrule.errors import InvalidModelFileError
from chainrule.estimators.saved_attributes import ATTRIBUTES
from chainrule.files.model_file import read_model_file, write_model_file
from tests.estimators.test_tables import KIND, VALUE, X

IRIS, SPECIES = load_iris(return_X_y=True)
SHORT = {"max_iter": 3, "random_state": 0}
INDICATORS = np.eye(3, dtype=int)[SPECIES]
INDICATORS[::5, 0] = 1

FITTED = {
    "MLPClassifier": lambda: cr.MLPClassifier(random_state=0).fit(IRIS, SPECIES, epochs=3),
    "MLPRegressor": lambda: cr.MLPRegressor(random_state=0).fit(IRIS, IRIS[:, 0], epochs=3),
    "lbfgs": lambda: cr.MLPRegressor(solver="lbfgs", max_iter=2000).fit(IRIS, IRIS[:, 0]),
    "early": lambda: cr.MLPClassifier(early_stopping=True).fit(IRIS, SPECIES, epochs=3),
    "float32": lambda: cr.MLPClassifier(**SHORT, dtype="float32").fit(IRIS, SPECIES, epochs=3),
    "network": lambda: cr.NetworkClassifier(**SHORT).fit(IRIS, SPECIES),
    "values": lambda: cr.NetworkRegressor(**SHORT, loss="huber").fit(IRIS, IRIS[:, :2]),
    "table": lambda: cr.NetworkClassifier(**SHORT).fit(X, KIND),
    "table of values": lambda: cr.NetworkRegressor(**SHORT).fit(X.to_pandas(), VALUE),
    "table of numbers": lambda: cr.NetworkRegressor(**SHORT).fit(X.select("member"), VALUE),
    "mixed": lambda: cr.NetworkMixed(**SHORT).fit(X, pd.DataFrame({"k": KIND, "v": VALUE})),
    "flat": lambda: cr.NetworkMixed("class", **SHORT).fit(IRIS, SPECIES),
    "labels": lambda: cr.MLPClassifier(**SHORT).fit(IRIS, INDICATORS, epochs=3),
    "one class": lambda: cr.NetworkClassifier(**SHORT).fit(IRIS, np.zeros(150)),
    "embeddings": lambda: cr.NetworkClassifier(**SHORT, embeddings=[(0, 10, 2)]).fit(
        np.floor(IRIS), SPECIES
    ),
    "layers": lambda: cr.NetworkClassifier(**SHORT, dropout=[0.1, 0.0, 0.2], batch_norm=True).fit(
        IRIS, SPECIES
    ),
}
INPUTS = {"table": X, "table of values": X, "mixed": X, "table of numbers": X.select("member")}
INPUTS["embeddings"] = np.floor(IRIS)


def saved(model, tmp_path):
    model.save(tmp_path / "model.safetensors")
    return cr.load(tmp_path / "model.safetensors")


def outputs(model, name):
    rows = INPUTS.get(name, IRIS)
    found = [model.predict(rows)]
    if hasattr(model, "predict_proba"):
        found.append(model.predict_proba(rows))
    return found


@pytest.fixture(scope="module")
def fitted():
    return {name: fit() for name, fit in FITTED.items()}


@pytest.mark.parametrize("name", FITTED)
def test_a_loaded_estimator_predicts_to_the_bit(fitted, name, tmp_path):
    model = fitted[name]
    again = saved(model, tmp_path)
    assert type(again) is type(model)
    assert again.get_params() == model.get_params()
    for one, other in zip(outputs(again, name), outputs(model, name), strict=True):
        np.testing.assert_equal(one, other)
        assert isinstance(one, dict) or one.dtype == other.dtype


@pytest.mark.parametrize("name", FITTED)
def test_a_loaded_estimator_has_every_fitted_attribute(fitted, name, tmp_path):
    model = fitted[name]
    again = saved(model, tmp_path)
    # The first two serve a training that goes on; a network stands for the weights.
    started_anew = {"_optimizer_state", "_learning_rate", "_given_weights", "_given_names"}
    assert vars(model).keys() - vars(again).keys() <= started_anew
    assert vars(again).keys() <= vars(model).keys()
    # Objects that equal none but themselves.
    apart = {"_random_state", "_conformal", "_background"}
    for attribute in vars(model).keys() & ATTRIBUTES.keys() - apart:
        np.testing.assert_equal(getattr(again, attribute), getattr(model, attribute))
    for one, other in zip(again.coefs_, model.coefs_, strict=True):
        np.testing.assert_array_equal(one, other)
    if hasattr(model, "_background"):
        np.testing.assert_array_equal(again._background.inputs, model._background.inputs)


@pytest.mark.parametrize("name", ["MLPClassifier", "network", "table"])
def test_a_loaded_estimator_trains_on_like_one_with_a_new_optimizer(fitted, name, tmp_path):
    model = copy.deepcopy(fitted[name])
    rows, y = (X, KIND) if name == "table" else (IRIS, SPECIES)
    again = saved(model, tmp_path)
    model._optimizer_state = None
    for each in (model, again):
        each.set_params(random_state=None).partial_fit(rows, y)
    np.testing.assert_array_equal(again.predict_proba(rows), model.predict_proba(rows))
    assert again.network_.epochs_trained == model.network_.epochs_trained


def test_a_warm_start_goes_on_from_a_file(tmp_path):
    model = cr.NetworkClassifier(**SHORT, warm_start=True).fit(IRIS, SPECIES)
    again = saved(model, tmp_path)
    assert again.fit(IRIS, SPECIES).network_.epochs_trained == 6
    np.testing.assert_array_equal(
        again.predict_proba(IRIS), model.fit(IRIS, SPECIES).predict_proba(IRIS)
    )


@pytest.mark.parametrize(
    "labels",
    [
        np.array(["a", "b", "ü"]),
        np.array(["a", "b", "ü"], object),
        np.array(["a", "b", "ü"], "<U9"),
        np.array([3, 5, 7], np.int8),
        np.array([-1.0, 0.0, 2.0]),
        np.array([False, True, True]),
        np.array(["2020-01-01", "2020-01-02", "2021-05-05"], "datetime64[D]"),
        np.array([2**63, 2**63 + 1, 2**64 - 1], np.uint64),
    ],
    ids=lambda labels: str(labels.dtype),
)
def test_classes_keep_their_type(labels, tmp_path):
    model = cr.MLPClassifier(**SHORT).fit(IRIS, labels[SPECIES], epochs=1)
    again = saved(model, tmp_path)
    assert again.classes_.dtype == model.classes_.dtype
    assert again.predict(IRIS).dtype == model.predict(IRIS).dtype
    assert again.classes_.tolist() == model.classes_.tolist()


def test_parameters_of_every_kind_of_data_come_back(tmp_path):
    given = {
        "hidden_layer_sizes": [np.int64(4)],
        "class_weight": {0: 1.0, np.int64(1): 2, 2: np.float32(0.5)},
        "n_iter_no_change": np.inf,
        "learning_rate": cr.Warmup(cr.OneCycle(0.1), steps=3),
        "initial_weights": ([np.ones((4, 4)), np.ones((4, 3))], [np.ones(4), np.ones(3)]),
        "activation": ["tanh"],
    }
    model = cr.MLPClassifier(**given).fit(IRIS, SPECIES, epochs=1)
    again = saved(model, tmp_path)
    np.testing.assert_equal(again.get_params(), model.get_params())
    assert again.learning_rate == model.learning_rate


def test_parameters_that_are_code_are_left_out_with_a_warning(tmp_path):
    model = cr.NetworkClassifier(
        callbacks=[print], random_state=np.random.RandomState(0), early_stopping=lambda *_: 0.0
    ).fit(IRIS, SPECIES, epochs=1)
    with pytest.warns(UserWarning, match="^save: 'callbacks', 'early_stopping' and"):
        again = saved(model, tmp_path)
    assert (again.callbacks, again.random_state, again.early_stopping) == (None, None, "loss")
    np.testing.assert_array_equal(again.predict_proba(IRIS), model.predict_proba(IRIS))


def test_a_loss_that_is_code_is_refused(tmp_path):
    loss = (lambda A, Y: ((A - Y) ** 2).sum(axis=1), lambda A, Y: 2 * (A - Y))
    model = cr.MLPRegressor(loss=loss, **SHORT).fit(IRIS, IRIS[:, 0], epochs=1)
    with pytest.raises(cr.InvalidArgumentError, match=r"^loss: .* a file holds data only"):
        model.save(tmp_path / "model.safetensors")
    assert not (tmp_path / "model.safetensors").exists()


class Own(cr.NetworkClassifier):
    pass


def test_a_class_of_a_user_is_refused(tmp_path):
    with pytest.raises(cr.InvalidArgumentError, match=r"^save: Own is not a class of chainrule"):
        Own().fit(IRIS, SPECIES, epochs=1).save(tmp_path / "model.safetensors")


def test_an_estimator_that_is_not_fitted_is_refused(tmp_path):
    with pytest.raises(ValueError, match="not fitted"):
        cr.NetworkClassifier().save(tmp_path / "model.safetensors")


def test_a_parameter_that_has_become_invalid_is_refused(fitted, tmp_path):
    model = copy.deepcopy(fitted["network"]).set_params(alpha=-1)
    with pytest.raises(cr.InvalidArgumentError, match="'alpha'"):
        model.save(tmp_path / "model.safetensors")


def test_intervals_of_a_loaded_estimator_are_the_same(tmp_path):
    model = cr.NetworkRegressor(**SHORT).fit(X, VALUE)
    again = saved(model, tmp_path)
    np.testing.assert_array_equal(
        again.predict_interval(X, coverage=0.8), model.predict_interval(X, coverage=0.8)
    )


def test_equal_estimators_have_equal_bytes(tmp_path):
    for name in ("one", "two"):
        cr.NetworkClassifier(**SHORT).fit(X, KIND).save(tmp_path / name)
    assert (tmp_path / "one").read_bytes() == (tmp_path / "two").read_bytes()


# What the network's own file lacks.


@pytest.mark.parametrize(
    ("name", "lacks"),
    [
        ("network", "the scaling of its inputs:"),
        ("values", "the scaling of its inputs and the scaling of its targets:"),
        ("table", "the encoding of its table and the names of its classes:"),
    ],
)
def test_the_network_saved_alone_warns_of_what_is_lost(fitted, name, lacks, tmp_path):
    for model in (fitted[name], pickle.loads(pickle.dumps(fitted[name]))):
        with pytest.warns(UserWarning, match=f"^save: .* its file lacks {lacks}") as warned:
            model.network_.save(tmp_path / "net.safetensors")
        assert len(warned) == 1
    assert type(cr.load(tmp_path / "net.safetensors")) is cr.Network


def test_a_loaded_estimator_s_network_warns_too(fitted, tmp_path):
    again = saved(fitted["network"], tmp_path)
    with pytest.warns(UserWarning, match="save the NetworkClassifier itself"):
        again.network_.save(tmp_path / "net.safetensors")


@pytest.mark.parametrize("name", ["MLPClassifier", "MLPRegressor", "labels"])
def test_a_network_that_is_everything_is_saved_without_a_warning(fitted, name, tmp_path):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        fitted[name].network_.save(tmp_path / "net.safetensors")


# Files that are not what they seem.


def changed(path, **changes):
    """Rewrite a file with other fitted attributes, parameters or class."""
    model = read_model_file(path)
    entries = json.loads(model.metadata["estimator"])
    for name, value in changes.items():
        if name in entries:
            entries[name] = value
        elif name in entries["parameters"]:
            entries["parameters"][name] = value
        else:
            entries["fitted"][name] = value
        if value is ...:
            entries["fitted"].pop(name)
    metadata = {**model.metadata, "estimator": json.dumps(entries)}
    write_model_file(path, type(model)(model.spec, model.parameters, metadata, model.arrays))


HOSTILE = {
    "another class": {"class": "Pipeline"},
    "a class that is no text": {"class": ["NetworkClassifier"]},
    "no parameters": {"parameters": None},
    "an unknown parameter": {"parameters": {"__class__": 1}},
    "an invalid parameter": {"alpha": -1},
    "a parameter of an unknown kind": {"alpha": {"object": "os.system"}},
    "no classes": {"_labels": ...},
    "classes out of order": {"_labels": [{"texts": ["<U4", ["low", "high"]]}, "binary"]},
    "too many classes": {"_labels": [{"texts": ["|O", list("abc")]}, "multiclass"]},
    "classes of no kind": {"_labels": [{"texts": ["|O", list("ab")]}, "multi"]},
    "a text type of gigabytes": {"_labels": [{"texts": ["<U9999999", list("ab")]}, "binary"]},
    "a scale of no numbers": {"_input_scale": ["a", "b"]},
    "an array that is not there": {"_input_scale": [{"array": "x"}, {"array": "y"}]},
    "a scale of the wrong width": {
        "_input_scale": [{"array": "estimator.loss_curve_"}, {"array": "estimator.loss_curve_"}]
    },
    "an attribute that runs code": {"__class__": 3},
    "an attribute of another kind": {"n_features_in_": "5"},
    "a wrong number of columns": {"n_features_in_": 4},
    "a wrong number of outputs": {"n_outputs_": 7},
    "a negative count": {"t_": -1},
    "a random state out of bounds": {"_random_state": '{"pos": 9}'},
    "diagnoses of nothing": {"diagnostics_": [{"dict": [["kind", 1]]}]},
    "another schedule": {"learning_rate": {"schedule": ["system", []]}},
    "a schedule out of range": {"learning_rate": {"schedule": ["CosineDecay", [["initial", -1]]]}},
    "scores that are not sorted": {"_conformal": {"dict": [[None, [{"array": "parameters"}, 3]]]}},
}  # fmt: skip


@pytest.mark.parametrize("fault", HOSTILE)
def test_a_file_with_a_fault_is_refused(fitted, fault, tmp_path):
    path = tmp_path / "model.safetensors"
    fitted["table"].save(path)
    changed(path, **HOSTILE[fault])
    with pytest.raises(InvalidModelFileError, match=r"model\.safetensors: its estimator"):
        cr.load(path)


def test_an_encoder_that_does_not_fit_is_refused(fitted, tmp_path):
    path = tmp_path / "model.safetensors"
    fitted["network"].save(path)
    other = tmp_path / "other.safetensors"
    fitted["table"].save(other)
    model, table = read_model_file(path), read_model_file(other)
    metadata = {**model.metadata, "encoder": table.metadata["encoder"]}
    arrays = {**model.arrays, "encoder.numbers": table.arrays["encoder.numbers"]}
    write_model_file(path, type(model)(model.spec, model.parameters, metadata, arrays))
    with pytest.raises(InvalidModelFileError):
        cr.load(path)


def test_an_older_reader_refuses_the_file(fitted, tmp_path):
    fitted["network"].save(tmp_path / "model.safetensors")
    content = (tmp_path / "model.safetensors").read_bytes()
    assert b'"chainrule":"4"' in content


# As a table's model.


def test_an_estimator_of_a_table_becomes_a_table_s_model(fitted):
    for name, y in (("table", KIND), ("table of values", VALUE), ("table of numbers", VALUE)):
        estimator = fitted[name]
        model = cr.TableModel.from_estimator(estimator)
        assert model.target.name == y.name
        found = model.predict(X.with_columns(y))["prediction"].to_numpy()
        if name == "table":
            assert (found == estimator.predict(X)).all()
            np.testing.assert_array_equal(model.probabilities(X), estimator.predict_proba(X))
        else:
            rows = INPUTS[name]
            np.testing.assert_allclose(found, estimator.predict(rows), rtol=1e-6)
            assert model.background is not None


@pytest.mark.parametrize(
    ("name", "why"),
    [
        ("network", "was fitted to an array"),
        ("mixed", "NetworkMixed predicts 2"),
    ],
)
def test_other_estimators_do_not(fitted, name, why):
    with pytest.raises(cr.InvalidArgumentError, match=f"^estimator: .*{why}"):
        cr.TableModel.from_estimator(fitted[name])


def test_scikit_learn_s_networks_take_no_tables(fitted):
    with pytest.raises(cr.InvalidArgumentError, match=r"^to_sklearn: .* fitted to a table"):
        fitted["table"].to_sklearn()
