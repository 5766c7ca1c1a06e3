"""The optimizers as scalar recurrences, written from the equations: a step each.

Nothing here calls the package, nor an array library, but for singular value decompositions. A step
takes W, its gradient, what it remembers (nothing before the first), t and α, and returns the new W
and memory; `decaying` is 1 for what decays, else 0. Each has the name of its equation; arrays may
stand for numbers.
"""

import numpy as np


def path(step, W, gradients, alpha, **settings):
    """Return W after every step."""
    memory, found = (), []
    for t, dW in enumerate(gradients, start=1):
        W, memory = step(W, dW, memory, t, alpha, **settings)
        found.append(W)
    return found


def gradient_descent(W, dW, memory, t, alpha):
    return W - alpha * dW, ()


def momentum(W, dW, memory, t, alpha, beta=0.9):
    (V,) = memory or (0.0,)
    V = beta * V + (1.0 - beta) * dW
    return W - alpha * V, (V,)


def rmsprop(W, dW, memory, t, alpha, beta=0.9, epsilon=1e-8):
    (S,) = memory or (0.0,)
    S = beta * S + (1.0 - beta) * dW**2
    return W - alpha * dW / (S**0.5 + epsilon), (S,)


def _means(dW, memory, beta_1, beta_2):
    V, S = memory or (0.0, 0.0)
    return beta_1 * V + (1.0 - beta_1) * dW, beta_2 * S + (1.0 - beta_2) * dW**2


def adam(W, dW, memory, t, alpha, beta_1=0.9, beta_2=0.999, epsilon=1e-8):
    V, S = _means(dW, memory, beta_1, beta_2)
    V_corrected, S_corrected = V / (1.0 - beta_1**t), S / (1.0 - beta_2**t)
    return W - alpha * V_corrected / (S_corrected**0.5 + epsilon), (V, S)


def adam_plain_epsilon(W, dW, memory, t, alpha, beta_1=0.9, beta_2=0.999, epsilon=1e-8):
    # O3 itself, with the ε that makes it this one.
    return adam(W, dW, memory, t, alpha, beta_1, beta_2, epsilon / (1.0 - beta_2**t) ** 0.5)


def heavy_ball(W, dW, memory, t, alpha, beta=0.9):
    (V,) = memory or (0.0,)
    V = beta * V - alpha * dW
    return W + V, (V,)


def nesterov(W, dW, memory, t, alpha, beta=0.9):
    """Nesterov's own form: W̃ steps by V, the gradient is taken ahead at W = W̃ + βV."""
    (V,) = memory or (0.0,)
    behind = W - beta * V
    V = beta * V - alpha * dW
    return behind + V + beta * V, (V,)


def adamw(
    W, dW, memory, t, alpha, beta_1=0.9, beta_2=0.999, epsilon=1e-8, weight_decay=0.01, decaying=1.0
):
    stepped, memory = adam(W, dW, memory, t, alpha, beta_1, beta_2, epsilon)
    return stepped - alpha * weight_decay * decaying * W, memory


def nadam(W, dW, memory, t, alpha, beta_1=0.9, beta_2=0.999, epsilon=1e-8):
    V, S = _means(dW, memory, beta_1, beta_2)
    ahead = beta_1 * V / (1.0 - beta_1 ** (t + 1))
    ahead += (1.0 - beta_1) * dW / (1.0 - beta_1**t)
    return W - alpha * ahead / ((S / (1.0 - beta_2**t)) ** 0.5 + epsilon), (V, S)


def lion(W, dW, memory, t, alpha, beta_1=0.9, beta_2=0.99, weight_decay=0.01, decaying=1.0):
    (V,) = memory or (0.0,)
    mixed = beta_1 * V + (1.0 - beta_1) * dW
    up_or_down = 1.0 * (mixed > 0) - 1.0 * (mixed < 0)
    stepped = W - alpha * (up_or_down + weight_decay * decaying * W)
    return stepped, (beta_2 * V + (1.0 - beta_2) * dW,)


def schedule_free_adamw(
    W, dW, memory, t, alpha, beta_1=0.9, beta_2=0.999, epsilon=1e-8, weight_decay=0.0, decaying=1.0
):
    Z, X, S, *total = memory or (W, W, 0.0, 0.0)
    total = alpha**2 + sum(total)
    S = beta_2 * S + (1.0 - beta_2) * dW**2
    corrected = S / (1.0 - beta_2**t)
    Z = Z - alpha * dW / (corrected**0.5 + epsilon) - alpha * weight_decay * decaying * W
    c = alpha**2 / total
    X = (1.0 - c) * X + c * Z
    return (1.0 - beta_1) * Z + beta_1 * X, (Z, X, S, total)


def newton_schulz(x):
    """Return what five steps of O10 make of a singular value."""
    for _ in range(5):
        x = 3.4445 * x - 4.7750 * x**3 + 2.0315 * x**5
    return x


def muon(
    W, dW, memory, t, alpha, beta=0.95, beta_1=0.9, beta_2=0.95, epsilon=1e-8, weight_decay=0.01,
    decaying=1.0, hidden=False, matrices=(),
):  # fmt: skip
    """O11 of an array that is a hidden matrix, or O6; of a vector, O11 in the places given."""
    new, (V, S) = adamw(W, dW, memory, t, alpha, beta_1, beta_2, epsilon, weight_decay, decaying)
    if hidden:
        V = beta * (memory or (0.0, 0.0))[0] + (1.0 - beta) * dW
        left, values, right = np.linalg.svd(beta * V + (1.0 - beta) * dW, full_matrices=False)
        values = newton_schulz(values / ((values**2).sum() ** 0.5 + epsilon))
        step = 0.2 * max(W.shape) ** 0.5 * (left * values) @ right
        return W - alpha * (step + weight_decay * W), (V, 0.0 * S)
    for at, rows, columns in matrices:
        here = slice(at, at + rows * columns)
        old = tuple(part[here].reshape(rows, columns) for part in memory)
        own, (own_V, own_S) = muon(
            W[here].reshape(rows, columns), dW[here].reshape(rows, columns), old, t, alpha, beta,
            epsilon=epsilon, weight_decay=weight_decay, hidden=True,
        )  # fmt: skip
        new[here], V[here], S[here] = own.ravel(), own_V.ravel(), own_S.ravel()
    return new, (V, S)


def nesterov_two_points(W, gradient, alpha, beta, steps):
    """Return the look-ahead points W̃ + βV of Nesterov's method as textbooks print it."""
    V, looks = 0.0, []
    for _ in range(steps):
        V = beta * V - alpha * gradient(W + beta * V)
        W = W + V
        looks.append(W + beta * V)
    return looks
