"""docs/explanation/maths and the code: every id in both, every link and every number right."""

import importlib
import re
import subprocess
import sys
from collections import Counter
from decimal import Decimal
from pathlib import Path

import numpy as np
import pytest

from chainrule.engines.optimizers import OPTIMIZERS
from chainrule.equations import optimizers
from chainrule.equations.text import equation_text
from tests.docs.maths_page import FOLDER, Box, read_boxes, read_chapters, read_worked_steps
from tests.equations import worked_steps
from tests.equations.test_every_equation import EQUATIONS

ROOT = Path(__file__).parents[2]

CHAPTERS = read_chapters()
TEXT = "\n".join(CHAPTERS.values())
BOXES = read_boxes(TEXT)
every_box = pytest.mark.parametrize("box", BOXES, ids=lambda box: box.id)

# Optimizers that start from the state of another.
SHARED = {
    (equation_text(update).id, kind.equations.init)
    for kind in OPTIMIZERS.values()
    for update in (kind.equations.update, kind.equations.variant)
    if update is not None
}


def _function(dotted):
    module, _, name = dotted.rpartition(".")
    return getattr(importlib.import_module(module), name)


def _carries(test, id):
    """Tell whether a test's name or parameters hold an id, not as a part of a longer one."""
    return re.search(rf"(?<![a-z0-9]){id}(?![a-z0-9])", test, re.IGNORECASE) is not None


@pytest.fixture(scope="module")
def collected():
    """Every test of the equations, with its parameters, as pytest names it."""
    command = [sys.executable, "-m", "pytest", "--collect-only", "-q", "-p", "no:cacheprovider"]
    run = subprocess.run(
        [*command, "tests/equations"], cwd=ROOT, capture_output=True, text=True, check=True
    )
    prefix = "tests/equations/"
    return [line.removeprefix(prefix) for line in run.stdout.splitlines() if "::" in line]


def test_every_chapter_is_listed():
    assert sorted([*CHAPTERS, "index"]) == sorted(page.stem for page in FOLDER.glob("*.md"))


def test_the_walk_comes_first_and_the_catalogue_of_activations_last():
    assert [*CHAPTERS][:5] == ["forward", "costs", "backpropagation", "softmax", "optimizers"]
    assert [*CHAPTERS][-1] == "activations"


def test_no_chapter_has_an_id_that_another_has():
    assert max(Counter(box.id for box in BOXES).values()) == 1


@every_box
def test_box_shows_the_id_it_is_linked_by(box):
    assert box.tags == [box.id]


@every_box
def test_linked_functions_exist_and_carry_the_id(box):
    assert box.functions
    for dotted in box.functions:
        function = _function(dotted)
        assert equation_text(function).id == box.id or (box.id, function) in SHARED, dotted


def test_every_equation_of_the_code_is_linked():
    linked = {_function(dotted) for box in BOXES for dotted in box.functions}
    assert {f.__qualname__ for f in EQUATIONS} - {f.__qualname__ for f in linked} == set()


def test_no_two_functions_claim_the_same_id_and_kind():
    claims = Counter(equation_text(function)[:2] for function in EQUATIONS)
    assert [claim for claim, count in claims.items() if count > 1] == []


@every_box
def test_named_tests_exist_and_carry_the_id(box, collected):
    assert box.tests
    for name in box.tests:
        runs = [test for test in collected if test.partition("[")[0] == name]
        assert runs, f"there is no test {name}"
        assert any(_carries(test.partition("::")[2], box.id) for test in runs), name


@pytest.mark.parametrize("id", worked_steps.STEPS)
def test_worked_steps_of_the_page_are_what_the_functions_compute(id):
    init, update = {
        "O1": (optimizers.momentum_init, optimizers.momentum_update),
        "O2": (optimizers.rmsprop_init, optimizers.rmsprop_update),
        "O3": (optimizers.adam_init, optimizers.adam_update),
    }[id]
    rows = read_worked_steps(TEXT)[id]
    assert [row["t"] for row in rows] == ["1", "2", "3"]
    theta = np.array([worked_steps.W_START])
    state = init(theta)
    for row in rows:
        gradient = np.array([float(row["\\delta W"].replace("−", "-"))])
        theta, state = update(theta, gradient, state, worked_steps.LEARNING_RATE)
        computed = {"W": theta, **state._asdict()}
        if id == "O3":
            computed["\\hat V"] = state.V / (1 - 0.9**state.t)
            computed["\\hat S"] = state.S / (1 - 0.999**state.t)
        for symbol in row.keys() - {"t", "\\delta W"}:
            digits = -Decimal(row[symbol]).as_tuple().exponent
            shown, value = float(row[symbol]), computed[symbol][0]
            # Rounded to the digits shown, or exact if fewer than ten are.
            unit = 10.0**-digits if digits == worked_steps.DECIMALS else 1e-14
            assert abs(shown - value) <= 0.5 * unit + 1e-15, f"{symbol} at t = {row['t']}: {value}"


@pytest.mark.parametrize("id", worked_steps.STEPS)
def test_worked_steps_of_the_page_are_those_worked_by_hand(id):
    names = {"\\hat V": "V_hat", "\\hat S": "S_hat"}
    page = [
        {names.get(symbol, symbol): float(cell.replace("−", "-")) for symbol, cell in row.items()}
        for row in read_worked_steps(TEXT)[id]
    ]
    by_hand = [
        {"t": t, "\\delta W": gradient, **step}
        for t, (gradient, step) in enumerate(
            zip(worked_steps.GRADIENTS, worked_steps.STEPS[id], strict=True), start=1
        )
    ]
    assert page == by_hand


def test_reading_a_box_finds_what_is_in_it():
    text = (
        ":::{container} equation\n:name: BP2\n\n$$\nx \\tag{BP2}\n$$\n\n"
        ":Code: {func}`~a.b`,\n  {func}`~a.c`\n:Test: `test_a.py::test_b`\n:::\n"
    )
    assert read_boxes(text) == [Box("BP2", ["BP2"], ["a.b", "a.c"], ["test_a.py::test_b"])]
