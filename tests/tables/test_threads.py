import threading

import pytest

from chainrule.tables.threads import in_threads
from tests.few_threads import outcome_without_threads


@pytest.mark.parametrize("threads", [0, 1, 2, 9])
def test_results_come_in_the_items_order(threads):
    assert in_threads(lambda x: x * x, range(50), threads) == [x * x for x in range(50)]
    assert in_threads(str, [], threads) == []


def test_items_are_worked_on_at_the_same_time():
    together = threading.Barrier(3, timeout=30)
    assert len(in_threads(lambda _: together.wait(), range(3), 3)) == 3


@pytest.mark.parametrize("threads", [1, 3])
def test_the_error_is_that_of_the_first_item_that_has_one(threads):
    def fail(x):
        if x in (7, 8, 30):
            raise ValueError(x)

    for _ in range(20):
        with pytest.raises(ValueError, match=r"^7$"):
            in_threads(fail, range(50), threads)


def test_ctrl_c_comes_before_other_errors():
    def fail(x):
        raise KeyboardInterrupt if x else ValueError(x)

    together = threading.Barrier(2, timeout=30)
    with pytest.raises(KeyboardInterrupt):
        in_threads(lambda x: (together.wait(), fail(x)), range(2), 2)


def test_a_system_without_another_thread_encodes_a_table_to_the_same_inputs():
    before = """
import polars as pl
from chainrule.tables.encoder import TableEncoder
table = pl.DataFrame({"x": range(1000), "kind": ["a", "b"] * 500, "z": [0.5, 1.0] * 500})
def inputs():
    return TableEncoder().fit_transform(table).tobytes()
first = inputs()  # with the system's last threads, those of Polars
"""
    result = outcome_without_threads(before, "assert inputs() == first")
    if result is None:
        pytest.skip("this system has no limit of threads")
    assert (result.returncode, result.stderr) == (0, "")
