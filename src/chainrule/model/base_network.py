"""A network as a function: its description, its parameters, its outputs, its loss and its file."""

import warnings
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Self

import numpy as np
from numpy.typing import ArrayLike

from chainrule.arguments import hinting
from chainrule.checks import whole_number
from chainrule.engines import engine_for, engine_for_predictions, quick_predictor
from chainrule.engines.base import Examples, Floats, Penalties, Problem
from chainrule.engines.memory import is_readable, readable, writable
from chainrule.engines.optimizer import OptimizerState
from chainrule.errors import InvalidArgumentError
from chainrule.files.model_file import ModelFile, write_model_file
from chainrule.limits import NOT_NEGATIVE
from chainrule.model.summary import network_summary
from chainrule.names import CostText, DType, EngineText, InitializerName, PredictionPrecision
from chainrule.network.cost import CustomCost
from chainrule.network.layers import Layer
from chainrule.network.parameters import (
    group_views,
    initial_parameters,
    named_views,
    parameter_count,
)
from chainrule.network.random import draw_seed
from chainrule.network.spec import NetworkSpec
from chainrule.pictures.network_drawing import network_drawing
from chainrule.pictures.picture import Picture
from chainrule.pictures.tables import Tables
from chainrule.training.examples import as_examples, as_features, check_unmasked
from chainrule.training.history import History


class BaseNetwork:
    """A network as a function of its inputs and parameters; `Network` adds the training."""

    _incomplete = ""
    """What a file of the network alone lacks, if the network is a part of another model."""

    optimizer_state: OptimizerState | None = None
    """See `Network`; pickled networks of earlier releases have none."""

    @hinting
    def __init__(
        self,
        layers: Sequence[int | Layer],
        cost: CostText | CustomCost,
        *,
        seed: int | None = None,
        dtype: DType | np.dtype[Any] | type[np.floating] = "float32",
        init: InitializerName = "auto",
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
            np.dtype(dtype).name if isinstance(dtype, type | np.dtype) else dtype,  # type: ignore[arg-type]
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
        self.optimizer_state = None
        self._parameters = parameters
        self._quick: Callable[[Floats, ArrayLike], Floats | None] | None = None

    def __getstate__(self) -> dict[str, Any]:
        # The quick predictor belongs to the compiled core of this process and cannot be pickled.
        return self.__dict__ | {"_quick": None}

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__.update(state)
        self._parameters = readable(self._parameters)

    @classmethod
    def from_parameters(cls, spec: NetworkSpec, parameters: Floats, *, seed: int = 0) -> Self:
        """Return a network with the given specification and parameters, which are not copied.

        Parameters
        ----------
        spec : NetworkSpec
        parameters : array (number of parameters,)
            Of the specification's dtype. The network shares its memory: a change of one is a change
            of the other. A read-only array is copied before the network first changes it.
        seed : int, default 0
            Determines the order of examples in `fit`.

        Returns
        -------
        Network

        Raises
        ------
        InvalidArgumentError
            If the vector's shape, type or memory layout does not fit.
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
                "parameters: expected a contiguous, aligned array, since the network shares its "
                f"memory; got strides of {parameters.strides[0]} bytes"
                f"{'' if parameters.flags.aligned else ', not aligned'}. "
                "Pass a copy: parameters.copy()"
            )
        net = cls.__new__(cls)
        net._set(spec, parameters, whole_number("seed", seed, 0), 0)
        return net

    @classmethod
    def _from_file(cls, model: ModelFile) -> Self:
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
        """Return the parameters for writing; read-only ones are replaced by a copy."""
        self._parameters = writable(self._parameters)
        return self._parameters

    @property
    def weights(self) -> list[Floats]:
        """Weights W of each dense layer in turn, (n[l], n[l−1]); views into `parameters`.

        Those of a `GroupedDense` layer with G groups are (n[l], n[l−1]/G). Those of a
        `BatchEnsemble` of K members are (n[l]/K, n[l−1]/K), or (n[l]/K, n[l−1]) if the members
        share their inputs.
        """
        return named_views(self.spec, self._parameters, "W")

    @property
    def biases(self) -> list[Floats]:
        """Biases b of each dense layer in turn, (n[l],); views into `parameters`."""
        return [b.reshape(-1) for b in named_views(self.spec, self._parameters, "b")]

    @property
    def embeddings(self) -> list[Floats]:
        """Tables E of a `CategoryEmbedding`, (codes, dimension) each; views into `parameters`."""
        return group_views(self.spec, self._parameters, "embeddings")

    @hinting
    def predict(
        self,
        X: ArrayLike,
        *,
        engine: EngineText = "auto",
        precision: PredictionPrecision = "full",
    ) -> Floats:
        """Return the outputs A[L] for examples, one per row.

        Parameters
        ----------
        X : array (m, n[0])
        engine : str, default "auto"
        precision : {"full", "split"}, default "full"
            "split": the products of float32 layers of at least 256 inputs and units as sums of
            products of bfloat16 pieces, as in `Network.fit`: the sums err less, and wide layers are
            faster. It takes a CPU with AMX; elsewhere a warning says so and the products are those
            of float32.

        Returns
        -------
        outputs : array (m, n[L])
            Probabilities if the output activation is softmax or sigmoid, values if it is identity.

        Raises
        ------
        InvalidArgumentError
            If X does not fit the network, or an argument is invalid.
        """
        if engine == "auto" and precision == "full":
            if self._quick is None:
                self._quick = quick_predictor(self.spec)
            outputs = None if X is None else self._quick(self._parameters, X)
            if outputs is not None:
                return outputs
        features = as_features(self.spec, X)
        outputs = np.empty((len(features), self.spec.n_outputs), self.spec.dtype)
        chosen = engine_for_predictions(self.spec, engine, precision)
        chosen.forward(self.spec, self._parameters, features, outputs)
        return outputs

    @hinting
    def loss(
        self,
        X: ArrayLike,
        Y: ArrayLike,
        *,
        sample_weight: ArrayLike | None = None,
        l1: float = 0.0,
        l2: float = 0.0,
        engine: EngineText = "auto",
    ) -> float:
        """Return J, the mean cost over the examples, plus any penalties.

        As in `predict`, dropout is off, and batch normalisation uses its running statistics.

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

    @hinting
    def loss_and_gradient(
        self,
        X: ArrayLike,
        Y: ArrayLike,
        *,
        sample_weight: ArrayLike | None = None,
        l1: float = 0.0,
        l2: float = 0.0,
        engine: EngineText = "auto",
    ) -> tuple[float, Floats]:
        """Return J plus penalties, and its gradient: one vector laid out like `parameters`.

        As in `loss`, J is computed from the outputs of `predict`; the gradient of running
        statistics is 0.

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

    def _problem(self, examples: Examples, l1: float, l2: float) -> Problem:
        """Return the minimisation problem over some examples."""
        return Problem(self.spec, self._parameters, examples, _penalties(l1, l2))

    def summary(self) -> Tables:
        """Return a table of the layers: their kinds, units, shapes and parameters.

        Returns
        -------
        Tables
            Printing it gives text of at most 80 columns; a notebook shows HTML; `figure` draws it.

        Examples
        --------
        >>> import chainrule as cr
        >>> cr.Network([2, cr.Dense(3, "relu"), cr.Dense(1, "identity")], cost="mse").summary()
        layer  kind            units  parameters    number
        ─────  ──────────────  ─────  ────────────  ──────
        0      inputs              2
        1      dense relu          3  W 3×2, b 3×1       9
        2      dense identity      1  W 1×3, b 1×1       4
        <BLANKLINE>
        13 parameters; 52 bytes in float32
        cost mse; trained for 0 epochs
        """
        return network_summary(self.spec, self.epochs_trained)

    def draw(
        self,
        feature_names: Sequence[str] | None = None,
        class_names: Sequence[str] | None = None,
    ) -> Picture:
        """Return a drawing of the network: edges are weights, circles are units and their biases.

        Of a layer with more than 32 units, only the first and last ones are drawn. The drawing
        shows the parameters as they are now.

        Parameters
        ----------
        feature_names, class_names : sequences of str, optional
            Names of the inputs and of the outputs.

        Returns
        -------
        Picture
            A notebook shows it; `figure` gives a matplotlib figure, and `save` writes a file.

        Raises
        ------
        InvalidArgumentError
            If the number of names is not that of the inputs or outputs.
        """
        return network_drawing(self.spec, self._parameters.copy(), feature_names, class_names)

    def save(self, path: str | Path) -> None:
        """Write the network to a safetensors file, whole or not at all.

        Parameters
        ----------
        path : str or Path
            By convention it ends in .safetensors; an existing file is replaced.

        Raises
        ------
        OSError
            If the file cannot be written; an existing file is then left unchanged.
        InvalidArgumentError
            If the cost is a `CustomCost`: a file holds data only, no functions.

        Warns
        -----
        UserWarning
            If the network is that of an estimator which scales, encodes or names classes: the file
            of the network alone lacks these parts.
        """
        write_model_file(path, self._to_file())
        if self._incomplete:
            warnings.warn(f"save: {self._incomplete}", stacklevel=2)

    def belongs_to(self, owner: str, lacking: Sequence[str]) -> None:
        """Record which larger model uses the network, and what a file of the network lacks.

        `save` then warns, unless nothing is lacking.

        Parameters
        ----------
        owner : str
            The kind of the model, such as "NetworkClassifier".
        lacking : sequence of str
            Such as "the scaling of its inputs".
        """
        self._incomplete = ""
        if lacking:
            *rest, last = lacking
            listed = f"{', '.join(rest)} and {last}" if rest else last
            self._incomplete = (
                f"this network is a part of a {owner}, and its file lacks {listed}: save the "
                f"{owner} itself (its method save)"
            )

    def _to_file(self) -> ModelFile:
        metadata = {"seed": str(self.seed), "epochs_trained": str(self.epochs_trained)}
        return ModelFile(self.spec, self._parameters, metadata)


def _penalties(l1: float, l2: float) -> Penalties:
    return Penalties(NOT_NEGATIVE.checked("l1", l1), NOT_NEGATIVE.checked("l2", l2))


def _whole(text: str) -> int:
    # int() raises for thousands of digits, and no genuine seed has a hundred.
    return int(text) if text.isdecimal() and len(text) <= 100 else 0
