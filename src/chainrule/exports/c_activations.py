"""The activations as C functions, built from the C bodies in the activation registry."""

import re
from collections.abc import Sequence
from textwrap import indent

from chainrule.network.registry.activations import ACTIVATIONS, ActivationRow


def definitions(names: Sequence[str]) -> list[str]:
    """Return the C functions of activations and of those that they call, callees first."""
    ordered: dict[str, str] = {}
    for name in names:
        if name != "identity":
            _define(name, ordered)
    return list(ordered.values())


def _define(name: str, ordered: dict[str, str]) -> None:
    row = ACTIVATIONS[name]
    for called in re.findall(r"(\w+)_of\(", row.c):
        _define(called, ordered)
    ordered[name] = f"{_signature(name, row)}{_block(row.c)}"


def _signature(name: str, row: ActivationRow) -> str:
    if row.derivative is None:
        return f"static void {name}(float *a, int n)"
    parameters = "".join(f", float {parameter}" for parameter in row.parameters)
    return f"static float {name}_of(float z{parameters})"


def _block(body: str) -> str:
    return f"\n{{\n{indent(body, '    ')}\n}}" if "\n" in body else f" {{ {body} }}"
