"""Checks and escapes a user's names and texts for files in other languages."""

from collections.abc import Iterator
from typing import Any

from chainrule.errors import InvalidArgumentError
from chainrule.exports.program import Program


def texts_of(program: Program) -> Iterator[tuple[str, str]]:
    """Yield each class and category as a text, preceded by a description of its origin."""
    for value in program.classes:
        if isinstance(value, str):
            yield f"target: the class {value!a}", value
    for column in program.columns:
        for text in column.texts:
            yield f"column {column.name!r}: a category", text


def names_of(program: Program) -> Iterator[tuple[str, str]]:
    """Yield the name of each column and of the target, preceded by a description."""
    for column in program.columns:
        yield f"column {column.name!a}: its name", column.name
    yield f"target {program.target!a}: its name", program.target


def check_utf8(whose: str, text: str) -> None:
    """Raise InvalidArgumentError if a text has a lone surrogate, which UTF-8 cannot encode."""
    try:
        text.encode("utf-8")
    except UnicodeEncodeError as error:
        raise InvalidArgumentError(
            f"{whose} has half of a surrogate pair, which UTF-8 cannot write; export to numpy, "
            "torch or keras"
        ) from error


def printable(text: str) -> str:
    """Return a text with unprintable characters replaced by Python escapes."""
    return "".join(letter if letter.isprintable() else ascii(letter)[1:-1] for letter in text)


def literal(value: Any) -> str:
    """Return a class label as a Python literal.

    Raises
    ------
    InvalidArgumentError
        If the label is not a string, a number or a boolean.
    """
    if isinstance(value, str | bool | int):
        return repr(value)
    if isinstance(value, float):
        return repr(value) if value - value == 0 else f"float({str(value)!r})"
    raise InvalidArgumentError(
        "classes: expected text, numbers, or true and false, which a file of Python can hold; got "
        f"a {type(value).__name__}; train with the labels as text"
    )
