"""What the tests in a browser share: tabs of the page, and what they read and press there."""

import json
import re
import urllib.parse
from typing import Any

from chainrule.playground.session.base import Client
from chainrule.playground.session.sessions import Sessions

_SECONDS = 120  # machines that do other things beside


class Tab:
    """One tab with the page."""

    def __init__(self, page: Any, errors: list[str]) -> None:
        self.page = page
        page.set_default_timeout(1000 * _SECONDS)
        page.on("pageerror", lambda error: errors.append(str(error)))
        page.on("console", lambda said: said.type == "error" and errors.append(said.text))

    def ready(self) -> "Tab":
        """Wait until the server has answered, its network is drawn, and the panels are there."""
        # Not that they are visible: the page of a model alone hides them.
        self.page.locator(".epoch-number", has_text=re.compile(r"\d")).wait_for(state="attached")
        self.page.locator("canvas.map:not(.empty)").wait_for(state="attached")
        self.page.wait_for_selector(".unit")
        self.page.wait_for_selector("[role=tab]:visible")
        return self

    @property
    def epoch(self) -> int:
        return self.epochs[0]

    @property
    def epochs(self) -> list[int]:
        """The epoch of each training in the page; -1: the server has not told it yet."""
        shown = self.page.locator(".epoch-number").all_text_contents()
        return [int(re.sub(r"\D", "", text) or -1) for text in shown]

    @property
    def step(self) -> int:
        """The step of the picture that is shown."""
        told = self.page.locator(".epoch-number").first.get_attribute("title") or ""
        return int(re.sub(r"\D", "", told) or -1)

    def press(self, name: str) -> None:
        self.page.get_by_role("button", name=name, exact=True).click()

    def run(self) -> None:
        """Press Run, and wait until the training runs, or has run already."""
        before = self.step
        self.press("Run")
        self.until(lambda: self._can("Pause") or self.step > before)

    def run_to_the_end(self) -> None:
        """Press Run, and wait until the training has ended by itself."""
        self.run()
        self.until(lambda: self._can("Run"))

    def pause(self) -> None:
        self.press("Pause")
        self.until(lambda: self._can("Run"))

    def _can(self, name: str) -> bool:
        return bool(self.page.get_by_role("button", name=name, exact=True).count())

    def train(self, epochs: int) -> None:
        """Train some epochs, one after the other, by the button for one."""
        for _ in range(epochs):
            before = self.epoch
            self.page.get_by_role("button", name="Train one epoch").click()
            self.until(lambda before=before: self.epoch == before + 1)

    def until(self, condition: Any) -> None:
        """Wait until a condition on the page holds."""
        for _ in range(_SECONDS * 50):
            if condition():
                return
            self.page.wait_for_timeout(20)
        raise AssertionError("the page did not come to what was expected")

    def reloaded_without(self, script: str) -> Any:
        """Reload without a script of the page; return what lets it come."""
        held: list[Any] = []
        self.page.route(f"**/assets/{script}-*.js", lambda route: held.append(route))
        self.page.reload()
        self.ready()

        def come() -> None:
            self.until(lambda: held)
            for route in held:
                route.continue_()

        return come

    def still(self, part: Any) -> None:
        """Wait until nothing changes in a part of the page: formulas have replaced their TeX."""
        before = None
        while (now := part.inner_html()) != before:
            before = now
            self.page.wait_for_timeout(100)

    def panel(self, name: str) -> Any:
        """Open a panel; return it."""
        button = self.page.get_by_role("tab", name=name, exact=True)
        if button.get_attribute("aria-selected") != "true":
            button.click()
        return self.page.get_by_role("tabpanel")

    @property
    def state(self) -> dict[str, str]:
        """What the address says, by its names."""
        _, _, text = self.page.url.partition("#")
        return dict(entry.split("=", 1) for entry in text.split("&") if entry)

    def setting(self, name: str) -> Any:
        """The value of a setting in the address; None if it is not there."""
        text = urllib.parse.unquote(self.state.get(name, "null"))
        try:
            return json.loads(text)
        except ValueError:
            return text


class Asked:
    """The server's side of a tab: what its session says to whoever asks."""

    def __init__(self, sessions: Sessions, tab: Tab) -> None:
        name = tab.page.evaluate("sessionStorage.getItem('chainrule-session-a')")
        self._session = sessions.get(name)
        self._said: dict[str, Any] = {}
        self._client = Client(push=self._hear)
        self._session.connect(self._client)

    def _hear(self, message: dict[str, Any]) -> None:
        self._said[message["type"]] = message

    def request(self, kind: str, **fields: Any) -> Any:
        return self._session.request(self._client, {"type": kind, **fields})

    @property
    def hello(self) -> Any:
        return self._session.hello()

    def weights(self) -> Any:
        return self.request("weights")["layers"]

    def status(self) -> dict[str, Any]:
        return dict(self._said["status"])

    def description(self) -> dict[str, Any]:
        return dict(self._said["description"])

    def leave(self) -> None:
        self._session.disconnect(self._client)


class Tabs:
    """Opens tabs of one browser."""

    def __init__(self, browser: Any, url: str) -> None:
        self._browser, self._url = browser, url
        self._contexts: list[Any] = []
        self.errors: list[str] = []

    def open(self, address: str = "", url: str = "", ready: bool = True, **options: Any) -> Tab:
        """Open a tab with storage of its own; `address` is what follows the server's."""
        options = {"viewport": {"width": 1280, "height": 900}, "locale": "en-GB", **options}
        context = self._browser.new_context(reduced_motion="reduce", **options)
        self._contexts.append(context)
        tab = Tab(context.new_page(), self.errors)
        tab.page.goto((url or self._url) + address)
        return tab.ready() if ready else tab

    def close(self) -> None:
        for context in self._contexts:
            context.close()
