"""The `verbose` lines of scikit-learn, verbatim: programs parse them from standard output."""


def epoch(number: int, loss: float) -> str:
    """Return the line printed after an epoch."""
    return f"Iteration {number}, loss = {loss:.8f}"


def validation(score: float, is_loss: bool) -> str:
    """Return the line of early stopping: a score, or a validation loss given as its negative."""
    return f"Validation loss: {-score:f}" if is_loss else f"Validation score: {score:f}"


def no_improvement(
    what: str, tol: float, epochs: float, new_rate: float | None, too_small: bool
) -> str:
    """Return the line that explains why training ends or the learning rate is reduced.

    Parameters
    ----------
    what : str
        The quantity that did not improve.
    tol, epochs : float
        The required improvement, and the number of epochs without it.
    new_rate : float, optional
        The learning rate with which training continues; None if it ends.
    too_small : bool
        Whether training ends because the learning rate is at its minimum.
    """
    reason = f"{what} did not improve more than tol={tol:f} for {epochs} consecutive epochs."
    if new_rate is not None:
        return f"{reason} Setting learning rate to {new_rate:f}"
    return f"{reason} Learning rate too small. Stopping." if too_small else f"{reason} Stopping."
