"""Dropout and batch normalisation in the network that users hold."""

import numpy as np
import pytest

import chainrule as cr

LAYERS = (
    2,
    cr.Dropout(0.1),
    cr.Dense(8, "identity"),
    cr.BatchNorm("relu"),
    cr.Dropout(0.3),
    cr.Dense(5, "softmax"),
    cr.BatchNorm("softmax"),
    cr.Dense(2, "softmax"),
)
RANDOM = np.random.default_rng(0)
X = RANDOM.standard_normal((60, 2))
Y = (X[:, 0] * X[:, 1] > 0).astype(int)


def network(*layers, seed=0, dtype="float32"):
    return cr.Network(list(layers or LAYERS), cost="cross_entropy", seed=seed, dtype=dtype)


def test_weights_and_biases_are_those_of_the_dense_layers():
    net = network()
    assert [W.shape for W in net.weights] == [(8, 2), (5, 8), (2, 5)]
    assert [b.shape for b in net.biases] == [(8,), (5,), (2,)]
    net.weights[2][...] = 7.0
    assert (net.parameters[-12:-2] == 7.0).all()


def test_dense_layers_start_alike_with_dropout_and_without():
    with_it = network(2, cr.Dropout(0.5), cr.Dense(3), cr.Dropout(0.1), cr.Dense(2, "softmax"))
    without = network(2, cr.Dense(3), cr.Dense(2, "softmax"))
    np.testing.assert_array_equal(with_it.parameters, without.parameters)


@pytest.mark.parametrize("engine", ["reference", "auto"])
def test_a_network_of_every_kind_learns(engine):
    net = network(2, cr.Dense(24, "identity"), cr.BatchNorm("tanh"), cr.Dropout(0.1),
                  cr.Dense(2, "softmax"))  # fmt: skip
    net.fit(X, Y, optimizer=cr.Adam(0.02), epochs=300, batch_size=20, engine=engine)
    assert (net.predict(X).argmax(axis=1) == Y).mean() > 0.95


def test_training_twice_from_a_seed_gives_the_same_bits_and_another_seed_others():
    def trained(seed):
        net = network(seed=seed)
        net.parameters = network(seed=0).parameters
        net.fit(X, Y, epochs=3, shuffle=False)
        return net.parameters

    np.testing.assert_array_equal(trained(0), trained(0))
    assert (trained(0) != trained(1)).any()


def test_a_second_training_does_not_drop_again_what_the_first_one_dropped():
    net = network(2, cr.Dropout(0.5), cr.Dense(2, "softmax"))
    first = net.trace(X, Y).A[0] == 0
    net.fit(X, Y, epochs=1)
    second = net.trace(X, Y).A[0] == 0
    # Two independent sets of 120 halves.
    assert 0.3 < (first == second).mean() < 0.7


def test_a_trace_is_of_the_step_that_training_takes():
    net = network(dtype="float64")
    trace = net.trace(X, Y, optimizer=cr.SGD(0.1))
    before = net.parameters.copy()
    history = net.fit(X, Y, optimizer=cr.SGD(0.1), epochs=1, batch_size=60, shuffle=False)
    step = np.concatenate([block.ravel() for layer in trace.update for block in layer])
    np.testing.assert_allclose(net.parameters - before, step, rtol=0, atol=1e-12)
    assert history.epochs[0].loss == pytest.approx(trace.loss, abs=1e-12)


def test_a_trace_shows_factors_and_statistics_with_their_equations():
    trace = network().trace(X, Y, l2=0.1)
    shown = {term.name: term for term in trace.terms}
    assert set(np.unique(shown["M[1]"].value.round(5))) == {0.0, np.float32(1 / 0.9).round(5)}
    ids = {
        "M[1]": "DO1", "A[1]": "DO1", "μ_B[3]": "BN1", "v_B[3]": "BN1", "X̂[3]": "BN2",
        "Z[3]": "BN3", "A[3]": "F2", "δ[4]": "BP2", "δ[3]": "DO1", "δ[2]": "BN4",
        "∂J/∂γ[3]": "BN3", "∂J/∂β[3]": "BP3", "Δμ[3]": "BN6", "Δγ[3]": "O3",
    }  # fmt: skip
    assert {name: shown[name].equation for name in ids} == ids
    np.testing.assert_allclose(shown["X̂[3]"].value.mean(axis=1), 0, atol=1e-6)
    assert shown["δ[4]"].formula == "δ[4] = (W[5]ᵀ · δ[5]) ⊙ M[4], DO1"
    assert "P1" in shown["∂J/∂W[2]"].formula
    assert "P1" not in shown["∂J/∂γ[3]"].formula
    assert [len(layer) for layer in trace.update] == [0, 2, 4, 0, 2, 4, 2]
    assert [g.shape for g in trace.weight_gradients] == [(8, 2), (5, 8), (2, 5)]
    for text in (str(trace), trace.to_html(), trace.to_latex()):
        assert "DO1" in text
        assert "BN4" in text


@pytest.mark.parametrize("engine", ["reference", "auto"])
def test_gradients_are_checked_but_those_of_statistics(engine):
    net = network()
    net.fit(X, Y, epochs=2)
    check = net.check_gradients(X[:12], Y[:12], sample_weight=np.arange(12.0), engine=engine)
    assert check, str(check)
    assert [block.name for block in check.blocks] == [
        "W[2]", "b[2]", "γ[3]", "β[3]", "W[5]", "b[5]", "γ[6]", "β[6]", "W[7]", "b[7]",
    ]  # fmt: skip


def test_a_saved_network_predicts_the_same(tmp_path):
    net = network()
    net.fit(X, Y, epochs=2)
    net.save(tmp_path / "model.safetensors")
    again = cr.load(tmp_path / "model.safetensors")
    assert again.spec == net.spec
    np.testing.assert_array_equal(again.predict(X), net.predict(X))


def test_a_drawn_network_names_what_has_no_weights(tmp_path):
    network().draw().save(tmp_path / "network.svg")
    drawn = (tmp_path / "network.svg").read_text(encoding="utf-8")
    for text in ("2, dropout 0.1", "8 identity, batch norm relu, dropout 0.3", "layer 2", "output"):
        assert f"<!-- {text} -->" in drawn
    assert "layer 3" not in drawn
