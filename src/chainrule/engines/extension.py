"""The compiled extension, imported here and nowhere else."""

import importlib
import importlib.util
import os
import warnings
from typing import TYPE_CHECKING

from chainrule.errors import InvalidArgumentError

if TYPE_CHECKING:
    # Its types are in _native.pyi.
    from chainrule import _native as native
    from chainrule._native import Plan as Plan
else:
    native = None
"""The extension, or None where the package works without it."""

COMPLAINS = "chainrule._native: "
"""How the extension's own errors begin, those of arrays that it cannot take."""

reason = ""
"""Why there is no extension, in one sentence; "" where there is one."""

if os.environ.get("CHAINRULE_PURE", "") not in ("", "0"):
    reason = "CHAINRULE_PURE is set in the environment"
elif importlib.util.find_spec("chainrule._native") is None:
    reason = "the package was installed without its compiled core"
else:
    try:
        native = importlib.import_module("chainrule._native")
    except ImportError as error:
        reason = f"the compiled core cannot be loaded ({error})"
        warnings.warn(
            f"chainrule works on the slower reference engine: {reason}",
            RuntimeWarning,
            stacklevel=2,
        )

if native is not None and os.environ.get("CHAINRULE_ISA"):
    try:
        native.use_instruction_set(os.environ["CHAINRULE_ISA"])
    except ValueError as error:
        raise InvalidArgumentError(f"CHAINRULE_ISA: {error}") from None

__all__ = ["COMPLAINS", "native", "reason"]
