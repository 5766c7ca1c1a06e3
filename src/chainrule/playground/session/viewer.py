"""A session that shows a training, or a model, to the pages that are connected to it."""

import time
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from chainrule.engines.base import Examples, Floats
from chainrule.errors import InvalidArgumentError
from chainrule.playground.inspection.requests import REQUESTS, Inspected
from chainrule.playground.lessons import answered, lesson, lessons
from chainrule.playground.lessons.facts import Facts
from chainrule.playground.session.base import Client, Message, ReadOnlyError
from chainrule.playground.session.catalog import catalog
from chainrule.playground.session.description import described_point
from chainrule.playground.session.display import Display
from chainrule.playground.session.drawn import dense_arrays
from chainrule.playground.session.fields import detail_of, whole, wish_of
from chainrule.playground.session.snapshot import Snapshot
from chainrule.playground.session.subject import Subject
from chainrule.suggestions import did_you_mean

_CHANGES = ("configure", "run", "pause", "reset", "step", "speed", "set", "edit")
# How long a request for the curves may compute gradients of kept epochs.
_SECONDS_FOR_NORMS = 0.1


class Viewer(Display):
    """Shows the snapshots of a training that it is given; it is a `Session`.

    Parameters
    ----------
    subject : Subject, optional
        What the training is about; None: `begin` says it later.
    mode : {"play", "live", "replay"}
    notes : sequence of str
        What a page tells about it.
    """

    read_only = True

    def hello(self) -> Message:
        """Return the session's part of the first message."""
        return {
            "mode": self.mode,
            "catalog": catalog(),
            "start": self._state(),
            "tables": self._tables(),
            "read_only": self.read_only,
        }

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
            view = replace(view, plane=wish_of(message["plane"]))
        if "detail" in message:
            view = replace(view, detail=detail_of(message["detail"]))
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

    def _tables(self) -> list[dict[str, Any]]:
        return []
