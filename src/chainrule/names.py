"""The names that arguments take, as types: for completion, and for type checkers.

Each type repeats the names of a registry; `tests/test_names.py` compares the two. You can use them
in your own signatures: ``def train(optimizer: names.OptimizerName) -> None``.
"""

from typing import Literal, TypeAlias

ActivationName: TypeAlias = Literal[
    "identity",
    "sigmoid",
    "tanh",
    "relu",
    "leaky_relu",
    "elu",
    "selu",
    "gelu",
    "silu",
    "mish",
    "hard_swish",
    "softplus",
    "exponential",
    "softmax",
]
"""The activations, without parameters."""

ActivationText: TypeAlias = ActivationName | str
"""An activation, perhaps with parameters or divided into heads: "leaky_relu(slope=0.2)". Since no
type can list such texts, type checkers accept any; the name is checked when it is used."""

CostName: TypeAlias = Literal[
    "mse",
    "binary_cross_entropy",
    "cross_entropy",
    "absolute_error",
    "huber",
    "quantile",
    "log_cosh",
    "binary_focal",
    "focal",
    "poisson",
]
"""The costs, without parameters."""

CostText: TypeAlias = CostName | str
"""A cost, perhaps with parameters or divided into heads: "huber(delta=1.5)"; any text, as for
`ActivationText`."""

InitializerName: TypeAlias = Literal[
    "auto",
    "zeros",
    "glorot_uniform",
    "glorot_normal",
    "he_uniform",
    "he_normal",
    "lecun_uniform",
    "lecun_normal",
    "nielsen",
]
"""The initialisers, and "auto"."""

DType: TypeAlias = Literal["float32", "float64"]
"""The types of a network's numbers."""

OptimizerName: TypeAlias = Literal[
    "sgd",
    "momentum",
    "heavy_ball",
    "nesterov",
    "rmsprop",
    "adam",
    "adamw",
    "nadam",
    "lion",
    "schedule_free_adamw",
    "muon",
]
"""The optimizers."""

SolverName: TypeAlias = OptimizerName | Literal["lbfgs"]
"""The solvers of the estimators: the optimizers, and L-BFGS."""

ScheduleName: TypeAlias = Literal[
    "constant",
    "invscaling",
    "adaptive",
    "cosine",
    "flat_cosine",
    "coslog4",
    "one_cycle",
    "warmup_cosine",
    "time",
    "exponential",
    "staircase",
]
"""The estimators' rules and schedules of the learning rate."""

ClassificationLoss: TypeAlias = Literal["log_loss", "focal"]
"""The losses of classifiers."""

RegressionLoss: TypeAlias = Literal[
    "squared_error", "absolute_error", "huber", "quantile", "log_cosh", "poisson"
]
"""The losses of regressors."""

MetricName: TypeAlias = Literal["accuracy", "rmse", "mae", "r2"]
"""The metrics of `Network.fit`."""

EngineName: TypeAlias = Literal["auto", "native", "reference", "jax"]
"""The engines, and "auto", the fastest of those that are installed."""

JaxDevices: TypeAlias = Literal[
    "jax(devices=2)",
    "jax(devices=4)",
    "jax(devices=8)",
    "jax(devices=16)",
    "jax(devices=32)",
    "jax(processes=1)",
]
"""The parameters of "jax" as they are mostly written; a type can list no numbers."""

EngineText: TypeAlias = EngineName | JaxDevices
"""An engine, perhaps with parameters."""

Precision: TypeAlias = Literal["full", "mixed", "split"]
"""The precisions of the products in training steps."""

PredictionPrecision: TypeAlias = Literal["full", "split"]
"""The precisions of the products in predictions."""
