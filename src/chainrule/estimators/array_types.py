"""Types of the arrays that estimators take, before and after validation."""

from typing import Any, TypeAlias

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.sparse import spmatrix

Floats: TypeAlias = NDArray[np.floating]
MatrixLike: TypeAlias = ArrayLike | spmatrix
"""Rows as passed by a user: lists, arrays, tables or sparse matrices."""
Inputs: TypeAlias = Floats | spmatrix
"""Validated inputs: floats, dense or sparse."""
Targets: TypeAlias = NDArray[Any] | spmatrix
"""Targets as an array of a single type, or a sparse indicator matrix."""
Name: TypeAlias = str | int
"""Name of a column of y: its name in the table, or its index."""
