"""The address that a server listens at: the socket, and what a browser is told."""

import errno
import ipaddress
import os
import socket

from chainrule.checks import shown, whole_number
from chainrule.errors import InvalidArgumentError

FIRST_PORT = 8765
_PORTS_TRIED = 20


def is_loopback(host: str) -> bool:
    """Return whether a host name or address is that of this machine alone."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def listening_socket(host: str, port: int | None = None) -> socket.socket:
    """Return a socket that listens at a host and port.

    Parameters
    ----------
    host : str
        A name or an address.
    port : int, optional
        By default the first free one from `FIRST_PORT` on; 0 for any.

    Raises
    ------
    InvalidArgumentError
        If the host is not one of this machine's, or the port that was given is not free.
    """
    if not isinstance(host, str) or not host:
        raise InvalidArgumentError(
            f"host: expected a name or an address of this machine; got {shown(host)}"
        )
    if port is not None:
        return _bound(host, whole_number("port", port, 0, 65535))
    for candidate in range(FIRST_PORT, FIRST_PORT + _PORTS_TRIED):
        try:
            return _bound(host, candidate)
        except _PortInUseError:
            continue
    return _bound(host, 0)


class _PortInUseError(InvalidArgumentError):
    pass


def _bound(host: str, port: int) -> socket.socket:
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
    except (OSError, UnicodeError) as error:
        raise InvalidArgumentError(
            f"host: expected a name or an address of this machine; got {shown(host)} ({error})"
        ) from None
    # localhost may be both; browsers find either.
    family, kind, protocol, _, address = min(found, key=lambda one: one[0] != socket.AF_INET)
    listener = socket.socket(family, kind, protocol)
    try:
        if os.name == "posix":  # on Windows it would take the port away from another program
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(address)
        listener.listen(1)
    except OSError as error:
        listener.close()
        raise _refusal(error, host, port) from None
    return listener


def _refusal(error: OSError, host: str, port: int) -> InvalidArgumentError:
    if error.errno == errno.EADDRINUSE:
        return _PortInUseError(
            f"port: {port} is in use by another program; choose another one, or leave it out for "
            "the next free one"
        )
    if error.errno == errno.EACCES:
        return InvalidArgumentError(
            f"port: {port} is reserved for the system; choose one of at least 1024"
        )
    return InvalidArgumentError(
        f"host: {shown(host)} is not an address of this machine ({error.strerror or error})"
    )


def url_of(host: str, port: int, token: str | None) -> str:
    """Return the address that a browser opens."""
    query = "" if token is None else f"?token={token}"
    return f"http://{_reachable(host)}:{port}/{query}"


def _reachable(host: str) -> str:
    """Return the host as others name it; an address that stands for all is replaced by one."""
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        return host
    if address.is_unspecified:
        return _own_address()
    return f"[{host}]" if address.version == 6 else host


def _own_address() -> str:
    """Return the address of this machine in its network."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            probe.connect(("192.0.2.1", 9))  # chooses an interface; UDP sends nothing here
        except OSError:
            return socket.gethostname()
        return str(probe.getsockname()[0])
