"""The tutorial by hand: every line of numbers is true, and holds the numbers of the network."""

import math
import re
from decimal import Decimal
from pathlib import Path

import numpy as np
import pytest

import chainrule as cr

PAGE = Path(__file__).parents[2] / "docs" / "tutorial" / "network_by_hand.md"
_DISPLAYED = re.compile(r"^\$\$\n(.*?)^\$\$$", re.MULTILINE | re.DOTALL)
_NUMBER = re.compile(r"(?<![\w.^{])-?\d+\.\d+(?!\w)")


def lines_of_numbers(text):
    """Return (left side in numbers, result as text) of every line "… = numbers = result"."""
    found = []
    for block in _DISPLAYED.findall(text):
        block = re.sub(r"\\tag\{.*?\}|\\(begin|end)\{aligned\}", "", block)
        for line in re.split(r"\\\\(?:\[\w+\])?\n", block):
            *_, numbers, result = [" ", *line.replace("&", "").strip().split("=")]
            if "pmatrix" not in line and not re.search("[a-z]", readable(numbers, "")):
                found.append((numbers.strip(), result.strip()))
    return [pair for pair in found if pair[0]]


def readable(tex, functions="math."):
    """Translate a term of numbers to Python."""
    tex = re.sub(r"\\frac\{(.*?)\}\{((?:[^{}]|\{[^{}]*\})*)\}", r"((\1)/(\2))", tex)
    tex = re.sub(r"\\sqrt\{(.*?)\}", rf"{functions and 'math.sqrt'}(\1)", tex)
    tex = re.sub(r"\\sigma\(", f"{functions and 'sigmoid'}(", tex)
    tex = tex.replace(r"\tfrac12", "0.5 *").replace(r"\cdot", "*")
    return re.sub(r"\^\{?(-?\d+)\}?", r"**\1", tex)


def sigmoid(z):
    return 1 / (1 + math.exp(-z))


TEXT = PAGE.read_text(encoding="utf-8")
LINES = lines_of_numbers(TEXT)


def test_the_lines_of_numbers_are_found():
    assert len(LINES) == 38
    assert LINES[0] == (r"0.5 \cdot 1 - 0.2 \cdot 2 + 0.1", "0.2")


@pytest.mark.parametrize(("numbers", "result"), LINES, ids=lambda text: text)
def test_a_line_is_true_to_its_last_digit(numbers, result):
    value = eval(readable(numbers), {"math": math, "sigmoid": sigmoid})
    unit = 10.0 ** Decimal(result).as_tuple().exponent
    # What it is computed from is rounded to four digits as well.
    assert abs(value - float(result)) <= max(1.1 * unit, 3e-4 * abs(value))


def numbers_of_the_network():
    """Return every number that the network computes on this page, at full precision."""
    W1, b1, W2, b2 = np.array([[0.5, -0.2], [0.3, 0.4]]), [0.1, -0.1], np.array([[0.6, -0.4]]), 0.1

    def network(W1, b1, W2, b2):
        net = cr.Network(
            [2, cr.Dense(2, "sigmoid"), cr.Dense(1, "sigmoid")], cost="mse", dtype="float64", seed=0
        )
        net.weights[0][...], net.biases[0][...] = W1, b1
        net.weights[1][...], net.biases[1][...] = W2, b2
        return net

    X, Y = [[1.0, 2.0]], [[1.0]]
    net = network(W1, b1, W2, b2)
    numbers = [value for term in net.trace(X, Y).terms for value in np.ravel(term.value)]
    for h in (1e-5, -1e-5):
        numbers.append(network(np.add(W1, [[0, h], [0, 0]]), b1, W2, b2).loss(X, Y))
    net.fit(X, Y, optimizer=cr.SGD(1.0), epochs=1, batch_size=1)
    numbers += [*net.parameters, net.predict(X).item(), net.loss(X, Y)]
    net = network(W1, b1, W2, b2)
    V = S = 0
    for t in (1, 2):
        trace = net.trace(X, Y, optimizer=cr.Adam(0.1))
        gradient = next(term for term in trace.terms if term.name == "∂J/∂W[2]").value[0, 0]
        V, S = 0.9 * V + 0.1 * gradient, 0.999 * S + 0.001 * gradient**2
        corrected = V / (1 - 0.9**t), S / (1 - 0.999**t)
        net = network(W1, b1, W2, b2)
        net.fit(X, Y, optimizer=cr.Adam(0.1), epochs=t, batch_size=1)
        numbers += [gradient, V, S, *corrected, *net.weights[1].ravel()]
    return np.abs(np.array(numbers))


def test_every_number_is_one_of_the_network_or_a_setting():
    settings = {0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.9, 0.999, 0.001, 0.00001, 1e-4}
    exact = numbers_of_the_network()
    without_code = re.sub(r"^```.*?^```$", "", TEXT, flags=re.MULTILINE | re.DOTALL)
    shown = set(_NUMBER.findall(without_code.replace("−", "-")))
    assert len(shown) > 40
    for number in shown - {"0.3162"}:  # the step without a correction
        unit = 10.0 ** Decimal(number).as_tuple().exponent
        value = abs(float(number))
        assert value in settings or np.abs(exact - value).min() <= 0.5001 * unit, number
