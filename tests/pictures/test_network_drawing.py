import matplotlib.image
import numpy as np
import pytest

import chainrule as cr
from chainrule.errors import InvalidArgumentError


def network(*layers, cost="cross_entropy"):
    return cr.Network(list(layers), cost=cost, seed=0)


SMALL = network(3, cr.Dense(4, "relu"), cr.Dense(2, "softmax"))


def test_inputs_outputs_and_layers_are_named(tmp_path):
    path = tmp_path / "network.svg"
    SMALL.draw(["radius", "texture", "area"], ["benign", "malignant"]).save(path)
    drawn = path.read_text(encoding="utf-8")
    for text in ("radius", "texture", "area", "benign", "malignant", "inputs", "layer 1", "output"):
        assert text in drawn
    assert "4 relu" in drawn
    assert "weight (edge), bias (circle)" in drawn


def test_every_weight_of_a_small_network_is_an_edge(tmp_path):
    path = tmp_path / "network.svg"
    SMALL.draw().save(path)
    # Each edge is a curve of its own: C is SVG's cubic Bézier command; circles have 8 each.
    curves = path.read_text(encoding="utf-8").count("stroke-linecap: round")
    assert curves >= 3 * 4 + 4 * 2


def test_units_of_different_groups_are_not_connected(tmp_path):
    path = tmp_path / "network.svg"
    net = network(6, cr.GroupedDense(4, 2), cr.GroupedDense(2, 2, "identity"), cost="mse")
    net.parameters = np.ones_like(net.parameters)
    net.draw().save(path)
    assert path.read_text(encoding="utf-8").count("stroke-linecap: round") == 3 * 4 + 2 * 2


def test_members_are_drawn_with_the_weights_that_their_factors_make_of_the_shared_ones(tmp_path):
    path = tmp_path / "network.svg"
    layers = [cr.BatchEnsemble(4, 2, shared_input=True), cr.BatchEnsemble(2, 2, "identity")]
    net = network(6, *layers, cost="mse")
    net.parameters = np.ones_like(net.parameters)
    net.parameters[12:18] = 0  # r of the first member
    net.draw().save(path)
    assert path.read_text(encoding="utf-8").count("stroke-linecap: round") == 6 * 2 + 2 * 2


def test_the_sign_of_a_weight_is_its_colour(tmp_path):
    pixels = {}
    for sign in (1, -1):
        net = network(1, cr.Dense(1, "identity"), cost="mse")
        net.parameters = [sign, 0.0]
        path = tmp_path / "network.png"
        net.draw().save(path)
        image = matplotlib.image.imread(path)
        # Only the upper half: the lower one has the bar with both colours.
        upper = image[: image.shape[0] * 2 // 3, :, :3]
        red, _, blue = (upper[..., channel].astype(float) for channel in range(3))
        pixels[sign] = {"red": (red - blue > 0.3).sum(), "blue": (blue - red > 0.3).sum()}
    assert pixels[1]["blue"] > 1000
    assert pixels[1]["red"] == 0
    assert pixels[-1]["red"] > 1000
    assert pixels[-1]["blue"] == 0


def test_a_large_layer_is_drawn_by_its_first_and_last_units(tmp_path):
    path = tmp_path / "network.svg"
    names = [f"pixel {index}" for index in range(784)]
    network(784, cr.Dense(100), cr.Dense(10, "softmax")).draw(names).save(path)
    drawn = path.read_text(encoding="utf-8")
    for shown in ("pixel 0", "pixel 14", "pixel 769", "pixel 783"):
        assert f"<!-- {shown} -->" in drawn
    for hidden in ("pixel 15", "pixel 400", "pixel 768"):
        assert f"<!-- {hidden} -->" not in drawn


@pytest.mark.parametrize(
    "net",
    [
        network(1, cr.Dense(1, "identity"), cost="mse"),
        network(2, *[cr.Dense(2, "tanh")] * 30, cr.Dense(2, "softmax")),
        network(32, cr.Dense(33), cr.Dense(2, "softmax")),
        network(6, cr.GroupedDense(80, 2), cr.GroupedDense(8, 8), cr.Dense(2, "softmax")),
        network(6, cr.BatchEnsemble(80, 2), cr.BatchEnsemble(8, 8), cr.Dense(2, "softmax")),
    ],
    ids=["one weight", "30 layers", "at the limit", "groups", "shared weights"],
)
def test_any_network_can_be_drawn(tmp_path, net):
    net.draw().save(tmp_path / "network.png")
    assert matplotlib.image.imread(tmp_path / "network.png").min() < 0.5


def test_a_network_of_zeros_can_be_drawn(tmp_path):
    net = network(2, cr.Dense(2, "softmax"))
    net.parameters = np.zeros(6)
    net.draw().save(tmp_path / "network.png")


def test_names_of_any_characters_and_lengths_can_be_drawn(tmp_path):
    names = ["cost ($) of $a_{", "名前\nof two lines", "x" * 500]
    SMALL.draw(names, ["<b>", "\\frac"]).save(tmp_path / "network.png")


@pytest.mark.parametrize(
    ("features", "classes", "message"),
    [
        (["a"], None, "feature_names: expected 3 names; got 1"),
        (None, ["a", "b", "c"], "class_names: expected 2 names; got 3"),
    ],
)
def test_a_wrong_number_of_names_is_refused(tmp_path, features, classes, message):
    with pytest.raises(InvalidArgumentError, match=message):
        SMALL.draw(features, classes)
