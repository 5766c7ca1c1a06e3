"""The errors that chainrule raises; each names the argument, what was received, and the remedy."""

import sys
from typing import Self

from chainrule.printable import printable


class ChainruleError(Exception):
    """Base of all errors that chainrule raises on purpose.

    Its text is a single printable line, whatever names of files and columns it quotes.
    """

    def __str__(self) -> str:
        return printable(super().__str__())


class InvalidArgumentError(ChainruleError, ValueError):
    """An argument has a value, shape or type that cannot be used."""


class UnknownArgumentError(ChainruleError, TypeError):
    """A function was called with a keyword argument that it does not have."""


class InvalidTableError(ChainruleError, ValueError):
    """A table cannot be read, or does not fit the model or the arguments."""


class InvalidModelFileError(ChainruleError, ValueError):
    """A file is not a model file, comes from a newer version, or is inconsistent."""


class InvalidCheckpointError(ChainruleError, ValueError):
    """A checkpoint is damaged, comes from a newer version, or is inconsistent."""


class CheckpointInUseError(ChainruleError, RuntimeError):
    """Another training writes to the same checkpoint, or another search to the same journal."""


class CheckpointWriteError(ChainruleError, OSError):
    """A checkpoint cannot be written; the last one is kept."""


class FileWriteError(ChainruleError, OSError):
    """A file cannot be written at the given path; an existing file is left unchanged."""


class TrainingDivergedError(ChainruleError, ArithmeticError):
    """The loss is no longer finite; the network has the last finite parameters."""


class NothingLearnedError(TrainingDivergedError, ValueError):
    """The loss was not finite from the beginning, so nothing was learned."""

    @classmethod
    def of(cls, reason: object) -> Self:
        """Return the error in scikit-learn's words, with what the training itself says."""
        return cls(
            "Solver produced non-finite parameter weights. The input data may contain large values "
            f"and need to be preprocessed: {reason}"
        )


class RankError(ChainruleError, RuntimeError):
    """A rank of a training failed, or the ranks were to train different things."""


class WorkersError(ChainruleError, RuntimeError):
    """Workers cannot be reached, were lost, or would not compute the same bits."""


class TrainingDiagnosisWarning(UserWarning):
    """A problem keeps a network from learning; the message names the layer and the remedy."""


def levels_inside() -> int:
    """Return the `stacklevel` with which a warning points at the user's line of code."""
    frame, level = sys._getframe(1), 1
    while frame.f_back and frame.f_globals.get("__name__", "").startswith(_INSIDE):
        frame, level = frame.f_back, level + 1
    return level


# scikit-learn's wrapper of `fit` stands between the user and the package.
_INSIDE = ("chainrule.", "sklearn.callback", "sklearn.base")
