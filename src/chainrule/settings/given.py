"""The settings that are given."""

from collections.abc import Mapping
from typing import Any, TypeAlias

Settings: TypeAlias = Mapping[str, Any]
"""Settings by scikit-learn's names: the parameters of an estimator, or what stands for them."""
