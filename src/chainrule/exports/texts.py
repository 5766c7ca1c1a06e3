"""Names and texts of a stranger's, as a file of another language can hold them."""

from collections.abc import Iterator
from typing import Any

from chainrule.errors import InvalidArgumentError
from chainrule.exports.program import Program


def texts_of(program: Program) -> Iterator[tuple[str, str]]:
    """Yield what a prediction compares or answers: whose text it is, and the text."""
    for value in program.classes:
        if isinstance(value, str):
            yield f"target: the class {value!a}", value
    for column in program.columns:
        for text in column.texts:
            yield f"column {column.name!r}: a category", text


def names_of(program: Program) -> Iterator[tuple[str, str]]:
    """Yield the names that a program's columns and its target have."""
    for column in program.columns:
        yield f"column {column.name!a}: its name", column.name
    yield f"target {program.target!a}: its name", program.target


def check_utf8(whose: str, text: str) -> None:
    """Raise InvalidArgumentError if a text has no form in UTF-8: half of a surrogate pair."""
    try:
        text.encode("utf-8")
    except UnicodeEncodeError as error:
        raise InvalidArgumentError(
            f"{whose} has half of a surrogate pair, which UTF-8 cannot write; export to numpy, "
            "torch or keras"
        ) from error


def printable(text: str) -> str:
    """Return a text with Python's escapes in place of what is not printable."""
    return "".join(letter if letter.isprintable() else ascii(letter)[1:-1] for letter in text)


def literal(value: Any) -> str:
    """Return the name of a class as a literal of Python.

    Raises
    ------
    InvalidArgumentError
        If it is neither a text, a number nor true or false.
    """
    if isinstance(value, str | bool | int):
        return repr(value)
    if isinstance(value, float):
        return repr(value) if value - value == 0 else f"float({str(value)!r})"
    raise InvalidArgumentError(
        "classes: expected text, numbers, or true and false, which a file of Python can hold; got "
        f"a {type(value).__name__}; train with the labels as text"
    )
