"""The files that a page offers: the model, its code and settings, and the table."""

import tempfile
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from chainrule.errors import InvalidArgumentError
from chainrule.exports.export_file import export
from chainrule.model.network import Network
from chainrule.playground.session.code import Exported
from chainrule.playground.session.snapshot import Snapshot
from chainrule.playground.session.trained import Trained
from chainrule.runs.run_fit import FittedNetwork
from chainrule.runs.table_model import TableModel
from chainrule.runs.training import versions
from chainrule.suggestions import did_you_mean
from chainrule.training.history import History

File = tuple[str, bytes, str]
"""Name, content and media type."""

KINDS = ("model.safetensors", "model.onnx", "code.py", "run.toml", "data.csv", "history.csv")

_BYTES = "application/octet-stream"


def download(kind: str, trained: Trained, snapshot: Snapshot, code: Callable[[], Exported]) -> File:
    """Return a file.

    Raises
    ------
    InvalidArgumentError
        If there is none of this name.
    """
    if kind == "code.py":
        return kind, code().python.encode(), "text/x-python"
    if kind == "run.toml":
        return kind, _toml(code()).encode(), "application/toml"
    if kind == "data.csv":
        return _table(trained)
    if kind in ("model.safetensors", "model.onnx"):
        return kind, _model_file(kind, trained, snapshot), _BYTES
    raise InvalidArgumentError(
        f"download: expected one of {', '.join(KINDS)}; got {kind!r:.40}{did_you_mean(kind, KINDS)}"
    )


def model_of(trained: Trained, snapshot: Snapshot) -> TableModel:
    """Return the network of a snapshot as the model of a table."""
    network = Network.from_parameters(snapshot.spec, snapshot.parameters.copy())
    network.epochs_trained = snapshot.epoch
    config = trained.prepared.config
    if config.data.table:  # where this machine keeps the table is nobody else's business
        config = replace(config, data=replace(config.data, table=trained.file_name))
    details = {"config": config.values(), "epochs": snapshot.epoch, "versions": versions()}
    fitted = FittedNetwork(network, History(), None)
    return trained.prepared.model_of(fitted, details)


def _model_file(kind: str, trained: Trained, snapshot: Snapshot) -> bytes:
    with tempfile.TemporaryDirectory(prefix="chainrule-play-") as folder:
        path = Path(folder) / kind
        model = model_of(trained, snapshot)
        if kind == "model.onnx":
            export(model, path)
        else:
            model.save(path)
        return path.read_bytes()


def _toml(code: Exported) -> str:
    if code.command_exact:
        return code.toml
    return f"# These settings alone do not train the same network. {code.why}\n{code.toml}"


def _table(trained: Trained) -> File:
    wanted = trained.wanted
    if wanted is None:
        raise InvalidArgumentError("download: the table of a finished run is not available here")
    if wanted.own is not None:
        return wanted.own.name, wanted.own.path.read_bytes(), _BYTES
    return wanted.file_name, wanted.table().write_csv().encode(), "text/csv"
