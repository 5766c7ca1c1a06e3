"""The command line. Thin: it reads options, calls what does the work, and shows the result."""


def main() -> None:
    """Run the command line; the entry point ``chainrule``."""
    from chainrule.cli.app import app

    app(prog_name="chainrule")
