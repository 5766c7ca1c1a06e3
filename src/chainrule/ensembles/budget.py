"""How many members, and of how many epochs, a time limit has room for."""

from dataclasses import dataclass

# Some time is left for selecting, merging and what follows, and for a machine that others use too.
_SHARE = 0.85


@dataclass(frozen=True)
class Budget:
    """What is trained within a time limit.

    Parameters
    ----------
    folds : int
        Of the first variation, so many folds are held out and trained without.
    epochs : int or None
        Epochs of each member; None: the number that the settings say.
    variations : int
        At most so many variations of the settings.
    """

    folds: int
    epochs: int | None
    variations: int

    @classmethod
    def within(
        cls,
        seconds: float,
        epoch_seconds: float,
        epochs: int,
        folds: int,
        variations: int,
        workers: int,
    ) -> "Budget":
        """Return the budget for a time limit, given what an epoch takes.

        All folds of the settings as given come first, then fewer folds, and only then fewer epochs:
        a shorter training ends its schedule all the same, but learns less.

        Parameters
        ----------
        seconds : float
            The time that is left.
        epoch_seconds : float
            Of one epoch of one member on one thread.
        epochs : int
            That the settings say.
        folds, variations : int
            That there are without a limit.
        workers : int
            Members that are trained at the same time.

        Examples
        --------
        >>> Budget.within(60, 0.01, 64, folds=5, variations=8, workers=2)
        Budget(folds=5, epochs=None, variations=8)
        >>> Budget.within(60, 0.6, 64, folds=5, variations=8, workers=2)
        Budget(folds=2, epochs=None, variations=1)
        >>> Budget.within(60, 3.0, 64, folds=5, variations=8, workers=2)
        Budget(folds=2, epochs=17, variations=1)
        """
        room = max(seconds, 0.0) * _SHARE
        member = max(epoch_seconds * epochs, 1e-9)
        turns = room / member  # members that a worker trains one after the other
        if turns < 1:
            short = max(1, int(room / max(epoch_seconds, 1e-9)))
            return cls(min(folds, workers), min(short, epochs), 1)
        trained = int(turns) * workers
        if trained < folds:
            return cls(trained, None, 1)
        return cls(folds, None, variations)
