"""Several ranks train one network: what they agree on, and how they end."""

import numpy as np
import pytest

import chainrule as cr
from chainrule.errors import InvalidArgumentError, RankError, TrainingDivergedError
from tests.communication.thread_ranks import Aborted, on_ranks, trained_on_ranks

X = np.random.default_rng(0).normal(size=(90, 4))
Y = (X.sum(axis=1) > 0).astype(int)


def network(seed=0):
    layers = [4, cr.Dense(8, "tanh"), cr.Dropout(0.25), cr.Dense(2, "softmax")]
    return cr.Network(layers, cost="cross_entropy", seed=seed, dtype="float64")


def fitted(communicator, net=None, **given):
    net = net or network()
    given = {"epochs": 6, "batch_size": 8, "threads": 1, **given}
    net.fit(X, Y, communicator=communicator, **given)
    return net


def assert_same_bits(*nets):
    for net in nets[1:]:
        assert net.parameters.tobytes() == nets[0].parameters.tobytes()
        assert [e.loss for e in net.history.epochs] == [e.loss for e in nets[0].history.epochs]


def test_ranks_end_with_the_same_bits_in_every_repetition():
    first = trained_on_ranks(3, fitted)
    second = trained_on_ranks(3, fitted)
    assert_same_bits(*first, *second)


def test_ranks_follow_one_process_with_the_batch_of_all():
    nets = trained_on_ranks(2, lambda communicator: fitted(communicator, optimizer=cr.SGD(0.1)))
    alone = fitted(None, optimizer=cr.SGD(0.1), batch_size=16)
    # 36 steps of rate 0.1 with gradients of norm below 4, whose sums of fewer than 2**7 terms are
    # rounded in another order. A difference grows by at most 1 + 0.1 · curvature a step, and the
    # curvature of this network is below 4: 1.4**36 < 2**18.
    bound = 2.0**18 * 36 * 0.1 * 4 * 2**7 * np.finfo(float).eps
    np.testing.assert_allclose(nets[0].parameters, alone.parameters, rtol=0, atol=bound)
    assert bound < 1e-5 < np.abs(alone.parameters - network().parameters).max()


def test_an_early_end_comes_after_the_same_epoch_on_all_ranks():
    def run(communicator):
        asks = communicator.rank == 1

        def third(event):
            return asks and isinstance(event, cr.events.EpochEnded) and event.epoch == 3

        return fitted(communicator, callbacks=[third])

    nets = trained_on_ranks(2, run)
    assert [len(net.history) for net in nets] == [3, 3]
    assert_same_bits(*nets)


def test_early_stopping_keeps_the_same_epoch_on_all_ranks():
    def run(communicator):
        return fitted(
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
    assert_same_bits(*nets)


@pytest.mark.parametrize(
    ("what", "other"),
    [
        ("seed", {"net": lambda: network(seed=1)}),
        ("epochs", {"epochs": 7}),
        ("optimizer", {"optimizer": cr.SGD(0.25)}),
        ("batch_size", {"batch_size": 9}),
        ("engine", {"engine": "reference"}),
        ("validation data", {"validation_data": (X[:9], Y[:9])}),
        ("training data", {"sample_weight": np.full(90, 0.5)}),
    ],
)
def test_ranks_with_another_training_are_told_what_differs(what, other):
    def run(communicator):
        given = dict(other) if communicator.rank == 1 else {}
        net = given.pop("net", network)()
        return fitted(communicator, net, **given)

    results, _ = on_ranks(2, run)
    for error in results:
        assert isinstance(error, RankError)
        assert f"{what}: " in str(error)
        assert "on rank 1" in str(error)


def test_an_invalid_argument_on_one_rank_is_an_error_on_all():
    def run(communicator):
        return fitted(communicator, epochs=-1 if communicator.rank == 1 else 2)

    (first, second), _ = on_ranks(2, run)
    assert isinstance(second, InvalidArgumentError)
    assert isinstance(first, RankError)
    assert str(first) == f"rank 1 of 2 failed: {second}"


def test_an_exception_on_one_rank_ends_all_ranks():
    def run(communicator):
        def broken(event):
            if communicator.rank == 1 and isinstance(event, cr.events.EpochEnded):
                raise MemoryError("no more")

        return fitted(communicator, callbacks=[broken])

    results, reasons = on_ranks(2, run)
    assert all(isinstance(result, Aborted) for result in results)
    assert reasons == [
        (1, "MemoryError: no more"),
        (0, "Aborted: another rank has ended all ranks"),
    ]


def test_ctrl_c_on_one_rank_ends_all_ranks():
    def run(communicator):
        def interrupted(event):
            if communicator.rank == 0:
                raise KeyboardInterrupt

        return fitted(communicator, callbacks=[interrupted])

    results, reasons = on_ranks(2, run)
    assert all(isinstance(result, Aborted) for result in results)
    assert reasons[0] == (0, "KeyboardInterrupt")


def test_a_training_that_diverges_ends_with_the_same_error_and_parameters_on_all_ranks():
    nets = [cr.Network([4, cr.Dense(1, "identity")], cost="mse", seed=0) for _ in range(2)]

    def run(communicator):
        return fitted(communicator, nets[communicator.rank], optimizer=cr.SGD(1e30), epochs=3)

    results, reasons = on_ranks(2, run)
    assert all(isinstance(result, TrainingDivergedError) for result in results)
    assert str(results[0]) == str(results[1])
    assert reasons == []
    assert nets[0].parameters.tobytes() == nets[1].parameters.tobytes()


def test_only_the_first_rank_writes_checkpoints_and_all_resume_from_them(tmp_path):
    def run(communicator, epochs, folder, resume=False):
        path = tmp_path / folder / f"rank{communicator.rank}"
        path.parent.mkdir(exist_ok=True)
        return fitted(communicator, epochs=epochs, checkpoint=path, every=3, resume=resume)

    trained_on_ranks(2, lambda communicator: run(communicator, 2, "a"))
    assert {path.name for path in (tmp_path / "a").iterdir()} >= {"rank0"}
    assert not [path for path in (tmp_path / "a").iterdir() if "rank1" in path.name]
    resumed = trained_on_ranks(2, lambda communicator: run(communicator, 6, "a", resume=True))
    through = trained_on_ranks(2, lambda communicator: run(communicator, 6, "b"))
    assert_same_bits(*resumed, *through)


def test_a_checkpoint_that_only_one_rank_asks_for_is_an_error_on_all(tmp_path):
    def run(communicator):
        path = tmp_path / "checkpoint" if communicator.rank == 0 else None
        return fitted(communicator, checkpoint=path)

    results, _ = on_ranks(2, run)
    assert isinstance(results[0], RankError)
    assert "checkpoint: expected a path on all ranks" in str(results[0])
    assert isinstance(results[1], InvalidArgumentError)
    assert not (tmp_path / "checkpoint").exists()


def test_a_rank_by_itself_trains_like_a_process_without_communicator():
    (alone,) = trained_on_ranks(1, fitted)
    assert_same_bits(alone, fitted(None))


def test_what_is_no_communicator_is_refused():
    with pytest.raises(InvalidArgumentError, match=r"communicator: expected None or an object"):
        fitted("mpi")
