"""The command line, or the call from Python, that repeats a run."""

import shlex
from collections.abc import Iterator, Mapping
from dataclasses import Field, fields, replace
from typing import Any, TypeAlias, cast

from chainrule.runs.config import RunConfig
from chainrule.runs.options import DataOptions, EncodingOptions, TrainingOptions
from chainrule.runs.parts import SHARES, SHARES_WITHOUT_TEST, TEST_TABLE
from chainrule.runs.presets import resolved
from chainrule.tables.task import Task


def command_of(config: RunConfig, task_inferred: bool, n_train: int, n_rows: int) -> str:
    """Return the shortest command that gives this config, without the output folder.

    Parameters
    ----------
    config : RunConfig
        The config of a prepared run, every setting resolved.
    task_inferred : bool
        Whether the task follows from the target's values, so that --task is unnecessary.
    n_train, n_rows : int
        Numbers of training rows, and of training and validation rows together.
    """
    words = ["chainrule", "train", config.data.table]
    for one, value in _given(config, task_inferred, n_train, n_rows):
        words += _option(one, value)
    return shlex.join(words)


def call_of(config: RunConfig, task_inferred: bool, n_train: int, n_rows: int) -> str:
    """Return the shortest call of `chainrule.train` that gives this config, for tables in memory.

    The parameters are those of `command_of`.
    """
    arguments = ["table", *arguments_of(config, task_inferred, n_train, n_rows)]
    return f"chainrule.train({', '.join(arguments)})"


def arguments_of(
    config: RunConfig, task_inferred: bool, n_train: int, n_rows: int
) -> Iterator[str]:
    """Yield the keyword arguments of `call_of`."""
    for one, value in _given(config, task_inferred, n_train, n_rows):
        is_table = one.name == "test" and value == TEST_TABLE
        shown = (
            "test_table" if is_table else repr(list(value) if isinstance(value, tuple) else value)
        )
        yield f"{one.name}={shown}"


_Setting: TypeAlias = "tuple[Field[Any], Any]"


def _given(config: RunConfig, task_inferred: bool, n_train: int, n_rows: int) -> Iterator[_Setting]:
    """Yield the settings that differ from what the others imply, but for the table."""
    data = config.data
    if task_inferred:
        data = replace(data, task="auto")
    if data.split == (SHARES_WITHOUT_TEST if data.test else SHARES):
        data = replace(data, split=None)
    yield from _differing(replace(data, table=""), DataOptions())
    yield from _differing(config.encoding, _default_encoding())
    training, task = config.training, cast(Task, config.data.task)
    bare = TrainingOptions(preset=training.preset, seed=training.seed)
    plain = resolved(bare, task, n_train, n_rows)
    # Loss, optimizer and schedule are compared with the preset's; the other settings, whose
    # defaults depend on these three, with the defaults that follow from them.
    deciders = {
        name: getattr(training, name)
        for name in ("loss", "optimizer", "schedule")
        if getattr(training, name) != getattr(plain, name)
    }
    expected = resolved(replace(bare, **deciders), task, n_train, n_rows)
    yield from _differing(replace(bare, **deciders), TrainingOptions())
    yield from _differing(training, expected)


def _default_encoding() -> EncodingOptions:
    from chainrule.tables.encoder import TableEncoder

    encoder = TableEncoder()
    return EncodingOptions(scaling=encoder.scaling, max_categories=encoder.max_categories)


def _differing(group: Any, defaults: Any) -> Iterator[_Setting]:
    for one in fields(group):
        value = getattr(group, one.name)
        if value is not None and value != getattr(defaults, one.name):
            yield one, value


def options_of(values: Mapping[str, Any]) -> list[str]:
    """Return training settings as options, each with its value: "--l2 1", "--layers 64,32"."""
    by_name = {one.name: one for one in fields(TrainingOptions)}
    return [" ".join(_option(by_name[name], value)) for name, value in values.items()]


def _option(one: "Field[Any]", value: Any) -> list[str]:
    name = one.name.replace("_", "-")
    kind = one.metadata["kind"]
    if kind == "flag":
        return [f"--{name}" if value else f"--no-{name}"]
    if kind == "texts":
        return [word for text in value for word in (f"--{name}", text)]
    if kind == "names" and isinstance(value, tuple):
        return [f"--{name}", ",".join(value)]
    if kind in ("wholes", "numbers"):
        text = ",".join(map(_number, value))
        return [f"--{name}", text or "none"]
    return [f"--{name}", _number(value)]


def _number(value: Any) -> str:
    """Return a number in a form that parses to the same value, and a text unchanged."""
    return repr(value).removesuffix(".0") if isinstance(value, float) else str(value)
