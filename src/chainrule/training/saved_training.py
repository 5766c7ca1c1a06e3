"""Reading a checkpoint: every value in it is checked before it is used."""

import json
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from chainrule.checks import is_real
from chainrule.engines.base import Penalties, StepRecords
from chainrule.engines.finite import all_finite
from chainrule.engines.schedule import checked_rate
from chainrule.errors import InvalidCheckpointError
from chainrule.training.memories import Remembers
from chainrule.training.plan import Plan
from chainrule.training.rows import epochs_of
from chainrule.training.state import Position, State

# The largest count of steps and epochs: far more than any training has, exact as a float, and small
# enough that further steps can be added without an integer overflow.
_LARGEST = 2**53


class Saved:
    """The content of a checkpoint; its methods raise InvalidCheckpointError for invalid parts.

    Parameters
    ----------
    path : Path
        The file's name for the messages.
    metadata, arrays : mapping
        The file's content.
    """

    def __init__(
        self, path: Path, metadata: Mapping[str, str], arrays: Mapping[str, NDArray[Any]]
    ) -> None:
        self._path, self._arrays = path, arrays
        try:
            facts = json.loads(metadata.get("training", ""))
        except (ValueError, RecursionError) as error:
            raise self._invalid(f"its entry 'training' cannot be read ({error})") from error
        if not isinstance(facts, dict):
            raise self._invalid("its entry 'training' is not a JSON object")
        self._facts = facts

    def _invalid(self, what: str) -> InvalidCheckpointError:
        return InvalidCheckpointError(
            f"{self._path}: cannot be the checkpoint of this training: {what}"
        )

    def _mapping(self, name: str) -> dict[str, Any]:
        value = self._facts.get(name)
        if not isinstance(value, dict):
            raise self._invalid(f"{name} is missing")
        return value

    def texts(self, name: str) -> dict[str, str]:
        """Return an entry that is a mapping of strings."""
        return {key: str(value) for key, value in self._mapping(name).items()}

    def kept(self, name: str, like: Any, most: int | None = None) -> Any:
        """Return a kept value by name, of the same type as `like` and not greater than `most`."""
        value = self._mapping("kept").get(name)
        if type(value) is not type(like) or (
            isinstance(value, int) and (value < 0 or (most is not None and value > most))
        ):
            raise self._invalid(f"{name} is missing or of the wrong type")
        return value

    def _count(self, name: str, most: int = _LARGEST) -> int:
        value = self._facts.get(name)
        if type(value) is not int or not 0 <= value <= most:
            raise self._invalid(f"{name}: expected an integer from 0 to {most}; got {value!r:.50}")
        return value

    def _array(self, name: str, shape: tuple[int, ...], dtype: Any) -> NDArray[Any]:
        array = self._arrays.get(name)
        if array is None or array.shape != shape or array.dtype != dtype:
            got = "nothing" if array is None else f"{array.shape} of {array.dtype}"
            raise self._invalid(f"{name}: expected {shape} of {dtype}; got {got}")
        return array

    def _average_weight(self) -> float:
        weight = self._facts.get("average_weight")
        if not isinstance(weight, float) or not 0 <= weight < np.inf:
            raise self._invalid(f"average_weight: got {weight!r:.50}")
        return weight

    def _penalties(self, planned: Penalties) -> Penalties:
        """Return the penalties; older checkpoints lack them, since they did not change."""
        strengths = self._facts.get("penalties", [planned.l1, planned.l2])
        if (
            not isinstance(strengths, list)
            or len(strengths) != 2
            or not all(isinstance(one, float) and 0 <= one < np.inf for one in strengths)
        ):
            raise self._invalid(f"penalties: got {strengths!r:.50}")
        return replace(planned, l1=strengths[0], l2=strengths[1])

    def position(self, plan: Plan) -> Position:
        """Return the position of the training."""
        problem = plan.problem
        epochs, steps = self._count("epochs"), self._count("steps", plan.steps_per_epoch - 1)
        seconds, stopped = self._facts.get("seconds"), self._facts.get("stopped")
        # A Python int may be too large for a float.
        if not is_real(seconds) or not 0 <= seconds <= _LARGEST:
            raise self._invalid(f"seconds: got {seconds!r:.50}")
        if not isinstance(stopped, str) or (stopped and steps):
            raise self._invalid(f"stopped: got {stopped!r:.50}")
        order = records = before = None
        if "epoch.order" in self._arrays or (steps and plan.orders is not None):
            m = plan.n_examples
            order = self._array("epoch.order", (m,), np.int32)
            # The compiled core uses these indices without a check.
            if not np.array_equal(np.sort(order), np.arange(m)):
                raise self._invalid("epoch.order is not a permutation of the examples")
        if steps:
            penalised = bool(self._penalties(problem.penalties))
            parts = ["cost", "gradient_norm"] + ["penalty"] * penalised
            records = StepRecords(
                *(self._array(f"epoch.{part}", (steps,), np.float64) for part in parts)
            )
            before = self._array("epoch.parameters", problem.parameters.shape, problem.spec.dtype)
        return Position(
            epochs, steps, float(seconds), order, records, before, stopped, self._behind(epochs)
        )

    def _behind(self, epochs: int) -> Any:
        columns, table = self._facts.get("columns"), self._arrays.get("history")
        if not isinstance(columns, list) or not all(isinstance(c, str) for c in columns):
            raise self._invalid("the columns of the history are missing")
        if table is None or len(table) != epochs:
            raise self._invalid(f"its history does not have its {epochs} finished epochs")
        try:
            return epochs_of(table, columns, self._count("epochs_before") + 1)
        except ValueError as error:
            raise self._invalid(str(error)) from error

    def restore(self, state: State, memories: Mapping[str, Remembers]) -> None:
        """Restore parameters, optimizer and memories."""
        theta, optimizer, memory = state.parameters, state.optimizer, state.memory
        assert optimizer is not None
        assert memory is not None
        parameters = self._array("parameters", theta.shape, theta.dtype)
        slots = self._array("slots", memory.slots.shape, memory.slots.dtype)
        # The optimizer's slots are not checked: an average of squares may overflow to infinity in a
        # training that continues normally.
        if not all_finite(parameters):
            raise self._invalid("its parameters are not finite")
        if memory.theta is not None:
            moving = self._array("moving", theta.shape, theta.dtype)
            if not all_finite(moving):
                raise self._invalid("the parameters that its steps update are not finite")
            weight = self._average_weight()
        t, key = self._count("t"), self._count("noise_key", 2**64 - 1)
        rate = self._facts.get("learning_rate")
        # A schedule may have been replaced by a number on the way, but not the other way round.
        if not isinstance(rate, float) and optimizer.schedule.constant is not None:
            raise self._invalid("only one of the two learning rates is a schedule")
        if rate is not None:
            try:
                checked_rate(rate)
            except ValueError as error:
                raise self._invalid(str(error)) from error
        found = self._mapping("memories")
        if found.keys() != memories.keys():
            raise self._invalid(
                f"it has states of {', '.join(found) or 'nothing'}, but this training needs those "
                f"of {', '.join(memories) or 'nothing'}"
            )
        for owner, remembering in memories.items():
            prefix = f"memory.{owner}."
            arrays = {
                name.removeprefix(prefix): array
                for name, array in self._arrays.items()
                if name.startswith(prefix)
            }
            try:
                remembering.recall({**found[owner], **arrays})
            except (ValueError, TypeError, KeyError, IndexError, OverflowError) as error:
                raise self._invalid(f"the state of {owner} cannot be read ({error!r})") from error
        state.penalties = self._penalties(state.penalties)
        theta[...] = parameters
        if memory.theta is not None:
            memory.theta[...] = moving
            memory.weight = weight
        memory.slots[...] = slots
        memory.t, state.noise_key = t, key
        state.epochs_before = self._count("epochs_before")
        if rate is not None:
            state.optimizer = replace(optimizer, learning_rate=rate)
