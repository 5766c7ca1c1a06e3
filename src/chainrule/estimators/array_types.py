"""What estimators are given, and what it is once it was checked."""

from typing import Any, TypeAlias

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.sparse import spmatrix

Floats: TypeAlias = NDArray[np.floating]
MatrixLike: TypeAlias = ArrayLike | spmatrix
"""Rows as users hand them in: lists, arrays, tables or sparse matrices."""
Inputs: TypeAlias = Floats | spmatrix
"""Inputs that were checked: floats, dense or sparse."""
Targets: TypeAlias = NDArray[Any] | spmatrix
"""Targets as an array of one kind, or sparse indicators."""
Name: TypeAlias = str | int
"""Of a column of y: as its table has it, or its place."""
