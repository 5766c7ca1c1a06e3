"""The slice of the loss surface, against losses computed again."""

from dataclasses import replace

import numpy as np
import pytest

from chainrule.engines.reference import ReferenceEngine
from chainrule.errors import InvalidArgumentError
from chainrule.network.parameters import views
from chainrule.playground.inspection.surface import loss_surface, random_plane
from tests.playground.inspection.moments import ask, training


def along(snapshot, *moves):
    """Return parameters at these distances from a snapshot's, in units of two directions."""
    random = np.random.default_rng(3)
    u, v = random.standard_normal((2, len(snapshot.parameters)))
    return [snapshot.parameters + a * u + b * v for a, b in moves]


def linear():
    """Return a moment of a network whose loss is a quadratic function of its parameters."""
    return training(layers=("identity", "identity"), cost="mse", outputs=1)[0]


def test_the_middle_is_the_loss_of_the_present_parameters():
    snapshot, _ = training(l2=0.1)
    found = ask("surface", snapshot, {"size": 5})
    problem = replace(
        snapshot.plan.problem, parameters=snapshot.parameters, penalties=snapshot.penalties
    )
    loss = ReferenceEngine().loss(problem)
    assert found["loss"][2][2] == found["loss_here"] == pytest.approx(loss, rel=1e-12)
    assert found["rows"] == 23
    assert found["complete"]


def test_random_directions_have_the_norms_of_the_units_weights_and_leave_biases():
    snapshot, _ = training()
    weights = views(snapshot.spec, snapshot.parameters)
    for direction in random_plane(snapshot.spec, snapshot.parameters, seed=4):
        for (W, _), (D, d) in zip(weights, views(snapshot.spec, direction), strict=True):
            assert np.linalg.norm(D, axis=1) == pytest.approx(np.linalg.norm(W, axis=1))
            assert not d.any()


def test_along_a_straight_line_the_loss_of_a_linear_layer_is_a_parabola():
    snapshot = linear()
    moves = [(t, 0.0) for t in (-3, -2, -1, 0)]
    path = along(snapshot, *moves)
    # Only the second layer moves: the outputs are linear in it.
    for vector in path:
        vector[:9] = snapshot.parameters[:9]
    found = loss_surface(snapshot, "path", size=9, path=path, epochs=[0, 1, 2, 3])
    row = np.array(found["loss"][4])
    assert np.diff(row, 3) == pytest.approx(0, abs=1e-12 * row.max())


def test_a_path_within_a_plane_keeps_its_distances():
    snapshot, _ = training()
    moves = [(-4.0, 1.0), (-3.0, 2.0), (-2.5, 0.0), (-1.0, -1.0), (0.0, 0.0)]
    path = along(snapshot, *moves)
    found = loss_surface(snapshot, "path", size=3, path=path, epochs=list(range(5)))
    assert found["share"] == pytest.approx(1)
    assert found["epochs"] == [0, 1, 2, 3, 4]
    points = np.array(found["path"])
    assert points[-1] == pytest.approx([0, 0], abs=1e-9)
    for i in range(5):
        for j in range(5):
            distance = np.linalg.norm(path[i] - path[j])
            assert np.linalg.norm(points[i] - points[j]) == pytest.approx(distance, abs=1e-9)
    assert np.abs(points[:, 0]).max() < found["alpha"][-1]
    assert np.abs(points[:, 1]).max() < found["beta"][-1]


def test_the_loss_of_a_point_of_the_path_lies_on_the_surface():
    snapshot, _ = training()
    path = along(snapshot, (2.0, 0.0), (0.0, 0.0))
    found = loss_surface(snapshot, "path", size=25, span=0.8, path=path, epochs=[0, 1])
    # 0.8 · 1.25 = 1: the first column is the beginning of the path.
    assert found["alpha"][0] == pytest.approx(found["path"][0][0])
    there = ask("surface", replace(snapshot, parameters=path[0]), {"size": 3})
    assert found["loss"][12][0] == pytest.approx(there["loss_here"], rel=1e-9)


def test_the_same_seed_gives_the_same_slice():
    snapshot, _ = training()
    first, again, other = (ask("surface", snapshot, {"size": 3, "seed": s}) for s in (1, 1, 2))
    assert first == again
    assert first["loss"] != other["loss"]


def test_a_cancelled_slice_keeps_what_it_has():
    snapshot, _ = training()
    asked = []

    def cancelled():
        asked.append(1)
        return len(asked) > 7

    found = loss_surface(snapshot, size=5, cancelled=cancelled)
    assert not found["complete"]
    assert sum(value is not None for row in found["loss"] for value in row) == 7
    assert found["loss_here"] is not None


def test_a_slice_without_time_says_that_it_is_not_complete():
    found = loss_surface(training()[0], size=5, seconds=0.0)
    assert not found["complete"]
    assert found["loss_here"] is None


def test_losses_that_are_not_finite_are_left_out():
    snapshot = linear()
    found = ask("surface", replace(snapshot, parameters=snapshot.parameters * 1e200), {"size": 3})
    assert found["complete"]
    assert found["loss_here"] is None


@pytest.mark.parametrize(
    ("message", "reason"),
    [
        ({"directions": "north"}, "directions: expected 'random' or 'path'; got 'north'"),
        ({"size": 27}, "size: expected a whole number of at most 25; got 27"),
        ({"span": 0}, "span: expected a number"),
        ({"span": "1"}, "span: expected a number"),
        ({"seed": -1}, "seed: expected a whole number of at least 0"),
        ({"directions": "path"}, "path: expected parameters of at least two different moments"),
    ],
)
def test_arguments_are_checked(message, reason):
    with pytest.raises(InvalidArgumentError, match=reason):
        ask("surface", training()[0], message)
