"""The compiled core's own boundary: what does not fit is an exception, never a crash.

The package hands it none of this; the core's own checks are what keeps a bug above it harmless.
"""

import numpy as np
import pytest

from chainrule.engines import extension
from tests import plans

pytestmark = pytest.mark.skipif(extension.native is None, reason="there is no compiled core")

X = np.ones((5, 3), np.float32)
Y = np.ones((5, 2), np.float32)
THETA = np.ones(3 * 4 + 4 + 4 * 2 + 2, np.float32)
LAYERS = (plans.dense(3, 4), plans.dense(4, 2))
ORDER = np.arange(5, dtype=np.int32)[None]

REFUSALS = (ValueError, TypeError)


def plan(layers=LAYERS, heads=None):
    return plans.network(*layers, heads=heads)


LAST = plans.dense(4, 2)
PLANS = {
    "no layers": {"layers": []},
    "no such kind": {"layers": [plans.layer("convolution", 3, 2)]},
    "no units": {"layers": [plans.dense(3, 0)]},
    "negative units": {"layers": [plans.dense(-3, 2)]},
    "layers that do not chain": {"layers": [LAYERS[0], plans.dense(5, 2)]},
    "no such activation": {"layers": [plans.dense(3, 2, "rely")]},
    "no name of an activation": {"layers": [plans.dense(3, 2, "")]},
    "a number for an activation": {"layers": [plans.dense(3, 2)._replace(activation=(0, {}))]},
    "settings of another activation": {
        "layers": [plans.dense(3, 2)._replace(activation=("relu", {"slope": 0.1}))]
    },
    "no blocks": {"layers": [plans.dense(3, 2)._replace(blocks=[])]},
    "blocks of another size": {"layers": [plans.dense(3, 2)._replace(blocks=LAST.blocks)]},
    "hidden matrices that divide no rows": {
        "layers": [plans.dense(3, 2)._replace(blocks=[(2, 3, "weights", 4), (2, 1, "biases")])]
    },
    "hidden matrices of a negative number": {
        "layers": [plans.dense(3, 2)._replace(blocks=[(2, 3, "weights", -1), (2, 1, "biases")])]
    },
    "statistics for a hidden matrix": {
        "layers": [
            plans.norm(3)._replace(blocks=[(3, 1, "scale")] * 2 + [(3, 1, "statistics", 1)] * 2),
            plans.dense(3, 2),
        ]
    },
    "dropout of everything": {"layers": [plans.dropout(3, 1.0), plans.dense(3, 2)]},
    "dropout of NaN": {"layers": [plans.dropout(3, np.nan), plans.dense(3, 2)]},
    "dropout that changes size": {"layers": [plans.dropout(3, n_out=4), LAST]},
    "dropout with parameters": {
        "layers": [plans.dropout(3)._replace(blocks=[(3, 1, "scale")]), plans.dense(3, 2)]
    },
    "epsilon 0": {"layers": [plans.norm(3, epsilon=0.0), plans.dense(3, 2)]},
    "embeddings without tables": {"layers": [plans.embedding(3, []), plans.dense(3, 2)]},
    "embeddings of half a table": {"layers": [plans.embedding(3, [(0, 5, 2)], 3), LAST]},
    "embeddings of another size": {"layers": [plans.embedding(3, [(0, 5, 3)], 4), LAST]},
    "tables beyond 64 bits": {"layers": [plans.embedding(3, [(0, 2**70, 2)]), LAST]},
    "tables of more than 64 bits together": {
        "layers": [plans.embedding(3, [(0, 2**62, 2**62)], 4), LAST]
    },
    "a column that is not there": {"layers": [plans.embedding(3, [(3, 5, 2)]), LAST]},
    "embeddings above others": {"layers": [LAYERS[0], plans.embedding(4, [(0, 5, 1)]), LAST]},
    "dropout at the end": {"layers": [plans.dense(3, 2), plans.dropout(2)]},
    "no such cost": {"heads": [plans.head(2, cost="msee")]},
    "no heads": {"heads": []},
    "heads without units": {"heads": [plans.head(0), plans.head(2)]},
    "heads of too many units": {"heads": [plans.head(3)]},
    "heads of too few units": {"heads": [plans.head(1)]},
    "units beyond 32 bits": {"layers": [plans.dense(3, 2**31)]},
    "more parameters than 64 bits count": {"layers": [plans.dense(2**31 - 1, 2**31 - 1)] * 5},
    "texts": {"heads": "no"},
}


@pytest.mark.parametrize("name", PLANS)
def test_plans_of_no_network_are_refused(name):
    with pytest.raises(REFUSALS):
        plan(**PLANS[name])


ARRAYS = {
    "of another type": lambda a: a.astype(np.float64 if a.dtype == np.float32 else np.float32),
    "of whole numbers": lambda a: a.astype(np.int64),
    "of halves": lambda a: a.astype(np.float16),
    "of complex numbers": lambda a: a.astype(np.complex64),
    "of objects": lambda a: a.astype(object),
    "too short": lambda a: a[:-1],
    "too long": lambda a: np.concatenate([a, a]),
    "empty": lambda a: a[:0],
    "with one dimension more": lambda a: a[None],
    "with no dimension": lambda a: np.array(1, a.dtype),
    "in the other byte order": lambda a: a.astype(a.dtype.newbyteorder()),
    "from the back": lambda a: a[::-1],
    "every other of a larger one": lambda a: np.repeat(a, 2, axis=0)[::2],
    "a list": lambda a: a.tolist(),
    "nothing": lambda a: None,
}


@pytest.mark.parametrize("name", ARRAYS)
@pytest.mark.parametrize("place", [0, 1, 2])
def test_arrays_that_do_not_fit_are_refused_by_loss(name, place):
    arguments = [THETA, X, Y]
    arguments[place] = ARRAYS[name](arguments[place])
    if name == "with no dimension" or name != "of another type" or place:
        with pytest.raises(REFUSALS):
            plan().loss(arguments[0], (*arguments[1:], None), plans.PLAIN, None, 1)


@pytest.mark.parametrize("name", ARRAYS)
def test_arrays_that_do_not_fit_are_refused_by_forward(name):
    out = np.zeros((5, 2), np.float32)
    for arguments in (
        (ARRAYS[name](THETA), X, out),
        (THETA, ARRAYS[name](X), out),
        (THETA, X, ARRAYS[name](out)),
    ):
        with pytest.raises(REFUSALS):
            plan().forward(*arguments, 1)
    with pytest.raises(REFUSALS):
        plan().forward(THETA, X, out[:, ::-1], 1)
    out.setflags(write=False)
    with pytest.raises(REFUSALS):
        plan().forward(THETA, X, out, 1)


@pytest.mark.parametrize("name", [name for name in ARRAYS if name != "nothing"])
def test_the_quick_way_to_a_prediction_leaves_arrays_that_do_not_fit_to_the_usual_one(name):
    assert plan().predict(THETA, X) is not None
    assert plan().predict(ARRAYS[name](THETA), X) is None
    if name != "too short" and name != "too long":
        assert plan().predict(THETA, ARRAYS[name](X)) is None
    assert plan().predict(THETA, np.ma.masked_array(X)) is None
    assert plan().predict(THETA, X * np.nan) is None


SETTINGS = {"beta_1": 0.9, "beta_2": 0.9, "epsilon": 1e-8, "weight_decay": 0.0}


def trained(**changed):
    """Take five steps of AdamW, some arguments changed; return the parameters."""
    steps = 5
    a = {
        "parameters": THETA.copy(),
        "slots": np.zeros((2, THETA.size), np.float32),
        "optimizer": "adamw",
        "t": 0,
        "X": X,
        "Y": Y,
        "weights": None,
        "order": ORDER,
        "batch_size": 1,
        "learning_rates": np.full(steps, 0.01),
        "l1": 0.0,
        "l2": 0.0,
        "max_norm": float("inf"),
        "shared": False,
        "costs": np.zeros(steps),
        "gradient_norms": np.zeros(steps),
        "penalties": None,
        "key": 0,
        "threads": 1,
        "shares": None,
        **SETTINGS,
    } | changed
    settings = a["settings"] if "settings" in a else {name: a[name] for name in SETTINGS}
    taken = plan().train(
        a["parameters"],
        a["slots"],
        (a["X"], a["Y"], a["weights"]),
        a["order"],
        a["learning_rates"],
        (a["costs"], a["gradient_norms"], a["penalties"]),
        (a["optimizer"], settings, a["t"]),
        (a["l1"], a["l2"], a["shared"], a["max_norm"]),
        a["batch_size"],
        a["key"],
        a["threads"],
        shares=a["shares"],
    )
    assert taken == steps
    return a["parameters"]


TRAINING = {
    "no such optimizer": {"optimizer": "adamm"},
    "a number for an optimizer": {"optimizer": 3},
    "settings of another optimizer": {"settings": {"beta": 0.9}},
    "no settings": {"settings": {}},
    "a setting too many": {"settings": SETTINGS | {"beta": 0.9}},
    "no memory for the optimizer": {"slots": np.zeros((0, THETA.size), np.float32)},
    "too much memory for the optimizer": {"slots": np.zeros((1, THETA.size), np.float32)},
    "too few shares": {
        "shares": np.zeros(4),
        "slots": np.zeros((3, THETA.size), np.float32),
    },
    "no memory for the average": {"shares": np.zeros(5)},
    "an average without shares": {
        "optimizer": "schedule_free_adamw",
        "slots": np.zeros((3, THETA.size), np.float32),
    },
    "an average of an average": {
        "optimizer": "schedule_free_adamw",
        "slots": np.zeros((4, THETA.size), np.float32),
        "shares": np.zeros(5),
    },
    "no batch": {"batch_size": 0},
    "a negative batch": {"batch_size": -1},
    "a batch beyond 64 bits": {"batch_size": 2**63},
    "too few learning rates": {"learning_rates": np.zeros(4)},
    "too few costs": {"costs": np.zeros(4)},
    "too few norms": {"gradient_norms": np.zeros(4)},
    "too few penalties": {"penalties": np.zeros(4)},
    "costs that cannot be written": {"costs": np.broadcast_to(0.0, 5)},
    "parameters that cannot be written": {"parameters": np.broadcast_to(THETA, THETA.shape)},
    "a row beyond the last": {"order": ORDER + 1},
    "a row before the first": {"order": ORDER - 1},
    "no order": {"order": ORDER[:0]},
    "an order of nothing": {"order": ORDER[:, :0]},
    "an order of 64 bits": {"order": ORDER.astype(np.int64)},
    "a class too many": {"Y": np.array([0, 1, 2, 0, 1], np.int32)},
    "a negative class": {"Y": np.array([0, 1, -1, 0, 1], np.int32)},
    "too few classes": {"Y": np.zeros(4, np.int32)},
    "too few weights": {"weights": np.ones(4, np.float32)},
    "a negative number of updates": {"t": -1},
    "more updates than 64 bits count": {"t": 2**63 - 1},
    "a key beyond 64 bits": {"key": 2**64},
}


@pytest.mark.parametrize("name", TRAINING)
def test_trainings_that_do_not_fit_are_refused(name):
    trained()
    with pytest.raises(REFUSALS):
        trained(**TRAINING[name])


@pytest.mark.parametrize("threads", [0, -1, 1000, 2**31 - 1, -(2**31)])
def test_any_number_of_threads_gives_the_same_bits(threads):
    np.testing.assert_array_equal(trained(threads=threads), trained())


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf, 1e300])
@pytest.mark.parametrize("setting", ["l1", "l2", "beta_1", "epsilon", "max_norm", "weight_decay"])
def test_settings_that_are_no_numbers_end_in_numbers_that_are_none_and_no_crash(setting, value):
    assert trained(**{setting: value}).shape == THETA.shape


@pytest.mark.parametrize("length", [0, 1, 15, 17])
def test_activations_of_broken_vectors_are_refused(length):
    array = np.zeros(length, np.float32)
    if length:
        with pytest.raises(ValueError, match="16"):
            extension.native.activation(("identity", {}), array, array.copy())
    with pytest.raises(ValueError, match="no such"):
        extension.native.activation(("softmax", {}), array, array.copy())
