"""Who is let in, and with which headers they are answered."""

import asyncio
import re
import socket
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest
import websockets

from chainrule.playground.server.address import is_loopback
from chainrule.playground.server.security import Guard
from tests.playground.server.pages import A, Served, receive

HEADERS = {
    "x-content-type-options": "nosniff",
    "referrer-policy": "no-referrer",
    "cross-origin-resource-policy": "same-origin",
}


@pytest.fixture
def open_to_others():
    one = Served(host="0.0.0.0")
    yield one
    one.server.stop()


def local(served: Served, path: str = "", **headers: str) -> httpx.Response:
    """Ask a server that is open to other machines by its loopback address."""
    return httpx.get(f"http://127.0.0.1:{served.server.port}/{path}", headers=headers)


def opened(url: str, **options) -> int:
    """Return 101 if a WebSocket was opened, or else the status of the refusal."""

    async def page():
        try:
            async with websockets.connect(url, **options):
                return 101
        except websockets.InvalidStatus as refused:
            return refused.response.status_code

    return asyncio.run(page())


@pytest.mark.parametrize("path", ["", "ws", "upload", "download/run.toml", "nothing/of/the/kind"])
def test_every_response_has_the_headers_of_safety(served, path):
    answer = httpx.get(served.at(path))
    assert HEADERS.items() <= dict(answer.headers).items()
    policy = answer.headers["content-security-policy"]
    assert policy.startswith("default-src 'none'; script-src 'self'; style-src 'self'; ")
    assert "unsafe" not in policy
    assert "frame-ancestors 'none'" in policy
    assert f"connect-src 'self' ws://127.0.0.1:{served.server.port};" in policy
    assert answer.headers["cache-control"] in ("no-store", "no-cache")
    assert "server" not in answer.headers


def test_only_a_page_for_a_notebook_may_be_framed():
    served = Served(framed=True)
    policy = httpx.get(served.url).headers["content-security-policy"]
    served.server.stop()
    assert "frame-ancestors 'self' http://localhost:* http://127.0.0.1:*" in policy
    assert "*;" not in policy.replace(":*", "")


def test_a_server_is_at_this_machine_alone_unless_it_is_told_otherwise(served):
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(("127.0.0.2", served.server.port), timeout=5)
    assert served.url == f"http://127.0.0.1:{served.server.port}/"


@pytest.mark.parametrize(
    "host",
    [
        "evil.example",
        "evil.example:{port}",
        "127.0.0.1.evil.example",
        "192.168.0.5:{port}",
        "",
        "[::1",
        "a b",
        "127.0.0.1@evil.example",
        "127.0.0.1:{port}/x",
        "localhost:x",
    ],
)
def test_another_host_is_refused(served, host):
    """As it comes from a page whose name was rebound to this machine."""
    host = host.format(port=served.server.port)
    answer = httpx.get(served.url, headers={"Host": host})
    assert answer.status_code in (400, 421)
    assert not host or host not in answer.text


@pytest.mark.parametrize(
    "host", ["127.0.0.1:{port}", "localhost:{port}", "LOCALHOST", "[::1]:9000"]
)
def test_the_names_of_this_machine_are_accepted(served, host):
    """With any port: a tunnel such as that of SSH may lead here from another one."""
    host = host.format(port=served.server.port)
    assert httpx.get(served.url, headers={"Host": host}).status_code == 200


@pytest.mark.parametrize(
    "origin",
    [
        "http://evil.example",
        "null",
        "http://127.0.0.1:1",
        "http://localhost:{port}",
        "file://",
        "https://127.0.0.1.evil.example",
        "http://127.0.0.1:{port}.evil.example",
        "x://127.0.0.1:{port}",
    ],
)
def test_a_page_of_another_origin_is_refused(served, origin):
    origin = origin.format(port=served.server.port)
    assert httpx.get(served.url, headers={"Origin": origin}).status_code == 403
    upload = httpx.post(served.at(f"upload?session={A}&name=a.csv"), headers={"Origin": origin})
    assert upload.status_code == 403
    address = served.at(f"ws?session={A}").replace("http", "ws")
    assert opened(address, origin=origin) == 403
    assert served.sessions == []


def test_its_own_page_may_do_everything(served):
    origin = served.url.rstrip("/")
    assert opened(served.at(f"ws?session={A}").replace("http", "ws"), origin=origin) == 101
    upload = httpx.post(
        served.at(f"upload?session={A}&name=a.csv"), headers={"Origin": origin}, content=b"1"
    )
    assert upload.status_code == 200


def test_what_another_site_embeds_is_refused_though_it_has_no_origin(served):
    """An <img>, a <script> or a link to a download of this server, in a page of another site."""
    for mode in ("no-cors", "navigate"):
        headers = {"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": mode}
        assert httpx.get(served.at("download/run.toml"), headers=headers).status_code == 403
    assert httpx.get(served.url, headers=headers).status_code == 200  # a link to the page itself


def test_a_server_for_other_machines_has_a_token_in_its_address(open_to_others):
    token = parse_qs(urlsplit(open_to_others.url).query)["token"][0]
    assert re.fullmatch(r"[\w-]{32}", token)
    assert local(open_to_others, f"?token={token}").status_code == 200
    again = Served(host="0.0.0.0")
    again.server.stop()
    assert token not in again.url


@pytest.mark.parametrize("query", ["", "token=", "token=guess", "token={token}x", "Token={token}"])
def test_without_the_token_nothing_is_answered(open_to_others, query):
    token = parse_qs(urlsplit(open_to_others.url).query)["token"][0]
    query = query.format(token=token)
    for path in ("", f"download/run.toml?session={A}"):
        answer = local(open_to_others, f"{path}{'&' if '?' in path else '?'}{query}")
        assert answer.status_code == 403
        assert token not in answer.text
    address = f"127.0.0.1:{open_to_others.server.port}"
    assert httpx.post(f"http://{address}/upload?session={A}&{query}").status_code == 403
    assert opened(f"ws://{address}/ws?session={A}&{query}") == 403
    assert open_to_others.sessions == []


def test_with_the_token_a_page_of_another_origin_is_refused_all_the_same(open_to_others):
    query = urlsplit(open_to_others.url).query
    answer = local(open_to_others, f"?{query}", Origin="http://evil.example")
    assert answer.status_code == 403


def test_a_server_for_other_machines_is_known_by_addresses_and_its_own_name(open_to_others):
    query = urlsplit(open_to_others.url).query
    for host in ("10.1.2.3:80", "[fe80::1]:80", socket.gethostname()):
        assert local(open_to_others, f"?{query}", Host=host).status_code == 200
    assert local(open_to_others, f"?{query}", Host="evil.example").status_code == 421


def test_a_token_that_is_no_ascii_is_wrong(open_to_others):
    assert local(open_to_others, "?token=%C3%A9").status_code == 403
    assert local(open_to_others, "?token=%FF").status_code == 403


def test_a_query_of_very_many_fields_is_refused(open_to_others):
    assert local(open_to_others, "?" + "a=1&" * 1000).status_code == 400


def test_loopback_is_told_from_other_hosts():
    for host in ("localhost", "127.0.0.1", "127.9.9.9", "::1"):
        assert is_loopback(host)
        assert Guard.of(host).token is None
    for host in ("0.0.0.0", "::", "192.168.1.1", "example.org", "localhost.example.org", ""):
        assert not is_loopback(host)
        assert Guard.of(host).token is not None


def test_the_page_of_a_server_for_others_says_its_address_once_opened(open_to_others):
    async def page():
        query = urlsplit(open_to_others.url).query
        address = f"ws://127.0.0.1:{open_to_others.server.port}/ws?session={A}&{query}"
        async with websockets.connect(address) as one:
            return await receive(one, "hello")

    assert asyncio.run(page())["mode"] == "play"
