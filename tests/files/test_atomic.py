"""A file is there whole or not at all."""

import os
import socket
import stat
import threading

import pytest

import chainrule as cr
from chainrule.files import atomic
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


posix = pytest.mark.skipif(os.name != "posix", reason="what only POSIX has")


def write(path, text="new"):
    with atomic_path(path) as temporary:
        temporary.write_text(text)


@posix
@pytest.mark.parametrize("mode", [0o600, 0o640, 0o666, 0o755])
def test_a_file_that_is_replaced_keeps_its_mode(tmp_path, mode):
    (tmp_path / "a.txt").write_text("old")
    (tmp_path / "a.txt").chmod(mode)
    write(tmp_path / "a.txt")
    assert (tmp_path / "a.txt").read_text() == "new"
    assert stat.S_IMODE((tmp_path / "a.txt").stat().st_mode) == mode


@posix
def test_a_private_file_is_private_from_its_first_byte_on(tmp_path):
    (tmp_path / "a.txt").write_text("old")
    (tmp_path / "a.txt").chmod(0o600)
    with atomic_path(tmp_path / "a.txt") as temporary:
        assert stat.S_IMODE(temporary.stat().st_mode) == 0o600


@posix
def test_the_mask_of_the_process_is_never_touched(tmp_path, monkeypatch):
    # It belongs to all threads: another one's files would come out with any mode.
    monkeypatch.setattr(os, "umask", lambda mask: pytest.fail("umask was called"))
    write(tmp_path / "a.txt")
    write(tmp_path / "a.txt")


@posix
@pytest.mark.skipif(hasattr(os, "geteuid") and os.geteuid() != 0, reason="only root gives away")
def test_root_leaves_a_file_its_owner(tmp_path):
    (tmp_path / "a.txt").write_text("old")
    os.chown(tmp_path / "a.txt", 1234, 2345)
    write(tmp_path / "a.txt")
    found = (tmp_path / "a.txt").stat()
    assert (found.st_uid, found.st_gid) == (1234, 2345)


@posix
def test_where_the_group_cannot_be_kept_another_may_do_no_more_than_everyone(tmp_path, monkeypatch):
    (tmp_path / "old").write_text("")
    (tmp_path / "old").chmod(0o664)
    like = (tmp_path / "old").stat()
    monkeypatch.setattr(
        os, "lstat", lambda path: os.stat_result((*like[:5], like.st_gid + 1, *like[6:]))
    )

    def refused(*arguments):
        raise PermissionError

    monkeypatch.setattr(os, "fchown", refused)
    with (tmp_path / "new").open("w") as file:
        atomic.adopt(file.fileno(), tmp_path / "old")
    assert stat.S_IMODE((tmp_path / "new").stat().st_mode) == 0o644


@posix
@pytest.mark.skipif(hasattr(os, "geteuid") and os.geteuid() == 0, reason="root may write anything")
def test_a_file_that_may_not_be_written_is_not_replaced(tmp_path):
    (tmp_path / "a.txt").write_text("old")
    (tmp_path / "a.txt").chmod(0o444)
    with pytest.raises(PermissionError, match="read-only"):
        write(tmp_path / "a.txt")
    assert (tmp_path / "a.txt").read_text() == "old"


@posix
@pytest.mark.parametrize("length", [244, 250, 255])
def test_a_name_as_long_as_the_system_takes_can_be_written(tmp_path, length):
    for name in ("n" * (length - 4) + ".csv", "n." + "s" * (length - 2), "ä" * (length // 2)):
        write(tmp_path / name)
        assert (tmp_path / name).read_text() == "new"


def test_another_name_of_the_file_keeps_the_old_content(tmp_path):
    (tmp_path / "a.txt").write_text("old")
    os.link(tmp_path / "a.txt", tmp_path / "b.txt")
    write(tmp_path / "a.txt")
    assert (tmp_path / "b.txt").read_text() == "old"


@posix
@pytest.mark.parametrize("there", [True, False])
def test_a_link_stays_and_its_target_is_written(tmp_path, there):
    (tmp_path / "disk").mkdir()
    target = tmp_path / "disk" / "a.txt"
    if there:
        target.write_text("old")
    (tmp_path / "link.txt").symlink_to("disk/a.txt")
    with atomic_path(tmp_path / "link.txt") as temporary:
        assert temporary.parent == target.parent  # a rename crosses no file systems
        temporary.write_text("new")
    assert (tmp_path / "link.txt").is_symlink()
    assert target.read_text() == "new"


@posix
def test_links_in_a_circle_are_an_error_of_the_system(tmp_path):
    (tmp_path / "a").symlink_to("b")
    (tmp_path / "b").symlink_to("a")
    with pytest.raises(OSError, match="symbolic links"):
        write(tmp_path / "a")


@posix
@pytest.mark.skipif(hasattr(os, "geteuid") and os.geteuid() != 0, reason="only root gives away")
def test_a_link_that_another_user_left_in_a_folder_for_all_is_not_followed(tmp_path):
    (tmp_path / "precious").write_text("old")
    (tmp_path / "all").mkdir()
    (tmp_path / "all").chmod(0o1777)
    (tmp_path / "all" / "a.txt").symlink_to("../precious")
    write(tmp_path / "all" / "a.txt", "mine")  # one's own is
    os.chown(tmp_path / "all" / "a.txt", 1234, 1234, follow_symlinks=False)
    with pytest.raises(cr.FileWriteError, match="a link that another user put"):
        write(tmp_path / "all" / "a.txt")
    assert (tmp_path / "precious").read_text() == "mine"


@posix
def test_a_device_is_written_through_and_stays_what_it_is():
    before = os.stat(os.devnull)
    write(os.devnull)
    after = os.stat(os.devnull)
    assert stat.S_ISCHR(after.st_mode)
    assert (before.st_ino, before.st_rdev) == (after.st_ino, after.st_rdev)


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="Linux has it")
def test_a_device_that_is_full_is_an_error_that_names_it():
    with pytest.raises(OSError, match="No space left") as raised:
        write("/dev/full")
    assert raised.value.filename == "/dev/full"


@posix
def test_a_pipe_gets_all_of_it_at_the_end_and_nothing_of_a_block_that_fails(tmp_path):
    pipe = tmp_path / "pipe.txt"
    os.mkfifo(pipe)
    with pytest.raises(RuntimeError), atomic_path(pipe):  # nobody reads: it does not wait
        raise RuntimeError
    found = []
    reader = threading.Thread(target=lambda: found.append(pipe.read_text()))
    reader.start()
    write(pipe, "new" * 100_000)
    reader.join()
    assert found == ["new" * 100_000]
    assert stat.S_ISFIFO(pipe.stat().st_mode)
    assert names(tmp_path) == ["pipe.txt"]


@pytest.mark.skipif(not os.path.exists("/proc/self/fd"), reason="Linux has it")
def test_an_open_file_of_the_process_is_written_on_and_not_replaced(tmp_path):
    with (tmp_path / "log").open("w") as log:
        log.write("before ")
        log.flush()
        write(f"/dev/fd/{log.fileno()}", "new")
        log.write(" after")
    assert (tmp_path / "log").read_text() == "before new after"


@posix
def test_a_socket_is_refused(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)  # their names have 100 letters at most
    with socket.socket(socket.AF_UNIX) as server:
        server.bind("a")
        with pytest.raises(cr.FileWriteError, match="a: is a socket"):
            write("a")
    assert stat.S_ISSOCK((tmp_path / "a").stat().st_mode)


def test_an_error_of_the_system_names_the_file_and_not_the_temporary_one(tmp_path):
    def fails():
        with atomic_path(tmp_path / "a.txt") as temporary:
            raise OSError(28, "No space left on device", str(temporary))

    with pytest.raises(OSError, match="No space") as raised:
        fails()
    assert raised.value.filename == str(tmp_path / "a.txt")
