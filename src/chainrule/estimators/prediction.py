"""How an estimator's predictions are computed."""

from chainrule.engines import Engine, engine_named
from chainrule.estimators.contract import Estimator


def prediction_engine(estimator: Estimator) -> Engine:
    """Return the engine for predictions, in the precision of the training where there is one.

    Mixed precision is of training steps alone. Where the products of "split" are not available
    (a model that was loaded on another machine), predictions are in float32 without a warning.
    """
    engine = engine_named(estimator.engine, estimator.threads)
    if estimator.precision != "split" or estimator.network_.spec.dtype != "float32":
        return engine
    split = engine.with_precision("split")
    return engine if isinstance(split, str) else split
