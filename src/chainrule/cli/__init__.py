"""The command line. It is thin: it reads options, calls the library, and shows the result."""

import sys


def main() -> None:
    """Run the command line; the entry point ``chainrule``."""
    from chainrule.cli.interrupts import run

    run(_main)


def _main() -> None:
    from chainrule.cli.limits import fit_to_limits
    from chainrule.errors import ChainruleError

    try:
        fit_to_limits(sys.argv[1:])
    except ChainruleError as error:
        if sys.stderr is not None:
            sys.stderr.write(f"chainrule: {error}\n")
        sys.exit(2)
    from chainrule.cli.app import app

    app(prog_name="chainrule")
