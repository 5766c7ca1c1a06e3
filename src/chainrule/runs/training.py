"""Trains a model on a table by a config, and returns it with its history and scores."""

import platform
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from chainrule.assessment.training_profile import KEY, TrainingProfile
from chainrule.communication.communicator import Communicator
from chainrule.ensembles.members import BEST, MemberEnded
from chainrule.model.background import Background
from chainrule.model.conformal import Conformal
from chainrule.model.embeddings import embedded_columns
from chainrule.runs.command import call_of, command_of
from chainrule.runs.config import RunConfig
from chainrule.runs.ensemble_fit import EnsembleRows, fit_best
from chainrule.runs.learned_target import (
    Residual,
    against_constant,
    fitted_target,
    smeared_target,
)
from chainrule.runs.notes import Findings, findings, notes_on_predictions
from chainrule.runs.options import TrainingOptions
from chainrule.runs.parts import Parts, Table, divide
from chainrule.runs.plan import Describing, Description, EncodedRows
from chainrule.runs.presets import resolved
from chainrule.runs.run import Run
from chainrule.runs.run_fit import Checkpointing, FittedNetwork, fit
from chainrule.runs.streamed_rows import EncodedStream
from chainrule.runs.table_model import TableModel
from chainrule.tables.encoder import TableEncoder
from chainrule.tables.row_numbers import RowNumbers
from chainrule.tables.target import TargetEncoder, mean_and_deviation
from chainrule.training.events import Callback
from chainrule.workers.base import Workers

if TYPE_CHECKING:
    import polars as pl


@dataclass(frozen=True)
class PreparedRun:
    """A table prepared for training; `fit` trains a model and may be called repeatedly.

    Parameters
    ----------
    config : RunConfig
        The resolved config: every setting that applies has a value.
    parts : Parts
    encoder : TableEncoder
        Fitted on the training rows.
    target : TargetEncoder
        Fitted on the training rows, but with the classes of all rows.
    training, validation : EncodedRows
    asked : TrainingOptions
        The options as the user gave them; None where the user set no value.
    notes : tuple of str
        Notes on the table for the user: what was left out, and what may be leakage.
    findings : Findings
        Findings that affect how far the scores can be trusted.

    Examples
    --------
    >>> import polars as pl
    >>> from chainrule.runs.config import RunConfig
    >>> from chainrule.runs.training import PreparedRun
    >>> table = pl.DataFrame({"size": range(100), "price": [3.0 * i + 5 for i in range(100)]})
    >>> run = PreparedRun.prepare(RunConfig.of({"target": "price", "epochs": 2}), table)
    >>> run.fit().history.columns[:3]
    ['epoch', 'loss', 'validation_loss']
    """

    config: RunConfig
    parts: Parts
    encoder: TableEncoder
    target: TargetEncoder
    training: EncodedRows
    validation: EncodedRows
    asked: TrainingOptions
    notes: tuple[str, ...]
    findings: Findings = field(default_factory=Findings)

    @classmethod
    def prepare(
        cls, config: RunConfig, table: Table | None = None, test: Table | None = None
    ) -> "PreparedRun":
        """Read the table, divide it, and encode its rows.

        Parameters
        ----------
        config : RunConfig
        table : polars or pandas DataFrame, or Arrow table, optional
            Used instead of the file named in the config.
        test : polars or pandas DataFrame, or Arrow table, optional
            Used instead of the file that the config names to test with.

        Raises
        ------
        InvalidTableError, InvalidArgumentError
            If a table or a setting cannot be used.
        """
        return cls.of_parts(config, divide(config, table, test))

    @classmethod
    def of_parts(cls, config: RunConfig, parts: Parts) -> "PreparedRun":
        """Encode the rows of a table that has been read and divided.

        Raises
        ------
        InvalidTableError, InvalidArgumentError
            If a column or a setting cannot be used.
        """
        options = config.encoding
        # Options that are None are left to the defaults of TableEncoder.
        given = {
            name: getattr(options, name)
            for name in ("scaling", "max_categories", "min_frequency", "embed_above", "categorical")
            if getattr(options, name) is not None
        }
        # Fitted on the training rows only: statistics of other rows would leak into the inputs.
        target, told = fitted_target(parts, config)
        encoder = TableEncoder(**given).fit_read(parts.train.select(parts.features), parts.reading)
        n_train, n_validation = parts.n_train, parts.validation.height
        # Kept unresolved: a search varies only the settings that are None here.
        asked = config.training
        notes = [*parts.notes]
        if config.data.task == "auto" and not parts.inferred:
            notes.append(
                f"the loss {asked.loss} asks for a {parts.task}, where the values of "
                f"{target.name!r} alone would make it another task"
            )
        # Inferred values and defaults are recorded, so that run.toml states them explicitly.
        config = replace(
            config,
            data=replace(config.data, task=parts.task, ignore=parts.ignored, split=parts.shares),
            encoding=replace(
                options, scaling=encoder.scaling, max_categories=encoder.max_categories
            ),
            training=resolved(config.training, parts.task, n_train, n_train + n_validation),
        )
        notes += told
        notes += [str(note) for note in encoder.dropped_]
        found = findings(parts, config.data)
        notes += found.before
        training, validation = (
            _encoded(part, parts.numbers[name], encoder, target)
            for name, part in (("train", parts.train), ("validation", parts.validation))
        )
        return cls(config, parts, encoder, target, training, validation, asked, tuple(notes), found)

    @property
    def command(self) -> str:
        """The command that repeats the run, or the call of `train` if the table was not a file."""
        n_train, n_validation = self.parts.n_train, self.parts.validation.height
        spell = command_of if self.config.data.table else call_of
        return spell(self.config, self.parts.inferred, n_train, n_train + n_validation)

    def description(
        self,
        options: TrainingOptions | None = None,
        training: EncodedRows | None = None,
        validation: EncodedRows | None = None,
        random: np.random.RandomState | None = None,
        communicator: Communicator | None = None,
    ) -> Description:
        """Return what describes a training: its network, untrained, and its plan.

        Each training takes a new one, since the random numbers are drawn from it. The arguments are
        by default those of the run.
        """
        return self.describing(options, training, validation, random, communicator)

    @property
    def describing(self) -> Describing:
        """The part of this run that describes its trainings."""
        stream = self.parts.stream
        return Describing(
            self.config.training,
            self.target,
            self.training,
            self.validation,
            tuple(embedded_columns(self.encoder)),
            None if stream is None else EncodedStream(stream, self.encoder, self.target),
        )

    @property
    def is_ensemble(self) -> bool:
        """Whether it trains an ensemble of many networks."""
        return bool(self.config.training.quality == BEST)

    def train(
        self,
        callbacks: Sequence[Callback] = (),
        checkpointing: Checkpointing | None = None,
        told: Callable[[MemberEnded], object] | None = None,
        workers: Workers | None = None,
        communicator: Communicator | None = None,
    ) -> FittedNetwork:
        """Train a network on the training rows, or an ensemble on these and the validation rows.

        A callback with a method ``run_begins`` is first called there with this run. Of an ensemble,
        callbacks see the first network's training, `told` is called after each network, and
        `workers` train the others. With a communicator, all of its ranks train the network
        together; an ensemble has none.

        Raises
        ------
        InvalidArgumentError, TrainingDivergedError, Interrupted
            See `chainrule.runs.run_fit.fit`.
        """
        for callback in callbacks:
            begins = getattr(callback, "run_begins", None)
            if callable(begins):
                begins(self)
        if self.is_ensemble:
            whole, rows = self.description(), self._ensemble_rows()
            task = self.target.task
            describing = self.describing
            return fit_best(describing, whole, rows, task, callbacks, checkpointing, told, workers)
        return fit(self.description(communicator=communicator), callbacks, checkpointing)

    def fit(
        self,
        callbacks: Sequence[Callback] = (),
        checkpointing: Checkpointing | None = None,
        told: Callable[[MemberEnded], object] | None = None,
        workers: Workers | None = None,
    ) -> Run:
        """Train a network and evaluate it; see `train`."""
        return self.judged(self.train(callbacks, checkpointing, told, workers=workers))

    def model_of(
        self, fitted: FittedNetwork, details: Mapping[str, Any] | None = None
    ) -> TableModel:
        """Return a trained network as a table model."""
        # The correction of a transformed target needs residuals, so it follows the training.
        target = self._smeared(fitted)
        model = TableModel(fitted.network, self.encoder, target)
        found = fitted.out_of_fold
        if found is None:
            true = target.truth(self.parts.validation[target.name])
            scores = model.scores_of(self.validation.X, true)
        else:
            parts = (self.parts.train, self.parts.validation)
            true = np.concatenate([target.truth(part[target.name]) for part in parts])
            scores = model.scores_of_outputs(found.outputs, true[found.rows])
        return TableModel(
            fitted.network,
            self.encoder,
            target,
            details,
            background=Background.summary(fitted.network, self.training.X),
            conformal=Conformal.of(scores),
        )

    def _smeared(self, fitted: FittedNetwork) -> TargetEncoder:
        target, loss, found = self.target, self.config.training.loss, fitted.out_of_fold
        # Residuals take predictions, which few targets need: hence functions.
        if found is not None:
            y = np.concatenate([self.training.y, self.validation.y])
            return smeared_target(
                target, loss, lambda: Residual(y[found.rows], found.outputs), None
            )
        network = fitted.network
        return smeared_target(
            target,
            loss,
            lambda: Residual.of(network, self.validation),
            lambda: Residual.of(network, self.training),
        )

    def _ensemble_rows(self) -> EnsembleRows:
        data, part = self.config.data, self.parts.train
        return EnsembleRows.of(
            self.training,
            self.validation,
            self.config.training.seed,
            self.training.y if self.target.task == "classification" else None,
            part[data.group] if data.group else None,
            part[data.time] if data.time else None,
        )

    def validating(self, fitted: FittedNetwork, model: TableModel) -> TableModel:
        """Return the model that validation rows are scored by, which has not learned from them."""
        if fitted.out_of_fold is None:
            return model
        return TableModel(fitted.out_of_fold.validating, self.encoder, model.target)

    def judged(self, fitted: FittedNetwork, notes: Sequence[str] = ()) -> Run:
        """Return a trained network as a table model, with its scores."""
        model = self.model_of(fitted)
        validating = self.validating(fitted, model)
        scores = {}
        for name, part in self.parts.tables().items():
            with self.parts.numbers[name].naming():
                scores[name] = (validating if name == "validation" else model).evaluate(part)
        details: dict[str, Any] = {
            "command": self.command,
            "config": self.config.values(),
            "rows": self.parts.heights(),
            "epochs": len(fitted.history),
            "best_epoch": fitted.best_epoch,
            "scores": scores,
            "versions": versions(),
        }
        if self.target.task == "regression":
            learned = model.target.truth(self.parts.train[self.target.name])
            details["target"] = dict(
                zip(("mean", "deviation"), mean_and_deviation(learned), strict=True)
            )
        details[KEY] = TrainingProfile.of(model, self.parts.train, self._held_out()).to_json()
        if fitted.out_of_fold is not None:
            details["ensemble"] = fitted.out_of_fold.summary.to_details()
        if fitted.temperature is not None:
            details["temperature"] = fitted.temperature.to_details()
        # The details contain the scores, which need a model: hence a second one with details.
        model = TableModel(
            fitted.network,
            self.encoder,
            model.target,
            details,
            background=model.background,
            conformal=model.conformal,
        )
        rest = {"validation": self.parts.validation, "test": self.parts.test}
        if fitted.out_of_fold is not None:
            del rest["validation"]  # the ensemble has learned from these rows
        worse = against_constant(model, self.config.training.loss, self.parts.train, rest)
        never = notes_on_predictions(scores, self.target.name)
        beside = self.findings.beside_scores
        notes = (*notes, *fitted.notes, *worse, *never, *beside)
        return Run(
            self.config,
            model,
            fitted.history,
            scores,
            self.notes,
            notes,
            self.parts,
            validating=validating if self.is_ensemble else None,
        )

    def _held_out(self) -> "pl.DataFrame":
        """Return rows of the run's table that the profile of the training compares with."""
        validation, test = self.parts.validation, self.parts.test
        if self.config.data.test:
            return validation
        return test if self.is_ensemble else validation.vstack(test)


def _encoded(
    part: "pl.DataFrame", numbers: RowNumbers, encoder: TableEncoder, target: TargetEncoder
) -> EncodedRows:
    with numbers.naming():
        return EncodedRows(encoder.encode(part), target.encode(part[target.name]))


def versions() -> dict[str, str]:
    """Return the versions and the instruction set on which a run's numbers depend."""
    import polars as pl

    from chainrule import __version__
    from chainrule.engines.extension import native

    return {
        "chainrule": __version__,
        "Python": platform.python_version(),
        "NumPy": np.__version__,
        "polars": pl.__version__,
        "instruction set": "none" if native is None else native.instruction_set(),
    }
