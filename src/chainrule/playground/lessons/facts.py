"""The facts about a session that questions use, and conditions on them."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from chainrule.errors import InvalidArgumentError


@dataclass(frozen=True)
class Facts:
    """A session as a question sees it.

    Parameters
    ----------
    state : mapping
        The state of the page: data, inputs, settings.
    epoch : int
        Finished epochs.
    train_loss, test_loss : float or None
        Of the last epoch; None if there is none.
    metrics : mapping of str to float
        Of the rows that the network does not learn from, such as "accuracy".
    diverged : bool
        Whether the training ended because its loss was no longer finite.
    """

    state: Mapping[str, Any]
    epoch: int = 0
    train_loss: float | None = None
    test_loss: float | None = None
    metrics: Mapping[str, float] = field(default_factory=dict)
    diverged: bool = False

    def __getitem__(self, name: str) -> Any:
        """Return a fact by its name; None if this session has none of this name.

        Names with dots lead into the state: "settings.layers", "data.name". Further ones are
        "epoch", "train_loss", "test_loss", "diverged", "accuracy" and the like, and
        "hidden_layers", the number of hidden layers.
        """
        if name in ("epoch", "train_loss", "test_loss", "diverged"):
            return getattr(self, name)
        if name in self.metrics:
            return self.metrics[name]
        if name == "hidden_layers":
            return len(self["settings.layers"] or ())
        value: Any = self.state
        for part in name.split("."):
            value = value.get(part) if isinstance(value, Mapping) else None
        return value


@dataclass(frozen=True)
class Condition:
    """A condition on one fact.

    Parameters
    ----------
    fact : str
        The fact's name, see `Facts`.
    comparison : {"below", "above", "at_most", "at_least", "is", "is_not", "one_of"}
    value
        What the fact is compared with.
    otherwise : str
        What the page says if the condition does not hold; {value} is the fact.
    """

    fact: str
    comparison: str
    value: Any
    otherwise: str

    @classmethod
    def of(cls, entry: Mapping[str, Any], where: str) -> "Condition":
        """Return the condition of a lesson's file.

        Raises
        ------
        InvalidArgumentError
            If the entry is not a fact, one comparison, and `otherwise`.
        """
        given = [name for name in entry if name in COMPARISONS]
        if len(given) != 1 or set(entry) != {"fact", "otherwise", *given}:
            raise InvalidArgumentError(
                f"{where}: a condition has a fact, otherwise, and one of "
                f"{', '.join(COMPARISONS)}; got {', '.join(entry)}"
            )
        return cls(str(entry["fact"]), given[0], entry[given[0]], str(entry["otherwise"]))

    def holds(self, facts: Facts) -> bool:
        """Tell whether a session meets it; a fact that it lacks meets no condition but is_not."""
        return bool(COMPARISONS[self.comparison](_plain(facts[self.fact]), self.value))

    def objection(self, facts: Facts) -> str:
        """Return what the page says if the condition does not hold."""
        value = facts[self.fact]
        shown = f"{value:.3g}" if isinstance(value, float) else str(value)
        return self.otherwise.replace("{value}", shown)


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _plain(value: Any) -> Any:
    return list(value) if isinstance(value, Sequence) and not isinstance(value, str) else value


COMPARISONS: Mapping[str, Callable[[Any, Any], bool]] = {
    "below": lambda fact, value: _is_number(fact) and fact < value,
    "above": lambda fact, value: _is_number(fact) and fact > value,
    "at_most": lambda fact, value: _is_number(fact) and fact <= value,
    "at_least": lambda fact, value: _is_number(fact) and fact >= value,
    "is": lambda fact, value: fact == value,
    "is_not": lambda fact, value: fact != value,
    "one_of": lambda fact, value: fact in value,
}
