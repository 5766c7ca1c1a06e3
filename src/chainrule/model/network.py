"""The network that users hold."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from chainrule.checks import shown, whole_number
from chainrule.engines import engine_for, engine_named, quick_predictor
from chainrule.engines.base import Examples, Penalties, Problem, UpdateRule
from chainrule.engines.memory import is_readable, readable, writable
from chainrule.engines.optimizer import Optimizer
from chainrule.engines.optimizers import optimizer_named
from chainrule.errors import InvalidArgumentError
from chainrule.files.model_file import ModelFile, write_model_file
from chainrule.inspection.gradient_check import GradientCheck, check_gradients
from chainrule.inspection.trace import Trace, trace_step
from chainrule.limits import FLAG, MAX_NORM, NOT_NEGATIVE, VERBOSE
from chainrule.model.checkpoints import DEFAULT_EVERY, open_checkpointer
from chainrule.network.cost import CustomCost
from chainrule.network.layers import Layer
from chainrule.network.parameters import (
    group_views,
    initial_parameters,
    named_views,
    parameter_count,
)
from chainrule.network.random import draw_seed, noise_key
from chainrule.network.registry.documentation import naming
from chainrule.network.spec import NetworkSpec
from chainrule.training.checkpointer import Checkpointer
from chainrule.training.class_weights import class_weighted
from chainrule.training.consumers import Progress
from chainrule.training.events import Callback, Event
from chainrule.training.examples import (
    as_examples,
    as_features,
    check_unmasked,
    softened_examples,
)
from chainrule.training.fit import Fitted, fit
from chainrule.training.history import History
from chainrule.training.memories import memories_of
from chainrule.training.metrics import Metric, named_metrics
from chainrule.training.plan import Plan
from chainrule.training.state import State
from chainrule.training.stopping import stopping_rule_of
from chainrule.training.validation import checked_share, set_aside

Floats = NDArray[np.floating]


@naming("costs")
class Network:
    """A feed-forward network, trained by the equations of the documentation's page of mathematics.

    Parameters
    ----------
    layers : list
        The number of features n[0], then the layers: ``[30, Dense(24, "relu"),
        Dense(2, "softmax")]``.
    cost : str or CustomCost
        One of
        {costs};
        parameters in brackets: "huber(delta=1.5)", "quantile(quantile=0.9)", "focal(gamma=3)".
        Or two functions of your own.
    seed : int, optional
        Decides the initial weights, the order of examples and what dropout drops. None draws
        one; `seed` tells it.
    dtype : {"float32", "float64"}, default "float32"
        Of the parameters and of all arithmetic.
    init : str, default "auto"
        Initialiser of layers that name none. "auto": He for the ReLU family, Glorot else.
    fused : bool, default True
        Whether softmax with cross_entropy or focal, sigmoid with binary_cross_entropy or
        binary_focal, identity with mse and exponential with poisson use their fused output errors
        (FU1 to FU6). False takes the long way; both agree.

    Attributes
    ----------
    spec : NetworkSpec
        The frozen description.
    seed : int
    history : History or None
        Of the last `fit`.
    epochs_trained : int
        Over all calls of `fit`.

    Raises
    ------
    InvalidArgumentError
        If the parts do not fit together.

    Examples
    --------
    >>> import numpy as np, chainrule as cr
    >>> X = np.array([[0, 0], [0, 1], [1, 0], [1, 1]])
    >>> net = cr.Network([2, cr.Dense(8, "tanh"), cr.Dense(2, "softmax")],
    ...                  cost="cross_entropy", seed=0)
    >>> history = net.fit(X, [0, 1, 1, 0], optimizer=cr.Adam(0.05), epochs=100, batch_size=4)
    >>> net.predict(X).argmax(axis=1)
    array([0, 1, 1, 0])
    """

    def __init__(
        self,
        layers: Sequence[int | Layer],
        cost: str | CustomCost,
        *,
        seed: int | None = None,
        dtype: str = "float32",
        init: str = "auto",
        fused: bool = True,
    ) -> None:
        if isinstance(layers, str) or not isinstance(layers, Sequence) or not layers:
            raise InvalidArgumentError(
                "layers: expected a list such as [30, Dense(24, 'relu'), Dense(2, 'softmax')]; "
                f"got {layers!r}"
            )
        n_features = layers[0]
        spec = NetworkSpec(
            int(n_features) if isinstance(n_features, np.integer) else n_features,  # type: ignore[arg-type]
            tuple(layers[1:]),  # type: ignore[arg-type]
            cost,
            init,
            np.dtype(dtype).name if isinstance(dtype, type | np.dtype) else dtype,
            fused,
        )
        drawn = seed is None
        seed = draw_seed() if seed is None else whole_number("seed", seed, 0)
        self._set(spec, initial_parameters(spec, seed), seed, 0)
        self._seed_is_drawn = drawn

    def _set(self, spec: NetworkSpec, parameters: Floats, seed: int, epochs: int) -> None:
        self.spec = spec
        self.seed = seed
        self._seed_is_drawn = False
        self.epochs_trained = epochs
        self.history: History | None = None
        self._parameters = parameters
        self._quick: Callable[[Floats, ArrayLike], Floats | None] | None = None

    def __getstate__(self) -> dict[str, Any]:
        # The quick way belongs to this process.
        return self.__dict__ | {"_quick": None}

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__.update(state)
        self._parameters = readable(self._parameters)

    @classmethod
    def from_parameters(cls, spec: NetworkSpec, parameters: Floats, *, seed: int = 0) -> "Network":
        """Return the network of a specification around a vector of parameters, not copied.

        Parameters
        ----------
        spec : NetworkSpec
        parameters : array (number of parameters,)
            Of the specification's dtype; changing it changes the network, and the other way round.
            One that cannot be written to is shared until the network changes, which then takes a
            copy.
        seed : int, default 0
            Decides the order of examples in `fit`.

        Returns
        -------
        Network

        Raises
        ------
        InvalidArgumentError
            If the vector is not that of such a network.
        """
        if not isinstance(parameters, np.ndarray):
            raise InvalidArgumentError(
                f"parameters: expected an array of {spec.dtype}; got {type(parameters).__name__}"
            )
        check_unmasked(parameters, "parameters")
        count = parameter_count(spec)
        if parameters.shape != (count,) or parameters.dtype != spec.dtype:
            raise InvalidArgumentError(
                f"parameters: expected shape ({count},) and dtype {spec.dtype}; "
                f"got {parameters.shape} and {parameters.dtype}"
            )
        if not is_readable(parameters):
            raise InvalidArgumentError(
                "parameters: expected numbers that lie side by side in memory, which the network "
                f"shares; got strides of {parameters.strides[0]} bytes"
                f"{'' if parameters.flags.aligned else ', not aligned'}. "
                "Hand in a copy: parameters.copy()"
            )
        net = cls.__new__(cls)
        net._set(spec, parameters, whole_number("seed", seed, 0), 0)
        return net

    @classmethod
    def _from_file(cls, model: ModelFile) -> "Network":
        net = cls.__new__(cls)
        seed, epochs = (model.metadata.get(key, "0") for key in ("seed", "epochs_trained"))
        net._set(model.spec, model.parameters, _whole(seed), _whole(epochs))
        return net

    def __repr__(self) -> str:
        layers = ", ".join(map(repr, (self.spec.n_features, *self.spec.layers)))
        return (
            f"Network([{layers}], cost={self.spec.cost!r}, seed={self.seed}, "
            f"dtype={self.spec.dtype!r})"
        )

    @property
    def parameters(self) -> Floats:
        """All parameters: one flat vector, W[1], b[1], W[2], …; changing it changes the network."""
        return self._parameters

    @parameters.setter
    def parameters(self, value: ArrayLike) -> None:
        try:
            vector = np.asarray(value, self.spec.dtype)
        except (ValueError, TypeError) as error:
            raise InvalidArgumentError(
                f"parameters: cannot be read as numbers ({error})"
            ) from error
        if vector.shape != self._parameters.shape:
            raise InvalidArgumentError(
                f"parameters: expected shape {self._parameters.shape}; got {vector.shape}"
            )
        self._own_parameters()[...] = vector

    def _own_parameters(self) -> Floats:
        """Return the parameters for writing: from here on a copy, if they cannot be written to."""
        self._parameters = writable(self._parameters)
        return self._parameters

    @property
    def weights(self) -> list[Floats]:
        """Weights W of each dense layer in turn, (n[l], n[l−1]); views into `parameters`."""
        return named_views(self.spec, self._parameters, "W")

    @property
    def biases(self) -> list[Floats]:
        """Biases b of each dense layer in turn, (n[l],); views into `parameters`."""
        return [b.reshape(-1) for b in named_views(self.spec, self._parameters, "b")]

    @property
    def embeddings(self) -> list[Floats]:
        """Tables E of a `CategoryEmbedding`, (codes, dimension) each; views into `parameters`."""
        return group_views(self.spec, self._parameters, "embeddings")

    def fit(
        self,
        X: ArrayLike,
        Y: ArrayLike,
        *,
        optimizer: Optimizer | str = "adam",
        epochs: int = 50,
        batch_size: int = 32,
        validation_data: tuple[ArrayLike, ArrayLike] | None = None,
        sample_weight: ArrayLike | None = None,
        metrics: Sequence[str | Metric] = (),
        l1: float = 0.0,
        l2: float = 0.0,
        label_smoothing: float = 0.0,
        max_grad_norm: float | None = None,
        engine: str = "auto",
        threads: int | None = None,
        precision: str = "full",
        shuffle: bool = True,
        verbose: bool = False,
        callbacks: Sequence[Callback] = (),
        checkpoint: str | Path | None = None,
        every: int | str = DEFAULT_EVERY,
        resume: bool = False,
        early_stopping: bool | int = False,
        class_weight: str | Mapping[int, float] | None = None,
        validation_split: float = 0.0,
    ) -> History:
        """Train on examples, one a row.

        Calling it again goes on from the present parameters, with a fresh optimizer state. An
        error or an interruption leaves the network with the parameters of a finished step.

        With a checkpoint, a training that was killed goes on by the same call with resume=True, to
        the same bits as if it had never been.

        Parameters
        ----------
        X : array (m, n[0])
            Inputs. Scale them: mean 0 and standard deviation 1 suit every initialiser here.
        Y : array (m, n[L]), (m,) if n[L] = 1, or (m,) of class indices 0 … n[L] − 1
            Targets: values, one-hot rows, or classes where the outputs are softmax or sigmoid.
        optimizer : Optimizer or str, default "adam"
            Such as `Adam(0.01)`, or the name of one (see the API pages, "How to step"). With
            `ema_decay`, and from `ScheduleFreeAdamW`, the network is evaluated and left at an
            average of the parameters that the steps went through (WA1).
        epochs : int, default 50
            Passes over the examples.
        batch_size : int, default 32
            Examples a step; the last batch of an epoch may be short.
        validation_data : (X, Y), optional
            Examples whose loss is followed but never trained on.
        sample_weight : array (m,), optional
            Non-negative. A batch's cost and gradient are weighted means (J1, J2): weight 2 acts
            as the example twice.
        metrics : list, default ()
            accuracy, rmse, mae, r2, or functions of (outputs, targets); evaluated after each
            epoch on the training and validation data.
        l1, l2 : float, default 0
            Penalties on the weights, P2 and P1, added to the mean cost.
        label_smoothing : float, default 0
            s in [0, 1): how much of its certainty each target of a class hands to all classes
            alike (Y1). The loss and the metrics of the training data are of these targets, those
            of the validation data of the true ones.
        max_grad_norm : float, optional
            A step whose gradient, penalties included, is longer than this takes it scaled down to
            this norm (G1). What is reported is the norm before.
        engine : str, default "auto"
            Who executes the steps: "native" (compiled), "reference" (the equations on NumPy), or
            "auto", the fastest that is there (for a cost of your own, "reference").
        threads : int, optional
            So many; by default as many as there are cores, and one where a step is too short to
            share. The result has the same bits for any number.
        precision : {"full", "mixed"}, default "full"
            "mixed": products in bfloat16 with sums, parameters and optimizer in float32, which
            pays from some dozens of units and examples on; smaller networks train in float32. It
            takes a CPU with AMX, or one of AMD's with AVX-512-BF16; elsewhere a warning says so
            and training is in float32.
        shuffle : bool, default True
            Whether each epoch has a new order of examples (drawn from the seed).
        verbose : bool, default False
            Whether to show progress on standard error.
        callbacks : list of callables, default ()
            Each is called with every event; returning True after an `EpochEnded` stops.
        checkpoint : str or Path, optional
            A file that keeps everything the training needs to go on: parameters, optimizer,
            position, history. The one before it, .previous, lies beside it.
        every : int or str, default "60s"
            When it is written: a number of steps, or a time such as "60s", "5min", "1h", which
            stretches so that writing takes 1 % of the time at most. It is also written at the end,
            and after Ctrl-C.
        resume : bool, default False
            Whether to go on from the checkpoint if there is one. Arguments and data must be those
            of then; only `epochs` may be more, where no schedule depends on it. What the network
            held before is replaced.
        early_stopping : bool or int, default False
            Whether training ends once the loss of the validation data has not fallen below its
            lowest value for more than so many epochs in a row: 10 for True, or the number given.
            The network then has the weights of the epoch with the lowest loss, also after an
            error or an interruption; `History.best_epoch` says which. Needs `validation_data` or
            `validation_split`.
        class_weight : None, "balanced" or dict, default None
            Where each target is one class: by what each example's weight is multiplied, that of
            validation data too. "balanced": each class that occurs weighs the same in all; a dict
            has weights by class index, and 1 for the others.
        validation_split : float, default 0
            The share of the examples that is set aside as validation data: drawn from the seed,
            so that another `fit` sets the same ones aside, and of each class about that share.
            Not with `validation_data`.

        Returns
        -------
        History
            Of the whole training, the epochs before an interruption as well.

        Raises
        ------
        InvalidArgumentError
            If an argument does not fit, or the checkpoint belongs to another training.
        TrainingDivergedError
            If the loss stops being finite.
        CheckpointInUseError
            If another training writes to the checkpoint.
        CheckpointWriteError
            If the checkpoint cannot be written (a full disk); the last one stays.
        InvalidCheckpointError
            If there are checkpoints, and all are damaged.

        Warns
        -----
        TrainingDiagnosisWarning
            Once for each kind of trouble that a sample of the examples shows: dead or saturated
            layers, a gradient that vanishes or explodes, a loss that is stuck; with the layer and
            the remedy. `History.diagnostics` lists them all.
        """
        wrong = (
            [callback for callback in callbacks if not callable(callback)]
            if isinstance(callbacks, Sequence)
            else [callbacks]
        )
        if wrong:
            raise InvalidArgumentError(
                f"callbacks: expected a list of functions of an event; got {wrong[0]!r}"
            )
        FLAG.require(shuffle, "shuffle: expected")
        VERBOSE.require(verbose, "verbose: expected")
        examples = as_examples(self.spec, X, Y, sample_weight)
        share = checked_share(validation_split, len(examples.X))
        if share and validation_data is not None:
            raise InvalidArgumentError(
                "validation_split: expected 0 where validation_data is given; got "
                f"{shown(validation_split)}. Leave one of the two out"
            )
        validation = self._validation(validation_data)
        examples = class_weighted(self.spec, examples, class_weight)
        if validation is not None:
            validation = class_weighted(self.spec, validation, class_weight)
        self._own_parameters()
        plan = Plan(
            self._problem(examples, l1, l2),
            optimizer=optimizer_named(optimizer),
            engine=engine_for(self.spec, engine, threads, precision),
            epochs=whole_number("epochs", epochs, 0),
            batch_size=min(whole_number("batch_size", batch_size, 1), len(examples.X)),
            seed=self.seed,
            max_grad_norm=_longest_gradient(max_grad_norm),
            validation=validation,
            metrics=named_metrics(metrics),
            shuffle=bool(shuffle),
            stopping=stopping_rule_of(early_stopping, validation is not None or share > 0),
            epochs_before=self.epochs_trained,
            watched=bool(callbacks),
            diagnosed=True,
        )
        softened = softened_examples(self.spec, examples, label_smoothing)
        checkpointer = open_checkpointer(checkpoint, every, resume)
        try:
            if checkpointer is not None:
                seed = checkpointer.keep("seed", self.seed)
                if self._seed_is_drawn:
                    self.seed = seed
                    plan = replace(plan, seed=seed)
            if share or softened is not examples:
                plan = set_aside(plan, softened, share)
            return self._trained(plan, callbacks, verbose, checkpointer)
        finally:
            if checkpointer is not None:
                checkpointer.close()

    def _trained(
        self,
        plan: Plan,
        callbacks: Sequence[Callback],
        verbose: bool,
        checkpointer: Checkpointer | None,
    ) -> History:
        """Train by a plan, with a history."""
        history, progress = History(), Progress() if verbose else None
        consumers: list[Callback] = [history, *([progress] if progress else []), *callbacks]
        state = State.of(plan)
        if checkpointer is not None:
            memories = memories_of(callbacks)
            if state.stopping is not None:
                memories["early stopping"] = state.stopping
            checkpointer.attach(plan, state, memories, {"early stopping": _patience(plan)})
        history.diagnostics = state.diagnostics
        self.history = history

        def note_best(event: Event) -> None:
            if state.stopping is not None:
                history.best_epoch = state.stopping.best_epoch

        try:
            self._conduct(plan, [note_best, *consumers], state, checkpointer)
        finally:
            if progress is not None:
                progress.close()
        return history

    def _conduct(
        self,
        plan: Plan,
        consumers: Sequence[Callback],
        state: State,
        checkpointer: Checkpointer | None = None,
        before_epoch: Callable[[], None] | None = None,
    ) -> Fitted:
        """Train by a plan of this network, and keep count of its epochs; see `fit` in training."""

        def count(event: Event | None = None) -> None:
            self.epochs_trained = state.epochs_before + state.epochs

        # First of all it is counted: whatever a consumer raises, the parameters have seen it.
        told = [count, *consumers] if consumers else []
        try:
            return fit(plan, told, checkpointer, state, before_epoch)
        finally:
            count()

    def _validation(self, data: tuple[ArrayLike, ArrayLike] | None) -> Examples | None:
        if data is None:
            return None
        if not isinstance(data, tuple | list) or len(data) != 2:
            raise InvalidArgumentError(
                f"validation_data: expected a pair (X, Y); got {type(data).__name__}"
            )
        names = ("validation_data[0]", "validation_data[1]", "")
        return as_examples(self.spec, data[0], data[1], names=names)

    def predict(self, X: ArrayLike, *, engine: str = "auto") -> Floats:
        """Return the outputs A[L] for examples, one a row.

        Parameters
        ----------
        X : array (m, n[0])
        engine : str, default "auto"

        Returns
        -------
        outputs : array (m, n[L])
            Probabilities for a softmax or sigmoid output, values for an identity.

        Raises
        ------
        InvalidArgumentError
            If X does not fit the network.
        """
        if engine == "auto":
            if self._quick is None:
                self._quick = quick_predictor(self.spec)
            outputs = None if X is None else self._quick(self._parameters, X)
            if outputs is not None:
                return outputs
        features = as_features(self.spec, X)
        outputs = np.empty((len(features), self.spec.n_outputs), self.spec.dtype)
        engine_named(engine).forward(self.spec, self._parameters, features, outputs)
        return outputs

    def loss(
        self,
        X: ArrayLike,
        Y: ArrayLike,
        *,
        sample_weight: ArrayLike | None = None,
        l1: float = 0.0,
        l2: float = 0.0,
        engine: str = "auto",
    ) -> float:
        """Return J, the mean cost over the examples, plus the penalties if any.

        As in `predict`, nothing is dropped, and batch normalisation takes its running statistics.

        Parameters
        ----------
        X, Y, sample_weight, l1, l2, engine
            As for `fit`.

        Raises
        ------
        InvalidArgumentError
            If an argument does not fit.
        """
        examples = as_examples(self.spec, X, Y, sample_weight)
        return engine_for(self.spec, engine).loss(self._problem(examples, l1, l2))

    def loss_and_gradient(
        self,
        X: ArrayLike,
        Y: ArrayLike,
        *,
        sample_weight: ArrayLike | None = None,
        l1: float = 0.0,
        l2: float = 0.0,
        engine: str = "auto",
    ) -> tuple[float, Floats]:
        """Return J plus penalties, and its gradient: one vector laid out like `parameters`.

        As in `loss`, J is of what `predict` computes; statistics have a gradient of 0.

        Parameters
        ----------
        X, Y, sample_weight, l1, l2, engine
            As for `fit`.

        Returns
        -------
        loss : float
        gradient : array (number of parameters,)

        Raises
        ------
        InvalidArgumentError
            If an argument does not fit.

        Examples
        --------
        >>> import chainrule as cr
        >>> net = cr.Network([1, cr.Dense(1, "identity")], cost="mse", seed=0, init="zeros")
        >>> loss, gradient = net.loss_and_gradient([[2.0]], [3.0])   # δ = a − y = −3
        >>> loss, gradient.tolist()
        (4.5, [-6.0, -3.0])
        """
        examples = as_examples(self.spec, X, Y, sample_weight)
        gradient = np.empty_like(self._parameters)
        loss = engine_for(self.spec, engine).loss_and_gradient(
            self._problem(examples, l1, l2), gradient
        )
        return loss, gradient

    def trace(
        self,
        X: ArrayLike,
        Y: ArrayLike,
        *,
        optimizer: Optimizer | str = "adam",
        sample_weight: ArrayLike | None = None,
        l1: float = 0.0,
        l2: float = 0.0,
        max_grad_norm: float | None = None,
    ) -> Trace:
        """Return every array of one step on these examples; the network does not change.

        It is a training step, the first that `fit` would take: dropout drops, and batch
        normalisation takes the statistics of these examples.

        Parameters
        ----------
        X, Y, optimizer, sample_weight, l1, l2, max_grad_norm
            As for `fit`; the optimizer takes its first step.

        Returns
        -------
        Trace
            Print it for a table; a notebook shows it as HTML.

        Raises
        ------
        InvalidArgumentError
            If an argument does not fit.
        """
        examples = as_examples(self.spec, X, Y, sample_weight)
        return trace_step(
            self._problem(examples, l1, l2),
            UpdateRule(optimizer_named(optimizer), _longest_gradient(max_grad_norm)),
            noise_key=noise_key(self.seed, self.epochs_trained),
        )

    def check_gradients(
        self,
        X: ArrayLike,
        Y: ArrayLike,
        *,
        sample_weight: ArrayLike | None = None,
        l1: float = 0.0,
        l2: float = 0.0,
        engine: str = "auto",
    ) -> GradientCheck:
        """Compare backpropagation with central differences, block by block, in float64.

        Parameters
        ----------
        X, Y, sample_weight, l1, l2, engine
            As for `fit`. A few dozen examples are enough.

        Returns
        -------
        GradientCheck
            True if every block agrees; print it for the table.

        Raises
        ------
        InvalidArgumentError
            If an argument does not fit.
        """
        examples = as_examples(self.spec, X, Y, sample_weight)
        return check_gradients(self._problem(examples, l1, l2), engine_for(self.spec, engine))

    def _problem(self, examples: Examples, l1: float, l2: float) -> Problem:
        """Return what is minimised over examples."""
        return Problem(self.spec, self._parameters, examples, _penalties(l1, l2))

    def save(self, path: str | Path) -> None:
        """Write the network to a safetensors file, whole or not at all.

        Parameters
        ----------
        path : str or Path
            Conventionally ending in .safetensors; an existing file is replaced.

        Raises
        ------
        OSError
            If the file cannot be written; what was there before stays.
        InvalidArgumentError
            If the cost is one of your own: a file holds data only.
        """
        write_model_file(path, self._to_file())

    def _to_file(self) -> ModelFile:
        metadata = {"seed": str(self.seed), "epochs_trained": str(self.epochs_trained)}
        return ModelFile(self.spec, self._parameters, metadata)


def _penalties(l1: float, l2: float) -> Penalties:
    return Penalties(NOT_NEGATIVE.checked("l1", l1), NOT_NEGATIVE.checked("l2", l2))


def _longest_gradient(max_grad_norm: float | None) -> float:
    MAX_NORM.require(max_grad_norm, "max_grad_norm: expected")
    return float("inf" if max_grad_norm is None else max_grad_norm)


def _patience(plan: Plan) -> str:
    return "none" if plan.stopping is None else f"patience {plan.stopping.patience}"


def _whole(text: str) -> int:
    # Python refuses to read thousands of digits; no seed has a hundred.
    return int(text) if text.isdecimal() and len(text) <= 100 else 0
