"""The command play, and train --live, as processes."""

import os
import re
import signal
import socket
import subprocess
import sys
from pathlib import Path

import httpx
import pytest
from websockets.sync.client import connect

COMMAND = [sys.executable, "-m", "chainrule"]
# Long enough to be looked at, however fast the machine is.
LONG = ("--epochs", 10**6, "--no-early-stopping", "--tolerance", 0, "--patience", 10**6)


def started(*arguments, environment=None, **options):
    inherited = {name: value for name, value in os.environ.items() if name != "PYTHONUNBUFFERED"}
    return subprocess.Popen(
        [*COMMAND, *map(str, arguments)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=inherited | (environment or {}),
        **options,
    )


def address_in(stream):
    """Return the address that a process prints."""
    for line in stream:
        found = re.search(r"http://\S+", line)
        if found:
            return found[0]
    raise AssertionError("the process ended without an address")


def ended(process, seconds=20):
    out, err = process.communicate(timeout=seconds)
    return process.returncode, out, err


@pytest.fixture
def playing():
    process = started("play", "--no-browser", "--port", 0)
    yield process, address_in(process.stdout)
    process.kill()
    process.communicate()


def test_the_page_is_at_the_address_that_is_printed(playing):
    _, url = playing
    assert url.startswith("http://127.0.0.1:")
    assert httpx.get(url).status_code == 200


def test_ctrl_c_ends_it_with_a_sentence(playing):
    process, url = playing
    process.send_signal(signal.SIGINT)
    code, _, err = ended(process)
    assert (code, err) == (0, "chainrule: the playground has stopped\n")
    with pytest.raises(httpx.ConnectError):
        httpx.get(url)


def test_sigterm_ends_it_with_its_exit_code(playing):
    process, _ = playing
    process.send_signal(signal.SIGTERM)
    code, _, err = ended(process)
    assert (code, err) == (143, "chainrule: the playground has stopped\n")


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_uploaded_tables_go_with_the_process(tmp_path, number):
    place = {"TMPDIR": str(tmp_path)}
    process = started("play", "--no-browser", "--port", 0, environment=place)
    url = address_in(process.stdout)
    with connect(f"{url.replace('http', 'ws')}ws?session={'a' * 32}") as page:
        page.recv()
        table = httpx.post(f"{url}upload?session={'a' * 32}&name=t.csv", content=b"a,b\n1,2\n3,4\n")
        assert table.status_code == 200
        assert len(list(tmp_path.rglob("*"))) == 2  # a folder with the table
        process.send_signal(number)
        ended(process)
    assert list(tmp_path.iterdir()) == []


def test_two_at_once_are_at_two_ports():
    one, two = (started("play", "--no-browser") for _ in range(2))
    try:
        assert address_in(one.stdout) != address_in(two.stdout)
    finally:
        for process in (one, two):
            process.send_signal(signal.SIGINT)
            assert ended(process)[0] == 0


def test_a_port_that_is_in_use_is_a_sentence(chainrule):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen(1)
        port = taken.getsockname()[1]
        told = chainrule("play", "--port", port).sentence
    assert told == (
        f"chainrule: --port: {port} is in use by another program; choose another one, or leave it "
        "out for the next free one\n"
    )


def test_mistakes_are_sentences(chainrule, tmp_path, wdbc, model):
    (tmp_path / "empty").mkdir()
    (tmp_path / "notes.txt").write_text("")
    for arguments, words in (
        (["nowhere.csv"], "nowhere.csv"),
        ([tmp_path / "empty"], "is a folder without"),
        ([tmp_path / "notes.txt"], "notes.txt"),
        ([wdbc, "--target", "diagnosi"], "--target"),
        (["--target", "price"], "--target: expected a table"),
        (
            [model, "--target", "diagnosis"],
            "--target: expected none together with a model or a run",
        ),
        (["--host", "no.such.host.invalid"], "--host: expected a name or an address"),
    ):
        assert words in chainrule("play", *arguments).sentence


def test_help_imports_neither_server_nor_numbers():
    code = (
        "import sys; from chainrule.cli.app import app\n"
        "try: app(['play', '--help'])\n"
        "except SystemExit: pass\n"
        "heavy = {'numpy', 'polars', 'sklearn', 'starlette', 'uvicorn'} & set(sys.modules)\n"
        "sys.exit(str(heavy) if heavy else 0)"
    )
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert (result.returncode, result.stderr) == (0, "")


def test_a_training_with_live_is_joined_by_play_and_forgets_its_address(wdbc, tmp_path):
    folder = tmp_path / "run"
    options = ("--target", "diagnosis", *LONG, "--out", folder, "--live")
    process = started("train", wdbc, *options)
    try:
        url = address_in(process.stderr)
        address = folder / "live.url"
        assert address.read_text() == f"{url}\n"
        assert address.stat().st_mode & 0o777 == 0o600
        joined = subprocess.run(
            [*COMMAND, "play", folder, "--no-browser"], capture_output=True, text=True, timeout=60
        )
        assert joined.returncode == 0
        assert url in joined.stdout.replace("\n", " ")
    finally:
        process.send_signal(signal.SIGINT)
        code, _, _ = ended(process, 60)
    assert code == 130
    assert not address.exists()
    assert sorted(path.name for path in folder.iterdir() if path.name != "checkpoint.lock") == [
        "history.csv",
        "model.safetensors",
        "run.toml",
    ]


def test_a_live_run_writes_the_files_of_any_other_to_the_bit(chainrule, wdbc, tmp_path):
    options = ("--target", "diagnosis", "--epochs", 5, "--no-report", "--quiet")
    assert chainrule("train", wdbc, *options, "--out", tmp_path / "one").code == 0
    assert chainrule("train", wdbc, *options, "--out", tmp_path / "two", "--live").code == 0
    one, two = (
        {path.name: path.read_bytes() for path in (tmp_path / name).iterdir()}
        for name in ("one", "two")
    )
    for files in (one, two):
        files.pop("history.csv")  # has the seconds of the epochs
    assert one == two


def test_a_search_cannot_be_live(chainrule, wdbc):
    told = chainrule("train", wdbc, "--target", "diagnosis", "--search", 2, "--live").sentence
    assert "--live: a search trains many networks" in told


def test_an_address_of_a_training_that_was_killed_is_passed_over(trained, tmp_path):
    folder = tmp_path / "run"
    folder.mkdir()
    for path in Path(trained[1]).iterdir():
        (folder / path.name).write_bytes(path.read_bytes())
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    (folder / "live.url").write_text(f"http://127.0.0.1:{port}/\n")
    process = started("play", folder, "--no-browser", "--port", 0, cwd=os.getcwd())
    try:
        assert address_in(process.stdout) != f"http://127.0.0.1:{port}/"
    finally:
        process.send_signal(signal.SIGINT)
        assert ended(process)[0] == 0
