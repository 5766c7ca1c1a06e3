"""Pages that only show: a model alone, and the replay of a run."""

import numpy as np
import polars as pl
import pytest

import chainrule as cr
from chainrule.playground.server.process import Server
from chainrule.playground.sources import opened


@pytest.fixture
def shown(tabs):
    servers = []

    def open_page(source):
        servers.append(Server(opened(source, None, {}), port=0))
        return tabs.open("#panel=lessons", url=servers[-1].url)

    yield open_page
    for server in servers:
        server.stop()


def panels(tab):
    return tab.page.get_by_role("tab").all_inner_texts()


def test_a_model_alone_offers_what_needs_no_rows(shown):
    net = cr.Network(
        [2, cr.Dense(3, "tanh"), cr.Dense(1, "sigmoid")], cost="binary_cross_entropy", seed=0
    )
    tab = shown(net)
    tab.until(lambda: panels(tab) == ["Measures"])
    assert tab.page.locator(".badge").inner_text() == "model"
    assert not tab.page.locator("dl.losses").is_visible()
    panel = tab.panel("Measures")
    panel.get_by_text("there are no rows to measure it on").wait_for()
    assert panel.get_by_text("Diagnostics").count() == 0


def test_a_replay_offers_what_changes_nothing(shown, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    x = np.linspace(-1, 1, 60)
    pl.DataFrame({"x": x, "y": x * x + 0.1 * x}).write_csv("curve.csv")
    cr.train("curve.csv", target="y", layers=[3], epochs=2, verbose=False).save("run")
    tab = shown(tmp_path / "run")
    tab.until(lambda: panels(tab) == ["Equations", "Measures", "Point", "Export"])
    assert tab.page.get_by_role("tabpanel").count() == 0
