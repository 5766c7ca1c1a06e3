"""Sessions that show a trained model without its training."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from chainrule.engines import engine_for
from chainrule.engines.base import Examples, Problem
from chainrule.engines.optimizers import SGD
from chainrule.errors import InvalidArgumentError
from chainrule.model.network import Network
from chainrule.playground.session.opening import model_viewer
from chainrule.playground.session.sessions import Sessions
from chainrule.playground.session.snapshot import Snapshot
from chainrule.playground.session.subject import Subject
from chainrule.playground.session.viewer import Viewer
from chainrule.runs.table_model import TableModel
from chainrule.training.events import EpochEnded
from chainrule.training.plan import Plan

_ROWS = 256


def sessions_of_model(
    model: Any, notes: tuple[str, ...] = (), history: Sequence[EpochEnded] = ()
) -> Sessions:
    """Return the session that shows a model to all pages.

    Parameters
    ----------
    model : TableModel, Network or estimator
    notes : tuple of str
        What the page tells about it.
    history : sequence of EpochEnded
        The epochs of its training, whose curves the page shows.
    """
    viewer = _viewer(model, notes)
    for event in history:
        viewer.epoch(event)
    return Sessions.of(viewer)


def _viewer(model: Any, notes: tuple[str, ...]) -> Viewer:
    if isinstance(model, TableModel):
        return model_viewer(model, notes=notes)
    if isinstance(model, Network):
        return network_viewer(model, notes)
    try:
        return model_viewer(TableModel.from_estimator(model), notes=notes)
    except InvalidArgumentError:  # an estimator that was fitted to arrays
        return network_viewer(model.network_, notes)


def network_viewer(network: Network, notes: tuple[str, ...] = ()) -> Viewer:
    """Return a session that shows a network whose inputs have no names, and no rows."""
    spec = network.spec
    examples = Examples(np.empty((0, spec.n_features), spec.dtype), np.empty((0, 1), spec.dtype))
    problem = Problem(spec, network.parameters.copy(), examples)
    plan = Plan(problem, SGD(), engine_for(spec, "auto"), epochs=0, batch_size=1, seed=0)
    # Inputs as they usually are: with mean 0 and standard deviation 1.
    typical = np.random.RandomState(0).normal(size=(_ROWS, spec.n_features)).astype(spec.dtype)
    codes = list(spec.layers[0].codes)
    typical[:, codes] = 0
    viewer = Viewer(replace(Subject.of_plan(plan), parts=(), typical=typical), "replay", notes)
    viewer.show(
        Snapshot(
            plan=plan,
            epoch=network.epochs_trained,
            step=0,
            parameters=problem.parameters,
            optimizer=None,
            memory=None,
            penalties=problem.penalties,
            noise_key=0,
            rows=None,
            learning_rate=None,
            ended=None,
            test=None,
        )
    )
    viewer.ended("a trained model")
    return viewer
