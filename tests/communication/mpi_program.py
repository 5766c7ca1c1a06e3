"""The program of test_mpi.py, which mpiexec starts on two ranks; rank 0 writes what it finds."""

import os
import sys
from glob import glob

import numpy as np

import chainrule as cr
from chainrule.communication.agreement import shared_text


def network(seed=0):
    """Return the network that both ranks train."""
    return cr.Network([4, cr.Dense(8, "tanh"), cr.Dense(1, "identity")], cost="mse", seed=seed)


def streamed(ranks, pattern, callbacks=()):
    """Train on a stream; return the parameters in hexadecimal digits."""
    net = cr.Network([2, cr.Dense(4, "tanh"), cr.Dense(2, "softmax")], "cross_entropy", seed=0)
    stream = cr.TableStream(pattern, "y", shuffle_buffer=64)
    net.fit(stream, epochs=3, batch_size=8, communicator=ranks, threads=1, callbacks=callbacks)
    return net.parameters.tobytes().hex()


def main(ranks, pattern):
    """Communicate, train, be refused, and end with an exception on one rank."""

    def say(*words):
        if ranks.rank == 0:
            print(*words, flush=True)

    for dtype in (np.float32, np.float64, np.int64):
        numbers = np.arange(3, dtype=dtype) + ranks.rank
        ranks.allreduce(numbers)
        say("sum", *numbers.astype(int))
        ranks.broadcast(numbers := np.full(2, ranks.rank, dtype), 1)
        say("broadcast", *numbers.astype(int))

    X = np.random.default_rng(0).normal(size=(100, 4))
    net = network()
    net.fit(X, X.sum(axis=1), epochs=5, batch_size=8, communicator=ranks, verbose=True)
    own = net.parameters.tobytes().hex()
    say("parameters", own)
    say("other", shared_text(ranks, own, 1))
    try:
        network(seed=ranks.rank).fit(X, X.sum(axis=1), communicator=ranks)
    except cr.RankError as error:
        text = str(error)
        say("refused", text)
        say("other", shared_text(ranks, text, 1))

    say("streamed", streamed(ranks, pattern))

    def remove(event):
        if ranks.rank == 1 and isinstance(event, cr.events.EpochEnded):
            for path in glob(pattern):
                os.unlink(path)

    try:
        streamed(ranks, pattern, [remove])
    except cr.RankError as error:
        text = str(error)
        say("vanished", text)
        say("other", shared_text(ranks, text, 1))

    if ranks.rank == 1:
        raise MemoryError("of rank 1 alone")
    ranks.allreduce(np.zeros(1))  # rank 1 is gone
    print("rank 0 goes on", file=sys.stderr)


if __name__ == "__main__":
    main(cr.mpi(), sys.argv[1])
