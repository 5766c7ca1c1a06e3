"""PyTorch and Keras: numbers without pickle, and Python that makes the network around them."""

import ast
import importlib.util

import numpy as np
import pytest
from safetensors.numpy import load_file
from sklearn.datasets import load_diabetes, load_iris

import chainrule as cr
from tests.exports.models import every_kind, inputs, long_tailed_model, table, table_model


def module(path):
    """Import an exported Python file."""
    spec = importlib.util.spec_from_file_location("exported", path)
    found = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(found)
    return found


def models():
    """Return models, inputs for them and the outputs that are right."""
    net = every_kind()
    yield net, inputs(net), net.predict(inputs(net))
    X, y = load_iris(return_X_y=True)
    model = cr.NetworkClassifier((8,), dropout=0.1, batch_norm=True, random_state=0)
    yield model.fit(X, y, epochs=3), X, model.predict_proba(X)
    X, y = load_diabetes(return_X_y=True)
    model = cr.NetworkRegressor(hidden_layer_sizes=(8,), random_state=0).fit(X, y, epochs=3)
    yield model, X, model.predict(X)[:, None]


def assert_close(found, expected):
    np.testing.assert_allclose(found, expected, rtol=0, atol=1e-5 * np.abs(expected).max())


def test_torch_s_module_predicts_the_same_and_can_be_trained(tmp_path):
    torch = pytest.importorskip("torch")
    for model, X, expected in models():
        *_, script = cr.export(model, tmp_path / "model.safetensors")
        net = module(script).load()
        assert_close(net(torch.tensor(X)).detach().numpy(), expected)
        net.train()(torch.tensor(X)).sum().backward()


def test_keras_s_model_predicts_the_same(tmp_path):
    keras = pytest.importorskip("keras")
    for model, X, expected in models():
        *_, script = cr.export(model, tmp_path / "model.npz")
        outputs = keras.ops.convert_to_numpy(module(script).load()(X))
        assert_close(outputs, expected)


def test_torch_s_numbers_are_the_network_s_own(tmp_path):
    net = cr.Network([2, cr.Dense(3), cr.BatchNorm(), cr.Dense(1, "identity")], "mse", seed=0)
    path, _ = cr.export(net, tmp_path / "model.safetensors")
    state = load_file(path)
    np.testing.assert_array_equal(state["0.weight"], net.weights[0])
    np.testing.assert_array_equal(state["3.bias"], net.biases[1])
    assert sorted(key for key in state if key.startswith("2.")) == [
        "2.bias", "2.num_batches_tracked", "2.running_mean", "2.running_var", "2.weight",
    ]  # fmt: skip


def test_keras_s_numbers_are_read_without_pickle_in_the_order_of_its_layers(tmp_path):
    net = cr.Network([2, cr.Dense(3), cr.BatchNorm(), cr.Dense(1, "identity")], "mse", seed=0)
    path, _ = cr.export(net, tmp_path / "model.npz")
    with np.load(path, allow_pickle=False) as file:
        arrays = [file[name] for name in sorted(file.files)]
    assert [array.shape for array in arrays] == [(2, 3), (3,), *[(3,)] * 4, (3, 1), (1,)]
    np.testing.assert_array_equal(arrays[0], net.weights[0].T)


@pytest.mark.parametrize("suffix", [".safetensors", ".npz"])
def test_a_table_s_script_names_its_inputs_and_what_its_outputs_are(tmp_path, suffix):
    model = table_model()
    *_, script = cr.export(model, tmp_path / f"model{suffix}")
    text = script.read_text(encoding="utf-8")
    named = {
        node.targets[0].id: ast.literal_eval(node.value)
        for node in ast.parse(text).body
        if isinstance(node, ast.Assign)
    }
    assert named["INPUTS"] == list(model.encoder.get_feature_names_out())
    assert named["CLASSES"] == list(model.target.classes)
    assert model.encoder.transform(table(3, 0)).shape[1] == len(named["INPUTS"])
    assert "encoder.transform(table)" in ast.get_docstring(ast.parse(text))


@pytest.mark.parametrize("suffix", [".safetensors", ".npz"])
def test_a_table_s_values_come_with_their_scale(tmp_path, suffix):
    model = table_model("value")
    *_, script = cr.export(model, tmp_path / f"model{suffix}")
    text = script.read_text(encoding="utf-8")
    assert f"TARGET_MEAN = {model.target.mean!r}\n" in text
    assert f"TARGET_DEVIATION = {model.target.std!r}\n" in text
    assert "(value - TARGET_MEAN)/TARGET_DEVIATION" in ast.get_docstring(ast.parse(text))


@pytest.mark.parametrize("suffix", [".safetensors", ".npz"])
@pytest.mark.parametrize("kind", ["log", "asinh"])
def test_a_script_gives_the_outputs_of_a_long_tail_their_units(tmp_path, suffix, kind):
    model, rows = long_tailed_model(kind), table(50, 5)
    *_, script = cr.export(model, tmp_path / f"model{suffix}")
    tree = ast.parse(script.read_text(encoding="utf-8"))
    wanted = [
        part
        for part in tree.body
        if getattr(part, "name", "") == "values_of"
        or (isinstance(part, ast.Assign) and part.targets[0].id.startswith("TARGET_"))
    ]
    names = {}  # without the framework, which may be missing
    exec(compile(ast.Module(wanted, []), str(script), "exec"), names)
    outputs = model.network.predict(model.encoder.transform(rows))
    found = names["values_of"](outputs)[:, 0]
    np.testing.assert_array_equal(found, model.predict(rows)["prediction"].to_numpy())
    assert "values_of gives them its units" in ast.get_docstring(tree)
