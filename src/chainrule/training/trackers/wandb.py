"""Weights & Biases."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal

from chainrule.checks import shown
from chainrule.errors import InvalidArgumentError
from chainrule.training.trackers.base import End, Tracker


class WandB(Tracker):
    """Records a training as a run of Weights & Biases: settings as its config, and the history.

    ``pip install "chainrule[wandb]"`` installs the client. With ``mode="offline"`` the run is
    written to a folder, and ``wandb sync`` uploads it later.

    Parameters
    ----------
    project : str, default "chainrule"
    name : str, optional
        The run's name; by default wandb makes one up.
    mode : {"online", "offline", "disabled"}, optional
        By default the environment variable WANDB_MODE, otherwise "online".
    folder : str or Path, optional
        Where the run's files are written; by default wandb in the current folder.
    settings : mapping, optional
        More settings to record in addition to those of the training.
    options : mapping, optional
        Further arguments of ``wandb.init``, such as ``{"entity": "team", "tags": ["adult"]}``.

    Attributes
    ----------
    run_id : str or None
        The id of the last run.

    Raises
    ------
    InvalidArgumentError
        If wandb is not installed.
    """

    package, extra = "wandb", "wandb"

    def __init__(
        self,
        project: str = "chainrule",
        name: str | None = None,
        *,
        mode: Literal["online", "offline", "disabled"] | None = None,
        folder: str | Path | None = None,
        settings: Mapping[str, Any] | None = None,
        options: Mapping[str, Any] | None = None,
    ) -> None:
        super().__init__(settings)
        if mode not in (None, "online", "offline", "disabled"):
            raise InvalidArgumentError(
                f"mode: expected 'online', 'offline' or 'disabled'; got {shown(mode)}"
            )
        self.project, self.name, self.mode = project, name, mode
        self.folder = None if folder is None else str(folder)
        self.options = {} if options is None else dict(options)
        self.run_id: str | None = None
        self._run: Any = None

    def _begin(self, settings: Mapping[str, Any]) -> None:
        import wandb

        self._run = wandb.init(
            project=self.project,
            name=self.name,
            mode=self.mode,
            dir=self.folder,
            config=dict(settings),
            reinit="create_new",  # a run that the user has begun goes on
            **self.options,
        )
        self.run_id = self._run.id

    def _log(self, epoch: int, row: Mapping[str, float]) -> None:
        self._run.log(dict(row), step=epoch)

    def _summarise(self, facts: Mapping[str, Any]) -> None:
        for name, value in facts.items():
            if value is not None:
                self._run.summary[name] = value

    def _close(self, end: End) -> None:
        self._run.finish(exit_code=0 if end == "finished" else 1)
        self._run = None
