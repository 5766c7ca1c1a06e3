"""Instruction sets, for tests of the compiled core."""

from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from chainrule.engines import extension
from chainrule.engines.native import has_precision
from chainrule.names import Precision


@contextmanager
def computing_with(name: str, precision: Precision | None = None) -> Iterator[None]:
    """Compute with an instruction set for a while; skip if it, or the precision, is missing."""
    native = extension.native
    if native is None:
        pytest.skip("there is no compiled core")
    before = native.instruction_set()
    try:
        native.use_instruction_set(name)
    except ValueError:
        pytest.skip(f"this CPU (or build) has no {name}")
    try:
        if precision is not None and not has_precision(precision):
            pytest.skip("the system grants no tile registers")
        yield
    finally:
        native.use_instruction_set(before)
