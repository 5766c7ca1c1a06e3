"""What a page wants to be trained: read from its JSON, checked, and turned into a run."""

from collections.abc import Mapping, Sequence
from dataclasses import Field, dataclass, replace
from itertools import pairwise
from typing import TYPE_CHECKING, Any

from chainrule.checks import shown
from chainrule.errors import InvalidArgumentError
from chainrule.playground.data.samples import SAMPLES, sample_table
from chainrule.playground.data.tables import OwnTable, OwnTables, naming, target_in
from chainrule.playground.data.toys import INPUTS, NOISE, ROWS, SEED, TOYS, toy_table
from chainrule.runs.config import RunConfig
from chainrule.runs.options import SECTIONS, settings_of
from chainrule.runs.presets import parameters_of, resolved
from chainrule.runs.training import PreparedRun
from chainrule.runs.values import from_toml
from chainrule.settings.layers import hidden_activations, hidden_layers
from chainrule.suggestions import did_you_mean
from chainrule.tables.task import Task

if TYPE_CHECKING:
    import polars as pl

State = dict[str, Any]

PLAIN_INPUTS: Mapping[str, Any] = {"bins": 0, "scale_layer": False, "width_scaling": False}
"""Inputs that go straight into the first hidden layer, as a picture of a network shows them."""

TOY_SETTINGS: Mapping[str, Any] = {
    "layers": [4, 2],
    "activation": "tanh",
    "init": "default",
    **PLAIN_INPUTS,
    "optimizer": "sgd",
    "momentum": 0.0,
    "nesterov": False,
    "learning_rate": 0.1,
    "schedule": "constant",
    "beta_2": 0.999,
    "epochs": 1000,
    "batch_size": 10,
    "l1": 0.0,
    "l2": 0.0,
    "label_smoothing": 0.0,
    "ema_decay": 0.0,
    "early_stopping": False,
    "split": [0.5, 0.48, 0.02],
    "seed": 0,
}
"""Defaults for toy data: plain gradient descent, and no early stopping."""

TABLE_SETTINGS: Mapping[str, Any] = {
    "layers": [16, 8],
    **PLAIN_INPUTS,
    "schedule": "adaptive",
    "epochs": 200,
    "label_smoothing": 0.0,
    "ema_decay": 0.0,
    "seed": 0,
}
"""Defaults for other tables: those of the package, but with a network that can be drawn, a loss
that is the log loss, and a learning rate that suits a training of any length."""

START: Mapping[str, Any] = {
    "data": {"kind": "toy", "name": "circle", "noise": 0, "rows": 500, "seed": 0},
    "inputs": ["x1", "x2"],
    "settings": TOY_SETTINGS,
}

ELSEWHERE = {
    "table": "data",
    "target": "data",
    "test": "data",
    "calibrate": "the playground shows uncalibrated networks",
}
_MOST_PARAMETERS = 2_000_000
_MOST_LAYERS = 32
# What a toy keeps aside for the scores at the end, of which a page shows nothing.
_SET_ASIDE = 0.02


@dataclass(frozen=True)
class Wanted:
    """What is to be trained.

    Parameters
    ----------
    state : dict
        Normalised: all that was left open has its value.
    config : RunConfig
        Without the path of a table.
    own : OwnTable, optional
        None: a toy or a sample.
    """

    state: State
    config: RunConfig
    own: OwnTable | None = None

    @property
    def is_toy(self) -> bool:
        """Whether the data are drawn."""
        return bool(self.state["data"]["kind"] == "toy")

    @property
    def file_name(self) -> str:
        """The name of the table as a file."""
        return self.own.name if self.own is not None else f"{self.state['data']['name']}.csv"

    @property
    def stops_by_itself(self) -> bool:
        """Whether its stopping rule was asked for, and not just the package's default."""
        settings = self.state["settings"]
        return "patience" in settings or "tolerance" in settings or not self.is_toy

    def table(self) -> "pl.DataFrame":
        """Return the table of a toy or a sample."""
        data = self.state["data"]
        if data["kind"] == "toy":
            return toy_table(data["name"], data["noise"], data["rows"], data["seed"])
        return sample_table(data["name"])

    def prepared(self) -> PreparedRun:
        """Read the table, divide and encode its rows.

        Raises
        ------
        InvalidArgumentError, InvalidTableError
            If table and settings do not fit each other.
        """
        if self.own is None:
            return PreparedRun.prepare(self.config, self.table())
        with naming(self.own.path, self.own.name):
            data = replace(self.config.data, table=str(self.own.path))
            found = PreparedRun.prepare(replace(self.config, data=data))
            notes = tuple(note.replace(str(self.own.path), self.own.name) for note in found.notes)
            return replace(found, notes=notes)


def wanted(state: object, tables: OwnTables) -> Wanted:
    """Return what a page's state asks for.

    Parameters
    ----------
    state : dict
        As JSON gives it: "data", "inputs" and "settings", any of which may be left out.
    tables : OwnTables

    Raises
    ------
    InvalidArgumentError
        If an entry is unknown or invalid.
    """
    given = _mapping("state", state)
    _known("state", given, ("data", "inputs", "settings"))
    data, own, columns, target = _data(given.get("data", START["data"]), tables)
    task: Task | None = None if own is not None else "classification"
    is_toy = data["kind"] == "toy"
    if is_toy:
        task = TOYS[data["name"]].task
    settings = _settings(given.get("settings", {}), TOY_SETTINGS if is_toy else TABLE_SETTINGS)
    open_inputs = START["inputs"] if is_toy and "inputs" not in given else None
    inputs = _inputs(given.get("inputs", open_inputs), [c for c in columns if c != target])
    values = dict(settings)
    if inputs is not None:
        kept = {*inputs, target, values.get("group", ""), values.get("time", "")}
        ignored = [*values.get("ignore", ()), *(name for name in columns if name not in kept)]
        values["ignore"] = tuple(dict.fromkeys(ignored))
    config = RunConfig.of({**values, "target": target, "calibrate": "off"})
    _check_network(config)
    if task is not None:
        resolved(config.training, task, 100, 100)  # raises, if the loss is for the other task
    plain = {name: _plain(value) for name, value in settings.items()}
    if is_toy and inputs is None:
        inputs = list(INPUTS)
    normal = {"data": data, "inputs": inputs, "settings": plain}
    return Wanted(normal, config, own)


def _data(data: object, tables: OwnTables) -> tuple[State, OwnTable | None, list[str], str]:
    """Return normalised data, an own table, the names of all columns, and the target."""
    given = _mapping("data", data)
    kind = given.get("kind", "toy")
    if kind == "toy":
        _known("data", given, ("kind", "name", "noise", "rows", "seed"))
        name = _name("data", given.get("name", "circle"), TOYS)
        found = {"kind": "toy", "name": name}
        for key, limit, default in (
            ("noise", NOISE, 0),
            ("rows", ROWS, 500),
            ("seed", SEED, 0),
        ):
            value = given.get(key, default)
            limit.require(value, f"{key}: expected", quoted=False)
            found[key] = value
        toy = TOYS[name]
        return found, None, [*INPUTS, toy.target], toy.target
    if kind == "sample":
        _known("data", given, ("kind", "name"))
        name = _name("data", given.get("name"), SAMPLES)
        sample = SAMPLES[name]
        return {"kind": kind, "name": name}, None, [*sample.columns, sample.target], sample.target
    if kind == "table":
        _known("data", given, ("kind", "table", "target"))
        own = tables.get(given.get("table"))
        target = target_in(own, given.get("target") or own.suggested_target)
        columns = [str(column["name"]) for column in own.columns]
        return {"kind": kind, "table": own.identity, "target": target}, own, columns, target
    raise InvalidArgumentError(f"data: expected the kind toy, sample or table; got {kind!r:.60}")


def _settings(given: object, defaults: Mapping[str, Any]) -> dict[str, Any]:
    """Return the settings, each of the type that a configuration has."""
    known = {
        one.name: one
        for section in SECTIONS
        for one in settings_of(section)
        if one.name not in ELSEWHERE
    }
    values = {name: from_toml(known[name], value, "") for name, value in defaults.items()}
    for name, value in _mapping("settings", given).items():
        if name == "calibrate" and value == "off":
            continue
        if name in ELSEWHERE:
            why = ELSEWHERE[name]
            instead = "it is part of the data" if why == "data" else why
            raise InvalidArgumentError(f"{name}: is not a setting here: {instead}")
        if name not in known:
            raise InvalidArgumentError(
                f"settings: there is no setting {name!r:.60}{did_you_mean(name, known)}"
            )
        if value is None:
            continue
        values[name] = _typed(known[name], value)
    if len(values.get("split", ())) == 2:
        values["split"] = _three_shares(values["split"])
    return values


def _typed(one: "Field[Any]", value: Any) -> Any:
    try:
        return from_toml(one, value, "")
    except InvalidArgumentError as error:
        # The text begins with where the entry is, which is nothing here.
        raise InvalidArgumentError(str(error).removeprefix(": ")) from None


def _three_shares(shares: Sequence[float]) -> tuple[float, float, float]:
    """Return shares of training, validation and final scores, given those of two of them."""
    train, test = shares
    if not (0 < train < 1 and 0 < test < 1 and abs(train + test - 1) < 1e-6):
        raise InvalidArgumentError(
            "split: expected two shares between 0 and 1 that add up to 1, or three; got "
            f"{train:g}, {test:g}"
        )
    aside = min(_SET_ASIDE, test / 2)
    return (train, round(1 - train - aside, 12), aside)


def _inputs(inputs: object, columns: Sequence[str]) -> list[str] | None:
    """Return the columns to learn from in the order of the table; None: all."""
    if inputs is None:
        return None
    if not isinstance(inputs, list) or not all(isinstance(name, str) for name in inputs):
        raise InvalidArgumentError(f"inputs: expected a list of columns; got {shown(inputs)}")
    for name in inputs:
        if name not in columns:
            raise InvalidArgumentError(
                f"inputs: expected columns of the table; got {name!r:.60}"
                f"{did_you_mean(name, columns)}"
            )
    if not inputs:
        raise InvalidArgumentError("inputs: expected at least one column; got none")
    chosen = [name for name in columns if name in set(inputs)]
    return None if len(chosen) == len(columns) else chosen


def _check_network(config: RunConfig) -> None:
    """Raise if the layers do not fit together, or are too large; it needs no table."""
    given = parameters_of(config.training, "classification")
    layers = tuple(config.training.layers or ())
    hidden_layers(given, layers, hidden_activations(given, len(layers)))
    count = sum(n_in * n_out for n_in, n_out in pairwise((1, *layers)))
    if count > _MOST_PARAMETERS or len(layers) > _MOST_LAYERS:
        raise InvalidArgumentError(
            f"layers: expected at most {_MOST_LAYERS} layers and {_MOST_PARAMETERS:,} weights in "
            f"the playground; got {len(layers)} layers and about {count:,} weights"
        )


def _mapping(name: str, value: object) -> Mapping[str, Any]:
    if not isinstance(value, Mapping) or not all(isinstance(key, str) for key in value):
        raise InvalidArgumentError(f"{name}: expected an object with names; got {shown(value)}")
    return value


def _known(name: str, given: Mapping[str, Any], names: Sequence[str]) -> None:
    for key in given:
        if key not in names:
            raise InvalidArgumentError(
                f"{name}: expected the entries {', '.join(names)}; got {key!r:.60}"
                f"{did_you_mean(key, names)}"
            )


def _name(what: str, name: object, names: Mapping[str, Any]) -> str:
    if not isinstance(name, str) or name not in names:
        hint = did_you_mean(name, names) if isinstance(name, str) else ""
        raise InvalidArgumentError(
            f"{what}: expected one of {', '.join(names)}; got {name!r:.60}{hint}"
        )
    return name


def _plain(value: Any) -> Any:
    return list(value) if isinstance(value, tuple) else value
