"""The command play: the playground, a page in the browser."""

import contextlib
import sys
from typing import Annotated

import typer

from chainrule.cli.interrupts import Ended, exit_code
from chainrule.cli.streams import say, say_sentence

_EXAMPLES = """Examples:

chainrule play

chainrule play data.csv --target price

chainrule play run

chainrule play run/model.safetensors
"""


def register(app: typer.Typer) -> None:
    """Add the command to the command line."""
    app.command(epilog=_EXAMPLES)(play)


def play(
    source: Annotated[
        str | None,
        typer.Argument(
            metavar="SOURCE",
            help="A table, a model file, or the folder of a run: one that is being trained with "
            "--live is shown live, a finished one is trained again while you watch. By default, "
            "toy data.",
            show_default=False,
        ),
    ] = None,
    target: Annotated[
        str | None,
        typer.Option(
            metavar="COLUMN",
            help="The column of the table to predict; by default, the page asks for it.",
            show_default=False,
        ),
    ] = None,
    host: Annotated[
        str,
        typer.Option(
            metavar="HOST",
            help="The name or address to listen at. If other machines can reach it, a random "
            "token is part of the printed address.",
        ),
    ] = "127.0.0.1",
    port: Annotated[
        int | None,
        typer.Option(
            metavar="N",
            min=0,
            max=65535,
            help="The port; by default the first free one from 8765 on.",
            show_default=False,
        ),
    ] = None,
    browser: Annotated[
        bool,
        typer.Option("--browser/--no-browser", help="Whether the page is opened in a browser."),
    ] = True,
) -> None:
    """Build, train and inspect a network in a browser page.

    The page shows every step of a training: the weights, the outputs, the errors, the equations
    with their numbers. It works without an internet connection, and by default, only
    this machine can open it. Press Ctrl-C to stop it.
    """
    from chainrule.errors import InvalidArgumentError
    from chainrule.playground.installation import require_extra
    from chainrule.playground.interface import start

    require_extra("play")
    try:
        page = start(source, target, {}, host=host, port=port)
    except InvalidArgumentError as error:
        name, colon, rest = str(error).partition(":")
        option = f"--{name}" if name in ("host", "port", "target") else name
        raise InvalidArgumentError(f"{option}{colon}{rest}") from error
    code = 0
    try:
        with page:
            if browser:
                page.open()
            if not page.is_running:
                say_sentence(f"The training in {source} is shown at {page.url}")
                return
            say(f"The playground is at {page.url}")
            say_sentence("Press Ctrl-C to stop it.")
            sys.stdout.flush()  # otherwise a pipe would buffer the address
            page.wait()
    except KeyboardInterrupt:  # before `wait`, which handles it, or after
        pass
    except SystemExit as terminated:
        code = exit_code(terminated)
    with contextlib.suppress(OSError):  # of a terminal that was closed
        say_sentence("chainrule: the playground has stopped", error=True)
    if code:
        raise Ended(code)
