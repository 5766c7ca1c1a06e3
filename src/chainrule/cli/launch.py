"""The command launch: starts train or resume on several ranks, and again if one is lost."""

import os
import shutil
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Annotated

import typer

from chainrule.cli.streams import say_sentence

_EXAMPLES = """Examples:

chainrule launch -n 4 train data.csv --target price

chainrule launch -n 4 --retries 3 train data.csv --target price --checkpoint --out run

chainrule launch -n 4 resume run
"""

# Exit codes that another start would not change: success, an error of the user's, Ctrl-C and the
# signals of the end of a session.
_FINAL = (0, 2, 130, 143, 129)

_KEPT = ("--every",)
_KEPT_FLAGS = ("--json", "--quiet", "-q", "--no-report", "--report")


def register(app: typer.Typer) -> None:
    """Add the command to the command line."""
    app.command(
        epilog=_EXAMPLES,
        context_settings={"ignore_unknown_options": True, "allow_interspersed_args": False},
    )(launch)


def launch(
    arguments: Annotated[
        list[str],
        typer.Argument(
            metavar="train … | resume …", help="The command to run.", show_default=False
        ),
    ],
    ranks: Annotated[
        int, typer.Option("-n", "--ranks", metavar="K", min=1, help="Number of ranks.")
    ] = 2,
    retries: Annotated[
        int,
        typer.Option(
            metavar="R",
            min=0,
            help="How often to start again from the last checkpoint after a rank was lost.",
        ),
    ] = 0,
) -> None:
    """Train one network with several processes, the ranks, by MPI on this machine.

    Each rank computes the gradients of --batch-size rows of every batch, so that K ranks train with
    batches K times as large. Each has its share of the cores, unless CHAINRULE_THREADS is set. If a
    rank is lost, all end; with --retries and train --checkpoint --out DIR, they start again from
    the last checkpoint. On a cluster, start the ranks with its own launcher instead: mpiexec or
    srun, followed by chainrule train.
    """
    from chainrule.errors import InvalidArgumentError

    if arguments[0] not in ("train", "resume"):
        raise InvalidArgumentError(
            f"launch: expected the command train or resume; got {arguments[0]!r}"
        )
    folder = _folder(arguments)
    if retries and folder is None:
        raise InvalidArgumentError(
            "--retries: expected train with --checkpoint and --out DIR, or resume DIR, so that "
            "there is a checkpoint to start again from; got neither"
        )
    launcher, environment = _launcher(ranks), _environment(ranks)
    code = _run([*launcher, *arguments], environment)
    for retry in range(1, retries + 1):
        if code in _FINAL:
            break
        assert folder is not None
        arguments = _again(arguments, folder)
        where = "from the last checkpoint" if arguments[0] == "resume" else "from the beginning"
        say_sentence(
            f"chainrule: a rank was lost (exit code {code}); starting again {where}, {retry} of "
            f"{retries}",
            error=True,
        )
        code = _run([*launcher, *arguments], environment)
    if code not in _FINAL:
        say_sentence(f"chainrule: a rank was lost (exit code {code}); all ranks ended", error=True)
    raise typer.Exit(code)


def _launcher(ranks: int) -> list[str]:
    """Return the beginning of the command line that starts chainrule on ranks.

    Raises
    ------
    InvalidArgumentError
        If there is no mpiexec.
    """
    from chainrule.errors import InvalidArgumentError

    beside = Path(sys.executable).with_name("mpiexec")
    found = str(beside) if beside.is_file() else shutil.which("mpiexec")
    if found is None:
        raise InvalidArgumentError(
            "launch: there is no mpiexec; install it with pip install 'chainrule[mpi]'"
        )
    # More ranks than cores are allowed, and threads decide themselves where they run.
    options = ["--map-by", ":OVERSUBSCRIBE", "--bind-to", "none"]
    if hasattr(os, "geteuid") and os.geteuid() == 0:
        options.append("--allow-run-as-root")
    return [found, *options, "-n", str(ranks), sys.executable, "-m", "chainrule"]


def _environment(ranks: int) -> Mapping[str, str]:
    """Return the environment of the ranks: the cores are divided between them.

    A rank that waits for the others lets other processes have its core, which costs nothing where
    there are none. Without that, ranks on cores that something else uses, too, are many times
    slower.
    """
    from chainrule.engines.native import default_threads

    threads = str(max(1, default_threads() // ranks))
    return {"CHAINRULE_THREADS": threads, "OMPI_MCA_mpi_yield_when_idle": "1", **os.environ}


def _run(command: Sequence[str], environment: Mapping[str, str]) -> int:
    """Run a command to its end, and return its exit code.

    Ctrl-C reaches it as well, and ends the ranks; their end is waited for.
    """
    process, interrupted = subprocess.Popen(command, env=environment), False
    while True:
        try:
            code = process.wait()
        except KeyboardInterrupt:
            interrupted = True
            continue
        except BaseException:
            process.terminate()
            process.wait()
            raise
        return 130 if interrupted else 128 - code if code < 0 else code


def _folder(arguments: Sequence[str]) -> Path | None:
    """Return the folder of a run with checkpoints; None if there are none, or it has no name."""
    if arguments[0] == "resume":
        names = [argument for argument in arguments[1:] if not argument.startswith("-")]
        return Path(names[0]) if names else None
    out = _value(arguments, "--out")
    return Path(out) if out is not None and "--checkpoint" in arguments else None


def _again(arguments: Sequence[str], folder: Path) -> list[str]:
    """Return the command that goes on with a run: from the beginning if it has no checkpoint."""
    from chainrule.runs.folder import RunFolder

    if not RunFolder(folder).has_checkpoint():
        # The folder is this run's own: the first start has made it so.
        return [*arguments, *([] if "--overwrite" in arguments else ["--overwrite"])]
    kept = [flag for flag in _KEPT_FLAGS if flag in arguments]
    for name in _KEPT:
        value = _value(arguments, name)
        if value is not None:
            kept += [name, value]
    return ["resume", str(folder), *kept]


def _value(arguments: Sequence[str], name: str) -> str | None:
    """Return the value of an option on a command line: after the name, or after name=."""
    for place, argument in enumerate(arguments):
        if argument.startswith(f"{name}="):
            return argument.removeprefix(f"{name}=")
        if argument == name and place + 1 < len(arguments):
            return arguments[place + 1]
    return None
