"""All settings of a run, read from and written to run.toml."""

import json
import math
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field, fields, replace
from pathlib import Path
from typing import Any, Self

from chainrule.checks import file_path
from chainrule.errors import InvalidArgumentError
from chainrule.printable import printable
from chainrule.runs.options import (
    SECTIONS,
    DataOptions,
    EncodingOptions,
    TrainingOptions,
    settings_of,
)
from chainrule.runs.values import check, from_toml
from chainrule.suggestions import did_you_mean, nearest

_ALWAYS_WRITTEN = {"layers", "epochs", "batch_size", "init", "shuffle"}
"""Settings that every run writes, and hardly anyone else all of them."""

_BEFORE_BINS: Mapping[str, Any] = {
    "bins": 0,
    "scale_layer": False,
    "width_scaling": False,
    "ema_decay": 0.0,
}
"""Settings that a run wrote nothing of before they existed, with the values that it had then."""


@dataclass(frozen=True)
class RunConfig:
    """The settings of a run: the same table and config give the same model, bit for bit.

    Parameters
    ----------
    data : DataOptions
    encoding : EncodingOptions
    training : TrainingOptions

    Examples
    --------
    >>> from chainrule.runs.config import RunConfig
    >>> config = RunConfig.of({"table": "houses.csv", "target": "price", "layers": (32,)})
    >>> print(config.to_toml())
    [data]
    table = "houses.csv"
    target = "price"
    task = "auto"
    skip_bad_rows = false
    <BLANKLINE>
    [training]
    preset = "standard"
    seed = 0
    layers = [32]
    <BLANKLINE>
    >>> RunConfig.from_toml(config.to_toml()) == config
    True
    """

    data: DataOptions = field(default_factory=DataOptions)
    encoding: EncodingOptions = field(default_factory=EncodingOptions)
    training: TrainingOptions = field(default_factory=TrainingOptions)

    @classmethod
    def of(cls, values: Mapping[str, Any]) -> Self:
        """Return a config with these values; all other settings have their defaults.

        Raises
        ------
        InvalidArgumentError
            If a setting does not exist or a value is invalid.
        """
        return cls().updated(values)

    def updated(self, values: Mapping[str, Any]) -> Self:
        """Return a copy with these settings changed.

        Raises
        ------
        InvalidArgumentError
            If a setting does not exist or a value is invalid.
        """
        config = self
        for name in values:
            _section_of(name, "")
        for section in SECTIONS:
            known = {one.name for one in settings_of(section)}
            own = {name: value for name, value in values.items() if name in known}
            if own:
                config = replace(config, **{section: replace(getattr(config, section), **own)})
        config._check()
        return config

    def _check(self) -> None:
        for section in SECTIONS:
            for setting in settings_of(section):
                value = getattr(getattr(self, section), setting.name)
                if value is not None:
                    check(setting, value)
        _check_split(self.data)

    @classmethod
    def read(cls, path: str | Path) -> Self:
        """Read a run.toml.

        Raises
        ------
        InvalidArgumentError
            If the file cannot be read, or has an unknown setting or an invalid value.
        """
        try:
            text = file_path("config", path).read_text(encoding="utf-8")
        except OSError as error:
            reason = error.strerror or error
            raise InvalidArgumentError(f"{path}: cannot be read ({reason})") from error
        except UnicodeDecodeError as error:
            raise InvalidArgumentError(f"{path}: is not UTF-8 text") from error
        return cls.from_toml(text, str(path))

    @classmethod
    def from_toml(cls, text: str, where: str = "run.toml") -> Self:
        """Read the text of a run.toml; `where` is its name in error messages.

        Raises
        ------
        InvalidArgumentError
            If the text has an unknown setting or an invalid value.
        """
        try:
            document = tomllib.loads(text)
        except (ValueError, RecursionError) as error:  # ValueError: also for too many digits
            raise InvalidArgumentError(f"{where}: is not TOML: {error}") from error
        values: dict[str, Any] = {}
        for section, entries in document.items():
            if section not in SECTIONS or not isinstance(entries, dict):
                raise InvalidArgumentError(f"{where}: {_unknown_section(section)}")
            known = {one.name: one for one in settings_of(section)}
            for name, value in entries.items():
                if name not in known:
                    raise InvalidArgumentError(f"{where}: [{section}]: {_misplaced(name)}")
                values[name] = from_toml(known[name], value, f"{where}: [{section}]")
        if values.keys() >= _ALWAYS_WRITTEN and "bins" not in values:
            values = {**_BEFORE_BINS, **values}
        try:
            return cls.of(values)
        except InvalidArgumentError as error:
            raise InvalidArgumentError(f"{where}: {error}") from error

    def values(self) -> dict[str, dict[str, Any]]:
        """Return the settings that are set, by section, as JSON-ready values."""
        document: dict[str, dict[str, Any]] = {}
        for section in SECTIONS:
            group = getattr(self, section)
            entries = {
                one.name: _plain(getattr(group, one.name))
                for one in fields(group)
                if _is_set(getattr(group, one.name), one.default)
            }
            if entries:
                document[section] = entries
        return document

    def to_toml(self) -> str:
        """Return the text of a run.toml.

        Raises
        ------
        InvalidArgumentError
            If a value cannot be written, such as a file name that is not Unicode.
        """
        blocks = []
        for section, entries in self.values().items():
            lines = [f"{name} = {_toml(name, value)}" for name, value in entries.items()]
            blocks.append("\n".join([f"[{section}]", *lines]) + "\n")
        return "\n".join(blocks)


def _is_set(value: Any, default: Any) -> bool:
    return value is not None and not (value == default and value in ("", ()))


def _plain(value: Any) -> Any:
    return list(value) if isinstance(value, tuple) else value


def _toml(name: str, value: Any) -> str:
    if isinstance(value, list):
        return f"[{', '.join(_toml(name, part) for part in value)}]"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float):
        return "inf" if math.isinf(value) else repr(value)
    if isinstance(value, int):
        return str(value)
    try:
        value.encode()
    except UnicodeEncodeError as error:
        raise InvalidArgumentError(
            f"{name}: {value!r} is not Unicode text and cannot be written to run.toml; rename it"
        ) from error
    # A JSON string is a valid TOML string, except for DEL. Other invisible characters are escaped
    # too, to make them visible.
    return "".join(
        letter if printable(letter) == letter else f"\\U{ord(letter):08x}"
        for letter in json.dumps(value, ensure_ascii=False)
    )


def _check_split(data: DataOptions) -> None:
    if data.split is None:
        return
    least = 2 if data.test else 3
    which = "train and validate" if data.test else "train, validate and test"
    shares = data.split
    if len(shares) != least or not all(0 < share < 1 for share in shares):
        raise InvalidArgumentError(
            f"split: expected {least} shares between 0 and 1 (of the rows that {which}); got "
            f"{', '.join(f'{share:g}' for share in shares)}"
        )
    if abs(sum(shares) - 1) > 1e-6:
        raise InvalidArgumentError(
            f"split: expected shares that add up to 1; {' + '.join(f'{s:g}' for s in shares)} is "
            f"{sum(shares):g}"
        )


def _section_of(name: str, where: str) -> str:
    for section in SECTIONS:
        if any(one.name == name for one in settings_of(section)):
            return section
    raise InvalidArgumentError(f"{where}{_misplaced(name)}")


def _misplaced(name: str) -> str:
    """Return the message for a setting that is unknown or in the wrong section."""
    homes = {one.name: section for section in SECTIONS for one in settings_of(section)}
    if name in homes:
        return f"{name} belongs under [{homes[name]}]"
    return f"there is no setting {name!r}{did_you_mean(name, homes)}"


def _unknown_section(name: str) -> str:
    homes = {one.name: section for section in SECTIONS for one in settings_of(section)}
    if name in homes:
        return f"{name} belongs under [{homes[name]}]"
    near = nearest(name, SECTIONS)
    hint = f"; did you mean [{near}]?" if near else ""
    listed = ", ".join(f"[{section}]" for section in SECTIONS)
    return f"expected the sections {listed}; got {name!r}{hint}"
