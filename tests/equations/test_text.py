"""The equations as text."""

import re

import pytest

from chainrule.equations import backpropagation, optimizers
from chainrule.equations import fused_pairs as fused
from chainrule.equations.text import equation_text, latex
from tests.equations.test_every_equation import EQUATIONS


def test_equation_text_is_id_and_formula_of_the_docstring():
    text = equation_text(backpropagation.hidden_error)
    assert text == ("BP2", "", "δ[l] = (W[l+1]ᵀ · δ[l+1]) ⊙ σ′(Z[l])")


@pytest.mark.parametrize(
    ("function", "id", "kind"),
    [
        (backpropagation.softmax_error, "BP1s", ""),
        (backpropagation.softmax_jacobian, "BP1s", "Jacobian"),
        (fused.softmax_cross_entropy, "FU1", "cost"),
        (optimizers.adam_init, "O3", "state"),
    ],
)
def test_equation_text_tells_the_kinds_of_one_id_apart(function, id, kind):
    text = equation_text(function)
    assert (text.id, text.kind) == (id, kind)


def test_equation_text_joins_the_lines_of_the_first_paragraph():
    def function():
        """F1: Z[l] = W[l] · A[l−1]
        + b[l].

        Not part of the formula.
        """

    assert equation_text(function).formula == "Z[l] = W[l] · A[l−1] + b[l]"


def test_equation_text_of_a_function_without_an_id_is_none():
    assert equation_text(equation_text) is None


def test_equation_text_of_a_function_without_a_docstring_is_none():
    assert equation_text(lambda: None) is None


@pytest.mark.parametrize(
    ("formula", "expected"),
    [
        ("δ[l]", r"\delta^{[l]}"),
        ("W[l+1]ᵀ", r"{W^{[l+1]}}^{\mathsf{T}}"),
        ("Jᵀ", r"J^{\mathsf{T}}"),
        ("σ′(z)ᵢ", r"\sigma'(z)_i"),
        ("1ᵢ₌ⱼ", "1_{i=j}"),
        ("√(2/n_in)", r"\sqrt{2/n_{in}}"),
        ("E₁₂[1]", "E_{12}^{[1]}"),
        ("√Ŝ + ε", r"\sqrt{\hat S}+\varepsilon"),
        ("½ Σⱼ (yⱼ − aⱼ)²", r"\tfrac12\sum_j(y_j-a_j)^2"),
    ],
)
def test_latex_of_a_formula(formula, expected):
    assert latex(formula).replace(" ", "") == expected.replace(" ", "")


@pytest.mark.parametrize("function", EQUATIONS, ids=lambda function: function.__name__)
def test_latex_of_every_equation_is_well_formed(function):
    text = latex(equation_text(function).formula)
    group = r"(?:\{[^{}]*\}|\\?\w+|\S)"
    assert not re.search(rf"\^{group}\s*\^", text), f"two superscripts in a row: {text}"
    assert not re.search(rf"_{group}\s*_", text), f"two subscripts in a row: {text}"
    assert not re.search(r"\\sqrt\s*[(\\]", text), f"a root over one sign only: {text}"
    assert not re.search("[ᵀᵗᵢⱼₖ₌₁₂²√Σσδ∂∇α-ζ]", text), f"left over: {text}"
    assert text.count("{") == text.count("}")
