"""What a real kernel shows: executed by nbclient, as a notebook is."""

import re

import pytest

nbclient = pytest.importorskip("nbclient", reason="nbclient executes notebooks")
nbformat = pytest.importorskip("nbformat", reason="nbformat holds notebooks")
pytest.importorskip("ipykernel", reason="ipykernel is the kernel that is asked")

DATA = (
    "import numpy as np, polars as pl, chainrule as cr\n"
    "random = np.random.default_rng(0)\n"
    "X = random.normal(size=(200, 3))\n"
    "y = (X[:, 0] + X[:, 1] * X[:, 2] > 0).astype(int)\n"
    "table = pl.DataFrame({'a': X[:, 0], 'b': X[:, 1], 'c': X[:, 2], 'y': y})\n"
    "def network():\n"
    "    return cr.Network([3, cr.Dense(8, 'relu'), cr.Dense(2, 'softmax')],\n"
    "                      cost='cross_entropy', seed=0)\n"
)


# nbclient warns that a loop of asyncio is missing, zmq that a socket is left; neither is ours.
pytestmark = pytest.mark.filterwarnings("ignore")


def executed(*sources, allow_errors=False):
    """Return the outputs of each cell after the first."""
    cells = [nbformat.v4.new_code_cell(source) for source in (DATA, *sources)]
    notebook = nbformat.v4.new_notebook(cells=cells)
    client = nbclient.NotebookClient(notebook, timeout=120, allow_errors=allow_errors)
    client.execute()
    return [cell.outputs for cell in notebook.cells[1:]]


def html_of(output):
    return output["data"]["text/html"]


@pytest.fixture(scope="module")
def training():
    """The outputs of a training that early stopping ends, and of one in each other way."""
    return executed(
        "history = network().fit(X, y, epochs=500, validation_split=0.3, early_stopping=5,\n"
        "                        optimizer=cr.Adam(0.1), verbose=True)",
        "_ = cr.NetworkClassifier(max_iter=5, verbose=True, random_state=0).fit(X, y)",
        "run = cr.train(table, 'y', epochs=5)",
    )


def test_a_training_is_one_line_of_html_and_nothing_on_standard_error(training):
    for outputs in training:
        assert [output["output_type"] for output in outputs] == ["display_data"]
        assert html_of(outputs[0]).count("<progress") == 1


def test_the_line_ends_with_how_early_stopping_ended(training):
    shown = html_of(training[0][0])
    found = re.search(
        r"stopped after (\d+) epochs: no better validation loss since epoch (\d+), "
        r"whose weights are kept",
        shown,
    )
    assert found
    assert int(found[1]) == int(found[2]) + 6


def test_the_line_of_a_run_shows_the_last_epoch(training):
    assert "epoch 5 of 5" in html_of(training[2][0])


def test_a_training_that_fails_leaves_its_last_state_in_the_line():
    (outputs,) = executed(
        "def fail(event):\n"
        "    if isinstance(event, cr.events.EpochEnded) and event.epoch == 3:\n"
        "        raise RuntimeError('mine')\n"
        "network().fit(X, y, epochs=9, verbose=True, callbacks=[fail])",
        allow_errors=True,
    )
    assert [output["output_type"] for output in outputs] == ["display_data", "error"]
    assert "ended after 3 finished epochs" in html_of(outputs[0])


def test_objects_show_themselves_as_html():
    outputs = executed(
        "net = network(); history = net.fit(X, y, epochs=3)\nnet.summary()",
        "net.draw()",
        "history.plot()",
        "run = cr.train(table, 'y', epochs=2, verbose=False)\nrun",
        "run.report()",
        "run.model.summary()",
    )
    for (output,), sign in zip(
        outputs, ("<table", "<img", "<img", "On 20 test rows", "<iframe", "<table"), strict=True
    ):
        assert sign in html_of(output)
        assert "object at 0x" not in output["data"]["text/plain"]
