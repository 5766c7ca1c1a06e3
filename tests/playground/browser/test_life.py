"""Reloads, two windows, and a server that is gone."""

from chainrule.playground.server.process import Server
from chainrule.playground.session.opening import sessions_for_play


def test_a_reload_comes_back_to_the_same_training(tab, session):
    tab.page.get_by_label("Activation", exact=True).select_option("relu")
    tab.until(lambda: tab.state.get("activation") == "relu")
    tab.train(3)
    weights, shown = session(tab).weights(), tab.page.inner_text("dl.losses")
    tab.page.reload()
    tab.ready()
    tab.until(lambda: tab.epoch == 3)
    tab.until(lambda: tab.page.inner_text("dl.losses") == shown)
    assert session(tab).weights() == weights
    assert tab.page.get_by_label("Activation", exact=True).input_value() == "relu"


def test_two_windows_do_not_disturb_each_other(tabs, session):
    one, other = tabs.open(), tabs.open()
    one.train(2)
    assert other.epoch == 0
    assert session(one).weights() != session(other).weights()


def test_the_address_of_one_window_opens_the_same_network_in_another(tabs, session):
    one = tabs.open("#data=toy&name=gauss&layers=[3]")
    one.until(
        lambda: one.state.get("learning_rate") is not None or one.state.get("layers") == "[3]"
    )
    other = tabs.open("#" + one.page.url.partition("#")[2])
    one.train(2)
    other.train(2)
    assert session(one).weights() == session(other).weights()


def test_a_dead_server_is_said_and_its_return_is_noticed(tabs):
    server = Server(sessions_for_play(), port=0)
    tab = tabs.open(url=server.url)
    port = server.port
    tab.train(1)
    server.stop()
    tab.page.get_by_text("connection", exact=False).first.wait_for()
    again = Server(sessions_for_play(), port=port)
    try:
        tab.until(lambda: not tab.page.locator(".banner").is_visible())
        tab.until(lambda: tab.epoch == 0)
    finally:
        again.stop()
    tabs.errors.clear()  # the browser tells of refused connections
