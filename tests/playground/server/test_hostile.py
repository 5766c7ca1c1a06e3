"""Clients that send what no page sends, too much of it, or too little."""

import asyncio
import json
import random
import socket
import threading
import time

import httpx
import pytest
import websockets

from chainrule.playground.server.limits import SECONDS_FOR_HEAD
from tests.playground.server.pages import A, ask, receive


def closed_with(served, payload) -> int:
    """Return the code with which a page that sends something is closed."""

    async def page():
        async with served.socket() as one:
            await receive(one, "hello")
            await one.send(payload)
            try:
                async with asyncio.timeout(10):
                    while True:
                        await one.recv()
            except websockets.ConnectionClosed as closed:
                return closed.rcvd.code

    return asyncio.run(page())


def still_answers(served) -> bool:
    async def page():
        async with served.socket() as one:
            return (await ask(one, "set", 5, value="here"))["value"] == "here"

    return httpx.get(served.url, timeout=20).status_code == 200 and asyncio.run(page())


@pytest.fixture
def quiet(caplog):
    """Fail if the server logged an exception."""
    yield
    assert [each for each in caplog.records if each.exc_info] == []


@pytest.mark.parametrize(
    "text",
    [
        "", "{", "null", "[]", "1", '"run"', "{}", '{"type":1}', '{"type":null,"id":1}', "NaN",
        '{"type":"run","id":"1"}', '{"type":"run","id":1.5}', '{"type":"run","id":-1}',
        '{"type":"run","id":true}', '{"type":"run","id":9007199254740993}',
        '{"type":"set","id":1,"value":"\\ud800"}', '{"type":"x","id":' + "9" * 5000 + "}",
        "[" * 100_000, '{"a":' * 50_000, '{"type":"run"} {"type":"run"}', "\x00", "type=run",
    ],
)  # fmt: skip
def test_a_malformed_message_is_answered_with_an_error_and_the_page_goes_on(served, quiet, text):
    async def page():
        async with served.socket() as one:
            await receive(one, "status")
            await one.send(text)
            told = await receive(one, "error")
            return told, await ask(one, "set", 2, value="here")

    told, after = asyncio.run(page())
    assert told["id"] is None
    assert told["message"].startswith("message: expected")
    assert len(told["message"]) < 300
    assert after["value"] == "here"


def test_a_message_without_an_id_is_answered_too(served):
    async def page():
        async with served.socket() as one:
            await one.send('{"type":"refuse"}')
            return await receive(one, "error")

    assert asyncio.run(page())["id"] is None


def test_a_binary_message_closes_the_page(served, quiet):
    assert closed_with(served, b"\x00\x01") == 1003
    assert still_answers(served)


def test_a_message_of_more_than_a_megabyte_closes_the_page(served, quiet):
    text = json.dumps({"type": "set", "id": 1, "value": "x" * 2**20})
    assert closed_with(served, text) == 1009
    assert still_answers(served)


def test_a_message_of_many_small_pieces_counts_as_one(served, quiet):
    async def page():
        async with served.socket() as one:
            await receive(one, "hello")

            async def pieces():
                for _ in range(1100):
                    yield "x" * 1024

            try:
                await one.send(pieces())
                while True:
                    await one.recv()
            except websockets.ConnectionClosed as closed:
                # The reason is lost if the connection is reset by what was still being sent.
                return closed.rcvd.code if closed.rcvd else 1009

    assert asyncio.run(page()) == 1009
    assert still_answers(served)


HANDSHAKE = (
    "GET /ws?session=" + A + " HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\n"
    "Connection: Upgrade\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
    "Sec-WebSocket-Version: 13\r\n\r\n"
).encode()


def masked(opcode: int, payload: bytes, first: int = 0x80) -> bytes:
    assert len(payload) < 126
    return bytes([first | opcode, 0x80 | len(payload), 0, 0, 0, 0]) + payload


@pytest.mark.parametrize(
    ("frame", "code"),
    [
        (masked(1, b"\xff\xfe"), 1007),  # no UTF-8
        (masked(3, b""), 1002),  # a reserved opcode
        (masked(1, b"{}", first=0xF0), 1002),  # reserved bits
        (bytes([0x81, 2]) + b"{}", 1002),  # not masked
        (masked(0, b"continues nothing"), 1002),
        (bytes([0x89, 0xFE, 1, 0, 0, 0, 0, 0]) + b"x" * 256, 1002),  # a long ping
        (bytes([0x81, 0xFF]) + (2**63).to_bytes(8, "big") + bytes(4), None),  # 9 exabytes
        (bytes([0x81, 0xFF]) + (2**40).to_bytes(8, "big") + bytes(4), 1009),
        (bytes(range(256)), None),
    ],
)
def test_a_malformed_frame_closes_the_page(served, quiet, frame, code):
    with socket.create_connection(("127.0.0.1", served.server.port), timeout=10) as one:
        one.sendall(HANDSHAKE)
        assert one.recv(12) == b"HTTP/1.1 101"
        time.sleep(0.05)
        one.sendall(frame)
        received = b""
        while piece := one.recv(65536):
            received += piece
    if code is not None:
        assert b"\x88" in received
        assert code.to_bytes(2, "big") in received
    assert still_answers(served)


@pytest.mark.parametrize(
    "bytes_sent",
    [
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + bytes(100),  # TLS
        b"GET / HTTP/1.1\r\n\r\n",
        b"GET / HTTP/9.9\r\nHost: localhost\r\n\r\n",
        b"GET  HTTP/1.1\r\nHost: localhost\r\n\r\n",
        b"GET /\xff\xfe HTTP/1.1\r\nHost: localhost\r\n\r\n",
        b"GET /?\xff HTTP/1.1\r\nHost: localhost\r\n\r\n",
        b"GET /%ff%fe HTTP/1.1\r\nHost: localhost\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: localhost\r\nHost: localhost\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: \xff\xfe\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: localhost\r\nOrigin: \xff\r\n\r\n",
        b"POST /upload?session=" + A.encode() + b" HTTP/1.1\r\nHost: localhost\r\n"
        b"Content-Length: x\r\n\r\n",
        b"POST /upload?session=" + A.encode() + b" HTTP/1.1\r\nHost: localhost\r\n"
        b"Transfer-Encoding: chunked\r\nContent-Length: 5\r\n\r\nzzz\r\n",
        b"GET /ws HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n",
        b"GET /ws HTTP/1.1\r\nHost: localhost\r\nUpgrade: h2c\r\nConnection: Upgrade\r\n\r\n",
        b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
        b"CONNECT evil.example:443 HTTP/1.1\r\nHost: localhost\r\n\r\n",
        b"GET http://evil.example/ HTTP/1.1\r\nHost: evil.example\r\n\r\n",
        b"\r\n" * 10_000,
        b"GET / HTTP/1.1\r\nHost: localhost\r\nX: " + b"y" * 100_000 + b"\r\n\r\n",
        b"GET / HTTP/1.1\r\n" + b"".join(b"X%d: y\r\n" % i for i in range(20_000)) + b"\r\n",
    ],
)
def test_bytes_that_are_no_request_are_refused(served, quiet, bytes_sent):
    with socket.create_connection(("127.0.0.1", served.server.port), timeout=10) as one:
        received = b""
        try:
            one.sendall(bytes_sent)
            one.shutdown(socket.SHUT_WR)
            while piece := one.recv(65536):
                received += piece
        except OSError:  # closed while it was being sent
            pass
    if received:
        status = int(received.split()[1])
        assert status < 500
    assert still_answers(served)


def test_random_bytes_after_the_handshake_harm_nobody(served, quiet):
    drawn = random.Random(0)
    for _ in range(60):
        with socket.create_connection(("127.0.0.1", served.server.port), timeout=10) as one:
            one.sendall(HANDSHAKE + drawn.randbytes(drawn.randrange(1, 2000)))
            one.shutdown(socket.SHUT_WR)
            while one.recv(65536):
                pass
    assert still_answers(served)


def test_a_flood_of_messages_is_read_no_faster_than_it_is_worked_off(served, quiet):
    """What waits is bounded by the queues of a page and the system's buffers, not by the flood."""

    async def flood():
        async with served.socket() as one:
            await receive(one, "hello")
            loop = asyncio.get_running_loop()
            began, sent = loop.time(), 0
            while loop.time() < began + 2:
                try:
                    async with asyncio.timeout(0.2):
                        await one.send('{"type":"set","id":1,"value":"' + "x" * 1000 + '"}')
                        sent += 1
                except TimeoutError:
                    continue
            one.transport.abort()
            return sent, len(served.sessions[0].asked), loop.time() - began

    sent, asked, seconds = asyncio.run(flood())
    assert asked <= 400 + 200 * (seconds + 1)
    assert sent < 100_000
    assert still_answers(served)


def test_a_page_that_asks_and_never_reads_is_not_answered_for_ever(served, quiet):
    with socket.create_connection(("127.0.0.1", served.server.port), timeout=10) as one:
        one.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        one.sendall(HANDSHAKE)
        one.settimeout(2)
        head = b'{"type":"set","id":1,"value":"'
        body = head + b"x" * (60_000 - len(head)) + b'"}'
        frame = bytes([0x81, 0xFE]) + len(body).to_bytes(2, "big") + bytes(4) + body
        sent = 0
        try:
            for _ in range(2000):
                one.sendall(frame)
                sent += 1
        except TimeoutError:
            pass
        assert sent < 1000
        assert still_answers(served)


def test_many_connections_that_say_nothing_are_closed_and_the_first_page_goes_on(served, quiet):
    async def page():
        async with served.socket() as one:
            await receive(one, "hello")
            opened = []
            for _ in range(600):
                try:
                    other = socket.create_connection(("127.0.0.1", served.server.port), timeout=5)
                except OSError:
                    continue
                opened.append(other)
                if len(opened) > 400:  # this process has a limit of open files, too
                    opened.pop(0).close()
            connections = served.server._server.server_state.connections
            # What is closed as one too many is forgotten a moment later. Those that say nothing
            # would be closed as such after SECONDS_FOR_HEAD only.
            async with asyncio.timeout(SECONDS_FOR_HEAD / 2):
                while len(connections) > 257:
                    await asyncio.sleep(0.01)
            answer = await ask(one, "set", 9, value="here")
            for other in opened:
                other.close()
            return answer["value"]

    assert asyncio.run(page()) == "here"


def test_more_pages_than_there_may_be_are_told_to_come_later(served, quiet):
    async def pages():
        opened = []
        for _ in range(64):
            one = await served.socket(A)
            opened.append(one)
        async with served.socket(A) as late:
            with pytest.raises(websockets.ConnectionClosed) as closed:
                await late.recv()
        answer = await ask(opened[0], "set", 9, value="here")
        for one in opened:
            await one.close()
        return closed.value.rcvd, answer["value"]

    closed, answer = asyncio.run(pages())
    assert closed.code == 1013
    assert "64 pages are open" in closed.reason
    assert answer == "here"
    assert still_answers(served)


def test_more_sessions_than_there_may_be_are_told_to_come_later(served, quiet):
    async def pages():
        opened = [await served.socket(f"{number:032x}") for number in range(32)]
        for one in opened:
            await receive(one, "hello")
        async with served.socket(f"{99:032x}") as late:
            told = await receive(late, "error")
            with pytest.raises(websockets.ConnectionClosed) as closed:
                await late.recv()
        for one in opened:
            await one.close()
        return told["message"], closed.value.rcvd.code

    told, code = asyncio.run(pages())
    assert "32 sessions are open" in told
    assert code == 1013


def is_closed_while_sending(connection: socket.socket, sent_slowly: bytes) -> bool:
    """Send a byte every 0.05 seconds; tell whether the other side closed the connection."""
    try:
        for byte in sent_slowly:
            connection.sendall(bytes([byte]))
            time.sleep(0.05)
    except OSError:
        return True
    return False


def test_a_slow_head_and_a_slow_second_request_are_closed(served, quiet, monkeypatch):
    from chainrule.playground.server import connections

    monkeypatch.setattr(connections, "SECONDS_FOR_HEAD", 0.3)
    for begin in (b"", b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n"):
        with socket.create_connection(("127.0.0.1", served.server.port), timeout=10) as one:
            if begin:
                one.sendall(begin)
                assert one.recv(65536).startswith(b"HTTP/1.1 200")
            assert is_closed_while_sending(one, b"GET / HTTP/1.1\r\nX: " + b"y" * 400)


def test_a_slow_upload_is_closed(served, quiet, monkeypatch):
    from chainrule.playground.server import connections

    monkeypatch.setattr(connections, "SECONDS_FOR_EXCHANGE", 0.3)
    served.server._sessions.get(A)
    with socket.create_connection(("127.0.0.1", served.server.port), timeout=10) as one:
        head = (
            f"POST /upload?session={A} HTTP/1.1\r\nHost: localhost\r\nContent-Length: 999\r\n\r\n"
        )
        one.sendall(head.encode())
        assert is_closed_while_sending(one, b"x" * 400)
    assert served.sessions[0].uploaded == []


def test_a_page_stays_connected_for_longer_than_an_exchange_may_take(served, quiet, monkeypatch):
    from chainrule.playground.server import connections

    monkeypatch.setattr(connections, "SECONDS_FOR_EXCHANGE", 1.0)

    async def page():
        async with served.socket() as one:
            await receive(one, "hello")
            await asyncio.sleep(1.5)
            return (await ask(one, "set", 9, value="here"))["value"]

    assert asyncio.run(page()) == "here"


def test_a_download_that_nobody_reads_is_not_kept_in_memory(served, quiet, monkeypatch):
    served.server._sessions.get(A)
    content = b"x" * (32 * 2**20)
    served.sessions[0].download = lambda kind: (kind, content, "text/csv")  # type: ignore[method-assign]
    with socket.create_connection(("127.0.0.1", served.server.port), timeout=10) as one:
        one.sendall(
            f"GET /download/data.csv?session={A} HTTP/1.1\r\nHost: localhost\r\n\r\n".encode()
        )
        one.recv(2**16)
        (connection,) = served.server._server.server_state.connections
        assert connection.transport.get_write_buffer_size() < 2**20


def test_uploads_at_once_are_bounded(served, quiet):
    served.server._sessions.get(A)
    head = f"POST /upload?session={A} HTTP/1.1\r\nHost: localhost\r\nContent-Length: 999\r\n\r\nx"
    opened = []
    for _ in range(4):
        one = socket.create_connection(("127.0.0.1", served.server.port), timeout=10)
        one.sendall(head.encode())
        opened.append(one)
    for _ in range(1500):  # until all four have arrived
        answer = httpx.post(served.at(f"upload?session={A}"), content=b"1")
        if answer.status_code != 200:
            break
        time.sleep(0.02)
    assert answer.status_code == 503
    assert "4 tables are being uploaded" in answer.json()["message"]
    for one in opened:
        one.close()
    for _ in range(1500):
        if httpx.post(served.at(f"upload?session={A}"), content=b"1").status_code == 200:
            return
        time.sleep(0.02)
    raise AssertionError("the uploads that broke off are still counted")


def test_requests_of_one_page_that_hang_hold_up_no_other_page(served, quiet):
    release = threading.Event()

    async def pages():
        async with served.socket(A, max_queue=None) as one, served.socket("b" * 32) as two:
            await receive(one, "hello")
            await receive(two, "hello")
            answer_of = served.sessions[0].request

            def hang(client, message):
                release.wait(20)
                return answer_of(client, message)

            served.sessions[0].request = hang
            for number in range(10):
                await one.send(json.dumps({"id": number, "type": "set"}))
                await one.send(json.dumps({"id": number, "type": "surface"}))
            answer = await ask(two, "set", 9, value="here")
            release.set()
            return answer["value"]

    assert asyncio.run(pages()) == "here"
