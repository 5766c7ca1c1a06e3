"""A session that trains: a run in its own thread, which pages start, pause, change and replace."""

import logging
import threading
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

from chainrule.errors import ChainruleError, InvalidArgumentError, TrainingDivergedError
from chainrule.limits import POSITIVE
from chainrule.network.parameters import parameter_count
from chainrule.playground.data.tables import OwnTables
from chainrule.playground.paths import without_folders
from chainrule.playground.session.base import Client, Message, ReadOnlyError
from chainrule.playground.session.code import Exported, exported
from chainrule.playground.session.control import (
    DEFAULT_SPEED,
    Controller,
    EndedFromOutside,
    Wishes,
)
from chainrule.playground.session.downloads import download
from chainrule.playground.session.snapshot import Snapshot
from chainrule.playground.session.state import START, Wanted, wanted
from chainrule.playground.session.subject import Subject
from chainrule.playground.session.trained import Trained
from chainrule.playground.session.viewer import Viewer, whole
from chainrule.runs.training import PreparedRun
from chainrule.training.changes import Change, Changes
from chainrule.training.events import Callback, EpochEnded, Event
from chainrule.training.fit import Fitted, fit
from chainrule.training.plan import LBFGS
from chainrule.training.progress_text import ended_text
from chainrule.training.state import State

_LOG = logging.getLogger("chainrule.playground")

_MOST_PARAMETERS = 2_000_000
_MOST_INPUTS = 20_000

# An earlier epoch is trained once more if that takes no longer than this.
SECONDS_OF_RECOMPUTING = 0.5

_SECONDS_OF_WAITING = 20.0
_SECONDS_OF_PATIENCE = 2.0


class Experiment(Viewer):
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

    def __init__(
        self,
        tables: OwnTables | None = None,
        state: Mapping[str, Any] | None = None,
        *,
        prepared: PreparedRun | None = None,
        read_only: bool = False,
        mode: str = "play",
        notes: tuple[str, ...] | list[str] = (),
        callbacks: Sequence[Callback] = (),
    ) -> None:
        super().__init__(mode=mode)
        self._callbacks = tuple(callbacks)
        self.read_only = read_only
        self.tables = tables or OwnTables()
        self._own_notes = tuple(notes)
        self._speed: float | None = DEFAULT_SPEED
        self._wanted: Wanted | None = None
        self._prepared = prepared
        if prepared is None:
            self._wanted = wanted(START if state is None else state, self.tables)
        self._wishes = Wishes()
        self._trained: Trained | None = None
        self._jobs = threading.Condition()
        self._next: Callable[[], None] | None = self._prepare
        self._prepared_now: tuple[Wanted | None, PreparedRun] | None = None
        # Numbers of the job that was asked for last, of the one at work, and of the last one of
        # which pages know the network, or why there is none.
        self._asked = self._at_work = 1
        self._settled = 0
        self._thread = threading.Thread(target=self._work, name="playground", daemon=True)
        self._set_status(running=False, message="preparing")
        self._thread.start()

    # The thread.

    def _work(self) -> None:
        while True:
            with self._jobs:
                while self._next is None and not self._closed:
                    self._jobs.wait()
                job, self._next = self._next, None
                self._at_work = self._asked
            if self._closed or job is None:
                return
            try:
                job()
            except EndedFromOutside:
                pass
            except ChainruleError as error:
                self._failed(without_folders(str(error)))
            except Exception as error:
                _LOG.exception("a training of the playground failed")
                self._failed(
                    f"failed because of a bug in chainrule ({type(error).__name__}); the terminal "
                    "shows the details"
                )

    def _failed(self, message: str) -> None:
        trained = self._trained
        if trained is not None:
            trained.ended = message
        with self._jobs:
            replaced = self._at_work != self._asked
            self._settled = self._at_work
            self._jobs.notify_all()
        if not replaced:
            self._set_status(running=False, stopped="failed", message=message)

    def _ask(self, job: Callable[[], None]) -> None:
        """End the present training, and let the thread do another job."""
        with self._jobs:
            old, self._wishes = self._wishes, Wishes(speed=self._speed)
            self._next, self._trained = job, None
            self._asked += 1
            self._jobs.notify_all()
        with old.changed:
            old.replaced = True
            old.changed.notify_all()

    def _prepare(self) -> None:
        """Read and encode the table, and train."""
        with self._jobs:
            chosen, prepared = self._wanted, self._prepared
            self._prepared_now = None
        if chosen is not None:
            prepared = chosen.prepared()
        assert prepared is not None
        self._prepared_now = (chosen, prepared)
        self._train(chosen, prepared)

    def _again(self) -> None:
        """Train once more from the beginning."""
        if self._prepared_now is None:
            self._prepare()
        else:
            self._train(*self._prepared_now)

    def _train(self, chosen: Wanted | None, prepared: PreparedRun) -> None:
        with self._jobs:
            if self._at_work != self._asked:
                return
            wishes = self._wishes
        if prepared.encoder.n_inputs > _MOST_INPUTS:
            raise InvalidArgumentError(
                f"inputs: expected at most {_MOST_INPUTS:,} in the playground; the columns make "
                f"{prepared.encoder.n_inputs:,}. Choose fewer, or lower max_categories"
            )
        trained = Trained.begun(chosen, prepared)
        plan = trained.plan
        count = parameter_count(plan.problem.spec)
        if count > _MOST_PARAMETERS:
            raise InvalidArgumentError(
                f"layers: expected at most {_MOST_PARAMETERS:,} parameters in the playground; "
                f"these layers have {count:,}"
            )
        is_toy = chosen is not None and chosen.is_toy
        subject = Subject.of_run(prepared, plan.problem.spec, is_toy)
        told = _Told(self, wishes)
        controller = trained.controller = Controller(wishes, trained.changes, told)
        with wishes.changed:
            wishes.until_epoch = prepared.config.training.epochs if trained.open_ended else None
        # What is said of a table, such as that a column tells the target, is so by intent in a toy.
        notes = (*self._own_notes, *(() if is_toy else prepared.notes))
        with self._jobs:
            if self._at_work != self._asked:
                return
            self._trained = trained
        with self._lock:
            self.begin(subject, notes)
            self._status |= {
                "running": wishes.running,
                "epochs": prepared.config.training.epochs,
                "epoch": 0,
                "step": 0,
                "stopped": None,
                "travel": None,
                "message": "",
                "epochs_per_second": None,
            }
        state = State.of(plan)
        try:
            fitted = fit(plan, [trained.changes, *self._callbacks, controller], state=state)
        except TrainingDivergedError as error:
            trained.diverged = True
            controller.diverged()
            self._ended(trained, wishes, f"training diverged: {error}", "diverged")
        else:
            best = fitted.stopped.best_epoch
            trained.kept_epoch = state.epochs if best is None else best
            self._ended(trained, wishes, _told_end(fitted), fitted.stopped.reason)
            if best is not None and best != state.epochs:
                self._show_best(best)

    def _ended(self, trained: Trained, wishes: Wishes, message: str, reason: str) -> None:
        trained.ended = message
        with wishes.changed:
            wishes.running = False
            if not wishes.replaced:
                self._set_status(running=False, stopped=reason, message=message)

    def _show_best(self, epoch: int) -> None:
        """Show the epoch whose weights early stopping keeps."""
        found = self._kept.at(epoch)
        if found is not None:
            with self._lock:
                self._travelled = found
            self._set_status(travel=epoch)

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

    def _present(self) -> tuple[Wishes, Trained | None]:
        with self._jobs:
            return self._wishes, self._trained

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

    def close(self) -> None:
        """End the training and free what the session keeps."""
        super().close()
        self._ask(lambda: None)
        with self._jobs:
            self._jobs.notify_all()
        self._thread.join(_SECONDS_OF_WAITING)
        self.tables.close()

    # What the page is told.

    def connect(self, client: Client) -> None:
        """Add a page, and push it a description and a status."""
        super().connect(client)
        with self._jobs:
            wishes = self._wishes
        with wishes.changed:
            wishes.look = True
            wishes.changed.notify_all()

    def _state(self) -> dict[str, Any] | None:
        return None if self._wanted is None else self._wanted.state

    def _settings(self) -> dict[str, Any] | None:
        trained = self._trained
        return None if trained is None else trained.settings()

    def _tables(self) -> list[dict[str, Any]]:
        return [table.summary() for table in self.tables.all()]

    def _diverged(self) -> bool:
        return self._trained is not None and self._trained.diverged

    def wait_until_ready(self, seconds: float = _SECONDS_OF_WAITING) -> None:
        """Wait until the network is there, or it is known why there is none."""
        with self._jobs:
            self._jobs.wait_for(lambda: self._closed or self._settled == self._asked, seconds)

    def _describe_to_all(self) -> None:
        super()._describe_to_all()
        with self._jobs:
            self._settled = self._at_work
            self._jobs.notify_all()


class _Told:
    """Passes on what a training tells, as long as it is not replaced."""

    def __init__(self, experiment: Experiment, wishes: Wishes) -> None:
        self._experiment, self._wishes = experiment, wishes

    @property
    def _is_present(self) -> bool:
        return not self._wishes.replaced

    @property
    def watched(self) -> bool:
        """Whether a page looks."""
        return self._experiment.watched

    def show(self, snapshot: Snapshot) -> None:
        """Show a snapshot."""
        if self._is_present:
            self._experiment.show(snapshot)

    def epoch(self, event: EpochEnded) -> None:
        """Add an epoch to the curves."""
        self._experiment.epoch(event)

    def keep(self, snapshot: Snapshot, best: bool) -> None:
        """Keep the snapshot of an epoch."""
        kept = self._experiment._kept
        if best:
            kept.pin(snapshot)
        kept.add(snapshot)

    def keeps(self, epoch: int) -> bool:
        """Whether the snapshot of an epoch is to be kept."""
        return self._experiment._kept.wants(epoch)

    def paused(self, epoch: int, reached: bool) -> None:
        """Say that the training waits."""
        if not self._is_present:
            return
        trained = self._experiment._trained
        message = ""
        if reached and trained is not None:
            message = f"finished: {epoch} epochs"
            if trained.open_ended:
                message += "; Run continues for as many epochs again"
        with self._wishes.changed:
            if not self._wishes.running:
                self._experiment._set_status(running=False, epoch=epoch, message=message)

    def pace(self, epoch: int, per_second: float) -> None:
        """Say how fast it is."""
        if self._is_present:
            self._experiment._set_status(epoch=epoch, epochs_per_second=round(per_second, 2))

    def refused(self, error: ChainruleError) -> None:
        """Say that a change could not be made."""
        self._experiment._set_status(message=str(error))


def recomputed(trained: Trained, epoch: int) -> Snapshot:
    """Train once more up to an epoch, and return the snapshot of it."""
    fresh = Trained.begun(trained.wanted, trained.prepared)
    changes = Changes(trained.changes.values(until=epoch))
    catcher = _Catcher(epoch)
    wishes = Wishes(running=True, speed=None)
    controller = Controller(wishes, changes, catcher)
    consumers: list[Callable[[Event], bool | None]] = [changes, controller]
    with suppress(EndedFromOutside):
        fit(fresh.plan, consumers)
    assert catcher.found is not None
    return catcher.found


class _Catcher:
    """Catches the snapshot of an epoch, and ends the training there."""

    watched = False

    def __init__(self, epoch: int) -> None:
        self._epoch = epoch
        self.found: Snapshot | None = None

    def show(self, snapshot: Snapshot) -> None:
        """Take the snapshot before the first epoch, if that is wanted."""
        if snapshot.epoch == self._epoch:
            self._caught(snapshot)

    def epoch(self, event: EpochEnded) -> None:
        """Take no notice."""

    def keep(self, snapshot: Snapshot, best: bool) -> None:
        """Take the snapshot that is wanted."""
        if snapshot.epoch == self._epoch:
            self._caught(snapshot)

    def _caught(self, snapshot: Snapshot) -> None:
        self.found = snapshot
        raise EndedFromOutside

    def keeps(self, epoch: int) -> bool:
        """Whether it is the epoch."""
        return epoch == self._epoch

    def paused(self, epoch: int, reached: bool) -> None:
        """Take no notice."""

    def pace(self, epoch: int, per_second: float) -> None:
        """Take no notice."""

    def refused(self, error: ChainruleError) -> None:
        """Take no notice."""


def _told_end(fitted: Fitted) -> str:
    """Return why a training ended, in words."""
    if fitted.shortfall:
        return fitted.shortfall
    return ended_text(fitted.stopped) or f"finished: {fitted.stopped.epochs} epochs"
