"""Lists of names in docstrings, generated from the registry rows."""

from collections.abc import Callable, Mapping
from textwrap import fill
from typing import Any, TypeVar

from chainrule.equations.text import equation_text
from chainrule.network.registry.activations import ACTIVATIONS
from chainrule.network.registry.costs import COSTS

_Class = TypeVar("_Class", bound=type)

_ROWS: Mapping[str, Mapping[str, Any]] = {"activations": ACTIVATIONS, "costs": COSTS}


def naming(what: str) -> Callable[[_Class], _Class]:
    """Return a decorator that replaces a docstring placeholder with names and equation ids.

    Parameters
    ----------
    what : {"activations", "costs"}
        The placeholder without braces; "{activations}" must start a docstring line.
    """

    def documented(kind: _Class) -> _Class:
        mark = f"{{{what}}}"
        lines = []
        for line in (kind.__doc__ or "").split("\n"):
            begin = line.partition(mark)[0]
            lines.append(
                fill(line.replace(mark, _listed(what)), 100, subsequent_indent=begin)
                if line.strip().startswith(mark)
                else line
            )
        kind.__doc__ = "\n".join(lines)
        return kind

    return documented


def _listed(what: str) -> str:
    names = []
    for name, row in _ROWS[what].items():
        text = equation_text(row.function)
        assert text is not None
        names.append(f"{name} ({text.id})")
    return ", ".join(names)
