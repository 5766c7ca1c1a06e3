"""The settings of a run as options of a command: made from `chainrule.runs.options`."""

import inspect
from collections.abc import Callable, Mapping
from dataclasses import Field
from typing import Annotated, Any

import typer

from chainrule.runs.options import SECTIONS, settings_of

_TYPES: dict[str, Any] = {
    "text": str,
    "whole": int,
    "number": float,
    "flag": bool,
    "texts": list[str],
    "wholes": str,
    "numbers": str,
    "names": str,
}
_PANELS = {"data": "Data", "encoding": "Encoding", "training": "Network and training"}


def takes_settings(command: Callable[..., None]) -> Callable[..., None]:
    """Give a command an option for every setting, in place of its parameter `settings`.

    The command gets those that were given, by name, as a dictionary.
    """
    signature = inspect.signature(command, eval_str=True)
    own = [one for one in signature.parameters.values() if one.name != "settings"]
    made = {
        one.name: _parameter(one, panel)
        for section, panel in _PANELS.items()
        for one in settings_of(section)
        if one.name != "table"
    }

    def with_options(**arguments: Any) -> None:
        given = {name: arguments.pop(name) for name in made}
        command(**arguments, settings=_read(given))

    with_options.__name__ = command.__name__
    with_options.__doc__ = command.__doc__
    with_options.__signature__ = signature.replace(  # type: ignore[attr-defined]
        parameters=[*own, *made.values()]
    )
    return with_options


def _parameter(one: "Field[Any]", panel: str) -> inspect.Parameter:
    kind, name = one.metadata["kind"], one.name.replace("_", "-")
    flags = f"--{name}/--no-{name}" if kind == "flag" else f"--{name}"
    option = typer.Option(
        flags,
        metavar=one.metadata["metavar"] or None,
        help=one.metadata["about"],
        rich_help_panel=panel,
        show_default=False,
    )
    return inspect.Parameter(
        one.name,
        inspect.Parameter.KEYWORD_ONLY,
        default=None,
        annotation=Annotated[_TYPES[kind] | None, option],
    )


def _read(given: Mapping[str, Any]) -> dict[str, Any]:
    """Return the values of those settings that were given."""
    from chainrule.runs.values import from_text

    values = {}
    for section in SECTIONS:
        for one in settings_of(section):
            value = given.get(one.name)
            if value is None or value == []:
                continue
            kind = one.metadata["kind"]
            if kind in ("wholes", "numbers", "names"):
                value = from_text(one, value)
            values[one.name] = tuple(value) if kind == "texts" else value
    return values
