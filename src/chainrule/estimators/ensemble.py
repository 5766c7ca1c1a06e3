"""quality="best": trains an ensemble with an estimator's settings, and makes it the network."""

import copy
import warnings
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from chainrule.engines.base import Examples
from chainrule.ensembles.ensemble import Ensemble, EnsembleInterrupted
from chainrule.ensembles.members import BEST, Draft, Place
from chainrule.ensembles.members import Rows as MemberRows
from chainrule.ensembles.progress import MemberProgress
from chainrule.ensembles.store import MemberStore
from chainrule.ensembles.summary import EnsembleSummary
from chainrule.ensembles.training import FOLDS, Task, train_ensemble
from chainrule.ensembles.variations import member_seed, varied
from chainrule.errors import InvalidArgumentError, levels_inside
from chainrule.estimators.calibration import conformal_of
from chainrule.estimators.contract import Estimator
from chainrule.estimators.curves import Curves
from chainrule.estimators.fit_request import FitRequest
from chainrule.estimators.inputs import Rows
from chainrule.estimators.plan import callbacks_of, plan_of
from chainrule.estimators.preparation import GivenData
from chainrule.estimators.validation import HeldOut
from chainrule.model.temperature import calibrated_by, outputs_at
from chainrule.settings.networks import drawn_network, with_dropout
from chainrule.tables.folds import divided_into_folds
from chainrule.training.state import State
from chainrule.workers.choice import active_workers
from chainrule.workers.cores import threads_of


def wants_ensemble(estimator: Estimator) -> bool:
    """Whether the settings ask for an ensemble.

    Raises
    ------
    InvalidArgumentError
        If `time_limit` is set although they do not.
    """
    if estimator.quality == BEST:
        return True
    if estimator.time_limit is not None:
        raise InvalidArgumentError(
            "time_limit: expected None without quality='best', which alone has a time limit; got "
            f"{estimator.time_limit!r}"
        )
    return False


def check_ensemble(estimator: Estimator, held_out: GivenData, incremental: bool) -> None:
    """Raise if an argument or a setting does not suit an ensemble.

    Raises
    ------
    InvalidArgumentError
    """
    wrong = ""
    if incremental:
        wrong = "partial_fit trains one network further; fit trains the ensemble from the beginning"
    elif estimator.warm_start:
        wrong = "warm_start=True trains one network further; set it to False"
    elif estimator.solver == "lbfgs":
        wrong = "its networks are trained by steps, and solver='lbfgs' takes none; use 'adamw'"
    elif any(given is not None for given in held_out):
        wrong = "each network is validated on a fold of X; add the rows of X_val and y_val to X"
    elif callbacks_of(estimator):
        wrong = "many networks are trained at the same time; set callbacks to None"
    if wrong:
        raise InvalidArgumentError(f"quality: 'best': {wrong}")


def train_best(
    estimator: Estimator,
    request: FitRequest,
    rows: Rows,
    store: MemberStore | None,
    epochs: int | None,
) -> None:
    """Train an ensemble, and make it the network of an estimator.

    Parameters
    ----------
    estimator : BaseMLP
        Its network, untrained, says what the members look like.
    request : FitRequest
        With all examples for training, with their targets as they are, and none for validation.
    rows : Rows
        The same examples, as the user gave them.
    store : MemberStore, optional
        Takes the members, and has those of an interrupted training.
    epochs : int, optional
        Epochs of each network, if the user asked for a number.
    """
    seed = int(estimator._random_state.randint(2**31 - 1))
    members = _Members(estimator, request, rows, seed, epochs)
    workers, threads = active_workers()
    progress = MemberProgress() if estimator.verbose else None
    task = Task(
        estimator.network_.spec,
        estimator._softened(request.examples, request.examples.weight),
        _folds(estimator, request.examples, seed),
        members.described,
        threads_of(estimator.threads if threads is None else threads),
        seconds=None if estimator.time_limit is None else float(estimator.time_limit),
        store=store,
        told=progress,
        workers=workers,
    )
    try:
        ensemble = train_ensemble(task)
    except EnsembleInterrupted as interrupt:
        # With a checkpoint, the training is meant to be resumed.
        if store is not None or interrupt.ensemble is None or _is_exit(interrupt):
            raise interrupt.interrupt from None
        ensemble = interrupt.ensemble
        warnings.warn("Training interrupted by user.", stacklevel=levels_inside())
    finally:
        if progress is not None:
            progress.close()
    _take(estimator, ensemble, request, rows, members.first)


def _is_exit(interrupt: EnsembleInterrupted) -> bool:
    return isinstance(interrupt.interrupt, SystemExit)


def _folds(estimator: Estimator, examples: Examples, seed: int) -> NDArray[np.intp]:
    m = len(examples.X)
    if m < 2:
        raise InvalidArgumentError(
            "quality: 'best' needs at least 2 examples, to validate each network on others than "
            f"it learns from; got {m}"
        )
    classes = estimator._classes_of(examples.targets(estimator.n_outputs_))
    return divided_into_folds(m, min(FOLDS, m), seed=seed, classes=classes)


class _Members:
    """Describes the members of an estimator's ensemble."""

    def __init__(
        self,
        estimator: Estimator,
        request: FitRequest,
        rows: Rows,
        seed: int,
        epochs: int | None,
    ) -> None:
        self._estimator, self._request, self._rows = estimator, request, rows
        self._seed, self._epochs = seed, epochs
        self.first: Any = None
        """The estimator that the first member was trained as, for its curves."""

    def __getstate__(self) -> dict[str, Any]:
        """Return what a worker needs."""
        return {**vars(self), "first": None}

    def described(self, place: Place, rows: MemberRows, epochs: int | None, shown: bool) -> Draft:
        """Return a member: a copy of the estimator with a network of its own."""
        whole, request = self._estimator, self._request
        member: Any = copy.copy(whole)
        given = vars(member)
        given.update(varied(given, place.variation))
        given.update(threads=1, verbose=False, callbacks=None)
        member._random_state = np.random.RandomState(member_seed(self._seed, place))
        member.network_ = drawn_network(
            given, with_dropout(whole.network_.spec, given), member._random_state
        )
        member._best_parameters = member.network_.parameters.copy()
        examples = request.examples.take(rows.training)
        own = self._rows.take(rows.held_out)
        held_out = HeldOut(request.examples.take(rows.held_out), own.X, own.y)
        enough = bool(member.early_stopping) and member._sets_aside(len(request.examples.X))
        early = enough and held_out.examples.weight > 0
        limit = epochs or self._epochs or member._longest(len(examples.X))
        one = FitRequest(
            member._softened(examples, examples.weight), held_out, early, limit, True, False
        )
        curves = Curves(member, early, True)
        plan = plan_of(member, one, curves, watched=False)
        if shown:
            self.first = member
        else:
            plan = replace(plan, diagnosed=False)
        return Draft(member.network_, plan, State.of(plan, curves.stopping(plan)), (curves,))


def _take(
    estimator: Estimator, ensemble: Ensemble, request: FitRequest, rows: Rows, first: Any
) -> None:
    """Make an ensemble the fitted network of an estimator."""
    seed = estimator.network_.seed
    estimator.network_ = network = ensemble.network
    network.seed = seed
    examples = request.examples.take(ensemble.rows)
    mode: Any = getattr(estimator, "calibrate", "off")
    found = calibrated_by(network, ensemble.outputs, examples, mode)
    temperatures = [1.0 if one is None else one.value for one in found]
    estimator._note_temperatures(temperatures)
    outputs = outputs_at(network.spec, ensemble.outputs, temperatures)
    given = estimator._out_of_fold(outputs)
    if given is not None:
        estimator.out_of_fold_ = np.full((len(request.examples.X), *given.shape[1:]), np.nan)
        estimator.out_of_fold_[ensemble.rows] = given
    own = rows.take(ensemble.rows)
    held_out = HeldOut(examples, own.X, own.y)
    estimator._conformal = conformal_of(estimator._scores_of(outputs, held_out), held_out)
    estimator.ensemble_ = EnsembleSummary.of(ensemble)
    for name in ("loss_curve_", "validation_loss_curve_", "validation_scores_"):
        setattr(estimator, name, getattr(first, name))
    if hasattr(first, "diagnostics_"):
        estimator.diagnostics_ = first.diagnostics_
    estimator.best_validation_score_ = first.best_validation_score_
    estimator.loss_ = estimator.best_loss_ = ensemble.loss
    estimator.n_iter_ = max(member.epochs for member in ensemble.members)
    estimator.t_ = estimator.n_iter_ * len(request.examples.X)
    estimator._no_improvement_count = 0
    estimator._best_parameters = network.parameters
    estimator._optimizer_state = None
    estimator._learning_rate = float(estimator.learning_rate_init)
    network.epochs_trained = estimator.n_iter_
    estimator._complete()
