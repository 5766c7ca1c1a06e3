"""The journal that several processes share."""

import json
import os
import threading

import pytest

from chainrule.errors import InvalidArgumentError
from chainrule.runs.shared_journal import SharedJournal

STUDY = {"op_code": 0, "worker_id": "w", "study_name": "s", "directions": [1]}


def trial(place=0):
    return {"op_code": 4, "worker_id": f"w{place}", "study_id": 0, "datetime_start": None}


def end(number):
    time = "2026-01-01T00:00:00"
    entry = {"op_code": 6, "worker_id": "w", "trial_id": number, "state": 1, "values": [0.5]}
    return {**entry, "datetime_complete": time}


def test_what_one_process_appends_the_other_reads(tmp_path):
    one, other = SharedJournal(tmp_path / "j"), SharedJournal(tmp_path / "j")
    one.append_logs([STUDY])
    other.append_logs([trial(1), trial(2)])
    assert list(one.read_logs(0)) == [STUDY, trial(1), trial(2)]
    one.append_logs([end(1)])
    one.append_logs([end(0)])
    assert list(other.read_logs(3)) == [end(1), end(0)]
    list(one.read_logs(0))
    for journal in (one, other):
        assert [journal.place_of(number) for number in (0, 1)] == [1, 0]
    assert os.listdir(tmp_path) == ["j"]


def test_appending_at_the_same_time_loses_and_mixes_no_entry(tmp_path):
    path = tmp_path / "j"
    SharedJournal(path).append_logs([STUDY])

    def append(number):
        journal = SharedJournal(path)
        for _ in range(10):
            journal.append_logs([trial(number)])

    threads = [threading.Thread(target=append, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    workers = [entry["worker_id"] for entry in SharedJournal(path).read_logs(1)]
    assert sorted(workers) == sorted(["w0", "w1", "w2", "w3"] * 10)


@pytest.mark.parametrize("rest", [b'{"op_code":4,"wor', b"\0" * 20, b'{"op_code":4,"x\0\0\n'])
def test_what_a_killed_process_left_of_an_entry_is_replaced(tmp_path, rest):
    path = tmp_path / "j"
    journal = SharedJournal(path)
    journal.append_logs([STUDY])
    with path.open("ab") as file:
        file.write(rest)
    assert list(SharedJournal(path).read_logs(0)) == [STUDY]
    journal.append_logs([trial()])
    assert [json.loads(line) for line in path.read_bytes().splitlines()] == [STUDY, trial()]


def test_a_lock_that_a_killed_process_left_is_removed(tmp_path, monkeypatch):
    from chainrule.runs import shared_journal

    monkeypatch.setattr(shared_journal, "_GRACE", 3)  # the least without a warning
    (tmp_path / "j.lock").touch()
    journal = SharedJournal(tmp_path / "j")
    journal.append_logs([STUDY])
    assert list(journal.read_logs(0)) == [STUDY]
    assert not (tmp_path / "j.lock").exists()


@pytest.mark.parametrize(
    ("line", "message"),
    [(b"[]\n", "line 2 is no entry"), (b'{"op_code":77}\n', "line 2 has the unknown op_code 77")],
)
def test_a_damaged_line_is_refused_with_its_number(tmp_path, line, message):
    path = tmp_path / "j"
    journal = SharedJournal(path)
    journal.append_logs([STUDY])
    assert list(journal.read_logs(0)) == [STUDY]
    path.write_bytes(path.read_bytes() + line + json.dumps(trial()).encode() + b"\n")
    with pytest.raises(InvalidArgumentError, match=message):
        journal.read_logs(0)


def test_a_journal_that_vanishes_during_the_search_is_not_created_anew(tmp_path):
    path = tmp_path / "j"
    journal = SharedJournal(path)
    journal.append_logs([STUDY])
    content = path.read_bytes()
    path.rename(tmp_path / "elsewhere")
    for action in (lambda: journal.read_logs(0), lambda: journal.append_logs([trial()])):
        with pytest.raises(InvalidArgumentError, match="was removed"):
            action()
    path.write_bytes(content * 2)
    with pytest.raises(InvalidArgumentError, match="was replaced"):
        journal.append_logs([trial()])
    assert path.read_bytes() == content * 2


def test_a_link_is_no_journal(tmp_path):
    (tmp_path / "j").symlink_to(tmp_path / "other")
    with pytest.raises(InvalidArgumentError, match="it is a link"):
        SharedJournal(tmp_path / "j")
