"""The base class of the estimators: their fitted attributes and `fit`."""

import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any, Self

import numpy as np
from numpy.typing import ArrayLike
from sklearn.exceptions import ConvergenceWarning
from sklearn.utils.validation import (
    check_is_fitted,
)

from chainrule.arguments import hinting
from chainrule.checks import whole_number
from chainrule.ensembles.members import BEST
from chainrule.ensembles.store import MemberStore
from chainrule.errors import InvalidArgumentError, levels_inside
from chainrule.estimators.array_types import Floats, MatrixLike
from chainrule.estimators.calibration import check_calibration, learn_from_validation
from chainrule.estimators.callbacks import (
    CallbackSupportMixin,
    FitTasks,
    has_listeners,
    with_callbacks,
)
from chainrule.estimators.ensemble import (
    check_ensemble,
    train_best,
    wants_ensemble,
)
from chainrule.estimators.fit_request import FitRequest
from chainrule.estimators.inputs import checked_features, checked_rows
from chainrule.estimators.parameters import check_parameters
from chainrule.estimators.parts import parts_of
from chainrule.estimators.prediction import prediction_engine
from chainrule.estimators.preparation import GivenData, Preparation
from chainrule.estimators.randomness import begin_randomness
from chainrule.estimators.scaling import (
    blocks,
    check_outputs,
    dense,
    network_inputs,
)
from chainrule.estimators.streams import check_streamed, examples_of, in_memory
from chainrule.estimators.training import minimise, train
from chainrule.model.background import Background
from chainrule.model.checkpoints import DEFAULT_EVERY, open_checkpointer
from chainrule.settings.layers import hidden_sizes
from chainrule.suggestions import did_you_mean
from chainrule.tables.table_stream import TableStream
from chainrule.training.checkpointer import Checkpointer


def store(estimator: object, arguments: dict[str, Any]) -> None:
    """Set an estimator's parameters to the arguments of its constructor, unchanged."""
    for name, value in arguments.items():
        if name not in ("self", "__class__"):
            setattr(estimator, name, value)


@contextmanager
def as_it_was_if_refused(estimator: object) -> Iterator[None]:
    """Restore an estimator's attributes if an exception is raised, such as for invalid input."""
    before = dict(vars(estimator))
    try:
        yield
    except Exception:
        vars(estimator).clear()
        vars(estimator).update(before)
        raise


class BaseMLP(CallbackSupportMixin, Preparation):
    """An estimator that wraps a network: `fit`, and the forward pass that `predict` uses."""

    @hinting
    def fit(
        self,
        X: MatrixLike | TableStream,
        y: MatrixLike | None = None,
        sample_weight: ArrayLike | None = None,
        X_val: MatrixLike | None = None,
        y_val: MatrixLike | None = None,
        sample_weight_val: ArrayLike | None = None,
        epochs: int | None = None,
        checkpoint: str | Path | None = None,
        every: int | str = DEFAULT_EVERY,
        resume: bool = False,
    ) -> Self:
        """Train on examples, one per row.

        Parameters
        ----------
        X : array-like or sparse matrix of shape (n_samples, n_features)
            Inputs. The `Network…` estimators also take a DataFrame of pandas or polars, or an Arrow
            table, with text, categories, dates and missing values: see ``encoder_``; or a
            `TableStream`, whose rows are read while training.
        y : array-like of shape (n_samples,) or (n_samples, n_outputs)
            Class labels or values; None with a `TableStream`, which has a target of its own.
        sample_weight : array-like of shape (n_samples,), optional
            Non-negative; weight 2 has the effect of repeating the example.
        X_val, y_val : array-like, optional
            Your own validation data: their loss is recorded in ``validation_loss_curve_``, and
            `early_stopping` uses them instead of setting aside a part of X.
        sample_weight_val : array-like, optional
            Weights of the validation examples.
        epochs : int, optional
            Maximum number of epochs of this call, without a ConvergenceWarning when it is
            reached; 0 creates the network without training it. `max_iter` by default.
        checkpoint : str or Path, optional
            A file with everything needed to resume the training, as in `chainrule.Network.fit`.
            Not for 'lbfgs'.
        every : int or str, default "60s"
            Interval between checkpoints: a number of steps, or a time.
        resume : bool, default False
            Whether to resume from the checkpoint if it exists. The result is bit-identical to
            that of an uninterrupted training. Parameters and data must be the same as in the
            interrupted training.

        Returns
        -------
        self : object

        Raises
        ------
        InvalidArgumentError
            If a parameter or an argument is invalid, or the checkpoint belongs to a different
            training.
        CheckpointInUseError, CheckpointWriteError, InvalidCheckpointError
            As in `chainrule.Network.fit`.
        TrainingDivergedError
            If the loss is not finite in the very first epochs. If it diverges later, training
            ends with a ConvergenceWarning and the last finite weights.
        """
        if epochs is not None:
            epochs = whole_number("epochs", epochs, 0)
        held_out = (X_val, y_val, sample_weight_val)
        stream = X if isinstance(X, TableStream) else None
        if stream is not None:
            names = ("y", "sample_weight", "X_val", "y_val", "sample_weight_val")
            others = dict(zip(names, (y, sample_weight, *held_out), strict=True))
            check_streamed(self, stream, others)
            X, y, held_out = in_memory(stream)
        if checkpoint is not None and self.solver == "lbfgs":
            raise InvalidArgumentError(
                "checkpoint: solver='lbfgs' cannot go on to the same bits (its memory is SciPy's); "
                "use another solver, such as 'adam'"
            )
        checkpointer: Checkpointer | MemberStore | None
        if self.quality == BEST:
            checkpointer = MemberStore.opened(checkpoint, every, resume)
        else:
            checkpointer = open_checkpointer(checkpoint, every, resume)
        try:
            fit: Any = type(self)._fit
            if has_listeners(self):
                fit = with_callbacks(fit)  # notifies them of the end even after an exception
            fit(self, X, y, sample_weight, held_out, epochs, False, checkpointer, None, stream)
        finally:
            if checkpointer is not None:
                checkpointer.close()
        return self

    def set_params(self, **params: Any) -> Self:
        """Set parameters by name, those of a nested estimator as ``name__parameter``.

        Parameters
        ----------
        **params

        Returns
        -------
        self : object

        Raises
        ------
        InvalidArgumentError
            If the estimator has no parameter of that name.
        """
        known = self._get_param_names()
        for name in params:
            if name.partition("__")[0] not in known:
                raise InvalidArgumentError(
                    f"Invalid parameter {name!r} for estimator {type(self).__name__}"
                    f"{did_you_mean(name, known) or f'; its parameters are {known!r}'}"
                )
        super().set_params(**params)
        return self

    def _fit(
        self,
        X: MatrixLike,
        y: MatrixLike,
        sample_weight: ArrayLike | None,
        held_out: GivenData = (None, None, None),
        epochs: int | None = None,
        incremental: bool = False,
        checkpointer: Checkpointer | MemberStore | None = None,
        targets: Floats | None = None,
        stream: TableStream | None = None,
    ) -> Self:
        """Train.

        `targets`, (m, outputs), are learned in place of those that y is encoded as. The rows of
        `stream`, of which X and y are a sample, are learned in place of these.
        """
        with as_it_was_if_refused(self):
            hidden = self._checked_sizes(incremental)
            best = wants_ensemble(self)
            if best:
                check_ensemble(self, held_out, incremental)
                best = epochs != 0  # which trains nothing
            members = checkpointer if isinstance(checkpointer, MemberStore) else None
            single = checkpointer if isinstance(checkpointer, Checkpointer) else None
            fresh = not self.__sklearn_is_fitted__() or not (self.warm_start or incremental)
            rows = checked_rows(self, X, y, sample_weight, reset=fresh)
            stratified = targets is None  # targets that are not classes have no strata
            if targets is None:
                targets = self._encoded(rows.y, fresh, incremental)
            begin_randomness(self, fresh, members or single)
            if fresh and not (self.warm_start or incremental):
                self._given_weights = {}  # as in scikit-learn: `fit` starts afresh
            early = bool(self.early_stopping) and self.solver != "lbfgs" and not incremental
            early = early and not best  # each fold is set aside once
            examples, validation, early = self._prepared(
                rows, targets, held_out, hidden if fresh else None, early, stratified
            )
            if fresh:
                self._complete()
            streamed = None if stream is None else examples_of(self, stream)
            request = FitRequest(examples, validation, early, 0, fresh, incremental, streamed)
            if epochs is not None:
                limit = epochs
            else:
                limit = 1 if incremental else self._longest(request.n_examples)
            softened = self._softened(examples, request.weight)
            request = replace(request, examples=softened, epochs=limit)
            if best:
                train_best(self, replace(request, examples=examples), rows, members, epochs)
                self._summarise(request)
                return self
            self._forget_ensemble()
            check_calibration(self, request)
        tasks = None
        if not incremental and has_listeners(self):
            tasks = FitTasks(self, rows.X, rows.y, sample_weight, request)
        if self.solver == "lbfgs":
            minimise(self, request, tasks)
        else:
            complete = train(self, request, tasks, single)
            if (
                not complete
                and self._expects_convergence
                and epochs is None
                and not incremental
                and self.n_iter_ == request.epochs
            ):
                warnings.warn(
                    f"Stochastic Optimizer: Maximum iterations ({request.epochs}) reached and the "
                    "optimization hasn't converged yet.",
                    ConvergenceWarning,
                    stacklevel=levels_inside(),
                )
        learn_from_validation(self, request)
        self._summarise(request)
        if tasks is not None:
            tasks.close()
        return self

    def _forget_ensemble(self) -> None:
        """Forget an ensemble of an earlier fit."""
        for name in ("ensemble_", "out_of_fold_"):
            self.__dict__.pop(name, None)

    def _summarise(self, request: FitRequest) -> None:
        """Store a summary of a table's training rows, the background of explanations."""
        self.__dict__.pop("_background", None)
        is_table = self.encoder_ is not None or self._column_means is not None
        if is_table and not request.incremental:
            self._background = Background.summary(self.network_, request.examples.X)

    def _checked_sizes(self, incremental: bool) -> tuple[int, ...]:
        """Check the parameters, and return the sizes of the hidden layers."""
        check_parameters(self)
        hidden = hidden_sizes(vars(self))
        if incremental and self.early_stopping and self._early_stopping_is_a_wish:
            raise InvalidArgumentError(
                "partial_fit does not support early_stopping=True: it sees one epoch at a time"
            )
        return hidden

    def _complete(self) -> None:
        """Set what follows from the other fitted attributes, before training or after loading."""
        self._best_parameters = self.network_.parameters.copy()
        self.network_.belongs_to(type(self).__name__, parts_of(self).beyond_the_network())

    def _outputs(self, X: MatrixLike) -> Floats:
        """Return the network's outputs for inputs as passed by a user."""
        if "network_" not in vars(self):
            check_is_fitted(self)
        X = checked_features(self, X)
        net, engine = self.network_, prediction_engine(self)
        outputs = np.empty((X.shape[0], self.n_outputs_), net.spec.dtype)
        start = 0
        for block in blocks(X):
            part = outputs[start : start + block.shape[0]]
            inputs = network_inputs(dense(block), self._input_scale, net.spec)
            engine.forward(net.spec, net.parameters, inputs, part)
            start += len(part)
        check_outputs(outputs, X)
        return outputs

    def _has_epochs(self) -> bool:
        """Return True if the solver trains by epochs, as `partial_fit` needs; else raise."""
        if self.solver == "lbfgs":
            raise AttributeError(
                "partial_fit is only available for stochastic optimizers. "
                f"{self.solver} is not stochastic."
            )
        return True


def has_epochs(estimator: BaseMLP) -> Callable[..., Any] | bool:
    """Whether an estimator has `partial_fit`: the check that `available_if` calls."""
    return estimator._has_epochs()
