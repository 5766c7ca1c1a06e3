"""The costs C4 to C7 of one example, for values: each grows more slowly than C1 far from y.

Where ∇ₐC jumps or bends (C4, C5 and C6), central differences mean nothing across the place:
`*_side` says on which side of it an output lies.
"""

from chainrule.equations._array import Array, namespace


def absolute_error(A: Array, Y: Array) -> Array:
    """C4: C = Σⱼ |yⱼ − aⱼ|.

    Its minimum over many examples of one input is the median of their targets.

    Parameters
    ----------
    A, Y : array (n[L], m)
        Outputs and targets.

    Returns
    -------
    C : array (m,)
        Cost of each example.
    """
    xp = namespace(A)
    return xp.sum(xp.abs(Y - A), axis=0)


def absolute_error_gradient(A: Array, Y: Array) -> Array:
    """C4 gradient: ∇ₐC = sign(a − y), with sign(0) = 0."""
    xp = namespace(A)
    return xp.sign(A - Y)


def absolute_error_side(A: Array, Y: Array) -> Array:
    """Return whether a > y: C4 has its kink at a = y."""
    return A > Y


def huber(A: Array, Y: Array, delta: float = 1.0) -> Array:
    """C5: C = Σⱼ h(|yⱼ − aⱼ|), h(r) = ½ r² if r ≤ d, else d (r − ½ d).

    C1 near the target, C4 far from it: d (`delta`) is where one becomes the other.

    Source: Huber 1964, "Robust estimation of a location parameter", Annals of Mathematical
    Statistics 35.

    Parameters
    ----------
    A, Y : array (n[L], m)
    delta : float
        d > 0, in the units of the target.

    Returns
    -------
    C : array (m,)
    """
    xp = namespace(A)
    r = xp.abs(Y - A)
    inner = xp.where(r > delta, delta, r)
    # ½ r² inside; outside ½ d² + d (r − d), which is d (r − ½ d).
    return xp.sum(inner * (r - 0.5 * inner), axis=0)


def huber_gradient(A: Array, Y: Array, delta: float = 1.0) -> Array:
    """C5 gradient: ∇ₐC = a − y, kept between −d and d."""
    xp = namespace(A)
    e = A - Y
    return xp.where(e > delta, delta, xp.where(e < -delta, -delta, e))


def huber_side(A: Array, Y: Array, delta: float = 1.0) -> Array:
    """Return whether a is further than d from y: C5's gradient bends at d."""
    xp = namespace(A)
    return xp.abs(A - Y) > delta


def quantile(A: Array, Y: Array, quantile: float = 0.5) -> Array:
    """C6: C = Σⱼ max(q (yⱼ − aⱼ), (q − 1)(yⱼ − aⱼ)).

    The pinball loss: its minimum over many examples of one input is the q-quantile of their
    targets. q = ½ is half of C4.

    Source: Koenker and Bassett 1978, "Regression quantiles", Econometrica 46.

    Parameters
    ----------
    A, Y : array (n[L], m)
    quantile : float
        q in (0, 1).

    Returns
    -------
    C : array (m,)
    """
    xp = namespace(A)
    e = Y - A
    return xp.sum(xp.where(e > 0, quantile * e, (quantile - 1) * e), axis=0)


def quantile_gradient(A: Array, Y: Array, quantile: float = 0.5) -> Array:
    """C6 gradient: ∇ₐC = 1 − q if a > y, −q if a < y, 0 if a = y.

    0 is one of the subgradients at the kink, and the one of an output that is right.
    """
    xp = namespace(A)
    e = A - Y
    sign = xp.sign(e)
    return xp.where(e > 0, (1 - quantile) * sign, quantile * sign)


def quantile_side(A: Array, Y: Array, quantile: float = 0.5) -> Array:
    """Return whether a > y: C6 has its kink at a = y, whatever q."""
    return A > Y


def log_cosh(A: Array, Y: Array) -> Array:
    """C7: C = Σⱼ log cosh(aⱼ − yⱼ).

    Near the target it is ½ e², far from it the distance less log 2, with every derivative in
    between. Next to e = 0 it is computed as ½ log(1 + sinh² e), which cancels nothing; elsewhere,
    r being the distance, as r + log(½ + ½ e^{−2r}), which never overflows.

    Parameters
    ----------
    A, Y : array (n[L], m)

    Returns
    -------
    C : array (m,)
    """
    xp = namespace(A)
    e = A - Y
    r = xp.abs(e)
    near = r < 0.875
    s = xp.sinh(xp.where(near, e, xp.zeros_like(e)))
    far = r + xp.log(0.5 + 0.5 * xp.exp(-2 * r))
    return xp.sum(xp.where(near, 0.5 * xp.log1p(s * s), far), axis=0)


def log_cosh_gradient(A: Array, Y: Array) -> Array:
    """C7 gradient: ∇ₐC = tanh(a − y)."""
    xp = namespace(A)
    return xp.tanh(A - Y)
