"""A session that shows a training, or a model, to the pages that are connected to it."""

import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from chainrule.engines import engine_for
from chainrule.engines.base import Examples, Floats
from chainrule.errors import InvalidArgumentError
from chainrule.playground.inspection.requests import REQUESTS, Inspected
from chainrule.playground.lessons import answered, lesson, lessons
from chainrule.playground.lessons.facts import Facts
from chainrule.playground.session.base import Client, Frame, Message, ReadOnlyError
from chainrule.playground.session.catalog import catalog
from chainrule.playground.session.description import described, described_point
from chainrule.playground.session.drawn import dense_arrays
from chainrule.playground.session.frames import Flags, Measured, Scene
from chainrule.playground.session.history import Curves
from chainrule.playground.session.kept import KeptSnapshots
from chainrule.playground.session.planes import Plane, Wish, plane_of
from chainrule.playground.session.snapshot import Snapshot
from chainrule.playground.session.subject import Subject
from chainrule.suggestions import did_you_mean
from chainrule.training.events import EpochEnded

_CHANGES = ("configure", "run", "pause", "reset", "step", "speed", "set", "edit")
# Planes that a session keeps: each has grids of inputs.
_MOST_PLANES = 8
# How long a request for the curves may compute gradients of kept epochs.
_SECONDS_FOR_NORMS = 0.1


class Viewer:
    """Shows the snapshots of a training that it is given; it is a `Session`.

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

    read_only = True

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

    # What is fed to it.

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

    # What the server asks.

    def hello(self) -> Message:
        """Return the session's part of the first message."""
        return {
            "mode": self.mode,
            "catalog": catalog(),
            "start": self._state(),
            "tables": self._tables(),
            "read_only": self.read_only,
        }

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

    def request(self, client: Client, message: Mapping[str, Any]) -> Any:
        """Return the value of the reply to a message.

        Raises
        ------
        ReadOnlyError
            If it would change what is shown.
        InvalidArgumentError
            If it is unknown, or its fields cannot be used.
        """
        kind = message.get("type")
        answers = self._answers()
        if kind in answers:
            return answers[kind](client, message)
        if kind in _CHANGES:
            raise ReadOnlyError(
                f"{kind}: this page is read-only; open chainrule play to train a network"
            )
        if kind in ("code", "table"):
            raise InvalidArgumentError(
                f"{kind}: is not available for a training or a model that this page only shows"
            )
        names = [*answers, *_CHANGES]
        raise InvalidArgumentError(
            f"type: there is no request {kind!r:.40}"
            f"{did_you_mean(kind, names) if isinstance(kind, str) else ''}"
        )

    def download(self, kind: str) -> tuple[str, bytes, str]:
        """Return a file's name, content and media type; of a read-only page, only the curves.

        Raises
        ------
        InvalidArgumentError
            If there is no such file.
        """
        if kind == "history.csv":
            from chainrule.training.history import csv_text

            return kind, csv_text(self._curves.events(), header=True).encode(), "text/csv"
        raise InvalidArgumentError(
            f"download: {kind!r:.40} is not available on a page that is read-only"
        )

    def upload(self, name: str, path: Path) -> Message:
        """Refuse a table."""
        raise ReadOnlyError("upload: this page is read-only and accepts no tables")

    # Requests.

    def _answers(self) -> dict[Any, Callable[[Client, Mapping[str, Any]], Any]]:
        found: dict[Any, Callable[[Client, Mapping[str, Any]], Any]] = {
            "view": self._view,
            "travel": self._travel,
            "history": lambda client, message: self._history(),
            "weights": lambda client, message: self._weights(),
            "point": self._point,
            "lessons": lambda client, message: lessons(),
            "lesson": lambda client, message: lesson(whole(message, "number")),
            "answer": self._answer,
            "tables": lambda client, message: self._tables(),
        }
        for name in REQUESTS:
            found[name] = self._inspect
        return found

    def _inspect(self, client: Client, message: Mapping[str, Any]) -> Any:
        return REQUESTS[message["type"]](self._inspected(), message)

    def _view(self, client: Client, message: Mapping[str, Any]) -> Any:
        self._ready()
        view, before = client.view, client.view
        if "plane" in message:
            view = replace(view, plane=_wish(message["plane"]))
        if "detail" in message:
            view = replace(view, detail=_detail(message["detail"]))
        if "signal" in message:
            if message["signal"] not in ("forward", "backward"):
                raise InvalidArgumentError(
                    f"signal: expected forward or backward; got {message['signal']!r:.40}"
                )
            view = replace(view, backward=message["signal"] == "backward")
        if "hidden" in message:
            view = replace(view, hidden=message["hidden"] is True)
        with self._lock:
            plane = self._plane(view.plane)  # raises, if there is no such column
            client.view, client.seen = view, -1
            if view.plane != before.plane:
                client.push(self._description(client))
        return {"plane": plane.to_json()}

    def _travel(self, client: Client, message: Mapping[str, Any]) -> Any:
        epoch = message.get("epoch")
        if epoch is None:
            found = None
        else:
            number = whole(message, "epoch", 0)
            self._ready()
            newest = self._newest
            present = newest is None or number >= newest.epoch
            found = None if present else self._snapshot_at(number)
        with self._lock:
            self._travelled = found
            self._version += 1
            self._frames.clear()
        shown = self._ready()
        self._set_status(travel=None if found is None else found.epoch)
        return {"epoch": shown.epoch}

    def _snapshot_at(self, epoch: int) -> Snapshot:
        """Return the snapshot of an epoch, or of the nearest one that is kept."""
        found = self._kept.at(epoch) or self._kept.nearest(epoch)
        if found is None:
            raise InvalidArgumentError(f"epoch: no earlier epoch is kept; got {epoch}")
        return found

    def _history(self) -> dict[str, Any]:
        """Return the curves; gradients of the layers as far as there is time to compute them."""
        with self._lock:  # all of the same training
            scene, known, curves, kept = self._scene, self._norms, self._curves, self._kept
        if scene is not None:
            end = time.monotonic() + _SECONDS_FOR_NORMS
            epochs = [one.epoch for one in curves.events() if one.epoch not in known]
            # First every epoch that is divisible by a large power of two: coarse, then finer.
            for epoch in sorted(epochs, key=lambda one: -(one & -one)):
                snapshot = kept.at(epoch)
                if snapshot is not None:
                    known[epoch] = scene.weight_norms(snapshot)
                if time.monotonic() > end:
                    break
        return curves.to_json(known.get)

    def _weights(self) -> dict[str, Any]:
        snapshot = self._ready()
        layers = dense_arrays(snapshot.spec, snapshot.parameters)
        return {"epoch": snapshot.epoch, "step": snapshot.step, "layers": layers}

    def _point(self, client: Client, message: Mapping[str, Any]) -> dict[str, Any]:
        snapshot, subject = self._ready_with_subject()
        part, place = subject.place_of(message.get("index"))
        X = subject.parts[part].X[place : place + 1]
        outputs = np.empty((1, snapshot.spec.n_outputs), snapshot.spec.dtype)
        snapshot.plan.engine.forward(
            snapshot.spec, snapshot.parameters, np.ascontiguousarray(X), outputs
        )
        found = described_point(subject, part, place, outputs)
        return {"index": message["index"], "epoch": snapshot.epoch, **found}

    def _answer(self, client: Client, message: Mapping[str, Any]) -> dict[str, Any]:
        number = whole(message, "number")
        facts = Facts(self._state() or {}, 0, float("nan"), None, {}, False)
        with self._lock:
            snapshot, scene = self._shown_or_none(), self._scene
        if snapshot is not None and scene is not None:
            measured = self._measured_of(scene, snapshot)
            names = scene.metric_names
            by_part = {
                part: {
                    name.split(" ", 1)[1].lower(): value
                    for name, value in zip(names, measured.metrics, strict=True)
                    if name.startswith(part)
                }
                for part in ("train", "test")
            }
            test = measured.test_loss
            facts = Facts(
                self._state() or {},
                snapshot.epoch,
                measured.train_loss,
                None if np.isnan(test) else test,
                by_part["test"] or by_part["train"],
                self._diverged(),
            )
        return answered(number, message.get("answer"), facts)

    def _diverged(self) -> bool:
        return False

    def _inspected(self) -> Inspected:
        snapshot, subject = self._ready_with_subject()
        kept, until = self._kept, snapshot.epoch

        def example(index: int) -> Examples:
            return self._example(snapshot, subject, index)

        def path() -> tuple[list[Floats], list[int]]:
            return kept.path(until)

        return Inspected(
            snapshot, subject.features, subject.decoder, example, path, lambda: self._closed
        )

    def _example(self, snapshot: Snapshot, subject: Subject, index: int) -> Examples:
        """Return one row as the engines take it."""
        part, place = subject.place_of(index)
        for number, examples in ((0, snapshot.examples), (1, snapshot.test)):
            if part == number and examples is not None:
                return examples.take(np.array([place]))
        own = subject.parts[part]
        truth = own.truth[place : place + 1]
        if subject.classes and snapshot.spec.n_outputs > 1:
            Y: Any = truth.astype(np.int32)
        elif subject.classes or own.table is None or subject.coder is None:
            Y = truth.astype(snapshot.spec.dtype)[:, None]
        else:
            encoded = subject.coder.encode(own.table[subject.target][place : place + 1])
            Y = encoded.astype(snapshot.spec.dtype)[:, None]
        return Examples(np.ascontiguousarray(own.X[place : place + 1]), Y)

    # What the parts of it share.

    def _state(self) -> dict[str, Any] | None:
        """Return the state of what is trained; None if a page cannot ask for it."""
        return None

    def _settings(self) -> dict[str, Any] | None:
        """Return the value of every setting, also of those that nobody gave; None: not known."""
        return None

    def _tables(self) -> list[dict[str, Any]]:
        return []

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


def whole(message: Mapping[str, Any], name: str, least: int | None = None) -> int:
    """Return a whole number of a message.

    Raises
    ------
    InvalidArgumentError
        If it is none, or too small.
    """
    value = message.get(name)
    fits = isinstance(value, int) and not isinstance(value, bool)
    if not fits or (least is not None and value < least) or abs(value) > 2**53:  # type: ignore[operator,arg-type]
        bound = "" if least is None else f" of at least {least}"
        raise InvalidArgumentError(f"{name}: expected a whole number{bound}; got {value!r:.40}")
    return int(value)  # type: ignore[arg-type]


def _wish(plane: object) -> Wish:
    """Return which plane a page asks for."""
    if plane is None:
        return None
    if isinstance(plane, Mapping):
        if plane.get("kind") == "pca":
            return "pca"
        x, y = plane.get("x"), plane.get("y")
        if plane.get("kind") == "pair" and isinstance(x, str) and isinstance(y, str):
            return (x, y)
    raise InvalidArgumentError(
        'plane: expected {"kind": "pair", "x": a column, "y": another} or {"kind": "pca"}; got '
        f"{plane!r:.60}"
    )


def _detail(detail: object) -> tuple[int, int] | None:
    if detail is None:
        return None
    if isinstance(detail, Mapping):
        return whole(detail, "layer", 1), whole(detail, "unit", 0)
    raise InvalidArgumentError(f"detail: expected a layer and a unit, or none; got {detail!r:.60}")
