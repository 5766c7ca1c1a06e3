"""The type of the settings passed to the functions of this package."""

from collections.abc import Mapping
from typing import Any, TypeAlias

Settings: TypeAlias = Mapping[str, Any]
"""Settings keyed by scikit-learn's names: an estimator's parameters, or an equivalent mapping."""
