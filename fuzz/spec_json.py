"""Fuzzes `NetworkSpec.from_json`, which reads the specification in every model file."""

import json
import random

import atheris

with atheris.instrument_imports(include=["chainrule"]):
    from chainrule.engines.native import quick_predictor
    from chainrule.errors import InvalidArgumentError
    from chainrule.network.parameters import parameter_count
    from chainrule.network.spec import NetworkSpec

from documents import edited, seeds, text_of
from harness import fuzz

DOCUMENTS = [json.loads(seed) for seed in seeds("spec_json")]


def one(data: bytes) -> None:
    """Read a specification; whatever is accepted must be written and read again unchanged."""
    text = data.decode("utf-8", "surrogateescape")
    if not data.startswith(b"{"):
        source = random.Random(data)
        text = text_of(edited(source.choice(DOCUMENTS), source))
    try:
        spec = NetworkSpec.from_json(text)
    except InvalidArgumentError:
        return
    assert NetworkSpec.from_json(spec.to_json()) == spec
    assert parameter_count(spec) > 0
    quick_predictor(spec)  # the compiled core takes it too


if __name__ == "__main__":
    fuzz(one, "spec_json")
