"""Uploads, downloads, and the page's own files."""

import http.client
import tempfile
from pathlib import Path

import httpx
import pytest

from chainrule.playground.server.assets import read_assets
from chainrule.playground.server.transfers import DOWNLOADS
from tests.playground.server.pages import A, Served

MEGABYTE = 2**20


@pytest.fixture
def page_folder(tmp_path):
    folder = tmp_path / "page"
    (folder / "assets").mkdir(parents=True)
    (folder / "index.html").write_text("<!doctype html><title>the page</title>")
    (folder / "assets" / "main-1a2b.js").write_text("export const a = 1;\n" * 20_000)
    (folder / "icon.svg").write_text("<svg/>")
    (folder / "notes.secret").write_text("not of the page")
    (tmp_path / "outside.txt").write_text("outside")
    (folder / "link.txt").symlink_to(tmp_path / "outside.txt")
    return folder


@pytest.fixture
def with_page(page_folder):
    one = Served(page=page_folder)
    yield one
    one.server.stop()


def in_session(served: Served, path: str, identity: str = A) -> str:
    served.server._sessions.get(identity)
    return served.at(f"{path}{'&' if '?' in path else '?'}session={identity}")


def raw(served: Served, method: str, target: str, body: object = None, **headers: str):
    """Ask for a target as it is written, which httpx would make sense of first."""
    connection = http.client.HTTPConnection("127.0.0.1", served.server.port, timeout=10)
    connection.request(method, target, body=body, headers=headers)
    answer = connection.getresponse()
    found = answer.status, answer.read()
    connection.close()
    return found


def test_an_uploaded_table_reaches_the_session_and_leaves_no_file(served):
    url = in_session(served, "upload?name=adult.csv")
    answer = httpx.post(url, content=b"a,b\n1,2\n")
    assert answer.json() == {"table": "adult.csv", "rows": 8}
    name, content, path = served.sessions[0].uploaded[0]
    assert (name, content) == ("adult.csv", b"a,b\n1,2\n")
    assert not path.exists()
    assert not path.parent.exists()


def test_a_table_in_pieces_of_unknown_number_is_uploaded(served):
    url = in_session(served, "upload?name=a.csv")
    answer = httpx.post(url, content=(b"x" * 1000 for _ in range(1000)))
    assert answer.json()["rows"] == 1_000_000


@pytest.mark.parametrize(
    ("name", "kept"),
    [
        ("../../etc/passwd", "passwd"),
        ("C:\\Users\\me\\my table.csv", "my table.csv"),
        ("/", "table.csv"),
        ("..", "table.csv"),
        ("", "table.csv"),
        ("a\x00b\n.csv", "a_b_.csv"),
        ("é" * 300 + ".parquet", "é" * 40 + ".parquet"),
        ("\u202egnp.csv", "_gnp.csv"),
    ],
)
def test_the_name_of_a_table_has_no_folder_and_nothing_invisible(served, name, kept):
    url = in_session(served, "upload")
    answer = httpx.post(url, params={"name": name, "session": A}, content=b"1")
    assert answer.json()["table"] == kept


def test_what_is_no_table_is_refused_without_the_path_of_the_temporary_file(served):
    answer = httpx.post(in_session(served, "upload?name=a.csv"), content=b"bad")
    assert answer.status_code == 400
    assert answer.json()["message"] == "a.csv: is no table"
    assert tempfile.gettempdir() not in answer.text
    assert not served.sessions[0].uploaded[0][2].parent.exists()


def test_an_empty_table_is_refused(served):
    answer = httpx.post(in_session(served, "upload?name=a.csv"))
    assert answer.json()["message"] == "the table is empty: the file has no bytes"


def test_a_table_beyond_the_limit_is_refused_with_the_limit_and_never_kept(served, monkeypatch):
    folders_before = set(Path(tempfile.gettempdir()).glob("chainrule-*"))
    answer = httpx.post(
        in_session(served, "upload?name=a.csv"),
        content=(b"x" * MEGABYTE for _ in range(65)),
        timeout=60,
    )
    assert answer.status_code == 413
    assert "more than 64 MB, the limit of an upload" in answer.json()["message"]
    assert served.sessions[0].uploaded == []
    assert set(Path(tempfile.gettempdir()).glob("chainrule-*")) <= folders_before


def test_a_stated_length_beyond_the_limit_is_refused_before_a_byte_is_written(served):
    url = in_session(served, "upload?name=a.csv")
    answer = httpx.post(url, content=b"x" * (64 * MEGABYTE + 1), timeout=60)
    assert answer.status_code == 413


def test_an_upload_that_breaks_off_leaves_nothing(served):
    import socket
    import time

    in_session(served, "")
    before = set(Path(tempfile.gettempdir()).glob("chainrule-*"))
    with socket.create_connection(("127.0.0.1", served.server.port)) as one:
        head = f"POST /upload?name=a.csv&session={A} HTTP/1.1\r\nHost: localhost\r\n"
        one.sendall(head.encode() + b"Content-Length: 1000\r\n\r\nabc")
        time.sleep(0.2)
    for _ in range(1500):
        if set(Path(tempfile.gettempdir()).glob("chainrule-*")) <= before:
            break
        time.sleep(0.02)
    assert set(Path(tempfile.gettempdir()).glob("chainrule-*")) <= before
    assert served.sessions[0].uploaded == []


def test_an_upload_needs_a_session_that_a_page_has(served):
    answer = httpx.post(served.at(f"upload?name=a.csv&session={A}"), content=b"1")
    assert answer.status_code == 404
    assert served.sessions == []


def test_a_download_is_the_file_of_the_session(served):
    answer = httpx.get(in_session(served, "download/model.safetensors"))
    assert answer.content == b"content of model.safetensors"
    assert answer.headers["content-disposition"] == "attachment; filename*=UTF-8''model.safetensors"
    assert answer.headers["cache-control"] == "no-store"


def test_a_download_that_is_not_there_yet_is_a_sentence(served):
    answer = httpx.get(in_session(served, "download/history.csv"))
    assert answer.status_code == 409
    assert answer.text == "history.csv: there is none before the first epoch\n"


def test_a_mistake_in_a_download_is_told_without_details(served, caplog):
    answer = httpx.get(in_session(served, "download/model.onnx"))
    assert answer.status_code == 500
    assert "a bug in chainrule (KeyError)" in answer.text


@pytest.mark.parametrize(
    "target",
    [
        "/download/../../etc/passwd",
        "/download/..%2f..%2fetc%2fpasswd",
        "/download/passwd",
        "/../pyproject.toml",
        "/assets/../../server/security.py",
        "/assets/%2e%2e/icon.svg",
        "//etc/passwd",
        "/etc/passwd",
        "/%2fetc%2fpasswd",
        "/assets/",
        "/notes.secret",
        "/link.txt",
        "/index.html/..",
        "/page/index.html",
        "/icon.svg%00.html",
        "/assets\\..\\icon.svg",
    ],
)
def test_no_path_of_the_machine_can_be_read(with_page, target):
    with_page.server._sessions.get(A)
    separator = "&" if "?" in target else "?"
    for method in ("GET", "HEAD", "POST", "PUT", "DELETE"):
        status, body = raw(with_page, method, f"{target}{separator}session={A}")
        assert status in (400, 403, 404, 405)
        assert b"root:" not in body
        assert len(body) < 200


def test_only_what_the_page_offers_is_downloaded(served):
    for kind in DOWNLOADS - {"history.csv", "model.onnx"}:
        assert httpx.get(in_session(served, f"download/{kind}")).status_code == 200
    assert httpx.get(in_session(served, "download/report.html")).status_code == 404


def test_the_page_is_revalidated_and_its_assets_are_kept_for_ever(with_page):
    page = httpx.get(with_page.url)
    assert page.text == "<!doctype html><title>the page</title>"
    assert page.headers["cache-control"] == "no-cache"
    again = httpx.get(with_page.url, headers={"If-None-Match": page.headers["etag"]})
    assert (again.status_code, again.content) == (304, b"")
    script = httpx.get(with_page.at("assets/main-1a2b.js"))
    assert script.headers["cache-control"] == "public, max-age=31536000, immutable"
    assert script.headers["content-type"] == "text/javascript; charset=utf-8"
    assert script.text == "export const a = 1;\n" * 20_000
    assert httpx.head(with_page.at("assets/main-1a2b.js")).content == b""


def test_the_files_of_the_page_need_no_token(page_folder):
    """The browser asks for them without it; they are the same for everybody."""
    served = Served(page=page_folder, host="0.0.0.0")
    address = f"http://127.0.0.1:{served.server.port}"
    try:
        assert httpx.get(f"{address}/assets/main-1a2b.js").status_code == 200
        assert httpx.get(f"{address}/").status_code == 403
        assert httpx.get(f"{address}/index.html").status_code == 403
    finally:
        served.server.stop()


def test_an_installation_without_the_page_says_so(tmp_path):
    assets = read_assets(tmp_path / "nowhere")
    assert list(assets) == ["/"]
    assert b"has no page" in assets["/"].content
