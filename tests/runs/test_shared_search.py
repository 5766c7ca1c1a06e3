"""A search that several processes share, by several studies in one process."""

import pytest

from chainrule.errors import InvalidArgumentError
from chainrule.runs import shared_search
from chainrule.runs.search import Listeners, lowest_of
from chainrule.runs.shared_search import SharedSearch, open_shared
from chainrule.runs.space import first_draw, open_settings
from chainrule.training.events import EpochEnded
from tests.workers.runs import prepared


@pytest.fixture(scope="module")
def run():
    return prepared(layers=None, batch_size=16)


def joined(run, folder):
    study = open_shared(run, folder / "journal")
    study.agree()
    return study


def search(run, study, trials, **listeners):
    return SharedSearch(run, study, trials, None, Listeners(**listeners))


def test_all_who_share_a_search_see_the_same_trials_in_the_same_order(run, tmp_path):
    told, others = [], []
    one = search(run, joined(run, tmp_path), 3, told=lambda tried, all_of_them: told.append(tried))
    one.take_part()
    other = search(run, joined(run, tmp_path), 5, earlier=others.extend)
    other.take_part()
    assert others == told == list(one.tried)
    assert [trial.number for trial in other.tried] == [1, 2, 3, 4, 5]
    assert other.tried[:3] == one.tried
    assert one.tried[0].settings == first_draw(run, open_settings(run.asked))
    assert len({str(trial.settings) for trial in other.tried}) == 5


def test_the_best_trial_of_another_process_is_trained_again_to_the_same_loss(run, tmp_path):
    one = search(run, joined(run, tmp_path), 4)
    one.take_part()
    found = search(run, joined(run, tmp_path), 4).found()
    lowest = lowest_of(one.tried)
    assert found.best.number == lowest.number
    assert found.fitted.best_loss == lowest.loss
    assert found.run.config.training.activation == lowest.options["activation"]


def test_nobody_waits_for_a_process_that_died_and_the_default_is_tried_all_the_same(run, tmp_path):
    dead = joined(run, tmp_path).begin()
    assert dead.drawn == first_draw(run, open_settings(run.asked))
    alive = search(run, joined(run, tmp_path), 2)
    alive.take_part()
    assert len(alive.tried) == 2
    assert dead.drawn not in [trial.settings for trial in alive.tried]
    found = alive.found()
    assert [trial.settings == dead.drawn for trial in found.tried] == [False, False, True]
    assert found.default.best_loss == found.tried[2].loss >= found.fitted.best_loss


def test_a_trial_is_given_up_when_others_have_ended_enough(run, tmp_path, monkeypatch):
    monkeypatch.setattr(shared_search, "_SECONDS_A_LOOK", 0.0)
    epochs, rest = [], search(run, joined(run, tmp_path), 2)

    def others_are_faster(event):
        if isinstance(event, EpochEnded):
            epochs.append(event.epoch)
            rest.take_part()

    slow = search(run, joined(run, tmp_path), 2, callbacks=[others_are_faster])
    slow.take_part()
    assert len(epochs) == 1
    assert slow.tried == rest.tried
    assert joined(run, tmp_path).count == 2


def test_the_result_is_written_once_for_the_same_trials(run, tmp_path):
    one = search(run, joined(run, tmp_path), 2)
    one.take_part()
    assert not one.is_written
    one.found()
    one.written()
    assert search(run, joined(run, tmp_path), 2).is_written
    more = search(run, joined(run, tmp_path), 3)
    more.take_part()
    assert not more.is_written


def test_a_process_without_time_left_ends_one_trial_and_leaves(run, tmp_path):
    study = joined(run, tmp_path)
    hurried = SharedSearch(run, study, 50, 1e-9, Listeners())
    hurried.take_part()
    assert len(hurried.tried) == 1


@pytest.mark.parametrize(
    ("name", "remedy"),
    [
        ("chainrule", "another version of chainrule: 0.0 there.*install the same version"),
        ("instruction set", "another instruction set: 0.0 there.*set CHAINRULE_ISA"),
        ("training data", "another training data: 0.0 there.*the same table"),
    ],
)
def test_a_process_that_would_train_something_else_is_refused(
    run, tmp_path, monkeypatch, name, remedy
):
    from chainrule.runs import shared_study

    identity = shared_study.shared_identity
    monkeypatch.setattr(shared_study, "shared_identity", lambda run: {**identity(run), name: "0.0"})
    joined(run, tmp_path)
    monkeypatch.undo()
    with pytest.raises(InvalidArgumentError, match=remedy):
        joined(run, tmp_path)
