"""The file by which `chainrule play RUN` finds the page of a running training."""

import stat

import pytest

import chainrule as cr
from chainrule.playground.live_address import read_address, written_address

URL = "http://127.0.0.1:8765/"


def test_the_address_can_be_read_within_the_block_by_its_user_alone(tmp_path):
    path = tmp_path / "live.url"
    with written_address(path, URL):
        assert read_address(path) == URL
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert not path.exists()


def test_it_is_removed_after_an_error_too(tmp_path):
    path = tmp_path / "live.url"
    with pytest.raises(KeyboardInterrupt), written_address(path, URL):
        raise KeyboardInterrupt
    assert not path.exists()


def test_the_file_of_a_training_that_was_killed_is_replaced(tmp_path):
    path = tmp_path / "live.url"
    path.write_text("http://127.0.0.1:9999/\n")
    with written_address(path, URL):
        assert read_address(path) == URL


def test_a_file_of_the_user_is_left_alone(tmp_path):
    path = tmp_path / "live.url"
    path.write_text("my notes")
    with (
        pytest.raises(cr.FileWriteError, match=r"live\.url is there, and no run of chainrule"),
        written_address(path, URL),
    ):
        raise AssertionError
    assert path.read_text() == "my notes"


def test_no_link_is_followed(tmp_path):
    (tmp_path / "elsewhere").write_text("")
    path = tmp_path / "live.url"
    path.symlink_to(tmp_path / "elsewhere")
    with pytest.raises(cr.FileWriteError), written_address(path, URL):
        raise AssertionError
    assert (tmp_path / "elsewhere").read_text() == ""


@pytest.mark.parametrize(
    "content",
    [
        *(b"", b"\xff", b"file:///etc/passwd", b"javascript:alert(1)", b"https://127.0.0.1:1/"),
        *(b"http://evil.example:1/", b"http://", b"http://localhost:b/", b"-h", b"http://[::1/"),
        *(b"http://evil.example\\@127.0.0.1:1/", b"http://a@127.0.0.1:1/"),
        *(b"http://127.0.0.1:1/\x1b[2J", b"http://127.0.0.1:1/\nb", b"http://localhost/"),
    ],
)
def test_what_is_no_address_of_a_page_is_none(tmp_path, content):
    path = tmp_path / "live.url"
    path.write_bytes(content)
    assert read_address(path) is None


def test_there_is_no_address_without_the_file(tmp_path):
    assert read_address(tmp_path / "live.url") is None
    assert read_address(tmp_path) is None
