"""Numeric settings of losses, optimizers and schedules."""

from chainrule.limits import FLAG, INSIDE, MAX_NORM, NOT_NEGATIVE, POSITIVE, SHARE, Number
from chainrule.settings.names import losses_with, solvers_with
from chainrule.settings.setting import Needs, Option, Setting


def _of_losses(parameter: str) -> Needs:
    return Needs("loss", lambda: losses_with(parameter))


def _of_optimizers(parameter: str) -> Needs:
    return Needs("optimizer", lambda: solvers_with(parameter))


NUMBERS: tuple[Setting, ...] = (
    Setting(
        "focal_gamma",
        NOT_NEGATIVE,
        meaning="γ of loss='focal', C8 and C9: the exponent that down-weights easy examples.",
        of=("classifier", "mixed"),
        mlp=2.0,
        option=Option("γ of the focal loss."),
        needs=_of_losses("focal_gamma"),
    ),
    Setting(
        "huber_delta",
        POSITIVE,
        meaning="δ of loss='huber', C5: the error from which the loss is linear, in the target's "
        "own units, even if the target is standardised internally.",
        of=("regressor", "mixed"),
        mlp=1.0,
        option=Option("δ of the Huber loss, in the target's units."),
        needs=_of_losses("huber_delta"),
    ),
    Setting(
        "quantile",
        INSIDE,
        meaning="The quantile that loss='quantile' estimates, C6, between 0 and 1.",
        of=("regressor", "mixed"),
        mlp=0.5,
        option=Option("The quantile that the loss estimates."),
        needs=_of_losses("quantile"),
    ),
    Setting(
        "max_grad_norm",
        MAX_NORM,
        meaning="Gradients of a larger norm are scaled down to this norm, G1. Not for 'lbfgs'.",
        mlp=None,
        fit=None,
        option=Option(
            "Largest norm of a gradient; larger gradients are scaled down to it; 0: no limit.",
            none=0.0,
            limit=NOT_NEGATIVE,
        ),
    ),
    Setting(
        "weight_decay",
        NOT_NEGATIVE,
        meaning="Decoupled weight decay of {optimizers of weight_decay}; other solvers have none.",
        mlp=0.01,
        network=0.1,
        option=Option("Weight decay of {optimizers of weight_decay}."),
        needs=_of_optimizers("weight_decay"),
    ),
    Setting(
        "ema_decay",
        SHARE,
        meaning="ρ in [0, 1): the network is evaluated, validated and kept at the exponential "
        "moving average of its weights, WA1 and WA2, over about the last 1/(1 − ρ) steps. 0: at "
        "the weights themselves. For {optimizers of ema_decay}.",
        mlp=0.0,
        network=0.998,
        option=Option(
            "Keep a moving average of the weights, over about the last 1/(1 − this) steps; 0: "
            "none. For {optimizers of ema_decay}."
        ),
        needs=_of_optimizers("ema_decay"),
    ),
    Setting(
        "momentum",
        Number(0, 1, open_high=False),
        meaning="β of {optimizers of momentum}.",
        mlp=0.9,
        option=Option("β of {optimizers of momentum}."),
        needs=_of_optimizers("momentum"),
    ),
    Setting(
        "nesterov",
        FLAG,
        meaning="Whether 'sgd' uses Nesterov's momentum, O5, instead of the heavy ball, O4.",
        parameter="nesterovs_momentum",
        mlp=True,
        option=Option("Use Nesterov's momentum in sgd."),
        needs=_of_optimizers("nesterovs_momentum"),
    ),
    Setting(
        "beta_1",
        SHARE,
        meaning="β₁ of {optimizers of beta_1}.",
        mlp=0.9,
        option=Option("β₁ of {optimizers of beta_1}."),
        needs=_of_optimizers("beta_1"),
    ),
    Setting(
        "beta_2",
        SHARE,
        meaning="β₂ of {optimizers of beta_2}.",
        mlp=0.999,
        network=0.95,
        option=Option("β₂ of {optimizers of beta_2}."),
        needs=_of_optimizers("beta_2"),
    ),
    Setting(
        "epsilon",
        POSITIVE,
        meaning="ε of {optimizers of epsilon}.",
        mlp=1e-8,
        option=Option("ε of {optimizers of epsilon}."),
        needs=_of_optimizers("epsilon"),
    ),
    Setting(
        "power",
        NOT_NEGATIVE,
        meaning="Exponent of 'invscaling'.",
        parameter="power_t",
        mlp=0.5,
        option=Option("The exponent of invscaling."),
        needs=Needs("schedule", lambda: ("invscaling",)),
    ),
)
