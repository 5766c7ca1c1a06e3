import copy
import json
import pickle

import numpy as np
import pytest

from chainrule import MLPClassifier
from chainrule.training.random_state import as_text, set_from_text

GENERATORS = pytest.mark.parametrize(
    "generator", ["MT19937", "PCG64", "PCG64DXSM", "Philox", "SFC64"]
)


def random_of(generator, seed):
    return np.random.RandomState(getattr(np.random, generator)(seed))


@GENERATORS
def test_a_generator_goes_on_from_its_text(generator):
    first, second = random_of(generator, 1), random_of(generator, 2)
    first.standard_normal(3)
    first.bytes(6)
    set_from_text(second, as_text(first))
    np.testing.assert_array_equal(first.standard_normal(9), second.standard_normal(9))
    np.testing.assert_array_equal(first.permutation(99), second.permutation(99))


def leaves(state, path=()):
    if isinstance(state, dict):
        for name, value in state.items():
            yield from leaves(value, (*path, name))
    elif isinstance(state, list):
        yield path
        yield (*path, 0)
        yield (*path, len(state) - 1)
    else:
        yield path


@GENERATORS
def test_a_state_with_any_entry_wrong_is_refused_and_changes_nothing(generator):
    random = random_of(generator, 1)
    text = as_text(random)
    wrong = [-1, 2**200, 10**400, 1.5, float("nan"), float("inf"), True, None, "x", [], {}, [[]]]
    for path in leaves(json.loads(text)):
        for value in wrong:
            state = json.loads(text)
            place = state
            for name in path[:-1]:
                place = place[name]
            if path == ("gauss",) and value == 1.5:
                continue
            place[path[-1]] = value
            with pytest.raises(ValueError, match=r"."):
                set_from_text(random, json.dumps(state))
    assert as_text(random) == text


@pytest.mark.parametrize(
    ("generator", "name", "size"), [("MT19937", "pos", 624), ("Philox", "buffer_pos", 4)]
)
def test_a_place_beyond_the_numbers_is_refused(generator, name, size):
    random = random_of(generator, 1)
    state = json.loads(as_text(random))
    owner = state if name in state else state["state"]
    owner[name] = size
    set_from_text(random, json.dumps(state))
    random.bytes(100)
    for place in (size + 1, 2**31 - 1, 2**31, 2**63):
        owner[name] = place
        with pytest.raises(ValueError, match=name):
            set_from_text(random, json.dumps(state))


@pytest.mark.parametrize("text", ["", "[]", "1", "{}", "null", "[" * 9999, "1" * 5000])
def test_what_is_no_state_is_refused(text):
    with pytest.raises(ValueError, match=r"."):
        set_from_text(np.random.RandomState(0), text)


def test_a_state_of_another_generator_names_both():
    with pytest.raises(ValueError, match=r"does not belong to this kind|Philox.*MT19937"):
        set_from_text(random_of("MT19937", 0), as_text(random_of("Philox", 0)))


@pytest.mark.parametrize("copied", [copy.deepcopy, lambda one: pickle.loads(pickle.dumps(one))])
@pytest.mark.parametrize("seed", [0, 7, 2**32 - 1])
def test_a_seed_gives_numpy_s_generator_of_that_seed_in_copies_too(seed, copied):
    model = MLPClassifier((3,), random_state=seed).fit([[0.0], [1.0]], [0, 1], epochs=0)
    expected = np.random.RandomState(seed)
    for shape in ((1, 3), 3, (3, 1), 1):  # the draws of the initial weights
        expected.uniform(size=shape)
    np.testing.assert_array_equal(
        copied(model)._random_state.standard_normal(5), expected.standard_normal(5)
    )
