"""Products in pieces that BLAS does not share among the cores."""

import numpy as np
import pytest

from chainrule.engines.base import Problem
from chainrule.network.layers import BatchNorm, Dense
from chainrule.network.spec import NetworkSpec
from chainrule.training.diagnostics import diagnose
from chainrule.training.one_thread import OneThread, piece_of
from tests.engines.test_layer_kinds import examples, parameters


@pytest.mark.parametrize(
    ("m", "k", "n"), [(1, 1, 1), (64, 64, 256), (128, 784, 256), (3, 9000, 70), (700, 1, 500)]
)
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_a_product_in_pieces_is_the_product(m, k, n, dtype):
    random = np.random.default_rng(m)
    A, B = random.standard_normal((m, k)), random.standard_normal((n, k)).T
    exact, bound = A @ B, k * np.finfo(dtype).eps * (np.abs(A) @ np.abs(B))
    A, B = A.astype(dtype), B.astype(dtype)
    found = A.view(OneThread) @ B
    assert type(found) is np.ndarray
    assert found.dtype == dtype
    # The factors were rounded as well.
    assert np.all(np.abs(found - exact) <= 3 * bound)


def test_all_products_of_a_diagnosis_are_in_pieces(monkeypatch):
    shapes = []

    def noted(W, A):
        shapes.append(W.shape)
        return np.asarray(W) @ A

    monkeypatch.setattr(OneThread, "__matmul__", noted)
    spec = NetworkSpec(
        70, (Dense(64, "gelu"), BatchNorm("relu"), Dense(50, "tanh"), Dense(3, "softmax")),
        "cross_entropy",
    )  # fmt: skip
    diagnose(Problem(spec, parameters(spec), examples(spec, 300, weighted=True)))
    # F1 upwards, BP2 downwards; no gradient is needed.
    assert shapes == [(64, 70), (50, 64), (3, 50), (50, 3), (64, 50)]


@pytest.mark.parametrize("depth", [1, 2, 64, 784, 4095, 4096, 5000, 10**6])
def test_pieces_are_shorter_than_what_openblas_shares(depth):
    side, own = piece_of(depth)
    assert side >= 2
    assert own <= depth
    assert side * side * own <= 4 * 65536
