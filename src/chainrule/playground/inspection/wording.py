"""The titles of the steps of the equations view, and what happens in each in plain English."""

import re
from typing import NamedTuple


class Wording(NamedTuple):
    """A step's title and sentence; {layer} stands for its layer."""

    title: str
    text: str


# Patterns of the names of a trace's terms, in the order in which they are tried.
_WORDS: tuple[tuple[str, Wording], ...] = (
    (r"A\[0\]", Wording("inputs", "The examples, one in each column, as the network sees them.")),
    (r"Y", Wording("targets", "What the outputs should be.")),
    (
        r"Z\[\d+\]",
        Wording(
            "weighted sums of {layer}",
            "Each unit adds up its inputs, each times its weight, and its bias.",
        ),
    ),
    (
        r"A\[\d+\]",
        Wording("activations of {layer}", "The activation function bends each sum."),
    ),
    (r"C", Wording("cost of each example", "How far the outputs are from the targets.")),
    (r"J", Wording("mean cost", "The mean over the examples of the batch.")),
    (r"P", Wording("penalty", "What large weights cost.")),
    (r"J \+ P", Wording("loss", "Mean cost and penalty: what a step makes smaller.")),
    (r"new J", Wording("mean cost after the step", "The same examples, with the new parameters.")),
    (r"new J \+ P", Wording("loss after the step", "The same examples, with the new parameters.")),
    (
        r"settings",
        Wording(
            "settings of the optimizer", "The number of the step, its learning rate, and more."
        ),
    ),
    (
        r"∇ₐC",
        Wording("slope of the cost", "How the cost changes when an output changes a little."),
    ),
    (
        r"∂a/∂z",
        Wording(
            "softmax's Jacobian",
            "How each output changes when a weighted sum changes a little: they add up to 1.",
        ),
    ),
    (
        r"σ′.*",
        Wording(
            "slopes of the activation in {layer}",
            "How steep the activation function is at each sum: a flat one lets no error through.",
        ),
    ),
    (
        r"∂C/∂A.*",
        Wording(
            "errors handed down to {layer}",
            "Each unit collects the errors of the layer above, each times the weight between them.",
        ),
    ),
    (
        r"δ\[\d+\]",
        Wording(
            "errors of {layer}",
            "The error of a unit is the slope of the cost in its weighted sum: how the cost "
            "changes when the sum grows a little.",
        ),
    ),
    (
        r"∂J/∂W\[\d+\]",
        Wording(
            "gradient of the weights of {layer}",
            "The gradient of a weight is what flows into it times the error of the unit that it "
            "leads to; over a batch, the mean.",
        ),
    ),
    (
        r"∂J/∂b\[\d+\]",
        Wording(
            "gradient of the biases of {layer}",
            "The gradient of a bias is the error of its unit; over a batch, the mean.",
        ),
    ),
    (
        r"∂J/∂.*",
        Wording("gradient of parameters of {layer}", "The slope of the loss in each parameter."),
    ),
    (
        r"g of .*",
        Wording(
            "bounded gradient of {layer}",
            "A gradient longer than the bound is scaled down to this length.",
        ),
    ),
    (
        r"V of .*",
        Wording(
            "average gradient of {layer}", "An average of the gradients so far, the newest first."
        ),
    ),
    (
        r"S of .*",
        Wording(
            "average squared gradient of {layer}",
            "An average of the squared gradients so far: how large they are, whatever their sign.",
        ),
    ),
    (
        r"V̂ of .*",
        Wording(
            "corrected average gradient of {layer}",
            "The average began at 0; in the first steps the division undoes this.",
        ),
    ),
    (
        r"Ŝ of .*",
        Wording(
            "corrected average squared gradient of {layer}",
            "This average began at 0 too, and is corrected in the same way.",
        ),
    ),
    (
        r"X of .*",
        Wording("averaged parameters of {layer}", "The network is evaluated at this average."),
    ),
    (r"Z of .*", Wording("moved parameters of {layer}", "The point that the steps move.")),
    (
        r"Δ.*",
        Wording("change of the parameters of {layer}", "New minus old: the step downhill."),
    ),
    (r"new .*", Wording("new parameters of {layer}", "The parameters after the step.")),
)

_OTHER = Wording("{layer}", "What this layer computes.")


def wording(name: str, layer: int | None, count: int) -> Wording:
    """Return title and sentence for a term of the trace.

    Parameters
    ----------
    name : str
        The name of the term, such as "Z[1]".
    layer : int or None
        The layer as the drawing counts.
    count : int
        How many layers the drawing has.

    Examples
    --------
    >>> from chainrule.playground.inspection.wording import wording
    >>> wording("δ[3]", 2, 2).title
    'errors of the output layer'
    """
    where = "the output layer" if layer == count else f"layer {layer}"
    fitting = (words for pattern, words in _WORDS if re.fullmatch(pattern, name))
    found = next(fitting, _OTHER)
    return Wording(found.title.format(layer=where), found.text)
