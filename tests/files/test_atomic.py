"""A file is there whole or not at all."""

import os
import stat

import pytest

from chainrule.files.atomic import atomic_path


def names(folder):
    return sorted(path.name for path in folder.iterdir())


def test_a_block_that_succeeds_puts_the_file_in_place(tmp_path):
    with atomic_path(tmp_path / "a.txt") as temporary:
        assert temporary.parent == tmp_path
        temporary.write_text("new")
        assert not (tmp_path / "a.txt").exists()
    assert (tmp_path / "a.txt").read_text() == "new"
    assert names(tmp_path) == ["a.txt"]


def test_an_existing_file_is_replaced_at_the_end(tmp_path):
    (tmp_path / "a.txt").write_text("old")
    with atomic_path(tmp_path / "a.txt") as temporary:
        temporary.write_text("new")
        assert (tmp_path / "a.txt").read_text() == "old"
    assert (tmp_path / "a.txt").read_text() == "new"


@pytest.mark.skipif(os.name != "posix", reason="folders are files on POSIX")
def test_the_file_is_on_the_disk_before_its_name_and_its_name_before_the_end(tmp_path, monkeypatch):
    told = []
    whole = os.fsync

    def listening(descriptor):
        told.append((stat.S_ISDIR(os.fstat(descriptor).st_mode), names(tmp_path)))
        whole(descriptor)

    monkeypatch.setattr(os, "fsync", listening)
    with atomic_path(tmp_path / "a.txt") as temporary:
        temporary.write_text("new")
    assert told == [(False, [temporary.name]), (True, ["a.txt"])]


def test_a_folder_that_cannot_be_synchronised_is_no_error(tmp_path, monkeypatch):
    whole = os.fsync

    def files_only(descriptor):
        if stat.S_ISDIR(os.fstat(descriptor).st_mode):
            raise OSError("not on this file system")
        whole(descriptor)

    monkeypatch.setattr(os, "fsync", files_only)
    with atomic_path(tmp_path / "a.txt") as temporary:
        temporary.write_text("new")
    assert (tmp_path / "a.txt").read_text() == "new"


@pytest.mark.parametrize("error", [RuntimeError, KeyboardInterrupt, OSError])
def test_a_block_that_fails_leaves_the_old_file_and_nothing_else(tmp_path, error):
    (tmp_path / "a.txt").write_text("old")

    def write_half():
        with atomic_path(tmp_path / "a.txt") as temporary:
            temporary.write_text("half")
            raise error

    with pytest.raises(error):
        write_half()
    assert (tmp_path / "a.txt").read_text() == "old"
    assert names(tmp_path) == ["a.txt"]


def test_a_block_that_fails_leaves_no_file_where_there_was_none(tmp_path):
    with pytest.raises(RuntimeError), atomic_path(tmp_path / "a.txt"):
        raise RuntimeError
    assert names(tmp_path) == []


def test_a_block_that_removed_its_file_fails_with_an_error_of_the_system(tmp_path):
    with pytest.raises(FileNotFoundError), atomic_path(tmp_path / "a.txt") as temporary:
        temporary.unlink()
    assert names(tmp_path) == []


def test_a_missing_folder_is_an_error_of_the_system_and_not_made(tmp_path):
    with pytest.raises(FileNotFoundError), atomic_path(tmp_path / "new" / "a.txt"):
        pass
    assert names(tmp_path) == []


def test_a_relative_path_as_text_is_taken_from_the_working_directory(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with atomic_path("a.txt") as temporary:
        temporary.write_text("new")
    assert names(tmp_path) == ["a.txt"]


def test_the_temporary_name_has_the_suffix_of_the_file(tmp_path):
    # Writers such as matplotlib choose the format by it.
    with atomic_path(tmp_path / "picture.png") as temporary:
        assert temporary.suffix == ".png"


def test_a_folder_in_the_way_is_an_error_and_leaves_nothing(tmp_path):
    (tmp_path / "a").mkdir()
    with pytest.raises(OSError, match=r"a"), atomic_path(tmp_path / "a") as temporary:
        temporary.write_text("new")
    assert names(tmp_path) == ["a"]


@pytest.mark.skipif(os.name != "posix", reason="permissions of POSIX")
@pytest.mark.parametrize("umask", [0o022, 0o077, 0o002])
def test_the_file_is_as_public_as_any_that_its_user_makes(tmp_path, umask):
    before = os.umask(umask)
    try:
        with atomic_path(tmp_path / "a.txt") as temporary:
            temporary.write_text("new")
        (tmp_path / "plain.txt").write_text("new")
        assert os.umask(umask) == umask
    finally:
        os.umask(before)
    modes = [stat.S_IMODE((tmp_path / name).stat().st_mode) for name in ("a.txt", "plain.txt")]
    assert modes[0] == modes[1] == 0o666 & ~umask
