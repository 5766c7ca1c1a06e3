"""Numbers and text as C writes them."""

import numpy as np


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
