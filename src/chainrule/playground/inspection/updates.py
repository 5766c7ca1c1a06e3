"""The optimizer's update of one parameter, term by term, with its numbers."""

from collections.abc import Mapping, Sequence

from chainrule.equations.text import latex
from chainrule.inspection.terms import Term
from chainrule.network.parameters import PlacedBlock
from chainrule.playground.inspection.numbers import factor, plain, tex
from chainrule.playground.inspection.shown_terms import block_of
from chainrule.playground.inspection.substitution import statement, substituted
from chainrule.playground.inspection.term_numbers import Numbers

# Parameters change little in a step: more digits show the change.
_DIGITS = 7


def settings_of(terms: Sequence[Term]) -> list[Term]:
    """Return the single numbers of a step's update: t, α, β, ε, c, ….

    What an average begins with is among them, as "old V", if this is the first step.
    """
    return [
        term
        for term in terms
        if term.phase == "update" and term.is_number and " of " not in term.name
    ]


def update_numbers(
    terms: Sequence[Term], placed: PlacedBlock, offset: int
) -> Mapping[str, Numbers]:
    """Return the terms of the update of one parameter, by name, with their numbers.

    Parameters
    ----------
    terms : sequence of Term
        The terms of a trace, each after those that it is computed from.
    placed : PlacedBlock
        The parameter's block.
    offset : int
        The parameter's place in the block, row by row.
    """
    own = [term for term in terms if term.phase == "update" and block_of(term.name) == placed.name]
    known = {term.name: float(term.value) for term in settings_of(terms)}
    for term in terms:
        if term.name in (placed.name, f"∂J/∂{placed.name}"):
            known[term.name] = float(term.value.ravel()[offset])
        elif term.name == "c of G1":
            known[term.name] = float(term.value)
    known["g"] = known.get(f"∂J/∂{placed.name}", 0.0)
    for symbol in ("V", "S"):
        if f"old {symbol}" in known:
            known[symbol] = known[f"old {symbol}"]
    old = known[placed.name]
    found = {}
    for term in own:
        # One number for the whole block, such as its own learning rate, stands for all of it.
        value = float(term.value if term.is_number else term.value.ravel()[offset])
        symbol = term.name.partition(" of ")[0]
        if symbol.startswith("old "):
            known[symbol] = known[symbol.removeprefix("old ")] = value
            continue
        if not term.equation:
            known[symbol] = value
            continue
        found[term.name] = _line(term, known, value)
        if term.name.startswith("Δ"):
            line = f"{tex(old + value, _DIGITS)} - {factor(old, _DIGITS)}"
            shown = f"{latex(term.name)} = {line} = {tex(value, _DIGITS)}"
            found[term.name] = Numbers(shown, plain(value))
        elif term.name.startswith("new "):
            known[placed.name] = value
        else:
            known[symbol] = value
    return found


def _line(term: Term, known: Mapping[str, float], value: float) -> Numbers:
    """Return a term's formula with numbers in the places of its symbols."""
    formula = statement(term.formula)
    sign = "←" if "←" in formula else "="
    left, _, right = (part.strip() for part in formula.partition(sign))
    numbers = dict(known)
    if term.name.startswith("g of "):
        numbers["c"] = known["c of G1"]
    if "with λ = 0" in term.formula:
        numbers["λ"] = 0.0
    arrow = r" \leftarrow " if sign == "←" else " = "
    shown = substituted(right, numbers, _DIGITS)
    return Numbers(f"{latex(left)}{arrow}{shown} = {tex(value, _DIGITS)}", plain(value))
