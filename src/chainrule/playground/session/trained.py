"""One training of an experiment: its run, its plan, and what was changed on the way."""

from dataclasses import dataclass, field, replace
from typing import Any

from chainrule.playground.session.control import Controller
from chainrule.playground.session.state import ELSEWHERE, Wanted
from chainrule.runs.options import SECTIONS, settings_of
from chainrule.runs.training import PreparedRun
from chainrule.training.changes import Changes
from chainrule.training.plan import LBFGS, Plan

ANY_LENGTH = (None, "constant", "adaptive", "invscaling")
"""Schedules whose rates do not depend on the number of epochs."""

# More epochs than any page waits for: a training ends when its page says so.
_ENDLESS = 10**9


@dataclass(eq=False)
class Trained:
    """One training of an experiment.

    Parameters
    ----------
    wanted : Wanted, optional
        None for the training of a finished run, which is shown again.
    prepared : PreparedRun
    plan : Plan
    open_ended : bool
        Whether it may go on after the epochs that were asked for.
    """

    wanted: Wanted | None
    prepared: PreparedRun
    plan: Plan
    open_ended: bool
    changes: Changes = field(default_factory=lambda: Changes({}))
    controller: Controller | None = None
    ended: str = ""
    """Why it ended; "" as long as it has not."""
    diverged: bool = False
    kept_epoch: int | None = None
    """The epoch whose weights are those of the whole training, once that has ended by itself."""

    def settings(self) -> dict[str, Any]:
        """Return the value of every setting that a state may have, ready for JSON."""
        config = self.prepared.config
        found = {
            one.name: getattr(getattr(config, section), one.name)
            for section in SECTIONS
            for one in settings_of(section)
            if one.name not in ELSEWHERE
        }
        return {
            name: list(value) if isinstance(value, tuple) else value
            for name, value in found.items()
        }

    @classmethod
    def begun(cls, wanted: Wanted | None, prepared: PreparedRun) -> "Trained":
        """Return a new training of a run: the same one each time."""
        description = prepared.description()
        plan = description.plan(description.network())
        # Warnings would go to the terminal; a page asks for diagnoses itself, as "measures".
        plan = replace(plan, diagnosed=False)
        training, stopping = prepared.config.training, plan.stopping
        open_ended = (
            wanted is not None
            and training.schedule in ANY_LENGTH
            and not training.early_stopping
            and not isinstance(plan.optimizer, LBFGS)
        )
        if open_ended:
            plan = replace(plan, epochs=_ENDLESS)
        by_default = wanted is not None and not wanted.stops_by_itself
        if by_default and stopping and not (stopping.keeps_best or stopping.slows):
            # On toy data, training continues even if the loss no longer decreases.
            plan = replace(plan, stopping=None)
        return cls(wanted, prepared, plan, open_ended)

    @property
    def file_name(self) -> str:
        """The name of the table as a file."""
        if self.wanted is not None:
            return self.wanted.file_name
        return self.prepared.config.data.table.replace("\\", "/").split("/")[-1] or "table.csv"
