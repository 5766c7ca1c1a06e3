"""What pages see of a training: the newest snapshot, its frames, its curves and its status."""

import threading
from dataclasses import replace
from typing import Any

from chainrule.engines import engine_for
from chainrule.errors import InvalidArgumentError
from chainrule.playground.session.base import Client, Frame, Message
from chainrule.playground.session.description import described
from chainrule.playground.session.frames import Flags, Measured, Scene
from chainrule.playground.session.history import Curves
from chainrule.playground.session.kept import KeptSnapshots
from chainrule.playground.session.planes import Plane, Wish, plane_of
from chainrule.playground.session.snapshot import Snapshot
from chainrule.playground.session.subject import Subject
from chainrule.training.events import EpochEnded

# Planes that a session keeps: each has grids of inputs.
_MOST_PLANES = 8


class Display:
    """Shows the snapshots that it is given to the pages that are connected.

    Parameters
    ----------
    subject : Subject, optional
        What the training is about; None: `begin` says it later.
    mode : {"play", "live", "replay"}
    notes : sequence of str
        What a page tells about it.

    Notes
    -----
    All methods may be called from any thread. `frame` holds no lock for longer than a frame takes.
    """

    def __init__(
        self,
        subject: Subject | None = None,
        mode: str = "live",
        notes: tuple[str, ...] | list[str] = (),
    ) -> None:
        self.mode = mode
        self._lock = threading.RLock()
        self._drawing = threading.Lock()
        self._clients: set[Client] = set()
        self._run = 0
        self._closed = False
        self._version = 0
        self._status: dict[str, Any] = {
            "running": mode == "live",
            "epoch": 0,
            "step": 0,
            "epochs": None,
            "epochs_per_second": None,
            "stopped": None,
            "travel": None,
            "message": "",
        }
        self._subject: Subject | None = None
        self._notes: tuple[str, ...] = ()
        self._forget()
        if subject is not None:
            self.begin(subject, notes)

    def _forget(self) -> None:
        self._scene: Scene | None = None
        self._newest: Snapshot | None = None
        self._travelled: Snapshot | None = None
        self._curves, self._kept = Curves(), KeptSnapshots()
        self._planes: dict[Any, Plane] = {}
        self._frames: dict[Any, bytes] = {}
        self._measured: tuple[Snapshot, bool, Measured] | None = None
        self._norms: dict[int, list[float]] = {}

    # What the training reports.

    def begin(self, subject: Subject, notes: tuple[str, ...] | list[str] = ()) -> None:
        """Show another training: earlier snapshots and curves are forgotten."""
        with self._lock:
            self._forget()
            self._subject, self._notes = subject, tuple(notes)
            self._run += 1
            self._version += 1

    def started(self, epochs: int) -> None:
        """Say that the training runs, and how many epochs it is to have."""
        status = {"running": True, "epoch": 0, "step": 0, "stopped": None, "travel": None}
        self._set_status(**status, epochs=epochs, message="")

    def show(self, snapshot: Snapshot) -> None:
        """Show a snapshot, in the place of the last one."""
        with self._lock:
            first = self._scene is None
            if self._scene is None:
                assert self._subject is not None
                # One thread: those of a second engine would hold up the training's at every step.
                self._scene = Scene(self._subject, engine_for(snapshot.spec, "auto", threads=1))
            self._newest = snapshot
            self._version += 1
            self._frames.clear()
            if snapshot.at_epoch_end and self._kept.wants(snapshot.epoch):
                self._kept.add(snapshot)
                self._norms.pop(snapshot.epoch, None)
            self._status |= {"epoch": snapshot.epoch, "step": snapshot.step}
        if first:
            self._describe_to_all()

    def epoch(self, event: EpochEnded) -> None:
        """Add an epoch to the curves."""
        self._curves.append(event)

    def ended(self, reason: str) -> None:
        """Say that the training has ended, and why."""
        self._set_status(running=False, stopped=reason, message=reason)

    @property
    def watched(self) -> bool:
        """Whether a page is connected that is not hidden."""
        return any(not client.view.hidden for client in tuple(self._clients))

    # The pages.

    def connect(self, client: Client) -> None:
        """Add a page, and push it a description and a status."""
        with self._lock:
            self._clients.add(client)
            if self._scene is not None:
                client.push(self._description(client))
            client.push(self._status_message())

    def disconnect(self, client: Client) -> None:
        """Remove a page."""
        with self._lock:
            self._clients.discard(client)

    def close(self) -> None:
        """Free what is kept."""
        self._closed = True
        with self._lock:
            self._clients.clear()
            self._forget()

    def frame(self, client: Client) -> Frame | None:
        """Return the newest snapshot for the client's view; None if the client has seen it."""
        if client.view.hidden or self._scene is None or client.seen == self._version:
            return None
        with self._drawing:
            with self._lock:
                scene, snapshot, version = self._scene, self._shown_or_none(), self._version
                if scene is None or snapshot is None or client.seen == version:
                    return None
                view, run = client.view, self._run
                flags = Flags(bool(self._status["running"]), self._travelled is not None)
                key = (version, view.plane, view.detail, view.backward)
                data = self._frames.get(key)
                plane = self._plane(view.plane)
            if data is None:
                measured = self._measured_of(scene, snapshot)
                data = scene.encode(
                    snapshot, plane, run, flags, measured, view.detail, view.backward
                )
                with self._lock:
                    if version == self._version:
                        self._frames[key] = data
        with self._lock:
            if client.view is view:  # another one, which was chosen meanwhile, has not been seen
                client.seen = version
        return Frame(version, data)

    # What is shown.

    def _state(self) -> dict[str, Any] | None:
        """Return the state of what is trained; None if a page cannot ask for it."""
        return None

    def _settings(self) -> dict[str, Any] | None:
        """Return the value of every setting, also of those that nobody gave; None: not known."""
        return None

    def _about(self) -> Subject:
        if self._subject is None:
            raise InvalidArgumentError("there is no network yet; wait until its table is read")
        return self._subject

    def _shown_or_none(self) -> Snapshot | None:
        return self._travelled or self._newest

    def _ready(self) -> Snapshot:
        """Return the snapshot that is shown."""
        shown = self._shown_or_none()
        if shown is None:
            raise InvalidArgumentError("there is no network yet; wait until its table is read")
        return shown

    def _ready_with_subject(self) -> tuple[Snapshot, Subject]:
        """Return the snapshot that is shown, and what it is of."""
        with self._lock:
            return self._ready(), self._about()

    def _plane(self, wish: Wish) -> Plane:
        with self._lock:
            if wish not in self._planes:
                found = plane_of(self._about(), wish)
                while len(self._planes) >= _MOST_PLANES:
                    del self._planes[next(iter(self._planes))]
                self._planes[wish] = found
            return self._planes[wish]

    def _measured_of(self, scene: Scene, snapshot: Snapshot) -> Measured:
        kept, running = self._measured, bool(self._status["running"])
        if kept is None or kept[0] is not snapshot or kept[1] is not running:
            kept = (snapshot, running, scene.measured(snapshot, running))
            self._measured = kept
        return kept[2]

    def _description(self, client: Client) -> Message:
        with self._lock:
            scene, run = self._scene, self._run
            assert scene is not None
            try:
                plane = self._plane(client.view.plane)
            except InvalidArgumentError:  # a column of the table before
                client.view = replace(client.view, plane=None)
                plane = self._plane(None)
        found = described(scene, plane, self._notes)
        asked = {"state": self._state(), "settings": self._settings()}
        return {"type": "description", "run": run, **asked, **found}

    def _describe_to_all(self) -> None:
        with self._lock:
            for client in self._clients:
                client.seen = -1
                client.push(self._description(client))
                client.push(self._status_message())

    def _status_message(self) -> Message:
        with self._lock:
            return {"type": "status", **self._status}

    def _set_status(self, **changes: Any) -> None:
        with self._lock:
            flags = ("running", "travel")
            if any(self._status[name] != changes.get(name, self._status[name]) for name in flags):
                # A frame says whether the training runs; pages get it once more.
                self._version += 1
                self._frames.clear()
            self._status |= changes
            # Within the lock: a page must not be told an older status after a newer one.
            for client in self._clients:
                client.push(self._status_message())
