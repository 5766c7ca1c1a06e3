"""MLflow."""

import re
import time
from collections.abc import Mapping
from typing import Any

from chainrule.checks import shown
from chainrule.errors import InvalidArgumentError
from chainrule.training.trackers.base import End, Tracker

_STATUS: dict[End, str] = {"finished": "FINISHED", "failed": "FAILED", "interrupted": "KILLED"}
_LONGEST = 500
_UNNAMEABLE = re.compile(r"[^\w\-. /:]")


class MLflow(Tracker):
    """Records a training as a run of MLflow: settings as parameters, the history as metrics.

    Inside ``with mlflow.start_run():`` it records to that run, which the block ends; otherwise each
    training is a separate run. ``pip install "chainrule[mlflow]"`` installs the client
    (mlflow-skinny), which records to a server or a database; ``mlflow ui`` of the package mlflow
    shows a database.

    Parameters
    ----------
    experiment : str, default "chainrule"
        The experiment's name; it is created if it does not exist.
    name : str, optional
        The run's name; by default MLflow makes one up.
    tracking_uri : str, optional
        A server ("http://…") or a database ("sqlite:///mlflow.db"); by default the one that MLflow
        is set to, which is mlflow.db in the current folder if nothing is set.
    settings : mapping, optional
        More settings to record in addition to those of the training.

    Attributes
    ----------
    run_id : str or None
        The id of the last run.

    Raises
    ------
    InvalidArgumentError
        If MLflow is not installed.
    """

    package, extra = "mlflow", "mlflow"

    def __init__(
        self,
        experiment: str = "chainrule",
        name: str | None = None,
        *,
        tracking_uri: str | None = None,
        settings: Mapping[str, Any] | None = None,
    ) -> None:
        super().__init__(settings)
        if not isinstance(experiment, str) or not experiment:
            raise InvalidArgumentError(
                f"experiment: expected the name of an experiment; got {shown(experiment)}"
            )
        self.experiment, self.name = experiment, name
        self.tracking_uri = tracking_uri
        self.run_id: str | None = None
        self._client: Any = None
        self._is_own = True

    def _begin(self, settings: Mapping[str, Any]) -> None:
        import mlflow
        from mlflow.entities import Param

        self._client = mlflow.MlflowClient(tracking_uri=self.tracking_uri)
        active = mlflow.active_run() if self.tracking_uri is None else None
        self._is_own = active is None
        self.run_id = self._new_run() if active is None else active.info.run_id
        given = [
            Param(_name(name), str(value)[:_LONGEST])
            for name, value in settings.items()
            if value is not None
        ]
        self._client.log_batch(self.run_id, params=given)

    def _new_run(self) -> str:
        found = self._client.get_experiment_by_name(self.experiment)
        experiment = (
            self._client.create_experiment(self.experiment)
            if found is None
            else found.experiment_id
        )
        return str(self._client.create_run(experiment, run_name=self.name).info.run_id)

    def _log(self, epoch: int, row: Mapping[str, float]) -> None:
        from mlflow.entities import Metric

        now = int(1000 * time.time())
        metrics = [Metric(_name(name), value, now, epoch) for name, value in row.items()]
        self._client.log_batch(self.run_id, metrics=metrics)

    def _summarise(self, facts: Mapping[str, Any]) -> None:
        for name, value in facts.items():
            if value is not None:
                self._client.set_tag(self.run_id, f"chainrule.{name}", str(value))

    def _close(self, end: End) -> None:
        if self._is_own:
            self._client.set_terminated(self.run_id, _STATUS[end])
        self._client = None


def _name(name: str) -> str:
    """Return a name that MLflow accepts: a metric may be called anything."""
    return _UNNAMEABLE.sub("_", name)
