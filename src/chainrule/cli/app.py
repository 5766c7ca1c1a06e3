"""The commands combined into one program, and the single place where errors become messages."""

import sys
from collections.abc import Sequence
from itertools import pairwise
from typing import Annotated, Any, NoReturn

import typer
from typer.core import TyperGroup

from chainrule.cli import (
    animation,
    drift,
    explanation,
    export,
    gradient_check,
    importance,
    information,
    launch,
    playground,
    prediction,
    trace,
    training,
)
from chainrule.cli.interrupts import Ended, ended, interruptible
from chainrule.cli.streams import finish_streams, prepare_streams, say, say_sentence
from chainrule.communication.launching import follows
from chainrule.errors import ChainruleError

_INTERRUPTED = (130, 143, 129)


class Commands(TyperGroup):
    """After a user error, the program ends with exit code 2 and a message on standard error."""

    def main(
        self,
        args: Sequence[str] | None = None,
        prog_name: str | None = None,
        complete_var: str | None = None,
        standalone_mode: bool = True,
        windows_expand_args: bool = True,
        **extra: Any,
    ) -> NoReturn:
        """Run a command line and exit."""
        arguments = list(sys.argv[1:] if args is None else args)
        # Removed here, so that it may be anywhere on the line.
        debug = "--debug" in arguments
        arguments = [argument for argument in arguments if argument != "--debug"]
        prepare_streams(machines=_is_for_machines(arguments))
        try:
            with interruptible():
                code = super().main(
                    *(arguments, prog_name or "chainrule", complete_var),
                    standalone_mode=False,
                    **extra,
                )
                if code == 130:  # typer's answer to a KeyboardInterrupt
                    raise KeyboardInterrupt
                finish_streams()
        except (typer.Abort, KeyboardInterrupt, SystemExit) as interrupt:
            if isinstance(interrupt, Ended) or getattr(interrupt, "code", 130) not in _INTERRUPTED:
                raise
            raise ended(interrupt) from None
        except Exception as error:
            message = _sentence(error)
            if message is None or debug:
                raise
            if not follows():  # the first rank of several reports for all
                say_sentence(f"chainrule: {message}", error=True)
            code = 2
        sys.exit(code if isinstance(code, int) else 0)


def _is_for_machines(arguments: Sequence[str]) -> bool:
    """Tell whether standard output is JSON."""
    if "--json" in arguments or "--format=json" in arguments:
        return True
    return ("--format", "json") in pairwise(arguments)


def _sentence(error: Exception) -> str | None:
    """Return the message for a user error; None for a bug, which is raised with its traceback."""
    if isinstance(error, ChainruleError):
        return str(error)
    elif isinstance(error, MemoryError):
        message = f"there is not enough memory ({error})"
    elif isinstance(error, OSError):
        message = error.strerror or str(error)
        if error.filename is not None:
            return f"{error.filename}: {message}"
    elif hasattr(error, "format_message"):  # a usage error; typer's versions differ in its class
        from chainrule.runs.program_name import called

        context = getattr(error, "ctx", None)
        command = called(context.command_path if context is not None else "chainrule")
        message = f"{error.format_message().rstrip('.')} (see {command} --help)"
    else:
        return None
    # Messages of typer may span several lines. Spaces within a line stay, since it may hold a
    # command.
    return " ".join(line.strip() for line in message.split("\n") if line.strip())


app = typer.Typer(
    name="chainrule",
    cls=Commands,
    rich_markup_mode="markdown",
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
    epilog="Example: chainrule train data.csv --target price --out run",
)


def _version(asked: bool) -> None:
    if asked:
        from chainrule import __version__

        say(f"chainrule {__version__}")
        raise typer.Exit


@app.callback(invoke_without_command=True)
def root(
    context: typer.Context,
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Show the version.")
    ] = False,
    debug: Annotated[
        bool, typer.Option("--debug", help="Show the traceback of an error, for any command.")
    ] = False,
) -> None:
    """Neural networks from their equations: train a model on a table, and predict with it."""
    if context.invoked_subcommand is None:
        print(context.get_help())


for _module in (
    training,
    launch,
    prediction,
    explanation,
    importance,
    drift,
    trace,
    animation,
    gradient_check,
    export,
    playground,
    information,
):
    _module.register(app)
