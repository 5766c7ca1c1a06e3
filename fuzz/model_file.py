"""Fuzzes `load`, which reads model files that anyone may have sent."""

import hashlib
import json
import random
from typing import Any

import atheris

with atheris.instrument_imports(include=["chainrule"]):
    import chainrule.runs.loader as loading
    from chainrule.errors import InvalidModelFileError
    from chainrule.model.network import Network

import numpy as np

from documents import edited, seeds, text_of
from harness import fuzz, scratch_file

PATH = scratch_file(".safetensors")
_END_OF_HEADER = b"\n\n"


def split(seed: bytes) -> tuple[dict, bytes]:
    """Return a seed's header and arrays."""
    header, _, arrays = seed.partition(_END_OF_HEADER)
    return json.loads(header), arrays


MODELS = [split(seed) for seed in seeds("model_file")]


def file_of(data: bytes) -> bytes:
    """Return the file that an input stands for.

    safetensors begins with the length of its header, which mutations rarely hit. So an input that
    begins with "{" is a header, two line ends and the arrays, and gets its length here; one that
    begins with a zero is a file as it is; any other is the seed of changes to a real file.
    """
    if data.startswith(b"\0"):
        return data[1:]
    if data.startswith(b"{"):
        header, _, arrays = data.partition(_END_OF_HEADER)
        return framed(header, arrays)
    source = random.Random(data)
    header, arrays = source.choice(MODELS)
    header = dict(header, __metadata__=dict(header["__metadata__"]))
    entries = header["__metadata__"]
    inner = [key for key, text in entries.items() if text.startswith("{")]
    if source.random() < 0.7:
        key = source.choice(inner)
        entries[key] = text_of(edited(json.loads(entries[key]), source))
    if source.random() < 0.4:
        header = edited(header, source)
    if source.random() < 0.2:
        cut = source.randrange(len(arrays) + 1)
        arrays = arrays[:cut] + source.randbytes(source.choice((0, 0, 1, 8, 64)))
    return checked(header, arrays) if source.random() < 0.95 else framed(compact(header), arrays)


def checked(header: Any, arrays: bytes) -> bytes:
    """Return a file whose checksum is right, so that what comes after it is reached."""
    entries = header.get("__metadata__") if isinstance(header, dict) else None
    if not isinstance(entries, dict) or not isinstance(entries.get("checksum"), str):
        return framed(compact(header), arrays)
    nothing = "0" * 64
    entries["checksum"] = nothing
    content = framed(compact(header), arrays)
    digest = hashlib.sha256(content).hexdigest()
    return content.replace(f'"checksum":"{nothing}"'.encode(), f'"checksum":"{digest}"'.encode(), 1)


def compact(header: Any) -> bytes:
    """Return a header as the package writes it."""
    return json.dumps(header, separators=(",", ":")).encode("utf-8", "surrogatepass")


def framed(header: bytes, arrays: bytes) -> bytes:
    """Return a safetensors file."""
    header += b" " * (-len(header) % 8)
    return len(header).to_bytes(8, "little") + header + arrays


def one(data: bytes) -> None:
    """Load a file; whatever is accepted must predict."""
    PATH.write_bytes(file_of(data))
    try:
        model = loading.load(PATH)
    except InvalidModelFileError:
        return
    if hasattr(model, "network_"):
        model.save(PATH)  # an estimator that was accepted can be written again
        model = model.network_
    network = model if isinstance(model, Network) else model.network
    outputs = network.predict(np.zeros((2, network.spec.n_features)))
    assert outputs.shape == (2, network.spec.n_outputs)


if __name__ == "__main__":
    fuzz(one, "model_file")
