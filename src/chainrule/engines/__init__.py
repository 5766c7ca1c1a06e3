"""Who executes a step: engines, by name.

An engine executes whole passes, steps and epochs, not operations. The caller allocates; an engine
writes only what it was handed as output. Randomness (weights, the order of examples) is decided
above.
"""

from collections.abc import Mapping
from types import MappingProxyType

from chainrule.engines.base import Engine
from chainrule.engines.reference import ReferenceEngine
from chainrule.errors import InvalidArgumentError

ENGINES: Mapping[str, type[Engine]] = MappingProxyType({"reference": ReferenceEngine})


def engine_named(name: str) -> Engine:
    """Return the engine of that name; "auto" is the fastest one that is here.

    Raises
    ------
    InvalidArgumentError
        If there is none of that name.
    """
    if name == "auto":
        name = "reference"
    if not isinstance(name, str) or name not in ENGINES:
        raise InvalidArgumentError(
            f"engine: expected auto or one of {', '.join(ENGINES)}; got {name!r}"
        )
    return ENGINES[name]()


__all__ = ["ENGINES", "Engine", "engine_named"]
