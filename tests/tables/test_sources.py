import io
import os
import socket
import stat
import sys
import threading

import polars as pl
import pytest

from chainrule.errors import InvalidArgumentError, InvalidTableError
from chainrule.tables.batches import scan_batches
from chainrule.tables.reader import read_table
from chainrule.tables.sources import can_be_read_again, open_table, spool_limit

TABLE = pl.DataFrame({"a": [1, 2, 3], "b": ["x", "y", "z"]})

needs_fifos = pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="the system has no FIFOs")


def bytes_of(write):
    file = io.BytesIO()
    write(TABLE, file)
    return file.getvalue()


CONTENTS = {
    "csv": bytes_of(pl.DataFrame.write_csv),
    "json lines": bytes_of(pl.DataFrame.write_ndjson),
    "Parquet": bytes_of(pl.DataFrame.write_parquet),
    "Arrow": bytes_of(pl.DataFrame.write_ipc),
    "Arrow stream": bytes_of(pl.DataFrame.write_ipc_stream),
}


@pytest.fixture
def fifo(tmp_path):
    """Make a FIFO into which a thread writes bytes; its path."""
    threads = []

    def make(content):
        path = tmp_path / "fifo"
        os.mkfifo(path)
        thread = threading.Thread(target=path.write_bytes, args=[content])
        thread.start()
        threads.append(thread)
        return path

    yield make
    for thread in threads:
        thread.join()


@pytest.fixture
def standard_input(monkeypatch):
    """Have standard input bring bytes."""

    def bring(content):
        monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(content)))

    return bring


@needs_fifos
@pytest.mark.parametrize("kind", CONTENTS)
def test_a_table_comes_through_a_fifo(fifo, kind):
    assert read_table(fifo(CONTENTS[kind])).equals(TABLE)


@needs_fifos
@pytest.mark.parametrize("kind", CONTENTS)
def test_a_table_comes_through_a_fifo_in_pieces(fifo, kind):
    pieces = scan_batches(fifo(CONTENTS[kind]), rows=2)
    assert pl.concat(list(pieces)).equals(TABLE)


@pytest.mark.parametrize("kind", CONTENTS)
def test_a_minus_is_standard_input(standard_input, kind):
    standard_input(CONTENTS[kind])
    assert read_table("-").equals(TABLE)


def test_a_pipe_that_was_opened_is_named_by_its_descriptor():
    end, begin = os.pipe()
    os.write(begin, CONTENTS["csv"])
    os.close(begin)
    try:
        assert read_table(f"/dev/fd/{end}").equals(TABLE)
    finally:
        os.close(end)


def test_standard_input_is_read_once(standard_input):
    standard_input(CONTENTS["csv"])
    read_table("-")
    with pytest.raises(InvalidTableError, match="standard input: is empty, or was read before"):
        read_table("-")


def test_standard_input_that_is_closed_is_refused(monkeypatch):
    monkeypatch.setattr(sys, "stdin", None)
    with pytest.raises(InvalidTableError, match="standard input: is closed"):
        read_table("-")


def test_a_pipe_that_brings_more_than_the_limit_is_refused(standard_input, monkeypatch):
    monkeypatch.setenv("CHAINRULE_SPOOL_LIMIT", "10")
    standard_input(b"a\n12345678\n")
    with pytest.raises(InvalidTableError, match="more than 10 bytes through a pipe"):
        read_table("-")
    standard_input(b"a\n1234567\n")
    assert read_table("-").rows() == [(1234567,)]


@pytest.mark.parametrize("limit", ["x", "-1", "1.5", "9" * 40])
def test_a_limit_that_is_no_number_of_bytes_is_refused(monkeypatch, limit):
    monkeypatch.setenv("CHAINRULE_SPOOL_LIMIT", limit)
    with pytest.raises(InvalidArgumentError, match="CHAINRULE_SPOOL_LIMIT: expected a whole"):
        spool_limit()


@pytest.mark.parametrize("device", ["/dev/zero", "/dev/null"])
def test_devices_are_refused(device):
    if not os.path.exists(device) or not stat.S_ISCHR(os.stat(device).st_mode):
        pytest.skip("the system has no such device")
    with pytest.raises(InvalidTableError, match="is a device, not a file or a pipe"):
        read_table(device)
    with pytest.raises(InvalidTableError, match="is a device, not a file or a pipe"):
        list(scan_batches(device))


@pytest.mark.skipif(not hasattr(socket, "AF_UNIX"), reason="the system has no such sockets")
def test_sockets_are_refused(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)  # a socket's name must be short
    with socket.socket(socket.AF_UNIX) as one:
        one.bind("s")
        with pytest.raises(InvalidTableError, match="s: is a socket"):
            read_table("s")


@needs_fifos
def test_what_cannot_be_read_again_is_told_without_opening_it(tmp_path):
    os.mkfifo(tmp_path / "fifo")
    assert not can_be_read_again(tmp_path / "fifo")
    assert not can_be_read_again("-")
    assert not can_be_read_again("/dev/fd/63")
    assert can_be_read_again(tmp_path)
    assert can_be_read_again(tmp_path / "none")


@pytest.mark.parametrize("name", ["q[1]", "*", "~x", "~", "{a}", "a b", "%41"])
@pytest.mark.parametrize(
    ("write", "suffix"),
    [
        (pl.DataFrame.write_csv, "csv"),
        (pl.DataFrame.write_ndjson, "jsonl"),
        (pl.DataFrame.write_parquet, "parquet"),
        (pl.DataFrame.write_ipc, "arrow"),
        (pl.DataFrame.write_ipc_stream, "arrows"),
    ],
)
def test_a_name_names_one_file_and_no_home(tmp_path, monkeypatch, name, write, suffix):
    monkeypatch.chdir(tmp_path)
    for other in ("q1", "x", "a"):
        with open(f"{other}.{suffix}", "wb") as file:
            write(TABLE.head(1), file)
    with open(f"{name}.{suffix}", "wb") as file:
        write(TABLE, file)
    assert read_table(f"{name}.{suffix}").equals(TABLE)
    assert pl.concat(list(scan_batches(f"{name}.{suffix}", rows=2))).equals(TABLE)


def test_the_bytes_of_a_pipe_go_with_the_table_file(standard_input):
    standard_input(CONTENTS["csv"])
    file = open_table("-")
    with file.open() as opened:
        assert opened.read() == CONTENTS["csv"]
    descriptor = file.spool.fileno()
    del file
    with pytest.raises(OSError, match="Bad file descriptor"):
        os.fstat(descriptor)
