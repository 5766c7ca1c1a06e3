"""scikit-learn's lines of `verbose`, to the letter: programs read them from standard output."""


def epoch(number: int, loss: float) -> str:
    """Return the line after an epoch."""
    return f"Iteration {number}, loss = {loss:.8f}"


def validation(score: float, is_loss: bool) -> str:
    """Return the line of early stopping; a negative loss, which scikit-learn lacks, as the loss."""
    return f"Validation loss: {-score:f}" if is_loss else f"Validation score: {score:f}"


def no_improvement(
    what: str, tol: float, epochs: float, new_rate: float | None, too_small: bool
) -> str:
    """Return the line on why a training ends, or goes on at a smaller learning rate.

    Parameters
    ----------
    what : str
        What did not improve.
    tol, epochs : float
        By how much, and for how long.
    new_rate : float, optional
        The learning rate with which training goes on; None: it ends.
    too_small : bool
        Whether it ends because the learning rate can become no smaller.
    """
    reason = f"{what} did not improve more than tol={tol:f} for {epochs} consecutive epochs."
    if new_rate is not None:
        return f"{reason} Setting learning rate to {new_rate:f}"
    return f"{reason} Learning rate too small. Stopping." if too_small else f"{reason} Stopping."
