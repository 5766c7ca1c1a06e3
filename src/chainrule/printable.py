"""Escaping untrusted text, such as the name of a column, so that it can be shown safely."""

import json
import re

# Code points that are invisible or control a display: terminal controls (C0, C1), direction marks
# and overrides, zero-width characters, fillers and tags, line and paragraph separators, unpaired
# surrogates, and noncharacters. These are Unicode's categories Cc, Cf, Cs, Zl and Zp and other code
# points without a glyph, except U+FE0E and U+FE0F, which are part of ordinary emoji.
_RANGES = (
    "0000-001F 007F-009F 00AD 034F 0600-0605 061C 06DD 070F 0890-0891 08E2 115F-1160 17B4-17B5 "
    "180B-180F 200B-200F 2028-202E 2060-206F 3164 D800-DFFF FDD0-FDEF FE00-FE0D FEFF FFA0 "
    "FFF0-FFFB FFFE-FFFF 110BD 110CD 13430-1343F 1BCA0-1BCA3 1D173-1D17A E0000-E0FFF"
)
_ALL = re.compile(
    "["
    + "".join(
        "-".join(f"\\U{int(end, 16):08x}" for end in one.split("-")) for one in _RANGES.split()
    )
    + "]"
)
_SHORT = {"\n": "\\n", "\r": "\\r", "\t": "\\t"}


def printable(value: object, keep: str = "") -> str:
    r"""Return a value as text with control and invisible characters replaced by visible escapes.

    It is called wherever names of columns, classes or files, or other text from a file, are shown:
    in a terminal, a page, a picture, an error. Printable text is unchanged.

    Parameters
    ----------
    value : object
    keep : str, default ""
        Characters not to escape, such as the line breaks of a text with several lines.

    Examples
    --------
    >>> print(printable("a\x1b[2Jb\n"))
    a\x1b[2Jb\n
    """
    return _ALL.sub(lambda one: one[0] if one[0] in keep else escape(one[0]), str(value))


def printable_json(text: str) -> str:
    r"""Return JSON or TOML of the same meaning, with such characters as escapes: ``\u009b``.

    In valid JSON and TOML they only occur inside strings. Line breaks between them are kept.
    """
    return _ALL.sub(lambda one: one[0] if one[0] == "\n" else json.dumps(one[0])[1:-1], text)


def escape(letter: str) -> str:
    r"""Return a character as an escape in Python's notation: ``\x1b``, ``\u202e``, ``\U000e0001``.

    A surrogate that stands for a byte of a file name that is not UTF-8 is shown as that byte.
    """
    code = ord(letter)
    if letter in _SHORT:
        return _SHORT[letter]
    if 0xDC80 <= code <= 0xDCFF:
        code -= 0xDC00
    if code <= 0xFF:
        return f"\\x{code:02x}"
    return f"\\u{code:04x}" if code <= 0xFFFF else f"\\U{code:08x}"
