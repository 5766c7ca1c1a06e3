"""Files that are no model files: each is refused with a sentence, and no code of theirs runs."""

import builtins
import json
import os
import pickle
import struct

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import chainrule as cr
from chainrule.errors import InvalidModelFileError
from chainrule.files.model_file import read_model_file
from chainrule.network.layers import Dense
from chainrule.network.spec import NetworkSpec
from tests.files.test_model_file import GOLDEN

SPEC = NetworkSpec(2, (Dense(1, "identity"),), "mse").to_json()
PARAMETERS = {"dtype": "F32", "shape": [3], "data_offsets": [0, 12]}


def safetensors(header, data=bytes(12)):
    """Return a safetensors file, put together by hand."""
    text = header if isinstance(header, bytes) else json.dumps(header).encode()
    return struct.pack("<Q", len(text)) + text + data


def model(tensors=None, data=bytes(12), **metadata):
    """Return a model file; a metadata entry that is None is left out."""
    entries = {"chainrule": "1", "spec": SPEC, **metadata}
    entries = {key: value for key, value in entries.items() if value is not None}
    tensors = {"parameters": PARAMETERS} if tensors is None else tensors
    return safetensors({"__metadata__": entries, **tensors}, data)


@pytest.fixture
def read(tmp_path):
    """Return a function that writes bytes to a file and reads it as a model file."""

    def write_and_read(data):
        path = tmp_path / "model.safetensors"
        path.write_bytes(data)
        return read_model_file(path)

    return write_and_read


def test_the_file_that_the_others_are_broken_copies_of_is_read(read):
    np.testing.assert_array_equal(read(model()).parameters, np.zeros(3, np.float32))


def spec_with(**changes):
    return json.dumps({**json.loads(SPEC), **changes})


TOO_MANY = {"kind": "dense", "units": 10**30, "activation": "identity", "init": None}

NOT_MODELS = {
    "nothing": (b"", "is not a chainrule model file"),
    "text": (b"epoch,loss\n1,0.5\n", "is not a chainrule model file"),
    "a pickle": (b"\x80\x04cos\nsystem\n(S'exit 1'\ntR.", "is not a chainrule model file"),
    "a header longer than the file": (struct.pack("<Q", 10**6) + b"{}", "is not a chainrule"),
    "a header of 2⁶⁴ − 1 bytes": (b"\xff" * 8 + b"{}", "is not a chainrule model file"),
    "a header that is no JSON": (safetensors(b"{"), "is not a chainrule model file"),
    "a header that is a list": (safetensors(b"[]"), "is not a chainrule model file"),
    "a header nested deeply": (safetensors(b'{"a":' * 10**5), "is not a chainrule model file"),
    "a header that is no UTF-8": (safetensors(b'{"\xff": 1}'), "is not a chainrule model file"),
    "numbers among the texts": (
        safetensors({"__metadata__": {"chainrule": 1}, "parameters": PARAMETERS}),
        "is not a chainrule model file",
    ),
    "data that overlap": (
        model({"parameters": PARAMETERS, "more": {**PARAMETERS, "data_offsets": [4, 16]}}),
        "is not a chainrule model file",
    ),
    "data beyond the end": (
        model({"parameters": {**PARAMETERS, "data_offsets": [0, 4000]}}),
        "is not a chainrule model file",
    ),
    "data that are not all used": (model(data=bytes(100)), "is not a chainrule model file"),
    "a shape that overflows": (
        model({"parameters": {**PARAMETERS, "shape": [2**62, 2**62]}}),
        "is not a chainrule model file",
    ),
    "another program's": (
        safetensors({"__metadata__": {"format": "pt"}, "parameters": PARAMETERS}),
        "not one of chainrule's",
    ),
    "no texts at all": (safetensors({"parameters": PARAMETERS}), "not one of chainrule's"),
    "no version": (model(chainrule=None), "no format version"),
    "a version that is no number": (model(chainrule="one"), "no format version"),
    "a version that never was": (model(chainrule="0"), "format version"),
    "a negative version": (model(chainrule="-1"), "format version"),
    "an endless version": (model(chainrule="9" * 10_000), "version"),
    "a newer version": (model(chainrule="2"), "has format version 2.*Install a newer chainrule"),
    "a much newer version": (model(chainrule="1000"), "has format version 1000"),
    "no network": (model(spec=None), "its network cannot be built"),
    "a network that is no JSON": (model(spec="import os"), "its network cannot be built"),
    "an unknown kind of layer": (
        model(spec=spec_with(layers=[{"kind": "os.system", "units": 1}])),
        "its network cannot be built",
    ),
    "a network with no layers": (model(spec=spec_with(layers=[])), "at least one layer"),
    "a network nested deeply": (model(spec="[" * 10**5), "its network cannot be built"),
    "an unknown activation": (
        model(spec=SPEC.replace("identity", "__import__")),
        "its network cannot be built: .*activation: expected one of",
    ),
    "a network of 10³⁰ units": (
        model(spec=spec_with(layers=[TOO_MANY])),
        "units: expected a whole number of at most",
    ),
    "no parameters": (model({}, b""), "the parameters do not fit the network: expected 3 numbers"),
    "parameters under another name": (
        model({"weights": PARAMETERS}),
        "the parameters do not fit the network: expected 3 numbers of float32",
    ),
    "too few parameters": (
        model({"parameters": {**PARAMETERS, "shape": [2], "data_offsets": [0, 8]}}, bytes(8)),
        r"expected 3 numbers of float32, got shape \(2,\) of float32",
    ),
    "parameters in a table": (
        model({"parameters": {**PARAMETERS, "shape": [3, 1]}}),
        r"expected 3 numbers of float32, got shape \(3, 1\) of float32",
    ),
    "whole numbers": (
        model({"parameters": {**PARAMETERS, "dtype": "I32"}}),
        r"expected 3 numbers of float32, got shape \(3,\) of int32",
    ),
    "another precision": (
        model({"parameters": {**PARAMETERS, "dtype": "F64", "data_offsets": [0, 24]}}, bytes(24)),
        r"expected 3 numbers of float32, got shape \(3,\) of float64",
    ),
    "a precision that NumPy has not": (
        model({"parameters": {**PARAMETERS, "dtype": "BF16", "data_offsets": [0, 6]}}, bytes(6)),
        "model.safetensors: ",
    ),
}


@pytest.mark.parametrize("name", NOT_MODELS)
def test_what_is_no_model_file_is_refused_with_a_sentence(read, tmp_path, name):
    data, message = NOT_MODELS[name]
    with pytest.raises(InvalidModelFileError, match=message) as raised:
        read(data)
    assert str(raised.value).startswith(f"{tmp_path / 'model.safetensors'}: ")
    assert len(str(raised.value)) < 1000


@pytest.mark.parametrize("text", ["", "-1", "1.5", "one", "²", "9" * 10_000])
def test_a_seed_or_count_that_is_no_whole_number_is_0(read, text):
    net = cr.Network._from_file(read(model(seed=text, epochs_trained=text)))
    assert (net.seed, net.epochs_trained) == (0, 0)


def test_a_file_that_is_not_there_is_named(tmp_path):
    with pytest.raises(
        InvalidModelFileError, match=r"no\.safetensors: cannot be read: there is no"
    ):
        read_model_file(tmp_path / "no.safetensors")


def test_a_folder_is_said_to_be_one(tmp_path):
    with pytest.raises(InvalidModelFileError, match=r"cannot be read: it is a folder"):
        read_model_file(tmp_path)


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="no pipes here")
def test_a_pipe_is_refused_and_not_waited_for(tmp_path):
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(InvalidModelFileError, match=r"pipe: cannot be read"):
        read_model_file(tmp_path / "pipe")


@pytest.mark.parametrize("path", [None, 3, b"\x00", "a\x00b"])
def test_a_path_that_is_none_is_an_error_of_the_caller(path):
    with pytest.raises((TypeError, ValueError)):
        read_model_file(path)


def test_every_truncation_of_a_model_file_is_refused(read):
    whole = GOLDEN.read_bytes()
    for length in range(len(whole)):
        with pytest.raises(InvalidModelFileError, match=r"model\.safetensors: "):
            read(whole[:length])


def test_bytes_after_the_end_are_refused(read):
    with pytest.raises(InvalidModelFileError, match="is not a chainrule model file"):
        read(GOLDEN.read_bytes() + b"\x00")


@settings(max_examples=300)
@given(data=st.binary(max_size=200))
def test_random_bytes_are_refused(tmp_path_factory, data):
    path = tmp_path_factory.getbasetemp() / "random.safetensors"
    path.write_bytes(data)
    with pytest.raises(InvalidModelFileError, match=r"random\.safetensors: "):
        read_model_file(path)


@settings(max_examples=1000)
@given(data=st.data())
def test_a_damaged_byte_gives_a_model_or_an_error_of_ours(tmp_path_factory, data):
    damaged = bytearray(GOLDEN.read_bytes())
    place = data.draw(st.integers(0, len(damaged) - 1))
    damaged[place] = data.draw(st.integers(0, 255) | st.sampled_from(b'"{}[],:0e-\\'))
    path = tmp_path_factory.getbasetemp() / "damaged.safetensors"
    path.write_bytes(damaged)
    try:
        read = read_model_file(path)
    except InvalidModelFileError:
        return
    assert read.parameters.dtype == read.spec.dtype


def test_reading_runs_no_code(read, monkeypatch):
    def forbidden(*arguments, **named):
        raise AssertionError("code from a file would run")

    for module, name in ((pickle, "load"), (pickle, "loads"), (builtins, "eval")):
        monkeypatch.setattr(module, name, forbidden)
    read(GOLDEN.read_bytes())
    with pytest.raises(InvalidModelFileError):
        read(model(spec=spec_with(cost="__import__('os').system('exit 1')")))
