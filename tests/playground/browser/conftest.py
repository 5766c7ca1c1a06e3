"""A browser and a server for each module of tests, and a tab of its own for each test.

Modules share nothing, so that the event loop of the browser's driver ends with each of them: other
tests run loops of their own.
"""

import shutil

import pytest

from chainrule.playground.server.process import Server
from chainrule.playground.session.opening import sessions_for_play
from tests.playground.browser.tabs import Tabs

_PROGRAMS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")


@pytest.fixture(scope="module")
def browser():
    api = pytest.importorskip("playwright.sync_api")
    program = next((path for name in _PROGRAMS if (path := shutil.which(name))), None)
    if program is None:
        pytest.skip("no Chromium on this machine: sh tests/playground/browser/install.sh as root")
    with api.sync_playwright() as playwright:
        # Chromium's own sandbox needs rights that containers and root do not have.
        one = playwright.chromium.launch(executable_path=program, args=["--no-sandbox"])
        yield one
        one.close()


@pytest.fixture(scope="module")
def server():
    one = Server(sessions_for_play(), port=0)
    yield one
    one.stop()


@pytest.fixture
def tabs(browser, server):
    """Opens tabs; no test may leave an error in one of them."""
    opened = Tabs(browser, server.url)
    yield opened
    opened.close()
    assert opened.errors == []


@pytest.fixture
def tab(tabs):
    """One tab that shows the default network, before its first step."""
    return tabs.open()
