"""Takes the pictures of docs/howto/play.md: python -m tests.playground.browser.pictures."""

import shutil
from pathlib import Path
from typing import Any

from PIL import Image
from playwright.sync_api import sync_playwright

from chainrule.playground.server.process import Server
from chainrule.playground.session.opening import sessions_for_play
from tests.playground.browser.tabs import Tab, Tabs

FOLDER = Path(__file__).parents[3] / "docs" / "images" / "play"
SPIRAL = (
    "#data=toy&name=spiral&layers=[8,6]&activation=tanh&learning_rate=0.1"
    "&inputs=x1,x2,sin_x1,sin_x2&epochs=300"
)


def main() -> None:
    program = shutil.which("chromium") or shutil.which("google-chrome")
    FOLDER.mkdir(exist_ok=True)
    server = Server(sessions_for_play(), port=0)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=program, args=["--no-sandbox"])
        tabs = Tabs(browser, server.url)
        for take in (page, equations, surface, measures, lesson, phone):
            take(tabs)
        tabs.close()
        browser.close()
    server.stop()


def _trained(tabs: Tabs, **options: Any) -> Tab:
    tab = tabs.open(SPIRAL, **options)
    tab.page.get_by_label("Speed").select_option("100")
    tab.run_to_the_end()
    tab.page.wait_for_timeout(500)
    return tab


def _save(part: Any, name: str) -> None:
    path = FOLDER / f"{name}.png"
    part.screenshot(path=path)
    # A palette of 256 colours is enough for a page, and a third of the size.
    with Image.open(path) as picture:
        small = picture.convert("RGB").quantize(256, dither=Image.Dither.NONE)
    small.save(path, optimize=True)


def page(tabs: Tabs) -> None:
    _save(_trained(tabs).page.locator("article.experiment"), "page")


def equations(tabs: Tabs) -> None:
    tab = _trained(tabs, viewport={"width": 900, "height": 900})
    tab.page.locator(".unit").nth(5).click()
    tab.page.get_by_role("button", name="Show equations").click()
    tab.page.locator(".equation .katex").first.wait_for()
    tab.page.wait_for_timeout(300)
    _save(tab.page.locator(".one-by-one"), "equations")


def surface(tabs: Tabs) -> None:
    tab = _trained(tabs, viewport={"width": 900, "height": 900})
    panel = tab.panel("Equations")
    panel.get_by_text("A slice of the loss surface").click()
    panel.locator(".surface canvas").wait_for()
    _save(panel.locator(".surface canvas"), "surface")


def measures(tabs: Tabs) -> None:
    tab = _trained(tabs)
    panel = tab.panel("Measures")
    panel.locator("[data-score]").first.wait_for()
    _save(panel, "measures")


def lesson(tabs: Tabs) -> None:
    tab = tabs.open(viewport={"width": 900, "height": 900})
    panel = tab.panel("Lessons")
    panel.locator("ol.contents button").nth(1).click()
    panel.locator(".lesson").wait_for()
    panel.get_by_role("button", name="Show a hint").click()
    tab.page.wait_for_timeout(500)
    _save(panel, "lesson")


def phone(tabs: Tabs) -> None:
    tab = _trained(tabs, viewport={"width": 360, "height": 740}, color_scheme="dark")
    tab.page.locator("[data-group=network]").scroll_into_view_if_needed()
    _save(tab.page, "phone")


if __name__ == "__main__":
    main()
