"""The command line as whole processes, cold: chainrule train and a scikit-learn script, and --help.

    python benchmarks/command_line.py [--runs 9]

Both read examples/wdbc.csv, standardise it, train a 30-24-24-2 network for 100 epochs with batches
of 32, and save it; chainrule also divides the rows, follows the loss of some of them, scores all
parts and writes its metrics and run.toml. The accuracies must agree before anything is timed. The
processes take turns; times are medians, ratios medians run by run.
"""

import argparse
import json
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

TABLE = Path(__file__).parents[1] / "examples" / "wdbc.csv"

SKLEARN = """
import csv, pickle, sys, warnings
import numpy as np
from sklearn.neural_network import MLPClassifier
from sklearn.preprocessing import StandardScaler
warnings.simplefilter("ignore")  # it says after 100 epochs that it is not finished
with open(sys.argv[1], newline="") as file:
    header, *rows = csv.reader(file)
place = header.index("diagnosis")
y = np.array([row[place] for row in rows])
X = np.array([row[:place] + row[place + 1 :] for row in rows], float)
scaler = StandardScaler().fit(X)
model = MLPClassifier(
    (24, 24), batch_size=32, max_iter=100, n_iter_no_change=1000, alpha=1e-3, random_state=0
).fit(scaler.transform(X), y)
with open(sys.argv[2], "wb") as file:
    pickle.dump((scaler, model), file)
print(model.score(scaler.transform(X), y))
"""

OPTIONS = [
    *("--target", "diagnosis", "--layers", "24,24", "--activation", "relu", "--epochs", "100"),
    *("--batch-size", "32", "--l2", "0.5", "--learning-rate", "0.001", "--schedule", "constant"),
    *("--no-early-stopping", "--patience", "1000", "--split", "0.96,0.02,0.02"),
    *("--no-report", "--quiet"),
]


def seconds(command: list[str]) -> tuple[float, str]:
    """Run a command; return how long it took, and what it wrote."""
    started = time.perf_counter()
    done = subprocess.run(command, check=True, capture_output=True, text=True)
    return time.perf_counter() - started, done.stdout


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--runs", type=int, default=9)
    runs = arguments.parse_args().runs
    with tempfile.TemporaryDirectory() as folder:
        train = [sys.executable, "-m", "chainrule", "train", str(TABLE), *OPTIONS, "--out", folder]
        script = [sys.executable, "-c", SKLEARN, str(TABLE), f"{folder}/model.pickle"]
        _, theirs = seconds(script)
        seconds(train)
        scores = json.loads(Path(folder, "metrics.json").read_text(encoding="utf-8"))
        accuracies = float(theirs), scores["train"]["accuracy"]
        assert min(accuracies) > 0.97, accuracies
        assert abs(accuracies[0] - accuracies[1]) < 0.03, accuracies
        print(f"accuracy on the training rows: scikit-learn {accuracies[0]:.4f}, "
              f"chainrule {accuracies[1]:.4f}")  # fmt: skip
        show("train, whole process", "scikit-learn", script, train, runs)
        numpy = [sys.executable, "-c", "import numpy"]
        show("--help", "python -c 'import numpy'", numpy, [*train[:3], "--help"], runs)


def show(name: str, peer: str, theirs: list[str], ours: list[str], runs: int) -> None:
    """Time two commands in turns and print the medians."""
    pairs = [(seconds(theirs)[0], seconds(ours)[0]) for _ in range(runs)]
    medians = [statistics.median(column) for column in zip(*pairs, strict=True)]
    ratio = statistics.median(a / b for a, b in pairs)
    print(
        f"{name}: {peer} {medians[0]:.3f} s, chainrule {medians[1]:.3f} s, "
        f"{peer} / chainrule {ratio:.2f}"
    )


if __name__ == "__main__":
    main()
