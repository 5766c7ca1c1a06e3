"""Which terms of a trace a page shows, in what order, and what they belong to."""

from collections.abc import Sequence

from chainrule.inspection.terms import Term


def in_order(terms: Sequence[Term]) -> list[Term]:
    """Return the terms that a page shows, each after those that it is computed from.

    Left out are factors that are not needed, since a fused pair has their product.
    """
    found: list[Term] = []
    for term in terms:
        if "not needed" in term.formula or term.name in ("∂aᵢ/∂zᵢ", "∂aᵢ/∂zⱼ"):
            continue
        symbol, _, block = term.name.partition(" of ")
        after = f"Δ{term.name.removeprefix('new ')}" if symbol.startswith("new ") else ""
        if block and symbol in ("S", "Ŝ"):
            after = f"Z of {block}"  # O9 steps Z by Ŝ
        names = [one.name for one in found[-4:]]
        if after in names:
            found.insert(len(found) - len(names) + names.index(after), term)
        else:
            found.append(term)
    return found


def is_given(term: Term) -> bool:
    """Tell whether a term is not computed: a parameter, a setting, or a state before the step."""
    computed = ("A[0]", "Y", "J + P", "new J + P")
    return not term.equation and term.name not in computed


def phase_of(term: Term) -> str:
    """Return the page's phase of a term."""
    if term.name.startswith(("∂J/∂", "g of ")):
        return "gradients"
    return "update" if term.phase == "after" else term.phase


def block_of(name: str) -> str:
    """Return the block of parameters that a term belongs to, such as "W[1]"; "" if none."""
    for prefix in ("∂J/∂", "Δ", "new "):
        if name.startswith(prefix):
            return name.removeprefix(prefix)
    return name.partition(" of ")[2]
