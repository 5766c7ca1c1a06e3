"""The option --workers: who trains the networks of an ensemble or a search."""

from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from chainrule.workers.base import Workers

WorkersOption = Annotated[
    str | None,
    typer.Option(
        metavar="WORKERS",
        help="Who trains the networks of --quality best or --search: so many processes (4), or a "
        "Dask cluster (dask://HOST:PORT). The result is the same.",
        show_default=False,
    ),
]


def chosen_workers(given: str | None, many: bool) -> "Workers | None":
    """Return the workers that the option asks for; `many`: whether there are many networks.

    Raises
    ------
    InvalidArgumentError
        If the option cannot be used.
    """
    if given is None:
        return None
    from chainrule.errors import InvalidArgumentError
    from chainrule.workers.choice import workers_from

    try:
        workers = workers_from(given)
    except InvalidArgumentError as error:
        raise InvalidArgumentError(f"--{error}") from error
    if not many:
        raise InvalidArgumentError(
            "--workers: a single network is trained by the threads of one process (--threads); "
            "leave --workers out, or add --search or --quality best"
        )
    return workers
