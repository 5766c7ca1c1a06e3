"""The golden file of an estimator: what it predicts is worked out by hand, now and for ever."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import chainrule as cr
from chainrule.estimators.labels import Labels
from chainrule.estimators.scaling import Scale
from chainrule.model.conformal import Conformal
from chainrule.tables.encoder import TableEncoder
from chainrule.tables.kinds import CategoryColumn, NumericColumn
from chainrule.training.diagnostics import Diagnosis

FOLDER = Path(__file__).parent / "golden"
CLASSIFIER, REGRESSOR = (FOLDER / f"estimator-{kind}-v4.safetensors" for kind in ("table", "array"))

# Of the same version, but written on 2026-11-28, when there were no bins and other defaults.
OLD_CLASSIFIER, OLD_REGRESSOR = (
    FOLDER / f"estimator-{kind}-v4-before-bins.safetensors" for kind in ("table", "array")
)
# And on 2026-11-30, when there were no ensembles.
SINGLE_CLASSIFIER, SINGLE_REGRESSOR = (
    FOLDER / f"estimator-{kind}-v4-before-ensembles.safetensors" for kind in ("table", "array")
)
OLD_DEFAULTS = {
    "solver": "adam",
    "alpha": 3.0,
    "learning_rate": "adaptive",
    "learning_rate_init": 0.002,
    "max_iter": 200,
    "n_iter_no_change": 10,
    "beta_2": 0.999,
    "init": None,
    "label_smoothing": 0.0,
    "weight_decay": 0.01,
    "ema_decay": 0.0,
    "numeric_bins": 0,
    "scale_layer": False,
    "width_scaling": False,
}
classifiers = pytest.mark.parametrize(
    "path", [CLASSIFIER, SINGLE_CLASSIFIER, OLD_CLASSIFIER], ids=lambda p: p.stem
)
regressors = pytest.mark.parametrize(
    "path", [REGRESSOR, SINGLE_REGRESSOR, OLD_REGRESSOR], ids=lambda p: p.stem
)


def golden_classifier(**settings):
    """The classifier of a table, written out; 8 bins were the default."""
    settings = {"numeric_bins": 8, **settings}
    model = cr.NetworkClassifier(
        (), class_weight={"ja": 2.0, "nein": 1.0}, random_state=5, **settings
    )
    encoder = TableEncoder()
    encoder.columns_ = (
        NumericColumn("size", fill=2.0, center=1.0, scale=4.0, flag=True),
        CategoryColumn("kind", ("a", 'ü,"'), other=False, missing=False, as_codes=False),
    )
    encoder.dropped_, encoder.notes_ = (), ()
    encoder.feature_names_in_ = np.array(["size", "kind"], object)
    encoder.n_features_in_ = 2
    net = cr.Network([4, cr.Dense(1, "sigmoid")], "binary_cross_entropy", seed=3)
    net.parameters = [1, 2, 4, 8, -4]
    net.epochs_trained = 7
    vars(model).update(
        {
            "encoder_": encoder,
            "network_": net,
            "n_features_in_": 2,
            "feature_names_in_": np.array(["size", "kind"], object),
            "n_outputs_": 1,
            "n_layers_": 2,
            "out_activation_": "logistic",
            "n_iter_": 7,
            "t_": 70,
            "seed_": 5,
            "loss_": 0.25,
            "best_loss_": 0.125,
            "best_validation_score_": None,
            "loss_curve_": [0.5, float("inf"), 0.25],
            "validation_loss_curve_": [0.5, 0.25, 0.125],
            "validation_scores_": None,
            "diagnostics_": [Diagnosis("stuck_loss", None, 0.5, "It is stuck.", 2)],
            "temperature_": 1.5,
            "_conformal": {None: Conformal.of(np.array([0.5, 0.25]))},
            "_input_scale": None,
            "_labels": Labels(np.array(["ja", "nein"], object), "binary"),
            "_target_name": "frei",
            "_no_improvement_count": 1,
            "_random_state": np.random.RandomState(5),
        }
    )
    return model


def golden_regressor():
    """The regressor of an array, written out."""
    model = cr.MLPRegressor(
        hidden_layer_sizes=[],
        learning_rate=cr.Warmup(cr.CosineDecay(0.5)),
        standardize=True,
        standardize_target=True,
    )
    net = cr.Network([2, cr.Dense(1, "identity")], "mse", seed=0, dtype="float64")
    net.parameters = [1, 2, 0.5]
    vars(model).update(
        {
            "network_": net,
            "n_features_in_": 2,
            "n_outputs_": 1,
            "n_layers_": 2,
            "out_activation_": "identity",
            "n_iter_": 1,
            "t_": 10,
            "_input_scale": Scale(np.array([1.0, 2.0]), np.array([2.0, 4.0])),
            "_target_scale": Scale(np.array([100.0]), np.array([8.0])),
        }
    )
    return model


@pytest.mark.parametrize(
    ("path", "golden"), [(CLASSIFIER, golden_classifier), (REGRESSOR, golden_regressor)]
)
def test_today_s_writer_gives_the_bytes_of_the_golden_file(tmp_path, path, golden):
    golden().save(tmp_path / "model.safetensors")
    assert (tmp_path / "model.safetensors").read_bytes() == path.read_bytes()


@classifiers
def test_the_golden_classifier_is_read_with_all_that_its_users_see(path):
    expected = golden_classifier(**(OLD_DEFAULTS if path == OLD_CLASSIFIER else {}))
    model = cr.load(path)
    assert type(model) is cr.NetworkClassifier
    assert model.get_params() == expected.get_params()
    assert model.classes_.dtype == object
    assert model.classes_.tolist() == ["ja", "nein"]
    assert model.encoder_.columns_ == expected.encoder_.columns_
    assert model.feature_names_in_.tolist() == ["size", "kind"]
    told = ("loss_curve_", "validation_loss_curve_", "diagnostics_", "seed_", "temperature_", "t_")
    assert {n: getattr(model, n) for n in told} == {n: getattr(expected, n) for n in told}
    assert (model.network_.epochs_trained, model.network_.seed) == (7, 3)
    assert model._conformal[None].scores.tolist() == [[0.25], [0.5]]


@classifiers
def test_the_golden_classifier_predicts_what_is_worked_out_by_hand(path):
    rows = pd.DataFrame({"kind": ["a", 'ü,"', "new"], "size": [1.0, 5.0, np.nan]})
    # size (x − 1)/4 (0.25 for the missing value, whose flag is 1), and the one of the category
    logits = np.array([0 + 4 - 4, 1 + 8 - 4, 0.25 + 2 - 4])
    found = cr.load(path).predict_proba(rows)
    np.testing.assert_allclose(found[:, 1], 1 / (1 + np.exp(-logits)), rtol=1e-6)
    assert cr.load(path).predict(rows).tolist() == ["ja", "nein", "ja"]


@regressors
def test_the_golden_regressor_predicts_what_is_worked_out_by_hand(path):
    model = cr.load(path)
    assert model.learning_rate == cr.Warmup(cr.CosineDecay(0.5))
    assert model.predict([[3.0, 2.0], [1.0, 10.0]]).tolist() == [112.0, 136.0]
