import xml.etree.ElementTree as ET

import matplotlib
import matplotlib.image
import pytest

from chainrule.errors import InvalidArgumentError
from chainrule.training.events import EpochEnded
from chainrule.training.history import History


def history(epochs, *, validation=True, metric="accuracy"):
    result = History()
    for epoch in range(1, epochs + 1):
        loss = 1.0 / epoch
        result(
            EpochEnded(
                epoch,
                loss=loss,
                penalty=0.0,
                learning_rate=1e-3,
                gradient_norm=1.0,
                seconds=0.1,
                metrics={metric: 1 - loss} if metric else {},
                validation_loss=loss + 0.01 * epoch if validation else None,
                validation_metrics={metric: 0.9 - loss} if metric and validation else {},
            )
        )
    return result


def texts(path):
    """All texts of an SVG whose letters are written as comments beside their outlines."""
    return path.read_text(encoding="utf-8")


def test_the_picture_shows_loss_and_metric_of_both_parts(tmp_path):
    path = tmp_path / "curves.svg"
    history(20).plot().save(path)
    drawn = texts(path)
    for text in ("Loss", "Accuracy", "training", "validation", "epoch", "lowest: 0.2 in epoch 10"):
        assert text in drawn
    ET.fromstring(drawn)


def test_without_validation_and_metric_one_panel_is_left(tmp_path):
    path = tmp_path / "curves.svg"
    history(20, validation=False, metric="").plot().save(path)
    assert "validation" not in texts(path)
    assert "Accuracy" not in texts(path)


def test_a_metric_of_the_validation_data_alone_has_its_panel(tmp_path):
    result = History()
    for number in (1, 2):
        result(EpochEnded(number, 1.0, 0.0, 0.1, 1.0, 0.1, {}, 0.5, {"accuracy": 0.25 * number}))
    result.plot().save(tmp_path / "curves.svg")
    assert "Accuracy" in texts(tmp_path / "curves.svg")


@pytest.mark.parametrize("epochs", [1, 2, 1000])
@pytest.mark.parametrize("ending", ["png", "pdf"])
def test_any_number_of_epochs_can_be_drawn(tmp_path, epochs, ending):
    path = tmp_path / f"curves.{ending}"
    history(epochs).plot().save(path)
    assert path.stat().st_size > 1000


def test_a_metric_of_any_name_can_be_drawn(tmp_path):
    history(3, metric="cost in $_{").plot().save(tmp_path / "curves.png")
    pixels = matplotlib.image.imread(tmp_path / "curves.png")
    assert pixels.min() < 0.5  # something is drawn on the white


def test_a_history_without_epochs_cannot_be_drawn(tmp_path):
    with pytest.raises(InvalidArgumentError, match="at least one epoch"):
        History().plot().save(tmp_path / "curves.png")
    assert not list(tmp_path.iterdir())


def test_drawing_leaves_matplotlibs_global_state_alone(tmp_path):
    before = dict(matplotlib.rcParams)
    history(2).plot().save(tmp_path / "curves.png")
    assert dict(matplotlib.rcParams) == before
