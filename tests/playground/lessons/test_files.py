"""Lessons as files: what a teacher can write, and what is refused with the reason."""

import pytest

from chainrule.errors import InvalidArgumentError
from chainrule.playground.lessons.facts import Condition, Facts
from chainrule.playground.lessons.lesson import Lesson

FILE = """+++
title = "A"
summary = "B."

[state.data]
kind = "toy"
name = "xor"

[numbers]
loss = { of = "loss" }

[question]
kind = "number"
text = "How much is {{loss: 0.5}} + 1?"
answer = 1.5
tolerance = 0.01
right = "Yes."
wrong = "No."
+++
The loss is {{loss: 0.50}} here, and $x_{1}$ is a formula.

## Task

Look.

## Hints

- One, on
  two lines.
- Two.
"""


def test_a_file_becomes_text_task_hints_and_question():
    lesson = Lesson.read(3, FILE, "a.md")
    assert lesson.text == "The loss is 0.50 here, and $x_{1}$ is a formula."
    assert lesson.task == "Look."
    assert lesson.hints == ("One, on two lines.", "Two.")
    assert lesson.question.text == "How much is 0.5 + 1?"
    assert [tuple(one) for one in lesson.shown] == [("loss", "0.50"), ("loss", "0.5")]
    found = lesson.to_json(12)
    assert (found["number"], found["count"]) == (3, 12)
    assert found["question"] == {
        "kind": "number",
        "text": "How much is 0.5 + 1?",
        "choices": None,
        "unit": None,
    }


def test_line_ends_of_windows_are_read():
    assert Lesson.read(1, FILE.replace("\n", "\r\n"), "a.md").task == "Look."


@pytest.mark.parametrize(
    ("old", "new", "reason"),
    [
        ("+++\ntitle", "title", "a.md: expected a head in TOML between two lines of \\+\\+\\+"),
        ('title = "A"', "title = A", "a.md: the head is not TOML"),
        ('title = "A"', 'titel = "A"', "a.md: expected title, summary, state"),
        ("## Task", "## Tasks", "a.md: expected a section '## Task'"),
        ("{{loss: 0.50}}", "{{lost: 0.50}}", "the number 'lost', which \\[numbers\\] lacks"),
        ('kind = "number"', 'kind = "riddle"', "kind: expected choice, number, session"),
        ("answer = 1.5\n", "", "missing, unknown or unfit entry \\('answer'\\)"),
        ("answer = 1.5", 'answer = "much"', "missing, unknown or unfit entry"),
    ],
)
def test_what_is_wrong_with_a_file_is_said_with_its_name(old, new, reason):
    assert old in FILE
    with pytest.raises(InvalidArgumentError, match=reason):
        Lesson.read(1, FILE.replace(old, new), "a.md")


def test_two_right_choices_are_refused():
    choices = (
        'choices = [{text = "a", right = true, says = ""}, {text = "b", right = true, says = ""}]'
    )
    text = FILE.replace('kind = "number"', f'kind = "choice"\n{choices}')
    with pytest.raises(InvalidArgumentError, match="exactly one choice with right = true"):
        Lesson.read(1, text, "a.md")


FACTS = Facts(
    {"settings": {"layers": [4, 2]}, "data": {"name": "xor"}, "inputs": ["x1"]},
    epoch=12,
    test_loss=0.25,
    metrics={"accuracy": 0.9},
)


@pytest.mark.parametrize(
    ("fact", "comparison", "value", "holds"),
    [
        ("epoch", "at_least", 12, True),
        ("epoch", "above", 12, False),
        ("test_loss", "below", 0.26, True),
        ("test_loss", "at_most", 0.2, False),
        ("train_loss", "below", 1.0, False),  # there is none yet
        ("accuracy", "above", 0.8, True),
        ("hidden_layers", "is", 2, True),
        ("settings.layers", "is", [4, 2], True),
        ("data.name", "one_of", ["xor", "circle"], True),
        ("settings.optimizer", "is_not", "adam", True),
        ("settings.layers.deeper", "is", 1, False),
        ("diverged", "is", False, True),
        ("diverged", "at_least", 0, False),  # no number
    ],
)
def test_conditions_compare_facts(fact, comparison, value, holds):
    assert Condition(fact, comparison, value, "").holds(FACTS) is holds


def test_an_objection_shows_the_fact():
    assert Condition("test_loss", "below", 0.1, "It is {value}.").objection(FACTS) == "It is 0.25."
    assert Condition("epoch", "above", 100, "Only {value}.").objection(FACTS) == "Only 12."


@pytest.mark.parametrize(
    "entry",
    [
        {"fact": "epoch", "otherwise": ""},
        {"fact": "epoch", "above": 1, "below": 3, "otherwise": ""},
        {"fact": "epoch", "above": 1},
        {"above": 1, "otherwise": ""},
        {"fact": "epoch", "larger": 1, "otherwise": ""},
    ],
)
def test_a_condition_that_is_incomplete_is_refused(entry):
    with pytest.raises(InvalidArgumentError, match="a condition has a fact, otherwise, and one of"):
        Condition.of(entry, "a.md")
