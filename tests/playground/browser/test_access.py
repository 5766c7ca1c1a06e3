"""Everybody can use the page: by keyboard, with a screen reader, on a phone, in the dark."""

from pathlib import Path

import pytest

_AXE = Path(__file__).parents[3] / "page" / "node_modules" / "axe-core" / "axe.min.js"
PANELS = ["Lessons", "Equations", "Measures", "Point", "Your table", "All settings", "Export"]


def load_axe(tab):
    """Load axe by the debugger: the page's own policy forbids scripts from elsewhere."""
    debugger = tab.page.context.new_cdp_session(tab.page)
    debugger.send("Runtime.evaluate", {"expression": _AXE.read_text(encoding="utf-8")})


def violations(tab, part="body"):
    """What axe finds in a part of the page, as one line each."""
    found = tab.page.evaluate("part => axe.run(part)", part)["violations"]
    return [f"{one['id']}: {node['html'][:200]}" for one in found for node in one["nodes"]]


needs_axe = pytest.mark.skipif(
    not _AXE.is_file(), reason="no axe-core: `make page` installs it with the page's other packages"
)


@needs_axe
@pytest.mark.parametrize(("scheme", "width"), [("light", 1280), ("dark", 360)])
def test_axe_finds_nothing(tabs, scheme, width):
    tab = tabs.open(color_scheme=scheme, viewport={"width": width, "height": 900})
    load_axe(tab)
    tab.train(2)
    assert violations(tab) == []
    for name in PANELS:
        panel = tab.panel(name)
        panel.locator(":visible").first.wait_for()
        tab.still(panel)
        assert violations(tab, "[role=tabpanel]") == [], name


def _overflow(tab):
    return tab.page.evaluate(
        "document.documentElement.scrollWidth - document.documentElement.clientWidth"
    )


@pytest.mark.parametrize("width", [360, 640, 900])
def test_nothing_is_cut_off_on_a_narrow_screen(tabs, width):
    """640 pixels are what a window of 1280 has at 200 % zoom."""
    tab = tabs.open(viewport={"width": width, "height": 800})
    tab.until(lambda: _overflow(tab) == 0)
    for name in PANELS:
        panel = tab.panel(name)
        panel.locator(":visible").first.wait_for()
        tab.still(panel)
        assert _overflow(tab) == 0, name


def test_a_training_is_run_by_keyboard_alone(tabs):
    tab = tabs.open()
    keyboard = tab.page.keyboard
    _tab_to(tab, "Run")
    keyboard.press("Enter")
    tab.until(lambda: tab.epoch > 1)
    keyboard.press("Enter")
    tab.page.get_by_role("button", name="Run", exact=True).wait_for()
    _tab_to(tab, "Lessons")
    for _ in range(1):
        keyboard.press("ArrowRight")
    keyboard.press("Enter")
    tab.page.get_by_role("button", name="Next").wait_for()
    before = tab.page.inner_text(".one-by-one .note")
    _tab_to(tab, "Next")
    keyboard.press("ArrowRight")
    tab.until(lambda: tab.page.inner_text(".one-by-one .note") != before)


def _tab_to(tab, name):
    """Press Tab until the element of this name has the focus."""
    for _ in range(150):
        focused = tab.page.evaluate("document.activeElement?.textContent?.trim() ?? ''")
        if focused.startswith(name):
            return
        tab.page.keyboard.press("Tab")
    raise AssertionError(f"Tab never came to {name}")


def test_every_control_that_has_the_focus_shows_it(tabs):
    tab = tabs.open()
    for _ in range(60):
        tab.page.keyboard.press("Tab")
        shown = tab.page.evaluate(
            """() => { const e = document.activeElement;
            if (!e || e === document.body) return true;
            const marks = [e, ...(e.labels ?? []), e.nextElementSibling].filter(Boolean);
            return marks.some((m) => { const s = getComputedStyle(m);
              const outlined = s.outlineStyle !== 'none' && parseFloat(s.outlineWidth) > 0;
              return outlined || s.boxShadow !== 'none'; }); }"""
        )
        assert shown, tab.page.evaluate("document.activeElement.outerHTML.slice(0, 200)")


def test_nothing_moves_where_motion_is_unwanted(tab):
    moving = tab.page.evaluate("document.getAnimations().length")
    assert moving == 0
