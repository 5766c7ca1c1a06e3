import pytest

from chainrule.ensembles.members import Place
from chainrule.ensembles.variations import PORTFOLIO, member_seed, varied

GIVEN = {
    "learning_rate_init": 0.01,
    "weight_decay": 0.1,
    "dropout": 0.0,
    "alpha": "auto",
    "label_smoothing": 0.1,
}


def test_the_first_variation_is_the_settings_as_given():
    assert varied(GIVEN, 0) == {}


def test_every_other_variation_changes_something_and_none_is_twice_there():
    changes = [varied(GIVEN, variation) for variation in range(len(PORTFOLIO))]
    assert all(changes[1:])
    assert len({tuple(sorted(each.items())) for each in changes}) == len(changes)


@pytest.mark.parametrize("variation", range(len(PORTFOLIO)))
def test_a_variation_stays_around_the_settings_as_given(variation):
    found = GIVEN | varied(GIVEN, variation)
    assert 0.3 <= found["learning_rate_init"] / 0.01 <= 2
    assert 0.1 <= found["weight_decay"] / 0.1 <= 2
    assert 0 <= found["dropout"] <= 0.3
    assert found["alpha"] in ("auto", 0.0)
    assert found["label_smoothing"] in (0.1, 0.0)


@pytest.mark.parametrize("dropout", [0.25, [0.1, 0.0], (0.2,)])
def test_dropout_that_is_set_is_kept(dropout):
    for variation in range(len(PORTFOLIO)):
        assert "dropout" not in varied(GIVEN | {"dropout": dropout}, variation)


def test_settings_that_are_off_already_are_no_change():
    given = GIVEN | {"alpha": 0.0, "label_smoothing": 0.0}
    for variation in range(len(PORTFOLIO)):
        assert not {"alpha", "label_smoothing"} & varied(given, variation).keys()


def test_each_member_has_a_seed_of_its_own():
    places = [Place(variation, fold) for variation in range(8) for fold in range(5)]
    seeds = [member_seed(seed, place) for seed in (0, 1) for place in places]
    assert len(set(seeds)) == len(seeds)
