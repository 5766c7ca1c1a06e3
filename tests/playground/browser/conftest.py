"""A browser and a server for each module of tests, and a tab of its own for each test.

Modules share nothing, so that the event loop of the browser's driver ends with each of them: other
tests run loops of their own.
"""

import shutil

import numpy as np
import pytest

from chainrule.playground.server.process import Server
from chainrule.playground.session.opening import sessions_for_play
from tests.playground.browser.tabs import Asked, Tabs

_PROGRAMS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
# Chromium's own sandbox needs rights that containers and root do not have; and what is drawn must
# not depend on a graphics card, nor on how fast one is imitated.
_OPTIONS = ["--no-sandbox", "--disable-gpu"]


@pytest.fixture(scope="module")
def browser():
    api = pytest.importorskip("playwright.sync_api")
    program = next((path for name in _PROGRAMS if (path := shutil.which(name))), None)
    if program is None:
        pytest.skip("no Chromium on this machine: sh tests/playground/browser/install.sh as root")
    with api.sync_playwright() as playwright:
        one = playwright.chromium.launch(executable_path=program, args=_OPTIONS)
        yield one
        one.close()


@pytest.fixture(scope="module")
def sessions():
    return sessions_for_play()


@pytest.fixture(scope="module")
def server(sessions):
    one = Server(sessions, port=0)
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


@pytest.fixture
def session(sessions):
    """Returns the server's side of a tab."""
    known = {}

    def asked(tab):
        if tab not in known:
            known[tab] = Asked(sessions, tab)
        return known[tab]

    yield asked
    for one in known.values():
        one.leave()


@pytest.fixture
def table(tmp_path):
    random = np.random.default_rng(0)
    lines = ["age,city,price"]
    for _ in range(200):
        age, city = random.integers(18, 90), random.choice(["Bern", "Rome", "Oslo"])
        lines.append(f"{age if random.random() > 0.1 else ''},{city},{3 * age + len(city)}")
    path = tmp_path / "homes.csv"
    path.write_text("\n".join(lines), encoding="utf-8")
    return path
