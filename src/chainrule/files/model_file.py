"""Model files: safetensors, data only. Loading one runs no code.

The tensor "parameters" is the flat vector; further tensors and header entries belong to whoever
wrote them (a table's encoder). The header's "chainrule" entry is the format version.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from chainrule.errors import InvalidArgumentError, InvalidModelFileError
from chainrule.files.atomic import atomic_path
from chainrule.network.parameters import parameter_count
from chainrule.network.spec import NetworkSpec

FORMAT_VERSION = 1


@dataclass(frozen=True)
class ModelFile:
    """What is in a model file."""

    spec: NetworkSpec
    parameters: NDArray[np.floating]
    metadata: Mapping[str, str] = field(default_factory=dict)
    """Further header entries, each a text (JSON by convention)."""
    arrays: Mapping[str, NDArray[Any]] = field(default_factory=dict)
    """Further tensors."""


def write_model_file(path: str | Path, model: ModelFile) -> None:
    """Write a model file whole or not at all."""
    from safetensors.numpy import save

    header = {
        "chainrule": str(FORMAT_VERSION),
        "spec": model.spec.to_json(),
        **model.metadata,
    }
    tensors = {"parameters": model.parameters, **model.arrays}
    content = save({name: np.ascontiguousarray(a) for name, a in tensors.items()}, header)
    with atomic_path(path) as temporary:
        temporary.write_bytes(_reproducible(content))


def _reproducible(content: bytes) -> bytes:
    """Return a safetensors file with its header's entries sorted: equal models, equal bytes.

    safetensors writes them in the order of a hash table, another one in every process.
    """
    length = int.from_bytes(content[:8], "little")
    entries = json.loads(content[8 : 8 + length])
    header = json.dumps(entries, sort_keys=True, separators=(",", ":")).encode()
    header += b" " * (-len(header) % 8)  # the arrays stay aligned
    return len(header).to_bytes(8, "little") + header + content[8 + length :]


def read_model_file(path: str | Path) -> ModelFile:
    """Read a model file and check that its parts fit together.

    Raises
    ------
    InvalidModelFileError
        If there is no such file, it is not a model file, its format is newer than this program,
        or its arrays do not fit its specification.
    """
    from safetensors import SafetensorError, safe_open

    path = Path(path)
    if not path.is_file():
        reason = "it is a folder" if path.is_dir() else "there is no such file"
        raise InvalidModelFileError(f"{path}: cannot be read: {reason}")
    try:
        with safe_open(path, framework="numpy") as file:
            metadata: dict[str, str] = dict(file.metadata() or {})
            _check_version(path, metadata.pop("chainrule", None))
            arrays = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
    except OSError as error:
        raise InvalidModelFileError(f"{path}: cannot be read: {error}") from error
    except (SafetensorError, ValueError, TypeError, AttributeError) as error:
        if isinstance(error, InvalidModelFileError):
            raise
        raise InvalidModelFileError(
            f"{path}: is not a chainrule model file (a safetensors file that `save` wrote); "
            f"reading it gave: {error}"
        ) from error
    try:
        spec = NetworkSpec.from_json(metadata.pop("spec", ""))
    except InvalidArgumentError as error:
        raise InvalidModelFileError(f"{path}: its network cannot be built: {error}") from error
    parameters = arrays.pop("parameters", np.empty(0))
    expected = parameter_count(spec)
    if parameters.shape != (expected,) or parameters.dtype != spec.dtype:
        raise InvalidModelFileError(
            f"{path}: the parameters do not fit the network: expected {expected} numbers of "
            f"{spec.dtype}, got shape {parameters.shape} of {parameters.dtype}"
        )
    return ModelFile(spec, parameters, metadata, arrays)


def _check_version(path: Path, version: str | None) -> None:
    if version is None or not version.isdecimal() or version.startswith("0"):
        raise InvalidModelFileError(
            f"{path}: is a safetensors file, but not one of chainrule's: its header has no "
            "format version"
        )
    if int(version) > FORMAT_VERSION:
        raise InvalidModelFileError(
            f"{path}: has format version {version}; this chainrule reads up to {FORMAT_VERSION}. "
            "Install a newer chainrule"
        )
