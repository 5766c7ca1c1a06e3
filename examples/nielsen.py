"""Nielsen's two recorded experiments on MNIST, trained by chainrule.

From "Neural Networks and Deep Learning" (Nielsen 2015): chapter 1's 784-30-10 network of sigmoids
with the quadratic cost (about 95 %), and chapter 3's 784-100-10 with cross-entropy and L2
regularisation (97.8 % on his validation set).

    python examples/nielsen.py --data DIR

DIR holds the four MNIST files in IDX format, gzipped (train-images-idx3-ubyte.gz, …). Without
--data, scikit-learn fetches the table from openml.org.
"""

import argparse
import gzip
from pathlib import Path

import numpy as np

import chainrule as cr


def read_idx(path: Path) -> np.ndarray:
    """Read one gzipped IDX file of bytes."""
    content = gzip.decompress(path.read_bytes())
    n_dimensions = content[3]
    shape = np.frombuffer(content, ">i4", n_dimensions, 4)
    return np.frombuffer(content, np.uint8, offset=4 + 4 * n_dimensions).reshape(shape)


def load_mnist(folder: str | None) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Return training and test images (rows of 784 numbers from 0 to 1) and their digits."""
    if folder is None:
        from sklearn.datasets import fetch_openml

        images, digits = fetch_openml("mnist_784", return_X_y=True, as_frame=False)
        images, digits = images.astype(np.float32) / 255, digits.astype(int)
        return images[:60000], digits[:60000], images[60000:], digits[60000:]
    parts = []
    for name in ("train", "t10k"):
        images = read_idx(Path(folder) / f"{name}-images-idx3-ubyte.gz")
        parts.append(images.reshape(len(images), 784).astype(np.float32) / 255)
        parts.append(read_idx(Path(folder) / f"{name}-labels-idx1-ubyte.gz").astype(int))
    return parts[0], parts[1], parts[2], parts[3]


class BestOnValidation:
    """Keeps the parameters of the epoch with the best validation accuracy, which he reports."""

    def __init__(self, net: cr.Network) -> None:
        self.net, self.accuracy, self.epoch = net, 0.0, 0
        self.parameters = net.parameters.copy()

    def __call__(self, event: cr.events.Event) -> None:
        if not isinstance(event, cr.events.EpochEnded):
            return
        if event.validation_metrics["accuracy"] > self.accuracy:
            self.accuracy, self.epoch = event.validation_metrics["accuracy"], event.epoch
            self.parameters = self.net.parameters.copy()


def test_accuracy(net: cr.Network, X: np.ndarray, y: np.ndarray) -> float:
    return float(np.mean(net.predict(X).argmax(axis=1) == y))


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--data", help="folder with the four MNIST files")
    parser.add_argument("--epochs", type=int, default=30)
    arguments = parser.parse_args()
    X, y, X_test, y_test = load_mnist(arguments.data)
    # He trains on the first 50,000 and keeps 10,000 to validate.
    X, y, X_validation, y_validation = X[:50000], y[:50000], X[50000:], y[50000:]

    quadratic = cr.Network(
        [784, cr.Dense(30, "sigmoid"), cr.Dense(10, "sigmoid")], cost="mse", init="nielsen", seed=0
    )
    regularised = cr.Network(
        [784, cr.Dense(100, "sigmoid"), cr.Dense(10, "sigmoid")],
        cost="binary_cross_entropy",
        init="nielsen",
        seed=0,
    )
    # His regularisation term is λ/2n Σ w², n = 50,000 examples: l2 = λ/n.
    for name, net, rate, l2 in (
        ("784-30-10, quadratic cost, η = 3", quadratic, 3.0, 0.0),
        ("784-100-10, cross-entropy, λ = 5, η = 0.5", regularised, 0.5, 5 / len(X)),
    ):
        best = BestOnValidation(net)
        net.fit(
            X,
            y,
            optimizer=cr.SGD(rate),
            l2=l2,
            epochs=arguments.epochs,
            batch_size=10,
            validation_data=(X_validation, y_validation),
            metrics=["accuracy"],
            verbose=True,
            callbacks=[best],
        )
        last = test_accuracy(net, X_test, y_test)
        net.parameters = best.parameters
        chosen = test_accuracy(net, X_test, y_test)
        print(
            f"{name}: test {last:.4f} after the last epoch; {chosen:.4f} after epoch {best.epoch}, "
            f"the best on the validation set ({best.accuracy:.4f} there)"
        )


if __name__ == "__main__":
    main()
