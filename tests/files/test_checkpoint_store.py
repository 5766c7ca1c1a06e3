"""Where a checkpoint lies: always one that is whole."""

import os
import stat

import numpy as np
import pytest

from chainrule.errors import (
    CheckpointInUseError,
    CheckpointWriteError,
    FileWriteError,
    InvalidCheckpointError,
)
from chainrule.files.checkpoint_store import CheckpointStore, lock_of
from chainrule.files.locks import FileLock
from tests.crash.faults import IO, injected, nth, system_error


@pytest.fixture
def store(tmp_path):
    store = CheckpointStore(tmp_path / "run" / "ckpt")
    yield store
    store.close()


def save(store, *numbers):
    for number in numbers:
        store.save({"n": str(number)}, {"a": np.full(3, float(number))})


def loaded(store):
    found = store.load()
    return None if found is None else int(found.metadata["n"])


def damage(path):
    content = bytearray(path.read_bytes())
    content[-1] ^= 1
    path.write_bytes(content)


def names(store):
    return sorted(path.name for path in store.path.parent.iterdir())


def test_the_folder_is_made_and_holds_nothing_but_the_lock(store):
    assert names(store) == ["ckpt.lock"]
    assert not store.exists()
    assert store.load() is None


def test_the_latest_and_the_one_before_are_kept(store):
    save(store, 1, 2, 3)
    assert names(store) == ["ckpt", "ckpt.lock", "ckpt.previous"]
    assert loaded(store) == 3
    store.path.unlink()
    with pytest.warns(RuntimeWarning, match=r"ckpt: is missing; resuming from.*ckpt\.previous"):
        assert loaded(store) == 2


def test_the_lock_goes_with_the_training(store):
    save(store, 1)
    store.close()
    assert names(store) == ["ckpt"]


def test_a_damaged_latest_does_not_take_the_place_of_the_good_one(store):
    save(store, 1, 2)
    damage(store.path)
    with pytest.warns(RuntimeWarning, match="is damaged"):
        assert loaded(store) == 1
    # Even if the next write fails at its last step.
    with (
        injected(nth("replace", 0, system_error(IO))),
        pytest.raises(CheckpointWriteError, match=r"the last one, \S*ckpt\.previous, is"),
    ):
        save(store, 3)
    with pytest.warns(RuntimeWarning, match="is damaged"):
        assert loaded(store) == 1
    save(store, 4)
    assert loaded(store) == 4
    store.path.unlink()
    with pytest.warns(RuntimeWarning, match="is missing"):
        assert loaded(store) == 1


def test_where_none_is_good_nothing_begins_anew_in_silence(store):
    save(store, 1, 2)
    damage(store.path)
    damage(store.previous)
    with pytest.raises(
        InvalidCheckpointError, match=r"none is intact \(.*ckpt: is.*previous: is.*Remove"
    ):
        store.load()


def test_what_a_killed_write_left_is_cleared_away(store):
    save(store, 1)
    (store.path.parent / "ckpt.partial").write_bytes(b"half")
    store.close()
    again = CheckpointStore(store.path)
    assert names(again) == ["ckpt", "ckpt.lock"]
    assert loaded(again) == 1
    again.close()


def test_a_store_has_one_owner_at_a_time(store):
    with pytest.raises(CheckpointInUseError, match=r"ckpt is in use by another training \(proc"):
        CheckpointStore(store.path)
    store.close()
    CheckpointStore(store.path).close()


def test_stores_side_by_side_do_not_disturb_each_other(store):
    other = CheckpointStore(store.path.with_name("other"))
    save(store, 1)
    save(other, 2)
    assert (loaded(store), loaded(other)) == (1, 2)
    other.close()


def test_a_failing_first_write_says_that_there_is_none(store):
    with (
        injected(nth("fsync", 0, system_error(IO))),
        pytest.raises(
            CheckpointWriteError, match=r"Input/output error; there is none yet"
        ) as raised,
    ):
        save(store, 1)
    assert raised.value.errno == IO
    assert isinstance(raised.value, OSError)
    assert names(store) == ["ckpt.lock"]


def test_a_folder_that_cannot_be_made_is_an_error_that_names_it(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(CheckpointWriteError, match=r"file/ckpt cannot be written.*choose a path"):
        CheckpointStore(tmp_path / "file" / "ckpt")


@pytest.mark.parametrize("content", ["precious" * 10, "12345678{}"])
def test_a_file_of_a_partial_ones_name_that_is_none_stays(tmp_path, content):
    (tmp_path / "ckpt.partial").write_text(content)
    with pytest.raises(FileWriteError, match=r"ckpt\.partial exists and is not part of a check"):
        CheckpointStore(tmp_path / "ckpt")
    assert [path.name for path in tmp_path.iterdir()] == ["ckpt.partial"]
    assert (tmp_path / "ckpt.partial").read_text() == content


def test_a_partial_one_that_was_cut_short_anywhere_is_cleared_away(store):
    save(store, 1)
    content = store.path.read_bytes()
    store.close()
    for length in (0, 7, 8, 20, 60, len(content)):
        (store.path.parent / "ckpt.partial").write_bytes(content[:length])
        CheckpointStore(store.path).close()
        assert names(store) == ["ckpt"]


def test_no_link_is_written_through(store):
    precious = store.path.with_name("precious")
    precious.write_text("precious")
    (store.path.parent / "ckpt.partial").symlink_to("precious")
    store.path.symlink_to("precious")
    save(store, 1, 2)
    assert precious.read_text() == "precious"
    assert loaded(store) == 2


@pytest.mark.skipif(os.name != "posix", reason="permissions of POSIX")
def test_a_checkpoint_keeps_its_mode(store):
    save(store, 1)
    store.path.chmod(0o600)
    save(store, 2)
    assert stat.S_IMODE(store.path.stat().st_mode) == 0o600
    assert loaded(store) == 2


@pytest.mark.skipif(os.name != "posix", reason="names of POSIX")
@pytest.mark.parametrize("length", [247, 251, 256])
def test_a_name_that_leaves_no_room_for_the_ones_beside_it_is_an_error_at_once(tmp_path, length):
    with pytest.raises(CheckpointWriteError, match=r"too long; choose a shorter name, since n*\.p"):
        CheckpointStore(tmp_path / ("n" * length))
    assert list(tmp_path.iterdir()) == []


def test_a_lock_that_the_caller_has_stays_the_callers(tmp_path):
    lock = FileLock(lock_of(tmp_path / "ckpt"))
    lock.acquire("run")
    store = CheckpointStore(tmp_path / "ckpt", lock)
    save(store, 1)
    store.close()
    with pytest.raises(CheckpointInUseError):
        CheckpointStore(tmp_path / "ckpt")
    lock.release()
    CheckpointStore(tmp_path / "ckpt").close()
