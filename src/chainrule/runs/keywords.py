"""The settings of `train` as keywords, for type checkers and editors.

A test compares names and types with `chainrule.runs.options`.
"""

from collections.abc import Sequence
from typing import Literal, TypedDict

from chainrule.names import (
    ClassificationLoss,
    DType,
    Precision,
    RegressionLoss,
    ScheduleName,
    SolverName,
)


class Settings(TypedDict, total=False):
    """The keywords of `train`, in the order of the command line's help; None is the default."""

    task: Literal["auto", "classification", "regression"] | None
    split: Sequence[float] | None
    group: str | None
    time: str | None
    ignore: str | Sequence[str] | None
    target_missing: Literal["auto", "words", "empty"] | None
    merge_spellings: bool | None
    skip_bad_rows: bool | None
    shuffle_buffer: int | None
    scaling: Literal["standard", "robust", "none"] | None
    max_categories: int | None
    min_frequency: int | None
    embed_above: int | None
    target_transform: Literal["auto", "none", "log", "asinh"] | None
    categorical: str | Sequence[str] | None
    quality: Literal["standard", "best"] | None
    time_limit: str | None
    preset: Literal["fast", "standard", "thorough"] | None
    seed: int | None
    layers: int | Sequence[int] | None
    activation: str | Sequence[str] | None
    bins: int | None
    scale_layer: bool | None
    width_scaling: bool | None
    loss: ClassificationLoss | RegressionLoss | None
    optimizer: SolverName | None
    learning_rate: float | None
    schedule: ScheduleName | None
    epochs: int | None
    batch_size: int | None
    early_stopping: bool | None
    patience: int | None
    tolerance: float | None
    l2: float | None
    l1: float | None
    dropout: float | Sequence[float] | None
    batch_norm: bool | None
    label_smoothing: float | None
    class_weight: Literal["none", "balanced"] | None
    calibrate: Literal["auto", "on", "off"] | None
    focal_gamma: float | None
    huber_delta: float | None
    quantile: float | None
    max_grad_norm: float | None
    weight_decay: float | None
    ema_decay: float | None
    momentum: float | None
    nesterov: bool | None
    beta_1: float | None
    beta_2: float | None
    epsilon: float | None
    power: float | None
    init: str | None
    shuffle: bool | None
    dtype: DType | None
    precision: Precision | None
    engine: str | None
    threads: int | None
