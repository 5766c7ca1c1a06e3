"""Every number of a trace can be computed again from the numbers shown, to its last digit.

The numbers are read from the terminal's text and from the HTML, and computed again in float64 by
formulas that are written once more here. A number may differ by the roundings of the trace's own
arithmetic, float32: `digits` roundings of the magnitudes that it is added up from.
"""

import numpy as np
import pytest

import chainrule as cr
from chainrule.engines.optimizers import OPTIMIZERS
from tests.equations import recurrences
from tests.inspection.shown_numbers import from_html, from_text
from tests.numerics import assert_within, epsilon

EPSILON = epsilon("float32")

X = np.array([[0.5, -1.25, 2.0], [1.5, 0.3, -0.75], [-0.2, 0.8, 1.1]], np.float32)
CLASSES = [0, 1, 1]
WEIGHTS = np.array([1.0, 2.5, 0.5], np.float32)
L1, L2, LARGEST = 0.01, 0.1, 0.2

KINDS = {name: kind() for name, kind in OPTIMIZERS.items()}
KINDS |= {"adam, O3e": cr.Adam(plain_epsilon=True), "adam, averaged": cr.Adam(ema_decay=0.9)}


def traced(optimizer, steps, fused):
    net = cr.Network(
        [3, cr.Dense(4, "tanh"), cr.Dense(3, "sigmoid"), cr.Dense(2, "softmax")],
        cost="cross_entropy", seed=3, fused=fused,
    )  # fmt: skip
    given = {"optimizer": optimizer, "sample_weight": WEIGHTS, "l1": L1, "l2": L2}
    given |= {"max_grad_norm": LARGEST, "label_smoothing": 0.1}
    if steps:
        net.fit(X, CLASSES, epochs=steps, batch_size=3, shuffle=False, **given)
    state = net.optimizer_state
    return net.trace(X, CLASSES, state=state, example=1, **given)


@pytest.mark.parametrize("fused", [True, False], ids=["fused", "in two factors"])
@pytest.mark.parametrize("steps", [0, 2], ids=["t=1", "t=3"])
@pytest.mark.parametrize("form", ["text", "html"])
@pytest.mark.parametrize("kind", KINDS)
def test_every_number_follows_from_those_shown(kind, form, steps, fused):
    trace = traced(KINDS[kind], steps, fused)
    shown = from_text(trace.to_text()) if form == "text" else from_html(trace.to_html())
    assert shown.keys() == {term.name for term in trace.terms}
    for term in trace.terms:  # what is read back is the array itself, to the bit
        read = np.asarray(shown[term.name], term.value.dtype)
        np.testing.assert_array_equal(read, term.value)
        shown[term.name] = read.astype(np.float64)[()]
    check = Checked(shown)
    forward(check)
    cost(check)
    backward(check)
    update(check, KINDS[kind])
    left = shown.keys() - check.names
    assert left == GIVEN & shown.keys() | {name for name in left if name.startswith("old ")}


GIVEN = {"A[0]", "Y", "w", "t", "α", "β", "β₁", "β₂", "ε", "λ", "ρ", "l1", "l2", "c of G1"}
BLOCKS = ["W[1]", "b[1]", "W[2]", "b[2]", "W[3]", "b[3]"]
GIVEN |= set(BLOCKS)


class Checked:
    """The numbers shown, and which of them have been computed again."""

    def __init__(self, shown):
        self.shown, self.names = shown, set()

    def __getitem__(self, name):
        return self.shown[name]

    def __call__(self, name, expected, magnitude=None, digits=4):
        """Compare a number with what it is computed to, and note its name."""
        magnitude = np.abs(expected) if magnitude is None else magnitude
        tiny = 1e-37
        assert_within(self.shown[name], expected, digits * EPSILON * magnitude + tiny)
        self.names.add(name)


def softmax(Z):
    e = np.exp(Z - Z.max(axis=0))
    return e / e.sum(axis=0)


SIGMA = {1: np.tanh, 2: lambda Z: 1 / (1 + np.exp(-Z)), 3: softmax}


def forward(n):
    for l in (1, 2, 3):  # noqa: E741 - the field's letter
        W, A, b = n[f"W[{l}]"], n[f"A[{l - 1}]"], n[f"b[{l}]"]
        n(f"Z[{l}]", W @ A + b, np.abs(W) @ np.abs(A) + np.abs(b), digits=6)
        Z = n[f"Z[{l}]"]
        n(f"A[{l}]", SIGMA[l](Z), np.abs(SIGMA[l](Z)) * (1 + np.abs(Z).max()), digits=6)


def cost(n):
    Z, A, Y, w = n["Z[3]"], n["A[3]"], n["Y"], n["w"]
    logs = np.log(np.exp(Z).sum(axis=0))
    C = (Y * (logs - Z)).sum(axis=0)
    n("C", C, 1 + (Y * np.abs(Z)).sum(axis=0) + np.abs(logs), digits=8)
    n("J", (w * n["C"]).sum() / w.sum())
    for new in ("", "new "):
        weights = [n[f"{new}{name}"] for name in BLOCKS[::2]]
        P = sum(n["l2"] / 2 * (W**2).sum() + n["l1"] * np.abs(W).sum() for W in weights)
        n(f"{new}P", P, digits=20)
        n(f"{new}J + P", n[f"{new}J"] + n[f"{new}P"])
    # The loss after the step, by a forward pass with the new parameters.
    A = n["A[0]"]
    for l in (1, 2, 3):  # noqa: E741
        A = SIGMA[l](n[f"new W[{l}]"] @ A + n[f"new b[{l}]"])
    n("new J", (w * -(Y * np.log(A)).sum(axis=0)).sum() / w.sum(), 4.0, digits=20)
    n("∇ₐC", -Y / n["A[3]"])


def backward(n):
    A, Y, w = n["A[3]"], n["Y"], n["w"]
    a = A[:, 1]
    n("∂a/∂z", np.diag(a) - np.outer(a, a), np.ones((2, 2)))
    n("∂aᵢ/∂zᵢ", a * (1 - a))
    off = -np.outer(a, a)
    np.testing.assert_array_equal(np.isnan(n["∂aᵢ/∂zⱼ"]), np.eye(2, dtype=bool))
    pairs = ~np.eye(2, dtype=bool)
    n.shown["∂aᵢ/∂zⱼ"] = n["∂aᵢ/∂zⱼ"][pairs]
    n("∂aᵢ/∂zⱼ", off[pairs])
    n("δ[3]", (A - Y) * 3 * w / w.sum(), 3 * w / w.sum(), digits=8)
    # BP1s by the whole Jacobian of the example shown, times its weight.
    product = n["∂a/∂z"].T @ n["∇ₐC"][:, 1] * 3 * w[1] / w.sum()
    assert_within(n["δ[3]"][:, 1], product, 60 * EPSILON * (1 + np.abs(n["∇ₐC"]).max()))
    for l in (3, 2, 1):  # noqa: E741
        delta, A_below = n[f"δ[{l}]"], n[f"A[{l - 1}]"]
        W = n[f"W[{l}]"]
        dW = delta @ A_below.T / 3 + n["l2"] * W + n["l1"] * np.sign(W)
        magnitude = np.abs(delta) @ np.abs(A_below).T / 3 + n["l2"] * np.abs(W) + n["l1"]
        n(f"∂J/∂W[{l}]", dW, magnitude, digits=8)
        n(f"∂J/∂b[{l}]", delta.mean(axis=1, keepdims=True),
          np.abs(delta).mean(axis=1, keepdims=True))  # fmt: skip
        if l > 1:
            n(f"∂C/∂A[{l - 1}]", W.T @ delta, np.abs(W).T @ np.abs(delta), digits=6)
            own = n[f"A[{l - 1}]"]
            prime = 1 - own**2 if l == 2 else own * (1 - own)
            n(f"σ′(Z[{l - 1}])", prime, 1.0, digits=8)
            n(f"δ[{l - 1}]", n[f"∂C/∂A[{l - 1}]"] * n[f"σ′(Z[{l - 1}])"])


def update(n, optimizer):
    norm = np.sqrt(sum((n[f"∂J/∂{name}"] ** 2).sum() for name in BLOCKS))
    n("‖g‖", norm, digits=8)
    vectors = [*optimizer.equations.vectors, *(["X"] if optimizer.ema_decay else [])]
    t = n["t"]
    if optimizer.ema_decay:
        n("c", (1 - n["ρ"]) / (1 - n["ρ"] ** t))
    elif optimizer.averages:
        n("c", 1 / t)  # of a constant learning rate
    for name in BLOCKS:
        n(f"g of {name}", n[f"∂J/∂{name}"] * min(1, n["c of G1"] / n["‖g‖"]), digits=8)
        step(n, optimizer, name, vectors)


def direction(n, name, old_V, g):
    """Compute the orthogonal direction of a hidden matrix again, and the size of its step."""
    V = n["β"] * old_V + (1 - n["β"]) * g
    left, values, right = np.linalg.svd(n["β"] * V + (1 - n["β"]) * g, full_matrices=False)
    values /= (values**2).sum() ** 0.5 + n["ε"]
    # What is small beside the norm, and its rounding, grows 485-fold.
    n(f"O of {name}", (left * recurrences.newton_schulz(values)) @ right, 1.0, digits=4 * 485)
    n(f"s of {name}", 0.2 * max(V.shape) ** 0.5)


def step(n, optimizer, name, vectors):
    """Compute V, S, V̂, Ŝ, and the new W of one block again."""
    g, W, t, alpha = n[f"g of {name}"], n[name], n["t"], n["α"]
    old = {v: n.shown.get(f"old {v} of {name}", 0.0 * W) for v in vectors}
    own = optimizer.equations.vectors
    memory = tuple(old[v] for v in own)
    settings = {"decaying": 1.0 * name.startswith("W")} if optimizer.decays else {}
    hidden = optimizer.orthogonal and name == "W[2]"
    if hidden:
        settings["hidden"] = True
        own = ("V",)
        direction(n, name, old["V"], g)
    rule = optimizer.update_equation.__name__.removesuffix("_update")
    if optimizer.averages and t > 1:  # Σα² before this step
        memory = (*memory, (t - 1) * alpha**2)
    recurrence = getattr(recurrences, rule)
    new, after = recurrence(W, g, memory if t > 1 else (), t, alpha, **settings)
    for v, value in zip(own, after, strict=False):
        size = np.abs(old[v]) + np.abs(g) * (1 + np.abs(g)) + np.abs(value)
        n(f"{v} of {name}", value, size, digits=8)
    hats = {"adam": ("V̂", "Ŝ"), "adamw": ("V̂", "Ŝ"), "nadam": ("V̂", "Ŝ")}
    hats["schedule_free_adamw"] = ("Ŝ",)
    hats["muon"] = () if hidden else ("V̂", "Ŝ")
    for hat in hats.get(rule, ()):
        if hat == "Ŝ":
            # 1 − β₂ᵗ cancels no digits, since β₂ᵗ is computed in float64.
            n(f"Ŝ of {name}", n[f"S of {name}"] / (1 - n["β₂"] ** t))
        elif rule == "nadam":
            V, b = n[f"V of {name}"], n["β₁"]
            value = b * V / (1 - b ** (t + 1)) + (1 - b) * g / (1 - b**t)
            n(f"V̂ of {name}", value, np.abs(b * V) / (1 - b ** (t + 1)) + np.abs(g))
        else:
            n(f"V̂ of {name}", n[f"V of {name}"] / (1 - n["β₁"] ** t))
    # The change follows from the quantities of its formula, and the new W from the change.
    if hidden:
        new = W - alpha * (n[f"s of {name}"] * n[f"O of {name}"] + n["λ"] * W)
    size = np.abs(new - W) + (np.abs(W) if optimizer.averages else 0)
    n(f"Δ{name}", new - W, size)
    moved = np.abs(new - W) + alpha * np.abs(g)
    assert_within(n[f"new {name}"], W + n[f"Δ{name}"], 4 * EPSILON * (np.abs(W) + np.abs(new)))
    n(f"new {name}", new, np.abs(W) + np.abs(new) + 8 * moved)
    if optimizer.ema_decay:
        X = n[f"old X of {name}"]
        n(f"X of {name}", X + n["c"] * (n[f"new {name}"] - X), np.abs(X) + np.abs(new))
