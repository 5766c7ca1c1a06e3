"""A training on several ranks: its plan, what must be the same on all of them, its checkpoints."""

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, NamedTuple, cast

import numpy as np
from numpy.typing import NDArray

from chainrule import __version__
from chainrule.checks import shown, whole_number
from chainrule.communication.agreement import anywhere, least, shared_text
from chainrule.communication.communicator import Communicator
from chainrule.communication.shares import share_of
from chainrule.engines.data_parallel import over_ranks
from chainrule.engines.local_steps import averaging_over_ranks
from chainrule.errors import InvalidArgumentError, RankError
from chainrule.training.checkpointer import Content
from chainrule.training.events import Callback
from chainrule.training.fingerprint import fingerprint, surroundings
from chainrule.training.plan import LBFGS, Plan
from chainrule.training.watching import Halts

_CALLS = ("rank", "size", "allreduce", "broadcast", "abort")


def several(communicator: Communicator | None) -> Communicator | None:
    """Return the communicator of a training; None if there is a single rank.

    Raises
    ------
    InvalidArgumentError
        If it is no `Communicator`.
    """
    if communicator is None:
        return None
    if not all(hasattr(communicator, name) for name in _CALLS):
        raise InvalidArgumentError(
            f"communicator: expected None or an object with {', '.join(_CALLS)}, such as "
            f"chainrule.mpi(); got {shown(communicator)}"
        )
    return communicator if communicator.size > 1 else None


def of_all(batch_size: int, communicator: Communicator | None) -> int:
    """Return the batch size of all ranks together, each of which has `batch_size` examples."""
    return batch_size if communicator is None else batch_size * communicator.size


def checked_local_steps(
    local_steps: int, communicator: Communicator | None, callbacks: Sequence[Callback]
) -> int:
    """Return after how many steps the ranks average; 1 if there is a single rank.

    Raises
    ------
    InvalidArgumentError
        If it is no whole number ≥ 1, or there are no ranks or callbacks that it makes sense for.
    """
    steps = whole_number("local_steps", local_steps, 1)
    if steps == 1:
        return 1
    if communicator is None:
        raise InvalidArgumentError(
            f"local_steps: expected 1 without a communicator; got {steps}. Give "
            "communicator=chainrule.mpi() in a program that mpiexec has started, or leave "
            "local_steps out"
        )
    for callback in callbacks:
        if Halts([callback]):
            raise InvalidArgumentError(
                f"local_steps: expected 1 with the callback {type(callback).__name__}, which looks "
                f"at single steps; got {steps}, and between two averages every rank has parameters "
                "of its own. Leave one of the two out"
            )
    return steps if communicator.size > 1 else 1


def across(plan: Plan, communicator: Communicator | None) -> Plan:
    """Return a plan for several ranks, which share its batches.

    Raises
    ------
    InvalidArgumentError
        If the optimizer, the engine or a layer needs the whole batch in one process.
    """
    if communicator is None:
        return plan
    if isinstance(plan.optimizer, LBFGS):
        raise InvalidArgumentError(
            "communicator: the optimizer lbfgs has no batches that ranks could share; use another, "
            "such as adam"
        )
    own, spec, steps = plan.engine, plan.problem.spec, plan.local_steps
    engine = (
        over_ranks(own, spec, communicator)
        if steps == 1
        else averaging_over_ranks(own, spec, communicator, steps)
    )
    return replace(
        plan,
        engine=engine,
        stream=None if plan.stream is None else plan.stream.of_rank(share_of(communicator)),
        # Problems are the same on all ranks, and reported once.
        diagnosed=plan.diagnosed and communicator.rank == 0,
        communicator=communicator,
    )


def check_same_plans(plan: Plan, more: Mapping[str, str] | None = None) -> None:
    """Raise on all ranks if their plans differ, with what differs. `more` is compared, too.

    Raises
    ------
    RankError
        If they differ.
    """
    communicator = plan.communicator
    if communicator is None:
        return
    own = {
        "chainrule": __version__,
        **fingerprint(plan, more or {}),
        **surroundings(plan),
        "epochs": str(plan.epochs),
        "initial parameters": _checksum(plan.problem.parameters),
    }
    first = json.loads(shared_text(communicator, json.dumps(own)))
    differing = [name for name in {**first, **own} if first.get(name) != own.get(name)]
    if not anywhere(communicator, bool(differing)):
        return
    (rank,) = least(communicator, communicator.rank if differing else communicator.size)
    parts = [
        f"{name}: {_short(first.get(name))} on rank 0, {_short(own.get(name))} on rank {rank}"
        for name in differing[:3]
    ]
    text = shared_text(communicator, "; ".join(parts), rank)
    raise RankError(
        f"communicator: the ranks are to train different things ({text}). Give all ranks the same "
        "arguments, seed and data, and the same machine and version"
    )


class _Shared(NamedTuple):
    """A checkpoint's content that came from rank 0."""

    metadata: Mapping[str, str]
    arrays: Mapping[str, NDArray[Any]]


class Unwritten:
    """The storage of checkpoints on all ranks but the first, which writes them for all."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def save(self, metadata: Mapping[str, str], arrays: Mapping[str, NDArray[Any]]) -> None:
        """Do nothing."""

    def close(self) -> None:
        """Do nothing."""


def shared_content(communicator: Communicator, content: Content | None) -> Content | None:
    """Return the checkpoint that rank 0 has found, on every rank."""
    head = None
    if content is not None:
        arrays = {name: np.ascontiguousarray(array) for name, array in content.arrays.items()}
        shapes = [(name, array.dtype.str, array.shape) for name, array in arrays.items()]
        head = (dict(content.metadata), shapes)
    head = json.loads(shared_text(communicator, json.dumps(head)))
    if head is None:
        return None
    metadata, shapes = head
    found = {}
    for name, dtype, shape in shapes:
        found[name] = arrays[name] if communicator.rank == 0 else np.empty(shape, np.dtype(dtype))
        if found[name].size:
            communicator.broadcast(found[name])
    return cast(Content, _Shared(metadata, found))


def _checksum(array: NDArray[Any]) -> str:
    return hashlib.sha256(np.ascontiguousarray(array).data).hexdigest()[:16]


def _short(text: str | None) -> str:
    return "none" if text is None else text if len(text) <= 200 else text[:197] + "…"
