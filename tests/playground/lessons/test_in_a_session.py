"""Lessons as a page goes through them: set up, trained, answered, with the numbers of the text."""

import pytest

from chainrule.playground.lessons import course
from chainrule.playground.lessons.measured import changed
from chainrule.playground.lessons.questions import SessionQuestion
from tests.playground.session.pages import page_of

TO_DO = [
    one
    for one in course()
    if isinstance(one.question, SessionQuestion) and one.state["data"]["kind"] == "toy"
]


@pytest.mark.parametrize("lesson", TO_DO, ids=[one.title for one in TO_DO])
def test_the_page_refuses_the_network_it_opens_with_and_accepts_the_solution(lesson):
    with page_of(lesson.state) as page:
        page.train_to_the_end()
        refused = page.ask("answer", number=lesson.number, answer=None)
        assert refused["correct"] is False
        page.ask("configure", state=changed(lesson.state, lesson.solution))
        page.session.wait_until_ready()
        page.train_to_the_end()
        accepted = page.ask("answer", number=lesson.number, answer=None)
        assert accepted["correct"] is True, accepted["explanation"]


def shown(lesson, name):
    return float(next(one.shown for one in lesson.shown if one.name == name))


def test_the_equations_panel_shows_the_numbers_of_the_first_lesson():
    lesson = course()[0]
    with page_of(lesson.state) as page:
        unit = {"kind": "unit", "layer": 1, "unit": 0}
        steps = page.ask("inspect", example=None, subject=unit)["steps"]
        found = {step["name"]: step["result"] for step in steps}
        assert found["Z^{[1]}"] == pytest.approx(shown(lesson, "z"), abs=0.005)
        assert found["A^{[1]}"] == pytest.approx(shown(lesson, "a"), abs=0.005)
        page.train_to_the_end()
        history = page.ask("history")
        assert history["train"][0] == pytest.approx(shown(lesson, "first"), abs=0.005)
        assert history["test"][-1] == pytest.approx(shown(lesson, "last"), abs=0.0005)


def test_the_first_step_of_adam_is_the_learning_rate():
    lesson = next(one for one in course() if one.title == "Adam's first steps")
    with page_of(lesson.state) as page:
        weight = {"kind": "weight", "layer": 1, "row": 0, "column": 0}
        steps = page.ask("inspect", example=None, subject=weight)["steps"]
        found = {step["name"]: step["result"] for step in steps}
        assert abs(found[r"\Delta W^{[1]}"]) == pytest.approx(0.01, rel=1e-4)
        assert found[r"V\ \text{of}\ W^{[1]}"] == pytest.approx(shown(lesson, "v"), abs=0.00005)
