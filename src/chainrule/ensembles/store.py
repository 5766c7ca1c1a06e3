"""The members that were trained before an interruption, in a checkpoint."""

import hashlib
import json
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from chainrule.checks import is_real
from chainrule.ensembles.members import Draft, Member, Place
from chainrule.errors import InvalidCheckpointError
from chainrule.files.checkpoint_store import CheckpointStore
from chainrule.files.locks import FileLock
from chainrule.model.checkpoints import open_store
from chainrule.training.fingerprint import check_same, fingerprint, surroundings

_KEY = "ensemble"
# A checkpoint is written at most so often, and writing takes at most this share of the time.
_SECONDS, _SHARE = 1.0, 0.02


class MemberStore:
    """Keeps members in a checkpoint: those that an interrupted training of the ensemble had.

    A member is known by everything that determines its bits, so that a changed setting, row or seed
    takes none of an earlier training.

    Parameters
    ----------
    store : CheckpointStore
        Closed by `close`.
    resume : bool
        Whether members of an earlier training are used.

    Raises
    ------
    InvalidCheckpointError
        If the checkpoint is not one of an ensemble.
    """

    def __init__(self, store: CheckpointStore, resume: bool) -> None:
        self._store = store
        self._facts: dict[str, dict[str, Any]] = {}
        self._arrays: dict[str, NDArray[Any]] = {}
        self._first: dict[str, str] = {}
        self._places: set[Place] = set()
        self._kept: dict[str, Any] = {}
        self._found: dict[str, Any] = {}
        self.seconds_before = 0.0
        """What earlier, interrupted trainings of this ensemble took."""
        self._written, self._cost = -np.inf, 0.0
        found = store.load() if resume else None
        if found is not None:
            self._read(found.metadata, found.arrays)

    @classmethod
    def opened(
        cls,
        checkpoint: str | Path | None,
        every: int | str,
        resume: bool,
        lock: FileLock | None = None,
    ) -> "MemberStore | None":
        """Return the store of a checkpoint, or None without one; see `open_store` for arguments."""
        files = open_store(checkpoint, every, resume, lock)
        if files is None:
            return None
        try:
            return cls(files, resume)
        except BaseException:
            files.close()
            raise

    def close(self) -> None:
        """Release the checkpoint for other trainings."""
        self._store.close()

    def _read(self, metadata: Mapping[str, str], arrays: Mapping[str, NDArray[Any]]) -> None:
        try:
            facts = json.loads(metadata[_KEY])
            seconds, members, first = facts["seconds"], facts["members"], facts["fingerprint"]
            self._found = dict(facts["kept"])
            if not is_real(seconds) or not 0 <= seconds < np.inf or not isinstance(first, dict):
                raise ValueError(f"seconds: {seconds!r:.50}")
            for key, own in members.items():
                if not (type(own["epochs"]) is int and own["epochs"] >= 0):
                    raise ValueError(f"epochs: {own['epochs']!r:.50}")
                if type(own["note"]) is not str or arrays[key].ndim != 1:
                    raise ValueError(f"member {key:.50}")
                variation, fold = own["place"]
                self._places.add(Place(int(variation), int(fold)))
                self._facts[key], self._arrays[key] = own, arrays[key]
        except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
            raise InvalidCheckpointError(
                f"{self._store.path}: cannot be the checkpoint of an ensemble "
                f"({type(error).__name__}: {error}); it may be one of a single network"
            ) from error
        self.seconds_before = float(seconds)
        self._first = {str(name): str(text) for name, text in first.items()}

    def keep(self, name: str, value: Any, most: int | None = None) -> Any:
        """Return the value kept under a name: `value`, or the saved one on resuming.

        Raises
        ------
        InvalidCheckpointError
            If the saved one is of another type, or a number that is not from 0 to `most`.
        """
        if name in self._found:
            found = self._found[name]
            whole = isinstance(found, int) and not isinstance(found, bool)
            fits = not whole or (found >= 0 and (most is None or found <= most))
            if type(found) is not type(value) or not fits:
                raise InvalidCheckpointError(
                    f"{self._store.path}: cannot be the checkpoint of this training: {name} is "
                    "missing or of the wrong type"
                )
            value = found
        self._kept[name] = value
        return value

    def begin(self, draft: Draft) -> None:
        """Check that the checkpoint is of the ensemble whose first member this is.

        Raises
        ------
        InvalidArgumentError
            If it belongs to another training.
        """
        own = _identity(draft)
        if self._first:
            check_same(self._first, own, str(self._store.path))
        self._first = own

    def trained(self, draft: Draft) -> tuple[NDArray[Any], int, str] | None:
        """Return parameters, epochs and note of a member that is in the checkpoint, or None."""
        key = _key(draft)
        vector = self._arrays.get(key)
        spec = draft.network.spec
        if vector is None or vector.shape != draft.network.parameters.shape:
            return None
        if vector.dtype != spec.dtype or not np.isfinite(vector).all():
            raise InvalidCheckpointError(
                f"{self._store.path}: the parameters of a member are not finite numbers of "
                f"{spec.dtype}; remove the file to start over"
            )
        return vector, self._facts[key]["epochs"], self._facts[key]["note"]

    def has(self, place: Place) -> bool:
        """Whether the checkpoint that was resumed from has a member for a place."""
        return place in self._places

    def key_of(self, draft: Draft) -> str:
        """Return what a member is known by; to be asked before it is trained."""
        return _key(draft)

    def add(self, key: str, member: Member, seconds: float) -> None:
        """Add a trained member, and write the checkpoint if it is due.

        `seconds`: what the ensemble has taken so far.
        """
        place = [int(index) for index in member.place]
        self._facts[key] = {"epochs": member.epochs, "note": member.note, "place": place}
        self._arrays[key] = member.network.parameters
        if time.monotonic() - self._written >= max(_SECONDS, self._cost / _SHARE):
            self.write(seconds)

    def write(self, seconds: float) -> None:
        """Write the checkpoint.

        Raises
        ------
        CheckpointWriteError
            If it cannot be written; the last intact one is kept.
        """
        began = time.monotonic()
        facts = {
            "seconds": self.seconds_before + seconds,
            "members": self._facts,
            "kept": self._kept,
            "fingerprint": self._first,
        }
        self._store.save({_KEY: json.dumps(facts)}, self._arrays)
        self._written = time.monotonic()
        self._cost = self._written - began


def _identity(draft: Draft) -> dict[str, str]:
    start = hashlib.sha256(np.ascontiguousarray(draft.network.parameters).data).hexdigest()
    return fingerprint(draft.plan, {"initial weights": start, "epochs": str(draft.plan.epochs)})


def _key(draft: Draft) -> str:
    """Return a hash of everything that determines the bits of a member."""
    whole = {**_identity(draft), **surroundings(draft.plan)}
    return hashlib.sha256(json.dumps(whole, sort_keys=True).encode()).hexdigest()[:32]
