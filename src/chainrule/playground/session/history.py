"""The curves of a training, thinned so that an hour of epochs takes no more room than a minute."""

import threading
from collections.abc import Callable, Sequence
from typing import Any

from chainrule.training.events import EpochEnded

MOST_POINTS = 1_000


class Curves:
    """Losses, metrics and rates by epoch: at most 1,000 points.

    When there are more, every second one is left out, and from then on every second epoch is kept;
    later every fourth, and so on. The last epoch is always there.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._kept: list[EpochEnded] = []
        self._last: EpochEnded | None = None
        self._stride = 1

    def append(self, event: EpochEnded) -> None:
        """Add an epoch."""
        self._last = event
        if event.epoch % self._stride:
            return
        with self._lock:
            self._kept.append(event)
            if len(self._kept) >= MOST_POINTS:
                self._stride *= 2
                self._kept = [one for one in self._kept if one.epoch % self._stride == 0]

    def events(self, until: int | None = None) -> list[EpochEnded]:
        """Return the kept epochs and the last one; `until` is the last epoch that is wanted."""
        with self._lock:
            events, last = list(self._kept), self._last
        if last is not None and (not events or events[-1].epoch != last.epoch):
            events.append(last)
        return [one for one in events if until is None or one.epoch <= until]

    def to_json(self, norms: Callable[[int], Sequence[float] | None]) -> dict[str, Any]:
        """Return the curves for a page, with None where there is no value.

        Parameters
        ----------
        norms : callable
            Returns the norm of each layer's gradient after an epoch; None if it is not known.
        """
        events = self.events()
        found = [norms(one.epoch) for one in events]
        layers = max((len(one) for one in found if one is not None), default=0)
        by_layer = {
            f"layer {layer + 1}": [None if one is None else finite(one[layer]) for one in found]
            for layer in range(layers)
        }
        metrics: dict[str, list[float | None]] = {}
        for part, name in (("metrics", "train"), ("validation_metrics", "test")):
            for metric in {key: None for one in events for key in getattr(one, part)}:
                metrics[f"{name} {_title(metric)}"] = [
                    finite(getattr(one, part).get(metric)) for one in events
                ]
        return {
            "epochs": [one.epoch for one in events],
            "train": [finite(one.loss) for one in events],
            "test": [finite(one.validation_loss) for one in events],
            "metrics": metrics,
            "learning_rate": [finite(one.learning_rate) for one in events],
            "penalty": [finite(one.penalty) for one in events],
            "gradient_norm": {
                "whole network": [finite(one.gradient_norm) for one in events],
                **by_layer,
            },
        }


def finite(value: Any) -> float | None:
    """Return a number for JSON: None if it is missing or not finite."""
    if value is None:
        return None
    number = float(value)
    return number if abs(number) < float("inf") else None


def _title(metric: str) -> str:
    return "RMSE" if metric == "rmse" else metric
