"""A session that trains: a run in its own thread, which pages start, pause, change and replace."""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from chainrule.errors import InvalidArgumentError
from chainrule.limits import POSITIVE
from chainrule.playground.session.base import Client, Message, ReadOnlyError
from chainrule.playground.session.code import Exported, exported
from chainrule.playground.session.control import (
    Controller,
    Wishes,
)
from chainrule.playground.session.downloads import download
from chainrule.playground.session.fields import whole
from chainrule.playground.session.recomputing import recomputed
from chainrule.playground.session.snapshot import Snapshot
from chainrule.playground.session.state import wanted
from chainrule.playground.session.trained import Trained
from chainrule.playground.session.trainer import Trainer
from chainrule.training.changes import Change
from chainrule.training.plan import LBFGS

# An earlier epoch is trained once more if that takes no longer than this.
SECONDS_OF_RECOMPUTING = 0.5

_SECONDS_OF_PATIENCE = 2.0


class Experiment(Trainer):
    """A session that trains a run; it is a `Session`.

    Parameters
    ----------
    tables : OwnTables, optional
    state : dict, optional
        What is trained first; see `chainrule.playground.session.state`.
    prepared : PreparedRun, optional
        A finished run, which is trained again in the place of a state.
    read_only : bool
        Whether pages may run, pause and step, but change nothing.
    mode : {"play", "replay"}
    notes : sequence of str
    callbacks : sequence of callables
        More callbacks of the trainings.
    """

    # Requests.

    def _answers(self) -> dict[Any, Callable[[Client, Mapping[str, Any]], Any]]:
        found = super()._answers()
        found |= {
            "run": lambda client, message: self.run(),
            "pause": lambda client, message: self.pause(),
            "step": self._step,
            "speed": self._set_speed,
            "code": lambda client, message: self._code().to_json(),
            "table": lambda client, message: self.tables.get(message.get("table")).description(),
            "reset": lambda client, message: self.reset(),
        }
        if self.read_only:
            for name in ("configure", "set", "edit"):
                found[name] = self._refused
        else:
            found |= {
                "configure": lambda client, message: self.configure(message.get("state")),
                "set": lambda client, message: self._set(message),
                "edit": lambda client, message: self._edit(message),
            }
        return found

    def _refused(self, client: Client, message: Mapping[str, Any]) -> Any:
        raise ReadOnlyError(
            f"{message['type']}: this is the replay of a finished run, which cannot be changed; "
            "open its table with chainrule play to train another network"
        )

    def configure(self, state: object) -> dict[str, Any]:
        """Train something else; return its normalised state.

        Raises
        ------
        InvalidArgumentError
            If the state is invalid; the present training then goes on.
        """
        chosen = wanted(state, self.tables)
        with self._jobs:
            self._wanted, self._prepared = chosen, None
        self._set_status(running=False, message="preparing", stopped=None)
        self._ask(self._prepare)
        return {"state": chosen.state}

    def reset(self) -> None:
        """Begin the training anew, with the same initial weights, and wait."""
        self._set_status(running=False, stopped=None, message="")
        self._ask(self._again)

    def run(self) -> None:
        """Let the training run.

        Raises
        ------
        InvalidArgumentError
            If it has ended and cannot go on.
        """
        wishes, trained = self._present()
        self._go_on(trained)
        with wishes.changed:
            wishes.until_step = None
            self._let_run(wishes, trained)

    def _let_run(self, wishes: Wishes, trained: Trained | None) -> None:
        """Let the training run; the caller holds `wishes.changed`."""
        self._extend(wishes, trained)
        wishes.running = True
        # Said before the training can say that it waits again.
        self._set_status(running=True, travel=None, stopped=None, message="")
        wishes.changed.notify_all()

    def _extend(self, wishes: Wishes, trained: Trained | None) -> None:
        """Let a training that has reached its last epoch go on for as many again."""
        if trained is None or trained.controller is None or wishes.until_epoch is None:
            return
        epoch = trained.controller.epochs if trained.controller.training else 0
        if epoch >= wishes.until_epoch:
            wishes.until_epoch = epoch + int(trained.prepared.config.training.epochs)
            with self._lock:
                self._status["epochs"] = wishes.until_epoch

    def pause(self) -> None:
        """Let the training wait: at the end of the epoch, or at once if an epoch takes long."""
        with self._jobs:
            wishes = self._wishes
        with wishes.changed:
            wishes.running, wishes.until_step = False, None
            wishes.changed.notify_all()

    def _step(self, client: Client, message: Mapping[str, Any]) -> Any:
        unit, count = message.get("unit", "epoch"), 1
        if message.get("count") is not None:
            count = whole(message, "count", 1)
        if unit not in ("epoch", "batch"):
            raise InvalidArgumentError(f"unit: expected epoch or batch; got {unit!r:.40}")
        wishes, trained, controller = self._settled_training()
        self._go_on(trained)
        steps = trained.plan.steps_per_epoch
        if isinstance(trained.plan.optimizer, LBFGS):
            if unit == "batch":
                raise InvalidArgumentError(
                    "unit: expected epoch, since each lbfgs step uses all rows; got batch"
                )
            steps = 1
        with wishes.changed:
            done = controller.steps
            ahead = done + count if unit == "batch" else (done // steps + count) * steps
            wishes.until_step = ahead
            self._let_run(wishes, trained)

    def _set_speed(self, client: Client, message: Mapping[str, Any]) -> Any:
        speed = message.get("epochs_per_second")
        if speed is not None:
            POSITIVE.require(speed, "epochs_per_second: expected")
            speed = min(max(float(speed), 0.05), 1e6)
        with self._jobs:
            self._speed, wishes = speed, self._wishes
        with wishes.changed:
            wishes.speed = speed
            wishes.changed.notify_all()
        return {"epochs_per_second": speed}

    def _set(self, message: Mapping[str, Any]) -> Any:
        names = ("learning_rate", "l1", "l2")
        change = {name: message[name] for name in names if message.get(name) is not None}
        if not change:
            raise InvalidArgumentError("set: expected learning_rate, l1 or l2; got none of them")
        return self._change(change)

    def _edit(self, message: Mapping[str, Any]) -> Any:
        name, value = message.get("name"), message.get("value")
        column = message.get("column", 0) if name == "W" else 0
        place = (name, message.get("layer"), message.get("row"), column, value)
        return self._change({"parameters": [place]})

    def _change(self, given: Mapping[str, Any]) -> dict[str, Any]:
        """Ask for a change; it is made between two epochs."""
        wishes, trained, controller = self._settled_training()
        if self._travelled is not None:
            raise InvalidArgumentError(
                "an earlier epoch is shown, which cannot be changed; return to the latest one first"
            )
        if trained.ended:
            raise InvalidArgumentError(
                f"the training has ended and can no longer be changed ({trained.ended}); reset it"
            )
        training = controller.training
        assert training is not None
        Change.of(given).check(training)
        with wishes.changed:
            wishes.changes.append(dict(given))
            wishes.changed.notify_all()
            waits = wishes.running or controller.within > 0
        return {"after_epoch": waits}

    def _go_on(self, trained: Trained | None) -> None:
        with self._lock:
            if self._travelled is not None:
                self._travelled = None
                self._version += 1
                self._frames.clear()
        if trained is not None and trained.ended:
            raise InvalidArgumentError(f"the training has ended: {trained.ended}. Reset it")

    def _settled_training(self) -> tuple[Wishes, Trained, Controller]:
        """Return the training; wait for it for a moment, if it is being prepared."""
        self.wait_until_ready(_SECONDS_OF_PATIENCE)
        wishes, trained = self._present()
        controller = None if trained is None else trained.controller
        if trained is None or controller is None or controller.training is None:
            raise InvalidArgumentError("there is no network yet; wait until its table is read")
        return wishes, trained, controller

    # Time travel.

    def _snapshot_at(self, epoch: int) -> Snapshot:
        found = self._kept.at(epoch)
        trained = self._trained
        if found is not None or trained is None or trained.controller is None:
            return found or super()._snapshot_at(epoch)
        done = max(1, trained.controller.epochs)
        if trained.controller.seconds / done * epoch <= SECONDS_OF_RECOMPUTING:
            return recomputed(trained, epoch)
        return super()._snapshot_at(epoch)

    # Exports.

    def _code(self) -> Exported:
        return exported(self._whole(), self._ready())

    def _whole(self) -> Trained:
        trained = self._trained
        if trained is None or trained.controller is None:
            raise InvalidArgumentError("there is no network yet; wait until its table is read")
        return trained

    def download(self, kind: str) -> tuple[str, bytes, str]:
        """Return a file's name, content and media type.

        Raises
        ------
        InvalidArgumentError
            If there is no such file, or no network yet.
        """
        if kind == "history.csv":
            return super().download(kind)
        trained = self._whole()
        return download(kind, trained, self._ready(), self._code)

    def upload(self, name: str, path: Path) -> Message:
        """Read a table that a page uploaded, and copy its file; return id and description.

        Raises
        ------
        InvalidTableError
            If the file is no table.
        """
        if self.read_only:
            return super().upload(name, path)
        return self.tables.add(path, name).description()

    def connect(self, client: Client) -> None:
        """Add a page, and push it a description and a status."""
        super().connect(client)
        with self._jobs:
            wishes = self._wishes
        with wishes.changed:
            wishes.look = True
            wishes.changed.notify_all()
