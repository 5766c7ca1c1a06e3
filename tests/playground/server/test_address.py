"""Where a server listens, and what a browser is told."""

import socket

import pytest

import chainrule as cr
from chainrule.playground.server.address import FIRST_PORT, listening_socket, url_of
from chainrule.playground.server.process import Server
from chainrule.playground.session.sessions import Sessions
from tests.playground.server.pages import Echo, Served


def occupied(port: int) -> socket.socket | None:
    """Return a socket that listens at a port; None if another program does."""
    one = socket.socket()
    try:
        one.bind(("127.0.0.1", port))
    except OSError:
        one.close()
        return None
    one.listen(1)
    return one


def test_the_next_free_port_is_taken_if_none_was_given():
    first = occupied(FIRST_PORT)
    with listening_socket("127.0.0.1") as one:
        port = one.getsockname()[1]
        assert FIRST_PORT < port < FIRST_PORT + 20
        with listening_socket("127.0.0.1") as two:
            assert port < two.getsockname()[1] < FIRST_PORT + 20
    if first is not None:
        first.close()


def test_a_port_that_was_given_and_is_in_use_is_an_error_with_the_way_out():
    with listening_socket("127.0.0.1", 0) as one:
        port = one.getsockname()[1]
        with pytest.raises(cr.InvalidArgumentError, match=f"^port: {port} is in use by another"):
            listening_socket("127.0.0.1", port)


@pytest.mark.parametrize("port", [-1, 65536, 1.5, "8765", True])
def test_a_port_is_a_whole_number_that_ports_have(port):
    with pytest.raises(cr.InvalidArgumentError, match=r"^port: expected a whole number"):
        listening_socket("127.0.0.1", port)


@pytest.mark.parametrize(
    "host", ["", None, 7, "no.such.host.invalid", "203.0.113.7", "a b", "x" * 300]
)
def test_a_host_is_a_name_or_an_address_of_this_machine(host):
    with pytest.raises(cr.InvalidArgumentError, match=r"^host: "):
        listening_socket(host, 0)


def test_the_address_for_a_browser_names_a_machine_and_the_token():
    assert url_of("127.0.0.1", 8765, None) == "http://127.0.0.1:8765/"
    assert url_of("localhost", 8765, None) == "http://localhost:8765/"
    assert url_of("::1", 8765, None) == "http://[::1]:8765/"
    assert url_of("192.168.0.5", 80, "abc") == "http://192.168.0.5:80/?token=abc"
    assert "0.0.0.0" not in url_of("0.0.0.0", 80, "abc")


def test_a_server_that_cannot_start_leaves_nothing_behind():
    served = Served()
    with pytest.raises(cr.InvalidArgumentError, match="is in use"):
        Server(Sessions(Echo), port=served.server.port)
    served.server.stop()
    again = listening_socket("127.0.0.1", served.server.port)
    again.close()


def test_stopping_twice_and_at_once_harms_nothing():
    served = Served()
    served.server.stop()
    served.server.stop()
    assert not served.server.is_running
