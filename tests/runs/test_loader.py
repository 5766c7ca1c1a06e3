"""`load` gives back the object that was saved."""

from pathlib import Path

import numpy as np
import pytest

import chainrule as cr

GOLDEN = Path(__file__).parents[1] / "files" / "golden" / "model-v1.safetensors"


@pytest.mark.parametrize("kind", [str, Path])
def test_a_saved_network_is_loaded_as_a_network(tmp_path, kind):
    net = cr.Network([2, cr.Dense(3, "gelu"), cr.Dense(1, "identity")], cost="mse", seed=5)
    net.fit([[0.0, 1.0], [1.0, 0.0]], [1.0, 2.0], epochs=3)
    path = kind(tmp_path / "model.safetensors")
    net.save(path)
    again = cr.load(path)
    assert type(again) is cr.Network
    assert (again.spec, again.seed, again.epochs_trained) == (net.spec, 5, 3)
    assert again.history is None
    np.testing.assert_array_equal(again.parameters, net.parameters)


def test_files_of_the_first_format_are_still_loaded():
    assert cr.load(GOLDEN).predict([[1.0, 2.0]]).shape == (1, 2)


def test_a_file_that_is_no_model_is_refused(tmp_path):
    (tmp_path / "model.safetensors").write_text("not one")
    with pytest.raises(cr.InvalidModelFileError, match=r"model\.safetensors: is not a chainrule"):
        cr.load(tmp_path / "model.safetensors")


def test_a_file_that_is_not_there_is_named(tmp_path):
    with pytest.raises(cr.InvalidModelFileError, match=r"nothing\.safetensors: cannot be read"):
        cr.load(tmp_path / "nothing.safetensors")


def test_the_folder_of_a_run_stands_for_its_model(tmp_path):
    net = cr.Network([2, cr.Dense(1, "identity")], cost="mse", seed=5)
    net.save(tmp_path / "model.safetensors")
    np.testing.assert_array_equal(cr.load(tmp_path).parameters, net.parameters)


def test_a_folder_without_a_model_is_refused(tmp_path):
    with pytest.raises(cr.InvalidModelFileError, match=r"is a folder without model\.safetensors"):
        cr.load(tmp_path)
