"""The optimizers as scalar recurrences on Python floats, written from the equations.

Nothing here calls the package or an array library. Each takes W and a list of gradients and
returns W after every step.
"""

import math


def gradient_descent(W, gradients, alpha):
    path = []
    for dW in gradients:
        W = W - alpha * dW
        path.append(W)
    return path


def momentum(W, gradients, alpha, beta=0.9):
    V, path = 0.0, []
    for dW in gradients:
        V = beta * V + (1.0 - beta) * dW
        W = W - alpha * V
        path.append(W)
    return path


def rmsprop(W, gradients, alpha, beta=0.9, epsilon=1e-8):
    S, path = 0.0, []
    for dW in gradients:
        S = beta * S + (1.0 - beta) * dW**2
        W = W - alpha * dW / (math.sqrt(S) + epsilon)
        path.append(W)
    return path


def adam(W, gradients, alpha, beta_1=0.9, beta_2=0.999, epsilon=1e-8):
    V, S, path = 0.0, 0.0, []
    for t, dW in enumerate(gradients, start=1):
        V = beta_1 * V + (1.0 - beta_1) * dW
        S = beta_2 * S + (1.0 - beta_2) * dW**2
        V_corrected = V / (1.0 - math.pow(beta_1, t))
        S_corrected = S / (1.0 - math.pow(beta_2, t))
        W = W - alpha * V_corrected / (math.sqrt(S_corrected) + epsilon)
        path.append(W)
    return path


def adam_plain_epsilon(W, gradients, alpha, beta_1=0.9, beta_2=0.999, epsilon=1e-8):
    V, S, path = 0.0, 0.0, []
    for t, dW in enumerate(gradients, start=1):
        V = beta_1 * V + (1.0 - beta_1) * dW
        S = beta_2 * S + (1.0 - beta_2) * dW**2
        # O3 itself, with the ε that makes it this one.
        epsilon_t = epsilon / math.sqrt(1.0 - math.pow(beta_2, t))
        V_corrected = V / (1.0 - math.pow(beta_1, t))
        S_corrected = S / (1.0 - math.pow(beta_2, t))
        W = W - alpha * V_corrected / (math.sqrt(S_corrected) + epsilon_t)
        path.append(W)
    return path


def heavy_ball(W, gradients, alpha, beta=0.9):
    V, path = 0.0, []
    for dW in gradients:
        V = beta * V - alpha * dW
        W = W + V
        path.append(W)
    return path


def nesterov(W, gradients, alpha, beta=0.9):
    V, path = 0.0, []
    for dW in gradients:
        V = beta * V - alpha * dW
        W = W + beta * V - alpha * dW
        path.append(W)
    return path


def adamw(W, gradients, alpha, beta_1=0.9, beta_2=0.999, epsilon=1e-8, weight_decay=0.01):
    V, S, path = 0.0, 0.0, []
    for t, dW in enumerate(gradients, start=1):
        V = beta_1 * V + (1.0 - beta_1) * dW
        S = beta_2 * S + (1.0 - beta_2) * dW**2
        V_corrected = V / (1.0 - math.pow(beta_1, t))
        S_corrected = S / (1.0 - math.pow(beta_2, t))
        W = W - alpha * (V_corrected / (math.sqrt(S_corrected) + epsilon) + weight_decay * W)
        path.append(W)
    return path


def nadam(W, gradients, alpha, beta_1=0.9, beta_2=0.999, epsilon=1e-8):
    V, S, path = 0.0, 0.0, []
    for t, dW in enumerate(gradients, start=1):
        V = beta_1 * V + (1.0 - beta_1) * dW
        S = beta_2 * S + (1.0 - beta_2) * dW**2
        ahead = beta_1 * V / (1.0 - math.pow(beta_1, t + 1))
        ahead += (1.0 - beta_1) * dW / (1.0 - math.pow(beta_1, t))
        W = W - alpha * ahead / (math.sqrt(S / (1.0 - math.pow(beta_2, t))) + epsilon)
        path.append(W)
    return path


def lion(W, gradients, alpha, beta_1=0.9, beta_2=0.99, weight_decay=0.01):
    V, path = 0.0, []
    for dW in gradients:
        mixed = beta_1 * V + (1.0 - beta_1) * dW
        up_or_down = math.copysign(1.0, mixed) if mixed else 0.0
        W = W - alpha * (up_or_down + weight_decay * W)
        V = beta_2 * V + (1.0 - beta_2) * dW
        path.append(W)
    return path


def nesterov_two_points(W, gradient, alpha, beta, steps):
    """Return the look-ahead points W̃ + βV of Nesterov's method as textbooks print it."""
    V, looks = 0.0, []
    for _ in range(steps):
        V = beta * V - alpha * gradient(W + beta * V)
        W = W + V
        looks.append(W + beta * V)
    return looks
