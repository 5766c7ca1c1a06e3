"""The compiled extension, which is imported only here."""

import importlib
import importlib.util
import os
import warnings
from typing import TYPE_CHECKING

from chainrule.errors import InvalidArgumentError

if TYPE_CHECKING:
    # The types are in _native.pyi.
    from chainrule import _native as native
    from chainrule._native import Plan as Plan
else:
    native = None
"""The extension module, or None if it is unavailable or disabled."""

COMPLAINS = "chainrule._native: "
"""Prefix of the error messages that the extension raises for invalid arrays."""

reason = ""
"""Why the extension is unavailable, in one sentence; "" if it is available."""

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
