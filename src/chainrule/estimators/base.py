"""What the four estimators share: their fitted attributes, and `fit` itself."""

import warnings
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray
from sklearn.exceptions import ConvergenceWarning
from sklearn.utils import check_random_state
from sklearn.utils.validation import (
    check_is_fitted,
)

from chainrule.checks import shown, whole_number
from chainrule.engines import engine_named
from chainrule.engines.base import Examples, Penalties
from chainrule.errors import InvalidArgumentError, InvalidCheckpointError
from chainrule.estimators.attributes import FittedAttributes
from chainrule.estimators.callbacks import (
    CallbackSupportMixin,
    FitTasks,
    has_listeners,
    with_callbacks,
)
from chainrule.estimators.fit_request import FitRequest
from chainrule.estimators.given import labels
from chainrule.estimators.inputs import VALIDATION, Rows, checked_features, checked_rows
from chainrule.estimators.parameters import check_parameters
from chainrule.estimators.randomness import drawn_seed
from chainrule.estimators.scaling import (
    Scale,
    blocks,
    check_outputs,
    dense,
    network_inputs,
    scale_of_inputs,
    within,
)
from chainrule.estimators.training import minimise, train
from chainrule.estimators.validation import HeldOut, split
from chainrule.model.checkpoints import DEFAULT_EVERY, open_checkpointer
from chainrule.network.layers import Dense
from chainrule.settings.layers import hidden_sizes
from chainrule.settings.losses import Output
from chainrule.settings.networks import new_network
from chainrule.training.checkpointer import Checkpointer
from chainrule.training.examples import as_weights
from chainrule.training.metrics import Metric
from chainrule.training.random_state import as_text, set_from_text

Floats = NDArray[np.floating]

_OTHER_UNIT = "standardize_target=True scales values, but for 'poisson'; or take a larger unit"


def store(estimator: object, arguments: dict[str, Any]) -> None:
    """Set an estimator's parameters to the arguments of its constructor, unchanged."""
    for name, value in arguments.items():
        if name not in ("self", "__class__"):
            setattr(estimator, name, value)


@contextmanager
def as_it_was_if_refused(estimator: Any) -> Iterator[None]:
    """Leave an estimator as it was where what it is given is refused."""
    before = dict(vars(estimator))
    try:
        yield
    except Exception:
        vars(estimator).clear()
        vars(estimator).update(before)
        raise


class BaseMLP(CallbackSupportMixin, FittedAttributes):
    """Everything that does not ask whether targets are classes or values."""

    _y_numeric = False
    """Whether targets are read as numbers."""
    _expects_convergence = True
    """Whether it is worth a warning that `max_iter` was not enough."""
    _early_stopping_is_a_wish = True
    """Whether early stopping was asked for, so that `partial_fit` must refuse it."""
    _measures_training = True
    """Whether metrics are of the training data too."""
    _adam_is_constant = True
    """Whether 'adam' keeps its learning rate whatever the rule says, as in scikit-learn."""
    _prints_iterations = True
    """Whether `verbose` prints scikit-learn's lines, not the progress of this package."""

    _diagnoses = False
    """Whether a fit looks at its own health: see `chainrule.training.checkups`."""

    classes_: Any
    solver: str
    random_state: Any
    _input_scale: Scale | None

    # What a classifier and a regressor answer differently.

    def _given_targets(self, y: Any, name: str) -> Any:
        """Return y as an array, none of it missing; `name` is the argument's."""
        return labels(y, name)

    def _encoded(self, y: NDArray[Any], fresh: bool, incremental: bool, name: str = "y") -> Floats:
        """Return y as targets, (m, outputs); learn what they are if `fresh`."""
        raise NotImplementedError

    def _output(self) -> Output:
        """Return the output activation and the cost."""
        raise NotImplementedError

    def _measure_targets(self, targets: Floats, weights: Floats | None) -> None:
        """Learn the scale that targets are trained at."""

    def _in_scale(self, targets: Floats) -> Floats:
        """Return targets at that scale."""
        return targets

    def _trained_on(self, examples: Examples) -> Examples:
        """Return the examples with the targets that training sees."""
        return examples

    def _score_of(self, outputs: Floats, held_out: HeldOut) -> float:
        """Return the validation score of outputs: `score`'s."""
        raise NotImplementedError

    def _strata(self, targets: Floats) -> NDArray[Any] | None:
        """Return what validation data are to have the same shares of."""
        return None

    def _stratum(self, value: Any) -> Any:
        """Return what a user calls one of these."""
        return value

    def _with_class_weights(self, y: NDArray[Any], weights: Floats | None) -> Floats | None:
        return weights

    def _metrics(self) -> Mapping[str, Metric]:
        """Return what is measured after each epoch beside the loss, by name."""
        return {}

    def _note(self, metrics: Mapping[str, float], validation: Mapping[str, float]) -> None:
        """Write down what was measured after an epoch."""

    def _noted(self) -> dict[str, Any]:
        """Return what `_note` wrote, for a checkpoint: arrays by name."""
        return {}

    def _note_again(self, memory: Mapping[str, Any]) -> None:
        """Take back what `_noted` returned."""

    # What good defaults depend on the data for.

    def _auto_batch_size(self, n_examples: int) -> int:
        return min(200, n_examples)

    def _auto_dtype(self, X: Any) -> str:
        return str(X.dtype.name)

    def _sets_aside(self, n_examples: int) -> bool:
        """Whether so many examples are enough to set some aside for early stopping."""
        return True

    def fit(
        self,
        X: Any,
        y: Any,
        sample_weight: Any = None,
        X_val: Any = None,
        y_val: Any = None,
        sample_weight_val: Any = None,
        epochs: int | None = None,
        checkpoint: str | Path | None = None,
        every: int | str = DEFAULT_EVERY,
        resume: bool = False,
    ) -> Self:
        """Train on examples, one a row.

        Parameters
        ----------
        X : array-like or sparse matrix of shape (n_samples, n_features)
            Inputs.
        y : array-like of shape (n_samples,) or (n_samples, n_outputs)
            Class labels or values.
        sample_weight : array-like of shape (n_samples,), optional
            Non-negative; weight 2 counts as the example twice.
        X_val, y_val : array-like, optional
            Validation data of your own: followed in ``validation_loss_curve_`` and, with
            `early_stopping`, what it looks at in place of a part of X.
        sample_weight_val : array-like, optional
            Weights of the validation examples.
        epochs : int, optional
            Train for at most so many epochs this once, without a warning if that is short;
            0 makes the network and trains nothing. `max_iter` by default.
        checkpoint : str or Path, optional
            A file that keeps everything the training needs to go on, as in
            `chainrule.Network.fit`. Not for 'lbfgs'.
        every : int or str, default "60s"
            When it is written: a number of steps, or a time.
        resume : bool, default False
            Whether to go on from the checkpoint if there is one, to the same bits as if the
            training had never been interrupted. Parameters and data must be those of then.

        Returns
        -------
        self : object

        Raises
        ------
        InvalidArgumentError
            If a parameter or an argument cannot be used, or the checkpoint belongs to another
            training.
        CheckpointInUseError, CheckpointWriteError, InvalidCheckpointError
            As in `chainrule.Network.fit`.
        TrainingDivergedError
            If the very first epochs leave no finite loss. Later, training ends with a
            ConvergenceWarning and the last finite weights.
        """
        if epochs is not None:
            epochs = whole_number("epochs", epochs, 0)
        held_out = (X_val, y_val, sample_weight_val)
        if checkpoint is not None and self.solver == "lbfgs":
            raise InvalidArgumentError(
                "checkpoint: solver='lbfgs' cannot go on to the same bits (its memory is SciPy's); "
                "use another solver, such as 'adam'"
            )
        checkpointer = open_checkpointer(checkpoint, every, resume)
        try:
            fit: Any = type(self)._fit
            if has_listeners(self):
                fit = with_callbacks(fit)  # whose end they hear of whatever happens
            fit(self, X, y, sample_weight, held_out, epochs, False, checkpointer)
        finally:
            if checkpointer is not None:
                checkpointer.close()
        return self

    def _fit(
        self,
        X: Any,
        y: Any,
        sample_weight: Any,
        held_out: tuple[Any, Any, Any] = (None, None, None),
        epochs: int | None = None,
        incremental: bool = False,
        checkpointer: Checkpointer | None = None,
    ) -> Self:
        limit = (1 if incremental else self.max_iter) if epochs is None else epochs
        with as_it_was_if_refused(self):
            hidden = self._checked_sizes(incremental)
            fresh = not self.__sklearn_is_fitted__() or not (self.warm_start or incremental)
            rows = checked_rows(self, X, y, sample_weight, reset=fresh)
            targets = self._encoded(rows.y, fresh, incremental)
            self._begin_randomness(fresh, checkpointer)
            if fresh:
                if not (self.warm_start or incremental):
                    self._given_weights = {}  # as in scikit-learn: `fit` begins anew
                self._initialize(rows, targets, hidden)
            examples = self._examples(rows, targets, fresh)
            validation = self._own_validation(*held_out)
            early = bool(self.early_stopping) and self.solver != "lbfgs" and not incremental
            if early and validation is None:
                early = self._sets_aside(len(targets))
                if early:
                    examples, validation = self._set_aside(examples, rows, targets)
            request = FitRequest(
                self._trained_on(examples), validation, early, limit, fresh, incremental
            )
        tasks = None
        if not incremental and has_listeners(self):
            tasks = FitTasks(self, rows.X, rows.y, sample_weight, request)
        if self.solver == "lbfgs":
            minimise(self, request, tasks)
        else:
            complete = train(self, request, tasks, checkpointer)
            if (
                not complete
                and self._expects_convergence
                and epochs is None
                and not incremental
                and self.n_iter_ == self.max_iter
            ):
                warnings.warn(
                    f"Stochastic Optimizer: Maximum iterations ({self.max_iter}) reached and the "
                    "optimization hasn't converged yet.",
                    ConvergenceWarning,
                    stacklevel=3,
                )
        if tasks is not None:
            tasks.close()
        return self

    def _checked_sizes(self, incremental: bool) -> tuple[int, ...]:
        """Check the parameters, and return the units of the hidden layers."""
        check_parameters(self)
        hidden = hidden_sizes(vars(self))
        if incremental and self.early_stopping and self._early_stopping_is_a_wish:
            raise InvalidArgumentError(
                "partial_fit does not support early_stopping=True: it sees one epoch at a time"
            )
        return hidden

    def _begin_randomness(self, fresh: bool, checkpointer: Checkpointer | None) -> None:
        """Set the random state that everything is drawn from, and write down its seed."""
        if fresh or self.random_state is not None:
            self.seed_ = drawn_seed(self.random_state)
            if checkpointer is not None and self.random_state is None:
                self.seed_ = checkpointer.keep("seed", self.seed_, most=2**32 - 1)
            given = self.random_state if self.seed_ is None else self.seed_
            try:
                self._random_state = check_random_state(given)
            except ValueError as error:
                raise InvalidArgumentError(
                    f"random_state: expected a whole number from 0 to {2**32 - 1}, a "
                    f"numpy.random.RandomState or None; got {shown(given)}"
                ) from error
        if checkpointer is not None:
            # What was drawn before training (weights, validation split) is drawn again.
            state = checkpointer.keep("random_state", as_text(self._random_state))
            try:
                set_from_text(self._random_state, state)
            except ValueError as error:
                raise InvalidCheckpointError(
                    f"checkpoint: its random state cannot be taken: {error}"
                ) from error

    def _initialize(self, rows: Rows, targets: Floats, hidden: tuple[int, ...]) -> None:
        """Make the network, and what else is new with a fresh fit."""
        self.n_outputs_ = targets.shape[1]
        self.n_layers_ = len(hidden) + 2
        self._measure_targets(targets, rows.weights)
        self.out_activation_, activation, cost = self._output()
        self.network_ = new_network(
            vars(self),
            self.n_features_in_,
            hidden,
            Dense(self.n_outputs_, activation),
            cost,
            self.dtype or self._auto_dtype(rows.X),
            self._random_state,
            self._given_weights,
        )
        self._given_weights = {}
        self._best_parameters = self.network_.parameters.copy()
        self.n_iter_ = self.t_ = 0

    def _examples(self, rows: Rows, targets: Floats, fresh: bool = False) -> Examples:
        """Return checked rows as the network takes them; the scale of fresh ones is learned."""
        inputs, spec = dense(rows.X), self.network_.spec
        if fresh:
            scales = bool(self.standardize)
            self._input_scale = scale_of_inputs(inputs, rows.weights, spec) if scales else None
        features = network_inputs(inputs, self._input_scale, spec, rows.names.X)
        weights = self._with_class_weights(rows.y, rows.weights)
        if weights is not None:
            weights = as_weights(weights, len(targets), spec.dtype, rows.names.weights)
        targets = within(self._in_scale(targets), spec.dtype, rows.names.y, _OTHER_UNIT)
        return Examples(features, targets, weights)

    def _own_validation(self, X: Any, y: Any, sample_weight: Any) -> HeldOut | None:
        """Return the validation data that `fit` was given."""
        if X is None and y is None and sample_weight is None:
            return None
        if X is None or y is None:
            raise InvalidArgumentError(
                "X_val and y_val: expected both or neither; "
                f"got only {'y_val' if X is None else 'X_val'}"
            )
        rows = checked_rows(self, X, y, sample_weight, VALIDATION, reset=False)
        targets = self._encoded(rows.y, False, True, "y_val")
        if targets.shape[1] != self.n_outputs_:
            raise InvalidArgumentError(
                f"y_val: expected {self.n_outputs_} outputs as in y; got {targets.shape[1]}"
            )
        return HeldOut(self._examples(rows, targets), rows.X, rows.y)

    def _set_aside(
        self, examples: Examples, rows: Rows, targets: Floats
    ) -> tuple[Examples, HeldOut]:
        """Split the examples into those to train on and those to validate on."""
        training, validation = split(
            len(targets),
            self.validation_fraction,
            self._strata(targets),
            self._random_state,
            self._stratum,
        )
        held_out = HeldOut(examples.take(validation), rows.X[validation], rows.y[validation])
        kept = examples.take(training)
        for part, which in ((kept, "left to train on"), (held_out.examples, "set aside")):
            if not part.weight > 0:
                raise InvalidArgumentError(
                    f"sample_weight: expected some weight > 0 among the examples {which}; got "
                    "none. Change validation_fraction or random_state, or leave out examples of "
                    "weight 0"
                )
        return kept, held_out

    def _penalties(self, examples: Examples) -> Penalties:
        """Return the penalties: scikit-learn's alpha counts once for all of a batch."""
        return Penalties(float(self.l1), float(self.alpha), shared=True)

    def _longest_gradient(self) -> float:
        return float("inf") if self.max_grad_norm is None else float(self.max_grad_norm)

    def _outputs(self, X: Any) -> Floats:
        """Return the network's outputs for inputs as users hand them in."""
        if "network_" not in vars(self):
            check_is_fitted(self)
        X = checked_features(self, X)
        net, engine = self.network_, engine_named(self.engine, self.threads)
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
        """Whether the solver takes epochs, which `partial_fit` needs; else AttributeError."""
        if self.solver == "lbfgs":
            raise AttributeError(
                "partial_fit is only available for stochastic optimizers. "
                f"{self.solver} is not stochastic."
            )
        return True


def has_epochs(estimator: BaseMLP) -> Callable[..., Any] | bool:
    """Whether an estimator has a `partial_fit`, as `available_if` asks."""
    return estimator._has_epochs()
