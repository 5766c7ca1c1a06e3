"""What must be equal for a training to go on from a checkpoint to the same bits."""

import hashlib
from collections.abc import Mapping
from dataclasses import fields
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from chainrule.engines import extension
from chainrule.engines.base import Examples
from chainrule.engines.schedules import Schedule
from chainrule.errors import InvalidArgumentError
from chainrule.network.cost import CustomCost

if TYPE_CHECKING:
    from chainrule.training.loop import Training

# Rows beyond so many bytes of an array are sampled: data of gigabytes are looked at in a hundredth
# of a second, and other data differ in more than the rows between.
_MOST_BYTES = 2**24


def fingerprint(training: "Training", more: Mapping[str, str]) -> dict[str, str]:
    """Return, in words, all that a training's bits depend on but its state and `more` of it.

    The number of epochs is not among it: where a schedule depends on it, the optimizer tells.
    """
    spec = training.spec
    steps = -(-len(training.examples.X) // training.batch_size)
    planned = training.optimizer.planned(training.epochs * steps, steps)
    return {
        "network": repr(spec) if isinstance(spec.cost, CustomCost) else spec.to_json(),
        "optimizer": _settings(planned),
        "batch_size": str(training.batch_size),
        "seed": str(training.seed),
        "shuffle": str(training.shuffle),
        "penalties and clipping": repr(training.objective),
        "training data": _described(training.examples),
        "validation data": _described(training.validation),
        "metrics": ", ".join(training.metrics) or "none",
        **more,
    }


def surroundings(training: "Training") -> dict[str, str]:
    """Return what changes rounding, and nothing else, from one place to another."""
    engine = training.engine
    sets = "none"
    if engine.name == "native" and extension.native is not None:
        sets = extension.native.instruction_set()
    precision = "mixed" if getattr(engine, "mixed", False) else "full"
    return {"engine": engine.name, "instruction set": sets, "precision": precision}


def check_same(saved: Mapping[str, str], present: Mapping[str, str], where: str) -> None:
    """Raise with the first differences, if there are any.

    Raises
    ------
    InvalidArgumentError
        If a checkpoint belongs to another training.
    """
    differing = [name for name in present if saved.get(name) != present[name]]
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


def _settings(settings: Any) -> str:
    """Return an optimizer or a schedule as text: a function of a user's by its name."""
    parts = []
    for field in fields(settings):
        value = getattr(settings, field.name)
        if isinstance(value, Schedule):
            text = _settings(value)
        elif callable(value):
            text = getattr(value, "__qualname__", type(value).__qualname__)
        else:
            text = repr(value)
        parts.append(f"{field.name}={text}")
    return f"{type(settings).__name__}({', '.join(parts)})"


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
