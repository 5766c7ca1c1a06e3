"""Model files: what is written is read, byte for byte as ever."""

import hashlib
import json
import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import chainrule as cr
from chainrule.files.model_file import (
    ModelFile,
    describe_model_file,
    read_model_file,
    write_model_file,
)
from chainrule.network.layers import Dense
from chainrule.network.parameters import initial_parameters, parameter_count
from chainrule.network.spec import NetworkSpec
from tests.strategies_networks import ACTIVATIONS, problems

FOLDER = Path(__file__).parent / "golden"
GOLDEN = FOLDER / "model-v4.safetensors"
LAYERS = FOLDER / "layers-v4.safetensors"
OLD = [FOLDER / f"model-v{version}.safetensors" for version in (1, 2, 3)]
OLD_LAYERS = [FOLDER / f"layers-v{version}.safetensors" for version in (2, 3)]


def golden_network():
    """The network in the golden file, written out; its numbers are exact in float32."""
    net = cr.Network(
        [2, cr.Dense(3, "leaky_relu(slope=0.25)", "he_normal"), cr.Dense(2, "softmax")],
        cost="cross_entropy", seed=7,
    )  # fmt: skip
    net.parameters = (np.arange(17) - 8) / 8
    net.epochs_trained = 5
    return net


def golden_layers():
    """The network in the golden file of every kind of layer, with details."""
    net = cr.Network(
        [
            3, cr.Dense(4, "identity"), cr.BatchNorm("elu(alpha=0.5)", epsilon=0.5),
            cr.Dropout(0.25), cr.Dense(3, "gelu", "lecun_normal"),
            cr.Dense(4, "heads(softmax:3, identity:1)"),
        ],
        cost="heads(cross_entropy:3, 0.5*huber(delta=2.0):1)", seed=3, dtype="float64", fused=False,
    )  # fmt: skip
    net.parameters = np.abs(np.arange(net.parameters.size) - 20) / 8
    net.epochs_trained = 2
    return net


DETAILS = {"command": "chainrule train ü.csv", "metrics": {"rmse": 0.25, "rows": 7}, "none": None}


def header_of(path):
    data = path.read_bytes()
    size = int.from_bytes(data[:8], "little")
    return json.loads(data[8 : 8 + size])


def written(path, net, details):
    write_model_file(path, replace(net._to_file(), details=details))
    return path


@pytest.mark.parametrize(
    ("golden", "network", "details"),
    [(GOLDEN, golden_network, {}), (LAYERS, golden_layers, DETAILS)],
    ids=["dense", "layers"],
)
def test_today_s_writer_gives_the_bytes_of_the_golden_file(tmp_path, golden, network, details):
    path = written(tmp_path / "model.safetensors", network(), details)
    assert path.read_bytes() == golden.read_bytes()


@pytest.mark.parametrize(
    ("golden", "network", "details"),
    [
        *((path, golden_network, {}) for path in (*OLD, GOLDEN)),
        *((path, golden_layers, DETAILS) for path in (*OLD_LAYERS, LAYERS)),
    ],
    ids=[
        "version 1",
        "version 2",
        "version 3",
        "dense",
        "layers of version 2",
        "layers of version 3",
        "layers",
    ],
)
def test_today_s_reader_reads_every_golden_file(golden, network, details):
    expected, model = network(), read_model_file(golden)
    net = cr.Network._from_file(model)
    assert net.spec == expected.spec
    np.testing.assert_array_equal(net.parameters, expected.parameters)
    assert (net.seed, net.epochs_trained) == (expected.seed, expected.epochs_trained)
    assert model.details == details


def test_every_process_writes_the_same_bytes(tmp_path):
    path = tmp_path / "model.safetensors"
    code = (
        "import sys, chainrule as cr; cr.Network([2, cr.Dense(2, 'softmax')], "
        "cost='cross_entropy', seed=0).save(sys.argv[1])"
    )
    written = set()
    for hash_seed in ("0", "1", "2", "3"):
        environment = {**os.environ, "PYTHONHASHSEED": hash_seed}
        subprocess.run([sys.executable, "-c", code, path], env=environment, check=True)
        written.add(path.read_bytes())
    assert len(written) == 1


@given(problem=problems(), dtype=st.sampled_from(("float32", "float64")))
def test_every_bit_of_spec_and_parameters_comes_back(tmp_path_factory, problem, dtype):
    problem = problem.rounded(dtype)
    path = tmp_path_factory.mktemp("model") / "model.safetensors"
    write_model_file(path, ModelFile(problem.spec, problem.theta))
    model = read_model_file(path)
    assert model.spec == problem.spec
    assert model.parameters.tobytes() == problem.theta.tobytes()
    assert model.parameters.dtype == dtype


@pytest.mark.parametrize("activation", ACTIVATIONS)
def test_a_network_predicts_the_same_after_saving_and_loading(tmp_path, activation):
    net = cr.Network([3, cr.Dense(5, activation), cr.Dense(2, "softmax")], "cross_entropy", seed=1)
    net.save(tmp_path / "model.safetensors")
    again = cr.Network._from_file(read_model_file(tmp_path / "model.safetensors"))
    X = np.random.default_rng(0).standard_normal((4, 3))
    np.testing.assert_array_equal(again.predict(X), net.predict(X))
    assert repr(again) == repr(net)


def test_a_loaded_network_trains_on_as_the_saved_one_would(tmp_path):
    random = np.random.default_rng(0)
    X, Y = random.standard_normal((20, 3)), random.integers(0, 2, 20)
    net = cr.Network([3, cr.Dense(2, "softmax")], cost="cross_entropy", seed=4)
    net.fit(X, Y, epochs=2)
    net.save(tmp_path / "model.safetensors")
    again = cr.Network._from_file(read_model_file(tmp_path / "model.safetensors"))
    for each in (net, again):
        each.fit(X, Y, epochs=2)
    np.testing.assert_array_equal(again.parameters, net.parameters)
    assert again.history["epoch"] == [3, 4]


def test_further_texts_and_arrays_come_back(tmp_path):
    spec = NetworkSpec(2, (Dense(1, "identity"),), "mse")
    arrays = {"means": np.array([0.5, -1.0]), "counts": np.arange(3)}
    path = tmp_path / "model.safetensors"
    write_model_file(
        path, ModelFile(spec, initial_parameters(spec, 0), {"note": 'Ünïcode "{}"'}, arrays)
    )
    model = read_model_file(path)
    assert model.metadata == {"note": 'Ünïcode "{}"'}
    assert set(model.arrays) == {"means", "counts"}
    for name, array in arrays.items():
        np.testing.assert_array_equal(model.arrays[name], array)
        assert model.arrays[name].dtype == array.dtype


def test_arrays_in_any_memory_order_keep_their_shape_and_numbers(tmp_path):
    spec = NetworkSpec(2, (Dense(1, "identity"),), "mse")
    table = np.arange(12.0).reshape(3, 4)
    arrays = {"fortran": np.asfortranarray(table), "part": table[:, ::2], "swapped": table.T}
    path = tmp_path / "model.safetensors"
    write_model_file(path, ModelFile(spec, initial_parameters(spec, 0), {}, arrays))
    model = read_model_file(path)
    for name, array in arrays.items():
        np.testing.assert_array_equal(model.arrays[name], array)


def test_the_header_tells_format_and_network_in_plain_text(tmp_path):
    net = golden_network()
    net.save(tmp_path / "model.safetensors")
    header = header_of(tmp_path / "model.safetensors")
    checksum = header["__metadata__"].pop("checksum")
    content = (tmp_path / "model.safetensors").read_bytes()
    assert hashlib.sha256(content.replace(checksum.encode(), b"0" * 64)).hexdigest() == checksum
    assert header["__metadata__"] == {
        "chainrule": "4",
        "spec": net.spec.to_json(),
        "seed": "7",
        "epochs_trained": "5",
    }
    assert header["parameters"] == {"dtype": "F32", "shape": [17], "data_offsets": [0, 68]}


def test_other_programs_read_it_as_safetensors():
    from safetensors.numpy import load_file

    assert parameter_count(golden_network().spec) == 17
    np.testing.assert_array_equal(load_file(GOLDEN)["parameters"], (np.arange(17) - 8) / 8)


def test_details_of_numpy_and_not_finite_are_plain_data_in_the_file(tmp_path):
    details = {
        "a": np.float32(0.5),
        "b": np.arange(2),
        "c": (float("nan"), np.bool_(True)),
        "d": {},
    }
    path = written(tmp_path / "model.safetensors", golden_network(), details)
    assert read_model_file(path).details == {"a": 0.5, "b": [0, 1], "c": [None, True], "d": {}}


def test_a_command_with_a_name_that_is_no_utf_8_can_be_saved(tmp_path):
    path = written(
        tmp_path / "model.safetensors", golden_network(), {"command": "train \udcff.csv"}
    )
    assert read_model_file(path).details == {"command": r"train \udcff.csv"}


@pytest.mark.parametrize(
    ("details", "message"),
    [
        (
            {"a": {"b": [0, object()]}},
            r"details\['a'\]\['b'\]\[1\]: expected plain data.*got object",
        ),
        ({"a": {1: 2}}, r"details\['a'\]: expected plain data"),
        ({"a": {1, 2}}, "got set"),
    ],
)
def test_details_that_are_no_plain_data_are_named(tmp_path, details, message):
    with pytest.raises(cr.InvalidArgumentError, match=message):
        written(tmp_path / "model.safetensors", golden_network(), details)
    assert list(tmp_path.iterdir()) == []


def test_details_in_a_circle_are_refused(tmp_path):
    details = {}
    details["self"] = details
    with pytest.raises(cr.InvalidArgumentError, match="nested more than 32 levels deep"):
        written(tmp_path / "model.safetensors", golden_network(), details)


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_a_parameter_that_is_not_finite_is_not_saved(tmp_path, value):
    net = golden_network()
    net.parameters[3] = value
    with pytest.raises(cr.InvalidArgumentError, match="cannot be saved"):
        net.save(tmp_path / "model.safetensors")
    assert list(tmp_path.iterdir()) == []


def test_what_could_not_be_read_again_is_not_written(tmp_path):
    model = golden_network()._to_file()
    for wrong in (
        replace(model, details={"log": "a" * 3 * 10**6}),
        replace(model, metadata={"encoder": "a" * 17 * 10**6}),
        replace(model, metadata={"encoder": "," * 2 * 10**6}),
    ):
        with pytest.raises(cr.InvalidArgumentError, match=r"too large|at most"):
            write_model_file(tmp_path / "model.safetensors", wrong)
    assert list(tmp_path.iterdir()) == []


def test_a_table_of_very_many_columns_and_categories_fits(tmp_path):
    column = {"kind": "category", "name": "a column", "categories": ["a", "b"], "missing": True}
    encoder = json.dumps([column] * 20_000 + [{"categories": [f"{i:05}" for i in range(300_000)]}])
    model = replace(golden_network()._to_file(), metadata={"encoder": encoder})
    write_model_file(tmp_path / "model.safetensors", model)
    assert read_model_file(tmp_path / "model.safetensors").metadata == {"encoder": encoder}


def test_entries_of_the_format_cannot_be_given_as_further_ones(tmp_path):
    model = golden_network()._to_file()
    for wrong in (
        replace(model, metadata={"checksum": "0"}),
        replace(model, arrays={"parameters": np.zeros(17, np.float32)}),
    ):
        with pytest.raises(cr.InvalidArgumentError, match="is reserved"):
            write_model_file(tmp_path / "model.safetensors", wrong)


def test_a_description_tells_what_is_in_a_file_without_its_arrays():
    contents = describe_model_file(LAYERS)
    net = golden_layers()
    assert contents.version == 4
    assert contents.size == LAYERS.stat().st_size
    assert contents.spec == net.spec
    assert contents.n_parameters == net.parameters.size
    assert contents.metadata == {"seed": "3", "epochs_trained": "2"}
    assert contents.details == DETAILS
    assert contents.arrays == {"parameters": ("float64", (net.parameters.size,))}
    assert describe_model_file(OLD[0]).checksum == ""
    assert describe_model_file(OLD[0]).version == 1


def test_a_path_may_be_text(tmp_path):
    golden_network().save(str(tmp_path / "model.safetensors"))
    assert read_model_file(str(tmp_path / "model.safetensors")).spec.n_features == 2


def test_saving_into_a_folder_that_is_not_there_is_an_error_of_the_system(tmp_path):
    with pytest.raises(FileNotFoundError):
        golden_network().save(tmp_path / "new" / "model.safetensors")


def test_saving_that_fails_keeps_the_old_file_and_leaves_no_other(tmp_path, monkeypatch):
    path = tmp_path / "model.safetensors"
    golden_network().save(path)
    before = path.read_bytes()

    def fail(*arguments):
        raise OSError("no space left on device")

    monkeypatch.setattr(os, "fsync", fail)
    with pytest.raises(OSError, match="no space left"):
        cr.Network([1, cr.Dense(1)], cost="mse", seed=0).save(path)
    assert path.read_bytes() == before
    assert [p.name for p in tmp_path.iterdir()] == [path.name]


def test_saving_over_a_folder_is_an_error_of_the_system(tmp_path):
    with pytest.raises(OSError, match="directory"):
        golden_network().save(tmp_path)
