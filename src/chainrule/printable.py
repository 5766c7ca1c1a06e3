"""Text of strangers, such as the name of a column, so that it is seen and does nothing else."""

import json
import re

# What is no letter to see but steers whatever shows it, or hides: controls of terminals (C0, C1),
# direction marks and overrides, zero-width characters, fillers and tags, separators of lines and
# paragraphs, halves of surrogate pairs, and what is no character. It is Unicode's Cc, Cf, Cs, Zl
# and Zp with the other code points that a font shows as nothing; two are left out that ordinary
# emoji end with, U+FE0E and U+FE0F.
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
    r"""Return a value as text whose controls and invisible characters are seen as escapes.

    Every edge where names of columns, classes or files, or other words of a file, are shown calls
    this: a terminal, a page, a picture, an error. What was printable stays as it is.

    Parameters
    ----------
    value : object
    keep : str, default ""
        Characters to leave alone: the line ends of a text that is more than one line.

    Examples
    --------
    >>> print(printable("a\x1b[2Jb\n"))
    a\x1b[2Jb\n
    """
    return _ALL.sub(lambda one: one[0] if one[0] in keep else escape(one[0]), str(value))


def printable_json(text: str) -> str:
    r"""Return JSON, or TOML's texts, of the same meaning: such characters as ``\u009b``.

    They stand in texts alone there; the line ends between them stay.
    """
    return _ALL.sub(lambda one: one[0] if one[0] == "\n" else json.dumps(one[0])[1:-1], text)


def escape(letter: str) -> str:
    r"""Return a character as Python writes it: ``\x1b``, ``\u202e``, ``\U000e0001``.

    Half a pair that stands for a byte of a file's name that is no UTF-8 is that byte.
    """
    code = ord(letter)
    if letter in _SHORT:
        return _SHORT[letter]
    if 0xDC80 <= code <= 0xDCFF:
        code -= 0xDC00
    if code <= 0xFF:
        return f"\\x{code:02x}"
    return f"\\u{code:04x}" if code <= 0xFFFF else f"\\U{code:08x}"
