"""Whether everybody can read the page: contrasts as WCAG 2 defines them."""

import re
from importlib.resources import files

import pytest

from chainrule.report.charts.heat import DEEP_FROM, DEEPEST

SHEET = files("chainrule.report").joinpath("page.css").read_text(encoding="utf-8")
_BLOCKS = re.findall(r":root \{(.*?)\}", SHEET, re.DOTALL)
LIGHT, DARK, PAPER = (dict(re.findall(r"--([\w-]+): (#\w{6});", block)) for block in _BLOCKS)
LOOKS = pytest.mark.parametrize("look", [LIGHT, DARK, PAPER], ids=["light", "dark", "paper"])


def channels(color):
    return [int(color[place : place + 2], 16) / 255 for place in (1, 3, 5)]


def luminance(color):
    red, green, blue = (
        part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in color
    )
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(one, other):
    low, high = sorted((luminance(one), luminance(other)))
    return (high + 0.05) / (low + 0.05)


def mixed(color, ground, part):
    return [part * a + (1 - part) * b for a, b in zip(color, ground, strict=True)]


@LOOKS
def test_every_look_has_every_colour(look):
    assert look.keys() == LIGHT.keys()


@LOOKS
def test_words_are_readable_on_both_grounds(look):
    for name in ("ink", "soft", "good", "caution", "bad", "blue"):
        for ground in ("paper", "panel"):
            assert contrast(channels(look[name]), channels(look[ground])) >= 4.5, (name, ground)


@LOOKS
def test_marks_stand_out(look):
    for name in ("blue", "orange", "green", "grey"):
        assert contrast(channels(look[name]), channels(look["paper"])) >= 3, name


@LOOKS
@pytest.mark.parametrize("name", ["blue", "orange"])
@pytest.mark.parametrize("ground", ["panel", "paper"])
def test_numbers_on_shades_are_readable(look, name, ground):
    for percent in range(101):
        share = percent / 100
        ink = "on-shade" if share > DEEP_FROM else "ink"
        shade = mixed(channels(look[name]), channels(look[ground]), DEEPEST * share)
        assert contrast(channels(look[ink]), shade) >= 3.8, share


def test_every_colour_that_is_used_is_defined():
    used = set(re.findall(r"var\(--([\w-]+)\)", SHEET))
    assert used - {"series", "tone", "shade"} <= LIGHT.keys()
