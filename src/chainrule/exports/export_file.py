"""The function that exports a model."""

import re
from collections.abc import Callable, Mapping
from importlib import import_module
from pathlib import Path
from types import MappingProxyType
from typing import Any

from chainrule.checks import file_path
from chainrule.errors import InvalidArgumentError
from chainrule.exports.intervals import TARGETS as INTERVAL_TARGETS
from chainrule.exports.program import Program, program_of
from chainrule.suggestions import did_you_mean

TARGETS: Mapping[str, str] = MappingProxyType(
    {
        "onnx": ".onnx",
        "c": ".c",
        "numpy": ".py",
        "torch": ".safetensors",
        "keras": ".npz",
    }
)
"""The targets that a model can be exported to, with the suffixes of their files."""

_NAME = re.compile(r"[A-Za-z][A-Za-z0-9_]*")


def export(
    model: Any,
    path: str | Path,
    to: str | None = None,
    *,
    name: str | None = None,
    interval: float | None = None,
) -> tuple[Path, ...]:
    """Write a model in the format of another program.

    Parameters
    ----------
    model : Network, TableModel, or a fitted MLPClassifier, MLPRegressor, NetworkClassifier or \
NetworkRegressor
    path : str or Path
        Its suffix must be that of the target, as in `TARGETS`. An existing file is replaced, unless
        it is a model file of this package.
    to : {"onnx", "c", "numpy", "torch", "keras"}, optional
        By default the target that the path's suffix belongs to.
    name : str, optional
        Prefix of the functions in a C file, by default "model".
    interval : float, optional
        A coverage, such as 0.9: the file then also returns the interval that holds the true value
        in this share of new rows, or for classes the set. For onnx, c and numpy.

    Returns
    -------
    tuple of Path
        The files that were written. For torch and keras there are two: the numbers, and a Python
        file that builds the network and loads them.

    Raises
    ------
    InvalidArgumentError
        If the model or an argument cannot be used, a package that the target needs is missing, or
        the Python file of torch and keras would replace one that is not an export.
    OSError
        If a file cannot be written; an existing file is then left unchanged.

    Examples
    --------
    >>> import chainrule as cr
    >>> from chainrule.exports import export
    >>> net = cr.Network([2, cr.Dense(3, "tanh"), cr.Dense(1, "identity")], cost="mse", seed=0)
    >>> export(net, "model.c")                                           # doctest: +SKIP
    (PosixPath('model.c'),)
    """
    path = file_path("path", path)
    if to is None:
        found = [target for target, suffix in TARGETS.items() if suffix == path.suffix]
        if not found:
            raise InvalidArgumentError(
                f"to: expected one of {', '.join(TARGETS)}, or a path that ends in one of "
                f"{', '.join(TARGETS.values())}; got {str(path)!r}"
            )
        to = found[0]
    if to not in TARGETS:
        raise InvalidArgumentError(
            f"to: expected one of {', '.join(TARGETS)}; got {to!r}{did_you_mean(to, TARGETS)}"
        )
    if path.suffix != TARGETS[to]:
        raise InvalidArgumentError(
            f"path: a file for {to} ends in {TARGETS[to]}; got {str(path)!r}"
        )
    name = "model" if name is None else name
    if not isinstance(name, str) or not _NAME.fullmatch(name):
        raise InvalidArgumentError(
            f"name: expected a letter, then letters, digits and _; got {name!r}"
        )
    if interval is not None and to not in INTERVAL_TARGETS:
        raise InvalidArgumentError(
            f"interval: only files for {', '.join(INTERVAL_TARGETS)} can have one; got {to!r}, "
            "which holds the network alone"
        )
    write: Callable[[Program, Path, str], tuple[Path, ...]] = import_module(
        f"chainrule.exports.{to}"
    ).write
    return write(program_of(model, interval), path, name)
