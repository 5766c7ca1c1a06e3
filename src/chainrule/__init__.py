"""chainrule: dense neural networks from their equations.

Public names load when they are first used, so that ``import chainrule`` costs little more than
``import numpy``. They are listed once, as imports in ``__init__.pyi``.
"""

import importlib
from typing import Any

__version__ = "0.1.0"


def _read_homes() -> dict[str, str]:
    """Return the module that each public name is imported from, as the stub says.

    Each of its imports is a line ``from module import name as name``; a parser of Python would take
    longer to import than everything else here.
    """
    with open(__file__.rpartition(".")[0] + ".pyi", encoding="utf-8") as stub:
        imports = [line.split() for line in stub if line.startswith("from ")]
    return {name: module for _, module, _, name, *_ in imports}


_HOMES = _read_homes()

__all__ = sorted(_HOMES)


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module 'chainrule' has no attribute {name!r}")
    home = _HOMES[name]
    if home == __name__:
        return importlib.import_module(f"{home}.{name}")
    value = getattr(importlib.import_module(home), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
