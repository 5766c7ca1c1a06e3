"""What is made of targets before the cost sees them."""

from chainrule.equations._array import Array


def smoothed_targets(Y: Array, smoothing: float, classes: int) -> Array:
    """Y1: y ← (1 − s) y + s/K.

    Each target hands a share s of its certainty to all K classes alike, so that no output is ever
    asked to be 0 or 1 exactly, which no finite weights can answer.

    Source: Szegedy et al. 2016, "Rethinking the Inception architecture for computer vision", CVPR,
    section 7.

    Parameters
    ----------
    Y : array (n[L], m)
        One-hot, or 0 and 1.
    smoothing : float
        s in [0, 1).
    classes : int
        K: n[L] where one of the outputs is right, 2 where each output says yes or no.

    Returns
    -------
    Y : array (n[L], m)
    """
    return (1 - smoothing) * Y + smoothing / classes
