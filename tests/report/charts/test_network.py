import numpy as np

import chainrule as cr
from chainrule.report.charts.network import network_picture


def test_units_of_different_groups_are_not_connected():
    layers = [cr.GroupedDense(4, 2), cr.GroupedDense(2, 2, "identity")]
    net = cr.Network([6, *layers], "mse", seed=0)
    net.parameters = np.ones_like(net.parameters)
    picture = str(network_picture(net, list("abcdef"), ["y", "z"]))
    assert picture.count('class="edge positive"') == 3 * 4 + 2 * 2


def test_members_are_drawn_with_the_weights_that_their_factors_make_of_the_shared_ones():
    layers = [cr.BatchEnsemble(4, 2, shared_input=True), cr.BatchEnsemble(2, 2, "identity")]
    net = cr.Network([6, *layers], "mse", seed=0)
    net.parameters = np.ones_like(net.parameters)
    net.parameters[12:18] = -1  # r of the first member
    picture = str(network_picture(net, list("abcdef"), ["y", "z"]))
    assert picture.count('class="edge negative"') == 6 * 2
    assert picture.count('class="edge positive"') == 6 * 2 + 2 * 2
