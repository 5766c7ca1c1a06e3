import numpy as np

import chainrule as cr
from chainrule.report.charts.network import network_picture


def test_units_of_different_groups_are_not_connected():
    layers = [cr.GroupedDense(4, 2), cr.GroupedDense(2, 2, "identity")]
    net = cr.Network([6, *layers], "mse", seed=0)
    net.parameters = np.ones_like(net.parameters)
    picture = str(network_picture(net, list("abcdef"), ["y", "z"]))
    assert picture.count('class="edge positive"') == 3 * 4 + 2 * 2
