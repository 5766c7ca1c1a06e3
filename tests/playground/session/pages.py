"""A page without a browser: what it is pushed, what it asks, and the frames that it decodes."""

import struct
import time
from contextlib import contextmanager

import numpy as np

from chainrule.playground.session.base import Client
from chainrule.playground.session.experiment import Experiment

SECONDS = 60.0


class Page:
    """A client of a session that keeps what it is pushed."""

    def __init__(self, session):
        self.session, self.pushed = session, []
        self.client = Client(push=self.pushed.append)
        session.connect(self.client)

    def ask(self, kind, **fields):
        return self.session.request(self.client, {"type": kind, **fields})

    def last(self, kind):
        return [one for one in list(self.pushed) if one["type"] == kind][-1]

    @property
    def status(self):
        return self.last("status")

    @property
    def description(self):
        return self.last("description")

    def until(self, condition, what="a condition"):
        end = time.monotonic() + SECONDS
        while not condition():
            assert time.monotonic() < end, f"waited in vain for {what}; status {self.status}"
            time.sleep(0.002)

    def steps(self, unit, count):
        """Take steps, and wait until they are taken."""
        before = self.ask("weights")["step"]
        self.ask("step", unit=unit, count=count)
        self.until(lambda: self.ask("weights")["step"] > before and not self.status["running"])

    def train_to_the_end(self):
        self.ask("speed", epochs_per_second=None)
        self.ask("run")
        self.until(lambda: not self.status["running"], "the end")

    def frame(self):
        self.client.seen = -1
        found = self.session.frame(self.client)
        return None if found is None else decoded(found.data)


@contextmanager
def page_of(state=None, tables=None, **more):
    session = Experiment(tables, state, **more)
    try:
        session.wait_until_ready(SECONDS)
        yield Page(session)
    finally:
        session.close()


def decoded(data):
    """Return a frame's content, read field by field as the page's program reads it."""
    at = 0

    def take(form, count=1):
        nonlocal at
        values = struct.unpack_from(f"<{count}{form}", data, at)
        at += struct.calcsize(f"<{count}{form}")
        return list(values) if count != 1 else values[0]

    def numbers(count):
        return np.array(struct.unpack_from(f"<{count}f", data, _advance(4 * count)))

    def _advance(size):
        nonlocal at
        begin, at = at, at + size
        return begin

    def image(channels, size):
        begin = _advance(channels * size * size)
        raw = np.frombuffer(data, np.uint8, channels * size * size, begin)
        return raw.reshape(channels, size, size)

    frame = {"magic": take("I"), "version": take("H"), "flags": take("H"), "run": take("I")}
    frame |= {"epoch": take("I"), "step": take("I")}
    frame |= {name: take("f") for name in ("train", "test", "learning_rate", "gradient_norm")}
    M, K, U, N, V, Q, D, layer, unit, G = take("H", 10)
    assert at == 56
    frame |= {"sizes": (M, U, D), "detail": (layer, unit)}
    frame["metrics"], frame["weight_norms"], frame["values"] = numbers(Q), numbers(G), numbers(V)
    if frame["flags"] & 4:
        frame["gradients"], frame["errors"] = numbers(V), numbers(N)
    frame["ranges"] = numbers(2 * N).reshape(N, 2)
    if D:
        frame["detail_range"] = numbers(2)
    frame["output"], frame["units"] = image(K, M), image(N, U)
    frame["detail_map"] = image(1, D)[0] if D else None
    assert at == len(data) <= 8192
    return frame
