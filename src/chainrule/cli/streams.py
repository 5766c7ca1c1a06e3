"""Standard output and error that take any text, whatever is behind them and whatever is in it.

All that a command says goes through here: a line through `say`, JSON through `say_json`; what rich
draws, through `chainrule.cli.screen`. The streams themselves let no control character pass,
whoever writes it: a warning or a traceback may hold a stranger's names, too.
"""

import codecs
import json
import os
import sys
import unicodedata
from collections.abc import Callable
from typing import IO, Any

from chainrule.printable import escape, printable, printable_json

# What commands print, as a terminal without it shows it.
_PLAIN = {
    "→": "->",
    "←": "<-",
    "↦": "->",
    "…": "...",
    "−": "-",
    "–": "-",
    "—": "-",
    "×": "x",
    "·": "*",
    "±": "+/-",
    "≤": "<=",
    "≥": ">=",
    "≈": "~",
    "√": "sqrt",
    "∂": "d",
    "∇": "grad",
    "Σ": "sum",
    "∞": "inf",
    "′": "'",
    "’": "'",
    "‘": "'",
    "“": '"',
    "”": '"',
    "�": "?",
}


def say(line: object = "", *, error: bool = False) -> None:
    """Print one line for people on standard output or error; a line end in it is an escape."""
    print(printable(line), file=sys.stderr if error else sys.stdout, flush=error)


def say_json(value: Any, file: IO[str] | None = None) -> None:
    """Print a line of JSON for machines on standard output, or into a file."""
    text = json.dumps(value, ensure_ascii=False, allow_nan=False)
    print(printable_json(text), file=file or sys.stdout, flush=True)


def data_stream(stream: Any) -> Any:
    """Return a standard stream for a table's data, which nothing may change."""
    return stream.beneath if isinstance(stream, PrintableStream) else stream


class PrintableStream:
    """A stream of text with escapes in the place of control characters.

    Parameters
    ----------
    beneath : text stream
        Where it goes; `buffer` and all else but writing text is its own.
    printed : function
        Of a text that may have several lines, the text to write.
    """

    def __init__(self, beneath: Any, printed: Callable[[str], str]) -> None:
        self.beneath = beneath
        self._printed = printed

    @property
    def rich_proxied_file(self) -> Any:
        """Where rich writes: it has sequences of its own, and `Screen` gives it printable text."""
        return self.beneath

    def write(self, text: str) -> int:
        """Write a text."""
        self.beneath.write(self._printed(text))
        return len(text)

    def writelines(self, lines: Any) -> None:
        """Write texts one after the other."""
        for line in lines:
            self.write(line)

    def __getattr__(self, name: str) -> Any:
        return getattr(self.beneath, name)


def _lines_printable(text: str) -> str:
    return printable(text, keep="\n")


def prepare_streams(machines: bool = False) -> None:
    """See to it that nothing that is printed fails for its letters, or steers who shows it.

    Parameters
    ----------
    machines : bool, default False
        Whether standard output is JSON: letters that its encoding lacks are then escaped as JSON
        does, and so are controls; for people, what has a plain form is shown in it.
    """
    _occupy_descriptors()
    if sys.stderr is None:  # print would take standard output instead
        sys.stderr = open(os.devnull, "w", encoding="utf-8")  # noqa: SIM115
    if sys.stdout is not None:
        errors, printed = (_ESCAPED, printable_json) if machines else (_SHOWN, _lines_printable)
        sys.stdout = _prepared(sys.stdout, errors, printed)
    sys.stderr = _prepared(sys.stderr, _SHOWN, _lines_printable)


def _prepared(stream: Any, errors: str, printed: Callable[[str], str]) -> Any:
    beneath = data_stream(stream)
    reconfigure = getattr(beneath, "reconfigure", None)
    if reconfigure is not None:
        reconfigure(errors=errors)
    return PrintableStream(beneath, printed)


def _occupy_descriptors() -> None:
    """Open nothing in the place of standard streams that are closed.

    The next file that is opened would get their numbers, and what libraries write to standard error
    would go into it.
    """
    for descriptor in (0, 1, 2):
        try:
            os.fstat(descriptor)
        except OSError:
            os.open(os.devnull, os.O_RDWR)  # the lowest number that is free: this one


def _escaped(error: UnicodeError) -> tuple[str, int]:
    letters, end = _at_fault(error)
    units = letters.encode("utf-16-be", "surrogatepass")
    pairs = zip(units[::2], units[1::2], strict=True)
    return "".join(f"\\u{high:02x}{low:02x}" for high, low in pairs), end


def _shown(error: UnicodeError) -> tuple[str, int]:
    letters, end = _at_fault(error)
    return "".join(map(_plain, letters)), end


def _at_fault(error: UnicodeError) -> tuple[str, int]:
    if not isinstance(error, UnicodeEncodeError):
        raise error
    return error.object[error.start : error.end], error.end


def _plain(letter: str) -> str:
    if letter in _PLAIN:
        return _PLAIN[letter]
    simple = unicodedata.normalize("NFKD", letter)  # digits above and below the line
    if simple.isascii():
        return simple
    words = unicodedata.name(letter, "").split()
    if words[:1] == ["GREEK"] and len(words) == 4:
        return words[3].lower() if words[1] == "SMALL" else words[3].capitalize()
    return escape(letter)


def _register(name: str, handler: Any) -> str:
    codecs.register_error(name, handler)
    return name


_ESCAPED = _register("chainrule.escaped", _escaped)
_SHOWN = _register("chainrule.shown", _shown)
