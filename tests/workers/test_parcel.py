import numpy as np
import pytest

from chainrule.errors import InvalidArgumentError
from chainrule.workers import parcel


def test_a_value_comes_back_with_read_only_arrays(tmp_path):
    value = {"X": np.arange(7.0), "empty": np.empty((0, 3)), "words": ["a"]}
    parcel.write(value, tmp_path / "value")
    found = parcel.read(tmp_path / "value")
    assert found["words"] == ["a"]
    assert np.array_equal(found["X"], value["X"])
    assert found["empty"].shape == (0, 3)
    assert not found["X"].flags.writeable
    assert parcel.read(tmp_path / "value") is found


def test_functions_of_a_script_are_sent_with_the_value(tmp_path):
    parcel.write(lambda z: z + 1, tmp_path / "value")
    assert parcel.read(tmp_path / "value")(1) == 2


def test_what_cannot_be_sent_is_refused_with_the_remedy(tmp_path):
    with pytest.raises(InvalidArgumentError, match=r"cannot \(TypeError: .* Leave workers out"):
        parcel.packed(one for one in ())
