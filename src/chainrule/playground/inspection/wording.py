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
<<<<<<< HEAD
            "gradient of {block}",
            "The gradient of a weight is what flows into it times the error of the unit that it "
            "leads to; over a batch, the mean.",
=======
            "gradient of the weights of {layer}",
            "The gradient of a weight is its input times the error of its unit, averaged over the "
            "batch. A penalty adds its own gradient.",
>>>>>>> main
        ),
    ),
    (
        r"∂J/∂b\[\d+\]",
        Wording(
<<<<<<< HEAD
            "gradient of {block}",
            "The gradient of a bias is the error of its unit; over a batch, the mean.",
=======
            "gradient of the biases of {layer}",
            "The gradient of a bias is the error of its unit, averaged over the batch.",
>>>>>>> main
        ),
    ),
    (
        r"∂J/∂.*",
<<<<<<< HEAD
        Wording("gradient of {block}", "The slope of the loss in each parameter."),
=======
        Wording(
            "gradient of parameters of {layer}",
            "The derivative of the loss with respect to each parameter.",
        ),
>>>>>>> main
    ),
    (
        r"g of .*",
        Wording(
<<<<<<< HEAD
            "bounded gradient of {block}",
            "A gradient longer than the bound is scaled down to this length.",
=======
            "clipped gradient of {layer}",
            "If the norm of the whole gradient exceeds the limit, it is scaled down to the limit.",
>>>>>>> main
        ),
    ),
    (
        r"V of .*",
        Wording(
<<<<<<< HEAD
            "average gradient of {block}", "An average of the gradients so far, the newest first."
=======
            "momentum of {layer}", "V combines the new gradient with those of the steps before."
>>>>>>> main
        ),
    ),
    (
        r"S of .*",
        Wording(
<<<<<<< HEAD
            "average squared gradient of {block}",
            "An average of the squared gradients so far: how large they are, whatever their sign.",
=======
            "average squared gradient of {layer}",
            "S is a running average of the squared gradients: it measures their size.",
>>>>>>> main
        ),
    ),
    (
        r"V̂ of .*",
        Wording(
<<<<<<< HEAD
            "corrected average gradient of {block}",
            "The average began at 0; in the first steps the division undoes this.",
=======
            "bias-corrected momentum of {layer}",
            "V started at 0, so it is too small in the first steps; the division corrects this.",
>>>>>>> main
        ),
    ),
    (
        r"Ŝ of .*",
        Wording(
<<<<<<< HEAD
            "corrected average squared gradient of {block}",
            "This average began at 0 too, and is corrected in the same way.",
=======
            "bias-corrected average squared gradient of {layer}",
            "S started at 0 as well, and is corrected in the same way.",
>>>>>>> main
        ),
    ),
    (
        r"X of .*",
<<<<<<< HEAD
        Wording("average of {block}", "The network is evaluated at this average."),
    ),
    (r"Z of .*", Wording("moved {block}", "The point that the steps move.")),
    (
        r"Δ.*",
        Wording("change of {block}", "New minus old: the step downhill."),
=======
        Wording(
            "averaged parameters of {layer}",
            "The network is evaluated with this average of its parameters.",
        ),
    ),
    (r"Z of .*", Wording("moved parameters of {layer}", "The parameters that the steps change.")),
    (
        r"Δ.*",
        Wording("change of the parameters of {layer}", "New parameters minus old ones."),
>>>>>>> main
    ),
    (r"new .*", Wording("new values of {block}", "The parameters after the step.")),
)

_OTHER = Wording("{layer}", "What this layer computes.")

# Of layers without weights: equation and name of a term.
_OF_EQUATION: tuple[tuple[str, str, Wording], ...] = (
    ("BN1", r"μ.*", Wording("means over the batch in {layer}", "The mean of each unit.")),
    (
        "BN1",
        r"v.*",
        Wording("variances over the batch in {layer}", "How much each unit varies."),
    ),
    (
        "BN2",
        r".*",
        Wording(
            "normalised sums of {layer}",
            "Less their means and divided by their deviations, they have mean 0 and variance 1 "
            "over the batch.",
        ),
    ),
    (
        "BN3",
        r"Z.*",
        Wording(
            "scaled and shifted sums of {layer}",
            "A scale and a shift, which are learned, give each unit a spread and a mean of its "
            "own.",
        ),
    ),
    (
        "BN4",
        r"∂C/∂A.*",
        Wording(
            "errors through the batch norm of {layer}",
            "Mean and deviation depend on the whole batch, so each example's error depends on "
            "those of all others.",
        ),
    ),
    (
        "DO1",
        r"M.*",
        Wording(
            "dropout's mask of {layer}",
            "Which units are left out in this step, example by example: those with 0. The others "
            "grow by as much as is lost on average.",
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
        Wording("errors through the dropout of {layer}", "What is left out gets no error."),
    ),
    (
        "EM1",
        r"e.*",
        Wording("vectors of categories", "Each example has the vector of its category."),
    ),
    ("EM1", r"A.*", Wording("inputs with vectors", "The numbers, and below them the vectors.")),
    (
        "BN6",
        r"new .*",
        Wording(
            "new values of {block}",
            "They follow the batches slowly, and predictions use them instead of a batch's.",
        ),
    ),
)

_BLOCKS = {
    "W": "weights",
    "b": "biases",
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
    'average gradient of the biases of layer 1'
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
