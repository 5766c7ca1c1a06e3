import threading

import pytest

from chainrule.errors import InvalidArgumentError
from chainrule.playground.session.base import Client, TooManySessionsError
from chainrule.playground.session.sessions import (
    MAX_SESSIONS,
    SECONDS_UNTIL_CLOSED,
    SECONDS_UNTIL_PAUSED,
    Sessions,
)


class Fake:
    """A session that notes what happens to it."""

    def __init__(self, read_only=False):
        self.read_only, self.told = read_only, []

    def connect(self, client):
        self.told.append("connect")

    def disconnect(self, client):
        self.told.append("disconnect")

    def request(self, client, message):
        self.told.append(message["type"])

    def close(self):
        self.told.append("close")


class Clock:
    now = 0.0

    def __call__(self):
        return self.now


def identity(number):
    return f"{number:032x}"


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def sessions(clock):
    return Sessions(Fake, clock)


def client():
    return Client(push=lambda message: None)


def test_a_page_that_comes_back_finds_its_session(sessions):
    page = client()
    first = sessions.connect(identity(1), page)
    sessions.disconnect(identity(1), page)
    assert sessions.connect(identity(1), client()) is first
    assert sessions.connect(identity(2), client()) is not first
    assert sessions.find(identity(1)) is first
    assert sessions.find(identity(3)) is None
    assert len(sessions) == 2


@pytest.mark.parametrize("name", ["", "1", "g" * 32, "A" * 32, "0" * 33, "0" * 31 + "\n"])
def test_ids_have_32_hexadecimal_digits(sessions, name):
    with pytest.raises(InvalidArgumentError, match="session: expected 32 hexadecimal digits"):
        sessions.connect(name, client())


def test_an_idle_session_is_paused_once_and_then_closed(sessions, clock):
    page = client()
    session = sessions.connect(identity(1), page)
    clock.now = 10 * SECONDS_UNTIL_CLOSED
    sessions.tidy()
    assert session.told == ["connect"]  # a page is there
    sessions.disconnect(identity(1), page)
    clock.now += SECONDS_UNTIL_PAUSED
    sessions.tidy()
    sessions.tidy()
    assert session.told == ["connect", "disconnect", "pause"]
    clock.now += SECONDS_UNTIL_CLOSED
    sessions.tidy()
    assert session.told[-1] == "close"
    assert sessions.find(identity(1)) is None


def test_a_page_that_returns_in_time_keeps_the_training(sessions, clock):
    page = client()
    session = sessions.connect(identity(1), page)
    sessions.disconnect(identity(1), page)
    clock.now += SECONDS_UNTIL_PAUSED / 2
    sessions.connect(identity(1), client())
    clock.now += 2 * SECONDS_UNTIL_CLOSED
    sessions.tidy()
    assert "pause" not in session.told


def test_there_are_only_so_many_sessions_and_the_longest_idle_one_makes_room(sessions, clock):
    pages = [client() for _ in range(MAX_SESSIONS)]
    found = [sessions.connect(identity(n), page) for n, page in enumerate(pages)]
    with pytest.raises(TooManySessionsError, match="the limit of this server"):
        sessions.connect(identity(99), client())
    for number in (5, 3):
        clock.now += 1
        sessions.disconnect(identity(number), pages[number])
    sessions.connect(identity(99), client())
    assert found[5].told[-1] == "disconnect"
    sessions.tidy()  # closing may take a while, and no page waits for it
    assert found[5].told[-1] == "close"
    assert found[3].told[-1] == "disconnect"
    assert len(sessions) == MAX_SESSIONS


def test_all_sessions_are_closed_at_the_end(sessions):
    found = [sessions.connect(identity(n), client()) for n in range(3)]
    sessions.close()
    assert all(one.told[-1] == "close" for one in found)
    assert len(sessions) == 0
    with pytest.raises(TooManySessionsError, match="the playground has ended"):
        sessions.connect(identity(1), client())


def test_a_session_that_made_room_is_closed_at_the_end_too(sessions):
    pages = [client() for _ in range(MAX_SESSIONS)]
    found = [sessions.connect(identity(n), page) for n, page in enumerate(pages)]
    sessions.disconnect(identity(5), pages[5])
    sessions.connect(identity(99), client())
    sessions.close()
    assert all(one.told[-1] == "close" for one in found)


def test_sessions_are_closed_side_by_side(clock):
    both = threading.Barrier(2, timeout=20)

    class Slow(Fake):
        def close(self):
            both.wait()
            super().close()

    sessions = Sessions(Slow, clock)
    found = [sessions.connect(identity(n), client()) for n in range(2)]
    sessions.close()
    assert all(one.told[-1] == "close" for one in found)


def test_one_session_can_stand_for_all_ids(clock):
    session = Fake(read_only=True)
    sessions = Sessions.of(session)
    pages = [client(), client()]
    for number, page in enumerate(pages):
        assert sessions.connect(identity(number), page) is session
    sessions.disconnect(identity(0), pages[0])
    assert sessions.find(identity(7)) is session
    sessions.tidy()
    assert session.told == ["connect", "connect", "disconnect"]
    sessions.close()
    assert session.told[-1] == "close"
