"""What the equations do about the ends of floating point, written once."""

from chainrule.equations._array import Array, namespace


def positive(A: Array) -> Array:
    """Keep A at or above the smallest normal number; NaN stays NaN."""
    xp = namespace(A)
    smallest = float(xp.finfo(A.dtype).smallest_normal)
    return xp.where(smallest > A, smallest, A)
