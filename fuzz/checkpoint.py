"""Fuzzes the reading of checkpoints, and the training that goes on from them."""

import hashlib
import json
import random
import warnings

import atheris

with atheris.instrument_imports(include=["chainrule"]):
    import chainrule as cr
    import chainrule.model.network
    import chainrule.training.saved_training
    from chainrule.errors import ChainruleError

import numpy as np

from documents import edited, seeds, text_of
from harness import fuzz, scratch_file

PATH = scratch_file(".ckpt")
X = np.array([[0.0, 1], [1, 0], [1, 1], [0, 0], [2, 1]])
Y = X[:, :1] - X[:, 1:]
ODD = np.array([np.nan, np.inf, -1.0, 1e300, 0.0, -0.0, 5e-324]).tobytes()


def network() -> cr.Network:
    """The network whose checkpoints the seeds are."""
    return cr.Network([2, cr.Dense(2, "tanh"), cr.Dense(1, "identity")], cost="mse", seed=0)


def train(net: cr.Network, path, **settings) -> None:
    """The training whose checkpoints the seeds are."""
    settings = {"epochs": 4, "batch_size": 2, "checkpoint": path} | settings
    net.fit(X, Y, **settings)


def split(seed: bytes) -> tuple[dict, bytes]:
    """Return a seed's header and arrays."""
    header, _, arrays = seed.partition(b"\n\n")
    return json.loads(header), arrays


CHECKPOINTS = [split(seed) for seed in seeds("checkpoint")]


def file_of(data: bytes) -> bytes:
    """Return a file as it is (after a zero), or a changed one, whose checksum is right again."""
    if data.startswith(b"\0"):
        return data[1:]
    source = random.Random(data)
    header, arrays = source.choice(CHECKPOINTS)
    header = dict(header, __metadata__=dict(header["__metadata__"]))
    entries = header["__metadata__"]
    if source.random() < 0.6:
        key = source.choice([key for key, text in entries.items() if text[:1] in "{["])
        entries[key] = text_of(edited(json.loads(entries[key]), source))
    if source.random() < 0.3:
        header = edited(header, source)
    changed = bytearray(arrays)
    for _ in range(source.choice((0, 0, 1, 2, 5))):
        place = source.randrange(0, max(1, len(changed) - 8), 8)
        odd = 8 * source.randrange(len(ODD) // 8)
        changed[place : place + 8] = source.choice((ODD[odd : odd + 8], source.randbytes(8)))
    if source.random() < 0.1:
        del changed[source.randrange(len(changed)) :]
    text = text_of(header).encode("utf-8", "surrogatepass")
    text += b" " * (-len(text) % 8)
    content = len(text).to_bytes(8, "little") + text + bytes(changed)
    return content + hashlib.sha256(content).digest()


def one(data: bytes) -> None:
    """Go on from a checkpoint: to the end, or to an error of the package's own."""
    for path in PATH.parent.iterdir():
        path.unlink()
    PATH.write_bytes(file_of(data))
    net = network()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            train(net, PATH, every=10**6, resume=True)
        except ChainruleError:
            return
    assert np.isfinite(net.parameters).all()


if __name__ == "__main__":
    fuzz(one, "checkpoint")
