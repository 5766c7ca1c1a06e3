"""The row type of the table of settings."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal, NamedTuple

from chainrule.limits import Either, Limit

Estimator = Literal["classifier", "regressor", "mixed"]
ALL: tuple[Estimator, ...] = ("classifier", "regressor", "mixed")

ABSENT: Any = object()
"""The default of a setting that an interface does not have."""


class By(NamedTuple):
    """A default that differs between estimators."""

    classifier: Any = ABSENT
    regressor: Any = ABSENT
    mixed: Any = ABSENT


class Needs(NamedTuple):
    """The condition of a setting that is only used with some values of another setting."""

    setting: str
    values: Callable[[], Sequence[str]]


@dataclass(frozen=True)
class Option:
    """A setting as an option of the command line and an entry of run.toml."""

    about: str
    """One line of help; `names.with_names` replaces the placeholders in braces."""
    form: str = ""
    """"text", "whole", "number", "flag", or for lists "texts", "wholes", "numbers"; "names": one
    text, or a list of them; by default the form of the limit."""
    default: Any = None
    """None if the preset or the data determine the default."""
    none: Any = None
    """The value that represents None on the command line."""
    limit: Limit | None = None
    """Allowed values (of each element of a list); by default the setting's own limit."""
    presets: Mapping[str, Any] = field(default_factory=dict)
    """Its value in each preset, by the preset's name."""


@dataclass(frozen=True)
class Setting:
    """The single definition of a setting: its names, defaults, limits and documentation.

    The command line, run.toml and `Network.fit` use this package's name, such as `l2`; the
    estimators use scikit-learn's name if it differs, such as `alpha`.
    """

    name: str
    limit: Limit | None = None
    """Allowed values. None: the code that uses the setting validates it."""
    meaning: str = ""
    """Its description in the docstrings of the estimators, with placeholders as in `Option`."""
    parameter: str = ""
    """Its name in the estimators, if different from `name`."""
    kind: str = ""
    """Its type in the docstrings, if the limit does not define it."""
    of: tuple[Estimator, ...] = ALL
    """The estimators that have it."""
    mlp: Any = ABSENT
    """Its default in MLPClassifier and MLPRegressor."""
    network: Any = ABSENT
    """Its default in NetworkClassifier, NetworkRegressor and NetworkMixed, and in a run of the
    corresponding task; if absent, `mlp`."""
    fit: Any = ABSENT
    """Its default in `Network` or `Network.fit`."""
    fit_name: str = ""
    """Its name in `Network` or `Network.fit`, if different from `name`."""
    fit_limit: Limit | None = None
    """Allowed values in `Network` or `Network.fit`, if they differ: the estimators' limits follow
    scikit-learn."""
    option: Option | None = None
    needs: Needs | None = None

    @property
    def parameter_name(self) -> str:
        """Its name in the estimators."""
        return self.parameter or self.name

    @property
    def type(self) -> str:
        """Its type in a docstring."""
        return self.kind or (self.limit.kind if self.limit is not None else "")

    @property
    def option_limit(self) -> Limit | None:
        """Allowed values on the command line: `option.limit`, or the first choice of `limit`."""
        if self.option is not None and self.option.limit is not None:
            return self.option.limit
        return self.limit.first if isinstance(self.limit, Either) else self.limit

    @property
    def form(self) -> str:
        """Its form on the command line and in run.toml: see `Option`."""
        limit = self.option_limit
        return (self.option and self.option.form) or ("text" if limit is None else limit.form)

    def run_default(self, task: str) -> Any:
        """Return its default in a run, as the command line represents it."""
        value = self.mlp if self.network is ABSENT else self.network
        if isinstance(value, By):
            value = value.classifier if task == "classification" else value.regressor
        if value is None and self.option is not None:
            return self.option.none
        return (value,) if self.form == "numbers" else value

    def as_parameter(self, value: Any) -> Any:
        """Convert a value of the command line to a parameter value of the estimators."""
        if self.form == "numbers":
            return value[0] if len(value) == 1 else list(value) or self.mlp
        if self.option is not None and value == self.option.none:
            return None
        return list(value) if self.form == "names" and isinstance(value, tuple) else value

    def default(self, estimator: Estimator, good: bool) -> Any:
        """Return its default in MLP…, or in Network… if `good`; ABSENT if there is none."""
        default = self.network if good and self.network is not ABSENT else self.mlp
        if estimator not in self.of:
            return ABSENT
        return getattr(default, estimator) if isinstance(default, By) else default
