"""Who executes a step: engines, by name.

An engine executes whole passes, steps and epochs, not operations. The caller allocates; an engine
writes only what it was handed as output. Randomness (weights, the order of examples) is decided
above.
"""

import warnings
from collections.abc import Callable, Mapping
from types import MappingProxyType

from chainrule.checks import whole_number
from chainrule.engines import extension
from chainrule.engines.base import Engine, Predictor
from chainrule.engines.native import NativeEngine
from chainrule.engines.reference import ReferenceEngine
from chainrule.errors import InvalidArgumentError
from chainrule.network.spec import NetworkSpec

ENGINES: Mapping[str, Callable[[int | None], Engine]] = MappingProxyType(
    {ReferenceEngine.name: ReferenceEngine}
    | ({NativeEngine.name: NativeEngine} if extension.native is not None else {})
)


def engine_named(name: str, threads: int | None = None) -> Engine:
    """Return the engine of that name; "auto" is the fastest one that is here.

    Parameters
    ----------
    name : str
    threads : int, optional
        How many threads it uses; by default it decides. The reference engine leaves
        that to NumPy.

    Raises
    ------
    InvalidArgumentError
        If there is none of that name, or `threads` is not a whole number of at least 1.
    """
    if threads is None and isinstance(name, str) and name in _SHARED:
        return _SHARED[name]
    if threads is not None:
        threads = whole_number("threads", threads, 1)
    if name == "auto":
        name = _FASTEST
    if not isinstance(name, str) or name not in ENGINES:
        missing = ""
        if name == NativeEngine.name:
            missing = f" (there is no compiled core: {extension.reason})"
        raise InvalidArgumentError(
            f"engine: expected auto or one of {', '.join(ENGINES)}; got {name!r}{missing}"
        )
    return ENGINES[name](threads)


def engine_for(
    spec: NetworkSpec, name: str, threads: int | None = None, precision: str = "full"
) -> Engine:
    """Return the engine of that name for training `spec`; "auto" is the fastest that can.

    The compiled core knows no cost of a user's own: there (as for anything else that has no
    compiled twin) "auto" is the reference engine.

    Parameters
    ----------
    spec : NetworkSpec
    name : str
    threads : int, optional
    precision : {"full", "mixed"}
        "mixed": products in bfloat16, everything else in float32. Where engine or CPU cannot, or
        would be slower, a warning says so, and products are float32 too. (They are, without a
        warning, in networks and batches that are too small to gain.)

    Raises
    ------
    InvalidArgumentError
        If there is none of that name, `threads` is not a whole number of at least 1, or mixed
        precision is asked for with float64.
    """
    if precision not in ("full", "mixed"):
        raise InvalidArgumentError(f"precision: expected full or mixed; got {precision!r}")
    if name == "auto" and _SHARED["auto"].lacking(spec):
        name = "reference"
    engine = engine_named(name, threads)
    if precision == "full":
        return engine
    if spec.dtype != "float32":
        raise InvalidArgumentError(
            f"precision: mixed precision is for networks of dtype float32; this one is {spec.dtype}"
        )
    mixed = engine.mixed_precision()
    if not isinstance(mixed, str):
        return mixed
    warnings.warn(
        f"precision: there are no bfloat16 products here ({mixed}); training in float32",
        RuntimeWarning,
        stacklevel=3,
    )
    return engine


def quick_predictor(spec: NetworkSpec) -> Predictor:
    """Return the fastest engine's way to a prediction with the least around it.

    It is a function of (parameters, X) that gives None wherever X takes a closer look.
    """
    return _SHARED["auto"].predictor(spec)


_FASTEST = list(ENGINES)[-1]

# Engines have no state: those that decide on their threads themselves are made once.
_SHARED: Mapping[str, Engine] = MappingProxyType(
    {name: engine(None) for name, engine in ENGINES.items()} | {"auto": ENGINES[_FASTEST](None)}
)

__all__ = ["ENGINES", "Engine", "engine_for", "engine_named", "quick_predictor"]
