"""Fuzzes `RunConfig.from_toml`, which reads the run.toml that users write by hand."""

import json
import random
import tomllib
from typing import Any

import atheris

with atheris.instrument_imports(include=["chainrule"]):
    from chainrule.errors import InvalidArgumentError
    from chainrule.runs.config import RunConfig

from documents import edited, seeds
from harness import fuzz

DOCUMENTS = [tomllib.loads(seed.decode()) for seed in seeds("run_config")]


def toml_of(document: Any) -> str:
    """Return sections as TOML; whatever else there is, as something near to it."""
    lines = []
    for section, entries in document.items():
        if isinstance(entries, dict):
            lines += ["", f"[{section}]", *(f"{key} = {value_of(v)}" for key, v in entries.items())]
        else:
            lines.insert(0, f"{section} = {value_of(entries)}")
    return "\n".join(lines)


def value_of(value: Any) -> str:
    """Return a value as TOML."""
    if isinstance(value, list):
        return f"[{', '.join(map(value_of, value))}]"
    if isinstance(value, dict):
        return f"{{{', '.join(f'{key} = {value_of(entry)}' for key, entry in value.items())}}}"
    return repr(value) if type(value) is float else json.dumps(value)


def one(data: bytes) -> None:
    """Read a configuration; whatever is accepted is written and read again unchanged."""
    if data.startswith(b"["):
        text = data.decode("utf-8", "replace")
    else:
        source = random.Random(data)
        document = edited(source.choice(DOCUMENTS), source)
        if not isinstance(document, dict):
            return
        try:
            text = toml_of(document)
        except ValueError:  # Python does not write whole numbers of thousands of digits
            text = f"[training]\nepochs = {'9' * 5000}"
    try:
        config = RunConfig.from_toml(text)
    except InvalidArgumentError:
        return
    assert RunConfig.from_toml(config.to_toml()) == config


if __name__ == "__main__":
    fuzz(one, "run_config")
