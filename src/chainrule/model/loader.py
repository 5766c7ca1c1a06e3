"""Loading a model file as the object that wrote it."""

from pathlib import Path

from chainrule.files.model_file import read_model_file
from chainrule.model.network import Network
from chainrule.model.table_model import TableModel


def load(path: str | Path) -> Network | TableModel:
    """Load a model file. No code of the file runs: it holds data only.

    Parameters
    ----------
    path : str or Path

    Returns
    -------
    Network or TableModel
        What was saved: a `TableModel` if the file holds the encoder of a table (as those that
        ``chainrule train`` writes do), else a `Network`.

    Raises
    ------
    InvalidModelFileError
        If it cannot be read, is not a model file, comes from a newer version, or its arrays do
        not fit its specification.
    """
    model = read_model_file(path)
    if TableModel.is_in(model):
        return TableModel._from_file(path, model)
    return Network._from_file(model)
