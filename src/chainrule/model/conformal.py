"""The scores of calibration rows, from which intervals and sets of a given coverage are made."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from chainrule.checks import is_real, json_from_file, shown
from chainrule.equations.conformal import conformal_rank
from chainrule.errors import InvalidArgumentError, InvalidModelFileError

KEY = "conformal"
"""The header entry of a model file, and what the names of the arrays start with."""

MOST_SCORES = 4096
"""More scores are thinned out to this many, so that a model file stays small."""


@dataclass(frozen=True, eq=False)
class Conformal:
    """The sorted scores of calibration rows: CP1 for values, CP4 for classes.

    Parameters
    ----------
    scores : array (at most `MOST_SCORES`, outputs)
        Sorted, for each output; of more rows, evenly spaced ranks, with the largest score.
    rows : int
        Number of calibration rows.

    Examples
    --------
    >>> import numpy as np
    >>> from chainrule.model.conformal import Conformal
    >>> Conformal.of(np.array([0.5, 0.1, 0.9])).quantile(0.5)
    array([0.5])
    """

    scores: NDArray[np.float64] = field(repr=False)
    rows: int

    @classmethod
    def of(cls, scores: NDArray[np.floating]) -> "Conformal | None":
        """Return the scores of rows, (rows,) or (rows, outputs); None if there are no rows."""
        m = len(scores)
        if m == 0:
            return None
        given = np.asarray(scores, np.float64).reshape(m, -1)
        # A prediction that is not a number fits nothing.
        ranked = np.sort(np.where(np.isnan(given), np.inf, given), axis=0)
        kept = min(m, MOST_SCORES)
        # The rank of entry j, counted from 0, is ⌈(j + 1) m / kept⌉.
        return cls(ranked[-(np.arange(1, kept + 1) * -m // kept) - 1], m)

    def quantile(self, coverage: object, name: str = "coverage") -> NDArray[np.float64]:
        """Return q of CP2 for each output.

        Of thinned scores, it is the next larger one, so the coverage is never too low.

        Parameters
        ----------
        coverage : float
            In (0, 1).
        name : str
            The name of the user's argument, for errors.

        Raises
        ------
        InvalidArgumentError
            If `coverage` is not in (0, 1), or there are too few rows for it.
        """
        asked = checked_coverage(coverage, name)
        rank = conformal_rank(self.rows, asked)
        if rank > self.rows:
            # Rounded up, like the rank: m + 1 ≥ 1/(1 − c).
            needed = -(-round(asked / (1 - asked), 6) // 1)
            raise InvalidArgumentError(
                f"{name}: {asked:g} needs at least {needed:,.0f} validation rows; the model has "
                f"{self.rows:,}, enough for up to {self.highest:g}. Ask for less, or train with "
                "more validation rows"
            )
        kept = len(self.scores)
        return np.array(self.scores[-(rank * -kept // self.rows) - 1])

    @property
    def highest(self) -> float:
        """The highest coverage that is possible with these rows, rounded down to four digits."""
        return float(np.floor(self.rows / (self.rows + 1) * 1e4) / 1e4)

    def to_file(self) -> tuple[dict[str, str], dict[str, NDArray[Any]]]:
        """Return header entries and arrays for a model file."""
        return {KEY: f'{{"rows": {self.rows}}}'}, {f"{KEY}.scores": self.scores}

    @classmethod
    def from_file(
        cls, metadata: Mapping[str, str], arrays: Mapping[str, NDArray[Any]], outputs: int = 1
    ) -> "Conformal | None":
        """Build what `to_file` wrote; None if the file holds none, like those of older versions.

        Raises
        ------
        InvalidModelFileError
            If the entries contradict each other.
        """
        if KEY not in metadata:
            return None
        try:
            found = cls.checked(arrays[f"{KEY}.scores"], json_from_file(metadata[KEY])["rows"])
            if found.scores.shape[1] != outputs:
                raise ValueError(f"scores of {found.scores.shape[1]} outputs, not {outputs}")
        except (ValueError, KeyError, TypeError, RecursionError) as error:
            raise InvalidModelFileError(
                f"its calibration scores cannot be used ({type(error).__name__}: {error})"
            ) from error
        return found

    @classmethod
    def checked(cls, scores: Any, rows: Any) -> "Conformal":
        """Return the scores that a file holds.

        Raises
        ------
        ValueError
            If they are not sorted scores of this number of rows.
        """
        if type(rows) is not int or not 1 <= rows < 2**53:
            raise ValueError("the number of rows is not a whole number above 0")
        if not isinstance(scores, np.ndarray) or scores.dtype != np.float64 or scores.ndim != 2:
            raise ValueError("the scores are not a table of float64")
        if len(scores) != min(rows, MOST_SCORES):
            raise ValueError(f"{len(scores)} scores of {rows} rows")
        if not ((scores >= 0).all() and (scores[:-1] <= scores[1:]).all()):
            raise ValueError("the scores are not sorted numbers of at least 0")
        return cls(scores, rows)


def checked_coverage(coverage: object, name: str = "coverage") -> float:
    """Return a coverage as a number, or raise with the argument's name.

    Raises
    ------
    InvalidArgumentError
        If it is not in (0, 1).
    """
    if not is_real(coverage) or not 0 < coverage < 1:
        raise InvalidArgumentError(
            f"{name}: expected a share between 0 and 1, such as 0.9; got {shown(coverage)}"
        )
    return float(coverage)
