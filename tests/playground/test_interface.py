"""`play`, from Python."""

import signal
import subprocess
import sys

import httpx
import polars as pl
import pytest

import chainrule as cr
from chainrule.playground.interface import state_of

QUIET = {"port": 0, "block": False, "open_browser": False}


def test_the_page_is_there_until_it_is_stopped():
    page = cr.play(**QUIET)
    assert page.url.startswith("http://127.0.0.1:")
    assert httpx.get(page.url).status_code == 200
    page.stop()
    with pytest.raises(httpx.ConnectError):
        httpx.get(page.url)


def test_a_script_waits_and_prints_the_address():
    code = (
        "import chainrule as cr\n"
        "page = cr.play(port=0, open_browser=False)\n"
        "print('after it:', page)\n"
    )
    script = subprocess.Popen(
        [sys.executable, "-c", code], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    assert script.stdout is not None
    assert script.stdout.readline().startswith("chainrule: the playground is at http://127.0.0.1:")
    script.send_signal(signal.SIGINT)
    out, err = script.communicate(timeout=60)
    assert (script.returncode, out, err) == (0, "after it: Playground(stopped)\n", "")


def test_a_script_that_ends_while_a_network_trains_ends_well():
    code = (
        "import json\n"
        "import chainrule as cr\n"
        "from websockets.sync.client import connect\n"
        "page = cr.play(data={'kind': 'sample', 'name': 'digits'}, layers=[256, 256],\n"
        "               port=0, block=False, open_browser=False)\n"
        "with connect(page.url.replace('http', 'ws') + 'ws?session=' + 'a' * 32) as socket:\n"
        "    for number, kind in enumerate(('speed', 'run')):\n"
        "        socket.send(json.dumps({'id': number, 'type': kind}))\n"
        "    for message in socket:\n"
        "        told = json.loads(message) if isinstance(message, str) else {}\n"
        "        if told.get('type') == 'status' and told['epochs_per_second']:\n"
        "            break\n"
        "raise SystemExit(3)\n"
    )
    ended = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, timeout=120, check=False
    )
    assert (ended.returncode, ended.stderr) == (3, "")


def test_a_prompt_does_not_wait(monkeypatch):
    monkeypatch.setattr(sys, "ps1", ">>> ", raising=False)
    with cr.play(port=0, open_browser=False) as page:
        assert page.is_running


def test_a_script_opens_a_browser_and_a_notebook_does_not(monkeypatch):
    opened = []
    monkeypatch.setattr(
        "chainrule.playground.handle.Playground.open", lambda page: opened.append(page.url)
    )
    monkeypatch.setattr("chainrule.playground.handle.Playground.wait", lambda page: None)
    for block in (True, False):
        cr.play(port=0, block=block).stop()
    assert len(opened) == 1


def test_keywords_are_the_state_that_the_page_begins_with():
    assert state_of({}) == {}
    assert state_of({"data": "spiral", "noise": 10, "rows": 300}) == {
        "data": {"name": "spiral", "noise": 10, "rows": 300}
    }
    assert state_of({"noise": 10}) == {"data": {"name": "circle", "noise": 10}}
    assert state_of({"data": {"kind": "sample", "name": "iris"}, "layers": (3,), "l2": 0.1}) == {
        "data": {"kind": "sample", "name": "iris"},
        "settings": {"layers": [3], "l2": 0.1},
    }


def test_a_table_in_memory_is_played_with():
    table = pl.DataFrame({"size": range(60), "price": [3.0 * i + 5 for i in range(60)]})
    cr.play(table, target="price", layers=[4], **QUIET).stop()


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ({"data": "spirale"}, "data: expected one of .*did you mean 'spiral'"),
        ({"layers": [0]}, "layers: expected"),
        ({"learning_rat": 0.1}, "there is no setting 'learning_rat'; did you mean 'learning_rate'"),
        ({"target": "price"}, "target: expected a table"),
        ({"block": 1}, "block: expected"),
        ({"open_browser": "yes"}, "open_browser: expected"),
        ({"host": ""}, "host: expected"),
        ({"port": 70000}, "port: expected"),
        ({"source": "nowhere.csv"}, "nowhere.csv"),
        ({"source": 7}, "source: expected a path, a polars or pandas DataFrame"),
    ],
)
def test_a_wrong_argument_is_named(arguments, words):
    with pytest.raises(cr.ChainruleError, match=words):
        cr.play(**{**QUIET, **arguments})


def test_a_model_takes_no_target_and_no_state():
    net = cr.Network([1, cr.Dense(1, "identity")], cost="mse")
    with pytest.raises(
        cr.InvalidArgumentError, match="target: expected none together with a model"
    ):
        cr.play(net, target="y", **QUIET)
    with pytest.raises(
        cr.InvalidArgumentError, match="layers: expected none together with a model"
    ):
        cr.play(net, layers=[3], **QUIET)
