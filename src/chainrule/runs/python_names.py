"""Messages that name options of the command line, in the names of Python's arguments."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from chainrule.errors import ChainruleError
from chainrule.limits import Choice
from chainrule.runs.options import SECTIONS, settings_of

_OPTION = re.compile(r"--(no-)?([a-z0-9]+(?:-[a-z0-9]+)*)(?: ([a-z0-9_]+|'[^']*'|\"[^\"]*\"))?")


def in_python(message: str) -> str:
    """Return a message with the arguments of `train` in place of the command line's options.

    Examples
    --------
    >>> in_python("--target-missing words takes it as a missing value")
    'target_missing="words" takes it as a missing value'
    >>> in_python("--merge-spellings makes one class of them; --task says regression")
    'merge_spellings=True makes one class of them; task says regression'
    >>> in_python("--time 'the day' tests it on the latest ones")
    "time='the day' tests it on the latest ones"
    """
    known = {one.name: one for section in SECTIONS for one in settings_of(section)}

    def spelled(found: re.Match[str]) -> str:
        negated, name, word = found[1], found[2].replace("-", "_"), found[3]
        setting: Any = known.get(name)
        if setting is None:
            return found[0]
        rest = f" {word}" if word else ""
        if setting.metadata["kind"] == "flag":
            return f"{name}={not negated}{rest}"
        if word and word[0] in "'\"":
            return f"{name}=[{word}]" if setting.metadata["kind"] == "texts" else f"{name}={word}"
        limit = setting.metadata["limit"]
        if word and isinstance(limit, Choice) and word in limit.names():
            return f'{name}="{word}"'
        return f"{name}{rest}"

    return _OPTION.sub(spelled, message)


@contextmanager
def python_names() -> Iterator[None]:
    """Let errors name Python's arguments, not the command line's options."""
    try:
        yield
    except ChainruleError as error:
        told = in_python(str(error))
        if told == str(error):
            raise
        raise type(error)(told) from error
