"""Files that are no model files: each is refused with a sentence, and no code of theirs runs."""

import builtins
import hashlib
import json
import os
import pickle
import struct
import tracemalloc

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import chainrule as cr
from chainrule.errors import InvalidModelFileError
from chainrule.files import container, model_file
from chainrule.files.model_file import read_model_file
from chainrule.network.layers import Dense
from chainrule.network.spec import NetworkSpec
from tests.files.test_model_file import GOLDEN, LAYERS, OLD

SPEC = NetworkSpec(2, (Dense(1, "identity"),), "mse").to_json()
PARAMETERS = {"dtype": "F32", "shape": [3], "data_offsets": [0, 12]}


def safetensors(header, data=bytes(12)):
    """Return a safetensors file, put together by hand."""
    text = header if isinstance(header, bytes) else json.dumps(header).encode()
    return struct.pack("<Q", len(text)) + text + data


def sealed(content):
    """Return a file with zeros for a checksum with its true one."""
    return content.replace(b"0" * 64, hashlib.sha256(content).hexdigest().encode(), 1)


def sealed_model(**metadata):
    """Return a model file of version 2 whose checksum is right, whatever else is not."""
    entries = {"chainrule": "2", "checksum": "0" * 64, **metadata}
    entries = {"spec": SPEC, **entries}
    data = metadata.pop("data", bytes(12))
    entries.pop("data", None)
    text = json.dumps({"__metadata__": entries, "parameters": PARAMETERS}, separators=(",", ":"))
    return sealed(safetensors(text.encode(), data))


def model(tensors=None, data=bytes(12), **metadata):
    """Return a model file of version 1; a metadata entry that is None is left out."""
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


@pytest.mark.parametrize("whole", [model(), sealed_model(), sealed_model(details='{"a": 1}')])
def test_the_files_that_the_others_are_broken_copies_of_are_read(read, whole):
    np.testing.assert_array_equal(read(whole).parameters, np.zeros(3, np.float32))


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
        "not a chainrule model",
    ),
    "no texts at all": (safetensors({"parameters": PARAMETERS}), "not a chainrule model"),
    "no version": (model(chainrule=None), "no format version"),
    "a version that is no number": (model(chainrule="one"), "no format version"),
    "a version that never was": (model(chainrule="0"), "format version"),
    "a negative version": (model(chainrule="-1"), "format version"),
    "an endless version": (model(chainrule="9" * 10_000), "version"),
    "a newer version": (model(chainrule="5"), "has format version 5.*Install a newer chainrule"),
    "a much newer version": (model(chainrule="1000"), "has format version 1000"),
    "no network": (model(spec=None), "its network cannot be built"),
    "a network that is no JSON": (model(spec="import os"), "its network cannot be built"),
    "an unknown kind of layer": (
        model(spec=spec_with(layers=[{"kind": "os.system", "units": 1}])),
        "its network cannot be built",
    ),
    "a network with no layers": (model(spec=spec_with(layers=[])), "at least one layer"),
    "a network nested deeply": (model(spec="[" * 20_000), "its network cannot be built"),
    "an unknown activation": (
        model(spec=SPEC.replace("identity", "__import__")),
        "its network cannot be built: .*activation: expected one of",
    ),
    "a network of 10³⁰ units": (
        model(spec=spec_with(layers=[TOO_MANY])),
        "a number in it is too large",
    ),
    "a network of 10¹² units": (
        model(spec=spec_with(layers=[{**TOO_MANY, "units": 10**12}])),
        "units: expected a whole number of at most 2147483647; got 1000000000000",
    ),
    "a network whose units multiply beyond 64 bits": (
        model(spec=spec_with(layers=[{**TOO_MANY, "units": 2**31 - 1}] * 3)),
        "layers: expected at most 281474976710656 parameters in all; got 9223372",
    ),
    "a network of thousands of digits": (
        model(spec=SPEC.replace('"units": 1', '"units": ' + "9" * 5000)),
        "its network cannot be built",
    ),
    "a network of many layers": (
        model(spec=spec_with(layers=[{"kind": "dropout", "rate": 0.5}] * 5000)),
        "at most 2000",
    ),
    "a network in a megabyte of text": (
        model(spec=SPEC + " " * 2**20),
        "its network cannot be built: spec: has",
    ),
    "an activation that takes long to match": (
        model(spec=SPEC.replace('"identity"', json.dumps("heads(" + " " * 4000 + "x)"))),
        "a name in it is too long",
    ),
    "an activation of many commas": (
        model(spec=SPEC.replace('"identity"', json.dumps("heads(" + "," * 10**5))),
        "its network cannot be built",
    ),
    "a key that is there twice": (
        safetensors(b'{"__metadata__":{"chainrule":"1","chainrule":"1"}}', b""),
        "a key occurs twice",
    ),
    "an array that is there twice": (
        safetensors(
            b'{"a":{"dtype":"U8","shape":[1],"data_offsets":[0,1]},'
            b'"a":{"dtype":"U8","shape":[1],"data_offsets":[0,1]}}',
            bytes(1),
        ),
        "a key occurs twice",
    ),
    "a number that JSON has not": (safetensors(b'{"a": NaN}'), "NaN is not a JSON number"),
    "a gap between the arrays": (
        model(
            {"parameters": PARAMETERS, "more": {**PARAMETERS, "data_offsets": [16, 28]}}, bytes(28)
        ),
        "leave a gap",
    ),
    "a gap before the arrays": (
        model({"parameters": {**PARAMETERS, "data_offsets": [4, 16]}}, bytes(16)),
        "leave a gap",
    ),
    "two arrays in one place": (
        model({"parameters": PARAMETERS, "more": PARAMETERS}),
        "overlap",
    ),
    "an array that ends before it begins": (
        model({"parameters": {**PARAMETERS, "data_offsets": [12, 0]}}),
        "has -12 bytes, but its shape needs 12",
    ),
    "a negative place": (
        model({"parameters": {**PARAMETERS, "data_offsets": [-12, 0]}}),
        "an invalid shape or invalid data_offsets",
    ),
    "a negative shape": (
        model({"parameters": {**PARAMETERS, "shape": [-1, -3]}}),
        "an invalid shape or invalid data_offsets",
    ),
    "a shape that is true": (
        model({"parameters": {**PARAMETERS, "shape": [3, True]}}),
        "an invalid shape or invalid data_offsets",
    ),
    "a shape of halves": (
        model({"parameters": {**PARAMETERS, "shape": [1.5, 2]}}),
        "an invalid shape or invalid data_offsets",
    ),
    "a shape of a thousand dimensions": (
        model({"parameters": {**PARAMETERS, "shape": [3] + [1] * 1000}}),
        "an invalid shape or invalid data_offsets",
    ),
    "an array with more to say": (
        model({"parameters": {**PARAMETERS, "path": "/etc/passwd"}}),
        "does not give dtype, shape and data_offsets",
    ),
    "an array that is a number": (
        model({"parameters": 3}),
        "does not give dtype, shape and data_offsets",
    ),
    "an element type that is a list": (
        model({"parameters": {**PARAMETERS, "dtype": ["F32"]}}),
        "which NumPy does not have",
    ),
    "half of a character": (
        model(note="\ud800"),
        "an unpaired surrogate",
    ),
    "a header of too many arrays": (
        safetensors(b'{"a":{' + b'"b":{},' * 200_000 + b'"c":0}}'),
        "'{' more than 60000 times",
    ),
    "a header of millions of numbers": (
        safetensors(b'{"a":[' + b"0," * 2 * 10**6 + b"0]}"),
        "',' more than 600000 times",
    ),
    "a header of very many keys": (
        safetensors(b"{" + b'"a":0,' * 200_000 + b'"c":0}'),
        "more than 100000 keys",
    ),
    "a header of keys that hide": (
        safetensors(b"{" + rb'"a\\":0,' * 200_000 + b'"c":0}'),
        "more than 1000 times",
    ),
    "details of megabytes": (sealed_model(details='"' + "a" * 3 * 10**6 + '"'), "at most 2097152"),
    "parameters that are no numbers": (
        model(data=struct.pack("<3f", 1, float("nan"), 2)),
        "parameter 1 is nan",
    ),
    "parameters that are not finite": (
        model(data=struct.pack("<3f", 1, 2, float("-inf"))),
        "parameter 2 is -inf",
    ),
    "parameters that are no numbers, well sealed": (
        sealed_model(data=struct.pack("<3f", float("nan"), 1, 2)),
        "parameter 0 is nan",
    ),
    "version 2 without a checksum": (model(chainrule="2"), "is damaged: it has no checksum"),
    "a checksum of another length": (
        model(chainrule="2", checksum="0" * 63),
        "is damaged: it has no checksum",
    ),
    "a checksum that is wrong": (sealed_model(checksum="1" * 64), "is damaged: its content"),
    "details that are no JSON": (sealed_model(details="{"), "its details cannot be read"),
    "details that are a list": (sealed_model(details="[]"), "not a JSON object"),
    "details nested deeply": (sealed_model(details="[" * 20_000), "nested too deeply"),
    "details with half of a character": (
        sealed_model(details='{"command": "\\ud800"}'),
        "its details cannot be read",
    ),
    "no parameters": (
        model({}, b""),
        "the parameters do not fit the network: expected 3 numbers of dtype",
    ),
    "parameters under another name": (
        model({"weights": PARAMETERS}),
        "the parameters do not fit the network: expected 3 numbers of dtype float32",
    ),
    "too few parameters": (
        model({"parameters": {**PARAMETERS, "shape": [2], "data_offsets": [0, 8]}}, bytes(8)),
        r"expected 3 numbers of dtype float32, got shape \(2,\) of dtype float32",
    ),
    "parameters in a table": (
        model({"parameters": {**PARAMETERS, "shape": [3, 1]}}),
        r"expected 3 numbers of dtype float32, got shape \(3, 1\) of dtype float32",
    ),
    "whole numbers": (
        model({"parameters": {**PARAMETERS, "dtype": "I32"}}),
        r"expected 3 numbers of dtype float32, got shape \(3,\) of dtype int32",
    ),
    "another precision": (
        model({"parameters": {**PARAMETERS, "dtype": "F64", "data_offsets": [0, 24]}}, bytes(24)),
        r"expected 3 numbers of dtype float32, got shape \(3,\) of dtype float64",
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


@pytest.mark.skipif(not os.path.exists("/dev/zero"), reason="no such device here")
@pytest.mark.parametrize("device", ["/dev/zero", "/dev/null", "/dev/stdin"])
def test_a_device_is_not_read(device):
    with pytest.raises(InvalidModelFileError, match=f"{device}: cannot be read: it is not a"):
        read_model_file(device)


def test_a_name_that_is_a_path_touches_no_file(read, tmp_path, monkeypatch):
    names = ("../../parameters", "/etc/passwd", "C:\\x", "~root", "parameters\x00", "con", "%2e%2e")
    whole = read(
        model(
            {
                "parameters": PARAMETERS,
                **{
                    name: {"dtype": "U8", "shape": [1], "data_offsets": [12 + i, 13 + i]}
                    for i, name in enumerate(names)
                },
            },
            bytes(12 + len(names)),
        )
    )
    assert set(whole.arrays) == set(names)
    assert [path.name for path in tmp_path.iterdir()] == ["model.safetensors"]


@pytest.mark.parametrize("declared", [2**23 + 1, 2**40, 2**63 - 16])
def test_a_header_that_is_too_long_is_not_read(tmp_path, declared):
    # The file has as many bytes as it declares, of which none is on the disk.
    path = tmp_path / "model.safetensors"
    with open(path, "wb") as file:
        file.write(struct.pack("<Q", declared))
        if declared < 2**42:
            file.truncate(declared + 8)
    with pytest.raises(InvalidModelFileError, match=r"at most 8388608 are read|shorter than"):
        read_model_file(path)


@pytest.mark.parametrize("name", NOT_MODELS)
def test_refusing_a_file_takes_little_memory(read, name):
    data, _ = NOT_MODELS[name]
    tracemalloc.start()
    try:
        with pytest.raises(InvalidModelFileError):
            read(data)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < 40 * 2**20


def test_a_file_that_ends_while_it_is_read_is_refused(tmp_path, monkeypatch):
    path = tmp_path / "model.safetensors"
    path.write_bytes(GOLDEN.read_bytes())
    size = path.stat().st_size
    read_header = container.read_header

    def cut_after_the_header(file):
        header = read_header(file)
        os.truncate(path, size - 8)
        return header

    monkeypatch.setattr(model_file, "read_header", cut_after_the_header)
    with pytest.raises(InvalidModelFileError, match="truncated while it was being read"):
        read_model_file(path)


@pytest.mark.parametrize("path", [GOLDEN, LAYERS], ids=["dense", "layers"])
def test_a_flipped_bit_anywhere_is_found(read, path):
    whole = path.read_bytes()
    for place in range(len(whole)):
        for bit in range(8) if path == GOLDEN else (place % 8,):
            damaged = bytearray(whole)
            damaged[place] ^= 1 << bit
            with pytest.raises(InvalidModelFileError, match=r"model\.safetensors: "):
                read(bytes(damaged))


@pytest.mark.parametrize("path", [GOLDEN, LAYERS, OLD[0]], ids=["dense", "layers", "version 1"])
def test_every_truncation_of_a_model_file_is_refused(read, path):
    whole = path.read_bytes()
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
    damaged = bytearray(OLD[0].read_bytes())
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
