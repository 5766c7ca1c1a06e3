"""Trains the members of an ensemble side by side, selects among them, and merges them.

Each member learns from all rows but those of one fold, on one thread, and several members are
trained at the same time, by threads of this process or by other workers. So the bits of a member do
not depend on how many threads and workers there are, and a core spends no time waiting for others.
The rows of its fold decide which epoch's weights a member keeps; together, the folds give every row
a prediction by networks that did not learn from it, which decide how much each variation of the
settings counts.
"""

import threading
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from chainrule.engines.base import Examples
from chainrule.ensembles.budget import Budget
from chainrule.ensembles.ensemble import Ensemble, EnsembleInterrupted
from chainrule.ensembles.member_training import Recipe, Trained, conducted, train_member
from chainrule.ensembles.members import Describe, Member, MemberEnded, Place
from chainrule.ensembles.merging import check_mergeable, merged
from chainrule.ensembles.selection import greedy_weights, loss_of
from chainrule.ensembles.store import MemberStore
from chainrule.ensembles.variations import PORTFOLIO
from chainrule.errors import NothingLearnedError, TrainingDivergedError, WorkersError
from chainrule.model.network import Network
from chainrule.network.spec import NetworkSpec
from chainrule.training.signals import stop_wanted
from chainrule.workers.base import SECONDS_A_LOOK, Cancelled, Session, Workers

FOLDS = 5
VARIATIONS = len(PORTFOLIO)

_FIRST = Place(0, 0)

# The thread of a member that another process trains only waits.
_MOST_WAITING = 1024


@dataclass(frozen=True)
class Task:
    """An ensemble that is to be trained.

    Parameters
    ----------
    spec : NetworkSpec
        Of the settings as given.
    examples : Examples
        All rows, with the targets of the loss.
    folds : array (rows,)
        The fold of each row, from 0.
    describe : callable
        Describes a member.
    threads : int
        Members that are trained at the same time in this process, without `workers`.
    variations : int
    seconds : float, optional
        A time limit. Without one, every member is trained.
    store : MemberStore, optional
        Takes the members, and has those of an interrupted training.
    told : callable, optional
        Called after each member, in the calling thread.
    workers : Workers, optional
        Who trains all members but the first, which is recorded here. By default, this process.
    """

    spec: NetworkSpec
    examples: Examples
    folds: NDArray[np.intp]
    describe: Describe
    threads: int
    variations: int = VARIATIONS
    seconds: float | None = None
    store: MemberStore | None = None
    told: Callable[[MemberEnded], object] | None = None
    workers: Workers | None = None


def train_ensemble(task: Task) -> Ensemble:
    """Train the members of an ensemble, and merge them.

    With a time limit, members are trained until another variation would not end in time; what has
    begun of it then is discarded. At least the settings as given are trained, with fewer folds and
    shorter trainings if the limit demands it.

    Returns
    -------
    Ensemble

    Raises
    ------
    InvalidArgumentError
        If the network's layers cannot be merged, or a checkpoint belongs to another training.
    NothingLearnedError
        If the loss of a member with the settings as given is not finite in its first epochs.
    CheckpointWriteError
        If a checkpoint cannot be written.
    WorkersError
        If the workers are lost; the checkpoint then has what they have trained.
    EnsembleInterrupted
        On Ctrl-C, or a signal that ends the training at a checkpoint.
    """
    check_mergeable(task.spec)
    return _Trainer(task).ensemble()


class _Trainer:
    """The training of one ensemble."""

    def __init__(self, task: Task) -> None:
        self._task = task
        self._began = time.monotonic()
        self._before = task.store.seconds_before if task.store is not None else 0.0
        self._cancelled = threading.Event()
        self._recipe = Recipe(task.examples, task.folds, task.describe)
        self._session: Session | None = None
        self._members: dict[Place, Member] = {}
        self._diverged: dict[Place, BaseException] = {}
        self._n_folds = int(task.folds.max()) + 1
        self._total: NDArray[np.float64] | None = None
        """The sum of the outputs of the variations that are complete."""
        self._whole: set[int] = set()
        self._ensemble_loss: float | None = None
        self._budget = Budget(self._n_folds, None, task.variations)

    @property
    def _elapsed(self) -> float:
        return time.monotonic() - self._began

    @property
    def _resumes(self) -> bool:
        store = self._task.store
        return store is not None and store.has(_FIRST)

    @property
    def _left(self) -> float:
        limit = self._task.seconds
        return np.inf if limit is None else limit - self._before - self._elapsed

    def ensemble(self) -> Ensemble:
        """Train, and return the ensemble."""
        try:
            with self._opened() as self._session:
                self._plan()
                self._train_all()
        except WorkersError:
            self._keep()
            raise
        except (KeyboardInterrupt, SystemExit) as interrupt:
            self._keep()
            whole = self._complete(0)
            raise EnsembleInterrupted(
                interrupt, self._selected(complete=False) if whole else None
            ) from interrupt
        return self._selected(complete=self._left == np.inf)

    def _opened(self) -> AbstractContextManager[Session | None]:
        workers = self._task.workers
        return nullcontext() if workers is None else workers.session(self._recipe)

    def _keep(self) -> None:
        if self._task.store is not None:
            self._task.store.write(self._elapsed)

    def _plan(self) -> None:
        """Choose a budget, by the time that an epoch of the first member takes."""
        task, first = self._task, _FIRST
        draft = self._recipe.draft(first, None)
        if task.store is not None:
            task.store.begin(draft)
        if task.seconds is None:
            return
        probe = self._recipe.draft(first, 1)
        began = time.monotonic()
        conducted(probe, self._cancelled.is_set)
        took = time.monotonic() - began
        budget = Budget.within(
            self._left, took, draft.plan.epochs, self._n_folds, task.variations, self._at_once
        )
        if task.store is not None:  # a resumed training goes on with the budget that it had
            folds = task.store.keep("folds", budget.folds, most=self._n_folds)
            epochs = task.store.keep("epochs", budget.epochs or 0, most=draft.plan.epochs)
            most = task.store.keep("variations", budget.variations, most=task.variations)
            budget = Budget(max(1, folds), epochs or None, max(1, most))
        self._budget = budget

    @property
    def _at_once(self) -> int:
        """How many members are trained at the same time."""
        return self._task.threads if self._session is None else self._session.size

    def _places(self) -> Iterator[Place]:
        """Yield the members to train in order, for as long as there is time for a variation."""
        budget = self._budget
        for variation in range(budget.variations):
            if variation and not self._has_time(variation):
                return
            for fold in range(budget.folds):
                yield Place(variation, fold)

    def _has_time(self, variation: int) -> bool:
        task, folds = self._task, range(self._budget.folds)
        if task.seconds is None:
            return True
        if task.store is not None and all(task.store.has(Place(variation, f)) for f in folds):
            return True
        done = [member.seconds for member in self._members.values() if member.seconds]
        if not done:
            return self._left > 0
        pending = variation * self._budget.folds - len(self._members) - len(self._diverged)
        turns = -(-(self._budget.folds + max(0, pending)) // self._at_once)
        return float(np.mean(done)) * turns <= self._left

    def _train_all(self) -> None:
        most = self._task.threads if self._session is None else _MOST_WAITING
        with ThreadPoolExecutor(most, "chainrule-member") as pool:
            try:
                self._train(pool)
            except BaseException:
                self._cancelled.set()
                raise

    def _train(self, pool: ThreadPoolExecutor) -> None:
        places = self._places()
        running: set[Future[Member]] = set()
        place_of: dict[Future[Member], Place] = {}
        ended = False
        while True:
            while not ended and len(running) < self._at_once:
                place = next(places, None)
                if place is None:
                    ended = True
                    break
                future = pool.submit(self._member, place)
                place_of[future] = place
                running.add(future)
            if not running:
                return
            done, running = wait(running, SECONDS_A_LOOK, FIRST_COMPLETED)
            wanted = stop_wanted()
            if wanted is not None:
                raise wanted
            for future in sorted(done, key=place_of.__getitem__):
                self._ended(place_of[future], future)
            if self._left <= 0 and self._complete(0) and not self._resumes:
                # What has begun of another variation is not worth the wait. (Of a training that is
                # resumed late, nothing has begun but what is read from the checkpoint.)
                self._cancelled.set()
                ended = True

    def _ended(self, place: Place, future: "Future[Member]") -> None:
        try:
            member = future.result()
        except Cancelled:
            return
        except TrainingDivergedError as error:
            if place.variation == 0:
                raise NothingLearnedError.of(error) from error
            self._diverged[place] = error
            return
        self._members[place] = member
        rows = self._recipe.rows(place).held_out
        loss = loss_of(self._task.spec, self._task.examples.take(rows))(member.outputs)
        if self._complete(place.variation):
            self._add(place.variation)
        planned = self._budget.folds * self._budget.variations
        if self._task.told is not None:
            self._task.told(
                MemberEnded(
                    place, len(self._members), planned, loss, self._ensemble_loss, self._elapsed
                )
            )

    def _add(self, variation: int) -> None:
        """Add a variation to the ensemble so far, all of which count alike."""
        outputs = self._outputs_of(variation).astype(np.float64)
        self._total = outputs if self._total is None else self._total + outputs
        self._whole.add(variation)
        self._ensemble_loss = self._loss(self._total / len(self._whole))

    def _member(self, place: Place) -> Member:
        """Train a member, or wait for it; called in a thread of the pool."""
        if self._cancelled.is_set():
            raise Cancelled
        store, key, began = self._task.store, "", time.monotonic()
        draft = None
        if place == _FIRST or self._session is None or store is not None:
            draft = self._recipe.draft(place, self._budget.epochs, shown=place == _FIRST)
        if store is not None:
            assert draft is not None
            key = store.key_of(draft)
            # The first one is trained again, for the history of its epochs.
            found = None if place == _FIRST else store.trained(draft)
            if found is not None:
                vector, epochs, note = found
                network = Network.from_parameters(draft.network.spec, vector)
                outputs = self._recipe.outputs(network, place)
                return Member(place, network, outputs, epochs, 0.0, note)
        if place == _FIRST or self._session is None:
            assert draft is not None
            trained: Trained = self._recipe.trained(draft, place, self._cancelled.is_set)
        else:
            del draft
            trained = self._session.call(
                train_member, place, self._budget.epochs, cancelled=self._cancelled
            )
        member = trained.member(place, time.monotonic() - began)
        if store is not None:
            with _WRITING:
                store.add(key, member, self._elapsed)
        return member

    # What was trained becomes an ensemble.

    def _complete(self, variation: int) -> bool:
        folds = range(self._budget.folds)
        return all(Place(variation, fold) in self._members for fold in folds)

    @cached_property
    def _held_out(self) -> NDArray[np.intp]:
        """The rows of all folds that are trained without, fold by fold."""
        folds = range(self._budget.folds)
        return np.concatenate([self._recipe.rows(Place(0, fold)).held_out for fold in folds])

    @cached_property
    def _loss(self) -> Callable[[NDArray[np.floating]], float]:
        """The loss of outputs of these rows."""
        return loss_of(self._task.spec, self._task.examples.take(self._held_out))

    def _outputs_of(self, variation: int) -> NDArray[np.floating]:
        """Return the outputs of a complete variation for these rows."""
        folds = range(self._budget.folds)
        return np.concatenate([self._members[Place(variation, fold)].outputs for fold in folds])

    def _selected(self, *, complete: bool) -> Ensemble:
        """Select among the variations that are complete, and merge their members."""
        budget, rows = self._budget, self._held_out
        whole = [v for v in range(budget.variations) if self._complete(v)]
        outputs = [self._outputs_of(variation) for variation in whole]
        found = greedy_weights(outputs, self._loss)
        weights = np.zeros(budget.variations)
        losses = np.full(budget.variations, np.nan)
        weights[whole] = found
        losses[whole] = [self._loss(each) for each in outputs]
        mean = np.zeros(outputs[0].shape)
        for weight, each in zip(found, outputs, strict=True):
            mean += weight * each
        order = np.argsort(rows)
        members = tuple(self._members[place] for place in sorted(self._members))
        return Ensemble(
            self._merged(members, weights),
            rows[order],
            mean[order].astype(outputs[0].dtype),
            members,
            weights,
            losses,
            self._loss(mean),
            self._merged([one for one in members if one.place.fold == 0], weights),
            complete and len(self._members) == budget.folds * budget.variations,
        )

    def _merged(self, members: Sequence[Member], weights: NDArray[np.float64]) -> Network:
        used = [one for one in members if weights[one.place.variation] > 0]
        return merged([one.network for one in used], [weights[one.place.variation] for one in used])


# One checkpoint is written at a time.
_WRITING = threading.Lock()
