"""The file of a checkpoint: what is written is read again, and what was damaged is not."""

import json

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from safetensors.numpy import load_file, save_file

from chainrule.errors import InvalidArgumentError, InvalidCheckpointError
from chainrule.files.checkpoint import (
    CheckpointFile,
    read_checkpoint_file,
    write_checkpoint_file,
)

ARRAYS = {
    "parameters": np.arange(5, dtype=np.float32),
    "slots": np.ones((2, 5)),
    "order": np.arange(3, dtype=np.int32),
    "nothing": np.empty((0, 4)),
    "yes": np.array([True, False]),
}


@pytest.fixture
def path(tmp_path):
    write_checkpoint_file(tmp_path / "ckpt", CheckpointFile({"training": '{"a": "δ"}'}, ARRAYS))
    return tmp_path / "ckpt"


def same_arrays(found, expected):
    assert found.keys() == expected.keys()
    for name, array in expected.items():
        np.testing.assert_array_equal(found[name], array, strict=True)


def test_what_is_written_is_read_again(path):
    found = read_checkpoint_file(path)
    assert found.metadata == {"training": '{"a": "δ"}'}
    same_arrays(found.arrays, ARRAYS)


def test_any_reader_of_the_format_reads_it(path):
    found = load_file(path)
    assert found.pop("checksum").shape == (32,)
    same_arrays(found, ARRAYS)


def test_arrays_in_another_order_of_bytes_or_memory_are_the_same(tmp_path):
    arrays = {"big": np.arange(4, dtype=">f8"), "turned": np.arange(6.0).reshape(2, 3)[:, ::-1]}
    write_checkpoint_file(tmp_path / "c", CheckpointFile({}, arrays))
    found = read_checkpoint_file(tmp_path / "c").arrays
    for name, array in arrays.items():
        np.testing.assert_array_equal(found[name], array)


def test_a_file_that_is_there_is_written_over_from_its_beginning(path):
    write_checkpoint_file(path, CheckpointFile({}, {"a": np.zeros(1)}))
    same_arrays(read_checkpoint_file(path).arrays, {"a": np.zeros(1)})


def test_only_numbers_are_written(tmp_path):
    with pytest.raises(InvalidArgumentError, match=r"numeric arrays; got 'a' of dtype obj"):
        write_checkpoint_file(tmp_path / "c", CheckpointFile({}, {"a": np.array([None])}))


@given(place=st.floats(0, 1, exclude_max=True), bit=st.integers(0, 7))
def test_a_changed_bit_is_known_wherever_it_is(tmp_path_factory, place, bit):
    path = tmp_path_factory.mktemp("c") / "ckpt"
    write_checkpoint_file(path, CheckpointFile({"training": "{}"}, ARRAYS))
    content = bytearray(path.read_bytes())
    content[int(place * len(content))] ^= 1 << bit
    path.write_bytes(content)
    with pytest.raises(InvalidCheckpointError, match=r"ckpt: is damaged"):
        read_checkpoint_file(path)


@given(share=st.floats(0, 1, exclude_max=True))
def test_a_file_that_was_cut_short_is_known(tmp_path_factory, share):
    path = tmp_path_factory.mktemp("c") / "ckpt"
    write_checkpoint_file(path, CheckpointFile({"training": "{}"}, ARRAYS))
    content = path.read_bytes()
    path.write_bytes(content[: int(share * len(content))])
    with pytest.raises(InvalidCheckpointError, match=r"ckpt: is damaged"):
        read_checkpoint_file(path)


@given(content=st.binary(max_size=200))
def test_any_bytes_are_an_error_and_no_crash(tmp_path_factory, content):
    path = tmp_path_factory.mktemp("c") / "ckpt"
    path.write_bytes(content)
    with pytest.raises(InvalidCheckpointError):
        read_checkpoint_file(path)


def with_a_checksum(content):
    import hashlib

    return content + hashlib.sha256(content).digest()


def forged(header, payload=b"", length=None):
    """Return a file with a checksum that is right, whatever it says."""
    text = header if isinstance(header, bytes) else json.dumps(header).encode()
    size = len(text) if length is None else length
    return with_a_checksum(size.to_bytes(8, "little") + text + payload)


VERSION = {"__metadata__": {"chainrule_checkpoint": "1"}}
SUM = {"checksum": {"dtype": "U8", "shape": [32], "data_offsets": [0, 32]}}

FORGED = {
    "a header longer than the file": forged(b"{}", length=2**20),
    "an endless header": forged(b"{}", length=2**63),
    "a header that is no JSON": forged(b"{nonsense"),
    "a header nested without end": forged(b"[" * 10_000),
    "no version": forged(SUM),
    "a version that is none": forged({"__metadata__": {"chainrule_checkpoint": "new"}, **SUM}),
    "an array beyond the file": forged(
        {
            **VERSION,
            "a": {"dtype": "F64", "shape": [2**40], "data_offsets": [0, 2**43]},
        }
    ),
    "a negative shape": forged(
        {**VERSION, "a": {"dtype": "F64", "shape": [-1], "data_offsets": [0, 8]}}, b"12345678"
    ),
    "a type that NumPy has not": forged(
        {
            **VERSION,
            "a": {"dtype": "BF16", "shape": [1], "data_offsets": [0, 2]},
            "checksum": {"dtype": "U8", "shape": [32], "data_offsets": [2, 34]},
        },
        b"12",
    ),
    "no checksum": forged(
        {**VERSION, "a": {"dtype": "U8", "shape": [32], "data_offsets": [0, 32]}}
    ),
}


@pytest.mark.parametrize("content", FORGED.values(), ids=FORGED)
def test_a_forged_file_is_an_error_that_names_it(content, tmp_path):
    (tmp_path / "ckpt").write_bytes(content)
    with pytest.raises(InvalidCheckpointError, match=r"ckpt: "):
        read_checkpoint_file(tmp_path / "ckpt")


def test_a_newer_format_asks_for_a_newer_program(tmp_path):
    (tmp_path / "ckpt").write_bytes(forged({"__metadata__": {"chainrule_checkpoint": "2"}, **SUM}))
    with pytest.raises(InvalidCheckpointError, match=r"version 2.*reads up to 1.*newer chainrule"):
        read_checkpoint_file(tmp_path / "ckpt")


def test_another_safetensors_file_is_no_checkpoint(tmp_path):
    save_file({"a": np.zeros(20)}, tmp_path / "ckpt")
    with pytest.raises(InvalidCheckpointError, match="checksum"):
        read_checkpoint_file(tmp_path / "ckpt")


def test_a_missing_file_and_a_folder_are_named(tmp_path):
    for path in (tmp_path / "none", tmp_path):
        with pytest.raises(InvalidCheckpointError, match="cannot be read"):
            read_checkpoint_file(path)
