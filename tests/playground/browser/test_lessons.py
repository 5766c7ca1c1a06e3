"""The lessons in the page, from the first to the last."""

import json

from chainrule.playground.lessons import course
from chainrule.playground.lessons.questions import ChoiceQuestion, NumberQuestion


def test_the_lessons_are_solved_from_the_first_to_the_last(tab, table):
    lessons = course()
    panel = tab.panel("Lessons")
    panel.locator("ol.contents button").first.wait_for()
    assert panel.locator("ol.contents > li").count() == len(lessons) == 12
    panel.locator("ol.contents button").first.click()
    for lesson in lessons:
        panel.get_by_role("heading", name=lesson.title).wait_for()
        assert panel.locator(".katex-error").count() == 0
        answer(tab, panel, lesson, table)
        panel.locator(".question .verdict p").first.wait_for()
        assert "Correct." in panel.locator(".question .verdict").inner_text(), lesson.title
        if lesson.number < len(lessons):
            panel.get_by_role("button", name="Next lesson").click()
    panel.get_by_role("button", name="All lessons").click()
    panel.get_by_text("12 of 12 solved").wait_for()
    tab.page.reload()
    tab.ready()
    tab.panel("Lessons").get_by_text("12 of 12 solved").wait_for()


def answer(tab, panel, lesson, table):
    question = lesson.question
    if isinstance(question, ChoiceQuestion):
        right = next(i for i, choice in enumerate(question.choices) if choice.right)
        panel.get_by_role("radio").nth(right).check()
    elif isinstance(question, NumberQuestion):
        panel.get_by_label("Your answer").fill(repr(question.answer))
    else:
        solve(tab, lesson, table)
    panel.get_by_role("button", name="Check my").click()


def solve(tab, lesson, table):
    """Change what the lesson's solution changes, and train as long as it says."""
    changes = lesson.solution.get("settings", {})
    tab.page.locator(".lessons:not([aria-busy])").wait_for()
    tab.until(lambda: tab.state.get("name") == lesson.state["data"]["name"] and tab.epoch == 0)
    if lesson.solution.get("data", {}).get("kind") == "table":
        panel = tab.panel("Your table")
        panel.get_by_label("Drop a file here").set_input_files(table)
        panel.get_by_role("button", name="Train on this table").click()
        tab.until(lambda: tab.state["data"] == "table" and tab.epoch == 0)
        tab.train(1)
        tab.panel("Lessons")
        return
    entries = {**tab.state, **{name: json.dumps(value) for name, value in changes.items()}}
    tab.page.evaluate(
        "hash => { location.hash = hash; }",
        "&".join(f"{name}={value}" for name, value in entries.items()),
    )
    tab.until(lambda: all(tab.setting(name) == value for name, value in changes.items()))
    tab.page.get_by_label("Speed").select_option("fastest")
    tab.run()
    tab.page.get_by_role("button", name="Run", exact=True).wait_for(timeout=30_000)


def test_a_wrong_answer_is_explained_and_a_hint_helps(tab):
    panel = tab.panel("Lessons")
    panel.locator("ol.contents button").first.click()
    panel.get_by_role("button", name="Check my").click()
    panel.get_by_role("alert").filter(has_text="a").first.wait_for()
    panel.get_by_role("button", name="Show a hint").click()
    panel.locator(".hints .prose").wait_for()
