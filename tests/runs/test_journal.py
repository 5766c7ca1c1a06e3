import errno
import os

import pytest

from chainrule.errors import CheckpointInUseError, InvalidArgumentError
from chainrule.runs.journal import Journal

ENTRIES = [{"op_code": 0, "study_name": "s"}, {"op_code": 4, "study_id": 0}]


def written(path, entries=ENTRIES):
    with Journal(path) as journal:
        journal.append_logs(entries)
    return path.read_bytes()


def read(path):
    with Journal(path) as journal:
        return list(journal.read_logs(0))


def test_what_was_appended_is_read_from_any_entry_on(tmp_path):
    path = tmp_path / "search.journal"
    written(path)
    with Journal(path) as journal:
        assert list(journal.read_logs(0)) == ENTRIES
        journal.append_logs([{"op_code": 5}])
        assert list(journal.read_logs(2)) == [{"op_code": 5}]
    assert read(path) == [*ENTRIES, {"op_code": 5}]


def test_a_journal_cut_anywhere_keeps_its_whole_entries_and_goes_on(tmp_path):
    path = tmp_path / "search.journal"
    content = written(path)
    for length in range(len(content)):
        whole = content[:length].count(b"\n")
        path.write_bytes(content[:length])
        assert read(path) == ENTRIES[:whole]
        written(path, [{"op_code": 9}])
        assert read(path) == [*ENTRIES[:whole], {"op_code": 9}]


@pytest.mark.parametrize(
    "end", [b"\0" * 50, b"\0" * 50 + b"\n", b'{"op_code":1,"x\n', b'{"op_c\0\0']
)
def test_an_end_that_a_power_failure_left_is_dropped(tmp_path, end):
    path = tmp_path / "search.journal"
    path.write_bytes(written(path) + end)
    assert read(path) == ENTRIES


@pytest.mark.parametrize(
    "line", [b"\n", b"[]\n", b'{"op_code":1,\n', b"\xff\n", b"1" * 5000 + b"\n"]
)
def test_a_journal_with_a_damaged_line_within_is_refused_with_its_number(tmp_path, line):
    path = tmp_path / "search.journal"
    first, second = written(path).splitlines(keepends=True)
    path.write_bytes(first + line + second)
    with pytest.raises(InvalidArgumentError, match=r"search\.journal .*its line 2 .*Remove it"):
        read(path)
    assert path.read_bytes() == first + line + second


def test_a_file_that_is_no_journal_stays_as_it_is(tmp_path):
    path = tmp_path / "search.journal"
    path.write_bytes(b"dear diary")
    with pytest.raises(InvalidArgumentError, match="its line 1"):
        read(path)
    other = tmp_path / "other"
    other.write_bytes(b"")
    path.unlink()
    path.symlink_to(other)
    with pytest.raises(InvalidArgumentError, match="a link"):
        read(path)
    assert other.read_bytes() == b""


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="the system has no FIFOs")
def test_a_pipe_is_refused_at_once(tmp_path):
    path = tmp_path / "search.journal"
    os.mkfifo(path)
    with pytest.raises(InvalidArgumentError, match="no file"):
        read(path)


def test_a_second_search_is_told_of_the_first(tmp_path):
    path = tmp_path / "search.journal"
    with Journal(path):
        with pytest.raises(
            CheckpointInUseError, match=rf"another search \(process {os.getpid()}\).*--out"
        ):
            read(path)
        assert (tmp_path / "search.journal.in-use").exists()
    assert read(path) == []
    assert os.listdir(tmp_path) == ["search.journal"]


def test_an_entry_that_cannot_be_written_leaves_no_part_of_it(tmp_path, monkeypatch):
    path = tmp_path / "search.journal"
    content = written(path)

    def full(descriptor):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    with Journal(path) as journal:
        monkeypatch.setattr(os, "fsync", full)
        with pytest.raises(OSError, match="space"):
            journal.append_logs([{"op_code": 5}])
        assert path.read_bytes() == content
        monkeypatch.undo()
        journal.append_logs([{"op_code": 6}])
    assert read(path) == [*ENTRIES, {"op_code": 6}]


def test_the_working_directory_may_change_meanwhile(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    from pathlib import Path

    with Journal(Path("search.journal")) as journal:
        monkeypatch.chdir("/")
        journal.append_logs(ENTRIES)
    assert read(tmp_path / "search.journal") == ENTRIES
    assert os.listdir(tmp_path) == ["search.journal"]
