"""Numbers and text as C writes them."""

from collections.abc import Sequence

import numpy as np

# Of a literal: every compiler of C99 takes 4095 characters, but Microsoft's 2048 at once.
_LONGEST = 2000


def c_float(value: float) -> str:
    """Return a number as a float of C, to the bit."""
    return _hex(float(np.float32(value))) + "f"


def c_double(value: float) -> str:
    """Return a number as a double of C, to the bit."""
    return _hex(float(value))


def _hex(value: float) -> str:
    mantissa, _, exponent = value.hex().partition("p")
    whole, _, fraction = mantissa.partition(".")
    fraction = fraction.rstrip("0")
    return f"{whole}.{fraction}p{exponent}" if fraction else f"{whole}p{exponent}"


def c_string(text: str) -> str:
    """Return text as a string of C: UTF-8, whatever is not a letter or a digit escaped."""
    plain = set(b"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789 _-.,:;()<>=+*#")
    octets = (chr(byte) if byte in plain else f"\\{byte:03o}" for byte in text.encode("utf-8"))
    return f'"{"".join(octets)}"'


def c_texts(kind: str, name: str, texts: Sequence[str]) -> str:
    """Return the definition of an array of texts, and of the long ones before it, by themselves."""
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
    # An array of C has at least one entry.
    listed = ",\n".join(f"    {entry}" for entry in entries or ['""'])
    return f"{''.join(alone)}{kind} {name}[{len(entries) or 1}] = {{\n{listed}\n}};"
