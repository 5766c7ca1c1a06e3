"""The peers, each training the same network: ReLU, softmax cross-entropy, Adam, float32.

A peer is made from a workload, its data and initial parameters; `loss()` is its mean cross-entropy
over the data, and `train(epochs)` trains on shuffled batches. Whatever a peer compiles or caches,
it does before it is timed.
"""

import time
import warnings
from collections.abc import Callable
from typing import Protocol

import numpy as np
from workloads import Workload

Parameters = list[tuple[np.ndarray, np.ndarray]]
"""(W, b) of each layer, W as (n_out, n_in)."""


class Peer(Protocol):
    def loss(self) -> float: ...
    def train(self, epochs: int) -> None: ...


def fall_asleep() -> None:
    """Wait until threads that one peer left waiting no longer take the next one's cores.

    Those of OpenBLAS and OpenMP spin for tens of milliseconds after their last product.
    """
    time.sleep(0.3)


def chainrule_peer(
    engine: str, precision: str = "full", threads: int | None = None
) -> Callable[..., Peer]:
    class Chainrule:
        def __init__(
            self, workload: Workload, X: np.ndarray, y: np.ndarray, parameters: Parameters
        ) -> None:
            import chainrule as cr

            hidden = [cr.Dense(n, "relu") for n in workload.sizes[1:-1]]
            output = cr.Dense(workload.sizes[-1], "softmax")
            self.net = cr.Network(
                [workload.sizes[0], *hidden, output], cost="cross_entropy", seed=0
            )
            for W, b, (W_given, b_given) in zip(
                self.net.weights, self.net.biases, parameters, strict=True
            ):
                W[...], b[...] = W_given, b_given
            self.optimizer = cr.Adam(workload.learning_rate)
            self.X, self.y, self.batch = X, y, workload.batch

        def loss(self) -> float:
            return self.net.loss(self.X, self.y, engine=engine)

        def train(self, epochs: int) -> None:
            with warnings.catch_warnings():
                # A small network goes through its rows thousands of times.
                warnings.simplefilter("ignore")
                self.net.fit(
                    self.X,
                    self.y,
                    optimizer=self.optimizer,
                    epochs=epochs,
                    batch_size=self.batch,
                    engine=engine,
                    precision=precision,
                    threads=threads,
                )

    return Chainrule


def chainrule_precisions(engine: str, threads: int | None = None) -> dict[str, Callable[..., Peer]]:
    """Return chainrule with products in bfloat16 by its precision, where the CPU has them."""
    from chainrule.engines.native import has_precision

    names = [name for name in ("split", "mixed") if engine != "reference" and has_precision(name)]
    return {name: chainrule_peer(engine, name, threads) for name in names}


class Sklearn:
    """scikit-learn's MLPClassifier. Two classes are one logistic output there, not two softmax."""

    def __init__(
        self, workload: Workload, X: np.ndarray, y: np.ndarray, parameters: Parameters
    ) -> None:
        from sklearn.neural_network import MLPClassifier

        self.X, self.y = X, y
        self.model = MLPClassifier(
            workload.sizes[1:-1],
            batch_size=workload.batch,
            learning_rate_init=workload.learning_rate,
            alpha=0.0,
            tol=0.0,
            warm_start=True,
        )
        classes = np.arange(workload.sizes[-1])
        first = max(workload.batch, 256)  # rows that hold every class
        self.model.partial_fit(X[:first], y[:first], classes=classes)
        for layer, (W, b) in enumerate(parameters):
            if workload.sizes[-1] == 2 and layer == len(parameters) - 1:
                W, b = W[1:] - W[:1], b[1:] - b[:1]
            self.model.coefs_[layer][...] = W.T
            self.model.intercepts_[layer][...] = b
        del self.model._optimizer  # the state of the step above; the next step starts afresh

    def loss(self) -> float:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            P = self.model.predict_log_proba(self.X)
        return float(-np.mean(P[np.arange(len(self.y)), self.y]))

    def train(self, epochs: int) -> None:
        for _ in range(epochs):
            self.model.partial_fit(self.X, self.y)


class Torch:
    """PyTorch, eager, with its own Adam; batches by indexing with a random permutation."""

    autocast = False

    def __init__(
        self, workload: Workload, X: np.ndarray, y: np.ndarray, parameters: Parameters
    ) -> None:
        import torch
        from torch import nn

        self.torch, self.batch = torch, workload.batch
        layers: list[nn.Module] = []
        for W, b in parameters:
            linear = nn.Linear(W.shape[1], W.shape[0])
            with torch.no_grad():
                linear.weight.copy_(torch.from_numpy(W))
                linear.bias.copy_(torch.from_numpy(b))
            layers += [linear, nn.ReLU()]
        self.model = nn.Sequential(*layers[:-1])
        self.cost = nn.CrossEntropyLoss()
        self.X, self.y = torch.from_numpy(X), torch.from_numpy(y)
        self.optimizer = torch.optim.Adam(self.model.parameters(), workload.learning_rate)

    def loss(self) -> float:
        with self.torch.no_grad():
            return float(self.cost(self.model(self.X), self.y))

    def train(self, epochs: int) -> None:
        torch = self.torch
        for _ in range(epochs):
            for rows in torch.randperm(len(self.X)).split(self.batch):
                self.optimizer.zero_grad()
                with torch.autocast("cpu", torch.bfloat16, enabled=self.autocast):
                    cost = self.cost(self.model(self.X[rows]), self.y[rows])
                cost.backward()
                self.optimizer.step()


class TorchAutocast(Torch):
    """PyTorch with bfloat16 products (autocast) and float32 parameters."""

    autocast = True


class Jax:
    """JAX: a whole epoch in one jitted `lax.scan`, compiled before it is timed."""

    def __init__(
        self, workload: Workload, X: np.ndarray, y: np.ndarray, parameters: Parameters
    ) -> None:
        import jax
        import jax.numpy as jnp

        self.X, self.y = jnp.asarray(X), jnp.asarray(y)
        full, rate = workload.rows // workload.batch, workload.learning_rate

        def cost(theta, X, y):
            A = X
            for W, b in theta[:-1]:
                A = jax.nn.relu(A @ W.T + b)
            W, b = theta[-1]
            log_p = jax.nn.log_softmax(A @ W.T + b)
            return -jnp.mean(jnp.take_along_axis(log_p, y[:, None], axis=1))

        def step(carry, rows):
            theta, V, S, t = carry
            gradient = jax.grad(cost)(theta, self.X[rows], self.y[rows])
            t = t + 1
            tree = jax.tree.map
            V = tree(lambda v, g: 0.9 * v + 0.1 * g, V, gradient)
            S = tree(lambda s, g: 0.999 * s + 0.001 * g * g, S, gradient)
            theta = tree(
                lambda w, v, s: (
                    w - rate * (v / (1 - 0.9**t)) / (jnp.sqrt(s / (1 - 0.999**t)) + 1e-8)
                ),
                theta,
                V,
                S,
            )
            return (theta, V, S, t), None

        def epoch(carry, key):
            order = jax.random.permutation(key, workload.rows)
            rows = order[: full * workload.batch].reshape(full, workload.batch)
            carry, _ = jax.lax.scan(step, carry, rows)
            if workload.rows % workload.batch:
                carry, _ = step(carry, order[full * workload.batch :])
            return carry

        self.cost = jax.jit(cost)
        self.epoch = jax.jit(epoch)
        self.jax, self.key = jax, jax.random.key(0)
        theta = [(jnp.asarray(W), jnp.asarray(b)) for W, b in parameters]
        zeros = jax.tree.map(jnp.zeros_like, theta)
        self.carry = (theta, zeros, zeros, jnp.float32(0))
        self.epoch.lower(self.carry, self.key).compile()
        jax.block_until_ready(self.epoch(self.carry, self.key))

    def loss(self) -> float:
        return float(self.cost(self.carry[0], self.X, self.y))

    def train(self, epochs: int) -> None:
        for _ in range(epochs):
            self.key, key = self.jax.random.split(self.key)
            self.carry = self.epoch(self.carry, key)
        self.jax.block_until_ready(self.carry)


def available_peers() -> dict[str, Callable[..., Peer]]:
    """Return the other libraries that are installed, by name; scikit-learn always is."""
    peers: dict[str, Callable[..., Peer]] = {"sklearn": Sklearn}
    try:
        import torch  # noqa: F401

        peers |= {"torch": Torch, "torch bf16": TorchAutocast}
    except ImportError:
        pass
    try:
        import jax  # noqa: F401

        peers["JAX"] = Jax
    except ImportError:
        pass
    return peers
