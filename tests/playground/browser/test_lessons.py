"""The lessons in the page, from the first to the last."""

import json

from chainrule.playground.lessons import course
from chainrule.playground.lessons.questions import ChoiceQuestion, NumberQuestion


def test_the_lessons_are_solved_from_the_first_to_the_last(tab, session, table):
    lessons = course()
    panel = tab.panel("Lessons")
    panel.locator("ol.contents button").first.wait_for()
    assert panel.locator("ol.contents > li").count() == len(lessons) == 12
    panel.locator("ol.contents button").first.click()
    for lesson in lessons:
        panel.get_by_role("heading", name=lesson.title).wait_for()
        assert panel.locator(".katex-error").count() == 0
        answer(tab, panel, lesson, session(tab), table)
        panel.locator(".question .verdict p").first.wait_for()
        assert "Correct." in panel.locator(".question .verdict").inner_text(), lesson.title
        if lesson.number < len(lessons):
            panel.get_by_role("button", name="Next lesson").click()
    panel.get_by_role("button", name="All lessons").click()
    panel.get_by_text("12 of 12 solved").wait_for()
    tab.page.reload()
    tab.ready()
    tab.panel("Lessons").get_by_text("12 of 12 solved").wait_for()


def answer(tab, panel, lesson, side, table):
    question = lesson.question
    if isinstance(question, ChoiceQuestion):
        right = next(i for i, choice in enumerate(question.choices) if choice.right)
        panel.get_by_role("radio").nth(right).check()
    elif isinstance(question, NumberQuestion):
        panel.get_by_label("Your answer").fill(repr(question.answer))
    else:
        solve(tab, lesson, side, table)
    panel.get_by_role("button", name="Check my").click()


def solve(tab, lesson, side, table):
    """Change what the lesson's solution changes, and train as long as it says."""
    changes = lesson.solution.get("settings", {})
    tab.page.locator(".lessons:not([aria-busy])").wait_for()
    wanted = lesson.state["data"]["name"]
    tab.until(lambda: side.description()["state"]["data"].get("name") == wanted and tab.epoch == 0)
    if lesson.solution.get("data", {}).get("kind") == "table":
        panel = tab.panel("Your table")
        panel.get_by_label("Drop a file here").set_input_files(table)
        panel.get_by_role("button", name="Train on this table").click()
        tab.until(lambda: side.description()["state"]["data"]["kind"] == "table" and tab.epoch == 0)
        tab.train(1)
        tab.panel("Lessons")
        return
    entries = {**tab.state, **{name: json.dumps(value) for name, value in changes.items()}}
    tab.page.evaluate(
        "hash => { location.hash = hash; }",
        "&".join(f"{name}={value}" for name, value in entries.items()),
    )
    # The address has them at once; the server's training, when it is prepared.
    tab.until(lambda: {**settings_of(side), **changes} == settings_of(side) and tab.epoch == 0)
    tab.page.get_by_label("Speed").select_option("fastest")
    tab.run_to_the_end()


def settings_of(side):
    """The settings that the server trains with; values are compared as in JSON."""
    return json.loads(json.dumps(side.description()["state"]["settings"]))


def test_a_wrong_answer_is_explained_and_a_hint_helps(tab):
    panel = tab.panel("Lessons")
    panel.locator("ol.contents button").first.click()
    panel.get_by_role("button", name="Check my").click()
    panel.get_by_role("alert").filter(has_text="a").first.wait_for()
    panel.get_by_role("button", name="Show a hint").click()
    panel.locator(".hints .prose").wait_for()
