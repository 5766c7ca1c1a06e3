"""The commands put together, and the one place where a mistake becomes a sentence."""

import sys
from collections.abc import Sequence
from typing import Annotated, Any, NoReturn

import typer
from typer.core import TyperGroup

from chainrule.cli import explanation, export, gradient_check, information, prediction, training
from chainrule.cli.interrupts import terminated_as_interrupted
from chainrule.cli.streams import prepare_streams, say
from chainrule.errors import ChainruleError


class Commands(TyperGroup):
    """Ends with exit code 2 and one sentence on standard error after a user's mistake."""

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
        # Taken out here, so that it may stand anywhere in the line.
        debug = "--debug" in arguments
        arguments = [argument for argument in arguments if argument != "--debug"]
        prepare_streams(machines="--json" in arguments)
        try:
            # Whatever is written for the moment is removed, however the command ends.
            with terminated_as_interrupted():
                code = super().main(
                    *(arguments, prog_name or "chainrule", complete_var),
                    standalone_mode=False,
                    **extra,
                )
        except typer.Abort:  # how older versions of typer tell of Ctrl-C
            say("chainrule: interrupted", error=True)
            code = 130
        except Exception as error:
            message = _sentence(error)
            if message is None or debug:
                raise
            say(f"chainrule: {message}", error=True)
            code = 2
        sys.exit(code if isinstance(code, int) else 0)


def _sentence(error: Exception) -> str | None:
    """Return what to tell a user; None for what is a defect of the program."""
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
    # Of typer, whose sentences may go over several lines; a command in one keeps its spaces.
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
        bool, typer.Option("--debug", help="Show the traceback of an error; for any command.")
    ] = False,
) -> None:
    """Neural networks from their equations: from a table to a model, and what it predicts."""
    if context.invoked_subcommand is None:
        print(context.get_help())


for _module in (training, prediction, explanation, gradient_check, export, information):
    _module.register(app)
