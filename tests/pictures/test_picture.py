"""Objects that show themselves: in a notebook, in a terminal, and as figures."""

import base64
import io
import re
import sys

import matplotlib.image
import numpy as np
import polars as pl
import pytest
from PIL import Image

import chainrule as cr
from chainrule.errors import InvalidArgumentError
from chainrule.pictures.tables import Tables, TextTable
from chainrule.training.history import History

HOSTILE = "<script>alert(1)</script>\x1b[2J"


def trained(**settings):
    net = cr.Network([3, cr.Dense(4, "relu"), cr.Dense(1, "identity")], cost="mse", seed=0)
    net.fit([[0.0, 1.0, 2.0], [1.0, 0.0, 1.0]] * 10, [1.0, 2.0] * 10, epochs=5, **settings)
    return net


def shown():
    net = trained(validation_split=0.2, metrics=["rmse"])
    return {"summary": net.summary(), "drawing": net.draw(), "curves": net.history.plot()}


@pytest.mark.parametrize("name", ["summary", "drawing", "curves"])
def test_a_terminal_shows_text_of_at_most_80_columns(name):
    text = str(shown()[name])
    assert text == repr(shown()[name])
    assert max(map(len, text.splitlines())) <= 80
    assert "object at 0x" not in text


@pytest.mark.parametrize("name", ["drawing", "curves"])
def test_a_notebook_shows_an_image_with_a_description(name):
    html = shown()[name]._repr_html_()
    found = re.fullmatch(r'<img src="data:image/png;base64,([^"]+)" alt="([^"]+)" [^>]*>', html)
    assert base64.b64decode(found[1]).startswith(b"\x89PNG")
    assert len(html) < 60_000
    assert len(found[2]) > 20


@pytest.mark.parametrize("name", ["summary", "drawing", "curves"])
def test_a_figure_and_a_file_can_be_had(name, tmp_path):
    shown()[name].figure().savefig(tmp_path / "figure.png")
    shown()[name].save(tmp_path / "file.png")
    for file in ("figure.png", "file.png"):
        assert matplotlib.image.imread(tmp_path / file).min() < 0.5


def test_no_picture_imports_pyplot(tmp_path):
    before = {name for name in sys.modules if name == "matplotlib.pyplot"}
    for picture in shown().values():
        picture.save(tmp_path / "picture.png")
    assert {name for name in sys.modules if name == "matplotlib.pyplot"} == before


def test_a_notebook_holds_the_drawing_of_a_network_with_a_thousand_weights():
    layers = [30, cr.Dense(24, "relu"), cr.Dense(24, "relu"), cr.Dense(2, "softmax")]
    drawing = cr.Network(layers, "cross_entropy", seed=0).draw()
    html = drawing._repr_html_()
    assert len(html) < 500_000
    kind, data = re.match(r'<img src="data:image/(\w+);base64,([^"]+)"', html).groups()
    with Image.open(io.BytesIO(base64.b64decode(data))) as image:
        assert image.format.lower() == kind
        shown = np.asarray(image.convert("RGB")).astype(int)
    buffer = io.BytesIO()
    drawing.figure().savefig(buffer, dpi=160)
    with Image.open(buffer) as image:
        exact = np.asarray(image.convert("RGB")).astype(int)
    assert shown.shape == exact.shape
    assert np.abs(shown - exact).mean() < 3


def test_a_drawing_shows_the_parameters_of_the_moment_it_was_made():
    net = trained()
    drawing = net.draw()
    before = str(drawing), drawing._repr_html_()
    net.parameters = net.parameters * 100
    assert (str(drawing), drawing._repr_html_()) == before
    assert str(net.draw()) != before[0]


def test_a_summary_counts_parameters_as_worked_out_by_hand():
    net = cr.Network(
        [3, cr.Dense(4, "relu"), cr.BatchNorm(), cr.Dense(1, "identity")], cost="mse", seed=0
    )
    text = str(net.summary())
    # 4·3 + 4; γ, β, and the two statistics of 4 units; 1·4 + 1.
    assert re.search(r"1 +dense relu +4 +W 4×3, b 4×1 +16\n", text)
    assert re.search(r"2 +batch norm identity +4 .* 16\n", text)
    assert "37 parameters, 8 of them running statistics; 148 bytes in float32" in text
    assert "cost mse; trained for 0 epochs" in text


def test_a_summary_of_a_model_says_which_columns_become_which_inputs():
    table = pl.DataFrame(
        {
            "size": [1.0, 2.0, 3.0] * 20,
            "colour": ["red", "green", "blue"] * 20,
            "y": [1.5, 2.0] * 30,
        }
    )
    text = str(_model(table).summary())
    assert re.search(r"size +numeric +1 +size\n", text)
    assert re.search(r"colour +category +3 +colour=blue, colour=green, colour=red\n", text)
    assert "2 columns become 4 inputs" in text


def test_names_of_columns_are_escaped():
    html = Tables([HOSTILE, TextTable((HOSTILE,), ((HOSTILE,),))])._repr_html_()
    assert "<script>" not in html
    assert "\x1b" not in html
    assert "\x1b" not in str(Tables([HOSTILE, TextTable(("name",), ((HOSTILE,),))]))


def test_a_table_with_long_names_is_cut_to_80_columns():
    table = TextTable(("name", ">number"), (("x" * 200, "1"), ("y", "22")))
    lines = table.to_text().splitlines()
    assert max(map(len, lines)) == 80
    assert lines[2].endswith("…       1")


def test_a_history_is_a_table_of_its_columns():
    history = trained(validation_split=0.2).history
    frame = history.to_frame()
    assert frame.columns == history.columns
    assert frame["loss"].to_list() == history["loss"]
    assert frame["epoch"].to_list() == [1, 2, 3, 4, 5]
    assert frame.schema["epoch"] == pl.Int64
    assert History().to_frame().is_empty()


def test_a_history_without_epochs_has_no_picture():
    with pytest.raises(InvalidArgumentError, match="at least one epoch"):
        History().plot()


def test_the_chart_of_letters_shows_where_a_loss_begins_and_ends():
    lines = str(trained().history.plot()).splitlines()
    losses = trained().history["loss"]
    assert lines[0].split("│")[0].strip() == f"{max(losses):.4g}"
    assert lines[0].index("·") < lines[11].index("·")  # it falls from left to right
    assert lines[11].split("│")[0].strip() == f"{min(losses):.4g}"


def _model(table):
    from chainrule.runs.config import RunConfig
    from chainrule.runs.training import PreparedRun

    return PreparedRun.prepare(RunConfig.of({"target": "y", "epochs": 1}), table).fit().model
