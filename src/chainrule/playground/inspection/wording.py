"""The titles of the steps of the equations view, and what each step computes, in plain English."""

import re
from typing import NamedTuple

from chainrule.playground.inspection.shown_terms import block_of


class Wording(NamedTuple):
    """A step's title and sentence; {layer} stands for its layer, {block} for its parameters."""

    title: str
    text: str


# Patterns of the names of a trace's terms, in the order in which they are tried.
_WORDS: tuple[tuple[str, Wording], ...] = (
    (r"A\[0\]", Wording("inputs", "The examples, one in each column, as the network sees them.")),
    (r"Y", Wording("targets", "The values that the outputs should have.")),
    (
        r"Z\[\d+\]",
        Wording(
            "weighted sums of {layer}",
            "Each unit multiplies its inputs by its weights, and adds the products and its bias.",
        ),
    ),
    (
        r"A\[\d+\]",
        Wording("activations of {layer}", "The activation function of each weighted sum."),
    ),
    (r"C", Wording("cost of each example", "How far the outputs are from the targets.")),
    (r"J", Wording("mean cost", "The mean over the examples of the batch.")),
    (r"P", Wording("penalty", "The regularization term: it grows with the size of the weights.")),
    (r"J \+ P", Wording("loss", "Mean cost plus penalty: what training minimises.")),
    (r"new J", Wording("mean cost after the step", "The same examples, with the new parameters.")),
    (r"new J \+ P", Wording("loss after the step", "The same examples, with the new parameters.")),
    (
        r"settings",
        Wording(
            "settings of the optimizer",
            "The number of the step, its learning rate, and the optimizer's other settings.",
        ),
    ),
    (
        r"∇ₐC",
        Wording("derivative of the cost", "How the cost changes when an output changes slightly."),
    ),
    (
        r"∂a/∂z",
        Wording(
            "softmax's Jacobian",
            "How each output changes when a weighted sum changes slightly. Every output depends on "
            "every sum, because the outputs add up to 1.",
        ),
    ),
    (
        r"σ′.*",
        Wording(
            "slopes of the activation in {layer}",
            "The slope of the activation function at each sum: where it is 0, no error is "
            "propagated back.",
        ),
    ),
    (
        r"∂C/∂A.*",
        Wording(
            "errors propagated back to {layer}",
            "For each unit, the errors of the next layer are added up, each multiplied by the "
            "weight between the two units.",
        ),
    ),
    (
        r"δ\[\d+\]",
        Wording(
            "errors of {layer}",
            "The error of a unit is the derivative of the cost with respect to its weighted sum.",
        ),
    ),
    (
        r"∂J/∂W\[\d+\]",
        Wording(
            "gradient of {block}",
            "The gradient of a weight is its input times the error of its unit, averaged over the "
            "batch. A penalty adds its own gradient.",
        ),
    ),
    (
        r"∂J/∂b\[\d+\]",
        Wording(
            "gradient of {block}",
            "The gradient of a bias is the error of its unit, averaged over the batch.",
        ),
    ),
    (
        r"∂J/∂.*",
        Wording(
            "gradient of {block}",
            "The derivative of the loss with respect to each parameter.",
        ),
    ),
    (
        r"g of .*",
        Wording(
            "clipped gradient of {block}",
            "If the norm of the whole gradient exceeds the limit, it is scaled down to the limit.",
        ),
    ),
    (
        r"V of .*",
        Wording(
            "momentum of {block}", "V combines the new gradient with those of the steps before."
        ),
    ),
    (
        r"S of .*",
        Wording(
            "average squared gradient of {block}",
            "S is a running average of the squared gradients: it measures their size.",
        ),
    ),
    (
        r"V̂ of .*",
        Wording(
            "bias-corrected momentum of {block}",
            "V started at 0, so it is too small in the first steps; the division corrects this.",
        ),
    ),
    (
        r"Ŝ of .*",
        Wording(
            "bias-corrected average squared gradient of {block}",
            "S started at 0 as well, and is corrected in the same way.",
        ),
    ),
    (
        r"X of .*",
        Wording(
            "average of {block}",
            "The network is evaluated with this average of its parameters.",
        ),
    ),
    (r"Z of .*", Wording("steps of {block}", "The parameters that the steps change.")),
    (
        r"Δ.*",
        Wording("change of {block}", "New parameters minus old ones."),
    ),
    (r"new .*", Wording("new values of {block}", "The parameters after the step.")),
)

_OTHER = Wording("{layer}", "What this layer computes.")


# Of layers without weights: equation and name of a term.
_OF_EQUATION: tuple[tuple[str, str, Wording], ...] = (
    (
        "BN1",
        r"μ.*",
        Wording("means over the batch in {layer}", "The mean of each unit over the examples."),
    ),
    (
        "BN1",
        r"v.*",
        Wording(
            "variances over the batch in {layer}", "The variance of each unit over the examples."
        ),
    ),
    (
        "BN2",
        r".*",
        Wording(
            "normalised sums of {layer}",
            "Each sum minus the mean, divided by the standard deviation: each unit then has mean 0 "
            "and variance 1 over the batch.",
        ),
    ),
    (
        "BN3",
        r"Z.*",
        Wording(
            "scaled and shifted sums of {layer}",
            "Each unit's sums are multiplied by its scale γ, and its shift β is added. Both are "
            "learned.",
        ),
    ),
    (
        "BN4",
        r"∂C/∂A.*",
        Wording(
            "errors propagated through the batch norm of {layer}",
            "The mean and the variance depend on the whole batch, so the error of each example "
            "depends on those of all others.",
        ),
    ),
    (
        "DO1",
        r"M.*",
        Wording(
            "dropout mask of {layer}",
            "0 for each activation that this step drops; the others are scaled up so that their "
            "expected sum stays the same.",
        ),
    ),
    (
        "DO1",
        r"A.*",
        Wording("activations of {layer} after dropout", "The activations, times the mask."),
    ),
    (
        "DO1",
        r"∂C/∂A.*",
        Wording(
            "errors propagated through the dropout of {layer}",
            "Where an activation was dropped, the error is 0.",
        ),
    ),
    (
        "EM1",
        r"e.*",
        Wording("embedding vectors", "The embedding vector of each example's category."),
    ),
    ("EM1", r"A.*", Wording("inputs with embeddings", "The numbers, then the embedding vectors.")),
    ("PL1", r"E.*", Wording("bins of {layer}", "The part of each bin that lies below its unit.")),
    ("PL1", r"A.*", Wording("units with bins", "The units below, then the parts of their bins.")),
    ("PE1", r"ψ.*", Wording("phases ψ of {layer}", "Each cosine's angle, for each example.")),
    (
        "PE2",
        r"A.*",
        Wording("units with periodic values", "The units below, then their mixed cosines."),
    ),
    (
        "BN6",
        r"new .*",
        Wording(
            "new values of {block}",
            "A running average over the batches; predictions use it in place of a batch's own.",
        ),
    ),
)

_BLOCKS = {
    "W": "weights",
    "b": "biases",
    "r": "factors r of the inputs",
    "s": "factors s",
    "w": "frequencies w",
    "c": "phases c",
    "V": "mixing matrices V",
    "d": "shifts d",
    "γ": "scales γ",
    "β": "shifts β",
    "μ": "running means μ",
    "v": "running variances v",
}


def wording(name: str, layer: int | None, count: int, equation: str = "") -> Wording:
    """Return title and sentence for a term of the trace.

    Parameters
    ----------
    name : str
        The name of the term, such as "Z[1]".
    layer : int or None
        The layer as the drawing counts.
    count : int
        How many layers the drawing has.
    equation : str
        The name of its equation, such as "F1".

    Examples
    --------
    >>> from chainrule.playground.inspection.wording import wording
    >>> wording("δ[3]", 2, 2).title
    'errors of the output layer'
    >>> wording("V of b[1]", 1, 2).title
    'momentum of the biases of layer 1'
    """
    where = "the output layer" if layer == count else f"layer {layer}" if layer else "the inputs"
    of_equation = (
        words for key, names, words in _OF_EQUATION if key == equation and re.fullmatch(names, name)
    )
    fitting = (words for pattern, words in _WORDS if re.fullmatch(pattern, name))
    found = next(of_equation, next(fitting, _OTHER))
    block = block_of(name).partition("[")[0]
    parameters = f"the {_BLOCKS[block]} of {where}" if block in _BLOCKS else f"{block} of {where}"
    return Wording(found.title.format(layer=where, block=parameters), found.text)
