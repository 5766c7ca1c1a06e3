"""Tables with text, dates and missing values in the Network… estimators."""

import pickle

import numpy as np
import polars as pl
import pytest
from sklearn.base import clone
from sklearn.inspection import permutation_importance
from sklearn.model_selection import GridSearchCV, cross_val_score, train_test_split
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer

import chainrule as cr
from chainrule import MLPClassifier, NetworkClassifier, NetworkMixed, NetworkRegressor
from chainrule.runs.config import RunConfig
from chainrule.runs.presets import parameters_of
from chainrule.runs.training import PreparedRun

ROWS = 240


def table(rows=ROWS):
    """A table of every kind of column, and two targets that depend on it."""
    random = np.random.default_rng(0)
    size = random.normal(3, 2, rows)
    colour = random.choice(["red", "green", "blue"], rows)
    score = size + 4 * (colour == "red")
    frame = pl.DataFrame(
        {
            "size": pl.Series(size, nan_to_null=True).scatter([3, 11], None),
            "colour": pl.Series(colour).scatter([5], None),
            "day": pl.Series(range(18_000, 18_000 + rows), dtype=pl.Int32).cast(pl.Date),
            "open": random.random(rows) < 0.5,
            "member": random.integers(0, 2, rows),
        }
    )  # fmt: skip
    return frame, pl.Series("kind", np.where(score > 4, "high", "low")), pl.Series("value", score)


X, KIND, VALUE = table()
FORMS = {
    "polars": (X, KIND),
    "pandas": (X.to_pandas(), KIND.to_pandas()),
    "arrow": (X.to_arrow(), KIND.to_arrow()),
    "categorical": (X.to_pandas().astype({"colour": "category"}), KIND.cast(pl.Categorical)),
}


@pytest.fixture(scope="module")
def fitted():
    return NetworkClassifier(random_state=0).fit(X, KIND)


@pytest.mark.parametrize("form", FORMS)
def test_a_table_of_any_library_gives_the_same_model(fitted, form):
    given, y = FORMS[form]
    model = NetworkClassifier(random_state=0).fit(given, y)
    assert model.classes_.tolist() == ["high", "low"]
    assert model.feature_names_in_.tolist() == X.columns
    assert model.n_features_in_ == 5
    np.testing.assert_array_equal(model.predict_proba(given), fitted.predict_proba(X))
    assert model.score(given, y) > 0.9


def test_values_of_a_table_are_learned():
    model = NetworkRegressor(random_state=0).fit(X.to_pandas(), VALUE.to_pandas())
    assert model.score(X, VALUE) > 0.9


def test_columns_are_found_by_name_and_others_are_ignored(fitted):
    turned = X.select(reversed(X.columns)).with_columns(more=pl.lit("anything"))
    np.testing.assert_array_equal(fitted.predict_proba(turned), fitted.predict_proba(X))


@pytest.mark.parametrize("form", ["polars", "pandas", "arrow"])
def test_columns_that_are_missing_are_named(fitted, form):
    rest = FORMS["polars"][0].drop("size", "colour")
    given = {"polars": rest, "pandas": rest.to_pandas(), "arrow": rest.to_arrow()}[form]
    with pytest.raises(cr.InvalidTableError, match=r"^X: the table lacks 'size', 'colour'"):
        fitted.predict(given)


@pytest.mark.parametrize("given", [np.zeros((2, 5)), [[0.0] * 5], X["size"]])
def test_an_array_is_refused_after_a_table(fitted, given):
    with pytest.raises(cr.InvalidArgumentError, match=r"^X: expected a table with the columns"):
        fitted.predict(given)


def test_a_missing_value_an_unknown_category_and_text_for_a_number_are_predicted(fitted):
    odd = X.head(3).with_columns(
        size=pl.Series(["1.5", None, "2"]), colour=pl.Series([None, "never seen", "red"])
    )
    assert np.isfinite(fitted.predict_proba(odd)).all()


@pytest.mark.parametrize("library", ["pandas", "polars", "arrow"])
@pytest.mark.parametrize("kind", [NetworkClassifier, MLPClassifier])
def test_a_table_of_numbers_gives_the_bits_of_an_array(library, kind):
    frame = X.select(pl.col("size").fill_null(0), "open", "member")
    given = {"polars": frame, "pandas": frame.to_pandas(), "arrow": frame.to_arrow()}[library]
    array = np.column_stack([column.to_numpy().astype(float) for column in frame])
    model = kind(random_state=0).fit(given, KIND, epochs=3)
    other = kind(random_state=0).fit(array, KIND, epochs=3)
    assert model.encoder_ is None
    assert model.feature_names_in_.tolist() == ["size", "open", "member"]
    np.testing.assert_array_equal(model.predict_proba(given), other.predict_proba(array))


def test_numbers_with_missing_ones_are_encoded():
    frame = X.select("size", "member").to_pandas()
    model = NetworkClassifier(random_state=0).fit(frame, KIND, epochs=3)
    assert list(model.encoder_.get_feature_names_out()) == ["size", "size=(missing)", "member"]


def test_the_encoder_learns_nothing_from_rows_that_are_set_aside():
    model = NetworkClassifier(random_state=3, validation_fraction=0.25).fit(X, KIND, epochs=1)
    rows = np.arange(ROWS)
    training, _ = train_test_split(
        rows, random_state=np.random.RandomState(3), test_size=0.25, stratify=KIND
    )
    expected = cr.TableEncoder().fit(X[training])
    assert model.encoder_.columns_ == expected.columns_
    assert model.encoder_.columns_ != cr.TableEncoder().fit(X).columns_


def test_the_target_s_scale_is_that_of_the_rows_that_are_trained_on():
    model = NetworkRegressor(random_state=3).fit(X, VALUE, epochs=1)
    training, _ = train_test_split(
        np.arange(ROWS), random_state=np.random.RandomState(3), test_size=0.1
    )
    assert model._target_scale.mean[0] == pytest.approx(VALUE[training].mean(), rel=1e-12)


@pytest.mark.parametrize("task", ["classification", "regression"])
def test_a_run_and_an_estimator_give_the_network_the_same_inputs(task):
    y = KIND if task == "classification" else VALUE
    config = RunConfig.of({"target": y.name, "epochs": 5, "target_transform": "none"})
    run = PreparedRun.prepare(config, X.with_columns(y))
    kind = NetworkClassifier if task == "classification" else NetworkRegressor
    given = parameters_of(run.config.training, task)
    known = kind().get_params()
    model = kind(**{name: value for name, value in given.items() if name in known})
    model.set_params(random_state=run.config.training.seed, early_stopping="loss")
    train, held_out = run.parts.train, run.parts.validation
    model.fit(
        train.select(X.columns), train[y.name],
        X_val=held_out.select(X.columns), y_val=held_out[y.name],
    )  # fmt: skip
    np.testing.assert_array_equal(model.encoder_.encode(train), run.training.X, strict=True)
    assert model._input_scale is None
    trained = run.train()
    assert model.n_iter_ == len(trained.history)
    if task == "classification":  # whose targets have no scale that is rounded
        np.testing.assert_array_equal(model.network_.parameters, trained.network.parameters)
    else:
        np.testing.assert_allclose(
            model.network_.parameters, trained.network.parameters, rtol=0, atol=1e-4
        )


def test_own_validation_data_are_read_like_the_training_table():
    model = NetworkClassifier(random_state=0)
    model.fit(X[40:], KIND[40:], X_val=X[:40].to_pandas(), y_val=KIND[:40], epochs=3)
    assert len(model.validation_loss_curve_) == 3
    assert model.encoder_.columns_ == cr.TableEncoder().fit(X[40:]).columns_
    with pytest.raises(cr.InvalidTableError, match=r"^X_val: the table lacks 'day'"):
        model.fit(X, KIND, X_val=X.drop("day"), y_val=KIND)


def test_partial_fit_and_warm_starts_keep_the_first_encoder():
    model = NetworkClassifier(random_state=0, warm_start=True)
    model.partial_fit(X[:100], KIND[:100], classes=["high", "low"])
    encoder = model.encoder_
    model.partial_fit(X[100:].to_pandas(), KIND[100:]).fit(X, KIND, epochs=2)
    assert model.encoder_ is encoder
    assert model.encoder_.columns_ == cr.TableEncoder().fit(X[:100]).columns_
    with pytest.raises(cr.InvalidArgumentError, match=r"^X: expected a table"):
        model.partial_fit(np.zeros((2, 5)), KIND[:2])


def test_a_fit_to_numbers_forgets_the_table():
    model = NetworkClassifier(random_state=0).fit(X, KIND, epochs=1)
    model.fit(np.arange(8.0).reshape(4, 2), [0, 1, 0, 1], epochs=1)
    assert model.encoder_ is None
    assert not hasattr(model, "feature_names_in_")
    assert model.predict([[0.0, 1.0]]).shape == (1,)


TEXTS = [f"a sentence of quite a few words, number {place} of all of them" for place in range(ROWS)]
REFUSED = {
    "free text": (X.with_columns(note=pl.Series(TEXTS)), KIND, r"'note' holds free text"),
    "infinity": (X.with_columns(far=pl.lit(float("inf"))), KIND, r"'far' holds inf in row 1"),
    "fewer targets": (X, KIND[:9], "inconsistent numbers of samples"),
    "no targets": (X, None, "y"),
    "lists": (X.with_columns(many=pl.Series([[1, 2]] * ROWS)), KIND, "'many' holds values of type"),
}


@pytest.mark.parametrize("why", REFUSED)
def test_a_refused_table_leaves_the_estimator_as_it_was(fitted, why):
    given, y, message = REFUSED[why]
    model = pickle.loads(pickle.dumps(fitted))
    before = dict(vars(model))
    with pytest.raises(ValueError, match=message):
        model.fit(given, y)
    assert vars(model) == before


def test_rows_of_weight_0_teach_the_encoder_nothing():
    weights = np.ones(ROWS)
    weights[::3] = 0
    model = NetworkRegressor(random_state=0, early_stopping=False)
    model.fit(X, VALUE, sample_weight=weights, epochs=1)
    expected = cr.TableEncoder().fit(X.filter(weights > 0))
    assert model.encoder_.columns_ == expected.columns_


def test_inputs_are_as_they_are_without_standardising():
    model = NetworkRegressor(random_state=0, standardize=False).fit(X, VALUE, epochs=1)
    assert (model.encoder_.columns_[0].center, model.encoder_.columns_[0].scale) == (0.0, 1.0)


def test_embeddings_of_a_table_are_refused_with_the_way():
    with pytest.raises(cr.InvalidArgumentError, match=r"^embeddings: .*TableEncoder\(embed_above"):
        NetworkClassifier(embeddings=[(1, 4, 2)]).fit(X, KIND)


@pytest.mark.parametrize("kind", [cr.MLPClassifier, cr.MLPRegressor])
def test_the_estimators_of_scikit_learn_s_kind_name_those_that_take_tables(kind):
    with pytest.raises(cr.InvalidArgumentError, match="NetworkClassifier and NetworkRegressor"):
        kind().fit(X.to_pandas(), VALUE > 4)


def test_several_targets_of_a_table_are_learned():
    y = pl.DataFrame([KIND, VALUE])
    for given, targets in ((X, y), (X.to_pandas(), y.to_pandas()), (X.to_arrow(), y.to_arrow())):
        model = NetworkMixed(random_state=0).fit(given, targets, epochs=30)
        assert model.target_names_ == ["kind", "value"]
        assert model.target_scores(given, targets)["kind"] > 0.8


def test_clones_pickles_searches_and_scores_take_tables(fitted):
    frame, y = X.to_pandas(), KIND.to_pandas()
    assert clone(fitted).encoder_ is None
    again = pickle.loads(pickle.dumps(fitted))
    np.testing.assert_array_equal(again.predict_proba(frame), fitted.predict_proba(frame))
    quick = NetworkClassifier(random_state=0, max_iter=40)
    search = GridSearchCV(quick, {"hidden_layer_sizes": [(8,), (16,)]}, cv=2).fit(frame, y)
    assert search.best_estimator_.encoder_ is not None
    assert search.score(frame, y) > 0.7
    assert (cross_val_score(quick, X, KIND, cv=3) > 0.7).all()
    piped = make_pipeline(FunctionTransformer().set_output(transform="pandas"), quick)
    assert piped.fit(frame, y).score(frame, y) > 0.7


def test_permuting_columns_shows_which_of_them_matter(fitted):
    found = permutation_importance(fitted, X.to_pandas(), KIND, n_repeats=3, random_state=0)
    importances = dict(zip(X.columns, found.importances_mean, strict=True))
    assert min(importances["size"], importances["colour"]) > 5 * abs(importances["open"])


@pytest.mark.parametrize("library", ["pandas", "polars"])
def test_a_gap_that_no_training_row_had_is_filled_by_the_mean(library):
    frame = X.select(pl.col("size").fill_null(2.0), "member")
    gaps = frame.with_columns(size=pl.Series([None, *frame["size"][1:]]))
    filled = frame.with_columns(size=pl.Series([frame["size"].mean(), *frame["size"][1:]]))
    if library == "pandas":
        frame, gaps, filled = (each.to_pandas() for each in (frame, gaps, filled))
    model = NetworkClassifier(random_state=0).fit(frame, KIND, epochs=5)
    np.testing.assert_allclose(
        model.predict_proba(gaps), model.predict_proba(filled), rtol=1e-5, atol=1e-6
    )
    scores = cross_val_score(NetworkClassifier(max_iter=3), gaps, KIND, cv=3, error_score="raise")
    assert np.isfinite(scores).all()


def test_a_scorer_of_early_stopping_is_given_the_rows_of_the_table():
    seen = []

    def score(model, rows, y):
        seen.append(rows)
        return model.score(rows, y)

    NetworkClassifier(random_state=0, early_stopping=score).fit(X, KIND, epochs=2)
    assert seen[0].columns == X.columns
    assert len(seen[0]) == ROWS / 10


def test_columns_may_have_numbers_for_names():
    frame = X.to_pandas()
    frame.columns = range(5)
    model = NetworkClassifier(random_state=0).fit(frame, KIND, epochs=2)
    assert not hasattr(model, "feature_names_in_")
    assert model.predict(frame).shape == (ROWS,)


@pytest.mark.parametrize("form", ["polars", "pandas"])
def test_a_misspelt_column_is_suggested_for_the_one_that_is_missing(fitted, form):
    given = X.rename({"colour": "color"})
    given = given.to_pandas() if form == "pandas" else given
    with pytest.raises(cr.InvalidTableError, match=r"lacks 'colour'.*did you mean 'color'"):
        fitted.predict(given)


def test_permutation_importance_of_a_polars_table_names_the_way():
    some = X.select("size", "colour")
    model = NetworkClassifier(max_iter=1).fit(some, KIND)
    with pytest.raises(cr.InvalidArgumentError, match=r"pass it X\.to_pandas\(\)"):
        permutation_importance(model, some, KIND, n_repeats=1)
