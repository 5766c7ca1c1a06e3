"""Model files: safetensors, data only. Loading one runs no code.

The tensor "parameters" is the flat vector; further tensors and header entries belong to whoever
wrote them (a table's encoder). Entries of the header, each a text:

- "chainrule": the format version, 3. Version 1 is read as ever: it has no checksum and no details.
- "spec": the network, as `NetworkSpec.to_json` writes it.
- "details": JSON, whatever is worth knowing of the model: metrics, command, versions.
- "checksum": SHA-256 of all bytes of the file, with zeros in its own place.
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

FORMAT_VERSION = 3

_OWN = ("chainrule", "spec", "details", "checksum")
_NO_CHECKSUM = "0" * 64


@dataclass(frozen=True)
class ModelFile:
    """What is in a model file."""

    spec: NetworkSpec
    parameters: NDArray[np.floating]
    metadata: Mapping[str, str] = field(default_factory=dict)
    """Further header entries, each a text (JSON by convention)."""
    arrays: Mapping[str, NDArray[Any]] = field(default_factory=dict)
    """Further tensors."""
    details: Mapping[str, Any] = field(default_factory=dict)
    """Plain data about the model: metrics, the training command, versions."""


class Contents(NamedTuple):
    """What a model file says of itself before its arrays: what `describe_model_file` returns."""

    version: int
    """Of the format."""
    size: int
    """Bytes of the file."""
    spec: NetworkSpec
    n_parameters: int
    metadata: Mapping[str, str]
    details: Mapping[str, Any]
    arrays: Mapping[str, tuple[str, tuple[int, ...]]]
    """Element type and shape of every tensor, by name."""
    checksum: str
    """SHA-256 as the file tells it; "" in version 1."""


def write_model_file(path: str | Path, model: ModelFile) -> None:
    """Write a model file whole or not at all.

    Raises
    ------
    InvalidArgumentError
        If a parameter is not finite, the details are not plain data or too long, or the cost is a
        user's own.
    OSError
        If the file cannot be written; what was there before stays.
    """
    from safetensors.numpy import save

    if not np.isfinite(model.parameters).all():
        raise InvalidArgumentError(
            "parameters: a network with a parameter that is not finite cannot be saved, since it "
            "predicts nothing; train it again, or set its parameters"
        )
    taken = [name for name in _OWN if name in model.metadata]
    if taken or "parameters" in model.arrays:
        raise InvalidArgumentError(
            f"metadata and arrays: {(taken or ['parameters'])[0]!r} is the format's own"
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
    """Return a safetensors file with its header's entries sorted, and with its checksum.

    safetensors writes them in the order of a hash table, another one in every process; equal models
    have equal bytes.
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
    """Read a model file and check that its parts fit together.

    What cannot be a model file is refused by its header, before anything of the size that it
    declares is allocated.

    Raises
    ------
    InvalidModelFileError
        If there is no such file, it is not a model file, its format is newer than this program,
        a byte of it has changed since it was written, or its arrays do not fit its specification.
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
            f"{path}: is damaged: its bytes are not those that were written (SHA-256 "
            f"{digest.hexdigest()[:16]}…; the file says {contents.checksum[:16]}…). "
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
    """Return what a model file says of itself, from its header alone, whatever its size.

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
    """Read a header, and check everything that it alone decides."""
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
            f"{path}: the parameters do not fit the network: expected {wanted} numbers of "
            f"{spec.dtype}, got shape {found.shape} of {found.dtype}"
        )
    details: Mapping[str, Any] = {}
    checksum = ""
    # A file that has a checksum is not of version 1, whatever one changed bit makes it say.
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
            f"{path}: is a safetensors file, but not one of chainrule's: its header has no "
            "format version"
        )
    if int(version) > FORMAT_VERSION:
        raise InvalidModelFileError(
            f"{path}: has format version {version}; this chainrule reads up to {FORMAT_VERSION}. "
            "Install a newer chainrule"
        )
    return int(version)
