"""Reading a network's specification from a file, which may be hostile."""

import json
import re
from typing import Any

from chainrule.errors import InvalidArgumentError
from chainrule.network.spec import NetworkSpec

# Far more than any real network has; a specification within these limits is built in hundredths of
# a second.
_MAX_TEXT = 2**20
_MAX_LAYERS = 2000
_MAX_NAME = 4096
_MAX_UNITS = 2**40


def spec_from_file(text: str) -> NetworkSpec:
    """Build a specification from a file's text, within limits that no real network reaches.

    Raises
    ------
    InvalidArgumentError
        If the text is not a specification, or would take long to build.
    """
    if len(text) > _MAX_TEXT:
        raise InvalidArgumentError(f"spec: has {len(text)} characters; at most {_MAX_TEXT}")
    try:
        fields: Any = json.loads(text)
        layers = fields["layers"]
        fault = _fault(fields, layers) if isinstance(layers, list) else "its layers are not a list"
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        raise InvalidArgumentError(f"spec: not a network specification ({error})") from error
    if fault:
        raise InvalidArgumentError(f"spec: not a network specification ({fault})")
    return NetworkSpec.from_json(text)


def _fault(fields: dict[str, Any], layers: list[Any]) -> str:
    if len(layers) > _MAX_LAYERS:
        return f"it has {len(layers)} layers; at most {_MAX_LAYERS}"
    values = [*fields.values()]
    for layer in layers:
        values += layer.values() if isinstance(layer, dict) else ()
    names = [value for value in values if isinstance(value, str)]
    # `to_json` never writes two spaces in a row, and matching a name with many of them is slow.
    if any(len(name) > _MAX_NAME or re.search(r"\s\s", name) for name in names):
        return "a name in it is too long"
    if any(type(value) is int and abs(value) > _MAX_UNITS for value in values):
        return "a number in it is too large"
    return ""
