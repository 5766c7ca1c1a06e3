"""scikit-learn's callback protocol (release 1.9 and later): a fit task with a task per epoch."""

from collections.abc import Callable
from typing import Any

from numpy.typing import ArrayLike, NDArray

from chainrule.estimators.array_types import Inputs
from chainrule.estimators.contract import Estimator
from chainrule.estimators.fit_request import FitRequest
from chainrule.model.network import Network
from chainrule.training.events import EpochEnded, Event

__all__ = ["CallbackSupportMixin", "FitTasks", "has_listeners", "with_callbacks"]

try:
    from sklearn.callback import CallbackSupportMixin, with_callbacks
except ImportError:  # a release without the protocol: there are no callbacks

    class CallbackSupportMixin:  # type: ignore[no-redef]
        """Empty replacement for releases of scikit-learn without callbacks."""

    def with_callbacks(method: Callable[..., Any]) -> Callable[..., Any]:
        """Return the method itself."""
        return method


def has_listeners(estimator: Estimator) -> bool:
    """Whether the estimator has callbacks: its own, or those that a meta-estimator passed to it.

    (The task tree of a search does not count in itself: a search passes the callbacks that its
    estimators should notify.)
    """
    return bool(getattr(estimator, "_skl_callbacks", ()))


class FitTasks:
    """Notifies scikit-learn's callbacks of a fit and of its epochs (iterations for 'lbfgs').

    Parameters
    ----------
    estimator : BaseMLP
    X, y, sample_weight
        The training data.
    request : FitRequest
    """

    def __init__(
        self,
        estimator: Estimator,
        X: Inputs,
        y: NDArray[Any],
        sample_weight: ArrayLike | None,
        request: FitRequest,
    ) -> None:
        self._estimator, self._best = estimator, request.early
        self._name = "iteration" if estimator.solver == "lbfgs" else "epoch"
        self._told = {"estimator": estimator, "X": X, "y": y}
        if sample_weight is not None:
            self._told["metadata"] = {"sample_weight": sample_weight}
        self._root = estimator._init_callback_context(max_subtasks=request.epochs)
        self._root.call_on_fit_task_begin(**self._told)
        self._task: Any = None

    def begin(self) -> None:
        """Notify the callbacks that an epoch begins."""
        self._task = self._root.subcontext(task_name=self._name)
        self._task.call_on_fit_task_begin(**self._told)

    def __call__(self, event: Event) -> bool:
        """Notify the callbacks that an epoch ended; return True to stop the training."""
        return isinstance(event, EpochEnded) and bool(
            self._task.call_on_fit_task_end(
                **self._told, reconstruction_attributes=lambda: self._as_fitted(self._best)
            )
        )

    def close(self) -> None:
        """Notify the callbacks that the fit ended."""
        self._root.call_on_fit_task_end(
            **self._told, reconstruction_attributes=lambda: self._as_fitted(False)
        )

    def _as_fitted(self, best: bool) -> dict[str, Any]:
        """Return the fitted attributes that the estimator would have if training ended now."""
        network = self._estimator.network_
        parameters = self._estimator._best_parameters if best else network.parameters
        attributes: dict[str, Any] = {
            "network_": Network.from_parameters(network.spec, parameters.copy(), seed=network.seed)
        }
        for name in ("loss_curve_", "validation_loss_curve_", "validation_scores_"):
            curve = vars(self._estimator).get(name)
            if curve is not None:
                attributes[name] = list(curve)
        return attributes
