"""The network that users work with."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Literal

from numpy.typing import ArrayLike

from chainrule.arguments import hinting
from chainrule.checks import whole_number
from chainrule.communication.agreement import same_outcome
from chainrule.communication.communicator import Communicator
from chainrule.engines import engine_for
from chainrule.engines.base import UpdateRule
from chainrule.engines.optimizer import Optimizer, OptimizerState
from chainrule.engines.optimizers import optimizer_named
from chainrule.errors import InvalidArgumentError, TrainingDivergedError
from chainrule.inspection.gradient_check import GradientCheck, check_gradients
from chainrule.inspection.trace import Trace, trace_step
from chainrule.limits import FLAG, POSITIVE, VERBOSE
from chainrule.model.base_network import BaseNetwork
from chainrule.model.checkpoints import DEFAULT_EVERY, open_checkpointer
from chainrule.model.fitting import (
    checked_callbacks,
    checked_state,
    continuable,
    data_of,
    gradient_bound,
    patience_text,
)
from chainrule.model.streams import streamed_data
from chainrule.names import EngineText, MetricName, OptimizerName, Precision
from chainrule.network.random import noise_key
from chainrule.network.registry.documentation import naming
from chainrule.tables.table_stream import TableStream
from chainrule.training.checkpointer import Checkpointer
from chainrule.training.class_weights import class_weighted
from chainrule.training.epochs import Epochs
from chainrule.training.events import Callback, Event
from chainrule.training.examples import as_examples, softened_examples
from chainrule.training.fit import Fitted, fit
from chainrule.training.history import History
from chainrule.training.memories import memories_of
from chainrule.training.metrics import Metric, named_metrics
from chainrule.training.plan import Plan
from chainrule.training.progress import Progress
from chainrule.training.range_test import RangeTest, range_test
from chainrule.training.ranks import (
    across,
    check_same_plans,
    checked_local_steps,
    of_all,
    several,
)
from chainrule.training.state import State
from chainrule.training.stopping import stopping_rule_of
from chainrule.training.streaming import ExampleStream
from chainrule.training.validation import set_aside
from chainrule.training.watching import watches_epochs


@naming("costs")
class Network(BaseNetwork):
    """A feed-forward network, trained by the equations on the documentation's mathematics page.

    Parameters
    ----------
    layers : list
        The number of features n[0], then the layers: ``[30, Dense(24, "relu"),
        Dense(2, "softmax")]``.
    cost : str or CustomCost
        One of
        {costs};
        parameters go in parentheses: "huber(delta=1.5)", "quantile(quantile=0.9)",
        "focal(gamma=3)". Or a `CustomCost`, made of two functions of your own.
    seed : int, optional
        Determines the initial weights, the order of examples and the units that dropout drops.
        With None, a seed is drawn; the attribute `seed` holds it.
    dtype : {"float32", "float64"}, default "float32"
        Type of the parameters and of all arithmetic.
    init : str, default "auto"
        Initialiser of the layers that name none. "auto": He for the ReLU family, Glorot otherwise.
    fused : bool, default True
        Whether softmax with cross_entropy or focal, sigmoid with binary_cross_entropy or
        binary_focal, identity with mse and exponential with poisson use their fused output errors
        (FU1 to FU6). With False, the chain rule is applied in two factors; both give the same
        result.

    Attributes
    ----------
    spec : NetworkSpec
        The frozen description.
    seed : int
    history : History or None
        History of the last `fit`.
    epochs_trained : int
        Epochs over all calls of `fit`.
    optimizer_state : OptimizerState or None
        The optimizer's state (V, S, t) after the last `fit`, from which ``fit(…, state=…)``
        continues and whose next step ``trace(…, state=…)`` shows. None before a `fit`, after one
        that diverged or that early stopping took back to an earlier epoch, and for a network from a
        file. It has the size of up to three times the parameters; set it to None to free them.

    Raises
    ------
    InvalidArgumentError
        If the layers and the cost are inconsistent.

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

    @hinting
    def fit(
        self,
        X: ArrayLike | TableStream,
        Y: ArrayLike | None = None,
        *,
        optimizer: Optimizer | OptimizerName = "adam",
        state: OptimizerState | None = None,
        epochs: int = 50,
        batch_size: int = 32,
        validation_data: tuple[ArrayLike, ArrayLike] | None = None,
        sample_weight: ArrayLike | None = None,
        metrics: Sequence[MetricName | Metric] = (),
        l1: float = 0.0,
        l2: float = 0.0,
        label_smoothing: float = 0.0,
        max_grad_norm: float | None = None,
        engine: EngineText = "auto",
        threads: int | None = None,
        precision: Precision = "full",
        shuffle: bool = True,
        verbose: bool = False,
        callbacks: Sequence[Callback] = (),
        checkpoint: str | Path | None = None,
        every: int | str = DEFAULT_EVERY,
        resume: bool = False,
        early_stopping: bool | int = False,
        class_weight: Literal["balanced"] | Mapping[int, float] | None = None,
        validation_split: float = 0.0,
        communicator: Communicator | None = None,
        local_steps: int = 1,
    ) -> History:
        """Train on examples, one per row.

        Calling it again continues from the current parameters, with a fresh optimizer state unless
        `state` is given. After an error or an interruption, the network has the parameters of a
        finished step.

        With a checkpoint, a training that was killed is resumed by the same call with resume=True.
        The result has the same bits as without the kill.

        Parameters
        ----------
        X : array (m, n[0])
            Inputs. Scale them: every initialiser assumes mean 0 and standard deviation 1. Or a
            `TableStream` of columns of numbers, whose rows are read while training; its validation
            rows are the validation data.
        Y : array (m, n[L]), (m,) if n[L] = 1, or (m,) of class indices 0 … n[L] − 1
            Targets: values, one-hot rows, or classes where the outputs are softmax or sigmoid. None
            with a `TableStream`, which has its own.
        optimizer : Optimizer or str, default "adam"
            Such as `Adam(0.01)`, or the name of one (see the API pages, "How to step"). With
            `ema_decay`, and from `ScheduleFreeAdamW`, the network is evaluated and left at an
            average of the parameters that the steps went through (WA1).
        state : OptimizerState, optional
            The state to continue from: `optimizer_state` after a `fit` with the same optimizer. Two
            trainings of 3 and 4 epochs then have the same bits as one of 7. A schedule goes on as
            well, if it does not depend on the number of epochs (give its length in steps). The
            state itself does not change. On resuming from a checkpoint, its state is used instead.
        epochs : int, default 50
            Passes over the examples.
        batch_size : int, default 32
            Examples per step, and rank (see `communicator`); the last batch of an epoch may be
            smaller.
        validation_data : (X, Y), optional
            Examples whose loss is monitored, and which are never trained on.
        sample_weight : array (m,), optional
            Non-negative. A batch's cost and gradient are weighted means (J1, J2): weight 2 has the
            same effect as having the example twice.
        metrics : list, default ()
            accuracy, rmse, mae, r2, or functions of (outputs, targets); evaluated after each
            epoch on the training and validation data.
        l1, l2 : float, default 0
            Penalties on the weights, P2 and P1, added to the mean cost.
        label_smoothing : float, default 0
            s in [0, 1): the share of each one-hot target that is spread evenly over all classes
            (Y1). Training loss and metrics refer to the smoothed targets, those of the validation
            data to the true ones.
        max_grad_norm : float, optional
            Gradients (with penalties) whose norm is larger are scaled down to this norm (G1). The
            reported norm is the one before clipping.
        engine : str, default "auto"
            The engine that executes the steps: "native" (compiled), "reference" (the equations on
            NumPy), "jax" (the equations compiled by JAX for a GPU or TPU; ``pip install
            'chainrule[jax]'``; "jax(devices=8)" divides each batch among 8 devices), or "auto",
            the faster one of the first two ("reference" for a `CustomCost`).
        threads : int, optional
            Number of threads. By default the core measures, while it trains, how many of at most
            one per core are the fastest; short steps have one. The result has the same bits for any
            number.
        precision : {"full", "mixed", "split"}, default "full"
            "mixed": products in bfloat16 with sums, parameters and optimizer in float32, which
            pays from some dozens of units and examples on; smaller networks train in float32. It
            takes a CPU with AMX, or one of AMD's with AVX-512-BF16; elsewhere a warning says so
            and training is in float32.
            "split": products of float32 numbers, each the sum of three bfloat16 pieces, as six
            products of pieces that are added in float32 (JAX's BF16_BF16_F32_X6), in layers of at
            least 256 inputs and units and batches of at least 128 examples; others multiply in
            float32. The sums err less than those of "full", and very wide layers are faster. It
            takes a CPU with AMX; elsewhere as for "mixed". The losses that `fit` reports are
            computed alike.
        shuffle : bool, default True
            Whether each epoch has a new order of examples, drawn from the seed.
        verbose : bool, default False
            Whether to show progress on standard error.
        callbacks : list of callables, default ()
            Each is called with every event; if one returns True after an `EpochEnded`, training
            stops.
        checkpoint : str or Path, optional
            A file that holds everything needed to resume the training: parameters, optimizer state,
            position, history. The one before it is kept beside it as .previous.
        every : int or str, default "60s"
            How often the checkpoint is written: a number of steps, or a time such as "60s", "5min",
            "1h". A time is lengthened as needed so that writing takes at most 1 % of the training.
            The checkpoint is also written at the end, and after Ctrl-C.
        resume : bool, default False
            Whether to resume from the checkpoint if there is one. Arguments and data must be the
            same as before; only `epochs` may be larger, if no schedule depends on it. The network's
            current parameters are replaced.
        early_stopping : bool or int, default False
            Whether training ends when the validation loss has not improved on its minimum for more
            than this number of consecutive epochs: 10 for True, or the number given. The network
            then has the weights of the epoch with the lowest loss, even after an error or an
            interruption; `History.best_epoch` is that epoch. Needs `validation_data` or
            `validation_split`.
        class_weight : None, "balanced" or dict, default None
            For classes: factors for the weights of the examples, validation data included.
            "balanced": all classes that occur have the same total weight; a dict gives factors by
            class index, 1 for those it leaves out.
        validation_split : float, default 0
            The share of the examples that is set aside as validation data. They are drawn from the
            seed, so that every `fit` sets the same ones aside, with about this share of each class.
            Cannot be combined with `validation_data`.
        communicator : Communicator, optional
            Such as `mpi()`, in a program that mpiexec has started: K processes, the ranks, train
            the network together. All call `fit` with the same arguments, data and seed. Each
            computes the gradients of its share of every batch, of `batch_size` examples times K
            in all, and the steps are those of one process with such batches, to rounding. Of a
            `TableStream`, each rank reads its own rows only, an equal share of them. Only rank 0
            writes checkpoints and shows progress; callbacks are called on every rank.
        local_steps : int, default 1
            H, for ranks on a slow network. With 1, the ranks sum their gradients in every step.
            With H > 1, each takes H steps alone on its shares of the batches, and clips its own
            gradients; then parameters and the optimizer's vectors are averaged over the ranks
            (Stich 2019, "Local SGD Converges Fast and Communicates Little"), as they are at the
            end of each epoch. The steps are no longer those of one process; recorded losses and
            norms are means over ranks. Every optimizer but lbfgs is possible.

        Returns
        -------
        History
            History of the whole training, including the epochs before an interruption.

        Raises
        ------
        InvalidArgumentError
            If an argument is invalid, or the checkpoint belongs to another training.
        RankError
            If the ranks' arguments, data or versions differ, or an argument is invalid on another
            rank; if a rank cannot read its rows of a stream. Any other exception on one rank during
            the training ends all processes, with a message.
        TrainingDivergedError
            If the loss is no longer finite.
        CheckpointInUseError
            If another training writes to the checkpoint.
        CheckpointWriteError
            If the checkpoint cannot be written (a full disk); the last one is kept.
        InvalidCheckpointError
            If there are checkpoints and all are damaged.

        Warns
        -----
        TrainingDiagnosisWarning
            Once for each kind of problem found on a sample of the examples: dead or saturated
            layers, a vanishing or exploding gradient, a loss that is stuck; with the layer and the
            remedy. `History.diagnostics` lists them all.
        """
        ranks = several(communicator)
        with same_outcome(ranks):
            checked_callbacks(callbacks)
            FLAG.require(shuffle, "shuffle: expected")
            VERBOSE.require(verbose, "verbose: expected")
            stream: ExampleStream | None = None
            if isinstance(X, TableStream):
                others = {
                    "Y": Y,
                    "validation_data": validation_data,
                    "sample_weight": sample_weight,
                    "class_weight": class_weight,
                    "validation_split": validation_split,
                }
                examples, stream, validation = streamed_data(
                    self.spec, X, others, bool(shuffle), label_smoothing
                )
                share = 0.0
            else:
                examples, validation, share = data_of(
                    self.spec,
                    as_examples(self.spec, X, _given(Y), sample_weight),
                    validation_data,
                    validation_split,
                    class_weight,
                )
            n_examples = len(examples.X) if stream is None else stream.rows
            optimizer = optimizer_named(optimizer)
            state = checked_state(state, optimizer, self.spec, self._parameters)
            self._own_parameters()
            plan = Plan(
                self._problem(examples, l1, l2),
                optimizer=optimizer,
                engine=engine_for(self.spec, engine, threads, precision),
                epochs=whole_number("epochs", epochs, 0),
                batch_size=min(
                    of_all(whole_number("batch_size", batch_size, 1), ranks), n_examples
                ),
                seed=self.seed,
                max_grad_norm=gradient_bound(max_grad_norm),
                validation=validation,
                metrics=named_metrics(metrics),
                training_metrics=stream is None,
                stream=stream,
                shuffle=bool(shuffle),
                stopping=stopping_rule_of(early_stopping, validation is not None or share > 0),
                epochs_before=self.epochs_trained,
                optimizer_state=None if state is None else state.copy(),
                watched=watches_epochs(callbacks),
                diagnosed=True,
                local_steps=checked_local_steps(local_steps, communicator, callbacks),
            )
            softened = softened_examples(self.spec, examples, label_smoothing)
        checkpointer = open_checkpointer(checkpoint, every, resume, communicator=ranks)
        try:
            if checkpointer is not None:
                seed = checkpointer.keep("seed", self.seed)
                if self._seed_is_drawn:
                    self.seed = seed
                    plan = replace(plan, seed=seed)
            with same_outcome(ranks):
                if share or softened is not examples:
                    plan = set_aside(plan, softened, share)
                plan = across(plan, ranks)
            check_same_plans(plan, {"early stopping": patience_text(plan)})
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
        """Train by a plan, and record a history."""
        first = plan.communicator is None or plan.communicator.rank == 0
        history, progress = History(), Progress() if verbose and first else None
        consumers: list[Callback] = [history, *([progress] if progress else []), *callbacks]
        state = State.of(plan)
        if checkpointer is not None:
            memories = memories_of(callbacks)
            if state.stopping is not None:
                memories["early stopping"] = state.stopping
            checkpointer.attach(plan, state, memories, {"early stopping": patience_text(plan)})
        history.diagnostics = state.diagnostics
        self.history = history

        def note_best(event: Event) -> None:
            if state.stopping is not None:
                history.best_epoch = state.stopping.best_epoch

        self.optimizer_state, ended = None, False  # frees its memory
        try:
            self._conduct(plan, [note_best, *consumers], state, checkpointer)
            ended = True
        except TrainingDivergedError:
            state.memory = None  # it may contain values that are not finite
            raise
        finally:
            self.optimizer_state = continuable(state, ended)
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
        """Train by a plan of this network, and keep `epochs_trained` up to date; see `fit`."""
        counter = _EpochCounter(self, state)
        # It comes first: if a consumer raises, the parameters have been trained for this epoch all
        # the same.
        told: list[Callback] = [counter, *consumers] if consumers else []
        try:
            return fit(plan, told, checkpointer, state, before_epoch)
        finally:
            counter.count()

    @hinting
    def find_learning_rate(
        self,
        X: ArrayLike,
        Y: ArrayLike,
        *,
        optimizer: Optimizer | OptimizerName = "adam",
        batch_size: int = 32,
        lowest: float = 1e-7,
        highest: float = 10.0,
        steps: int = 200,
        sample_weight: ArrayLike | None = None,
        class_weight: Literal["balanced"] | Mapping[int, float] | None = None,
        l1: float = 0.0,
        l2: float = 0.0,
        label_smoothing: float = 0.0,
        max_grad_norm: float | None = None,
        engine: EngineText = "auto",
        threads: int | None = None,
        precision: Precision = "full",
    ) -> RangeTest:
        """Run a learning-rate range test: take steps at increasing rates, and suggest a rate.

        The steps are those that `fit` would take, on a copy of the parameters: the network stays
        unchanged. They end when the loss has grown to four times its minimum. The suggestion is the
        learning rate at which the smoothed loss falls most steeply over the logarithm of the rate
        (fastai's rule); the test is that of Smith 2015, "Cyclical learning rates for training
        neural networks".

        Parameters
        ----------
        X, Y
            As for `fit`.
        optimizer : Optimizer or str, default "adam"
            As for `fit`; its learning rate is replaced.
        batch_size : int, default 32
        lowest, highest : float, default 1e-7 and 10
            The learning rates of the first and the last step; between them, they grow by the same
            factor from step to step.
        steps : int, default 200
        sample_weight, class_weight, l1, l2, label_smoothing, max_grad_norm
            As for `fit`.
        engine, threads, precision
            As for `fit`.

        Returns
        -------
        RangeTest
            `suggestion` is the learning rate, or None if no rate lowers the loss by more than
            chance. A notebook shows the curve.

        Raises
        ------
        InvalidArgumentError
            If an argument is invalid.

        Examples
        --------
        >>> import numpy as np, chainrule as cr
        >>> X = np.random.default_rng(0).normal(size=(500, 4))
        >>> net = cr.Network([4, cr.Dense(8, "tanh"), cr.Dense(1, "identity")], cost="mse", seed=0)
        >>> test = net.find_learning_rate(X, X.sum(axis=1))
        >>> test.suggestion is not None and 0.001 < test.suggestion < 1
        True
        """
        lowest = POSITIVE.checked("lowest", lowest)
        highest = POSITIVE.checked("highest", highest)
        if not lowest < highest:
            raise InvalidArgumentError(
                f"highest: expected a learning rate above lowest={lowest:g}; got {highest:g}"
            )
        examples = class_weighted(
            self.spec, as_examples(self.spec, X, Y, sample_weight), class_weight
        )
        plan = Plan(
            self._problem(softened_examples(self.spec, examples, label_smoothing), l1, l2),
            optimizer=optimizer_named(optimizer),
            engine=engine_for(self.spec, engine, threads, precision),
            epochs=1,
            batch_size=min(whole_number("batch_size", batch_size, 1), len(examples.X)),
            seed=self.seed,
            max_grad_norm=gradient_bound(max_grad_norm),
            epochs_before=self.epochs_trained,
        )
        return range_test(plan, lowest, highest, whole_number("steps", steps, 10))

    @hinting
    def trace(
        self,
        X: ArrayLike,
        Y: ArrayLike,
        *,
        optimizer: Optimizer | OptimizerName = "adam",
        state: OptimizerState | None = None,
        sample_weight: ArrayLike | None = None,
        class_weight: Literal["balanced"] | Mapping[int, float] | None = None,
        l1: float = 0.0,
        l2: float = 0.0,
        label_smoothing: float = 0.0,
        max_grad_norm: float | None = None,
        example: int = 0,
    ) -> Trace:
        """Return every array of one training step on these examples, without changing the network.

        It is the step that `fit` would take: dropout is on, and batch normalisation uses the
        statistics of these examples. A `Tracer` keeps the steps of a training itself.

        Parameters
        ----------
        X, Y, optimizer
            As for `fit`.
        state : OptimizerState, optional
            The optimizer's state before the step: with `optimizer_state`, after a `fit` by the same
            optimizer, the step is the next one of that training. By default the optimizer takes its
            first step.
        sample_weight, class_weight, l1, l2, label_smoothing, max_grad_norm
            As for `fit`.
        example : int, default 0
            The example whose softmax Jacobian is shown, counted from 0.

        Returns
        -------
        Trace
            Printing it gives a table; a notebook shows it as HTML; `save` writes a PDF.

        Raises
        ------
        InvalidArgumentError
            If an argument does not fit, or the learning rate is a schedule whose length the
            training would decide and `state` is not that of the first step.

        Examples
        --------
        >>> import chainrule as cr
        >>> net = cr.Network([1, cr.Dense(1, "identity")], cost="mse", init="zeros", seed=0)
        >>> trace = net.trace([[2.0]], [3.0], optimizer=cr.SGD(0.1))
        >>> trace["δ[1]"].tolist(), trace["new W[1]"].tolist()   # a − y = −3; 0.1 · 3 · 2
        ([[-3.0]], [[0.6000000238418579]])
        """
        optimizer = optimizer_named(optimizer)
        state = checked_state(state, optimizer, self.spec, self._parameters)
        examples = as_examples(self.spec, X, Y, sample_weight)
        examples = class_weighted(self.spec, examples, class_weight)
        examples = softened_examples(self.spec, examples, label_smoothing)
        if whole_number("example", example, 0) >= len(examples.X):
            raise InvalidArgumentError(
                f"example: expected a number from 0 to {len(examples.X) - 1}, one of the examples; "
                f"got {example!r}"
            )
        key = None if state is None else state.noise_key
        return trace_step(
            self._problem(examples, l1, l2),
            UpdateRule(optimizer, gradient_bound(max_grad_norm)),
            state,
            noise_key(self.seed, self.epochs_trained) if key is None else key,
            example=example,
        )

    @hinting
    def check_gradients(
        self,
        X: ArrayLike,
        Y: ArrayLike,
        *,
        sample_weight: ArrayLike | None = None,
        l1: float = 0.0,
        l2: float = 0.0,
        engine: EngineText = "auto",
    ) -> GradientCheck:
        """Compare backpropagation with central differences, block by block, in float64.

        Parameters
        ----------
        X, Y, sample_weight, l1, l2, engine
            As for `fit`. A few dozen examples are enough.

        Returns
        -------
        GradientCheck
            True if every block agrees; printing it gives a table.

        Raises
        ------
        InvalidArgumentError
            If an argument does not fit.
        """
        examples = as_examples(self.spec, X, Y, sample_weight)
        return check_gradients(self._problem(examples, l1, l2), engine_for(self.spec, engine))


class _EpochCounter:
    """A consumer of events that keeps a network's `epochs_trained` up to date."""

    def __init__(self, network: Network, state: State) -> None:
        self._network, self._state = network, state

    def __call__(self, event: Event) -> None:
        self.count()

    def epochs_ended(self, epochs: Epochs) -> None:
        self.count()

    def count(self) -> None:
        self._network.epochs_trained = self._state.epochs_before + self._state.epochs


def _given(Y: ArrayLike | None) -> ArrayLike:
    """Return the targets, if there are any."""
    if Y is None:
        raise InvalidArgumentError(
            "Y: expected the targets of the examples; got None (only a TableStream has its own)"
        )
    return Y
