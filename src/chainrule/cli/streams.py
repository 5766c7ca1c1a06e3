"""Standard output and error that take any text, whatever is behind them."""

import codecs
import os
import sys
import unicodedata
from typing import Any

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


def prepare_streams(machines: bool = False) -> None:
    """See to it that nothing that is printed can fail for its letters, or for a stream not there.

    Parameters
    ----------
    machines : bool, default False
        Whether standard output is JSON: letters that its encoding lacks are then escaped as JSON
        does; for people, what has a plain form is shown in it.
    """
    _occupy_descriptors()
    if sys.stderr is None:  # print would take standard output instead
        sys.stderr = open(os.devnull, "w", encoding="utf-8")  # noqa: SIM115
    for stream, errors in ((sys.stdout, _ESCAPED if machines else _SHOWN), (sys.stderr, _SHOWN)):
        reconfigure = getattr(stream, "reconfigure", None)
        if reconfigure is not None:
            reconfigure(errors=errors)


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
    if "\udc80" <= letter <= "\udcff":  # a byte of a file's name that is not Unicode
        return f"\\x{ord(letter) - 0xDC00:02x}"
    simple = unicodedata.normalize("NFKD", letter)  # digits above and below the line
    if simple.isascii():
        return simple
    words = unicodedata.name(letter, "").split()
    if words[:1] == ["GREEK"] and len(words) == 4:
        return words[3].lower() if words[1] == "SMALL" else words[3].capitalize()
    return letter.encode("ascii", "backslashreplace").decode()


def _register(name: str, handler: Any) -> str:
    codecs.register_error(name, handler)
    return name


_ESCAPED = _register("chainrule.escaped", _escaped)
_SHOWN = _register("chainrule.shown", _shown)
