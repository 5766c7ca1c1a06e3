"""Exporting: what is written where, and what is refused."""

import pytest

import chainrule as cr
from chainrule.exports import TARGETS
from tests.exports.models import every_kind, table_model


@pytest.mark.parametrize("model", [every_kind(), table_model(), table_model("value")])
@pytest.mark.parametrize("to", TARGETS)
def test_every_target_writes_files_beside_each_other_and_returns_them(tmp_path, to, model):
    paths = cr.export(model, tmp_path / f"model{TARGETS[to]}", to)
    assert sorted(path.name for path in tmp_path.iterdir()) == sorted(path.name for path in paths)
    assert paths[0] == tmp_path / f"model{TARGETS[to]}"
    assert [path.suffix for path in paths[1:]] == [".py"] * (to in ("torch", "keras"))


@pytest.mark.parametrize("to", TARGETS)
def test_the_suffix_says_the_target(tmp_path, to):
    path = tmp_path / f"model{TARGETS[to]}"
    one = [p.read_bytes() for p in cr.export(every_kind(), path)]
    other = [p.read_bytes() for p in cr.export(every_kind(), str(path), to)]
    assert one == other


@pytest.mark.parametrize(
    ("name", "to", "message"),
    [
        ("model", None, r"to: expected one of onnx, c, numpy, torch, keras, or a path"),
        ("model.h5", None, r"a path that ends in one of \.onnx, \.c, \.py, \.safetensors, \.npz"),
        ("model.onnx", "tensorflow", "to: expected one of onnx, c, numpy, torch, keras; got 'ten"),
        ("model.pt", "torch", r"path: a file for torch ends in \.safetensors; got"),
    ],
)
def test_a_target_that_there_is_not_is_refused(tmp_path, name, to, message):
    with pytest.raises(cr.InvalidArgumentError, match=message):
        cr.export(every_kind(), tmp_path / name, to)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("name", ["1st", "a b", "", "_x", "a;b", "é", 3])
def test_a_name_that_c_does_not_allow_is_refused(tmp_path, name):
    with pytest.raises(cr.InvalidArgumentError, match="name: expected a letter, then letters"):
        cr.export(every_kind(), tmp_path / "model.c", name=name)


@pytest.mark.parametrize("to", TARGETS)
def test_a_folder_that_is_not_there_is_an_error_of_the_system(tmp_path, to):
    with pytest.raises(FileNotFoundError):
        cr.export(every_kind(), tmp_path / "new" / f"model{TARGETS[to]}", to)


@pytest.mark.parametrize("suffix", [".safetensors", ".npz"])
def test_a_program_of_the_user_s_beside_the_numbers_is_not_replaced(tmp_path, suffix):
    own = tmp_path / "train.py"
    own.write_text("print('mine')\n")
    with pytest.raises(cr.InvalidArgumentError, match=r"train\.py would be written beside train"):
        cr.export(every_kind(), tmp_path / f"train{suffix}")
    assert own.read_text() == "print('mine')\n"
    assert list(tmp_path.iterdir()) == [own]


@pytest.mark.parametrize("suffix", [".safetensors", ".npz"])
def test_an_earlier_export_is_replaced_with_its_script(tmp_path, suffix):
    first = cr.export(every_kind(), tmp_path / f"model{suffix}")
    before = [path.read_bytes() for path in first]
    again = cr.export(table_model(), tmp_path / f"model{suffix}")
    assert again == first
    assert all(path.read_bytes() != old for path, old in zip(again, before, strict=True))


def test_a_model_of_the_package_is_not_replaced_by_pytorch_s_numbers(tmp_path):
    path = tmp_path / "model.safetensors"
    table_model().save(path)
    before = path.read_bytes()
    with pytest.raises(cr.InvalidArgumentError, match="is a model of chainrule, which the export"):
        cr.export(cr.load(path), path)
    assert path.read_bytes() == before
    assert list(tmp_path.iterdir()) == [path]
