"""A lesson, read from its file.

The file begins with a head in TOML between two lines of +++:

- ``title`` and ``summary``;
- ``[state]``: the state of the page that the lesson opens;
- ``[numbers]``: where each number of the text comes from, see
  `chainrule.playground.lessons.measured`;
- ``[question]``: its ``kind`` (choice, number or session), its ``text``, and what the kind needs,
  see `chainrule.playground.lessons.questions`;
- ``[solution]``, for a question of the kind session: changes of the state, and ``epochs``, which
  meet its conditions.

The text is Markdown with formulas between dollar signs. It ends with the sections ``## Task`` and,
if there are any, ``## Hints``, a list. A number that comes from the lesson's run is written with
its name, {{loss: 0.69}}; the page shows 0.69.
"""

import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from chainrule.errors import InvalidArgumentError
from chainrule.playground.lessons.questions import Question, question_of

_HEAD = re.compile(r"\+\+\+\n(?P<head>.*?)\n\+\+\+\n(?P<text>.*)", re.DOTALL)
_NUMBER = re.compile(r"\{\{(?P<name>\w+): (?P<shown>[^{}]+)\}\}")
_ENTRIES = {"title", "summary", "state", "numbers", "question", "solution"}


class ShownNumber(NamedTuple):
    """A number in the text: its name, and how it is shown."""

    name: str
    shown: str


@dataclass(frozen=True)
class Lesson:
    """A lesson.

    Parameters
    ----------
    number : int
        From 1.
    title, summary : str
    state : mapping
        The state of the page that it opens.
    text, task : str
        Markdown with formulas between dollar signs.
    hints : tuple of str
    question : Question
    numbers : mapping
        Where the numbers of the text come from, by name.
    shown : tuple of ShownNumber
        The numbers in the text, in order.
    solution : mapping
        Changes of the state that answer a question of the kind session.
    """

    number: int
    title: str
    summary: str
    state: Mapping[str, Any]
    text: str
    task: str
    hints: tuple[str, ...]
    question: Question
    numbers: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    shown: tuple[ShownNumber, ...] = ()
    solution: Mapping[str, Any] = field(default_factory=dict)

    @classmethod
    def read(cls, number: int, content: str, where: str) -> "Lesson":
        """Return the lesson of a file's content; `where` is its name in errors.

        Raises
        ------
        InvalidArgumentError
            If the head is not TOML, an entry is missing or unknown, or a number of the text does
            not say where it comes from.
        """
        parts = _HEAD.fullmatch(content.replace("\r\n", "\n"))
        if parts is None:
            raise InvalidArgumentError(f"{where}: expected a head in TOML between two lines of +++")
        try:
            head = tomllib.loads(parts["head"])
        except ValueError as error:
            raise InvalidArgumentError(f"{where}: the head is not TOML: {error}") from error
        missing = {"title", "summary", "state", "question"} - set(head)
        unknown = set(head) - _ENTRIES
        if missing or unknown:
            raise InvalidArgumentError(
                f"{where}: expected title, summary, state, question and perhaps numbers and "
                f"solution; got {', '.join(head)}"
            )
        text, task, hints = _sections(parts["text"], where)
        numbers = head.get("numbers", {})
        texts = (parts["text"], *_texts(head["question"]))
        shown = tuple(
            ShownNumber(one["name"], one["shown"].strip())
            for each in texts
            for one in _NUMBER.finditer(each)
        )
        for one in shown:
            if one.name not in numbers:
                raise InvalidArgumentError(
                    f"{where}: the text shows the number {one.name!r}, which [numbers] lacks"
                )
        return cls(
            number,
            head["title"],
            head["summary"],
            head["state"],
            text,
            task,
            hints,
            question_of(_without_names(head["question"]), where),
            numbers,
            shown,
            head.get("solution", {}),
        )

    def to_json(self, count: int) -> dict[str, Any]:
        """Return the lesson as the page shows it, of `count` lessons."""
        return {
            "number": self.number,
            "count": count,
            "title": self.title,
            "summary": self.summary,
            "text": self.text,
            "state": self.state,
            "task": self.task,
            "hints": list(self.hints),
            "question": self.question.to_json(),
        }


def _sections(text: str, where: str) -> tuple[str, str, tuple[str, ...]]:
    """Return the text, the task and the hints."""
    text = _NUMBER.sub(lambda number: number["shown"].strip(), text)
    body, task_heading, rest = text.partition("\n## Task\n")
    if not task_heading:
        raise InvalidArgumentError(f"{where}: expected a section '## Task'")
    task, _, hints = rest.partition("\n## Hints\n")
    listed = re.split(r"^- ", hints, flags=re.MULTILINE)[1:]
    return body.strip(), task.strip(), tuple(" ".join(hint.split()) for hint in listed)


def _texts(value: Any) -> list[str]:
    """Return all texts in an entry of the head."""
    if isinstance(value, str):
        return [value]
    if isinstance(value, Mapping):
        value = list(value.values())
    return [text for one in value for text in _texts(one)] if isinstance(value, list) else []


def _without_names(value: Any) -> Any:
    """Return an entry of the head with its numbers as the page shows them."""
    if isinstance(value, str):
        return _NUMBER.sub(lambda number: number["shown"].strip(), value)
    if isinstance(value, Mapping):
        return {name: _without_names(one) for name, one in value.items()}
    return [_without_names(one) for one in value] if isinstance(value, list) else value
