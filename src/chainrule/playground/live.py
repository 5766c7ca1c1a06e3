"""`Live`: a callback that shows a running training in a page."""

import time
import warnings
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self

from chainrule.arguments import hinting
from chainrule.errors import levels_inside
from chainrule.limits import FLAG
from chainrule.playground.handle import Playground
from chainrule.playground.installation import require_extra
from chainrule.playground.session.sessions import Sessions
from chainrule.playground.session.snapshot import Snapshot
from chainrule.playground.session.subject import Subject
from chainrule.playground.session.viewer import Viewer
from chainrule.training.events import EpochEnded, Event, Resumed, StepsEnded, Stopped
from chainrule.training.progress_text import ended_text
from chainrule.training.watching import Training

if TYPE_CHECKING:
    from chainrule.runs.training import PreparedRun

_SECONDS_BETWEEN = 1 / 36
# What pages that are opened later can travel back to.
_SECONDS_BETWEEN_UNWATCHED = 1.0
_SHARE = 0.02  # of the training's time that copying its state may take


@hinting
class Live:
    """Shows a training in a browser page while it runs; the page is read-only.

    The page is the playground's: the network with its weights, the losses, the map of its outputs,
    histograms, the equations of a step. It needs ``pip install 'chainrule[play]'``. The
    training does not change: its results have the same bits.

    The server starts with the first training, and its address is printed. It serves all trainings
    that have this callback, one after the other, and stops with `stop`, at the end of a ``with``
    block, or with the process.

    Parameters
    ----------
    port : int, optional
        By default the first free one from 8765 on.
    host : str, default "127.0.0.1"
        The name or address to listen at. If it can be reached from other machines, the address
        contains a random token.
    open_browser : bool, default False
        Whether the page is opened at once.

    Raises
    ------
    InvalidArgumentError
        If the extra is not installed; when it starts, if host or port cannot be used.

    Examples
    --------
    >>> import chainrule as cr
    >>> net = cr.Network([1, cr.Dense(1, "identity")], cost="mse", seed=0)
    >>> with cr.Live(port=0) as live:
    ...     history = net.fit([[1.0], [2.0]], [2.0, 4.0], epochs=3, callbacks=[live])
    >>> live.is_running
    False
    """

    needs_each_epoch = False

    def __init__(
        self, port: int | None = None, *, host: str = "127.0.0.1", open_browser: bool = False
    ) -> None:
        require_extra("Live")
        FLAG.require(open_browser, "open_browser: expected")
        self.port, self.host, self.open_browser = port, host, open_browser
        self._forget()

    def _forget(self) -> None:
        self._page: Playground | None = None
        self._viewer = Viewer(mode="live")
        self._run: PreparedRun | None = None
        self._training: Training | None = None
        self._ended: EpochEnded | None = None
        self._first_step = 0
        self._next = 0.0

    @property
    def url(self) -> str | None:
        """The address of the page; None before `start`."""
        return None if self._page is None else self._page.url

    @property
    def is_running(self) -> bool:
        """Whether the page is being served."""
        return self._page is not None and self._page.is_running

    def start(self) -> str:
        """Start the server, unless it runs; return its address.

        Returns
        -------
        str

        Raises
        ------
        InvalidArgumentError
            If host or port cannot be used.
        """
        if self._page is None or not self._page.is_running:
            from chainrule.playground.server.process import Server
            from chainrule.training.notebook import in_notebook

            self._viewer = Viewer(mode="live")
            server = Server(Sessions.of(self._viewer), self.host, self.port, framed=in_notebook())
            self._page = Playground(server.url, server)
            if self.open_browser:
                self._page.open()
        return self._page.url

    def stop(self) -> None:
        """Stop the server; a training goes on without it."""
        if self._page is not None:
            self._page.stop()

    def run_begins(self, run: "PreparedRun") -> None:
        """Learn of which table the next training is."""
        self._run = run

    def training_begins(self, training: Training) -> None:
        """Show a new training; the server starts if it has not."""
        was_running = self.is_running
        self.start()
        if not was_running:
            print(f"chainrule: watch the training at {self.url}", flush=True)
        self._ended, self._next = None, 0.0
        state, steps = training.state, training.plan.steps_per_epoch
        begun = state.start.epochs * steps + state.start.steps
        self._first_step = (0 if state.memory is None else state.memory.t) - begun
        run, self._run = self._run, None
        try:
            self._viewer.begin(_subject(training, run))
            self._viewer.started(training.plan.epochs)
            self._training = training
            self._show()
        except Exception as error:  # what is only looked at must not fail
            self._training = None
            warnings.warn(
                f"Live: the page cannot show this training ({type(error).__name__}: {error})",
                stacklevel=levels_inside(),
            )

    def __call__(self, event: Event) -> None:
        """Consume an event."""
        if self._training is None:
            return
        viewer = self._viewer
        if isinstance(event, EpochEnded):
            self._ended = event
            viewer.epoch(event)
        elif isinstance(event, Resumed):
            for epoch in event.epochs:
                viewer.epoch(epoch)
        elif isinstance(event, Stopped):
            viewer.ended(ended_text(event) or "finished")
        elif not isinstance(event, StepsEnded):
            return
        now = time.perf_counter()
        if now >= self._next:
            self._show()
            # Copies of a large network take their time; together they may take a small share of it.
            took = time.perf_counter() - now
            pause = _SECONDS_BETWEEN if viewer.watched else _SECONDS_BETWEEN_UNWATCHED
            self._next = now + max(pause, took / _SHARE)

    def training_ended(self, error: BaseException | None) -> None:
        """Show the end of the training."""
        if self._training is None:
            return
        self._show()
        self._training = None
        if error is not None:
            failed = isinstance(error, Exception)
            self._viewer.ended("failed" if failed else "interrupted")

    def _show(self) -> None:
        assert self._training is not None
        plan, state = self._training.plan, self._training.state
        memory = None if state.memory is None else state.memory.copy()
        if memory is None:  # L-BFGS, whose epochs are iterations
            step = epoch = state.epochs
        else:
            step = memory.t - self._first_step
            epoch = step // plan.steps_per_epoch
        self._viewer.show(
            Snapshot(
                plan=plan,
                epoch=plan.epochs_before + epoch,
                step=step,
                parameters=state.parameters.copy(),
                optimizer=state.optimizer,
                memory=memory,
                penalties=state.penalties,
                noise_key=state.noise_key,
                rows=None,
                learning_rate=None if self._ended is None else self._ended.learning_rate,
                ended=self._ended,
                test=plan.validation,
                at_epoch_end=memory is None or step % plan.steps_per_epoch == 0,
            )
        )

    # A copy, such as that of a clone of an estimator, is one that has not started.
    def __getstate__(self) -> dict[str, Any]:
        return {"port": self.port, "host": self.host, "open_browser": self.open_browser}

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.port, self.host = state["port"], state["host"]
        self.open_browser = state["open_browser"]
        self._forget()

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.stop()

    def __repr__(self) -> str:
        return f"Live({self.url!r})" if self.is_running else "Live()"

    def _repr_html_(self) -> str:
        return self._page._repr_html_() if self._page is not None else "<p>Live()</p>"


def _subject(training: Training, run: "PreparedRun | None") -> Subject:
    """Return what a training is about: a table, or arrays whose columns have no names."""
    if run is None:
        return Subject.of_plan(training.plan)
    return Subject.of_run(run, training.spec)
