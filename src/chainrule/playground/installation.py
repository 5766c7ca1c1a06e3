"""The extra that the playground's server needs."""

from importlib.util import find_spec

from chainrule.errors import InvalidArgumentError

_PACKAGES = ("starlette", "uvicorn", "websockets")


def require_extra(name: str) -> None:
    """Raise if a package of the extra "play" is not installed.

    Parameters
    ----------
    name : str
        What needs it, for the message.

    Raises
    ------
    InvalidArgumentError
        With the command that installs it.
    """
    missing = [package for package in _PACKAGES if find_spec(package) is None]
    if missing:
        raise InvalidArgumentError(
            f"{name}: needs the package{'s' * (len(missing) > 1)} {', '.join(missing)}; install "
            f"{'them' if len(missing) > 1 else 'it'} with pip install 'chainrule[play]'"
        )
