"""Numbers and text as C literals."""

from collections.abc import Callable, Sequence
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

# The longest string literal, in bytes: C99 guarantees 4095 characters, but Microsoft's compiler
# accepts only 2048 in one literal.
_LONGEST = 2000


def c_float(value: float) -> str:
    """Return a number as an exact C float literal."""
    return _hex(float(np.float32(value))) + "f"


def c_double(value: float) -> str:
    """Return a number as an exact C double literal."""
    return _hex(float(value))


_LITERALS: dict[str, Callable[[Any], str]] = {"float": c_float, "double": c_double, "int": str}


def _hex(value: float) -> str:
    mantissa, _, exponent = value.hex().partition("p")
    whole, _, fraction = mantissa.partition(".")
    fraction = fraction.rstrip("0")
    return f"{whole}.{fraction}p{exponent}" if fraction else f"{whole}p{exponent}"


def c_array(kind: Literal["float", "double", "int"], name: str, array: NDArray[Any]) -> str:
    """Return the definition of a constant array of numbers, row after row."""
    numbers = [_LITERALS[kind](number) for number in array.ravel().tolist()]
    rows = (numbers[start : start + 6] for start in range(0, len(numbers), 6))
    listed = ",\n".join("    " + ", ".join(row) for row in rows)
    return f"static const {kind} {name}[{len(numbers)}] = {{\n{listed}\n}};"


def c_loop(count: int, statement: str) -> list[str]:
    """Return a statement for each i below a count."""
    return [f"for (i = 0; i < {count}; i++)", f"    {statement}"]


def c_string(text: str) -> str:
    """Return text as a C string literal in UTF-8, with octal escapes for special bytes."""
    plain = set(b"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789 _-.,:;()<>=+*#")
    octets = (chr(byte) if byte in plain else f"\\{byte:03o}" for byte in text.encode("utf-8"))
    return f'"{"".join(octets)}"'


def c_texts(kind: str, name: str, texts: Sequence[str]) -> str:
    """Return the definition of a string array, preceded by separate arrays for long strings."""
    alone, entries = [], []
    for place, text in enumerate(texts):
        octets = text.encode("utf-8")
        if len(octets) <= _LONGEST:
            entries.append(c_string(text))
            continue
        rows = [octets[start : start + 16] for start in range(0, len(octets), 16)]
        lines = "".join(
            "    " + " ".join(f"'\\{byte:03o}'," for byte in row) + "\n" for row in rows
        )
        alone.append(f"static const char {name}_{place}[] = {{\n{lines}    0\n}};\n\n")
        entries.append(f"{name}_{place}")
    # C has no empty arrays.
    listed = ",\n".join(f"    {entry}" for entry in entries or ['""'])
    return f"{''.join(alone)}{kind} {name}[{len(entries) or 1}] = {{\n{listed}\n}};"
