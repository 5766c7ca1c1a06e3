"""A session whose thread trains a run, as often as it is asked to."""

import logging
import threading
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from chainrule.errors import ChainruleError, InvalidArgumentError, TrainingDivergedError
from chainrule.network.parameters import parameter_count
from chainrule.playground.data.tables import OwnTables
from chainrule.playground.paths import without_folders
from chainrule.playground.session.control import (
    DEFAULT_SPEED,
    Controller,
    EndedFromOutside,
    Wishes,
)
from chainrule.playground.session.snapshot import Snapshot
from chainrule.playground.session.state import START, Wanted, wanted
from chainrule.playground.session.subject import Subject
from chainrule.playground.session.trained import Trained
from chainrule.playground.session.viewer import Viewer
from chainrule.runs.training import PreparedRun
from chainrule.training.events import Callback, EpochEnded
from chainrule.training.fit import Fitted, fit
from chainrule.training.progress_text import ended_text
from chainrule.training.state import State

_LOG = logging.getLogger("chainrule.playground")

_MOST_PARAMETERS = 2_000_000
_MOST_INPUTS = 20_000

_SECONDS_OF_WAITING = 20.0


class Trainer(Viewer):
    """A session that trains; `Experiment` adds what pages may ask of it, and has its parameters."""

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
        # In toy data, what notes on a table warn of, such as leakage, is intended.
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

    # What others see of it.

    def _present(self) -> tuple[Wishes, Trained | None]:
        with self._jobs:
            return self._wishes, self._trained

    def wait_until_ready(self, seconds: float = _SECONDS_OF_WAITING) -> None:
        """Wait until the network is there, or it is known why there is none."""
        with self._jobs:
            self._jobs.wait_for(lambda: self._closed or self._settled == self._asked, seconds)

    def _describe_to_all(self) -> None:
        super()._describe_to_all()
        with self._jobs:
            self._settled = self._at_work
            self._jobs.notify_all()

    def _state(self) -> dict[str, Any] | None:
        return None if self._wanted is None else self._wanted.state

    def _settings(self) -> dict[str, Any] | None:
        trained = self._trained
        return None if trained is None else trained.settings()

    def _tables(self) -> list[dict[str, Any]]:
        return [table.summary() for table in self.tables.all()]

    def _diverged(self) -> bool:
        return self._trained is not None and self._trained.diverged

    def close(self) -> None:
        """End the training and free what the session keeps."""
        super().close()
        self._ask(lambda: None)
        with self._jobs:
            self._jobs.notify_all()
        self._thread.join(_SECONDS_OF_WAITING)
        self.tables.close()


class _Told:
    """Passes on what a training tells, as long as it is not replaced."""

    def __init__(self, trainer: Trainer, wishes: Wishes) -> None:
        self._trainer, self._wishes = trainer, wishes

    @property
    def _is_present(self) -> bool:
        return not self._wishes.replaced

    @property
    def watched(self) -> bool:
        """Whether a visible page is connected."""
        return self._trainer.watched

    def show(self, snapshot: Snapshot) -> None:
        """Show a snapshot."""
        if self._is_present:
            self._trainer.show(snapshot)

    def epoch(self, event: EpochEnded) -> None:
        """Add an epoch to the curves."""
        self._trainer.epoch(event)

    def keep(self, snapshot: Snapshot, best: bool) -> None:
        """Keep the snapshot of an epoch."""
        kept = self._trainer._kept
        if best:
            kept.pin(snapshot)
        kept.add(snapshot)

    def keeps(self, epoch: int) -> bool:
        """Whether the snapshot of an epoch is to be kept."""
        return self._trainer._kept.wants(epoch)

    def paused(self, epoch: int, reached: bool) -> None:
        """Say that the training waits."""
        if not self._is_present:
            return
        trained = self._trainer._trained
        message = ""
        if reached and trained is not None:
            message = f"finished: {epoch} epochs"
            if trained.open_ended:
                message += "; Run continues for as many epochs again"
        with self._wishes.changed:
            if not self._wishes.running:
                self._trainer._set_status(running=False, epoch=epoch, message=message)

    def pace(self, epoch: int, per_second: float) -> None:
        """Say how fast it is."""
        if self._is_present:
            self._trainer._set_status(epoch=epoch, epochs_per_second=round(per_second, 2))

    def refused(self, error: ChainruleError) -> None:
        """Say that a change could not be made."""
        self._trainer._set_status(message=str(error))


def _told_end(fitted: Fitted) -> str:
    """Return why a training ended, in words."""
    if fitted.shortfall:
        return fitted.shortfall
    return ended_text(fitted.stopped) or f"finished: {fitted.stopped.epochs} epochs"
