"""Which targets are transformed, and that their values come back."""

from dataclasses import replace

import numpy as np
import polars as pl
import pytest

from chainrule.errors import InvalidModelFileError, InvalidTableError
from chainrule.tables.target import TargetEncoder
from chainrule.tables.transform import TargetTransform, choose, made

RANDOM = np.random.default_rng(0)
NORMAL = RANDOM.normal(50, 10, 500)
SIX_DECADES = 10 ** RANDOM.uniform(-2, 4, 500)


def with_one(values, far):
    return np.append(values, far)


@pytest.mark.parametrize(
    "values",
    [
        NORMAL,
        NORMAL * 1e-7,
        NORMAL + 1e9,
        RANDOM.uniform(size=500),
        RANDOM.exponential(size=500),
        np.exp(RANDOM.normal(0, 0.8, 500)),  # as prices are
        RANDOM.poisson(2.8, 500).astype(float),
        RANDOM.standard_t(4, 500),
        (RANDOM.uniform(size=500) < 0.02).astype(float),
        np.where(np.arange(500) % 5 == 0, 1.0, 0.0) + RANDOM.normal(0, 0.01, 500),  # two clusters
        np.array([1.0, 2.0]),
        np.array([0.0] * 30 + [1e9]),  # nothing but one value to learn from
    ],
)
def test_a_tame_target_is_learned_as_it_is(values):
    assert choose(values) is None


@pytest.mark.parametrize(
    ("values", "kind"),
    [
        (SIX_DECADES, "log"),
        (np.exp(RANDOM.normal(0, 2.3, 500)), "log"),
        (-SIX_DECADES, "asinh"),
        (SIX_DECADES * RANDOM.choice([-1, 1], 500), "asinh"),
        (np.where(np.arange(500) % 2 == 0, 0.0, SIX_DECADES), "asinh"),
        (with_one(NORMAL, 1e9), "asinh"),
        (with_one(NORMAL, -1e300), "asinh"),
        (with_one(NORMAL * 1e-7, 5.0), "asinh"),
    ],
)
def test_a_long_tail_is_transformed(values, kind):
    assert choose(values).kind == kind


@pytest.mark.parametrize("kind", ["log", "asinh"])
def test_values_come_back_as_they_were(kind):
    transform = made("y", kind, SIX_DECADES)
    again = transform.undone(transform.forward(SIX_DECADES))
    np.testing.assert_allclose(again, SIX_DECADES, rtol=1e-11)


def test_one_value_far_outside_is_held_and_the_others_are_not():
    values = with_one(NORMAL, 1e9)
    transform = choose(values)
    again = transform.undone(transform.forward(values))
    np.testing.assert_allclose(again[:-1], NORMAL, rtol=1e-9)
    assert NORMAL.max() < again[-1] == transform.bounds[1] < 1e6


def test_answers_stay_within_the_training_values():
    transform = made("y", "asinh", SIX_DECADES).smeared(np.array([-2.0, 0.0, 3.0]))
    answers = transform.undone(np.array([-1e9, -1.0, 1.0, 1e9]))
    low, high = transform.bounds
    assert (low, high) == pytest.approx((SIX_DECADES.min(), SIX_DECADES.max()), rel=1e-9)
    assert ((answers >= low) & (answers <= high)).all()


@pytest.mark.parametrize("kind", ["log", "asinh"])
def test_smearing_gives_back_the_mean_where_the_exact_undoing_is_too_low(kind):
    random = np.random.default_rng(1)
    known = random.normal(5, 0.5, 50_000)
    noise = random.normal(0, 0.8, 50_000)
    values = np.exp(known + noise)
    transform = made("y", kind, values)
    t = transform.forward(np.exp(known))
    t += np.mean(transform.forward(values) - t)  # as a network that learns the mean of t
    smeared = transform.smeared(transform.forward(values) - t)
    assert transform.undone(t).mean() < 0.85 * values.mean()
    assert smeared.undone(t).mean() == pytest.approx(values.mean(), rel=0.05)
    assert smeared.plain == transform


def test_a_residual_that_nothing_foretells_does_not_lift_the_answers():
    transform = choose(with_one(NORMAL, 1e9))
    usual = RANDOM.normal(0, 0.1, 300)
    assert transform.smeared(with_one(usual, 18.0)) == transform.smeared(usual)


def test_the_slope_is_that_of_the_answers_and_0_where_they_are_held():
    transform = made("y", "asinh", SIX_DECADES).smeared(np.array([-0.5, 0.1, 0.5]))
    t, h = np.array([0.5, 2.0]), 1e-6
    difference = (transform.undone(t + h) - transform.undone(t - h)) / (2 * h)
    np.testing.assert_allclose(transform.slope(t), difference, rtol=1e-6)
    assert transform.slope(np.array([transform.high + 1, transform.low - 1])).tolist() == [0, 0]


def test_a_logarithm_of_nothing_is_refused_with_the_remedy():
    with pytest.raises(InvalidTableError, match=r"log needs values above 0, .* 'y' has -3; asinh"):
        made("y", "log", np.array([-3.0, 2.0]))


def encoder():
    column = pl.Series("y", SIX_DECADES)
    transform = made("y", "asinh", SIX_DECADES).smeared(np.array([-0.5, 0.1, 0.5]))
    return TargetEncoder.fit(column, "regression").transformed(transform, SIX_DECADES)


def test_a_transformed_target_survives_a_file():
    assert TargetEncoder.from_file(*encoder().to_file()) == encoder()


def test_an_encoder_decodes_what_it_encodes_and_its_truth_is_not_held():
    target, column = encoder(), pl.Series("y", [*SIX_DECADES[:5], 1e8])
    plain = replace(target, transform=target.transform.plain)
    again = plain.decode_values(plain.encode(column)[:, None])
    np.testing.assert_allclose(again[:5], SIX_DECADES[:5], rtol=1e-10)
    assert again[5] == pytest.approx(SIX_DECADES.max())
    assert target.truth(column).tolist() == column.to_list()


@pytest.mark.parametrize(
    ("kind", "change"),
    [
        ("cube", {}),
        (None, {}),
        ("log", {1: 0.0}),
        ("log", {0: np.nan}),
        ("asinh", {2: 9.0, 3: 1.0}),
        ("asinh", {3: 1e6}),
        ("asinh", {4: -1.0}),
        ("asinh", {5: np.inf}),
    ],
)
def test_damaged_numbers_are_refused(kind, change):
    metadata, arrays = encoder().to_file()
    numbers = arrays["target.transform"].copy()
    for place, value in change.items():
        numbers[place] = value
    if kind is not None:
        metadata = {"target": metadata["target"].replace('"asinh"', f'"{kind}"')}
    else:
        arrays = {"target.numbers": arrays["target.numbers"]}
    if kind is not None:
        arrays = {**arrays, "target.transform": numbers}
    with pytest.raises(InvalidModelFileError, match="target encoder cannot be used"):
        TargetEncoder.from_file(metadata, arrays)


def test_classes_have_no_transform():
    transform: TargetTransform = encoder().transform
    target = replace(TargetEncoder("classification", "y", ("a", "b")), transform=transform)
    with pytest.raises(InvalidModelFileError, match="classes have no transform"):
        TargetEncoder.from_file(*target.to_file())
