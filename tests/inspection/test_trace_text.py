"""A trace in a terminal."""

import re

import numpy as np
import pytest

import chainrule as cr
from chainrule.engines.optimizers import OPTIMIZERS
from tests.inspection.shown_numbers import numbers_of
from tests.inspection.traces import large_trace, overflowing_trace, trace_of


def test_every_term_has_a_line_with_its_id_name_and_shape_in_order():
    trace = trace_of()
    text, start = str(trace), 0
    for term in trace.terms:
        shape = " × ".join(map(str, term.value.shape))
        said = rf"\({shape}\)  " if shape else "= "
        head = rf"^{term.equation:<5} {re.escape(term.name)} +{said}"
        found = re.search(head, text[start:], re.MULTILINE)
        assert found, term.name
        start += found.end()


@pytest.mark.parametrize("optimizer", sorted(OPTIMIZERS))
def test_no_line_is_wider_than_a_terminal_of_80_columns(optimizer):
    arguments = {"optimizer": optimizer, "l1": 0.1, "l2": 0.1, "max_grad_norm": 0.1}
    for trace in (trace_of(**arguments), large_trace(**arguments)):
        assert max(map(len, str(trace).splitlines())) <= 80


def test_formulas_are_broken_into_lines_but_not_cut():
    trace = trace_of(l1=0.1, l2=0.1)
    words = " ".join(str(trace).split())
    for term in trace.terms:
        assert " ".join(term.formula.split()) in words


def test_it_begins_with_what_the_trace_is_of_and_both_losses():
    trace = trace_of()
    first, second = str(trace).splitlines()[:2]
    assert first == "One step, t = 1: Adam on 2 examples."
    assert second == f"Loss {trace.loss:.6g} before the step, {trace.new_loss:.6g} after it."


def test_long_arrays_are_shown_by_their_corners_and_say_how_to_see_the_rest():
    trace = large_trace()
    lines = str(trace).splitlines()
    start = next(i for i, line in enumerate(lines) if line.startswith("F1    Z[1]"))
    note = '(33 of 40 rows and 45 of 50 columns are not shown; trace["Z[1]"] has all)'
    assert lines[start + 9].strip() == note
    body = [re.sub("…", "", line) for line in lines[start + 1 : start + 9]]
    rows = [row for line in body if (row := numbers_of(line)) is not None]
    Z = trace["Z[1]"]
    assert len(rows) == 7
    shown = np.array(rows, np.float32)
    np.testing.assert_array_equal(shown, Z[np.r_[:4, -3:0]][:, np.r_[:3, -2:0]])


def test_numbers_stand_in_columns_with_their_points_below_each_other():
    lines = str(trace_of()).splitlines()
    start = next(i for i, line in enumerate(lines) if line.startswith("F1    Z[1]"))
    points = [[i for i, letter in enumerate(line) if letter == "."] for line in lines[start + 1 :]]
    assert points[0] == points[1] == points[2] == points[3]
    assert len(points[0]) == 2


def test_digits_may_be_fewer():
    short = trace_of().to_text(digits=3)
    numbers = re.findall(r"-?\d\.\d+", short.split("Forward")[1])
    assert numbers
    assert all(len(number.strip("-0.").replace(".", "")) <= 3 for number in numbers)
    with pytest.raises(cr.InvalidArgumentError, match=r"^digits: expected None, .*; got 0"):
        trace_of().to_text(digits=0)


def test_arrays_are_found_by_the_names_shown():
    trace = trace_of()
    np.testing.assert_array_equal(trace["Z[2]"], trace.Z[1])
    with pytest.raises(cr.InvalidArgumentError, match=r"name of an array .*; got 'Z\[4\]'"):
        trace["Z[4]"]


def test_numbers_that_are_not_finite_can_be_shown():
    assert "inf" in str(overflowing_trace())
