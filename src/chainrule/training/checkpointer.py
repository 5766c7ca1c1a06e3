"""Checkpoints of a training: their content, when one is written, and how training resumes.

Between its calls of the engine, the loop reports its position to a `Checkpointer`, which writes a
checkpoint if one is due. A `Store` handles the files.
"""

import json
import time
import warnings
from collections.abc import Generator, Iterator, Mapping
from pathlib import Path
from typing import Any, Protocol, TypeVar

import numpy as np
from numpy.typing import NDArray

from chainrule.engines.finite import all_finite
from chainrule.errors import InvalidArgumentError
from chainrule.printable import printable
from chainrule.training.events import Checkpointed, EpochEnded, Event, Stopped
from chainrule.training.fingerprint import check_same, fingerprint, surroundings
from chainrule.training.interval import Interval
from chainrule.training.memories import Remembers
from chainrule.training.plan import Plan
from chainrule.training.rows import Rows
from chainrule.training.saved_training import Saved
from chainrule.training.signals import stop_wanted
from chainrule.training.state import Position, State

_Kept = TypeVar("_Kept", bound=int | str | None)


class Content(Protocol):
    """The content of a checkpoint: strings and arrays, by name."""

    @property
    def metadata(self) -> Mapping[str, str]:
        """Strings, JSON by convention."""

    @property
    def arrays(self) -> Mapping[str, NDArray[Any]]:
        """Numeric arrays."""


class Store(Protocol):
    """The storage of checkpoints."""

    path: Path

    def save(self, metadata: Mapping[str, str], arrays: Mapping[str, NDArray[Any]]) -> None:
        """Write a checkpoint, whole or not at all, and keep the one before it."""

    def close(self) -> None:
        """Release the checkpoint for other trainings."""


class Checkpointer:
    """Writes the checkpoints of one training, and restores it from one.

    Parameters
    ----------
    store : Store
        Closed by `close`.
    every : int or str
        As for `Interval`.
    found : Content, optional
        A checkpoint to resume from.
    """

    def __init__(self, store: Store, every: int | str, found: Content | None = None) -> None:
        self._store = store
        self._interval = Interval(every)
        self._saved = None if found is None else Saved(store.path, found.metadata, found.arrays)
        self._kept: dict[str, int | str | None] = {}
        self._stop: BaseException | None = None
        self._memories: dict[str, Remembers] = {}
        self._rows = Rows()
        self._step = 0

    def keep(self, name: str, value: _Kept, most: int | None = None) -> _Kept:
        """Return the value kept under a name: `value`, or the saved one on resuming.

        Values that are drawn at random before a training, such as its seed, are kept in this way,
        so that a resumed training uses the same ones. A saved number greater than `most` is
        invalid.
        """
        if self._saved is not None:
            value = self._saved.kept(name, value, most)
        self._kept[name] = value
        return value

    def attach(
        self,
        plan: Plan,
        state: State,
        memories: Mapping[str, Remembers] | None = None,
        more: Mapping[str, str] | None = None,
    ) -> None:
        """Attach to a training that has not begun, and restore it if there is a checkpoint.

        Parameters
        ----------
        plan : Plan
        state : State
            Set to the checkpoint's state, if there is one.
        memories : mapping, optional
            Further objects whose state is part of the checkpoint, by name.
        more : mapping of str, optional
            Further entries of the `fingerprint`, which must be equal on resuming.

        Raises
        ------
        InvalidArgumentError
            If the checkpoint belongs to another training.
        InvalidCheckpointError
            If its content is inconsistent.
        """
        self._plan, self._state, self._memories = plan, state, dict(memories or {})
        self._steps = plan.steps_per_epoch
        self._fingerprint = fingerprint(plan, more or {})
        self._surroundings = surroundings(plan)
        if self._saved is not None:
            self._restore(self._saved)
        self._interval.begin(self._step)

    def _restore(self, saved: Saved) -> None:
        epochs = self._plan.epochs
        where = str(self._store.path)
        check_same(saved.texts("fingerprint"), self._fingerprint, where)
        there = saved.texts("surroundings")
        changed = [
            f"{name}: {there.get(name, 'none')} there, {here} here"
            for name, here in self._surroundings.items()
            if there.get(name) != here
        ]
        if changed:
            warnings.warn(
                printable(
                    f"checkpoint: {where} was written with a different engine or machine "
                    f"({'; '.join(changed)}); training resumes from it, but rounding, and so the "
                    "last bits, will differ"
                ),
                RuntimeWarning,
                stacklevel=5,
            )
        position = saved.position(self._plan)
        if position.epochs + (position.steps > 0) > epochs:
            raise InvalidArgumentError(
                f"epochs: expected at least the {position.epochs + (position.steps > 0)} that the "
                f"training of checkpoint {where} has begun; got {epochs}"
            )
        if position.stopped == "finished" and position.epochs < epochs:
            # It had finished, but more epochs are asked for now.
            position = Position(position.epochs, behind=position.behind)
        saved.restore(self._state, self._memories)
        self._state.start, self._state.epochs = position, position.epochs
        self._rows = Rows.of(position.behind or ())
        self._step = position.epochs * self._steps + position.steps
        self._saved = None  # frees its arrays, which are as large as the training's own

    def followed(self, events: Iterator[Event]) -> Generator[Event, None, None]:
        """Yield the events of the training unchanged, and record its epochs."""
        for event in events:
            if isinstance(event, EpochEnded):
                self._rows.append(event)
            yield event

    def steps_left(self) -> int:
        """Return how many steps may be taken before `reached` must be called again."""
        return self._interval.left(self._step)

    def stop(self, interrupt: BaseException) -> bool:
        """Request an end at the next position; return False if there is such a request already.

        So the first Ctrl-C waits for a checkpoint, and a second one ends the training at once.
        """
        if self._stop is not None or stop_wanted() is not None:
            return False
        self._stop = interrupt
        return True

    def reached(self, position: Position) -> Iterator[Event]:
        """Write a checkpoint if one is due, and raise the interruption if one was requested.

        All events up to this position have been consumed, so the consumers' states belong to it.

        Raises
        ------
        CheckpointWriteError
            If it cannot be written.
        """
        self._step = position.epochs * self._steps + position.steps
        stop = self._stop or stop_wanted()
        if stop is None and not self._interval.is_due(self._step):
            return
        # If the parameters are no longer finite, the next step ends the training with an error, and
        # the checkpoint that exists is worth more than one of these parameters.
        if all_finite(self._state.parameters):
            yield Checkpointed(self._store.path, self._step, self._write(position))
        if stop is not None:
            raise stop

    def finish(self, stopped: Stopped) -> None:
        """Write the last checkpoint, from which a resumed training is at its end at once."""
        start = self._state.start
        if start.stopped != stopped.reason or start.epochs != stopped.epochs:
            self._step = stopped.epochs * self._steps
            self._write(Position(stopped.epochs, stopped=stopped.reason))

    def close(self) -> None:
        """Release the checkpoint for other trainings."""
        self._store.close()

    def _write(self, position: Position) -> float:
        started = time.perf_counter()
        metadata, arrays = self._content(position)
        try:
            self._store.save(metadata, arrays)
        except KeyboardInterrupt:
            # Ctrl-C while writing: the checkpoint is written again, completely, before the training
            # ends. A second Ctrl-C interrupts this, too.
            self._store.save(metadata, arrays)
            raise
        seconds = time.perf_counter() - started
        self._interval.written(self._step, seconds)
        return seconds

    def _content(self, position: Position) -> tuple[dict[str, str], dict[str, NDArray[Any]]]:
        state, memory = self._state, self._state.memory
        assert state.optimizer is not None
        assert memory is not None
        memories: dict[str, dict[str, Any]] = {}
        arrays = {"parameters": state.parameters, "slots": memory.slots, **position.arrays()}
        for owner, remembering in self._memories.items():
            memories[owner] = {}
            for name, value in remembering.remember().items():
                if isinstance(value, np.ndarray):
                    arrays[f"memory.{owner}.{name}"] = value
                else:
                    memories[owner][name] = value
        if memory.theta is not None:
            arrays["moving"] = memory.theta
        arrays["history"] = self._rows.table()
        facts = {
            "fingerprint": self._fingerprint,
            "surroundings": self._surroundings,
            "kept": self._kept,
            "epochs_before": state.epochs_before,
            "epochs": position.epochs,
            "steps": position.steps,
            "seconds": position.seconds,
            "stopped": position.stopped,
            "t": memory.t,
            "noise_key": state.noise_key,
            "learning_rate": state.optimizer.schedule.constant,
            "penalties": [state.penalties.l1, state.penalties.l2],
            "columns": self._rows.columns,
            "memories": memories,
        }
        if memory.theta is not None:
            facts["average_weight"] = memory.weight
        return {"training": json.dumps(facts)}, arrays
