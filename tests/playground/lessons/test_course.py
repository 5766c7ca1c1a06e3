"""The lessons: each trains what it says, its numbers are those of its run, its question works."""

import itertools
import json
import math
import re
from functools import cache

import pytest

from chainrule.errors import InvalidArgumentError
from chainrule.playground.data.tables import OwnTables
from chainrule.playground.lessons import Facts, answered, course, lesson, lessons
from chainrule.playground.lessons.measured import Measured, changed
from chainrule.playground.lessons.questions import (
    ChoiceQuestion,
    NumberQuestion,
    SessionQuestion,
)
from chainrule.playground.lessons.rehearsal import Rehearsal
from chainrule.playground.session.state import wanted

COURSE = course()
NOWHERE = Facts({})
PAGES_OWN = Facts({"data": {"kind": "toy", "name": "circle"}, "settings": {"layers": [4, 2]}})
TITLES = [one.title for one in COURSE]


@cache
def trained(text):
    state = wanted(json.loads(text), OwnTables())
    return Rehearsal.of(state.state, state.prepared())


def train(state):
    return trained(json.dumps(state, sort_keys=True))


def of_kind(kind):
    chosen = [one for one in COURSE if isinstance(one.question, kind)]
    return pytest.mark.parametrize("lesson", chosen, ids=[one.title for one in chosen])


def test_there_are_twelve_from_one_sum_to_a_table_of_ones_own():
    assert len(COURSE) == len(set(TITLES)) == 12
    assert TITLES[0] == "One weighted sum"
    assert TITLES[-1] == "A table of your own"
    assert [one["number"] for one in lessons()] == list(range(1, 13))


@pytest.mark.parametrize("lesson", COURSE, ids=TITLES)
def test_the_numbers_of_the_text_are_those_of_the_lessons_run(lesson):
    measured = Measured(lesson.state, train)
    for name, shown in lesson.shown:
        entry = lesson.numbers[name]
        assert measured.shows(entry, shown), f"{name}: {shown} in the text, {measured(entry)}"
    assert set(lesson.numbers) == {one.name for one in lesson.shown}


def test_at_too_large_a_rate_the_loss_is_above_that_of_a_guess_and_jumps():
    # The course of such a training differs between machines, so the text has no number of it.
    losses = [one.loss for one in train(COURSE[2].state).epochs]
    guess = math.log(2)
    assert losses[0] > 2 * guess
    assert sum(after > before for before, after in itertools.pairwise(losses)) > 10
    assert max(losses[-20:]) > guess


@pytest.mark.parametrize("lesson", COURSE, ids=TITLES)
def test_a_lesson_is_short_and_has_a_task(lesson):
    assert len(lesson.text.split()) < 260
    assert lesson.task
    assert lesson.hints
    assert lesson.summary.endswith(".")


@pytest.mark.parametrize("lesson", COURSE, ids=TITLES)
def test_formulas_and_braces_are_closed(lesson):
    shown = json.dumps(lesson.to_json(12), ensure_ascii=False)
    assert "{{" not in shown.replace(r"{{W", "")
    for text in (lesson.text, lesson.task, lesson.question.text, *lesson.hints):
        assert text.count("$") % 2 == 0
        for formula in re.findall(r"\$+([^$]+)\$+", text):
            assert formula.count("{") == formula.count("}")


@pytest.mark.parametrize("lesson", COURSE, ids=TITLES)
def test_the_state_is_one_that_the_page_can_be_in_and_is_left_as_it_is(lesson):
    normal = wanted(lesson.state, OwnTables()).state
    for name, value in lesson.state["settings"].items():
        assert normal["settings"].get(name, "off") == value
    assert normal["data"] == dict(lesson.state["data"])


@of_kind(ChoiceQuestion)
def test_the_right_choice_is_accepted_and_every_other_one_is_explained(lesson):
    verdicts = [answered(lesson.number, i, NOWHERE) for i in range(len(lesson.question.choices))]
    assert [one["correct"] for one in verdicts].count(True) == 1
    assert len({one["explanation"] for one in verdicts}) == len(verdicts)
    with pytest.raises(InvalidArgumentError, match="answer: expected a choice from 0 to"):
        answered(lesson.number, len(verdicts), NOWHERE)


@of_kind(NumberQuestion)
def test_the_right_number_is_accepted_within_its_tolerance_and_mistakes_are_explained(lesson):
    question = lesson.question
    for shift in (-1, 0, 1):
        right = question.answer + shift * question.tolerance
        assert answered(lesson.number, right, NOWHERE)["correct"]
        wrong = question.answer + (2 * shift or 3) * question.tolerance
        assert not answered(lesson.number, wrong, NOWHERE)["correct"]
    for mistake in question.mistakes:
        verdict = answered(lesson.number, mistake.value, NOWHERE)
        assert verdict == {"correct": False, "explanation": mistake.says}
    with pytest.raises(InvalidArgumentError, match="answer: expected a number"):
        answered(lesson.number, "ten", NOWHERE)


ANSWERS = {
    "One weighted sum": 2 * 1 - 1 * 3 + 0.5,
    "Vanishing gradients": 0.25**4,
    "Initial weights": (2 / 50) / (2 / (50 + 50)),
    "Momentum": 1 / (1 - 0.9),
    "RMSprop": 1e-4 / (0.1 * 1e-4**2) ** 0.5,
    "Adam's first steps": 0.1 / 0.001**0.5,
    "Softmax and cross-entropy": 0.2 - 1,
}


@of_kind(NumberQuestion)
def test_the_right_number_is_right(lesson):
    assert lesson.question.answer == pytest.approx(ANSWERS[lesson.title], abs=1e-6)


@of_kind(SessionQuestion)
def test_the_session_as_it_opens_is_not_the_answer(lesson):
    if lesson.state["data"]["kind"] == "toy":
        facts = train(lesson.state).facts()
    else:
        facts = Facts(lesson.state, epoch=60)
    assert not answered(lesson.number, None, facts)["correct"]
    assert not answered(lesson.number, None, NOWHERE)["correct"]


@of_kind(SessionQuestion)
def test_the_solution_is_accepted_and_without_any_of_its_conditions_it_is_not(lesson):
    changes = {name: value for name, value in lesson.solution.items() if name != "epochs"}
    state = changed(lesson.state, changes)
    facts = Facts(state, epoch=1) if "data" in changes else train(state).facts()
    verdict = answered(lesson.number, None, facts)
    assert verdict["correct"], verdict["explanation"]


@of_kind(SessionQuestion)
def test_every_condition_has_its_own_objection(lesson):
    objections = {one.otherwise for one in lesson.question.conditions}
    assert len(objections) == len(lesson.question.conditions)
    verdict = answered(lesson.number, None, PAGES_OWN)
    assert verdict["explanation"] in {
        one.objection(PAGES_OWN) for one in lesson.question.conditions
    }


def test_what_a_page_is_told_does_not_hold_the_answer():
    for number in range(1, 13):
        found = json.dumps(lesson(number), ensure_ascii=False)
        assert "right" not in json.loads(found)["question"]
        assert "mistakes" not in found
        assert "solution" not in found


@pytest.mark.parametrize("number", [0, 13, "1", None, True, 1.0])
def test_a_lesson_that_does_not_exist_is_refused(number):
    with pytest.raises(InvalidArgumentError, match="number: expected a lesson from 1 to 12"):
        lesson(number)
