"""The kinds of questions, and how each judges an answer."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple, Protocol

from chainrule.checks import is_real, is_whole, shown
from chainrule.errors import InvalidArgumentError
from chainrule.playground.lessons.facts import Condition, Facts


class Verdict(NamedTuple):
    """Whether an answer is right, and what the page says about it."""

    correct: bool
    explanation: str


class Question(Protocol):
    """What a lesson asks."""

    def judged(self, answer: Any, facts: Facts) -> Verdict:
        """Return the verdict on an answer.

        Raises
        ------
        InvalidArgumentError
            If it is no answer to this kind of question.
        """

    def to_json(self) -> dict[str, Any]:
        """Return the question as the page shows it, without its answer."""


class Choice(NamedTuple):
    """One of several answers to choose from."""

    text: str
    right: bool
    says: str


@dataclass(frozen=True)
class ChoiceQuestion:
    """A question with answers to choose from, one of which is right."""

    text: str
    choices: tuple[Choice, ...]

    def judged(self, answer: Any, facts: Facts) -> Verdict:
        """Return the verdict on the choice with this index."""
        if not is_whole(answer) or not 0 <= int(answer) < len(self.choices):
            raise InvalidArgumentError(
                f"answer: expected a choice from 0 to {len(self.choices) - 1}; got {shown(answer)}"
            )
        chosen = self.choices[int(answer)]
        return Verdict(chosen.right, chosen.says)

    def to_json(self) -> dict[str, Any]:
        """Return the text and the choices."""
        return _json("choice", self.text, choices=[one.text for one in self.choices])


class Mistake(NamedTuple):
    """A wrong number that many give, and what the page says about it."""

    value: float
    says: str


@dataclass(frozen=True)
class NumberQuestion:
    """A question for a number; `tolerance` is how far an answer may be from it."""

    text: str
    answer: float
    tolerance: float
    unit: str
    right: str
    wrong: str
    mistakes: tuple[Mistake, ...] = ()

    def judged(self, answer: Any, facts: Facts) -> Verdict:
        """Return the verdict on a number."""
        if not is_real(answer):
            raise InvalidArgumentError(f"answer: expected a number; got {shown(answer)}")
        # The tolerance of 0.01 includes 0.35 ± 0.01, which binary fractions miss by a rounding.
        near = self.tolerance * (1 + 1e-9)
        if abs(answer - self.answer) <= near:
            return Verdict(True, self.right)
        known = (one.says for one in self.mistakes if abs(answer - one.value) <= near)
        return Verdict(False, next(known, self.wrong))

    def to_json(self) -> dict[str, Any]:
        """Return the text and the unit."""
        return _json("number", self.text, unit=self.unit or None)


@dataclass(frozen=True)
class SessionQuestion:
    """Something to bring about on the page: conditions on the session."""

    text: str
    conditions: tuple[Condition, ...]
    right: str

    def judged(self, answer: Any, facts: Facts) -> Verdict:
        """Return the verdict on the session; the answer itself is not looked at."""
        for condition in self.conditions:
            if not condition.holds(facts):
                return Verdict(False, condition.objection(facts))
        return Verdict(True, self.right)

    def to_json(self) -> dict[str, Any]:
        """Return the text."""
        return _json("session", self.text)


def question_of(entry: Mapping[str, Any], where: str) -> Question:
    """Return the question of a lesson's file.

    Raises
    ------
    InvalidArgumentError
        If an entry is missing or unknown, or there is not exactly one right choice.
    """
    kinds = {"choice": _choice, "number": _number, "session": _session}
    kind = entry.get("kind")
    if kind not in kinds:
        raise InvalidArgumentError(f"{where}: kind: expected {', '.join(kinds)}; got {shown(kind)}")
    try:
        return kinds[kind]({name: value for name, value in entry.items() if name != "kind"}, where)
    except (KeyError, TypeError, ValueError) as error:
        raise InvalidArgumentError(
            f"{where}: the {kind} question has a missing, unknown or unfit entry ({error})"
        ) from error


def _choice(entry: Mapping[str, Any], where: str) -> Question:
    entries = entry["choices"]
    choices = tuple(Choice(one["text"], bool(one.get("right")), one["says"]) for one in entries)
    if sum(one.right for one in choices) != 1:
        raise InvalidArgumentError(f"{where}: expected exactly one choice with right = true")
    return ChoiceQuestion(entry["text"], choices)


def _number(entry: Mapping[str, Any], where: str) -> Question:
    mistakes = tuple(Mistake(float(one["value"]), one["says"]) for one in entry.get("mistakes", ()))
    return NumberQuestion(
        entry["text"],
        float(entry["answer"]),
        float(entry["tolerance"]),
        entry.get("unit", ""),
        entry["right"],
        entry["wrong"],
        mistakes,
    )


def _session(entry: Mapping[str, Any], where: str) -> Question:
    conditions = tuple(Condition.of(one, where) for one in entry["conditions"])
    return SessionQuestion(entry["text"], conditions, entry["right"])


def _json(
    kind: str, text: str, choices: list[str] | None = None, unit: str | None = None
) -> dict[str, Any]:
    return {"kind": kind, "text": text, "choices": choices, "unit": unit}
