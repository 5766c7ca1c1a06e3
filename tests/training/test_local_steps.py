"""Ranks that average their parameters every few steps: trainings, checkpoints, refusals."""

import threading

import pytest

import chainrule as cr
from chainrule.engines.native import NativeEngine
from chainrule.errors import InvalidArgumentError, RankError
from tests.communication.thread_ranks import Aborted, on_ranks, trained_on_ranks
from tests.tables.streams import as_ranks_take, numbers, write
from tests.training.test_ranks import X, Y, assert_same_bits, fitted, network


def local(communicator, **given):
    return fitted(communicator, **{"local_steps": 4, **given})


def test_ranks_end_with_the_same_bits_in_every_repetition():
    first = trained_on_ranks(3, local)
    second = trained_on_ranks(3, local)
    assert_same_bits(*first, *second)
    assert first[0].history.epochs[-1].loss < first[0].history.epochs[0].loss


def test_one_local_step_is_a_sum_of_gradients_in_every_step():
    once = trained_on_ranks(2, lambda ranks: local(ranks, local_steps=1))
    assert_same_bits(*trained_on_ranks(2, fitted), *once)


def test_more_local_steps_than_an_epoch_has_are_averaged_at_its_end():
    # 90 examples are six batches of both ranks.
    six, many = (
        trained_on_ranks(2, lambda ranks, H=H: local(ranks, local_steps=H)) for H in (6, 10**9)
    )
    assert_same_bits(*six, *many)


def test_validation_and_early_stopping_agree_on_all_ranks():
    def run(communicator):
        return local(
            communicator,
            validation_split=0.3,
            early_stopping=2,
            epochs=60,
            optimizer=cr.Adam(0.3),
            label_smoothing=0.1,
        )

    nets = trained_on_ranks(2, run)
    assert len(nets[0].history) < 60
    assert nets[0].history.best_epoch == nets[1].history.best_epoch
    one, other = ([epoch.validation_loss for epoch in net.history.epochs] for net in nets)
    assert one == other
    assert_same_bits(*nets)


def test_checkpoints_move_no_average_and_resume_to_the_same_bits(tmp_path):
    def run(communicator, epochs, resume=False):
        path = tmp_path / f"rank{communicator.rank}"
        optimizer = cr.ScheduleFreeAdamW(0.05)
        return local(
            communicator,
            epochs=epochs,
            checkpoint=path,
            every=3,
            resume=resume,
            optimizer=optimizer,
        )

    trained_on_ranks(2, lambda communicator: run(communicator, 2))
    resumed = trained_on_ranks(2, lambda communicator: run(communicator, 6, resume=True))
    through = trained_on_ranks(2, lambda ranks: local(ranks, optimizer=cr.ScheduleFreeAdamW(0.05)))
    assert_same_bits(*resumed, *through)


def test_a_training_that_ctrl_c_ends_between_two_averages_resumes_to_the_same_bits(
    tmp_path, monkeypatch
):
    train, first = NativeEngine.train, []

    def interrupted(self, problem, rule, state, batches, records):
        train(self, problem, rule, state, batches, records)
        if state.t == 12 and threading.get_ident() in first:
            raise KeyboardInterrupt  # where rank 0 has parameters of its own

    def run(communicator, resume=False):
        if communicator.rank == 0 and not resume:
            first.append(threading.get_ident())
        path = tmp_path / f"rank{communicator.rank}"
        return local(
            communicator,
            checkpoint=path,
            resume=resume,
            engine="native",
            callbacks=[lambda event: None],  # so that each epoch is a call, which Ctrl-C ends
        )

    with monkeypatch.context() as patched:
        patched.setattr(NativeEngine, "train", interrupted)
        results, reasons = on_ranks(2, run)
        assert all(isinstance(result, Aborted) for result in results)
        assert reasons[0] == (0, "KeyboardInterrupt")
    assert (tmp_path / "rank0").exists()
    resumed = trained_on_ranks(2, lambda communicator: run(communicator, resume=True))
    assert_same_bits(*resumed, *trained_on_ranks(2, lambda ranks: local(ranks, engine="native")))


def test_a_checkpoint_of_other_local_steps_is_refused(tmp_path):
    def run(communicator, **given):
        path = tmp_path / f"rank{communicator.rank}"
        return local(communicator, checkpoint=path, **given)

    trained_on_ranks(2, lambda communicator: run(communicator, epochs=1))
    for steps, here in ((2, "2 on 2 ranks"), (1, "none")):
        results, _ = on_ranks(2, lambda ranks, H=steps: run(ranks, local_steps=H, resume=True))
        assert f"local_steps: 4 on 2 ranks there, {here} here" in str(results[0])


def test_ranks_with_other_local_steps_are_told_what_differs():
    results, _ = on_ranks(2, lambda ranks: local(ranks, local_steps=1 + ranks.rank))
    for error in results:
        assert isinstance(error, RankError)
        assert "local_steps: none on rank 0, 2 on 2 ranks on rank 1" in str(error)


@pytest.mark.parametrize("rows", [192, 181])
def test_the_windows_of_a_stream_train_like_rows_in_memory_that_are_taken_alike(tmp_path, rows):
    # Each of two windows of 48 rows on each rank is three steps, so that an average is due at its
    # end. The last batch has 32 rows of both ranks, or 21: 10 and 11.
    table = numbers(rows)
    pattern = write(tmp_path / "data", table, group=96)
    taken = as_ranks_take(table, 2, 16)
    held = taken[["a", "b"]].to_numpy(), taken["y"].to_numpy()

    def trained(communicator, streamed):
        layers = [2, cr.Dense(6, "tanh"), cr.Dropout(0.2), cr.Dense(2, "softmax")]
        net = cr.Network(layers, "cross_entropy", seed=1)
        stream = cr.TableStream(pattern, "y", validation=0.0, shuffle_buffer=48)
        net.fit(
            *((stream,) if streamed else held),
            epochs=2,
            batch_size=16,
            shuffle=False,
            communicator=communicator,
            local_steps=3,
        )
        return net

    streamed = trained_on_ranks(2, lambda communicator: trained(communicator, True))
    in_memory = trained_on_ranks(2, lambda communicator: trained(communicator, False))
    assert_same_bits(*streamed, *in_memory)


def test_a_training_that_diverges_ends_with_the_same_error_on_all_ranks():
    def run(communicator):
        net = cr.Network([4, cr.Dense(1, "identity")], cost="mse", seed=0)
        return local(communicator, net=net, optimizer=cr.SGD(1e30), epochs=3)

    results, reasons = on_ranks(2, run)
    assert all(isinstance(result, cr.TrainingDivergedError) for result in results)
    assert str(results[0]) == str(results[1])
    assert reasons == []


def test_a_rank_by_itself_has_nothing_to_average():
    (alone,) = trained_on_ranks(1, local)
    assert_same_bits(alone, fitted(None))


@pytest.mark.parametrize("steps", [0, -1, 2.5, "4", None])
def test_what_is_no_number_of_steps_is_refused(steps):
    with pytest.raises(InvalidArgumentError, match="local_steps: expected a whole number of at le"):
        network().fit(X, Y, local_steps=steps)


def test_local_steps_of_a_single_process_are_refused_with_the_remedy():
    with pytest.raises(InvalidArgumentError, match="local_steps: expected 1 without a communicat"):
        network().fit(X, Y, local_steps=4)


def test_callbacks_that_look_at_single_steps_are_refused():
    results, _ = on_ranks(2, lambda ranks: local(ranks, callbacks=[cr.Tracer([5])]))
    for error in results:
        assert "local_steps: expected 1 with the callback Tracer" in str(error)


def test_what_ranks_cannot_share_they_cannot_average_either():
    def run(communicator):
        layers = [4, cr.Dense(4), cr.BatchNorm("relu"), cr.Dense(2, "softmax")]
        return local(communicator, net=cr.Network(layers, cost="cross_entropy"))

    results, _ = on_ranks(2, run)
    for error in results:
        assert "communicator: batch normalization needs" in str(error)
