"""Arguments and options that several commands share, and how their text is read."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, TypeAlias

import typer
from typer.core import TyperCommand

if TYPE_CHECKING:
    from chainrule.engines.optimizer import Optimizer
    from chainrule.model.table_model import TableModel


def optional_model_file(path: Path | None) -> Path | None:
    """Return the model file that MODEL names: a file, or that of a run's folder."""
    from chainrule.runs.loader import model_file

    return None if path is None else model_file(path)


ModelPath: TypeAlias = Annotated[
    Path,
    typer.Argument(
        metavar="MODEL",
        help="A model file that chainrule train wrote, or the folder of the run.",
        callback=optional_model_file,
    ),
]
TablePath: TypeAlias = Annotated[
    Path,
    typer.Argument(
        metavar="TABLE",
        help="CSV, TSV, Parquet, Arrow or JSON lines; also a pipe, or - for standard input.",
    ),
]
OptimizerName: TypeAlias = Annotated[
    str,
    typer.Option(
        metavar="NAME",
        help="{optimizers}.",
    ),
]
LearningRate: TypeAlias = Annotated[
    float | None,
    typer.Option(
        metavar="NUMBER",
        min=0.0,
        help="Learning rate α; default: that of the optimizer.",
        show_default=False,
    ),
]
EngineName: TypeAlias = Annotated[
    str, typer.Option(metavar="NAME", help="Engine: auto, {engines}.")
]


class NamingCommand(TyperCommand):
    """A command whose help names what there is: looked up when somebody asks for help."""

    def format_help(self, ctx: Any, formatter: Any) -> None:
        """Write the help, with the names in their places."""
        from chainrule.settings.names import with_names

        for parameter in self.params:
            if isinstance(about := getattr(parameter, "help", None), str):
                parameter.help = with_names(about)  # type: ignore[attr-defined]
        super().format_help(ctx, formatter)


def optimizer_from(name: str, learning_rate: float | None) -> "Optimizer":
    """Return an optimizer by name, with a learning rate or its own default."""
    from dataclasses import replace

    from chainrule.engines.optimizers import optimizer_named

    optimizer = optimizer_named(name)
    return optimizer if learning_rate is None else replace(optimizer, learning_rate=learning_rate)


def table_model(path: Path) -> "TableModel":
    """Load a model that takes tables.

    Raises
    ------
    InvalidModelFileError
        If it cannot be loaded, or takes no tables.
    """
    from chainrule.runs.loader import load_table_model

    return load_table_model(path)
