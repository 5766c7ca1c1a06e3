"""The optimizer's update of one parameter, clause by clause, with its numbers."""

from dataclasses import dataclass
from typing import Any

import numpy as np

from chainrule.engines.base import Floats, UpdateRule
from chainrule.engines.optimizer import OptimizerState
from chainrule.equations.optimizers import adam_update
from chainrule.equations.text import equation_text, latex
from chainrule.inspection.trace import Trace
from chainrule.network.parameters import PlacedBlock, learning_rate_factors
from chainrule.network.spec import NetworkSpec
from chainrule.playground.inspection.numbers import plain, tex
from chainrule.playground.inspection.substitution import clauses, substituted
from chainrule.playground.inspection.term_numbers import Numbers

# Parameters change little in a step: more digits show the change.
_DIGITS = 7

_SYMBOLS = {
    "beta": "β",
    "beta_1": "β₁",
    "beta_2": "β₂",
    "epsilon": "ε",
    "weight_decay": "λ",
}


@dataclass(frozen=True)
class Clause:
    """One clause of an update equation: as TeX, and with the numbers of one parameter."""

    symbol: str
    """What the clause computes: "V", "Ŝ", "W"."""
    equation: str
    numbers: Numbers


@dataclass(frozen=True)
class Update:
    """A step's update of all parameters.

    Parameters
    ----------
    spec : NetworkSpec
    rule : UpdateRule
    before : OptimizerState
        The optimizer's state before the step.
    parameters : array (n_parameters,)
        Before the step.
    trace : Trace
        The step.
    """

    spec: NetworkSpec
    rule: UpdateRule
    before: OptimizerState
    parameters: Floats
    trace: Trace

    def clauses(self, placed: PlacedBlock, index: int) -> list[Clause]:
        """Return the clauses for the parameter with this index in the flat vector."""
        results = self._results(placed, index)
        known = self._known(placed, index)
        found = []
        for clause in self._formulas(set(results)):
            sign = "←" if "←" in clause else "="
            symbol, _, side = (part.strip() for part in clause.partition(sign))
            value = results.get(symbol)
            if value is None:
                continue
            shown = substituted(side, known, _DIGITS)
            known[symbol] = value
            arrow = r" \leftarrow " if sign == "←" else " = "
            line = f"{latex(symbol)}{arrow}{shown} = {tex(value, _DIGITS)}"
            if placed.block.name != "W":  # the equations call every parameter W
                line = line.replace(f"W{arrow}", f"{latex(placed.block.name)}{arrow}", 1)
            found.append(Clause(symbol, latex(clause), Numbers(line, plain(value))))
        return found

    def _formulas(self, symbols: set[str]) -> list[str]:
        """Return the clauses of the equation, after those of O3 that it refers to."""
        text = equation_text(self.rule.optimizer.update_equation)
        own = clauses(text.formula if text else "")
        left = {_left(clause) for clause in own}
        of_adam = equation_text(adam_update)
        assert of_adam is not None
        referred = [
            clause for clause in clauses(of_adam.formula) if _left(clause) in symbols - left - {"W"}
        ]
        return [*referred, *own]

    def _known(self, placed: PlacedBlock, index: int) -> dict[str, float]:
        """Return the numbers before the step, by symbol."""
        optimizer, state = self.rule.optimizer, self.before
        rate = float(optimizer.schedule.rates(state.t + 1, 1)[0])
        factors = learning_rate_factors(self.spec)
        factor = factors if isinstance(factors, float) else float(factors[index])
        known = {"α": rate * factor, "t": float(state.t + 1)}
        known |= {_SYMBOLS[name]: value for name, value in optimizer.hyperparameters.items()}
        if not placed.block.penalised and "λ" in known:
            known["λ"] = 0.0
        known["W"] = float(self.parameters[index])
        known["δW"] = self._gradient(placed, index)
        for name, slot in zip(optimizer.equations.vectors, state.slots, strict=False):
            known[name] = float(slot[index])
        shares = optimizer.shares(state, np.array([rate]))
        if shares is not None:
            known["c"] = float(shares[0])
        return known

    def _results(self, placed: PlacedBlock, index: int) -> dict[str, float]:
        """Return the numbers after the step, by symbol."""
        results: dict[str, float] = {}
        for term in self.trace.terms:
            symbol, _, block = term.name.partition(" of ")
            if block == placed.name:
                results[symbol] = float(term.value.ravel()[index - placed.slice.start])
            elif term.name == f"Δ{placed.name}":
                change = float(term.value.ravel()[index - placed.slice.start])
                results["W"] = float(self.parameters[index]) + change
        return results

    def _gradient(self, placed: PlacedBlock, index: int) -> float:
        """Return the gradient that the optimizer is given, bounded if the rule bounds it."""
        arrays: dict[str, Any] = {term.name: term.value for term in self.trace.terms}
        if "g" in arrays:
            return float(arrays["g"][index])
        return float(arrays[f"∂J/∂{placed.name}"].ravel()[index - placed.slice.start])


def _left(clause: str) -> str:
    return clause.partition("←" if "←" in clause else "=")[0].strip()
