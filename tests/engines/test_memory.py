"""What engines can read and write."""

import numpy as np
import pytest

from chainrule.engines.memory import readable, writable


def _read_only():
    array = np.arange(6.0)
    array.flags.writeable = False
    return array


FORMS = {
    "strided": np.arange(12.0)[::2],
    "backwards": np.arange(6.0)[::-1],
    "Fortran order": np.asfortranarray(np.arange(6.0).reshape(2, 3)),
    "other byte order": np.arange(6.0).astype(np.dtype("f8").newbyteorder()),
    "not aligned": np.frombuffer(b"x" + np.arange(6.0).tobytes(), offset=1),
}


@pytest.mark.parametrize("form", FORMS)
def test_what_engines_cannot_read_becomes_the_same_numbers_where_they_can(form):
    found = readable(FORMS[form])
    assert type(found) is np.ndarray
    assert found.flags.c_contiguous
    assert found.flags.aligned
    assert found.dtype.isnative
    np.testing.assert_array_equal(found, FORMS[form])


def test_what_engines_can_read_is_not_copied():
    for array in (np.arange(6.0), _read_only()):
        assert readable(array) is array


def test_what_cannot_be_written_to_is_copied_and_nothing_else():
    array, frozen = np.arange(6.0), _read_only()
    assert writable(array) is array
    found = writable(frozen)
    found += 1
    np.testing.assert_array_equal(frozen, np.arange(6.0))
