"""The parameters and attributes of the estimators, described once for all of them.

`documented` puts the descriptions of those that a class has into its docstring, with its own
defaults.
"""

import inspect
from collections.abc import Callable
from textwrap import dedent, indent
from types import MappingProxyType
from typing import TypeVar

from chainrule.engines.schedules import SCHEDULES
from chainrule.settings.optimizers import with_names

_Class = TypeVar("_Class", bound=type)

PARAMETERS = MappingProxyType(
    {
        "targets": (
            "dict, list, str or None",
            "'class' or 'value' for each column of y: a dict by name (which also picks columns of "
            "a table), a list, or one for all. None: texts, and whole numbers of at most 20 "
            "different ones, are classes.",
        ),
        "losses": (
            "dict or None",
            "The loss of some targets, by name: 'log_loss' (the default of classes) or 'focal'; "
            "'squared_error' (of values), 'absolute_error', 'huber', 'quantile', 'log_cosh', "
            "'poisson'.",
        ),
        "target_weights": ("dict or None", "Weights of some targets in the loss, by name; else 1."),
        "loss": (
            "str, CustomCost or pair of functions",
            "What is minimised. Of a classifier: 'log_loss' or 'focal'. Of a regressor: "
            "'squared_error' (half of it), 'absolute_error', 'huber', 'quantile', 'log_cosh', or "
            "'poisson' (half the deviance, with the exponential as output activation, for counts "
            "y ≥ 0). Of both: two functions (cost, gradient) of (outputs, targets), an example a "
            "row and scaled as the network has them, which take the reference engine. `score` "
            "stays accuracy or R²; early_stopping='loss' follows the loss.",
        ),
        "hidden_layer_sizes": ("array-like of int", "Units of each hidden layer."),
        "activation": (
            "str or list of str",
            "Of the hidden layers: 'identity', 'logistic', 'tanh', 'relu', or any other of the "
            "package ('gelu', 'silu', 'leaky_relu(slope=0.2)', …). A list has one for each layer.",
        ),
        "solver": (
            "str",
            "'lbfgs', or an optimizer of the package by its name: {optimizers}. 'sgd' has "
            "`momentum`, as in scikit-learn.",
        ),
        "alpha": (
            "float",
            "Strength of the L2 penalty, P1, shared by the examples, P3: those of a batch, as in "
            "scikit-learn (MLP…), or all of them (Network…).",
        ),
        "batch_size": (
            "int or 'auto'",
            "Examples a step; 'auto' decides by their number (min(200, n_samples) in MLP…). Not "
            "for 'lbfgs'.",
        ),
        "learning_rate": (
            "str, Schedule or callable",
            "How `learning_rate_init` changes. 'constant': not at all; 'invscaling': by "
            "1/(t + 1)^power_t, t being the examples seen; 'adaptive': divided by 5 whenever "
            "`n_iter_no_change` epochs bring nothing (in MLP…, 'adam' keeps it constant under "
            "these, as in scikit-learn). Over `max_iter` epochs, for every solver but 'lbfgs': "
            + "; ".join(f"'{name}' {named.about}" for name, named in SCHEDULES.items())
            + ". Or a schedule (`chainrule.CosineDecay`, …) or a function of the step t = 1, 2, …, "
            "which have rates of their own.",
        ),
        "learning_rate_init": ("float", "The first learning rate."),
        "power_t": ("float", "Exponent of 'invscaling'."),
        "max_iter": ("int", "At most so many epochs (iterations of 'lbfgs')."),
        "shuffle": ("bool", "Whether each epoch has a new order of examples."),
        "random_state": (
            "int, RandomState or None",
            "Decides initial weights, validation split and orders, by scikit-learn's own draws.",
        ),
        "tol": ("float", "What counts as an improvement (of 'lbfgs': the gradient's size)."),
        "verbose": (
            "bool",
            "Whether to tell of each epoch: MLP… print scikit-learn's lines on standard output, "
            "the others show progress on standard error.",
        ),
        "warm_start": ("bool", "Whether `fit` goes on from where it ended before."),
        "momentum": ("float", "β of {optimizers of momentum}."),
        "nesterovs_momentum": ("bool", "Whether 'sgd' looks ahead, O5, or not, O4."),
        "early_stopping": (
            "bool, 'loss', str or callable",
            "Whether validation decides when to stop, and the best epoch's weights are kept. "
            "True: by `score`; 'loss': by the validation loss; or a scorer's name, or a function "
            "of (estimator, X, y), larger being better.",
        ),
        "validation_fraction": (
            "float",
            "Share of the examples that early stopping sets aside, where `fit` gets no `X_val`.",
        ),
        "beta_1": ("float", "β₁ of {optimizers of beta_1}."),
        "beta_2": ("float", "β₂ of {optimizers of beta_2}."),
        "epsilon": ("float", "ε of {optimizers of epsilon}."),
        "n_iter_no_change": (
            "int or inf",
            "Training ends when more epochs than this bring no improvement by `tol`.",
        ),
        "max_fun": ("int", "At most so many evaluations by 'lbfgs'."),
        "class_weight": (
            "dict, 'balanced' or None",
            "Weights of the classes; 'balanced': each class weighs the same. They multiply "
            "`sample_weight`.",
        ),
        "l1": ("float", "Strength of the L1 penalty, P2, scaled as `alpha` is."),
        "n_layers": (
            "int or None",
            "How many hidden layers, in place of as many as `hidden_layer_sizes` has: a number "
            "that a search can vary.",
        ),
        "n_units": ("int or None", "Units of every hidden layer, in place of those given."),
        "dropout": (
            "float or list of float",
            "Share of a hidden layer's activations that each training step drops at random "
            "(`Dropout`); a list has one for each hidden layer. Not for 'lbfgs'.",
        ),
        "batch_norm": (
            "bool",
            "Whether each hidden layer is normalised over the batch before its activation "
            "(`BatchNorm`). Not for 'lbfgs'.",
        ),
        "init": (
            "str or None",
            "An initialiser of the package ('auto', 'he_normal', 'lecun_normal', …). None: "
            "scikit-learn's draws.",
        ),
        "initial_weights": (
            "(coefs, intercepts) or None",
            "Weights to begin with, in the shapes of ``coefs_`` and ``intercepts_``.",
        ),
        "standardize": (
            "bool",
            "Whether inputs are brought to mean 0 and standard deviation 1 inside; ``network_`` "
            "and ``coefs_`` are then of these.",
        ),
        "standardize_target": (
            "bool",
            "Whether targets are brought to mean 0 and standard deviation 1 inside, and "
            "predictions given back in their own units. Counts (loss='poisson') stay as they are.",
        ),
        "dtype": (
            "{'float32', 'float64', None}",
            "Of the network; None: that of X if it is one of these, else float64 (MLP…), or "
            "float32 from 200 examples on (Network…).",
        ),
        "callbacks": (
            "list of callables or None",
            "Each is called with every event of the training; returning True after an "
            "`EpochEnded` (an iteration of 'lbfgs') stops. `set_callbacks` takes those of "
            "scikit-learn's own protocol, which are told of the fit and of each epoch.",
        ),
        "engine": ("str", "'native', 'reference' or 'auto', as in `chainrule.Network.fit`."),
        "threads": ("int or None", "At most so many; None: as many as there are cores."),
        "focal_gamma": (
            "float",
            "γ of loss='focal', C8 and C9: how little examples count that are right.",
        ),
        "label_smoothing": (
            "float",
            "How much of its certainty each class in y hands to all classes, Y1, in [0, 1). "
            "Validation is of the true classes.",
        ),
        "huber_delta": (
            "float",
            "δ of loss='huber', C5: the error from which on it is linear, in the target's own "
            "units, whether these are standardised inside or not.",
        ),
        "quantile": ("float", "Which quantile loss='quantile' estimates, C6, between 0 and 1."),
        "max_grad_norm": (
            "float or None",
            "A longer gradient is scaled down to this norm, G1. Not for 'lbfgs'.",
        ),
        "weight_decay": (
            "float",
            "The decoupled decay of {optimizers of weight_decay}; other solvers have none.",
        ),
        "ema_decay": (
            "float",
            "ρ in [0, 1): the network is evaluated, validated and kept at the exponential moving "
            "average of its weights, WA1 and WA2, over about the last 1/(1 − ρ) steps. 0: at the "
            "weights themselves. For {optimizers of ema_decay}.",
        ),
        "precision": (
            "{'full', 'mixed'}",
            "'mixed': a float32 network multiplies in bfloat16, as in `chainrule.Network.fit`. Not "
            "for 'lbfgs'.",
        ),
        "embeddings": (
            "list of (column, codes, dimension) or None",
            "Which columns of X, counted from 0, are codes: whole numbers from 0 to codes − 1. "
            "Each is looked up in a table of so many rows, which are learned, EM1. Codes are not "
            "standardised; the rows of ``coefs_[0]`` are of the other inputs, then of what was "
            "looked up.",
        ),
    }
)

# Of NetworkMixed alone.
MIXED_ATTRIBUTES = MappingProxyType(
    {
        "classes_": ("dict of arrays", "The class labels of each target that is a class."),
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
    """Return a decorator that completes a class's docstring, with these examples at its end."""

    def complete(kind: _Class) -> _Class:
        constructor = inspect.signature(kind.__init__)  # type: ignore[misc]
        parameters = [p for p in constructor.parameters.values() if p.name != "self"]
        is_classifier = "class_weight" in constructor.parameters
        attributes = [
            (name, about)
            for name, about in ATTRIBUTES.items()
            if is_classifier or name != "classes_"
        ]
        if getattr(kind, "_diagnoses", False):
            attributes.append(("diagnostics_", DIAGNOSTICS))
        if "targets" in constructor.parameters:
            attributes += MIXED_ATTRIBUTES.items()
        parts = [
            inspect.cleandoc(kind.__doc__ or ""),
            _section("Parameters", [_parameter(p) for p in parameters]),
            _section("Attributes", [_entry(name, *about) for name, about in attributes]),
            "Examples\n--------\n" + dedent(examples).strip(),
        ]
        kind.__doc__ = "\n\n".join(parts) + "\n"
        return kind

    return complete


def _parameter(parameter: inspect.Parameter) -> str:
    kind, text = PARAMETERS[parameter.name]
    return _entry(parameter.name, f"{kind}, default {parameter.default!r}", with_names(text))


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
