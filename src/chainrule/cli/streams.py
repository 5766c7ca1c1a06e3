"""Standard output and error that accept any text, whatever their encoding.

All output of commands goes through this module: lines through `say`, JSON through `say_json`, and
rich's output through `chainrule.cli.screen`. The streams themselves escape control characters from
any source, since a warning or a traceback may quote names from an untrusted file, too.
"""

import codecs
import contextlib
import json
import os
import sys
import textwrap
import unicodedata
from collections.abc import Callable
from typing import IO, Any

from chainrule.printable import escape, printable, printable_json

# ASCII replacements for characters that commands print, for terminals whose encoding lacks them.
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
    "█": "#",
    "│": "|",
    "�": "?",
}


# Names and commands in a message keep their spaces and their hyphens.
_BETWEEN_WORDS: Any = {
    "break_long_words": False,
    "break_on_hyphens": False,
    "replace_whitespace": False,
    "expand_tabs": False,
}


def say(line: object = "", *, error: bool = False) -> None:
    """Print one line for people on standard output or error; line breaks in it are escaped."""
    print(printable(line), file=sys.stderr if error else sys.stdout, flush=error)


def say_sentence(text: str, *, error: bool = False) -> None:
    """Print a sentence, broken between words in a terminal; as one line elsewhere."""
    stream = sys.stderr if error else sys.stdout
    width = _terminal_width(stream)
    shown = printable(text)
    for line in (width and textwrap.wrap(shown, width, **_BETWEEN_WORDS)) or [shown]:
        print(line, file=stream, flush=error)


def _terminal_width(stream: Any) -> int:
    """Return the number of columns of a stream's terminal; 0 if it is none, or does not say."""
    try:
        columns = os.environ.get("COLUMNS", "")
        if not stream.isatty():
            return 0
        return int(columns) if columns.isdigit() else os.get_terminal_size(stream.fileno()).columns
    except (OSError, ValueError, AttributeError):
        return 0


def say_json(value: Any, file: IO[str] | None = None) -> None:
    """Print a line of JSON for machines on standard output, or into a file."""
    text = json.dumps(value, ensure_ascii=False, allow_nan=False)
    print(printable_json(text), file=file or sys.stdout, flush=True)


def data_stream(stream: Any) -> Any:
    """Return the stream behind a standard stream, for a table's data, which must not be escaped."""
    return stream.beneath if isinstance(stream, PrintableStream) else stream


class PrintableStream:
    """A text stream that escapes control characters.

    Parameters
    ----------
    beneath : text stream
        The stream to write to; all attributes but the writing methods, such as `buffer`, are its
        own.
    printed : function
        Returns the escaped form of a text, which may have several lines.
    """

    def __init__(self, beneath: Any, printed: Callable[[str], str]) -> None:
        self.beneath = beneath
        self._printed = printed

    @property
    def rich_proxied_file(self) -> Any:
        """The stream for rich, which adds control sequences to text that `Screen` has escaped."""
        return self.beneath

    def write(self, text: str) -> int:
        """Write a text, escaped.

        Raises
        ------
        TypeError
            For bytes, by which click recognises a stream of text.
        """
        if not isinstance(text, str):
            raise TypeError(f"expected str; got {type(text).__name__}")
        self.beneath.write(self._printed(text))
        return len(text)

    def writelines(self, lines: Any) -> None:
        """Write several texts, escaped."""
        for line in lines:
            self.write(line)

    def __getattr__(self, name: str) -> Any:
        return getattr(self.beneath, name)


def _lines_printable(text: str) -> str:
    return printable(text, keep="\n")


def prepare_streams(machines: bool = False) -> None:
    """Make standard output and error accept any character, and escape control characters.

    Parameters
    ----------
    machines : bool, default False
        Whether standard output is JSON. Characters that its encoding lacks, and control characters,
        are then written as JSON escapes. For people, a character that is lacking is replaced by its
        plain form, if it has one.
    """
    _occupy_descriptors()
    if sys.stderr is None:  # otherwise print(file=None) would write to standard output
        sys.stderr = open(os.devnull, "w", encoding="utf-8")  # noqa: SIM115
    if sys.stdout is not None:
        errors, printed = (_ESCAPED, printable_json) if machines else (_SHOWN, _lines_printable)
        sys.stdout = _prepared(sys.stdout, errors, printed)
    sys.stderr = _prepared(sys.stderr, _SHOWN, _lines_printable)


def finish_streams() -> None:
    """Write what standard output and error have in their buffers."""
    for stream in (sys.stdout, sys.stderr):
        with contextlib.suppress(OSError, ValueError, AttributeError):  # closed, or broken
            stream.flush()


def _prepared(stream: Any, errors: str, printed: Callable[[str], str]) -> Any:
    beneath = data_stream(stream)
    reconfigure = getattr(beneath, "reconfigure", None)
    if reconfigure is not None:
        reconfigure(errors=errors)
    return PrintableStream(beneath, printed)


def _occupy_descriptors() -> None:
    """Open the null device in the place of standard streams that are closed.

    Otherwise the next file that is opened would get the descriptor of a standard stream, and text
    that libraries write to standard error would end up in it.
    """
    for descriptor in (0, 1, 2):
        try:
            os.fstat(descriptor)
        except OSError:
            os.open(os.devnull, os.O_RDWR)  # gets the lowest free descriptor: this one


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
    simple = unicodedata.normalize("NFKD", letter)  # such as superscript and subscript digits
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
