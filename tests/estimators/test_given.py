"""Labels, values, weights and inputs that cannot be used are named as they were given."""

import datetime
from fractions import Fraction

import numpy as np
import pytest
from scipy import sparse

import chainrule as cr
from chainrule import (
    MLPClassifier,
    MLPRegressor,
    NetworkClassifier,
    NetworkMixed,
    NetworkRegressor,
)
from chainrule.estimators.networks import GoodDefaults

pd = pytest.importorskip("pandas")

pytestmark = [
    pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning"),
    pytest.mark.filterwarnings("ignore::chainrule.TrainingDiagnosisWarning"),
]

X = np.random.default_rng(0).standard_normal((60, 3))
POSITIVE = X[:, 0] > 0
TEXTS = np.where(POSITIVE, "yes", "no").astype(object)
FIRST = repr(TEXTS[0])


def _with(base, value, row=7):
    y = np.array(base, object)
    y[row] = value
    return y


CLASSIFIERS = {
    "MLPClassifier": MLPClassifier(max_iter=2),
    "NetworkClassifier": NetworkClassifier(max_iter=2),
    "NetworkMixed": NetworkMixed("class", max_iter=2),
}
REGRESSORS = {
    "MLPRegressor": MLPRegressor(max_iter=2),
    "NetworkRegressor": NetworkRegressor(max_iter=2),
    "NetworkMixed": NetworkMixed("value", max_iter=2),
}
MISSING = {
    "None among texts": (_with(TEXTS, None), "None"),
    "None among numbers": (_with(POSITIVE.astype(int), None), "None"),
    "None among true and false": (_with(POSITIVE, None), "None"),
    "None in a list": (_with(TEXTS, None).tolist(), "None"),
    "NaN among texts": (_with(TEXTS, float("nan")), "nan"),
    "NaN among numbers": (_with(POSITIVE, np.nan).astype(float), "nan"),
    "infinity": (_with(POSITIVE, np.inf).astype(float), "inf"),
    "pandas' NA": (_with(TEXTS, pd.NA), "<NA>"),
    "pandas' NaT": (_with(TEXTS, pd.NaT), "NaT"),
    "NumPy's NaT": (
        np.where(np.arange(60) == 7, np.datetime64("NaT"), np.datetime64("2020-01-01")),
        ".*NaT",
    ),
    "a nullable integer": (pd.Series(_with(POSITIVE.astype(int), None), dtype="Int64"), "<NA>"),
    "a nullable boolean": (pd.Series(_with(POSITIVE, None), dtype="boolean"), "<NA>"),
    "a nullable text": (pd.Series(_with(TEXTS, None), dtype="string"), "(<NA>|nan)"),
    "a category": (pd.Series(_with(TEXTS, None), dtype="category"), "nan"),
    "a table of one column": (pd.DataFrame({"y": _with(TEXTS, None)}), "(None|nan)"),
}


@pytest.mark.parametrize("kind", CLASSIFIERS)
@pytest.mark.parametrize("form", MISSING)
def test_a_missing_label_is_refused_with_its_row(kind, form):
    y, seen = MISSING[form]
    message = rf"^y: expected an entry for each row; got {seen} at row 7"
    with pytest.raises(cr.InvalidArgumentError, match=message + r" .*1 missing"):
        CLASSIFIERS[kind].fit(X, y)


def test_missing_labels_are_refused_wherever_labels_are_given():
    gap = _with(TEXTS, None)
    model = MLPClassifier(max_iter=2)
    with pytest.raises(cr.InvalidArgumentError, match=r"^y: .*None at row 7"):
        model.partial_fit(X, gap, classes=["no", "yes"])
    with pytest.raises(cr.InvalidArgumentError, match=r"^classes: .*None at row 1"):
        MLPClassifier().partial_fit(X, TEXTS, classes=["no", None])
    model = MLPClassifier(max_iter=2).fit(X, TEXTS)
    with pytest.raises(cr.InvalidArgumentError, match=r"^y: .*None at row 7"):
        model.score(X, gap)
    with pytest.raises(cr.InvalidArgumentError, match=r"^y_val: .*None at row 7"):
        model.fit(X, TEXTS, X_val=X, y_val=gap)


def test_a_missing_target_is_named_by_its_column():
    y = pd.DataFrame({"kind": TEXTS, "size": _with(X[:, 1], np.nan).astype(float)})
    model = NetworkMixed({"kind": "class", "size": "value"}, max_iter=2)
    with pytest.raises(cr.InvalidArgumentError, match=r"^y: .*nan at row 7, column 'size'"):
        model.fit(X, y)
    whole = y.fillna(0.0)
    with pytest.raises(cr.InvalidArgumentError, match=r"^y_val: .*nan at row 7, column 'size'"):
        model.fit(X, whole, X_val=X, y_val=y)
    with pytest.raises(cr.InvalidArgumentError, match=r"^y: .*nan at row 7, column 'size'"):
        model.fit(X, whole).score(X, y)


ODD = {
    "a number among texts": (_with(TEXTS, 1), rf"of one kind; got {FIRST} at row 0 and 1 at row 7"),
    "the same in a list": (_with(TEXTS, 1).tolist(), rf"{FIRST} at row 0 and 1 at row 7"),
    "true among texts": (_with(TEXTS, True), rf"{FIRST} at row 0 and True at row 7"),
    "bytes among texts": (_with(TEXTS, b"no"), rf"{FIRST} at row 0 and b'no' at row 7"),
    "a list": (_with(TEXTS, ["a", "b"]), r"\['a', 'b'\] at row 7, of type list"),
    "a tuple": (_with(TEXTS, {}), r"\{\} at row 7, of type dict"),
    "an object": (_with(TEXTS, Fraction(1, 3)), r"Fraction\(1, 3\) at row 7, of type Fraction"),
    "ragged lists": ([["a", "b"], ["a"]] * 30, "cannot be read as an array"),
    "complex numbers": (POSITIVE + 0j, "Complex data not supported"),
    "a scalar": (3, "an entry for each row of X.*got 3"),
    "a text": ("yes", "an entry for each row of X.*got 'yes'"),
    "a set": ({0, 1}, r"an entry for each row of X.*got \{0, 1\}"),
}


@pytest.mark.parametrize("kind", CLASSIFIERS)
@pytest.mark.parametrize("form", ODD)
def test_labels_that_cannot_be_told_apart_are_refused_by_name(kind, form):
    y, message = ODD[form]
    with pytest.raises(cr.InvalidArgumentError, match=f"^y: .*{message}"):
        CLASSIFIERS[kind].fit(X, y)


@pytest.mark.parametrize("kind", ["MLPClassifier", "NetworkClassifier"])
def test_bytes_are_refused_with_the_way_to_decode_them(kind):
    for y in (TEXTS.astype("S"), np.array(TEXTS.astype("S").tolist(), object)):
        with pytest.raises(cr.InvalidArgumentError, match=r"b'.*' at row 0.*(astype|make texts)"):
            CLASSIFIERS[kind].fit(X, y)


SOUND = {
    "texts": (TEXTS, object),
    "fixed texts": (TEXTS.astype(str), "<U3"),
    "a list of texts": (TEXTS.tolist(), "<U3"),
    "true and false": (POSITIVE, bool),
    "objects that are true or false": (POSITIVE.astype(object), bool),
    "objects that are whole numbers": (np.array((POSITIVE * 2).tolist(), object), np.int64),
    "small whole numbers": (POSITIVE.astype(np.uint8), np.uint8),
    "half floats": (POSITIVE.astype(np.float16), np.float16),
    "huge whole numbers": (np.where(POSITIVE, 2**62, 2**62 + 1), np.int64),
    "dates": (np.where(POSITIVE, *np.array(["2020-01-01", "2021-02-03"], "M8[D]")), "M8[D]"),
    "Python's dates": (
        [datetime.date(2020, 1, 1 + each) for each in POSITIVE.astype(int)],
        "M8[D]",
    ),
    "nullable integers": (pd.Series(POSITIVE.astype(int), dtype="Int64"), np.int64),
    "nullable booleans": (pd.Series(POSITIVE, dtype="boolean"), bool),
    "categories": (pd.Series(TEXTS, dtype="category"), object),
    "categories of numbers": (pd.Series(POSITIVE.astype(int), dtype="category"), np.int64),
}


@pytest.mark.parametrize("kind", ["MLPClassifier", "NetworkClassifier"])
@pytest.mark.parametrize("form", SOUND)
def test_labels_of_every_kind_come_back_in_their_type(kind, form):
    y, dtype = SOUND[form]
    model = CLASSIFIERS[kind].fit(X, y)
    assert model.classes_.dtype == dtype
    assert model.predict(X).dtype == dtype
    assert set(model.classes_.tolist()) == set(np.array(list(y)).tolist())
    assert 0 <= model.score(X, y) <= 1


VALUES = X[:, 1]


@pytest.mark.parametrize("kind", REGRESSORS)
@pytest.mark.parametrize(
    ("value", "seen"),
    [
        (None, "None"),
        (np.nan, "nan"),
        (-np.inf, "-inf"),
        (pd.NA, "<NA>"),
        ("wide", "'wide'"),
        ([1.0], r"\[1.0\]"),
        (10**400, "10000.*"),
    ],
)
def test_a_value_that_is_none_is_refused_with_its_row(kind, value, seen):
    y = _with(VALUES, value)
    with pytest.raises(cr.InvalidArgumentError, match=f"^y: .*got {seen} at row 7"):
        REGRESSORS[kind].fit(X, y)
    with pytest.raises(cr.InvalidArgumentError, match=f"^y_val: .*got {seen} at row 7"):
        REGRESSORS[kind].fit(X, VALUES, X_val=X, y_val=y)


@pytest.mark.parametrize("kind", [MLPRegressor, NetworkRegressor])
def test_a_gap_in_one_of_several_outputs_is_named_by_row_and_column(kind):
    y = np.column_stack([VALUES, VALUES])
    y[7, 1] = np.nan
    with pytest.raises(cr.InvalidArgumentError, match=r"^y: .*nan at row 7, column 1"):
        kind(max_iter=2).fit(X, y)


ALL = {**CLASSIFIERS, **REGRESSORS}


@pytest.mark.parametrize("kind", ALL)
@pytest.mark.parametrize(
    ("value", "seen"),
    [
        (None, "None"),
        (np.nan, "nan"),
        (pd.NA, "<NA>"),
        (-1.0, "-1.0"),
        ("heavy", "'heavy'"),
        (np.inf, "inf"),
    ],
)
def test_a_weight_that_is_none_is_refused_with_its_row(kind, value, seen):
    model, y = ALL[kind], POSITIVE if kind in CLASSIFIERS else VALUES
    weights = _with(np.ones(60), value)
    with pytest.raises(cr.InvalidArgumentError, match=f"^sample_weight: .*{seen}.* row 7"):
        model.fit(X, y, weights)
    with pytest.raises(cr.InvalidArgumentError, match=f"^sample_weight_val: .*{seen}.* row 7"):
        model.fit(X, y, X_val=X, y_val=y, sample_weight_val=weights)


@pytest.mark.parametrize(
    "weights", [np.ones(5), np.ones((60, 1)), {0: 1}, "balanced", np.ones(60, complex)]
)
def test_weights_of_another_shape_or_kind_are_refused_by_name(weights):
    with pytest.raises(cr.InvalidArgumentError, match=r"^sample_weight: (expected|Complex)"):
        MLPClassifier(max_iter=2).fit(X, POSITIVE, weights)


@pytest.mark.parametrize("kind", ALL)
@pytest.mark.parametrize(
    ("value", "seen"),
    [
        (None, "None"),
        (np.nan, "nan"),
        (pd.NA, "<NA>"),
        ("wide", "'wide'"),
        (datetime.date(2020, 1, 1), r"datetime.date\(2020, 1, 1\)"),
        ({}, r"\{\}"),
    ],
)
def test_an_input_that_is_no_number_is_refused_with_its_place(kind, value, seen):
    model, y = ALL[kind], POSITIVE if kind in CLASSIFIERS else VALUES
    wrong = X.astype(object)
    wrong[7, 1] = value
    table = pd.DataFrame(wrong, columns=list("abc"))
    place = f": expected finite numbers; got {seen} at row 7, column "
    with pytest.raises(cr.InvalidArgumentError, match=f"^X{place}1 "):
        model.fit(wrong, y)
    if not isinstance(model, GoodDefaults):  # which encode tables
        with pytest.raises(cr.InvalidArgumentError, match=f"^X{place}'b' .*NetworkClassifier"):
            model.fit(table, y)
    with pytest.raises(cr.InvalidArgumentError, match=f"^X_val{place}1 "):
        model.fit(X, y, X_val=wrong, y_val=y)
    with pytest.raises(cr.InvalidArgumentError, match=f"^X{place}1 "):
        model.fit(X, y).predict(wrong)


def test_a_gap_in_a_sparse_table_and_a_column_of_dates_are_named():
    holes = sparse.csr_matrix(np.where(X[7, 1] == X, np.nan, X))
    with pytest.raises(cr.InvalidArgumentError, match=r"^X: .*nan at row 7, column 1 "):
        MLPClassifier(max_iter=2).fit(holes, POSITIVE)
    table = pd.DataFrame({"size": VALUES, "day": pd.date_range("2020-01-01", periods=60)})
    with pytest.raises(cr.InvalidArgumentError, match=r"^X: .*2020-01-01.* row 0, column 'day' "):
        MLPClassifier(max_iter=2).fit(table, POSITIVE)


@pytest.mark.parametrize(
    ("alone", "y"),
    [
        ("True", _with(np.zeros(60), 1).astype(bool)),
        ("'rare'", _with(["usual"] * 60, "rare")),
        ("7", _with(np.zeros(60, int), 7).astype(int)),
    ],
)
def test_early_stopping_names_the_class_of_one_member_as_it_was_given(alone, y):
    with pytest.raises(cr.InvalidArgumentError, match=f"^early_stopping: .*class {alone} has 1"):
        MLPClassifier(early_stopping=True).fit(X, y)


def test_too_few_examples_to_validate_on_are_counted():
    model = MLPClassifier(early_stopping=True, validation_fraction=0.1)
    with pytest.raises(cr.InvalidArgumentError, match=r"validation set is too small.*0.1 of 4 ex"):
        model.fit(X[:4], [0, 1, 0, 1])
    with pytest.raises(cr.InvalidArgumentError, match=r"^validation_fraction: .*leave examples"):
        MLPRegressor(early_stopping=True, validation_fraction=0.99).fit(X[:4], VALUES[:4])


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"maybe": 2}, r"the classes \['no', 'yes'\]; got 'maybe' too"),
        ({"yes": -1}, "for class 'yes'; got -1"),
        ({"yes": np.nan}, "for class 'yes'; got nan"),
        ({"yes": None}, "for class 'yes'; got None"),
        ({"yes": "2"}, "for class 'yes'; got '2'"),
        ({"yes": 0, "no": 0}, "got 0 for all"),
        ("balance", "expected \"balanced\", or a dict.*got 'balance'"),
        ([1, 2], r"got \[1, 2\]"),
    ],
)
def test_class_weights_that_cannot_be_are_refused_by_name(given, message):
    with pytest.raises(cr.InvalidArgumentError, match=f"^class_weight: .*{message}"):
        MLPClassifier(class_weight=given).fit(X, TEXTS)


def test_a_class_weight_of_a_class_that_this_part_of_the_data_lacks_is_no_fault():
    weights = {"no": 1.0, "yes": 2.0, "rare": 9.0}
    model = MLPClassifier(class_weight=weights, max_iter=2, random_state=0).fit(X, TEXTS)
    other = MLPClassifier(class_weight={"yes": 2.0}, max_iter=2, random_state=0).fit(X, TEXTS)
    np.testing.assert_array_equal(model.network_.parameters, other.network_.parameters)


def test_labels_that_were_not_learned_are_named_with_their_row():
    model = MLPClassifier(max_iter=2)
    with pytest.raises(cr.InvalidArgumentError, match=r"'y_val' has \['odd'\] too, first at row 7"):
        model.fit(X, TEXTS, X_val=X, y_val=_with(TEXTS, "odd"))
    with pytest.raises(cr.InvalidArgumentError, match=r"^y_val: target 0 .*\['odd'\].* at row 7"):
        NetworkMixed("class").fit(X, TEXTS, X_val=X, y_val=_with(TEXTS, "odd"))
