"""The networks and data that the benchmarks share."""

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Workload:
    """A network (sizes), its batch and the rows that one epoch has, and Adam's learning rate."""

    rows: int
    sizes: tuple[int, ...]
    batch: int
    learning_rate: float = 1e-3

    @property
    def name(self) -> str:
        rows = f"{self.rows // 1000}k" if self.rows >= 8000 else str(self.rows)
        return f"{rows}, {'-'.join(map(str, self.sizes))}, {self.batch}"

    @property
    def steps(self) -> int:
        """Steps of an epoch."""
        return -(-self.rows // self.batch)

    @property
    def flops(self) -> float:
        """Floating-point operations of an epoch's matrix products.

        Forward and weight gradient in every layer, δ in all but the first.
        """
        products = sum(
            n_in * n_out * (3 if layer else 2)
            for layer, (n_in, n_out) in enumerate(zip(self.sizes, self.sizes[1:], strict=False))
        )
        return 2.0 * products * self.rows

    def data(self, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
        """Return standard normal inputs, and classes that a network can learn from them."""
        random = np.random.default_rng(seed)
        X = random.standard_normal((self.rows, self.sizes[0]), dtype=np.float32)
        teacher = random.standard_normal((self.sizes[0], self.sizes[-1]), dtype=np.float32)
        return X, np.argmax(np.tanh(X) @ teacher, axis=1)


WORKLOADS = (
    Workload(569, (30, 24, 24, 2), 8),
    Workload(569, (30, 24, 24, 2), 32),
    Workload(1797, (64, 64, 10), 64),
    Workload(60_000, (784, 128, 10), 128),
    Workload(200_000, (28, 128, 128, 2), 256),
    Workload(500_000, (28, 256, 256, 2), 1024),
    # At 1e-3 the loss of the first few steps is a matter of chance, in all of the peers.
    Workload(8_192, (1024, 4096, 4096, 10), 2048, learning_rate=1e-4),
)
