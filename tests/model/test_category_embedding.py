"""Category embeddings in the network that users hold."""

import numpy as np
import pytest

import chainrule as cr
from chainrule.engines import extension, quick_predictor

RANDOM = np.random.default_rng(0)
CODES = RANDOM.integers(0, 6, 300)
EFFECT = np.array([2.0, -1.0, 0.5, 0.0, -2.0, 1.0])
X = np.column_stack([RANDOM.standard_normal(300), CODES, RANDOM.standard_normal(300)])
Y = X[:, 0] * EFFECT[CODES] + X[:, 2]
engines = pytest.mark.parametrize("engine", ["reference", "auto"])


def network(seed=0, dtype="float32", dimension=3):
    layers = [3, cr.CategoryEmbedding([(1, 6, dimension)]), cr.Dense(16, "tanh"),
              cr.Dense(1, "identity")]  # fmt: skip
    return cr.Network(layers, cost="mse", seed=seed, dtype=dtype)


@engines
def test_a_network_learns_what_each_category_does(engine):
    net = network()
    net.fit(X, Y, optimizer=cr.Adam(0.02), epochs=200, engine=engine)
    assert net.loss(X, Y) < 0.01 * Y.var() / 2


def test_tables_are_views_into_the_parameters():
    net = network()
    (E,) = net.embeddings
    assert E.shape == (6, 3)
    E[...] = 7
    np.testing.assert_array_equal(net.parameters[:18], 7)
    assert [W.shape for W in net.weights] == [(16, 5), (1, 16)]
    assert cr.Network([2, cr.Dense(1)], cost="mse").embeddings == []


@pytest.mark.parametrize(
    ("value", "shown"), [(6, "6.0"), (-1, "-1.0"), (2.5, "2.5"), (1e9, "1000000000.0")]
)
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_codes_without_a_row_are_refused_wherever_inputs_are_handed_in(value, shown, dtype):
    net, wrong = network(dtype=dtype), X.astype(dtype)
    wrong[4, 1] = wrong[9, 1] = value
    message = rf"X: column 1 holds codes, whole numbers from 0 to 5; got {shown} at row 4 \(2 such"
    for call in (net.predict, *(lambda X, f=f: f(X, Y) for f in (
        net.fit, net.loss, net.loss_and_gradient, net.trace, net.check_gradients
    ))):  # fmt: skip
        with pytest.raises(cr.InvalidArgumentError, match="^" + message):
            call(wrong)
    with pytest.raises(cr.InvalidArgumentError, match=r"^X: column 1 holds"):
        net.predict(wrong, engine="reference")
    with pytest.raises(cr.InvalidArgumentError, match=r"^validation_data\[0\]: column 1 holds"):
        net.fit(X, Y, validation_data=(wrong, Y))


def test_a_missing_code_is_refused():
    wrong = X.copy()
    wrong[3, 1] = np.nan
    with pytest.raises(cr.InvalidArgumentError, match=r"^X: expected finite numbers .* at row 3"):
        network().predict(wrong)


@pytest.mark.skipif(extension.native is None, reason="there is no compiled core")
@pytest.mark.parametrize("m", [1, 5, 16, 300])
def test_the_short_way_to_a_prediction_looks_up_the_same(m):
    net = network()
    rows = X[:m].astype(np.float32)
    quick = quick_predictor(net.spec)(net.parameters, rows)
    np.testing.assert_array_equal(quick, net.predict(rows, engine="native"))
    np.testing.assert_allclose(quick, net.predict(rows, engine="reference"), rtol=0, atol=2e-6)
    for value in (6, -1, 0.5, np.nan, np.inf):
        rows[m // 2, 1] = value
        assert quick_predictor(net.spec)(net.parameters, rows) is None


def test_a_saved_network_predicts_the_same(tmp_path):
    net = network()
    net.fit(X, Y, epochs=2)
    net.save(tmp_path / "model.safetensors")
    again = cr.load(tmp_path / "model.safetensors")
    assert again.spec == net.spec
    np.testing.assert_array_equal(again.predict(X), net.predict(X))


@engines
def test_gradients_of_tables_are_checked_entry_by_entry(engine):
    # Large codes name rows; they multiply nothing, and need no smaller steps.
    layers = [2, cr.CategoryEmbedding([(0, 5000, 2), (1, 4, 1)]), cr.Dense(5, "gelu"),
              cr.Dense(1, "identity")]  # fmt: skip
    net = cr.Network(layers, cost="mse", seed=0)
    rows = np.column_stack([np.arange(4970, 5000), np.arange(30) % 4])
    check = net.check_gradients(rows, Y[:30], engine=engine, l2=0.1)
    assert check, str(check)
    assert [block.name for block in check.blocks[:2]] == ["E₀[1]", "E₁[1]"]


def test_a_trace_shows_what_was_looked_up_and_the_gradients_of_the_tables():
    net = network(dtype="float64")
    trace = net.trace(X[:8], Y[:8], optimizer=cr.SGD(0.1), l2=0.1)
    shown = {term.name: term for term in trace.terms}
    ids = {"e₁[1]": "EM1", "A[1]": "EM1", "∂J/∂E₁[1]": "EM2", "δ[1]": "BP2", "ΔE₁[1]": "O0"}
    assert {name: shown[name].equation for name in ids} == ids
    np.testing.assert_array_equal(shown["e₁[1]"].value, net.embeddings[0][CODES[:8]].T)
    np.testing.assert_array_equal(shown["A[1]"].value[:2], X[:8, [0, 2]].T)
    assert shown["δ[1]"].formula == "δ[1] = W[2]ᵀ · δ[2]"
    assert "P1" not in shown["∂J/∂E₁[1]"].formula
    before = net.parameters.copy()
    net.fit(X[:8], Y[:8], optimizer=cr.SGD(0.1), epochs=1, batch_size=8, shuffle=False, l2=0.1)
    step = np.concatenate([block.ravel() for layer in trace.update for block in layer])
    np.testing.assert_allclose(net.parameters - before, step, rtol=0, atol=1e-12)
    assert "E_{1}^{[1]}" in trace.to_latex()


def test_a_drawn_network_has_the_looked_up_numbers_among_its_inputs(tmp_path):
    names = ["age", "city", "height"]
    network(dimension=2).draw(feature_names=names).save(tmp_path / "network.svg")
    drawn = (tmp_path / "network.svg").read_text(encoding="utf-8")
    for text in ("3, category embedding", "age", "height", "city 1", "city 2"):
        assert f"<!-- {text} -->" in drawn
    assert "<!-- city -->" not in drawn
