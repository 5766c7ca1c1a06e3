"""What `play` returns."""

import threading

import pytest

from chainrule.playground.handle import Playground


class Fake:
    def __init__(self) -> None:
        self.stopped = threading.Event()
        self.interrupted = False

    @property
    def is_running(self) -> bool:
        return not self.stopped.is_set()

    def wait(self) -> None:
        if self.interrupted:
            raise KeyboardInterrupt
        self.stopped.wait(10)

    def stop(self) -> None:
        self.stopped.set()


URL = "http://127.0.0.1:8765/?a=1&token=b"


def test_it_stops_at_the_end_of_a_with_block():
    with Playground(URL, Fake()) as page:
        assert page.is_running
    assert not page.is_running
    page.stop()


def test_waiting_ends_when_it_is_stopped_elsewhere():
    page = Playground(URL, Fake())
    threading.Timer(0.05, page.stop).start()
    page.wait()
    assert not page.is_running


def test_ctrl_c_while_waiting_stops_it():
    server = Fake()
    server.interrupted = True
    page = Playground(URL, server)
    page.wait()
    assert not page.is_running


def test_a_notebook_shows_a_link_and_a_frame_and_later_that_it_has_stopped():
    page = Playground(URL, Fake())
    html = page._repr_html_()
    assert 'href="http://127.0.0.1:8765/?a=1&amp;token=b"' in html
    assert '<iframe src="http://127.0.0.1:8765/?a=1&amp;token=b" title=' in html
    page.stop()
    assert page._repr_html_() == "<p>The playground has stopped.</p>"
    assert repr(page) == "Playground(stopped)"


def test_the_page_of_another_process_is_shown_and_not_stopped():
    page = Playground(URL, None)
    page.stop()
    page.wait()
    assert not page.is_running
    assert "iframe" in page._repr_html_()
    assert repr(page) == f"Playground({URL!r})"


def test_no_browser_is_opened_where_there_are_no_windows(monkeypatch):
    monkeypatch.setattr("sys.platform", "linux")
    monkeypatch.delenv("DISPLAY", raising=False)
    monkeypatch.delenv("WAYLAND_DISPLAY", raising=False)
    monkeypatch.setattr("webbrowser.open", lambda url: pytest.fail("it was opened"))
    assert not Playground(URL, None).open()


def test_a_browser_is_opened_where_there_are_windows(monkeypatch):
    opened = []
    monkeypatch.setattr("sys.platform", "linux")
    monkeypatch.setenv("DISPLAY", ":0")
    monkeypatch.setattr("webbrowser.open", lambda url: opened.append(url) or True)
    assert Playground(URL, None).open()
    assert opened == [URL]
