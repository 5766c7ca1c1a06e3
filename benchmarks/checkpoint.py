"""What checkpoints cost: the share of the training's time at the default interval.

    python benchmarks/checkpoint.py [--steps N]

Trains the 1024-4096-4096-10 network for some steps, once with a checkpoint after every fourth of
them, and measures the writing: its time against the default interval is the cost. It checks first
that what was written leads back to the same bits.
"""

import argparse
import tempfile
import time
from pathlib import Path

import numpy as np
from workloads import WORKLOADS

import chainrule as cr
from chainrule.model.checkpoints import DEFAULT_EVERY
from chainrule.training.events import Checkpointed
from chainrule.training.interval import Interval


def network(work):
    *hidden, outputs = work.sizes[1:]
    return cr.Network(
        [work.sizes[0], *(cr.Dense(n, "relu") for n in hidden), cr.Dense(outputs, "softmax")],
        cost="cross_entropy",
        seed=0,
    )


def main():
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--steps", type=int, default=8)
    arguments = parser.parse_args()
    work = WORKLOADS[-1]
    X, y = work.data()
    rows = arguments.steps * 256
    X, y = X[:rows], y[:rows]
    common = {"optimizer": "adam", "epochs": 1, "batch_size": 256}

    events = []
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "ckpt"
        net = network(work)
        started = time.perf_counter()
        net.fit(X, y, checkpoint=path, every=4, callbacks=[events.append], **common)
        whole = time.perf_counter() - started
        size = path.stat().st_size
        written = [event.seconds for event in events if isinstance(event, Checkpointed)]

        # From the middle of the epoch to its end again.
        path.unlink()
        path.with_name("ckpt.previous").rename(path)
        again = network(work)
        started = time.perf_counter()
        again.fit(X, y, checkpoint=path, resume=True, **common)
        resumed = time.perf_counter() - started
        assert np.array_equal(net.parameters, again.parameters)

    seconds = float(np.median(written))
    interval = Interval(DEFAULT_EVERY).seconds
    stretched = max(interval, 100 * seconds)
    print(f"{work.name}: {net.parameters.size:,} parameters, a checkpoint of {size / 1e6:,.0f} MB")
    print(f"written {len(written)} times, {min(written):.2f} to {max(written):.2f} s each")
    print(f"{arguments.steps} steps took {whole:.1f} s, writing included; resuming {resumed:.1f} s")
    print(
        f"cost at every={DEFAULT_EVERY!r}: {100 * seconds / (interval + seconds):.2f} % of the time"
        f" if the interval stayed {interval:.0f} s; it stretches itself to {stretched:.0f} s: "
        f"{100 * seconds / (stretched + seconds):.2f} %"
    )


if __name__ == "__main__":
    main()
