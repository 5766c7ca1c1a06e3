"""What must be equal for a training to go on from a checkpoint to the same bits."""

import hashlib
import sys
from collections.abc import Mapping
from dataclasses import fields, is_dataclass
from functools import partial
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
from numpy.typing import NDArray

from chainrule.engines.base import Examples
from chainrule.errors import InvalidArgumentError
from chainrule.network.cost import CustomCost
from chainrule.training.plan import LBFGS, Plan

# Rows beyond so many bytes of an array are sampled: data of gigabytes are looked at in a hundredth
# of a second, and other data differ in more than the rows between.
_MOST_BYTES = 2**24


def fingerprint(plan: Plan, more: Mapping[str, str]) -> dict[str, str]:
    """Return, in words, all that a training's bits depend on but its state and `more` of it.

    The number of epochs is not among it: where a schedule depends on it, the optimizer tells.
    """
    problem, steps = plan.problem, plan.steps_per_epoch
    spec, strengths = problem.spec, problem.penalties
    assert not isinstance(plan.optimizer, LBFGS)
    planned = plan.optimizer.planned(plan.epochs * steps, steps)
    return {
        "network": in_words(spec) if isinstance(spec.cost, CustomCost) else spec.to_json(),
        "optimizer": planned.in_words(of_code=in_words),
        "batch_size": str(plan.batch_size),
        "seed": str(plan.seed),
        "shuffle": str(plan.shuffle),
        "penalties and clipping": (
            f"Objective(l1={strengths.l1!r}, l2={strengths.l2!r}, shared={strengths.shared!r}, "
            f"max_grad_norm={plan.max_grad_norm!r})"
        ),
        "training data": _described(problem.examples),
        "validation data": _described(plan.validation),
        "metrics": ", ".join(plan.metrics) or "none",
        **more,
    }


def surroundings(plan: Plan) -> dict[str, str]:
    """Return what changes rounding, and nothing else, from one place to another."""
    return {"engine": plan.engine.name, **plan.engine.surroundings}


def check_same(saved: Mapping[str, str], present: Mapping[str, str], where: str) -> None:
    """Raise with the first differences, if there are any.

    Raises
    ------
    InvalidArgumentError
        If a checkpoint belongs to another training.
    """
    # What is missing there was added to the package later, and is nothing there.
    differing = [name for name in present if saved.get(name, "none") != present[name]]
    if not differing:
        return
    parts = [
        f"{name}: {_short(saved.get(name, 'none'))} there, {_short(present[name])} here"
        for name in differing[:3]
    ]
    more = f"; and {len(differing) - 3} more" if len(differing) > 3 else ""
    raise InvalidArgumentError(
        f"checkpoint: {where} belongs to another training ({'; '.join(parts)}{more}). Give what "
        "that training was given, or choose another checkpoint"
    )


def in_words(value: Any) -> str:
    """Return a setting as text that is the same in another process.

    What is code is known by its name: the module and the name of a function, the class of an object
    that has no better text. (Its bytecode would be another with the next Python.)
    """
    if isinstance(value, partial):
        arguments = [in_words(part) for part in (value.func, *value.args)]
        arguments += [f"{name}={in_words(part)}" for name, part in value.keywords.items()]
        return f"partial({', '.join(arguments)})"
    if is_dataclass(value) and not isinstance(value, type):
        parts = [f"{one.name}={in_words(getattr(value, one.name))}" for one in fields(value)]
        return f"{type(value).__name__}({', '.join(parts)})"
    if isinstance(value, tuple | list):
        return f"({', '.join(map(in_words, value))})"
    if isinstance(value, dict):
        parts = [f"{in_words(name)}: {in_words(part)}" for name, part in value.items()]
        return f"{{{', '.join(parts)}}}"
    if callable(value):
        named = value if hasattr(value, "__qualname__") else type(value)
        owner = getattr(value, "__self__", None)  # of a method
        bound = "" if owner is None or isinstance(owner, ModuleType) else f" of {in_words(owner)}"
        return f"{_module(named)}.{named.__qualname__}{bound}"
    text = repr(value)
    if " at 0x" in text:  # Python's own text of an object: where it lies in memory
        return f"{_module(type(value))}.{type(value).__qualname__}"
    return text


def _module(named: Any) -> str:
    """Return the name of a module; of a script, that under which another would import it."""
    name = str(getattr(named, "__module__", None) or "builtins")
    if name != "__main__":
        return name
    main = sys.modules["__main__"]
    spec, path = getattr(main, "__spec__", None), getattr(main, "__file__", None)
    if spec is not None:
        return str(spec.name)
    return name if path is None else Path(path).stem


def _described(examples: Examples | None) -> str:
    """Return the shapes and a checksum of examples, over a sample of the rows of large arrays."""
    if examples is None:
        return "none"
    digest = hashlib.sha256()
    for array in examples:
        if array is None:
            digest.update(b"none")
        else:
            digest.update(f"{array.dtype.str} {array.shape}".encode())
            digest.update(np.ascontiguousarray(_sample(array)).data)
    weighted = ", weighted" if examples.weights is not None else ""
    shape = " × ".join(map(str, examples.X.shape))
    return f"{shape} inputs{weighted}, checksum {digest.hexdigest()[:16]}"


def _sample(array: NDArray[Any]) -> NDArray[Any]:
    rows = max(2, _MOST_BYTES // max(1, array.nbytes // max(1, len(array))))
    if len(array) <= rows:
        return array
    return array[np.linspace(0, len(array) - 1, rows).astype(np.int64)]


def _short(text: str) -> str:
    return text if len(text) <= 300 else text[:297] + "…"
