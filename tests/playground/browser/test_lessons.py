"""The lessons in the page, from the first to the last."""

import re

import pytest

from chainrule.playground.lessons import lessons
from chainrule.playground.lessons.course import course


@pytest.fixture(scope="module")
def numbers():
    return [entry["number"] for entry in lessons()]


def test_all_lessons_are_listed(tab, numbers):
    panel = tab.panel("Lessons")
    panel.locator("ol.contents > li").first.wait_for()
    assert panel.locator("ol.contents > li").count() == len(numbers)
