"""Changes to targets before the cost is computed: label smoothing."""

from chainrule.equations._array import Array


def smoothed_targets(Y: Array, smoothing: float, classes: int) -> Array:
    """Y1: y ← (1 − s) y + s/K.

    A share s of each target is spread evenly over all K classes, so that no target is exactly 0 or
    1, which no finite weights could reach.

    Source: Szegedy et al. 2016, "Rethinking the Inception architecture for computer vision", CVPR,
    section 7.

    Parameters
    ----------
    Y : array (n[L], m)
        One-hot, or 0 and 1.
    smoothing : float
        s in [0, 1).
    classes : int
        K: n[L] if exactly one output is right, 2 if each output is a classification of its own.

    Returns
    -------
    Y : array (n[L], m)
    """
    return (1 - smoothing) * Y + smoothing / classes
