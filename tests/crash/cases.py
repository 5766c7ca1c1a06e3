"""Trainings that are killed: small, and among them every kind of state that a checkpoint keeps."""

import hashlib
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any

import numpy as np

import chainrule as cr
from chainrule.training.events import EpochEnded

_random = np.random.default_rng(20)
X = _random.normal(size=(230, 5))
NOISY = X[:, 0] + 0.5 * _random.normal(size=len(X))
CLASSES = (NOISY > 0).astype(np.int32)
WEIGHTS = _random.uniform(0.1, 2.0, len(X))


@dataclass(frozen=True)
class Result:
    """What a training leaves, without its times."""

    parameters: bytes
    history: list[dict[str, float]] = field(default_factory=list)
    more: Mapping[str, Any] = field(default_factory=dict)

    @property
    def digest(self) -> str:
        text = json.dumps([self.history, dict(self.more)], sort_keys=True, default=float)
        return hashlib.sha256(self.parameters + text.encode()).hexdigest()


Case = Callable[..., Result]
"""Trains, with further keyword arguments of `fit`; `threads`, `engine` and `callbacks` beside."""


def rows(epochs: list[EpochEnded]) -> list[dict[str, float]]:
    """Return a history without its times."""
    return [{**e.row(), "objective": e.objective, "seconds": 0.0} for e in epochs]


def network(
    optimizer: Any,
    layers: tuple[Any, ...] = (cr.Dense(24, "relu"),),
    epochs: int = 12,
    dtype: str = "float32",
    **options: Any,
) -> Case:
    """Return a training by `Network.fit`."""

    def train(**keywords: Any) -> Result:
        net = cr.Network(
            [X.shape[1], *layers, cr.Dense(2, "softmax")], "cross_entropy", seed=7, dtype=dtype
        )
        history = net.fit(
            X,
            CLASSES,
            optimizer=optimizer,
            epochs=epochs,
            **{"batch_size": 16, **options, **keywords},
        )
        return Result(
            net.parameters.tobytes(),
            rows(history.epochs),
            {"stopped": history.stopped, "epochs": net.epochs_trained},
        )

    return train


def estimator(kind: Any, y: np.ndarray, **parameters: Any) -> Case:
    """Return a training by an estimator's `fit`."""

    def train(
        threads: int | None = None, engine: str = "auto", callbacks: Any = None, **keywords: Any
    ) -> Result:
        model = kind(
            **{"random_state": 3, "hidden_layer_sizes": (24,), **parameters},
            threads=threads,
            engine=engine,
            callbacks=callbacks,
        ).fit(X, y, **keywords)
        curves = {
            name: getattr(model, name)
            for name in (
                "loss_",
                "best_loss_",
                "loss_curve_",
                "validation_loss_curve_",
                "validation_scores_",
                "n_iter_",
                "t_",
            )
        }
        curves["slots"] = hashlib.sha256(model._optimizer_state.slots.tobytes()).hexdigest()
        curves["epochs"] = model.network_.epochs_trained
        for name in ("target_loss_curves_", "validation_target_loss_curves_"):
            curves[name] = list(getattr(model, name, {}).values())
        return Result(model.network_.parameters.tobytes(), [], curves)

    return train


CASES: Mapping[str, Case] = MappingProxyType(
    {
        "sgd": network(cr.SGD(0.05)),
        "momentum": network(cr.Momentum(0.05), metrics=["accuracy"]),
        "heavy_ball": network(cr.HeavyBall(0.02), sample_weight=WEIGHTS, l2=0.01),
        "nesterov": network(cr.Nesterov(cr.TimeDecay(0.05, 1.0)), dtype="float64"),
        "rmsprop": network(cr.RMSprop(cr.CosineDecay(0.01, restarts=2)), max_grad_norm=0.5),
        "adam": network(
            cr.Adam(cr.OneCycle(0.01)),
            (cr.Dense(16, "identity"), cr.BatchNorm("relu"), cr.Dropout(0.3)),
            validation_data=(X[:40], CLASSES[:40]),
            metrics=["accuracy"],
            l1=1e-4,
        ),
        "adamw": network(
            cr.AdamW(lambda t: 0.01 / t**0.5), (cr.Dense(16, "silu"), cr.Dropout(0.2))
        ),
        "nadam": network(cr.NAdam(), shuffle=False),
        "lion": network(cr.Lion(cr.Warmup(cr.CosineDecay(0.001))), label_smoothing=0.1),
        "muon": network(
            cr.Muon(cr.Warmup(0.01), ema_decay=0.9),
            (cr.Dense(16, "tanh"), cr.Dense(80, "tanh"), cr.Dense(70, "relu")),
        ),
        "schedule_free": network(
            cr.ScheduleFreeAdamW(cr.Warmup(0.01)),
            (cr.Dense(16, "identity"), cr.BatchNorm("relu")),
            max_grad_norm=0.5,
        ),
        "ema": network(
            cr.Adam(0.01, ema_decay=0.95),
            (cr.Dense(16, "identity"), cr.BatchNorm("relu"), cr.Dropout(0.2)),
            validation_data=(X[:40], CLASSES[:40]),
            l2=0.01,
        ),
        "NetworkRegressor of averages": estimator(
            cr.NetworkRegressor, NOISY, ema_decay=0.9, max_iter=30, n_iter_no_change=3,
        ),
        "MLPClassifier": estimator(
            cr.MLPClassifier, CLASSES, max_iter=15, batch_size=16, n_iter_no_change=20
        ),
        "adaptive": estimator(
            cr.MLPClassifier, CLASSES, solver="sgd", learning_rate="adaptive", tol=0.05,
            n_iter_no_change=1, early_stopping=True, max_iter=60, batch_size=16,
        ),
        "invscaling": estimator(
            cr.MLPRegressor, NOISY, solver="sgd", learning_rate="invscaling",
            learning_rate_init=0.05, max_iter=15, batch_size=16, n_iter_no_change=20,
        ),
        "NetworkClassifier": estimator(
            cr.NetworkClassifier, CLASSES, dropout=0.2, batch_norm=True, max_iter=40,
            n_iter_no_change=2, tol=0.01,
        ),
        "NetworkRegressor": estimator(cr.NetworkRegressor, NOISY, max_iter=20, batch_size=16),
        "NetworkMixed": estimator(
            cr.NetworkMixed, np.column_stack([CLASSES, NOISY]), targets=["class", "value"],
            max_iter=12, batch_size=16,
        ),
    }
)  # fmt: skip
