"""From the rows that a user passes to `fit` to a network and the examples that it is trained on."""

from typing import TypeAlias

import numpy as np
from numpy.typing import ArrayLike

from chainrule.engines.base import Examples
from chainrule.errors import InvalidArgumentError
from chainrule.estimators.array_types import Floats, MatrixLike
from chainrule.estimators.contract import Estimator
from chainrule.estimators.inputs import VALIDATION, Rows, checked_rows
from chainrule.estimators.scaling import (
    dense,
    network_inputs,
    scale_of_inputs,
    within,
)
from chainrule.estimators.validation import HeldOut, split
from chainrule.names import DType
from chainrule.network.layers import Dense, PiecewiseLinearEmbedding
from chainrule.settings.layers import bins_of, codes_of
from chainrule.settings.networks import new_network
from chainrule.tables.encoder import TableEncoder
from chainrule.training.examples import as_weights

GivenData: TypeAlias = tuple[MatrixLike | None, MatrixLike | None, ArrayLike | None]
"""X, y and sample weights as passed by a user."""
Prepared: TypeAlias = tuple[Examples, HeldOut | None, bool]
"""Training examples, validation examples, and whether validation decides when to stop."""

_OTHER_UNIT = (
    "standardize_target=True scales the values, except with loss='poisson'; or use a larger unit"
)


class Preparation(Estimator):
    """The steps of `fit` before the training."""

    def _prepared(
        self,
        rows: Rows,
        targets: Floats,
        held_out: GivenData,
        hidden: tuple[int, ...] | None,
        early: bool,
        stratified: bool = True,
    ) -> Prepared:
        """Return the examples of a training; create the network first if `hidden` has its sizes.

        Parameters
        ----------
        rows : Rows
        targets : array (m, outputs)
        held_out : tuple
            The validation data passed to `fit`.
        hidden : tuple of int, optional
            Sizes of the hidden layers of a new network.
        early : bool
            Whether validation data are needed, and set aside if the user passed none.
        stratified : bool
            Whether data that are set aside have about the same share of every class.
        """
        if rows.reading is not None:
            return self._prepared_table(rows, targets, held_out, hidden, early, stratified)
        inputs = self._inputs(rows)
        if hidden is not None:
            self._initialize(rows, inputs, targets, hidden, self._dtype_for(rows))
        examples = self._examples(rows, inputs, targets)
        validation = self._own_validation(*held_out)
        if early and validation is None:
            early = self._sets_aside(len(targets))
            if early:
                training, aside = self._divided(targets, stratified)
                part = rows.take(aside)
                validation = HeldOut(examples.take(aside), part.X, part.y)
                examples = examples.take(training)
                _check_weights(examples, validation.examples)
        return examples, validation, early

    def _prepared_table(
        self,
        rows: Rows,
        targets: Floats,
        held_out: GivenData,
        hidden: tuple[int, ...] | None,
        early: bool,
        stratified: bool,
    ) -> Prepared:
        """Return the examples of a table's rows; rows that are set aside teach the encoder nothing.

        As a run does, it divides the rows first, so that nothing that the network is given depends
        on validation rows.
        """
        kept, rest = rows, None
        own = any(given is not None for given in held_out)
        if early and not own:
            early = self._sets_aside(len(targets))
            if early:
                training, aside = self._divided(targets, stratified)
                kept, rest = rows.take(training), (rows.take(aside), targets[aside])
                targets = targets[training]
        if hidden is not None:
            self._learn_encoder(kept)
        inputs = self._inputs(kept)
        if hidden is not None:
            self._initialize(kept, inputs, targets, hidden, self._dtype_for(rows))
        examples = self._examples(kept, inputs, targets)
        validation = self._own_validation(*held_out)
        if rest is not None:
            part, its_targets = rest
            its_examples = self._examples(part, self._inputs(part), its_targets)
            validation = HeldOut(its_examples, part.X, part.y)
            _check_weights(examples, validation.examples)
        return examples, validation, early

    def _learn_encoder(self, rows: Rows) -> None:
        """Fit the encoder to a table's training rows; rows of weight 0 count as absent."""
        if self.embeddings is not None:
            raise InvalidArgumentError(
                "embeddings: expected None where X is a table with text or missing values; got "
                f"{self.embeddings!r}. Encode the table with TableEncoder(embed_above=…), and pass "
                "embedded_columns of that encoder with its output"
            )
        assert rows.reading is not None
        table = rows.X if rows.weights is None else rows.X.filter(rows.weights > 0)
        encoder = TableEncoder(scaling="standard" if self.standardize else "none")
        self.encoder_ = encoder.fit_read(table, rows.reading, rows.notes)

    def _dtype_for(self, rows: Rows) -> DType:
        return self.dtype or self._auto_dtype(rows.X)

    def _inputs(self, rows: Rows) -> Floats:
        """Return rows as dense inputs, not yet scaled."""
        return dense(rows.X) if self.encoder_ is None else self.encoder_.encode(rows.X)

    def _initialize(
        self, rows: Rows, inputs: Floats, targets: Floats, hidden: tuple[int, ...], dtype: DType
    ) -> None:
        """Create the network and reset the attributes that a fresh fit starts from."""
        self.n_outputs_ = targets.shape[1]
        self.n_layers_ = len(hidden) + 2
        self._measure_targets(targets, rows.weights)
        self.out_activation_, activation, cost = self._output()
        codes = codes_of(vars(self), inputs.shape[1])
        # An encoder scales the columns that need it itself.
        scales = bool(self.standardize) and self.encoder_ is None
        self._input_scale = scale_of_inputs(inputs, rows.weights, codes) if scales else None
        self.network_ = new_network(
            vars(self),
            inputs.shape[1],
            hidden,
            Dense(self.n_outputs_, activation),
            cost,
            dtype,
            self._random_state,
            self._given_weights,
            self._bins(inputs, rows.weights),
        )
        self._given_weights = {}
        self.n_iter_ = self.t_ = 0

    def _bins(self, inputs: Floats, weights: Floats | None) -> PiecewiseLinearEmbedding | None:
        """Return the layer of bins of unscaled inputs, if the settings ask for one."""
        if not self.numeric_bins:
            return None
        scale = self._input_scale
        return bins_of(vars(self), inputs if scale is None else scale.scaled(inputs), weights)

    def _examples(self, rows: Rows, inputs: Floats, targets: Floats) -> Examples:
        """Return validated rows, and their inputs, in the network's format."""
        spec = self.network_.spec
        features = network_inputs(inputs, self._input_scale, spec, rows.names.X)
        weights = self._with_class_weights(rows.y, rows.weights)
        if weights is not None:
            weights = as_weights(weights, len(targets), spec.dtype, rows.names.weights)
        targets = within(self._in_scale(targets), spec.dtype, rows.names.y, _OTHER_UNIT)
        return Examples(features, targets, weights)

    def _own_validation(
        self, X: MatrixLike | None, y: MatrixLike | None, sample_weight: ArrayLike | None
    ) -> HeldOut | None:
        """Return the validation data passed to `fit`, or None."""
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
        return HeldOut(self._examples(rows, self._inputs(rows), targets), rows.X, rows.y)

    def _divided(self, targets: Floats, stratified: bool) -> tuple[np.ndarray, np.ndarray]:
        """Return the places of the training rows, and of the rows that are set aside."""
        return split(
            len(targets),
            self.validation_fraction,
            self._strata(targets) if stratified else None,
            self._random_state,
            self._stratum,
        )


def _check_weights(training: Examples, aside: Examples) -> None:
    """Raise if all examples of a part have the weight 0."""
    for part, which in ((training, "left to train on"), (aside, "set aside")):
        if not part.weight > 0:
            raise InvalidArgumentError(
                f"sample_weight: expected some weight > 0 among the examples {which}; got none. "
                "Change validation_fraction or random_state, or leave out examples of weight 0"
            )
