"""The table of settings: each is described once, whatever it is called and wherever it comes in.

What the estimators document and check, what the command line offers, what run.toml may hold and
what a run takes where nothing is set are read from its rows; the constructors of the estimators
and `Network.fit` say names and defaults again, and a test holds them to it.
"""

from collections.abc import Mapping
from types import MappingProxyType

from chainrule.settings.rows.descent import DESCENT
from chainrule.settings.rows.execution import EXECUTION
from chainrule.settings.rows.loss import LOSS
from chainrule.settings.rows.network import NETWORK
from chainrule.settings.rows.numbers import NUMBERS
from chainrule.settings.rows.regularisation import REGULARISATION
from chainrule.settings.setting import ABSENT, Setting

SETTINGS: tuple[Setting, ...] = (
    *NETWORK,
    *LOSS,
    *DESCENT,
    *REGULARISATION,
    *NUMBERS,
    *EXECUTION,
)
"""In the order of the command line's help and of run.toml."""

OPTIONS: tuple[Setting, ...] = tuple(row for row in SETTINGS if row.option is not None)
"""Those of the command line and of run.toml."""

PARAMETERS: Mapping[str, Setting] = MappingProxyType(
    {row.parameter_name: row for row in SETTINGS if row.mlp is not ABSENT}
)
"""Those of the estimators, by scikit-learn's names."""
