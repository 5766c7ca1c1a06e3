"""A search that goes on in a journal that someone else may have written."""

import json

import pytest
from typer.testing import CliRunner

from chainrule.cli.app import app


@pytest.fixture(scope="module")
def searched(tmp_path_factory):
    """A folder with a small search in it, and the command that goes on with it."""
    folder = tmp_path_factory.mktemp("search")
    table = folder / "t.csv"
    table.write_text("a,y\n" + "".join(f"{i % 13},{i % 13 * 2}.5\n" for i in range(40)))
    settings = ("--layers", "4", "--activation", "relu", "--batch-size", "16", "--dropout", "0")

    def search(trials):
        words = ["train", table, "--target", "y", "--out", folder / "run", "--epochs", "2"]
        words += [*settings, "--quiet", "--no-report", "--search", trials]
        return CliRunner().invoke(app, [str(word) for word in words])

    result = search(1)
    assert result.exit_code == 0, result.stderr
    return folder / "run" / "search.journal", search


def entries_of(journal):
    return [json.loads(line) for line in journal.read_text().splitlines()]


def first(entries, code):
    return next(place for place, entry in enumerate(entries) if entry["op_code"] == code)


FORGED = {
    "an unknown operation": (4, {"op_code": 77}),
    "a deleted study": (4, {"op_code": 1}),
    "true as operation": (4, {"op_code": True}),
    "no worker": (4, {"worker_id": 5}),
    "two directions": (0, {"directions": [1, 1]}),
    "an unknown study": (4, {"study_id": 3}),
    "a negative study": (4, {"study_id": -1}),
    "an unknown state at first": (4, {"state": 9}),
    "an end at first": (4, {"state": 1, "values": [0.0]}),
    "a state of text": (6, {"state": "1"}),
    "an unknown state": (6, {"state": 9}),
    "a negative trial": (6, {"trial_id": -1}),
    "a trial that is not there": (6, {"trial_id": 10**30}),
    "a time of no calendar": (6, {"datetime_start": "yesterday"}),
    "a time before all zones": (6, {"datetime_start": "0001-01-01T00:00:00"}),
    "a parameter beyond its range": (5, {"param_value_internal": 1e9}),
    "a parameter of text": (5, {"param_value_internal": "much"}),
    "a parameter of 400 digits": (5, {"param_value_internal": 10**400}),
    "no distribution": (5, {"distribution": "{}"}),
    "another parameter": (5, {"param_name": "luck"}),
    "another distribution": (
        5,
        {
            "distribution": json.dumps(
                {
                    "name": "FloatDistribution",
                    "attributes": {"log": False, "step": None, "low": -1e9, "high": 1e9},
                }
            )
        },
    ),
    "epochs of text": (8, {"user_attr": {"epochs": "many"}}),
    "negative epochs": (8, {"user_attr": {"epochs": -1}}),
    "another first trial": (4, {"system_attrs": {"fixed_params": {"l2": "x"}}}),
    "system attributes that are none": (4, {"system_attrs": [1]}),
}


@pytest.mark.parametrize("name", FORGED)
def test_a_forged_journal_is_refused_with_file_and_line(searched, name):
    journal, search = searched
    content = journal.read_text()
    entries = entries_of(journal)
    code, changed = FORGED[name]
    entries[first(entries, code)] |= changed
    forged = "".join(json.dumps(entry) + "\n" for entry in entries)
    journal.write_text(forged)
    try:
        result = search(2)
        assert result.exit_code == 2, result.stdout
        assert "search.journal cannot be gone on with: its line " in result.stderr
        assert result.stderr.count("\n") == 1
        assert journal.read_text() == forged
    finally:
        journal.write_text(content)


def test_a_million_trials_are_refused(searched, monkeypatch):
    from chainrule.runs import journal_entries

    monkeypatch.setattr(journal_entries, "MOST_TRIALS", 50)
    journal, search = searched
    content = journal.read_text()
    one = {"op_code": 4, "worker_id": "w", "study_id": 0, "datetime_start": None}
    journal.write_text(content + (json.dumps(one) + "\n") * 60)
    try:
        assert "more than 50 trials" in search(2).stderr
    finally:
        journal.write_text(content)


def test_a_first_trial_that_waits_is_not_enqueued_again(searched):
    journal, search = searched
    content = journal.read_text()
    entries = entries_of(journal)
    # As a kill between enqueueing and beginning leaves it.
    until = first(entries, 4) + 1
    journal.write_text("".join(json.dumps(entry) + "\n" for entry in entries[:until]))
    try:
        assert search(2).exit_code == 0
        waiting = [e for e in entries_of(journal) if e["op_code"] == 4 and e.get("state") == 4]
        assert len(waiting) == 1
    finally:
        journal.write_text(content)


def test_a_journal_of_ones_own_is_gone_on_with(searched):
    journal, search = searched
    for trials in (2, 2, 3):
        before = journal.read_text()
        assert search(trials).exit_code == 0
        assert journal.read_text().startswith(before)
    # Earlier versions named the study again each time.
    journal.write_text(journal.read_text() + before.splitlines()[0] + "\n")
    assert search(4).exit_code == 0
