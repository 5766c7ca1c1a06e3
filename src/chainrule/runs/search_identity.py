"""What a search is known by in its journal."""

import hashlib
import json
from dataclasses import replace
from pathlib import Path

from chainrule.runs.space import ACTIVATIONS, BATCHES, WIDTHS
from chainrule.runs.training import PreparedRun


def search_id(run: PreparedRun) -> str:
    """Return a hash of everything that determines the trials of a search: table, options, space."""
    config = replace(run.config, training=run.asked)
    text = json.dumps([config.values(), WIDTHS, ACTIVATIONS, BATCHES], sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def holds_search(journal: Path, run: PreparedRun) -> bool:
    """Return whether a journal has trials of the same search, which then continues it."""
    name = search_id(run)
    try:
        with journal.open(encoding="utf-8") as file:
            return any('"study_name"' in line and f'"{name}"' in line for line in file)
    except (OSError, UnicodeDecodeError):
        return False
