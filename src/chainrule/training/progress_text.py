"""The words of a progress display, which terminals and notebooks share."""

from chainrule.printable import printable
from chainrule.training.events import EpochEnded, Stopped


def describe(event: EpochEnded) -> str:
    """Return loss and metrics of an epoch in one printable line, validation in parentheses."""
    parts = [("loss", event.loss, event.validation_loss)]
    parts += [
        (name, value, event.validation_metrics.get(name)) for name, value in event.metrics.items()
    ]
    shown = [
        f"{name} {value:.4g}" + (f" (val {validation:.4g})" if validation is not None else "")
        for name, value, validation in parts
    ]
    shown += [
        f"val {name} {value:.4g}"
        for name, value in event.validation_metrics.items()
        if name not in event.metrics
    ]
    return printable("  ".join(shown))


def ended_text(stopped: Stopped) -> str:
    """Return how a training ended; "" if it ended as planned, with its last weights.

    Examples
    --------
    >>> ended_text(Stopped(37, "converged", 27, 10, "validation loss"))
    'stopped after 37 epochs: no better validation loss since epoch 27, whose weights are kept'
    """
    after = f"stopped after {_epochs(stopped.epochs)}"
    text = ""
    if stopped.reason == "callback":
        text = f"{after} by a callback"
    elif stopped.reason == "converged":
        if stopped.best_epoch is not None:
            # Not `stale`: it counts anew after the learning rate was reduced.
            since = f"since epoch {stopped.best_epoch}, whose weights are kept"
            return f"{after}: no better {stopped.measure} {since}"
        text = after
        if stopped.stale is not None:
            text += f": no better {stopped.measure} for {_epochs(stopped.stale)}"
    if stopped.best_epoch is not None and (text or stopped.best_epoch != stopped.epochs):
        text += f"{'; ' if text else ''}weights of epoch {stopped.best_epoch} kept"
    return text


def time_text(seconds: float) -> str:
    """Return a duration as minutes and seconds, with hours if there are any."""
    whole = round(seconds)
    hours, minutes = divmod(whole // 60, 60)
    start = f"{hours}:{minutes:02d}" if hours else f"{minutes}"
    return f"{start}:{whole % 60:02d}"


def _epochs(count: int) -> str:
    return f"{count:,} epoch{'' if count == 1 else 's'}"
