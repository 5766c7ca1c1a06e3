"""What a search is known by in its journal."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from chainrule.engines.base import Examples
from chainrule.errors import InvalidArgumentError
from chainrule.runs.space import ACTIVATIONS, BATCHES, WIDTHS
from chainrule.runs.training import PreparedRun
from chainrule.training.fingerprint import described
from chainrule.workers.identity import identity


def search_id(run: PreparedRun, *, shared: bool = False) -> str:
    """Return a hash of everything that determines the trials of a search: table, options, space.

    Processes that share a search may have the table at different paths, and different numbers of
    threads; they compare its content (`shared_identity`).
    """
    data, training = run.config.data, run.asked
    if shared:
        data, training = replace(data, table=""), replace(training, threads=None)
    config = replace(run.config, data=data, training=training)
    text = json.dumps([config.values(), WIDTHS, ACTIVATIONS, BATCHES], sort_keys=True)
    name = hashlib.sha256(text.encode()).hexdigest()[:16]
    # Another name: a command without --shared would write as if the journal were its alone.
    return f"{name}-shared" if shared else name


def holds_search(journal: Path, run: PreparedRun, *, shared: bool = False) -> bool:
    """Return whether a journal has trials of the same search, which then continues it."""
    name = search_id(run, shared=shared)
    try:
        with journal.open(encoding="utf-8") as file:
            return any('"study_name"' in line and f'"{name}"' in line for line in file)
    except (OSError, UnicodeDecodeError):
        return False


def shared_identity(run: PreparedRun) -> dict[str, str]:
    """Return what all processes that share a search must agree on, beside its options."""
    return {
        **identity(),
        "training data": described(Examples(*run.training)),
        "validation data": described(Examples(*run.validation)),
    }


def check_shared_identity(begun: Any, own: Mapping[str, str], where: str) -> None:
    """Raise if this process would train other trials than those that it shares a search with.

    Parameters
    ----------
    begun, own : dict
        The `shared_identity` of the process that began the search, and of this one.
    where : str
        The journal, for the message.

    Raises
    ------
    InvalidArgumentError
        With the first entry that differs, and the remedy.
    """
    there = begun if isinstance(begun, dict) else {}
    for name, value in own.items():
        found = str(there.get(name, "none"))
        if found == value:
            continue
        what = _WHAT.get(name, name)
        remedy = _REMEDIES.get(name, "give all processes the same table")
        raise InvalidArgumentError(
            f"--shared: the search in {where} began with another {what}: {found[:200]} there, "
            f"{value[:200]} here. For this search, {remedy}; for another one, choose another --out"
        )


_REMEDIES = {
    "chainrule": "install the same version of chainrule everywhere",
    "instruction set": "set CHAINRULE_ISA, everywhere and from the beginning, to one that all "
    "machines have (`chainrule info` lists those of a machine)",
}
_WHAT = {"chainrule": "version of chainrule"}
