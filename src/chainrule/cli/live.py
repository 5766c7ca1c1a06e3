"""train --live: the page that shows a training, and the file by which `chainrule play` finds it."""

import contextlib
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Annotated, TypeAlias

import typer

from chainrule.cli.streams import say_sentence

if TYPE_CHECKING:
    from chainrule.runs.folder import RunFolder
    from chainrule.training.events import Callback

LiveOption: TypeAlias = Annotated[
    bool,
    typer.Option(
        "--live",
        help="Show the training in a browser page, whose address is printed; chainrule play DIR "
        "opens it.",
    ),
]


@contextlib.contextmanager
def showing(folder: "RunFolder", live: bool, quiet: bool) -> "Iterator[Sequence[Callback]]":
    """Yield the callbacks of a training: with `live`, one that shows it within the block."""
    if not live:
        yield ()
        return
    from chainrule.playground.live import Live
    from chainrule.playground.live_address import written_address

    with Live() as page, written_address(folder.live, page.start()):
        if not quiet:
            say_sentence(f"Watch the training at {page.url}", error=True)
        yield (page,)
