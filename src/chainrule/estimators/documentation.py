"""The docstrings of the estimators, assembled from shared descriptions.

`documented` completes a class's docstring with the parameters, described in the table of settings
with the class's own defaults, and with the attributes, described here.
"""

import inspect
from collections.abc import Callable
from textwrap import dedent, indent
from types import MappingProxyType
from typing import TypeVar

from chainrule.arguments import hinting
from chainrule.settings.names import with_names
from chainrule.settings.table import PARAMETERS

_Class = TypeVar("_Class", bound=type)

# Attributes of NetworkMixed only.
MIXED_ATTRIBUTES = MappingProxyType(
    {
        "classes_": ("dict of arrays", "The class labels of each target that is a class."),
        "temperature_": ("dict of float", "The temperature of each target that is a class."),
        "target_names_": ("list", "The names of y's columns, or their numbers."),
        "target_loss_curves_, validation_target_loss_curves_": (
            "dict of lists of float",
            "The loss of each target after every epoch, by name, without weights of targets or "
            "examples; values are standardised.",
        ),
    }
)

DIAGNOSTICS = (
    "list of Diagnosis",
    "What kept the network from learning, by a sample of the examples: dead or saturated layers, a "
    "gradient that vanishes or explodes, a loss that is stuck. Each kind is a "
    "TrainingDiagnosisWarning once a fit. Empty for 'lbfgs'.",
)

ENCODER = (
    "TableEncoder or None",
    "The encoder of the table's columns, if X was a table with text, categories, dates or missing "
    "values; its `dropped_` lists the columns that were left out. None if X was an array or a "
    "table of numbers only.",
)

ATTRIBUTES = MappingProxyType(
    {
        "network_": (
            "Network",
            "The network itself, sharing its parameters with ``coefs_``. Its `predict` checks "
            "little and is the fast path to the outputs.",
        ),
        "coefs_, intercepts_": (
            "list of arrays",
            "Weights (inputs, outputs) and biases (outputs,) of each layer: views; writing to "
            "them, or setting an entry, changes predictions.",
        ),
        "classes_": ("array", "The class labels; an indicator matrix has its columns' numbers."),
        "temperature_": (
            "float",
            "The temperature by which the output layer was divided, TS1 and TS2; 1 for none: see "
            "`calibrate`.",
        ),
        "loss_": ("float", "Loss of the last epoch, penalties included."),
        "best_loss_": (
            "float or None",
            "The smallest loss; with early_stopping='loss', the smallest validation loss; None "
            "with another early stopping.",
        ),
        "loss_curve_": ("list of float", "The loss of every epoch. Not for 'lbfgs'."),
        "validation_scores_, best_validation_score_": (
            "list of float and float, or None",
            "What early stopping looked at; None without it, or by 'loss'.",
        ),
        "validation_loss_curve_": (
            "list of float or None",
            "The validation loss after every epoch, penalties not included.",
        ),
        "seed_": (
            "int or None",
            "What decides everything that is drawn at random: `random_state`, or what was drawn "
            "where that is None. A training by parts is repeated by a `RandomState` of it. None: "
            "a generator of your own decides.",
        ),
        "n_iter_": ("int", "Epochs (or iterations) of the last `fit`."),
        "t_": ("int", "Examples that the solver has seen."),
        "n_features_in_, n_layers_, n_outputs_": (
            "int",
            "Inputs; layers, input and output counted; outputs.",
        ),
        "feature_names_in_": ("array of str", "Names of the columns, where X had any."),
        "out_activation_": ("str", "Of the output layer, in scikit-learn's words."),
    }
)


def documented(examples: str) -> Callable[[_Class], _Class]:
    """Return a decorator that completes a class's docstring and appends the examples."""

    def complete(kind: _Class) -> _Class:
        constructor = inspect.signature(kind.__init__)  # type: ignore[misc]
        parameters = [p for p in constructor.parameters.values() if p.name != "self"]
        is_classifier = "class_weight" in constructor.parameters
        attributes = [
            (name, about)
            for name, about in ATTRIBUTES.items()
            if is_classifier or name not in ("classes_", "temperature_")
        ]
        if getattr(kind, "_diagnoses", False):
            attributes.append(("diagnostics_", DIAGNOSTICS))
        if getattr(kind, "_takes_tables", False):
            attributes.append(("encoder_", ENCODER))
        if "targets" in constructor.parameters:
            attributes += MIXED_ATTRIBUTES.items()
        parts = [
            inspect.cleandoc(kind.__doc__ or ""),
            _section("Parameters", [_parameter(p) for p in parameters]),
            _section("Attributes", [_entry(name, *about) for name, about in attributes]),
            "Examples\n--------\n" + dedent(examples).strip(),
        ]
        kind.__doc__ = "\n\n".join(parts) + "\n"
        return hinting(kind)

    return complete


def _parameter(parameter: inspect.Parameter) -> str:
    row = PARAMETERS[parameter.name]
    return _entry(
        parameter.name, f"{row.type}, default {parameter.default!r}", with_names(row.meaning)
    )


def _entry(name: str, kind: str, text: str) -> str:
    return f"{name} : {kind}\n" + indent(_wrapped(text), "    ")


def _wrapped(text: str, width: int = 92) -> str:
    lines, line = [], ""
    for word in text.split():
        if line and len(line) + 1 + len(word) > width:
            lines.append(line)
            line = word
        else:
            line = f"{line} {word}".strip()
    return "\n".join([*lines, line])


def _section(title: str, entries: list[str]) -> str:
    return "\n".join([title, "-" * len(title), *entries])
