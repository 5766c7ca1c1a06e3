"""The form of a row in the table of settings."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal, NamedTuple

from chainrule.limits import Either, Limit

Estimator = Literal["classifier", "regressor", "mixed"]
ALL: tuple[Estimator, ...] = ("classifier", "regressor", "mixed")

ABSENT: Any = object()
"""Stands for a default where there is no such setting."""


class By(NamedTuple):
    """A default that differs between estimators."""

    classifier: Any = ABSENT
    regressor: Any = ABSENT
    mixed: Any = ABSENT


class Needs(NamedTuple):
    """A setting that only some values of another one look at."""

    setting: str
    values: Callable[[], Sequence[str]]


@dataclass(frozen=True)
class Option:
    """A setting as an option of the command line and an entry of run.toml."""

    about: str
    """One line of help; `names.with_names` fills in what it says in braces."""
    form: str = ""
    """"text", "whole", "number", "flag", or several of them: "texts", "wholes", "numbers"; by
    default what the limit says."""
    default: Any = None
    """None where the preset or the data decide."""
    none: Any = None
    """What stands for None."""
    limit: Limit | None = None
    """What it may be, each of several; by default the setting's own limit."""
    presets: Mapping[str, Any] = field(default_factory=dict)
    """What presets set it to."""


@dataclass(frozen=True)
class Setting:
    """All that is known of a setting: whoever takes it, documents it or checks it asks here.

    Its name is the field's, `l2`, on the command line, in run.toml and in `Network.fit`; in the
    estimators it has scikit-learn's, `alpha`, where that is another.
    """

    name: str
    limit: Limit | None = None
    """What it may be. None: whoever takes it apart checks it."""
    meaning: str = ""
    """In the docstrings of the estimators, with braces too."""
    parameter: str = ""
    """Its name in the estimators, where it is another."""
    kind: str = ""
    """Its type in the docstrings, where the limit does not say it."""
    of: tuple[Estimator, ...] = ALL
    """The estimators that have it."""
    mlp: Any = ABSENT
    """Its default in MLPClassifier and MLPRegressor."""
    network: Any = ABSENT
    """Its default in NetworkClassifier, NetworkRegressor and NetworkMixed, and of a run by the
    task; where it is not given, that of MLP…"""
    fit: Any = ABSENT
    """Its default in `Network` or its `fit`."""
    fit_name: str = ""
    """Its name there, where it is another."""
    fit_limit: Limit | None = None
    """What it may be there, where that differs: scikit-learn has a contract of its own."""
    option: Option | None = None
    needs: Needs | None = None

    @property
    def parameter_name(self) -> str:
        """What the estimators call it."""
        return self.parameter or self.name

    @property
    def type(self) -> str:
        """Its type in a docstring."""
        return self.kind or (self.limit.kind if self.limit is not None else "")

    @property
    def option_limit(self) -> Limit | None:
        """What it may be on the command line, each of several: what a text cannot say left out."""
        if self.option is not None and self.option.limit is not None:
            return self.option.limit
        return self.limit.first if isinstance(self.limit, Either) else self.limit

    @property
    def form(self) -> str:
        """What it is on the command line and in run.toml: see `Option`."""
        limit = self.option_limit
        return (self.option and self.option.form) or ("text" if limit is None else limit.form)

    def run_default(self, task: str) -> Any:
        """Return what it is in a run where nothing sets it, as the command line says it."""
        value = self.mlp if self.network is ABSENT else self.network
        if isinstance(value, By):
            value = value.classifier if task == "classification" else value.regressor
        if value is None and self.option is not None:
            return self.option.none
        return (value,) if self.form == "numbers" else value

    def as_parameter(self, value: Any) -> Any:
        """Return what the command line says as the estimators have it."""
        if self.form == "numbers":
            return value[0] if len(value) == 1 else list(value) or self.mlp
        if self.option is not None and value == self.option.none:
            return None
        return value

    def default(self, estimator: Estimator, good: bool) -> Any:
        """Return its default in MLP…, or in Network… (`good`), ABSENT if it is not there."""
        default = self.network if good and self.network is not ABSENT else self.mlp
        if estimator not in self.of:
            return ABSENT
        return getattr(default, estimator) if isinstance(default, By) else default
