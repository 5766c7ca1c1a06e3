"""The trials of a search that several processes share, in an Optuna study in one journal."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from chainrule.runs.search_identity import check_shared_identity, shared_identity
from chainrule.runs.shared_journal import SharedJournal
from chainrule.runs.space import drawn_settings
from chainrule.runs.training import PreparedRun
from chainrule.runs.trial_study import Generation, TrialStudy, given
from chainrule.runs.trials import Outcome

if TYPE_CHECKING:
    from optuna.trial import FrozenTrial, Trial

_IDENTITY, _WRITTEN = "identity", "written"


class Begun(NamedTuple):
    """A trial that this process has begun."""

    trial: "Trial"
    drawn: dict[str, Any]
    medians: Mapping[int, float]
    """By the number of epochs: the median loss of the trials that had ended when it began."""


class SharedStudy(TrialStudy):
    """The trials of a search that several processes share.

    A trial that has begun and not ended counts nowhere, so nobody waits for a process that died.
    Trials are numbered in the order in which they ended, which is that of the journal, and hence
    alike in all processes.

    Parameters
    ----------
    run : PreparedRun
    journal : Path
        Created if missing.
    varied : sequence of str
        The settings that the search varies.

    Raises
    ------
    InvalidArgumentError
        If the file is no journal of a search, or has entries that this search does not write.
    """

    shared = True

    def __init__(self, run: PreparedRun, journal: Path, varied: Sequence[str]) -> None:
        self._journal = SharedJournal(journal)
        super().__init__(run, self._journal, varied)

    @property
    def is_begun(self) -> bool:
        """Whether a process has begun the search, with `agree`."""
        return _IDENTITY in self._study.user_attrs

    def agree(self) -> None:
        """Begin the search, or check that this process trains what the first one does.

        Raises
        ------
        InvalidArgumentError
            If the version of chainrule, the instruction set or the table is another one.
        """
        own = shared_identity(self._run)
        if not self.is_begun:
            self._study.set_user_attr(_IDENTITY, own)
        check_shared_identity(self._study.user_attrs[_IDENTITY], own, str(self._journal.path))

    def begin(self, *, default: bool = False) -> Begun:
        """Begin a trial: the first one, and with `default` any, has the default settings.

        The others draw from what has ended, here and elsewhere.
        """
        earlier = self._ended()
        # The number, which only the journal can give, decides what is drawn.
        self._study.sampler = given({})
        trial = self._study.ask()
        generation = Generation(self._run, self._varied, earlier)
        drawn = generation.drawn(0 if default else trial.number)
        self._study.sampler = given(drawn)
        with self._journal.locked():
            drawn_settings(self._run, trial, self._varied)
        return Begun(trial, drawn, {} if default else generation.medians)

    def end(self, begun: Begun, outcome: Outcome) -> int:
        """Write how a trial ended; return its number, counted from 1."""
        with self._journal.locked():
            self._tell(begun.trial, outcome)
        return 1 + [trial.number for trial in self._ended()].index(begun.trial.number)

    @property
    def count(self) -> int:
        """How many trials have ended, here and elsewhere."""
        return len(self._ended())

    @property
    def has_default(self) -> bool:
        """Whether a trial with the default settings has ended."""
        default = Generation(self._run, self._varied, ()).drawn(0)
        return any(trial.params == default for trial in self._ended())

    @property
    def written(self) -> int:
        """Of how many trials the run's files are; 0 before they are written."""
        found = self._study.user_attrs.get(_WRITTEN, 0)
        return found if type(found) is int else 0

    @written.setter
    def written(self, trials: int) -> None:
        self._study.set_user_attr(_WRITTEN, trials)

    def _ended(self) -> "list[FrozenTrial]":
        place_of = self._journal.place_of
        return sorted(super()._ended(), key=lambda trial: place_of(trial._trial_id))
