"""Loading a model file as the kind of object that was saved."""

from pathlib import Path

from chainrule.files.model_file import read_model_file
from chainrule.model.network import Network
from chainrule.runs.table_model import TableModel


def load(path: str | Path) -> Network | TableModel:
    """Load a model file. The file holds data only: loading it runs no code.

    Parameters
    ----------
    path : str or Path

    Returns
    -------
    Network or TableModel
        A `TableModel` if the file holds the encoder of a table, as files of ``chainrule train`` do;
        otherwise a `Network`.

    Raises
    ------
    InvalidModelFileError
        If the file cannot be read, is not a model file, comes from a newer version, or its arrays
        do not fit its specification.
    """
    model = read_model_file(path)
    if TableModel.is_in(model):
        return TableModel._from_file(path, model)
    return Network._from_file(model)
