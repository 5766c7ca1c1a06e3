"""Model files: safetensors, data only. Loading one runs no code.

The tensor "parameters" is the flat vector; further tensors and header entries belong to the object
that wrote them (a table's encoder). Header entries, each a string:

- "chainrule": the format version, 3. Version 1, without checksum and details, is still read.
- "spec": the network, as `NetworkSpec.to_json` writes it.
- "details": JSON, information about the model: metrics, command, versions.
- "checksum": SHA-256 of all bytes of the file, with the checksum itself replaced by zeros.
"""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, BinaryIO, NamedTuple

import numpy as np
from numpy.typing import NDArray

from chainrule.checks import file_path
from chainrule.errors import InvalidArgumentError, InvalidModelFileError
from chainrule.files.atomic import atomic_path
from chainrule.files.container import (
    ContainerError,
    Entry,
    Header,
    check_size,
    opened,
    read_array,
    read_header,
)
from chainrule.files.details import details_from_json, details_to_json
from chainrule.files.specification import spec_from_file
from chainrule.network.parameters import parameter_count
from chainrule.network.spec import NetworkSpec

FORMAT_VERSION = 4

_OWN = ("chainrule", "spec", "details", "checksum")
_NO_CHECKSUM = "0" * 64


@dataclass(frozen=True)
class ModelFile:
    """The content of a model file."""

    spec: NetworkSpec
    parameters: NDArray[np.floating]
    metadata: Mapping[str, str] = field(default_factory=dict)
    """Further header entries, each a string (JSON by convention)."""
    arrays: Mapping[str, NDArray[Any]] = field(default_factory=dict)
    """Further tensors."""
    details: Mapping[str, Any] = field(default_factory=dict)
    """Plain data about the model: metrics, the training command, versions."""


class Contents(NamedTuple):
    """What the header of a model file declares, as `describe_model_file` returns it."""

    version: int
    """Format version."""
    size: int
    """Size of the file in bytes."""
    spec: NetworkSpec
    n_parameters: int
    metadata: Mapping[str, str]
    details: Mapping[str, Any]
    arrays: Mapping[str, tuple[str, tuple[int, ...]]]
    """Element type and shape of every tensor, by name."""
    checksum: str
    """SHA-256 as stored in the file; "" in version 1."""


def write_model_file(path: str | Path, model: ModelFile) -> None:
    """Write a model file, whole or not at all.

    Raises
    ------
    InvalidArgumentError
        If a parameter is not finite, the details are too long or not plain data, or the cost is
        user-defined.
    OSError
        If the file cannot be written; an existing file is then left unchanged.
    """
    from safetensors.numpy import save

    if not np.isfinite(model.parameters).all():
        raise InvalidArgumentError(
            "parameters: expected finite numbers; a network with one that is not finite predicts "
            "nothing and cannot be saved. Train it again, or set its parameters"
        )
    taken = [name for name in _OWN if name in model.metadata]
    if taken or "parameters" in model.arrays:
        raise InvalidArgumentError(
            f"metadata and arrays: the name {(taken or ['parameters'])[0]!r} is reserved; choose "
            "another"
        )
    header = {
        "chainrule": str(FORMAT_VERSION),
        "spec": model.spec.to_json(),
        "checksum": _NO_CHECKSUM,
        **model.metadata,
    }
    if model.details:
        header["details"] = details_to_json(model.details)
    tensors = {"parameters": model.parameters, **model.arrays}
    content = save({name: np.ascontiguousarray(a) for name, a in tensors.items()}, header)
    with atomic_path(path) as temporary, open(temporary, "wb") as file:
        for part in _finished(content):
            file.write(part)


def _finished(content: bytes) -> tuple[bytes, memoryview]:
    """Return a safetensors file with its header entries sorted and its checksum filled in.

    safetensors writes them in the order of a hash table, which differs between processes; sorted,
    equal models have equal bytes.
    """
    length = int.from_bytes(content[:8], "little")
    entries = json.loads(content[8 : 8 + length])
    payload = memoryview(content)[8 + length :]
    header = json.dumps(entries, sort_keys=True, separators=(",", ":")).encode()
    header += b" " * (-len(header) % 8)  # the arrays stay aligned
    try:
        check_size(header)
    except ContainerError as error:
        raise InvalidArgumentError(
            f"the model is too large for a model file: {error}. Fewer columns, or fewer categories "
            "in them, make it smaller"
        ) from error
    prefix = len(header).to_bytes(8, "little") + header
    digest = hashlib.sha256(prefix)
    digest.update(payload)
    return prefix.replace(_place_of(_NO_CHECKSUM), _place_of(digest.hexdigest()), 1), payload


def _place_of(checksum: str) -> bytes:
    return f'"checksum":"{checksum}"'.encode()


def read_model_file(path: str | Path) -> ModelFile:
    """Read a model file and check that its parts are consistent.

    A file that cannot be a model is refused by its header, before any array that it declares is
    allocated.

    Raises
    ------
    InvalidModelFileError
        If the file is missing, is not a model file, has a newer format than this version reads, has
        changed since it was written, or its arrays do not fit its specification.
    """
    path = file_path("path", path)
    with opened(path) as file:
        header, contents = _head(path, file)
        digest = hashlib.sha256(
            header.prefix.replace(_place_of(contents.checksum), _place_of(_NO_CHECKSUM), 1)
        )
        arrays = {}
        for entry in header.entries:
            arrays[entry.name] = _array(path, file, entry)
            if contents.version > 1:
                digest.update(arrays[entry.name].reshape(-1).view(np.uint8).data)
    if contents.checksum and digest.hexdigest() != contents.checksum:
        raise InvalidModelFileError(
            f"{path}: is damaged: its content does not match its checksum (SHA-256 "
            f"{digest.hexdigest()[:16]}…, expected {contents.checksum[:16]}…). "
            "Copy it again, or train the model again"
        )
    parameters = arrays.pop("parameters")
    if not np.isfinite(parameters).all():
        place = int(np.argmin(np.isfinite(parameters)))
        raise InvalidModelFileError(
            f"{path}: parameter {place} is {parameters[place]}; a network with it predicts nothing"
        )
    return ModelFile(contents.spec, parameters, contents.metadata, arrays, contents.details)


def describe_model_file(path: str | Path) -> Contents:
    """Return what a model file declares, from its header alone: its size does not matter.

    Raises
    ------
    InvalidModelFileError
        If `read_model_file` would refuse its header.

    Examples
    --------
    >>> from chainrule.files.model_file import describe_model_file
    >>> describe_model_file("run/model.safetensors").n_parameters        # doctest: +SKIP
    1346
    """
    path = file_path("path", path)
    with opened(path) as file:
        return _head(path, file)[1]


def _head(path: Path, file: BinaryIO) -> tuple[Header, Contents]:
    """Read a header, and check everything that can be checked without the arrays."""
    try:
        header = read_header(file)
    except ContainerError as error:
        raise InvalidModelFileError(
            f"{path}: is not a chainrule model file (a safetensors file that `save` wrote): {error}"
        ) from error
    metadata = dict(header.metadata)
    version = _version(path, metadata.pop("chainrule", None))
    try:
        spec = spec_from_file(metadata.pop("spec", ""))
    except InvalidArgumentError as error:
        raise InvalidModelFileError(f"{path}: its network cannot be built: {error}") from error
    entries = {entry.name: entry for entry in header.entries}
    expected = parameter_count(spec)
    found = entries.get("parameters", Entry("parameters", np.dtype("f8"), (0,), 0))
    if found.shape != (expected,) or found.dtype != spec.dtype:
        wanted = str(expected) if expected < 10**30 else "more than 10³⁰"
        raise InvalidModelFileError(
            f"{path}: the parameters do not fit the network: expected {wanted} numbers of dtype "
            f"{spec.dtype}, got shape {found.shape} of dtype {found.dtype}"
        )
    details: Mapping[str, Any] = {}
    checksum = ""
    # A file with a checksum is not of version 1, even if a flipped bit makes its header say so.
    if version > 1 or "checksum" in metadata:
        checksum = metadata.pop("checksum", "")
        if header.prefix.count(_place_of(checksum)) != 1 or len(checksum) != 64:
            raise InvalidModelFileError(f"{path}: is damaged: it has no checksum")
        try:
            details = details_from_json(metadata.pop("details", "{}"))
        except ValueError as error:
            raise InvalidModelFileError(f"{path}: its details cannot be read: {error}") from error
    return header, Contents(
        version,
        len(header.prefix) + header.payload,
        spec,
        expected,
        metadata,
        details,
        {entry.name: (str(entry.dtype), entry.shape) for entry in header.entries},
        checksum,
    )


def _array(path: Path, file: BinaryIO, entry: Entry) -> NDArray[Any]:
    try:
        return read_array(file, entry)
    except ContainerError as error:
        raise InvalidModelFileError(f"{path}: cannot be read: {error}") from error


def _version(path: Path, version: str | None) -> int:
    if version is None or not version.isdecimal() or version.startswith("0") or len(version) > 9:
        raise InvalidModelFileError(
            f"{path}: is a safetensors file, but not a chainrule model: its header has no format "
            "version"
        )
    if int(version) > FORMAT_VERSION:
        raise InvalidModelFileError(
            f"{path}: has format version {version}; this chainrule reads up to {FORMAT_VERSION}. "
            "Install a newer chainrule"
        )
    return int(version)
