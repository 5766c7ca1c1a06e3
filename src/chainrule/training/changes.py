"""Changes during a training, between two epochs: learning rate, penalties, single weights."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, NamedTuple

from chainrule.checks import is_real, is_whole, shown
from chainrule.engines.schedule import checked_rate
from chainrule.errors import InvalidArgumentError
from chainrule.limits import FLAG, NOT_NEGATIVE
from chainrule.network.parameters import placed_blocks
from chainrule.network.spec import NetworkSpec
from chainrule.suggestions import did_you_mean
from chainrule.training.events import EpochEnded, Event
from chainrule.training.plan import LBFGS
from chainrule.training.state import State
from chainrule.training.watching import Training


class ParameterChange(NamedTuple):
    """A new value of one weight or bias.

    Parameters
    ----------
    name : {"W", "b"}
    layer : int
        The number of the dense layer, from 1 on.
    row, column : int
        The unit, and the unit below that a weight comes from, from 0 on. The column of a bias is 0.
        Members that share W share the new value, too.
    value : float
    """

    name: str
    layer: int
    row: int
    column: int
    value: float

    @classmethod
    def of(cls, given: object) -> "ParameterChange":
        """Return a change from a sequence of these five values, checked."""
        parts = list(given) if isinstance(given, Sequence) and not isinstance(given, str) else []
        named = len(parts) == 5 and parts[0] in ("W", "b")
        if named and all(map(is_whole, parts[1:4])) and is_real(parts[4]):
            layer, row, column = (int(part) for part in parts[1:4])
            value = float(parts[4])
            if abs(value) < float("inf"):
                return cls(str(parts[0]), layer, row, column, value)
        raise InvalidArgumentError(
            'changes: parameters: expected a list of ("W" or "b", layer, row, column, value), such '
            f'as [("W", 1, 0, 2, 0.5)]; got {shown(given)}'
        )

    def place(self, spec: NetworkSpec) -> int:
        """Return where this weight or bias is in the flat vector.

        Raises
        ------
        InvalidArgumentError
            If the network has none such.
        """
        blocks = [one for one in placed_blocks(spec) if one.block.name == self.name]
        if not 1 <= self.layer <= len(blocks):
            raise self._missing(f"a dense layer from 1 to {len(blocks)}")
        placed = blocks[self.layer - 1]
        layer, units = spec.layers[placed.layer - 1], spec.sizes[placed.layer]
        columns, row = placed.block.shape[1], self.row
        seen = range(columns)
        if self.name == "W" and 0 <= row < units:
            seen, row = layer.seen(row, spec.sizes[placed.layer - 1]), layer.row(row)
        if not 0 <= self.row < units or self.column not in seen:
            first = f"{seen.start} <= " if seen.start else ""
            raise self._missing(f"row < {units} and {first}column < {seen.stop}")
        start: int = placed.slice.start
        return start + row * columns + self.column - seen.start

    def _missing(self, expected: str) -> InvalidArgumentError:
        return InvalidArgumentError(
            f"changes: parameters: expected {expected}; got {self.name}, layer {self.layer}, row "
            f"{self.row}, column {self.column}"
        )


@dataclass(frozen=True)
class Change:
    """What changes between two epochs; None: it stays."""

    learning_rate: float | None = None
    l1: float | None = None
    l2: float | None = None
    parameters: tuple[ParameterChange, ...] = ()
    stop: bool = False

    @classmethod
    def of(cls, given: Mapping[str, Any]) -> "Change":
        """Return a change from its values by name, checked.

        Raises
        ------
        InvalidArgumentError
            If a name or a value is invalid.
        """
        if not isinstance(given, Mapping):
            raise InvalidArgumentError(
                f'changes: expected a dictionary such as {{"learning_rate": 0.01}}; got '
                f"{shown(given)}"
            )
        for name in given:
            if name not in _NAMES:
                raise InvalidArgumentError(
                    f"changes: expected {', '.join(_NAMES)}; got {name!r}"
                    f"{did_you_mean(name, _NAMES)}"
                )
        rate = given.get("learning_rate")
        strengths = {
            name: None if given.get(name) is None else NOT_NEGATIVE.checked(name, given[name])
            for name in ("l1", "l2")
        }
        places = given.get("parameters", ())
        if isinstance(places, str) or not isinstance(places, Iterable):
            places = [places]
        stop = given.get("stop", False)
        FLAG.require(stop, "changes: stop: expected")
        return cls(
            None if rate is None else checked_rate(rate),
            **strengths,
            parameters=tuple(map(ParameterChange.of, places)),
            stop=bool(stop),
        )

    def values(self) -> dict[str, Any]:
        """Return what changes, by name, as `Changes` takes it."""
        numbers = {name: getattr(self, name) for name in ("learning_rate", "l1", "l2")}
        found = {name: value for name, value in numbers.items() if value is not None}
        if self.parameters:
            found["parameters"] = [tuple(one) for one in self.parameters]
        return found | ({"stop": True} if self.stop else {})

    def merged(self, later: "Change") -> "Change":
        """Return this change followed by a later one, as a single change."""
        places = {one[:4]: one for one in (*self.parameters, *later.parameters)}
        return Change(
            self.learning_rate if later.learning_rate is None else later.learning_rate,
            self.l1 if later.l1 is None else later.l1,
            self.l2 if later.l2 is None else later.l2,
            tuple(places.values()),
            self.stop or later.stop,
        )

    def check(self, training: Training) -> None:
        """Raise if a training cannot be changed in this way.

        Raises
        ------
        InvalidArgumentError
            If the network has no such weight, or the solver or the schedule decides by itself.
        """
        for one in self.parameters:
            one.place(training.spec)
        if self.learning_rate is not None and training.plan.next_rate is not None:
            raise InvalidArgumentError(
                "changes: learning_rate: expected none, because the schedule invscaling sets α "
                f"after each epoch; got {self.learning_rate!r}. Use another schedule"
            )
        names = [name for name in self.values() if name != "stop"]
        if names and isinstance(training.plan.optimizer, LBFGS):
            raise InvalidArgumentError(
                f"changes: expected only stop for lbfgs, whose line search continues from its own "
                f"state; got {names[0]}. Use another optimizer, such as adam"
            )

    def apply(self, spec: NetworkSpec, state: State) -> None:
        """Change the state of a training."""
        if self.learning_rate is not None:
            assert state.optimizer is not None
            state.optimizer = replace(state.optimizer, learning_rate=self.learning_rate)
        if self.l1 is not None or self.l2 is not None:
            state.penalties = state.penalties.changed(self.l1, self.l2)
        vectors = [state.parameters]
        if self.parameters and state.memory is not None and state.optimizer is not None:
            # Averages of the weight begin anew at its value.
            vectors += [state.moving]
            vectors += [state.memory.slots[slot] for slot in state.optimizer.theta_slots()]
        for one in self.parameters:
            for vector in vectors:
                vector[one.place(spec)] = one.value


_NAMES = ("learning_rate", "l1", "l2", "parameters", "stop")


class Changes:
    """A callback that changes a training between its epochs.

    It reproduces the changes made by hand in ``chainrule play``, whose exported code uses it.
    It works in `Network.fit`, in the estimators and in `train`, and with checkpoints.

    Parameters
    ----------
    changes : dict
        For each number of finished epochs of this training (0: before the first step), a
        dictionary with any of:

        - ``"learning_rate"``: α from then on, instead of that of a schedule;
        - ``"l1"``, ``"l2"``: strengths of the penalties, as the training's own settings have them;
        - ``"parameters"``: a list of ``("W" or "b", layer, row, column, value)``, with the number
          of the dense layer from 1 on, and row and column from 0 on (0 for a bias);
        - ``"stop"``: True ends the training.

    Raises
    ------
    InvalidArgumentError
        If a name or a value is invalid; when training begins, if the network has no such weight,
        or the solver is 'lbfgs', which cannot be changed during training.

    Examples
    --------
    >>> import chainrule as cr
    >>> net = cr.Network([1, cr.Dense(1, "identity")], cost="mse", seed=0)
    >>> changes = cr.Changes({0: {"parameters": [("W", 1, 0, 0, 2.0)]}, 3: {"learning_rate": 0.0}})
    >>> history = net.fit([[0.0]], [0.0], epochs=5, callbacks=[changes])
    >>> net.weights[0].tolist()
    [[2.0]]
    >>> [epoch.learning_rate for epoch in history.epochs]
    [0.001, 0.001, 0.001, 0.0, 0.0]
    """

    def __init__(self, changes: Mapping[int, Mapping[str, Any]]) -> None:
        if not isinstance(changes, Mapping):
            raise InvalidArgumentError(
                "changes: expected a dictionary of changes by the number of finished epochs, such "
                f'as {{10: {{"learning_rate": 0.01}}}}; got {shown(changes)}'
            )
        for epoch in changes:
            if not is_whole(epoch) or epoch < 0:
                raise InvalidArgumentError(
                    f"changes: expected numbers of finished epochs, from 0 on; got {shown(epoch)}"
                )
        self._changes = {int(epoch): Change.of(given) for epoch, given in changes.items()}
        if 0 in self._changes and self._changes[0].stop:
            raise InvalidArgumentError(
                "changes: stop: expected it after an epoch; got it before the first step. Use "
                "epochs=0, or {1: {'stop': True}}"
            )
        self._training: Training | None = None
        self._after = -1
        self._recalled = False

    def __repr__(self) -> str:
        return f"Changes({self.values()!r})"

    def values(self, until: int | None = None) -> dict[int, dict[str, Any]]:
        """Return the changes by epoch, as the constructor takes them; `until` is the last epoch."""
        return {
            epoch: change.values()
            for epoch, change in sorted(self._changes.items())
            if until is None or epoch <= until
        }

    def training_begins(self, training: Training) -> None:
        """Check that all changes are possible, and make those before the first step."""
        for change in self._changes.values():
            change.check(training)
        self._training = training
        if not self._recalled:
            self._after = -1
        self._recalled = False
        if training.state.epochs > self._after:
            self._reached(training.state.epochs)

    def __call__(self, event: Event) -> bool | None:
        """Make the changes of an epoch that ended."""
        if not isinstance(event, EpochEnded) or self._training is None:
            return None
        return self._reached(self._training.state.epochs)

    def training_ended(self, error: BaseException | None) -> None:
        """Forget the training, which has ended."""
        self._training = None

    def make(self, change: Mapping[str, Any]) -> None:
        """Change the running training now, between two of its epochs, and note the change.

        Raises
        ------
        InvalidArgumentError
            If a name or a value is invalid, or the training cannot be changed in this way.
        """
        training, made = self._training, Change.of(change)
        if training is None:
            raise InvalidArgumentError("changes: no training has begun that could be changed")
        made.check(training)
        made.apply(training.spec, training.state)
        epoch = training.state.epochs
        earlier = self._changes.get(epoch)
        self._changes[epoch] = made if earlier is None else earlier.merged(made)

    def remember(self) -> dict[str, Any]:
        """Return up to which epoch the changes were made, for a checkpoint."""
        return {"after": self._after}

    def recall(self, memory: Mapping[str, Any]) -> None:
        """Restore it from a checkpoint, whose state has these changes."""
        after = memory["after"]
        if type(after) is not int or after < -1:
            raise ValueError(f"after is {after!r:.50}")
        self._after, self._recalled = after, True

    def _reached(self, epoch: int) -> bool:
        self._after = epoch
        change = self._changes.get(epoch)
        if change is None or self._training is None:
            return False
        change.apply(self._training.spec, self._training.state)
        return change.stop
