"""The Python code, the command and the run.toml that train the network that is shown."""

from dataclasses import dataclass, replace
from pprint import pformat
from typing import Any

from chainrule.playground.session.snapshot import Snapshot
from chainrule.playground.session.trained import ANY_LENGTH, Trained
from chainrule.runs.command import arguments_of, command_of
from chainrule.runs.config import RunConfig
from chainrule.training.plan import LBFGS


@dataclass(frozen=True)
class Exported:
    """What trains the network that is shown, from the table beside it.

    Parameters
    ----------
    python, command, toml : str
    exact : bool
        Whether the Python code gives the same network to the bit.
    command_exact : bool
        Whether the command and the run.toml do, too.
    why : str, optional
        Why something of it does not.
    """

    python: str
    command: str
    toml: str
    exact: bool
    command_exact: bool
    why: str | None

    def to_json(self) -> dict[str, Any]:
        """Return it for a page."""
        return {
            "python": self.python,
            "command": self.command,
            "toml": self.toml,
            "exact": self.exact,
            "command_exact": self.command_exact,
            "why": self.why,
        }


def exported(trained: Trained, snapshot: Snapshot) -> Exported:
    """Return what trains the network of a snapshot.

    If the training has ended by itself, and the epoch is shown whose weights it keeps, this is the
    training as it was asked for. Otherwise it ends with the epoch that is shown. Its early stopping
    is then off: a learning rate that its rule reduced is written down as a change, like those of
    the page.
    """
    epoch, changes = snapshot.epoch, trained.changes.values(until=snapshot.epoch)
    config, reasons = trained.prepared.config, []
    training = config.training
    values: dict[str, Any] = {"early_stopping": False}
    as_asked = training.early_stopping and epoch == trained.kept_epoch and epoch > 0
    if as_asked and not trained.changes.values():
        return _exported(trained, config, {}, exact=snapshot.at_epoch_end, reasons=[])
    stop = training.schedule not in ANY_LENGTH and epoch < training.epochs
    if stop:
        changes[epoch] = changes.get(epoch, {}) | {"stop": True}
        reasons.append(
            f"the learning-rate schedule is for {training.epochs} epochs, and the command cannot "
            f"stop after {epoch}"
        )
    else:
        values["epochs"] = max(1, epoch)
    ruled, by_hand = training.early_stopping, any(set(one) != {"stop"} for one in changes.values())
    if by_hand:
        reasons.append("the command cannot make the changes that were made during training")
    if ruled and trained.controller is not None:
        rates = {at: rate for at, rate in trained.controller.rates.items() if at < epoch}
        for at, rate in rates.items():
            changes[at] = {"learning_rate": rate} | changes.get(at, {})
        if rates:
            reasons.append(
                "the learning rate was reduced because of the validation loss, which the command "
                "does only with early stopping"
            )
    stopping = trained.plan.stopping
    if not isinstance(trained.plan.optimizer, LBFGS) and (ruled or stopping is None):
        # With such a long patience, the stopping rule does not end the training early.
        values["patience"] = max(training.patience or 1, training.epochs if stop else epoch, 1)
    exact = snapshot.at_epoch_end and epoch > 0
    if not epoch:
        reasons = [
            "the network has not been trained for an epoch yet; this trains it for one epoch"
        ]
    elif not snapshot.at_epoch_end:
        reasons = [f"epoch {epoch + 1} is not finished; this trains until the end of epoch {epoch}"]
    config = replace(config, training=replace(training, **values))
    return _exported(trained, config, changes, exact, reasons)


def _exported(
    trained: Trained,
    config: RunConfig,
    changes: dict[int, dict[str, Any]],
    exact: bool,
    reasons: list[str],
) -> Exported:
    config = replace(config, data=replace(config.data, table=trained.file_name))
    changes = dict(sorted(changes.items()))
    return Exported(
        _python(trained, config, changes),
        command_of(config, *_counts(trained)),
        config.to_toml(),
        exact,
        exact and not changes,
        _sentence(reasons) if reasons else None,
    )


def _sentence(reasons: list[str]) -> str:
    text = "; ".join(reasons)
    return f"{text[0].upper()}{text[1:]}."


def _counts(trained: Trained) -> tuple[bool, int, int]:
    """Return whether the task is inferred, and the numbers of rows that defaults depend on."""
    parts = trained.prepared.parts
    n_train = parts.n_train
    return parts.inferred, n_train, n_train + parts.validation.height


def _python(trained: Trained, config: RunConfig, changes: dict[int, dict[str, Any]]) -> str:
    name = config.data.table
    bare = replace(config, data=replace(config.data, table=""))
    arguments = [repr(name), *arguments_of(bare, *_counts(trained))]
    if changes:
        text = pformat(changes, width=88, sort_dicts=False).replace("\n", "\n            ")
        arguments.append(f"callbacks=[\n        cr.Changes(\n            {text}\n        )\n    ]")
    lines = "".join(f"    {argument},\n" for argument in arguments)
    return (
        "import chainrule as cr\n"
        "\n"
        f"# The table is the file {name!r}, beside this one.\n"
        f"run = cr.train(\n{lines})\n"
        'run.model.save("model.safetensors")\n'
    )
