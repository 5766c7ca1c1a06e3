"""The compiled extension, imported here and nowhere else."""

import importlib
import os
from types import ModuleType

native: ModuleType | None = None
"""The extension, or None where the package works without it."""

reason = ""
"""Why there is no extension, in one sentence; "" where there is one."""

if os.environ.get("CHAINRULE_PURE", "") not in ("", "0"):
    reason = "CHAINRULE_PURE is set in the environment"
else:
    try:
        native = importlib.import_module("chainrule._native")
    except ImportError as error:
        reason = f"it was not built, or cannot be loaded here ({error})"
