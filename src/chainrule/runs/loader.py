"""Loading a model file as the kind of object that was saved."""

from pathlib import Path
from typing import TYPE_CHECKING, TypeAlias, Union

from chainrule.errors import InvalidArgumentError, InvalidModelFileError
from chainrule.files.model_file import read_model_file
from chainrule.model.network import Network
from chainrule.runs.folder import RunFolder
from chainrule.runs.table_model import TableModel

if TYPE_CHECKING:
    from chainrule.estimators.loaded import Loaded as Estimator

Model: TypeAlias = Union[Network, TableModel, "Estimator"]

_ESTIMATOR = "estimator"


def model_file(path: str | Path) -> Path:
    """Return the model file that a path names: itself, or the one in the folder of a run.

    Raises
    ------
    InvalidModelFileError
        If it is a folder without a model.
    """
    # Anything that names no file is left to the reader of the file, which refuses it.
    if not isinstance(path, str | Path):
        return path
    path = Path(path)
    if not path.is_dir():
        return path
    found = RunFolder(path).model
    if not found.is_file():
        raise InvalidModelFileError(
            f"{path}: is a folder without {found.name}, so no run of chainrule train has finished "
            "in it; name a model file or the folder of a run"
        )
    return found


def load(path: str | Path) -> Model:
    """Load a model file. The file holds data only: loading it runs no code.

    Parameters
    ----------
    path : str or Path
        The file, or the folder of a run.

    Returns
    -------
    Network, TableModel or estimator
        What was saved: an estimator by its `save`, a `TableModel` by ``chainrule train``, a
        `Network` by its own `save`.

    Raises
    ------
    InvalidModelFileError
        If the file cannot be read, is not a model file, comes from a newer version, or its arrays
        do not fit its specification.
    """
    path = model_file(path)
    model = read_model_file(path)
    if _ESTIMATOR in model.metadata:
        # Imported only here: scikit-learn takes longer to import than most models to predict.
        from chainrule.estimators.loaded import from_file

        return from_file(path, model)
    if TableModel.is_in(model):
        return TableModel._from_file(path, model)
    return Network._from_file(model)


def load_table_model(path: str | Path) -> TableModel:
    """Load a model that predicts tables: one of a run, or an estimator that was fitted to a table.

    Raises
    ------
    InvalidModelFileError
        If it cannot be loaded, or takes no tables.
    """
    model = load(path)
    if isinstance(model, TableModel):
        return model
    if isinstance(model, Network):
        raise InvalidModelFileError(
            f"{path}: holds a network without the encoder of a table (it was saved in Python); "
            "load it there with chainrule.load"
        )
    try:
        return TableModel.from_estimator(model)
    except InvalidArgumentError as error:
        raise InvalidModelFileError(
            f"{path}: {error}. It was saved in Python; load it there with chainrule.load"
        ) from error
