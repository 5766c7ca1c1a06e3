import json
import threading

import numpy as np
import pytest

from chainrule.engines import engine_for
from chainrule.engines.base import Examples, Problem
from chainrule.engines.optimizers import Adam
from chainrule.engines.reference import ReferenceEngine
from chainrule.ensembles.ensemble import EnsembleInterrupted
from chainrule.ensembles.members import Draft, Place
from chainrule.ensembles.selection import loss_of
from chainrule.ensembles.store import MemberStore
from chainrule.ensembles.training import Task, train_ensemble
from chainrule.errors import InvalidArgumentError, InvalidCheckpointError, NothingLearnedError
from chainrule.files.checkpoint_store import CheckpointStore
from chainrule.model.network import Network
from chainrule.model.temperature import pre_activations
from chainrule.network.layers import Dense
from chainrule.training.plan import Plan
from chainrule.training.stopping import StoppingRule

RANDOM = np.random.default_rng(0)
X = RANDOM.standard_normal((60, 3))
EXAMPLES = Examples(X, np.sin(2 * X[:, :1]))
LAYERS = [3, Dense(6, "tanh"), Dense(5, "tanh"), Dense(1, "identity")]
FOLDS = np.arange(60) % 3


def network(seed):
    return Network(LAYERS, "mse", seed=seed, dtype="float64")


SPEC = network(0).spec


def describe(place, rows, epochs, shown, rate=0.02):
    """Return a member whose draws depend on its place, and whose rate on its variation."""
    net = network(100 * place.variation + place.fold)
    plan = Plan(
        Problem(net.spec, net.parameters, EXAMPLES.take(rows.training)),
        Adam(rate * (1 + place.variation)),
        engine_for(net.spec, "auto", 1),
        epochs or 10,
        8,
        net.seed,
        validation=EXAMPLES.take(rows.held_out),
        stopping=StoppingRule(patience=5),
    )
    return Draft(net, plan)


def task(describe=describe, **options):
    return Task(SPEC, EXAMPLES, FOLDS, describe, **({"threads": 2, "variations": 3} | options))


def test_each_row_is_predicted_by_the_members_that_did_not_learn_from_it():
    found = train_ensemble(task())
    assert found.rows.tolist() == list(range(60))
    expected = np.zeros((60, 1))
    for member in found.members:
        own = member.place.fold == FOLDS
        Z = pre_activations(member.network, X[own], ReferenceEngine(None))
        expected[own] += found.weights[member.place.variation] * Z
    np.testing.assert_allclose(found.outputs, expected, rtol=1e-10)
    assert found.loss == pytest.approx(loss_of(SPEC, EXAMPLES)(expected))
    assert found.loss <= min(found.losses) + 1e-12


def test_the_merged_network_is_the_weighted_mean_of_its_members():
    found = train_ensemble(task())
    expected = sum(
        found.weights[member.place.variation] / 3 * member.network.predict(X)
        for member in found.members
    )
    np.testing.assert_allclose(found.network.predict(X), expected, rtol=1e-10)


def test_the_members_of_the_first_fold_are_an_ensemble_that_did_not_learn_from_it():
    found = train_ensemble(task())
    own = FOLDS == 0
    np.testing.assert_allclose(found.first_fold.predict(X[own]), found.outputs[own], rtol=1e-10)


@pytest.mark.parametrize("threads", [1, 2, 5])
def test_the_bits_are_the_same_for_any_number_of_threads(threads):
    one, other = train_ensemble(task(threads=1)), train_ensemble(task(threads=threads))
    assert np.array_equal(one.network.parameters, other.network.parameters)
    assert np.array_equal(one.outputs, other.outputs)


def test_every_member_is_told_of_with_the_loss_of_the_ensemble_so_far():
    told = []
    found = train_ensemble(task(told=told.append))
    assert sorted(ended.place for ended in told) == [
        Place(v, f) for v in range(3) for f in range(3)
    ]
    assert [ended.trained for ended in told] == list(range(1, 10))
    assert told[0].ensemble_loss is None
    mean = sum(m.network.predict(X) for m in found.members) * 0  # of all rows, one variation
    for member in found.members:
        mean[member.place.fold == FOLDS] += member.outputs / 3
    assert told[-1].ensemble_loss == pytest.approx(loss_of(SPEC, EXAMPLES)(mean))


def test_a_time_limit_that_has_passed_still_trains_the_settings_as_given():
    found = train_ensemble(task(seconds=1e-6))
    assert {member.place.variation for member in found.members} == {0}
    assert all(member.epochs == 1 for member in found.members)
    assert not found.complete
    # As many folds as threads: the others have no prediction.
    assert set(FOLDS[found.rows]) == {0, 1}


def test_a_long_time_limit_changes_nothing():
    limited, unlimited = train_ensemble(task(seconds=600.0)), train_ensemble(task())
    assert np.array_equal(limited.network.parameters, unlimited.network.parameters)
    assert unlimited.complete


def test_a_variation_that_diverges_is_left_out():
    def diverging(place, rows, epochs, shown):
        return describe(place, rows, epochs, shown, 1e200 if place.variation == 1 else 0.02)

    found = train_ensemble(task(diverging))
    assert found.weights[1] == 0
    assert np.isnan(found.losses[1])
    assert np.isfinite(found.network.parameters).all()


def test_settings_as_given_that_diverge_are_an_error():
    with pytest.raises(NothingLearnedError):
        train_ensemble(
            task(lambda place, rows, epochs, shown: describe(place, rows, epochs, shown, 1e200))
        )


def test_an_error_in_a_member_ends_the_others():
    def broken(place, rows, epochs, shown):
        if place == Place(1, 1):
            raise ZeroDivisionError
        return describe(place, rows, epochs, shown)

    with pytest.raises(ZeroDivisionError):
        train_ensemble(task(broken))
    assert not [one for one in threading.enumerate() if one.name.startswith("chainrule-member")]


class Interrupts:
    """Raises after so many members."""

    def __init__(self, after, error=KeyboardInterrupt):
        self.after, self.error = after, error

    def __call__(self, ended):
        if ended.trained == self.after:
            raise self.error


def test_an_interruption_returns_the_variations_that_are_complete():
    with pytest.raises(EnsembleInterrupted) as caught:
        train_ensemble(task(threads=1, told=Interrupts(7)))
    found = caught.value.ensemble
    assert np.isfinite(found.losses).tolist() == [True, True, False]
    assert isinstance(caught.value.interrupt, KeyboardInterrupt)


def test_an_interruption_before_the_first_variation_leaves_nothing():
    with pytest.raises(EnsembleInterrupted) as caught:
        train_ensemble(task(told=Interrupts(1, SystemExit)))
    assert caught.value.ensemble is None
    assert isinstance(caught.value.interrupt, SystemExit)


def store(path, resume=False):
    return MemberStore(CheckpointStore(path), resume)


@pytest.mark.parametrize("after", [1, 4, 8])
def test_a_resumed_ensemble_has_the_bits_of_one_that_was_not_interrupted(tmp_path, after):
    kept = CheckpointStore(tmp_path / "ckpt")
    with pytest.raises(EnsembleInterrupted):
        train_ensemble(task(store=MemberStore(kept, False), told=Interrupts(after)))
    kept.close()
    trained = []

    def counting(place, rows, epochs, shown):
        draft = describe(place, rows, epochs, shown)
        return draft._replace(consumers=[lambda event: trained.append(place)])

    again = CheckpointStore(tmp_path / "ckpt")
    resumed = train_ensemble(task(counting, store=MemberStore(again, True)))
    again.close()
    assert np.array_equal(resumed.network.parameters, train_ensemble(task()).network.parameters)
    # The first one is trained again, for its history.
    assert len(set(trained)) <= 9 - after + 1


def test_a_resumed_ensemble_whose_time_is_up_keeps_what_was_trained(tmp_path):
    kept = CheckpointStore(tmp_path / "ckpt")
    given = task(threads=1, seconds=600.0, store=MemberStore(kept, False), told=Interrupts(7))
    with pytest.raises(EnsembleInterrupted):
        train_ensemble(given)
    kept.close()
    again = CheckpointStore(tmp_path / "ckpt")
    resumed = train_ensemble(task(threads=1, seconds=1e-6, store=MemberStore(again, True)))
    again.close()
    assert np.isfinite(resumed.losses).tolist() == [True, True, False]
    assert all(member.epochs > 1 for member in resumed.members)


def test_one_member_stands_for_all_in_what_is_recorded():
    shown_places = []

    def recording(place, rows, epochs, shown):
        if shown:
            shown_places.append(place)
        return describe(place, rows, epochs, shown)

    for seconds in (None, 600.0, 1e-6):
        train_ensemble(task(recording, seconds=seconds))
    assert shown_places == [Place(0, 0)] * 3


def test_a_checkpoint_of_another_ensemble_is_refused(tmp_path):
    kept = CheckpointStore(tmp_path / "ckpt")
    with pytest.raises(EnsembleInterrupted):
        train_ensemble(task(store=MemberStore(kept, False), told=Interrupts(2)))
    kept.close()
    again = CheckpointStore(tmp_path / "ckpt")
    other = task(
        lambda place, rows, epochs, shown: describe(place, rows, epochs, shown, 0.03),
        store=MemberStore(again, True),
    )
    with pytest.raises(InvalidArgumentError, match="belongs to another training"):
        train_ensemble(other)
    again.close()


@pytest.mark.parametrize(
    "facts",
    [
        None,
        {"seconds": -1},
        {"members": {"a": {"epochs": 1}}},
        {"members": []},
        {"fingerprint": 1},
        {"kept": 1},
    ],
)
def test_a_checkpoint_of_something_else_is_refused(tmp_path, facts):
    kept = CheckpointStore(tmp_path / "ckpt")
    usual = {"seconds": 1, "members": {}, "fingerprint": {}, "kept": {}}
    kept.save({} if facts is None else {"ensemble": json.dumps(usual | facts)}, {})
    with pytest.raises(InvalidCheckpointError, match="cannot be the checkpoint of an ensemble"):
        MemberStore(kept, True)
    kept.close()
