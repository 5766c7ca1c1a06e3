"""The engines that a test runs on: those that are here and need no extra.

A test module or conftest that imports `engine_name` or `engine` gets each of its tests once per
engine, so a new engine must pass the tests of the first. Compilation for each shape would take
hours on the jax engine: `tests/engines/test_jax.py` chooses what runs on it too.
"""

import pytest

from chainrule import engines

ENGINES = tuple(name for name in engines.ENGINES if name != "jax")

# Units in the last place by which an engine's e^z, log, tanh, erf … may err: what the libraries
# state for theirs, and what a vectorised polynomial is allowed.
ULPS = dict.fromkeys(engines.ENGINES, 4)


@pytest.fixture(scope="session", params=ENGINES)
def engine_name(request):
    """The name of an engine."""
    return request.param


@pytest.fixture(scope="session")
def engine(engine_name):
    """An engine."""
    return engines.engine_named(engine_name)
