"""Prediction: the same network on the same rows, chainrule and its peers in one run.

    python benchmarks/prediction.py [--runs 7]

ReLU and softmax, float32. Peers that are not installed are left out (scikit-learn always is there;
ONNX Runtime needs onnx and onnxruntime). The outputs must agree before anything is timed. The
peers take turns within each run; times are medians, ratios medians of peer / chainrule run by run.
"""

import argparse
import statistics
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
from workloads import Workload

import chainrule as cr

Predict = Callable[[np.ndarray], np.ndarray]


def sklearn_peer(net: cr.Network, X: np.ndarray, y: np.ndarray) -> Predict:
    from sklearn.neural_network import MLPClassifier

    hidden = tuple(len(b) for b in net.biases[:-1])
    model = MLPClassifier(hidden, batch_size=min(200, len(X)))
    model.partial_fit(X[:200], y[:200], classes=np.arange(len(net.biases[-1])))
    for layer, (W, b) in enumerate(zip(net.weights, net.biases, strict=True)):
        if layer == len(hidden) and len(b) == 2:  # two classes are one logistic output there
            W, b = W[1:] - W[:1], b[1:] - b[:1]
        model.coefs_[layer][...] = W.T
        model.intercepts_[layer][...] = b
    return model.predict_proba


def onnx_peer(net: cr.Network) -> Predict:
    import onnx
    import onnxruntime
    from onnx import TensorProto, helper, numpy_helper

    nodes, constants, last = [], [], "X"
    for layer, (W, b) in enumerate(zip(net.weights, net.biases, strict=True), start=1):
        constants += [
            numpy_helper.from_array(np.ascontiguousarray(W), f"W{layer}"),
            numpy_helper.from_array(np.ascontiguousarray(b), f"b{layer}"),
        ]
        gemm = helper.make_node("Gemm", [last, f"W{layer}", f"b{layer}"], [f"Z{layer}"], transB=1)
        kind = "Softmax" if layer == len(net.weights) else "Relu"
        nodes += [gemm, helper.make_node(kind, [f"Z{layer}"], [f"A{layer}"])]
        last = f"A{layer}"
    graph = helper.make_graph(
        nodes,
        "network",
        [helper.make_tensor_value_info("X", TensorProto.FLOAT, ["m", net.spec.n_features])],
        [helper.make_tensor_value_info(last, TensorProto.FLOAT, ["m", net.spec.n_outputs])],
        constants,
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)])
    model.ir_version = 8
    onnx.checker.check_model(model)
    session = onnxruntime.InferenceSession(model.SerializeToString())
    return lambda X: session.run(None, {"X": X})[0]


def torch_peer(net: cr.Network) -> Predict:
    import torch

    layers = [
        (torch.from_numpy(W), torch.from_numpy(b))
        for W, b in zip(net.weights, net.biases, strict=True)
    ]

    def predict(X: np.ndarray) -> np.ndarray:
        with torch.inference_mode():
            A = torch.from_numpy(X)
            for W, b in layers[:-1]:
                A = torch.relu(torch.nn.functional.linear(A, W, b))
            return torch.softmax(torch.nn.functional.linear(A, *layers[-1]), dim=1).numpy()

    return predict


def run(workload: Workload, runs: int) -> None:
    X, y = workload.data()
    hidden = [cr.Dense(n, "relu") for n in workload.sizes[1:-1]]
    net = cr.Network(
        [workload.sizes[0], *hidden, cr.Dense(workload.sizes[-1], "softmax")],
        cost="cross_entropy",
        seed=0,
    )
    peers: dict[str, Predict] = {"chainrule": net.predict}
    net.predict(X[:1])
    forget_peak()
    before = memory("VmRSS")
    expected = net.predict(X)
    used = memory("VmHWM") - before - expected.nbytes / 2**20
    many = np.concatenate([X[:200]] * (200 // len(X) + 1)) if len(X) < 200 else X
    peers["sklearn"] = sklearn_peer(net, many, np.resize(y, len(many)))
    for name, make in (("torch", torch_peer), ("onnxruntime", onnx_peer)):
        try:
            peers[name] = make(net)
        except ImportError:
            print(f"  {name} is not installed")
    for name, predict in peers.items():
        np.testing.assert_allclose(predict(X), expected, atol=1e-5, err_msg=name)

    calls = {}
    for name, predict in peers.items():
        started = time.perf_counter()
        predict(X)
        calls[name] = max(1, min(20_000, int(0.3 / (time.perf_counter() - started))))
    times: dict[str, list[float]] = {name: [] for name in peers}
    for _ in range(runs):
        for name, predict in peers.items():
            started = time.perf_counter()
            for _ in range(calls[name]):
                predict(X)
            times[name].append((time.perf_counter() - started) / calls[name])
    print(f"\n{workload.rows} rows, {'-'.join(map(str, workload.sizes))}", end="")
    print(f"; chainrule's peak memory beyond the output: {used:.1f} MiB")
    ours = times["chainrule"]
    for name, measured in times.items():
        ratio = statistics.median(peer / own for peer, own in zip(measured, ours, strict=True))
        print(f"  {name:<12}{statistics.median(measured) * 1e6:14.2f} µs{ratio:10.2f} × chainrule")


def forget_peak() -> None:
    """Let the process' peak memory begin at its present memory (Linux)."""
    Path("/proc/self/clear_refs").write_text("5")


def memory(field: str) -> float:
    """Return VmRSS (present) or VmHWM (peak since `forget_peak`) of the process in MiB."""
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) / 1024 for line in lines if line.startswith(field))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--runs", type=int, default=7)
    arguments = parser.parse_args()
    run(Workload(1_000_000, (28, 256, 256, 2), 1), arguments.runs)
    run(Workload(569, (30, 24, 24, 2), 1), arguments.runs)
    run(Workload(1, (30, 24, 24, 2), 1), arguments.runs)


if __name__ == "__main__":
    main()
