"""From a table and a config to a trained model, its history and its scores."""

import platform
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from chainrule.inspection.attribution import behind_lookup
from chainrule.model.embeddings import embedded_columns
from chainrule.model.table_model import TableModel
from chainrule.runs.command import command_of
from chainrule.runs.config import RunConfig
from chainrule.runs.learned_target import (
    against_constant,
    fitted_target,
    smeared_target,
)
from chainrule.runs.options import TrainingOptions
from chainrule.runs.parts import Parts, divide
from chainrule.runs.plan import Description, EncodedRows
from chainrule.runs.presets import resolved
from chainrule.runs.run_fit import Checkpointing, FittedNetwork, fit
from chainrule.tables.encoder import TableEncoder
from chainrule.tables.leakage import suspicious_columns
from chainrule.tables.target import TargetEncoder, mean_and_deviation
from chainrule.training.events import Callback
from chainrule.training.history import History

if TYPE_CHECKING:
    import polars as pl


@dataclass(frozen=True)
class Trained:
    """What a run made."""

    config: RunConfig
    model: TableModel
    history: History
    scores: Mapping[str, Mapping[str, Any]]
    """`TableModel.evaluate` of each part: train, validation and test."""
    notes: tuple[str, ...]
    """What went otherwise than asked for."""

    @property
    def command(self) -> str:
        """The command that repeats the run."""
        return str(self.model.details["command"])


@dataclass(frozen=True)
class Run:
    """A table ready to learn from; `fit` trains, and may be called again with other options.

    Parameters
    ----------
    config : RunConfig
        With every setting that matters decided.
    parts : Parts
    encoder : TableEncoder
        Fitted on the training rows.
    target : TargetEncoder
        Fitted on the training rows; it knows the classes of all rows.
    training, validation : EncodedRows
    asked : TrainingOptions
        The options as they were given, undecided ones None.
    notes : tuple of str
        What a person should know of the table: what was left out, and what may be leakage.

    Examples
    --------
    >>> import polars as pl
    >>> from chainrule.runs.config import RunConfig
    >>> from chainrule.runs.training import Run
    >>> table = pl.DataFrame({"size": range(100), "price": [3.0 * i + 5 for i in range(100)]})
    >>> run = Run.prepare(RunConfig.of({"target": "price", "epochs": 2}), table)
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

    @classmethod
    def prepare(cls, config: RunConfig, table: "pl.DataFrame | None" = None) -> "Run":
        """Read and divide the table, and encode its rows.

        Parameters
        ----------
        config : RunConfig
        table : polars.DataFrame, optional
            In the place of the file that the config names.

        Raises
        ------
        InvalidTableError, InvalidArgumentError
            If a table or a setting cannot be used.
        """
        parts = divide(config, table)
        options = config.encoding
        given = {
            name: getattr(options, name)
            for name in ("scaling", "max_categories", "min_frequency", "embed_above", "categorical")
            if getattr(options, name) is not None
        }
        target, told = fitted_target(parts, config)
        encoder = TableEncoder(**given).fit_read(parts.train.select(parts.features), parts.reading)
        n_train, n_validation = parts.train.height, parts.validation.height
        asked = config.training
        notes = [*parts.notes]
        if config.data.task == "auto" and not parts.inferred:
            notes.append(
                f"the loss {asked.loss} asks for a {parts.task}, where the values of "
                f"{target.name!r} alone would make it another task"
            )
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
        leaks = suspicious_columns(
            parts.train.select(parts.features), parts.train[target.name], parts.task
        )
        notes += [leak.sentence for leak in leaks]
        training, validation = (
            EncodedRows(encoder.encode(part), target.encode(part[target.name]))
            for part in (parts.train, parts.validation)
        )
        return cls(config, parts, encoder, target, training, validation, asked, tuple(notes))

    @property
    def command(self) -> str:
        """The command that repeats the run."""
        n_train, n_validation = self.parts.train.height, self.parts.validation.height
        return command_of(self.config, self.parts.inferred, n_train, n_train + n_validation)

    def train(
        self, callbacks: Sequence[Callback] = (), checkpointing: Checkpointing | None = None
    ) -> FittedNetwork:
        """Train a network on the training rows.

        Raises
        ------
        InvalidArgumentError, TrainingDivergedError, Interrupted
            As `chainrule.runs.run_fit.fit` says.
        """
        description = Description(
            self.config.training,
            self.target,
            self.training,
            self.validation,
            embedded_columns(self.encoder),
        )
        return fit(description, callbacks, checkpointing)

    def fit(
        self, callbacks: Sequence[Callback] = (), checkpointing: Checkpointing | None = None
    ) -> Trained:
        """Train a network and judge it; see `train`."""
        return self.judged(self.train(callbacks, checkpointing))

    def _mean_input(self, fitted: FittedNetwork) -> list[float]:
        """Return the mean training row, as the first layer that is not one of embeddings has it."""
        network = fitted.network
        _, _, X = behind_lookup(network.spec, network.parameters, self.training.X)
        mean: NDArray[np.float64] = X.mean(axis=0, dtype=np.float64)
        return [float(number) for number in mean]

    def model_of(
        self, fitted: FittedNetwork, details: Mapping[str, Any] | None = None
    ) -> TableModel:
        """Return a trained network as a model of tables."""
        target = smeared_target(
            self.target, fitted.network, self.config.training.loss, self.training, self.validation
        )
        return TableModel(fitted.network, self.encoder, target)

    def judged(self, fitted: FittedNetwork, notes: Sequence[str] = ()) -> Trained:
        """Return a trained network as a model of tables, with its scores."""
        model = self.model_of(fitted)
        scores = {name: model.evaluate(part) for name, part in self.parts.tables().items()}
        details: dict[str, Any] = {
            "command": self.command,
            "config": self.config.values(),
            "rows": {name: part.height for name, part in self.parts.tables().items()},
            "epochs": len(fitted.history),
            "best_epoch": fitted.best_epoch,
            "scores": scores,
            "versions": versions(),
            "mean_input": self._mean_input(fitted),
        }
        if self.target.task == "regression":
            learned = model.target.truth(self.parts.train[self.target.name])
            details["target"] = dict(
                zip(("mean", "deviation"), mean_and_deviation(learned), strict=True)
            )
        model = TableModel(fitted.network, self.encoder, model.target, details)
        rest = {"validation": self.parts.validation, "test": self.parts.test}
        worse = against_constant(model, self.config.training.loss, self.parts.train, rest)
        notes = (*notes, *fitted.notes, *worse)
        return Trained(self.config, model, fitted.history, scores, notes)


def versions() -> dict[str, str]:
    """Return the versions of what a run's numbers depend on."""
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
