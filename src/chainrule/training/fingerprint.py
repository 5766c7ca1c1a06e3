"""The fingerprint of a training: what must be equal for a checkpoint to resume to the same bits."""

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

# Of an array with more bytes than this, a sample of the rows is hashed, so that gigabytes of data
# take a hundredth of a second. Different data differ in more than the rows left out.
_MOST_BYTES = 2**24


def fingerprint(plan: Plan, more: Mapping[str, str]) -> dict[str, str]:
    """Return, as text, everything but the state that a training's bits depend on; `more` is added.

    The number of epochs is not part of it. If a schedule depends on it, the text of the optimizer
    includes it.
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
        "local_steps": _local_steps(plan),
        "training data": described(problem.examples),
        **({} if plan.stream is None else {"stream": plan.stream.identity}),
        "validation data": described(plan.validation),
        "metrics": ", ".join(plan.metrics) or "none",
        **more,
    }


def surroundings(plan: Plan) -> dict[str, str]:
    """Return the properties of engine and machine that affect rounding, and nothing else."""
    return {"engine": plan.engine.name, **plan.engine.surroundings}


def check_same(saved: Mapping[str, str], present: Mapping[str, str], where: str) -> None:
    """Raise if two fingerprints differ, naming the first differences.

    Raises
    ------
    InvalidArgumentError
        If a checkpoint belongs to another training.
    """
    # An entry that an older checkpoint lacks was introduced after it, and stands for "none".
    differing = [name for name in present if saved.get(name, "none") != present[name]]
    if not differing:
        return
    parts = [
        f"{name}: {_short(saved.get(name, 'none'))} there, {_short(present[name])} here"
        for name in differing[:3]
    ]
    more = f"; and {len(differing) - 3} more" if len(differing) > 3 else ""
    raise InvalidArgumentError(
        f"checkpoint: {where} belongs to another training ({'; '.join(parts)}{more}). Use the same "
        "arguments and data as that training, or choose another checkpoint"
    )


def in_words(value: Any) -> str:
    """Return a setting as text that is the same in every process.

    Code is identified by name: a function by its module and qualified name, and an object without a
    `repr` of its own by its class. A changed function body is therefore not noticed. (Hashing the
    bytecode would notice it, but bytecode changes with every version of Python.)
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
    if " at 0x" in text:  # Python's default repr holds the object's address
        return f"{_module(type(value))}.{type(value).__qualname__}"
    return text


def _module(named: Any) -> str:
    """Return the name of an object's module; for a script, the name it would be imported by."""
    name = str(getattr(named, "__module__", None) or "builtins")
    if name != "__main__":
        return name
    main = sys.modules["__main__"]
    spec, path = getattr(main, "__spec__", None), getattr(main, "__file__", None)
    if spec is not None:
        return str(spec.name)
    return name if path is None else Path(path).stem


def described(examples: Examples | None) -> str:
    """Return shape and checksum of examples; of a large array, a sample of rows is hashed."""
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


def _local_steps(plan: Plan) -> str:
    """Return after how many steps how many ranks average; "none" if no rank steps alone."""
    if plan.local_steps == 1 or plan.communicator is None:
        return "none"
    return f"{plan.local_steps} on {plan.communicator.size} ranks"


def _sample(array: NDArray[Any]) -> NDArray[Any]:
    rows = max(2, _MOST_BYTES // max(1, array.nbytes // max(1, len(array))))
    if len(array) <= rows:
        return array
    return array[np.linspace(0, len(array) - 1, rows).astype(np.int64)]


def _short(text: str) -> str:
    return text if len(text) <= 300 else text[:297] + "…"
