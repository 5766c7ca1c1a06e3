"""Engines, which execute training steps, by name.

An engine executes whole passes, steps and epochs, not single operations. The caller allocates all
arrays; an engine writes only to the output arrays it receives. Initial weights and the order of
examples are drawn by the caller.
"""

import warnings
from collections.abc import Callable, Mapping
from importlib.util import find_spec
from types import MappingProxyType
from typing import NamedTuple, cast, get_args

from chainrule.checks import whole_number
from chainrule.engines import extension
from chainrule.engines.base import Engine, Predictor
from chainrule.engines.native import NativeEngine
from chainrule.engines.reference import ReferenceEngine
from chainrule.errors import InvalidArgumentError, levels_inside
from chainrule.limits import Choice
from chainrule.names import Precision, PredictionPrecision
from chainrule.network.function_names import parse_name
from chainrule.network.registry.values import Parameter
from chainrule.network.spec import NetworkSpec
from chainrule.suggestions import did_you_mean

# The number of processes of which each is part of the training, if it is not set.
_OF_MPIEXEC = 0


def _jax_engine(threads: int | None, devices: float = 1, processes: float = _OF_MPIEXEC) -> Engine:
    """Return the jax engine, whose import takes long."""
    if find_spec("jax") is None:
        raise InvalidArgumentError(
            "engine: jax needs the package jax; install it with pip install 'chainrule[jax]'"
        )
    from chainrule.engines.jax import JaxEngine

    return JaxEngine(threads, devices=int(devices), alone=processes != _OF_MPIEXEC)


class _WithParameters(NamedTuple):
    parameters: Mapping[str, Parameter]


# Those that "auto" chooses from: without an extra, and in the order of their speed.
_OWN: Mapping[str, Callable[[int | None], Engine]] = MappingProxyType(
    {ReferenceEngine.name: ReferenceEngine}
    | ({NativeEngine.name: NativeEngine} if extension.native is not None else {})
)

ENGINES: Mapping[str, Callable[[int | None], Engine]] = MappingProxyType(
    {**_OWN, "jax": _jax_engine}
)

# What can be set in an engine's name, as in that of an activation: "jax(devices=8)".
_PARAMETERS: Mapping[str, _WithParameters] = MappingProxyType(
    {
        "jax": _WithParameters(
            {
                "devices": Parameter(
                    1,
                    8,
                    "a whole number of at least 1",
                    lambda value: value >= 1 and value.is_integer(),
                ),
                "processes": Parameter(
                    _OF_MPIEXEC,
                    1,
                    "1, which trains in each process alone; by default all that mpiexec has "
                    "started train together",
                    lambda value: value == 1,
                ),
            }
        )
    }
)

_PRECISIONS = Choice.of(*get_args(Precision))
_PREDICTION_PRECISIONS = Choice.of(*get_args(PredictionPrecision))


def engine_named(name: str, threads: int | None = None) -> Engine:
    """Return the engine with the given name; "auto" is the fastest one that needs no extra.

    Parameters
    ----------
    name : str
        "jax" may have parameters: "jax(devices=8)" divides each batch among 8 devices of each
        process, and with "jax(processes=1)" a process that mpiexec has started trains alone.
    threads : int, optional
        Number of threads; by default the engine decides. The reference and the jax engine ignore
        it, because NumPy and XLA decide.

    Raises
    ------
    InvalidArgumentError
        If no engine has that name, the extra that it needs is not installed, its parameters are
        invalid, there are fewer devices, or `threads` is not a whole number of at least 1.
    """
    if threads is None and isinstance(name, str) and name in _SHARED:
        return _SHARED[name]
    if threads is not None:
        threads = whole_number("threads", threads, 1)
    if name == "auto":
        name = _FASTEST
    if isinstance(name, str) and "(" in name:
        name, parameters = parse_name(name, "engine", _PARAMETERS)
        return _jax_engine(threads, **parameters)
    if not isinstance(name, str) or name not in ENGINES:
        missing = ""
        if name == NativeEngine.name:
            missing = f" (there is no compiled core: {extension.reason})"
        raise InvalidArgumentError(
            f"engine: expected auto or one of {', '.join(ENGINES)}; got {name!r}"
            f"{missing or did_you_mean(name, ('auto', *ENGINES))}"
        )
    return ENGINES[name](threads)


def engine_for(
    spec: NetworkSpec, name: str, threads: int | None = None, precision: str = "full"
) -> Engine:
    """Return the named engine for training `spec`; "auto" is the fastest one that supports it.

    The compiled core does not support custom costs. For them, and for everything else without a
    compiled twin, "auto" selects the reference engine.

    Parameters
    ----------
    spec : NetworkSpec
    name : str
    threads : int, optional
    precision : {"full", "mixed", "split"}
        "mixed": products in bfloat16, everything else in float32. "split": products of float32
        factors, each as the sum of three bfloat16 pieces. If the engine or the CPU does not support
        them, or they would be slower, a warning is issued and products are computed in float32.
        Networks and batches that are too small to benefit use float32 without a warning.

    Raises
    ------
    InvalidArgumentError
        If no engine has that name, `threads` is not a whole number of at least 1, or another
        precision than "full" is requested for a float64 network.
    """
    _PRECISIONS.require(precision, "precision: expected", quoted=False)
    if name == "auto" and _SHARED["auto"].lacking(spec):
        name = "reference"
    return _with_precision(engine_named(name, threads), spec, precision, "training")


def engine_for_predictions(spec: NetworkSpec, name: str, precision: str = "full") -> Engine:
    """Return the named engine for predictions of `spec`, as `engine_for` does for training.

    "auto" is the fastest engine, since every engine computes the outputs of every network.

    Raises
    ------
    InvalidArgumentError
        If no engine has that name, `precision` is neither "full" nor "split", or it is "split" for
        a float64 network.
    """
    _PREDICTION_PRECISIONS.require(precision, "precision: expected", quoted=False)
    return _with_precision(engine_named(name), spec, precision, "predicting")


def _with_precision(engine: Engine, spec: NetworkSpec, precision: str, doing: str) -> Engine:
    if precision == "full":
        return engine
    if spec.dtype != "float32":
        raise InvalidArgumentError(
            f"precision: {precision} is for networks of dtype float32; this one is {spec.dtype}"
        )
    found = engine.with_precision(cast(Precision, precision))
    if not isinstance(found, str):
        return found
    warnings.warn(
        f"precision: there are no bfloat16 products here ({found}); {doing} in float32",
        RuntimeWarning,
        stacklevel=levels_inside(),
    )
    return engine


def quick_predictor(spec: NetworkSpec) -> Predictor:
    """Return the fastest engine's function for predictions with minimal overhead.

    The function takes (parameters, X) and returns None if X must be validated or converted first.
    """
    return _SHARED["auto"].predictor(spec)


_FASTEST = list(_OWN)[-1]

# These have no state, so one instance with the default number of threads is shared.
_SHARED: Mapping[str, Engine] = MappingProxyType(
    {name: engine(None) for name, engine in _OWN.items()} | {"auto": _OWN[_FASTEST](None)}
)

__all__ = [
    "ENGINES",
    "Engine",
    "engine_for",
    "engine_for_predictions",
    "engine_named",
    "quick_predictor",
]
