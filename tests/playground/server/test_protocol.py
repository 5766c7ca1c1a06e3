"""The protocol, without a browser: a client of WebSockets at a real server."""

import asyncio
import json
import logging

import httpx
import pytest
import websockets

from tests.playground.server.pages import A, B, Served, ask, receive


def test_the_first_message_is_hello_and_the_session_follows(served):
    async def page():
        async with served.socket() as one:
            return [json.loads(await one.recv()) for _ in range(2)]

    hello, status = asyncio.run(page())
    assert hello["type"] == "hello"
    assert hello["protocol"] == 1
    assert hello["mode"] == "play"
    assert hello["upload_limit"] == 64 * 2**20
    assert status == {"type": "status", "running": False}


def test_a_reply_repeats_the_number_of_its_request(served):
    async def page():
        async with served.socket() as one:
            return await ask(one, "configure", 17, value={"a": [1, 2]})

    assert asyncio.run(page()) == {"type": "reply", "id": 17, "value": {"a": [1, 2]}}


def test_replies_to_changes_come_in_the_order_of_the_requests(served):
    async def page():
        async with served.socket() as one:
            for number in range(50):
                await one.send(json.dumps({"id": number, "type": "set", "value": number}))
            return [(await receive(one, "reply"))["value"] for _ in range(50)]

    assert asyncio.run(page()) == list(range(50))


def test_an_error_of_the_session_is_its_sentence(served):
    async def page():
        async with served.socket() as one:
            return await ask(one, "refuse", 3)

    told = asyncio.run(page())
    assert told == {"type": "error", "id": 3, "message": "speed: expected a number > 0; got -1"}


def test_a_mistake_is_told_without_details_and_logged(served, caplog):
    async def page():
        async with served.socket() as one:
            told = await ask(one, "break", 3)
            return told, await ask(one, "set", 4, value=1)

    told, after = asyncio.run(page())
    assert "KeyError" in told["message"]
    assert "a bug in chainrule" in told["message"]
    assert after["value"] == 1
    assert "a request of the page failed" in caplog.text


def test_frames_come_when_there_is_something_new(served):
    async def page():
        async with served.socket() as one:
            first = await receive(one, None)
            served.sessions[0].version = 7
            return first, await receive(one, None)

    first, second = asyncio.run(page())
    assert int.from_bytes(first[:4], "little") == 0
    assert int.from_bytes(second[:4], "little") == 7


def test_a_message_that_is_pushed_often_is_kept_only_as_the_latest(served):
    async def page():
        async with served.socket() as one:
            await receive(one, "status")
            await one.send(json.dumps({"id": 1, "type": "push", "of": "news", "times": 20_000}))
            numbers = []
            while not numbers or numbers[-1] < 19_999:
                numbers.append((await receive(one, "news"))["number"])
            return numbers

    numbers = asyncio.run(page())
    assert numbers == sorted(numbers)
    assert len(numbers) < 2_000


def test_two_windows_of_one_session_see_the_same_training(served):
    async def pages():
        async with served.socket(A) as one, served.socket(A) as two:
            await receive(one, None)
            await receive(two, None)
            served.sessions[0].version = 5
            return await receive(one, None), await receive(two, None)

    one, two = asyncio.run(pages())
    assert one == two
    assert len(served.sessions) == 1


def test_two_sessions_do_not_disturb_each_other(served):
    async def pages():
        async with served.socket(A) as one, served.socket(B) as two:
            await receive(one, None)
            await receive(two, None)
            served.sessions[1].version = 5
            return await receive(two, None)

    assert asyncio.run(pages())[0] == 5
    assert len(served.sessions) == 2


def test_a_reload_comes_back_to_the_same_session(served):
    async def pages():
        for _ in range(3):
            async with served.socket(A) as one:
                await receive(one, "hello")
        async with asyncio.timeout(10):
            while served.sessions[0].clients:
                await asyncio.sleep(0.01)

    asyncio.run(pages())
    assert len(served.sessions) == 1


def test_a_page_without_a_session_is_told_why(served):
    async def page(identity):
        async with served.socket(identity) as one:
            told = json.loads(await one.recv())
            with pytest.raises(websockets.ConnectionClosed) as closed:
                await one.recv()
            return told, closed.value.rcvd.code

    for identity in ("", "A" * 32, "../../etc/passwd", "a" * 33):
        told, code = asyncio.run(page(identity))
        assert told["message"] == "session: expected 32 hexadecimal digits"
        assert code == 1008


def test_a_hidden_page_gets_no_frames(served):
    from dataclasses import replace

    async def page():
        async with served.socket() as one:
            await receive(one, None)
            client = served.sessions[0].clients[0]
            client.view = replace(client.view, hidden=True)
            await asyncio.sleep(0.1)
            served.sessions[0].version = 3
            with pytest.raises(TimeoutError):
                await asyncio.wait_for(one.recv(), 0.4)
            client.view = replace(client.view, hidden=False)
            return await receive(one, None)

    assert asyncio.run(page())[0] == 3


def test_a_page_that_acknowledges_has_at_most_two_frames_on_their_way(served):
    async def page():
        async with served.socket() as one:
            await receive(one, None)
            await one.send('{"type":"drawn"}')
            for _ in range(2):  # which it does not draw
                served.sessions[0].version += 1
                await receive(one, None)
            served.sessions[0].version += 1
            with pytest.raises(TimeoutError):
                await asyncio.wait_for(one.recv(), 0.5)
            served.sessions[0].version = 200
            await asyncio.sleep(0.1)
            await one.send('{"type":"drawn"}')  # the newest of them alone
            return await receive(one, None)

    assert asyncio.run(page())[0] == 200


def test_a_page_that_does_not_read_catches_up_at_once(served):
    """What waits for it is bounded: after the system's buffers are read, the newest is there."""

    async def page():
        async with served.socket(A, max_queue=1) as one, served.socket(A) as two:
            await receive(two, "hello")
            session = served.sessions[0]
            session.frame_bytes = 2**20  # so that the system's buffers hold only a few
            for _ in range(60):
                session.version += 1
                await receive(two, None)
            session.version = 1000
            await receive(two, None)
            versions = []
            while not versions or versions[-1] != 1000:
                versions.append(int.from_bytes((await receive(one, None))[:4], "little"))
            return versions

    versions = asyncio.run(page())
    assert len(versions) < 20


def test_when_the_server_stops_its_pages_are_told_and_sessions_closed():
    served = Served()

    async def page():
        async with served.socket() as one:
            await receive(one, "hello")
            await asyncio.get_running_loop().run_in_executor(None, served.server.stop)
            try:
                while True:
                    await one.recv()
            except websockets.ConnectionClosed as closed:
                return closed.rcvd.code

    assert asyncio.run(page()) == 1012
    assert served.sessions[0].closed
    assert not served.server.is_running
    with pytest.raises(httpx.ConnectError):
        httpx.get(served.url)


def test_a_page_that_vanishes_is_noticed(served):
    async def page():
        one = await served.socket()
        await receive(one, "hello")
        one.transport.abort()  # no closing handshake, as when its process is killed
        for _ in range(1500):
            if not served.sessions[0].clients:
                return True
            await asyncio.sleep(0.02)
        return False

    assert asyncio.run(page())


def test_no_record_of_a_page_is_logged(served, caplog):
    caplog.set_level(logging.DEBUG)

    async def page():
        async with served.socket() as one:
            await receive(one, "hello")

    asyncio.run(page())
    assert [each for each in caplog.records if each.name.startswith("uvicorn")] == []
