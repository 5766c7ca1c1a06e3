"""JSON documents like those that the package writes, changed in a place or several.

Mutated bytes are rarely JSON any more; these always are, so that what comes after the parser is
reached. An input is the seed of the changes.
"""

import copy
import json
import random
from pathlib import Path
from typing import Any

_VALUES = (
    None, True, False, 0, 1, -1, 2, 3, 2**31 - 1, 2**31, 2**32, 2**63, -(2**63), 10**400, 0.0, 0.5,
    -0.5, 1e-320, 1e308, float("nan"), float("inf"), "", "relu", "softmax", "identity", "sigmoid",
    "dense", "dropout", "batch_norm", "mse", "cross_entropy", "huber(delta=1.5)", "huber(delta=-1)",
    "focal(gamma=nan)", "leaky_relu(slope=1e400)", "heads(softmax:2, identity:1)",
    "heads(mse:1, 2*mse:2)", "heads(softmax:99999999999)", "auto", "float32", "float64", "float16",
    "F32", "F64", "I32", "U8", "BF16", "\x00", "\ud800", "9" * 5000, "１", [], {}, [0], [[[]]],
    {"kind": "dense", "units": 2}, {"kind": "dropout", "rate": 0.5}, [2, "relu"],
)  # fmt: skip
_PIECES = ("(", ")", "=", ",", ":", "*", " ", "\n", "\0", "é", "0", "-", "e9", ".", "heads(", "{}")


def seeds(target: str) -> list[bytes]:
    """Return the seeds of a target."""
    folder = Path(__file__).parent / "corpus" / target
    return [path.read_bytes() for path in sorted(folder.iterdir())]


def edited(document: Any, source: random.Random) -> Any:
    """Return a document with a few of its values replaced, removed, doubled or moved."""
    document = copy.deepcopy(document)
    for _ in range(source.choice((1, 1, 1, 2, 3, 6))):
        places = list(_places(document))
        if not places:
            return source.choice(_VALUES)
        container, key = source.choice(places)
        value = container[key]
        what = source.randrange(6)
        if what == 0:
            del container[key]
        elif what == 1 and isinstance(value, str):
            container[key] = _cut(value, source)
        elif what == 2 and isinstance(container, list):
            container.insert(source.randrange(len(container) + 1), copy.deepcopy(value))
        elif what == 3:
            other, name = source.choice(places)
            container[key] = copy.deepcopy(other[name])
        elif what == 4 and isinstance(value, int | float):
            step = source.choice((1, -1, 8, 0.5))
            container[key] = value + (step if abs(value) < 1e300 else int(step))
        else:
            container[key] = copy.deepcopy(source.choice(_VALUES))
    return document


def text_of(document: Any) -> str:
    """Return a document as JSON, NaN and infinities included."""
    return json.dumps(document)


def _places(document: Any) -> list[tuple[Any, Any]]:
    """Return every place in a document, as a container and a key."""
    found, left = [], [document]
    while left:
        container = left.pop()
        keys = (
            list(container)
            if isinstance(container, dict)
            else range(len(container))
            if isinstance(container, list)
            else ()
        )
        for key in keys:
            found.append((container, key))
            left.append(container[key])
    return found


def _cut(text: str, source: random.Random) -> str:
    """Return a text with a piece of it taken out, or another put in."""
    start = source.randrange(len(text) + 1)
    end = min(len(text), start + source.randrange(4))
    return text[:start] + source.choice((*_PIECES, "")) + text[end:]
