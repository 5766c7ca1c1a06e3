"""Titles and sentences of the steps of the equations view."""

import re

import pytest

from chainrule.playground.inspection.wording import wording
from tests.playground.session.pages import page_of

STATES = {
    "batch norm and dropout": {"layers": [3], "batch_norm": True, "dropout": [0.3]},
    "bounded gradients": {"layers": [3], "optimizer": "nadam", "max_grad_norm": 0.1},
    "several layers": {"layers": [3, 2], "optimizer": "adam"},
}


@pytest.mark.parametrize("case", STATES)
def test_no_two_updates_have_the_same_title(case):
    state = {"data": {"kind": "toy", "name": "circle"}, "settings": STATES[case]}
    with page_of(state) as page:
        steps = page.ask("inspect", example=None, subject=None)["steps"]
    titles = [step["title"] for step in steps if step["phase"] in ("gradients", "update")]
    assert len(set(titles)) == len(titles)
    assert not [title for title in titles if re.search(r"new the|None|layer 0", title)]


@pytest.mark.parametrize(
    ("name", "equation", "title"),
    [
        ("V of b[1]", "O3", "momentum of the biases of layer 1"),
        ("new W[1]", "O1", "new values of the weights of layer 1"),
        ("∂J/∂γ[1]", "BN3", "gradient of the scales γ of layer 1"),
        ("Z[1]", "F1", "weighted sums of layer 1"),
        ("Z[1]", "BN3", "scaled and shifted sums of layer 1"),
        ("A[1]", "DO1", "activations of layer 1 after dropout"),
        ("∂C/∂A[1]", "BP2", "errors propagated back to layer 1"),
        ("∂C/∂A[1]", "DO1", "errors propagated through the dropout of layer 1"),
    ],
)
def test_titles_say_what_a_term_is_and_of_what(name, equation, title):
    assert wording(name, 1, 2, equation).title == title
