"""The engines that a test runs on: every one that is here.

A test module or conftest that imports `engine_name` or `engine` gets each of its tests once per
engine, so a new engine must pass the tests of the first.
"""

import pytest

from chainrule.engines import ENGINES, engine_named

# Units in the last place by which an engine's e^z, log, tanh, erf … may err: what the libraries
# state for theirs, and what a vectorised polynomial is allowed.
ULPS = dict.fromkeys(ENGINES, 4)


@pytest.fixture(scope="session", params=list(ENGINES))
def engine_name(request):
    """The name of an engine."""
    return request.param


@pytest.fixture(scope="session")
def engine(engine_name):
    """An engine."""
    return engine_named(engine_name)
