"""Checkpoints that chainrule wrote on 2026-11-25 resume to the results of that day.

`network` and `estimator` were left by the trainings below, which an exception cut off at steps 10
and 30; `run` by a `chainrule train --checkpoint` that was killed. The results beside them are
those of the same code without the interruption. All are the reference engine's, so that they do not
depend on the instruction set.
"""

import csv
import shutil
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner

import chainrule as cr
from chainrule.cli.app import app

GOLDEN = Path(__file__).parent / "golden_checkpoints"
WDBC = Path(__file__).parent.parent / "examples" / "wdbc.csv"

# NumPy's matrix products differ in the last bits from one BLAS to another.
ROUNDING = 1e-9

# NetworkClassifier's, of what has another one now.
OLD_DEFAULTS = {
    "solver": "adam",
    "beta_2": 0.999,
    "learning_rate_init": 0.002,
    "init": None,
    "numeric_bins": 0,
    "scale_layer": False,
    "width_scaling": False,
    "n_iter_no_change": 10,
    "ema_decay": 0.0,
}


def examples() -> tuple[np.ndarray, np.ndarray]:
    random = np.random.default_rng(7)
    X = random.standard_normal((60, 4))
    return X, np.eye(3)[(X @ random.standard_normal((4, 3))).argmax(axis=1)]


def test_a_network_s_checkpoint_resumes(tmp_path: Path) -> None:
    X, Y = examples()
    shutil.copy(GOLDEN / "network", tmp_path / "checkpoint")
    net = cr.Network(
        [4, cr.Dense(6, "tanh"), cr.BatchNorm(), cr.Dropout(0.2), cr.Dense(3, "softmax")],
        cost="cross_entropy",
        dtype="float64",
        seed=3,
    )
    net.fit(
        X,
        Y,
        epochs=6,
        batch_size=16,
        optimizer=cr.AdamW(learning_rate=cr.CosineDecay(0.01)),
        l2=0.001,
        max_grad_norm=2.0,
        engine="reference",
        checkpoint=tmp_path / "checkpoint",
        resume=True,
    )
    assert len(net.history) == 6
    finished = np.load(GOLDEN / "network-finished.npy")
    np.testing.assert_allclose(net.parameters, finished, rtol=ROUNDING, atol=ROUNDING)


def test_an_estimator_s_checkpoint_resumes(tmp_path: Path) -> None:
    X, Y = examples()
    shutil.copy(GOLDEN / "estimator", tmp_path / "checkpoint")
    estimator = cr.NetworkClassifier(
        hidden_layer_sizes=(8,),
        max_iter=40,
        random_state=2,
        learning_rate="cosine",
        early_stopping=True,
        dropout=0.1,
        alpha=0.001,
        engine="reference",
        **OLD_DEFAULTS,
    )
    estimator.fit(X, Y.argmax(axis=1), checkpoint=tmp_path / "checkpoint", resume=True)
    finished = np.load(GOLDEN / "estimator-finished.npy")
    assert estimator.n_iter_ == 40
    np.testing.assert_allclose(
        estimator.network_.parameters, finished, rtol=ROUNDING, atol=ROUNDING
    )


def test_a_run_s_checkpoint_resumes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    rows = WDBC.read_text(encoding="utf-8").splitlines()[:61]
    Path("t.csv").write_text("\n".join([*rows, ""]), encoding="utf-8")
    shutil.copytree(GOLDEN / "run", "run")
    for command in (
        ["resume", "run", "--quiet", "--no-report"],
        ["predict", "run/model.safetensors", "t.csv", "-o", "predictions.csv"],
    ):
        result = CliRunner().invoke(app, command)
        assert result.exit_code == 0, result.output
    expected, present = (
        list(csv.DictReader(path.read_text(encoding="utf-8").splitlines()))
        for path in (GOLDEN / "run-predictions.csv", Path("predictions.csv"))
    )
    for name in expected[0]:
        if name == "prediction":
            assert [row[name] for row in present] == [row[name] for row in expected]
        else:
            np.testing.assert_allclose(
                [float(row[name]) for row in present],
                [float(row[name]) for row in expected],
                rtol=ROUNDING,
            )
