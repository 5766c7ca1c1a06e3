import pytest

from tests.playground.server.pages import Served


@pytest.fixture
def served():
    one = Served()
    yield one
    one.server.stop()
