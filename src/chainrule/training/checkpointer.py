"""Checkpoints of a training: what is in one, when it is written, how training goes on from it.

The loop asks between its calls of the engine; a `Checkpointer` does the rest. Where the bytes lie
is the business of a `Store`.
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
    """What a store keeps: texts and arrays, by name."""

    @property
    def metadata(self) -> Mapping[str, str]:
        """Texts, JSON by convention."""

    @property
    def arrays(self) -> Mapping[str, NDArray[Any]]:
        """Arrays of numbers."""


class Store(Protocol):
    """Where checkpoints lie."""

    path: Path

    def save(self, metadata: Mapping[str, str], arrays: Mapping[str, NDArray[Any]]) -> None:
        """Keep this checkpoint, whole or not at all, and the one before it."""

    def close(self) -> None:
        """Let others have it."""


class Checkpointer:
    """Writes the checkpoints of one training, and brings it back to where the last one was.

    Parameters
    ----------
    store : Store
        Closed by `close`.
    every : int or str
        As for `Interval`.
    found : Content, optional
        A checkpoint to go on from.
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
        """Return what was kept by this name when the training began: now `value`, unless resumed.

        A number beyond `most` is none that was kept.

        For what is drawn before a training, so that it goes on with the same draws.
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
        """Belong to a training that has not begun, and bring it to where the checkpoint was.

        Parameters
        ----------
        plan : Plan
        state : State
            Brought to the checkpoint's, if there is one.
        memories : mapping, optional
            Who else remembers, by name.
        more : mapping of str, optional
            What must be equal beside `fingerprint`.

        Raises
        ------
        InvalidArgumentError
            If the checkpoint belongs to another training.
        InvalidCheckpointError
            If it contradicts itself.
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
                    f"checkpoint: {where} was written elsewhere ({'; '.join(changed)}); training "
                    "goes on from it, but rounding, and so the last bits, will differ from there"
                ),
                RuntimeWarning,
                stacklevel=5,
            )
        position = saved.position(self._plan)
        if position.epochs + (position.steps > 0) > epochs:
            raise InvalidArgumentError(
                f"checkpoint: {where} has {position.epochs} finished epochs already, and epochs "
                f"says {epochs}; expected at least as many"
            )
        if position.stopped == "finished" and position.epochs < epochs:
            position = Position(position.epochs, behind=position.behind)  # there are more to do
        saved.restore(self._state, self._memories)
        self._state.start, self._state.epochs = position, position.epochs
        self._rows = Rows.of(position.behind or ())
        self._step = position.epochs * self._steps + position.steps
        self._saved = None  # as large as the training itself

    def followed(self, events: Iterator[Event]) -> Generator[Event, None, None]:
        """Hand on the events of the training, and remember its epochs."""
        for event in events:
            if isinstance(event, EpochEnded):
                self._rows.append(event)
            yield event

    def steps_left(self) -> int:
        """Return how many steps may be taken before asking again."""
        return self._interval.left(self._step)

    def stop(self, interrupt: BaseException) -> bool:
        """Take note that training is to end at the next position; False: it is to end at once."""
        if self._stop is not None or stop_wanted() is not None:
            return False
        self._stop = interrupt
        return True

    def reached(self, position: Position) -> Iterator[Event]:
        """Write a checkpoint if it is time; end the training if somebody wants that.

        Everyone has heard of everything up to this position.

        Raises
        ------
        CheckpointWriteError
            If it cannot be written.
        """
        self._step = position.epochs * self._steps + position.steps
        stop = self._stop or stop_wanted()
        if stop is None and not self._interval.is_due(self._step):
            return
        # Where the last step left no finite parameters the next one ends the training, and what
        # is there already is of more use.
        if all_finite(self._state.parameters):
            yield Checkpointed(self._store.path, self._step, self._write(position))
        if stop is not None:
            raise stop

    def finish(self, stopped: Stopped) -> None:
        """Write the last checkpoint: resumed, the training is at its end at once."""
        start = self._state.start
        if start.stopped != stopped.reason or start.epochs != stopped.epochs:
            self._step = stopped.epochs * self._steps
            self._write(Position(stopped.epochs, stopped=stopped.reason))

    def close(self) -> None:
        """Let others have the checkpoint."""
        self._store.close()

    def _write(self, position: Position) -> float:
        started = time.perf_counter()
        metadata, arrays = self._content(position)
        try:
            self._store.save(metadata, arrays)
        except KeyboardInterrupt:
            self._store.save(metadata, arrays)  # first of all; a second one ends this, too
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
            "columns": self._rows.columns,
            "memories": memories,
        }
        if memory.theta is not None:
            facts["average_weight"] = memory.weight
        return {"training": json.dumps(facts)}, arrays
