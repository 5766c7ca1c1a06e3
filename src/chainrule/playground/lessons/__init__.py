"""The lessons: each a state of the page, a text, a task, and a question that the page checks.

A lesson is a file in the folder ``texts``: a head in TOML between two lines of +++, then Markdown
with formulas between dollar signs; `chainrule.playground.lessons.lesson` says what it holds. Its
numbers are those of its run, and `chainrule.playground.lessons.rehearsal` checks them.
"""

from chainrule.playground.lessons.course import answered, course, lesson, lessons
from chainrule.playground.lessons.facts import Facts

__all__ = ["Facts", "answered", "course", "lesson", "lessons"]
