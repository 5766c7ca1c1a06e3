"""Vectorised checks of the bytes of a CSV file."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

# Block size in bytes: temporary arrays of it stay in the processor's cache.
_CACHED = 1 << 17
_QUOTE = ord('"')


def end_of_text(data: Any) -> int:
    """Return where the text ends, without trailing blank lines."""
    end = len(data)
    while end and data[end - 1 : end] in (b"\r", b"\n"):
        end -= 1
    return end


def count_fields(text: Any, separator: str, end: int, *, quoted: bool) -> int:
    """Return the number of fields of all lines; quoted separators and line ends do not count."""
    data = np.frombuffer(text, np.uint8)
    fields, inside = 1, False
    for start in range(0, end, _CACHED):
        block = data[start : min(end, start + _CACHED)]
        ends = block == ord(separator)
        ends |= block == ord("\n")
        if quoted:
            within = np.logical_xor.accumulate(block == _QUOTE)
            if inside:
                within = ~within
            inside = bool(within[-1])
            ends &= ~within
        fields += int(np.count_nonzero(ends))
    return fields


def lines_of_records(text: Any, *, quoted: bool) -> NDArray[np.int64]:
    """Return the line, from 1, on which each record begins; a blank line is no record."""
    data = np.frombuffer(text, np.uint8)
    begins, lines = [np.zeros(1, np.int64)], [np.ones(1, np.int64)]
    inside, line = False, 1
    for start in range(0, len(data), _CACHED):
        block = data[start : start + _CACHED]
        breaks = block == ord("\n")
        ends = breaks
        if quoted:
            within = np.logical_xor.accumulate(block == _QUOTE)
            if inside:
                within = ~within
            inside = bool(within[-1])
            ends = breaks & ~within
        places = np.flatnonzero(ends)
        begins.append(places + (start + 1))
        lines.append(np.cumsum(breaks)[places] + line)
        line += int(np.count_nonzero(breaks))
    at = np.concatenate(begins)
    sizes = np.diff(at, append=len(data) + 1) - 1
    # A carriage return alone is a blank line, too.
    alone = sizes == 1
    alone[alone] = data[at[alone]] == ord("\r")
    found: NDArray[np.int64] = np.concatenate(lines)[(sizes > 0) & ~alone]
    return found


def has_odd_quotes(text: Any, separator: str, *, whole: bool = True) -> bool:
    r"""Whether a quotation mark neither opens nor closes a field: 3", or "a "b" c".

    An opening mark, which an even number of marks precede, must follow a separator, a line end or
    another mark; a closing one must precede one of these. A text that is not whole may end inside
    a field.
    """
    data = np.frombuffer(text, np.uint8)
    borders = np.zeros(256, np.bool_)
    borders[[ord(separator), ord("\n"), ord("\r"), _QUOTE]] = True
    begin = 3 if bytes(text[:3]) == b"\xef\xbb\xbf" else 0
    before = 0
    for start in range(begin, len(data), _CACHED):
        places = np.flatnonzero(data[start : start + _CACHED] == _QUOTE) + start
        opening = places[before % 2 :: 2]
        closing = places[1 - before % 2 :: 2]
        before += len(places)
        opening = opening[opening > begin]
        closing = closing[closing < len(data) - 1]
        if not (borders[data[opening - 1]].all() and borders[data[closing + 1]].all()):
            return True
    return whole and before % 2 == 1


def end_of_rows(data: Any, separator: str, width: int) -> tuple[int, int]:
    """Return where the rows end, without trailing rows of empty fields, and the number of those."""
    end, rows = len(data), 0
    empty = f"{separator} \t\r\n".encode()
    while end:
        begin = data.rfind(b"\n", 0, end - 1) + 1
        if end - begin > 3 * width + 64:
            break
        line = bytes(data[begin:end])
        if line.strip(empty):
            break
        rows += separator.encode() in line
        end = begin
    return (end, rows) if rows else (len(data), 0)
