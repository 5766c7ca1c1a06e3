"""The errors that chainrule raises: each names the argument, what came and the remedy."""

from typing import Self

from chainrule.printable import printable


class ChainruleError(Exception):
    """Base of every error that chainrule raises on purpose.

    Its text is one line that can be printed, whatever names of files and columns are in it.
    """

    def __str__(self) -> str:
        return printable(super().__str__())


class InvalidArgumentError(ChainruleError, ValueError):
    """An argument has a value, shape or type that cannot be used."""


class InvalidTableError(ChainruleError, ValueError):
    """A table cannot be read, or does not fit what is asked of it."""


class InvalidModelFileError(ChainruleError, ValueError):
    """A file is not a model file, comes from a newer version, or contradicts itself."""


class InvalidCheckpointError(ChainruleError, ValueError):
    """A checkpoint is damaged, comes from a newer version, or contradicts itself."""


class CheckpointInUseError(ChainruleError, RuntimeError):
    """Another training writes to the same checkpoint, or another search to the same journal."""


class CheckpointWriteError(ChainruleError, OSError):
    """A checkpoint cannot be written; what was written before stays."""


class FileWriteError(ChainruleError, OSError):
    """A file cannot be written where it was asked for; nothing that was there has changed."""


class TrainingDivergedError(ChainruleError, ArithmeticError):
    """The loss stopped being finite; the network holds the last parameters that were."""


class NothingLearnedError(TrainingDivergedError, ValueError):
    """The loss was not finite from the first: there is no training to speak of."""

    @classmethod
    def of(cls, reason: object) -> Self:
        """Return the error in scikit-learn's words, with what the training itself says."""
        return cls(
            "Solver produced non-finite parameter weights. The input data may contain large values "
            f"and need to be preprocessed: {reason}"
        )


class TrainingDiagnosisWarning(UserWarning):
    """Something keeps a network from learning; the message names the layer and the remedy."""
