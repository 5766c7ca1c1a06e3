"""The table of settings: the single definition of each setting, under all of its names.

The rows are the source of the estimators' documentation and checks, the options of the command
line, the entries of run.toml and the defaults of a run. The constructors of the estimators and
`Network.fit` repeat names and defaults; a test compares them with the table.
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
"""The settings of the command line and of run.toml."""

PARAMETERS: Mapping[str, Setting] = MappingProxyType(
    {row.parameter_name: row for row in SETTINGS if row.mlp is not ABSENT}
)
"""The settings of the estimators, by scikit-learn's names."""
