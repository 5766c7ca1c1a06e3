"""All lessons in their order, and what the page asks about them."""

from functools import cache
from importlib.resources import files
from typing import Any

from chainrule.checks import is_whole, shown
from chainrule.errors import InvalidArgumentError
from chainrule.playground.lessons.facts import Facts
from chainrule.playground.lessons.lesson import Lesson


@cache
def course() -> tuple[Lesson, ...]:
    """Return the lessons, in the order of their files' names.

    Raises
    ------
    InvalidArgumentError
        If a file is not a lesson.
    """
    folder = files("chainrule.playground.lessons").joinpath("texts")
    found = sorted((one for one in folder.iterdir() if one.name.endswith(".md")), key=_name)
    return tuple(
        Lesson.read(number, one.read_text(encoding="utf-8"), one.name)
        for number, one in enumerate(found, start=1)
    )


def lessons() -> list[dict[str, Any]]:
    """Return number, title and summary of every lesson."""
    return [{"number": one.number, "title": one.title, "summary": one.summary} for one in course()]


def lesson(number: object) -> dict[str, Any]:
    """Return a lesson as the page shows it.

    Parameters
    ----------
    number : int
        From 1.

    Returns
    -------
    dict
        "number", "count", "title", "summary", "text", "state", "task", "hints" and "question",
        which has "kind" (choice, number, session), "text", "choices" and "unit".

    Raises
    ------
    InvalidArgumentError
        If there is no such lesson.

    Examples
    --------
    >>> from chainrule.playground.lessons import lesson
    >>> lesson(1)["title"]
    'One weighted sum'
    """
    return _found(number).to_json(len(course()))


def answered(number: object, answer: object, facts: Facts) -> dict[str, Any]:
    """Return whether an answer to a lesson's question is right, and an explanation.

    Parameters
    ----------
    number : int
    answer : int or float or None
        The index of a choice, a number, or None where the session itself is the answer.
    facts : Facts
        The session of the page.

    Returns
    -------
    dict
        "correct" and "explanation".

    Raises
    ------
    InvalidArgumentError
        If there is no such lesson, or the answer is of another kind.
    """
    verdict = _found(number).question.judged(answer, facts)
    return {"correct": verdict.correct, "explanation": verdict.explanation}


def _found(number: object) -> Lesson:
    known = course()
    if not is_whole(number) or not 1 <= int(number) <= len(known):
        raise InvalidArgumentError(
            f"number: expected a lesson from 1 to {len(known)}; got {shown(number)}"
        )
    return known[int(number) - 1]


def _name(file: Any) -> str:
    return str(file.name)
