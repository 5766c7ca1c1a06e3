"""No command costs a user a file: inputs, other runs' work, devices, links, like names."""

import concurrent.futures
import json
import os
import stat
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from chainrule.files.checkpoint import CheckpointFile, write_checkpoint_file
from chainrule.files.locks import FileLock

QUICK = ("--target", "y", "--epochs", 1, "--layers", 4, "--no-report", "--quiet")
COMMAND = [sys.executable, "-m", "chainrule"]
posix = pytest.mark.skipif(os.name != "posix", reason="what only POSIX has")

TABLE = "x,y\n" + "".join(f"{x},{3 * x + x % 5}\n" for x in range(60))


@pytest.fixture
def table(tmp_path):
    path = tmp_path / "table.csv"
    path.write_text(TABLE, encoding="utf-8")
    return path


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "run").mkdir()
    return tmp_path / "run"


@pytest.fixture
def small(chainrule, table, tmp_path):
    """A model of the table."""
    assert chainrule("train", table, *QUICK, "--out", tmp_path / "small").code == 0
    return tmp_path / "small" / "model.safetensors"


def content(folder):
    return {path.name: path.read_bytes() for path in folder.iterdir() if path.is_file()}


def unfinished(folder):
    """Leave the checkpoint of a run, as far as a look at the folder can tell."""
    for name in ("checkpoint", "checkpoint.previous"):
        write_checkpoint_file(folder / name, CheckpointFile({"training": "{}"}))


# What train writes, and its inputs.


@pytest.mark.parametrize(
    "name",
    [
        *("history.csv", "metrics.json", "test_predictions.csv", "model.safetensors", "run.toml"),
        "checkpoint.lock",
    ],
)
@pytest.mark.parametrize("role", ["table", "test"])
@pytest.mark.parametrize("overwrite", [(), ("--overwrite",)])
def test_no_table_of_a_run_is_replaced(chainrule, table, folder, name, role, overwrite):
    (folder / name).write_text(TABLE)
    before = content(folder)
    tables = (folder / name,) if role == "table" else (table, "--test", folder / name)
    outcome = chainrule("train", *tables, *QUICK, "--out", folder, *overwrite)
    assert f"--out: {folder / name} would be overwritten, but is read as" in outcome.sentence
    assert content(folder) == before


@pytest.mark.parametrize(
    ("name", "options"),
    [
        ("report.html", ["--report"]),
        ("search.journal", ["--search", 2]),
        ("checkpoint", ["--checkpoint"]),
        ("checkpoint.previous", ["--checkpoint"]),
        ("checkpoint.partial", ["--checkpoint"]),
    ],
)
def test_no_table_is_what_only_some_runs_write(chainrule, folder, name, options):
    (folder / name).write_text(TABLE)
    outcome = chainrule("train", folder / name, *QUICK, *options, "--out", folder)
    assert "is read as TABLE" in outcome.sentence
    assert content(folder) == {name: TABLE.encode()}


@posix
@pytest.mark.parametrize("link", [os.symlink, os.link])
def test_a_table_is_known_by_whatever_name_it_lies_in_the_folder(chainrule, table, folder, link):
    link(table, folder / "history.csv")
    outcome = chainrule("train", table, *QUICK, "--out", folder)
    assert f"is read as TABLE, under the name {table}" in outcome.sentence
    assert table.read_text() == TABLE


def test_a_config_is_replaced_only_where_that_is_said(chainrule, table, folder):
    config = folder / "run.toml"
    mine = f'# mine\n[data]\ntable = "{table.as_posix()}"\ntarget = "y"\n'
    config.write_text(mine, encoding="utf-8")
    again = ("train", "--config", config, *QUICK[2:], "--out", folder)
    assert "is read as --config" in chainrule(*again).sentence
    assert config.read_text(encoding="utf-8") == mine
    assert chainrule(*again, "--overwrite").code == 0
    assert chainrule("train", "--config", config, *QUICK[2:], "--out", folder / "new").code == 0


# What has a name like a checkpoint's, or a run's.


@pytest.mark.parametrize("options", [(), ("--checkpoint",)])
def test_a_run_touches_nothing_but_its_own_exact_names(chainrule, folder, options):
    table = folder / "checkpoint.csv"
    table.write_text(TABLE)
    for name in ("checkpoints.zip", "checkpoint.py", "checkpoint.old", "checkpoint-1", "lock"):
        (folder / name).write_text("precious")
    (folder / "checkpoints").mkdir()
    (folder / "checkpoints" / "a").write_text("precious")
    before = content(folder)
    assert chainrule("train", table, *QUICK, "--out", folder, *options).code == 0
    assert content(folder).items() >= before.items()
    assert (folder / "checkpoints" / "a").read_text() == "precious"
    made = {"history.csv", "metrics.json", "model.safetensors", "run.toml", "checkpoints"}
    made |= {"test_predictions.csv"}
    assert {path.name for path in folder.iterdir()} == before.keys() | made


def test_someone_elses_file_called_checkpoint_is_in_the_way_of_checkpoints_only(
    chainrule, table, folder
):
    (folder / "checkpoint").write_text('model_checkpoint_path: "ckpt-7"\n')  # as TensorFlow's
    outcome = chainrule("train", table, *QUICK, "--checkpoint", "--out", folder)
    assert "checkpoint is there, and no run of chainrule wrote it" in outcome.sentence
    assert chainrule("train", table, *QUICK, "--out", folder).code == 0
    assert "ckpt-7" in (folder / "checkpoint").read_text()


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("history.csv", "when,what\n1066,Hastings\n"),
        ("history.csv", "epoch,loss\n1,0.5\n"),
        ("metrics.json", '{"train": 3}'),
        ("metrics.json", "[" * 100_000),
        ("test_predictions.csv", "row,prediction\n1,rain\n"),
        ("model.safetensors", "someone else's weights"),
        ("run.toml", "# mine\n"),
    ],
)
def test_a_file_that_no_run_wrote_is_replaced_only_where_that_is_said(
    chainrule, table, folder, name, text
):
    (folder / name).write_text(text)
    outcome = chainrule("train", table, *QUICK, "--out", folder)
    assert f"{folder / name} is there, and no run of chainrule wrote it" in outcome.sentence
    assert "give --overwrite" in outcome.sentence
    assert content(folder) == {name: text.encode()}
    assert chainrule("train", table, *QUICK, "--out", folder, "--overwrite").code == 0
    assert (folder / name).read_text(errors="replace") != text


@posix
def test_a_report_of_someone_else_is_in_the_way_of_one_only(chainrule, table, folder):
    (folder / "report.html").write_text("<!doctype html><title>Annual report</title>")
    outcome = chainrule("train", table, *QUICK, "--report", "--out", folder)
    assert "report.html is there, and no run" in outcome.sentence
    assert chainrule("train", table, *QUICK, "--out", folder).code == 0


@pytest.mark.parametrize("name", ["model.safetensors", "history.csv", "checkpoint"])
def test_a_folder_of_a_files_name_is_named_before_training(chainrule, table, folder, name):
    (folder / name).mkdir()
    arguments = ("train", table, *QUICK, "--checkpoint", "--overwrite", "--out", folder)
    assert f"{folder / name} is a folder; move it away" in chainrule(*arguments).sentence
    assert {path.name for path in folder.iterdir()} == {name}


# Another run's work.


@pytest.mark.parametrize("options", [(), ("--checkpoint",), ("--search", 2), ("--no-report",)])
def test_a_run_is_replaced_only_where_that_is_said(chainrule, table, folder, options):
    assert chainrule("train", table, *QUICK, "--report", "--out", folder).code == 0
    before = content(folder)
    again = ("train", table, *QUICK, "--seed", 1, *options, "--out", folder)
    sentence = chainrule(*again).sentence
    assert f"--out: {folder} holds another run" in sentence
    assert "give --overwrite" in sentence
    assert content(folder) == before
    assert chainrule(*again, "--overwrite").code == 0
    after = content(folder)
    assert after["model.safetensors"] != before["model.safetensors"]
    assert "report.html" not in after  # it would be taken for the new run's


def test_a_search_is_replaced_by_no_other_search(chainrule, table, folder):
    search = ("train", table, *QUICK, "--search", 1, "--out", folder)
    assert chainrule(*search).code == 0
    before = content(folder)
    assert f"{folder} holds another run" in chainrule(*search, "--seed", 1).sentence
    assert content(folder) == before
    assert chainrule(*search, "--seed", 1, "--overwrite").code == 0
    assert b"study_name" in content(folder)["search.journal"]
    assert content(folder)["search.journal"].count(b'"study_name"') == 1
    assert f"{folder} holds another run" in chainrule(*search).sentence


def test_a_plain_run_replaces_no_search(chainrule, table, folder):
    assert chainrule("train", table, *QUICK, "--search", 1, "--out", folder).code == 0
    plain = ("train", table, *QUICK, "--out", folder)
    assert f"{folder} holds another run" in chainrule(*plain).sentence
    assert chainrule(*plain, "--overwrite").code == 0
    assert "search.journal" not in content(folder)


# Runs without --out.


@pytest.fixture
def here(tmp_path, monkeypatch):
    (tmp_path / "here").mkdir()
    monkeypatch.chdir(tmp_path / "here")
    return tmp_path / "here"


def test_each_run_without_a_folder_gets_one_of_its_own(chainrule, table, here):
    for number in (1, 2, 3):
        assert chainrule("train", table, *QUICK).code == 0
        folder = here / "runs" / f"table-y-{number}"
        assert (folder / "model.safetensors").exists()
    (here / "runs" / "table-y-2").rename(here / "kept")
    (here / "runs" / "table-y-10").mkdir()
    assert chainrule("train", table, *QUICK).code == 0
    names = {path.name for path in (here / "runs").iterdir()}
    assert names == {"table-y-1", "table-y-3", "table-y-10", "table-y-11"}


def test_a_mistake_leaves_no_numbered_folder(chainrule, table, here):
    assert "none" in chainrule("train", table, "--target", "none").sentence
    assert not list(here.iterdir())


def test_a_training_that_learned_nothing_leaves_no_numbered_folder(chainrule, table, here):
    huge = ("--optimizer", "sgd", "--learning-rate", 1e38, "--dtype", "float32")
    outcome = chainrule("train", table, *QUICK, *huge)
    assert "not finite" in outcome.sentence
    assert not list(here.iterdir())


def test_a_file_called_runs_is_named_and_kept(chainrule, table, here):
    (here / "runs").write_text("mine")
    outcome = chainrule("train", table, *QUICK)
    assert "runs" in outcome.sentence
    assert (here / "runs").read_text() == "mine"


def test_a_search_without_a_folder_goes_on_in_its_own(chainrule, table, here):
    search = ("train", table, *QUICK, "--search")
    assert chainrule(*search, 1).code == 0
    assert chainrule("train", table, *QUICK).code == 0
    assert chainrule(*search, 2).code == 0
    assert chainrule(*search, 1, "--seed", 5).code == 0
    names = {path.name for path in (here / "runs").iterdir()}
    assert names == {"table-y-1", "table-y-2", "table-y-3"}


def test_runs_that_start_together_get_folders_of_their_own(tmp_path):
    from chainrule.runs.numbered_folder import new_folder

    barrier = threading.Barrier(8)

    def claim(_):
        barrier.wait()
        with new_folder(tmp_path / "runs", "t-y") as folder:
            (folder.path / "model").touch()
            return folder.path.name

    with concurrent.futures.ThreadPoolExecutor(8) as pool:
        names = list(pool.map(claim, range(8)))
    assert sorted(names) == [f"t-y-{number}" for number in range(1, 9)]


@pytest.mark.parametrize("name", ["../../etc/x", "a\x1b[31m", ".hidden", "-rf", "", "…" * 300])
def test_a_strangers_column_names_a_harmless_folder(name):
    from chainrule.runs.numbered_folder import name_of

    made = name_of("t.csv", name)
    assert made.startswith("t-")
    assert len(made) < 100
    assert made.isprintable()
    assert not set(made) & set("/\\. ")


@pytest.mark.parametrize("options", [(), ("--checkpoint",), ("--search", 2)])
def test_an_unfinished_run_is_lost_only_where_that_is_said(chainrule, table, folder, options):
    unfinished(folder)
    before = content(folder)
    arguments = ("train", table, *QUICK, *options, "--out", folder)
    sentence = chainrule(*arguments).sentence
    assert f"chainrule resume {folder} continues it" in sentence
    assert "give --overwrite" in sentence
    assert content(folder) == before
    assert chainrule(*arguments, "--overwrite").code == 0
    assert not (before.keys() & content(folder).keys())


def test_a_mistake_keeps_the_unfinished_run_even_where_it_may_be_lost(chainrule, table, folder):
    unfinished(folder)
    before = content(folder)
    wrong = ("--target", "none", "--overwrite", "--out", folder)
    assert "none" in chainrule("train", table, *wrong).sentence
    assert content(folder) == before


@pytest.mark.parametrize("options", [(), ("--checkpoint",), ("--overwrite",), ("--search", 2)])
def test_a_running_run_is_not_disturbed(chainrule, table, folder, options):
    (folder / "run.toml").write_text("# chainrule train of the running one\n")
    lock = FileLock(folder / "checkpoint.lock")
    lock.acquire("the running one")
    before = content(folder)
    try:
        sentence = chainrule("train", table, *QUICK, *options, "--out", folder).sentence
        assert f"--out: {folder} is in use by another training (process {os.getpid()})" in sentence
        assert content(folder) == before
        unfinished(folder)
        sentence = chainrule("resume", folder, "--quiet").sentence
        assert f"DIR: {folder} is in use" in sentence
    finally:
        lock.release()


def test_a_folder_that_was_made_for_nothing_is_gone_again(chainrule, tmp_path):
    outcome = chainrule("train", tmp_path / "none.csv", *QUICK, "--out", tmp_path / "a" / "b")
    assert "none.csv" in outcome.sentence
    assert list(tmp_path.iterdir()) == []


# Links in a folder that someone else made.


@posix
@pytest.mark.parametrize(
    "name",
    [
        *("history.csv", "model.safetensors", "metrics.json", "run.toml", "test_predictions.csv"),
        *("checkpoint", "checkpoint.previous", "checkpoint.partial", "checkpoint.lock"),
    ],
)
@pytest.mark.parametrize("overwrite", [(), ("--overwrite",)])
def test_a_link_in_the_folder_is_not_followed(chainrule, table, folder, name, overwrite):
    precious = folder.with_name("precious")
    precious.write_text("precious")
    (folder / name).symlink_to(precious)
    arguments = ("train", table, *QUICK, "--checkpoint", *overwrite, "--out", folder)
    outcome = chainrule(*arguments)
    if outcome.code:
        assert f"{folder / name} is a link" in outcome.sentence
    assert (outcome.code == 0) == (bool(overwrite) and name != "checkpoint.lock")
    assert precious.read_text() == "precious"


@posix
def test_a_backup_by_hard_links_is_not_written_into(chainrule, table, folder):
    assert chainrule("train", table, *QUICK, "--out", folder).code == 0
    backup = folder.with_name("backup")
    backup.mkdir()
    for path in folder.iterdir():
        os.link(path, backup / path.name)
    before = content(backup)
    again = ("train", table, *QUICK, "--seed", 1, "--out", folder, "--overwrite")
    assert chainrule(*again).code == 0
    assert content(backup) == before
    assert content(folder)["history.csv"] != before["history.csv"]


# Commands with one output.


@pytest.mark.parametrize("how", ["itself", "link", "hard link"])
def test_no_command_writes_what_it_reads(chainrule, small, table, tmp_path, how):
    names = {table: table, small: small}
    if how != "itself":
        link = os.symlink if how == "link" else os.link
        for path, ending in ((table, ".csv"), (small, ".safetensors")):
            names[path] = tmp_path / f"other{ending}"
            link(path, names[path])
    before = table.read_bytes(), small.read_bytes()
    for given, name in ((table, "TABLE"), (small, "MODEL")):
        out = names[given]
        commands = [
            ("predict", small, table, "-o", out),
            ("trace", small, table, "--row", 1, "--html", out),
            ("trace", small, table, "--row", 1, "--latex", out),
            ("explain", small, table, "--row", 1, "-o", out),
        ]
        if given == small:
            commands.append(("export", small, out, "--to", "torch"))
        for command in commands:
            assert f"is read as {name}" in chainrule(*command).sentence
            assert (table.read_bytes(), small.read_bytes()) == before


def test_no_output_of_a_command_replaces_a_model(chainrule, small, table, tmp_path):
    other = tmp_path / "other.safetensors"
    other.write_bytes(small.read_bytes())
    for command in (
        ("export", small, other),
        ("trace", small, table, "--row", 1, "--html", other),
    ):
        assert "model" in chainrule(*command).sentence
        assert other.read_bytes() == small.read_bytes()


def test_two_outputs_of_one_command_are_two_files(chainrule, small, table, tmp_path):
    outputs = ("--html", tmp_path / "a", "--latex", tmp_path / "a")
    assert "same file" in chainrule("trace", small, table, "--row", 1, *outputs).sentence
    assert not (tmp_path / "a").exists()


@posix
def test_devices_stay_devices(chainrule, small, table):
    before = os.stat(os.devnull)
    assert chainrule("predict", small, table, "-o", os.devnull).code == 0
    assert chainrule("explain", small, table, "--row", 1, "-o", os.devnull).code == 0
    after = os.stat(os.devnull)
    assert stat.S_ISCHR(after.st_mode)
    assert after.st_ino == before.st_ino


@pytest.mark.skipif(not os.path.exists("/dev/stdout"), reason="POSIX has it")
def test_standard_output_by_name_gets_the_predictions_alone(chainrule, small, table, tmp_path):
    command = [*COMMAND, "predict", str(small), str(table), "--keep", "none"]
    command += ["-o", "/dev/stdout"]
    piped = subprocess.run(command, capture_output=True, text=True)
    lines = piped.stdout.splitlines()
    assert (lines[0], len(lines)) == ("prediction", 61)
    assert "60 predictions written" in piped.stderr
    with (tmp_path / "out").open("w") as file:
        file.write("before\n")
        file.flush()
        subprocess.run(command, stdout=file, stderr=subprocess.DEVNULL, check=True)
        file.write("after\n")
    assert (tmp_path / "out").read_text() == f"before\n{piped.stdout}after\n"


@posix
def test_a_pipe_is_written_through(small, table, tmp_path):
    os.mkfifo(tmp_path / "pipe.csv")
    command = [*COMMAND, "predict", str(small), str(table), "-o", str(tmp_path / "pipe.csv")]
    with subprocess.Popen(command, stderr=subprocess.DEVNULL) as process:
        assert (tmp_path / "pipe.csv").read_text().startswith("x,y,prediction\n")
    assert process.returncode == 0
    assert stat.S_ISFIFO((tmp_path / "pipe.csv").stat().st_mode)


# Predicts into each of some files; a limit on the size of files stands in for a full disk.
ON_A_FULL_DISK = """
import json, resource, sys
from typer.testing import CliRunner
from chainrule.cli.app import app
resource.setrlimit(resource.RLIMIT_FSIZE, (100, 100))
*arguments, outs = sys.argv[1:]
results = [CliRunner().invoke(app, [*arguments, "-o", out]) for out in json.loads(outs)]
print(json.dumps([[result.exit_code, result.stderr] for result in results]))
"""


@posix
def test_a_disk_that_is_full_is_one_sentence_and_leaves_nothing(small, table, tmp_path):
    outs = [str(tmp_path / f"out.{ending}") for ending in ("csv", "parquet", "arrow", "jsonl")]
    for out in outs:
        Path(out).write_text("old")
    before = sorted(os.listdir(tmp_path))
    result = subprocess.run(
        [sys.executable, "-c", ON_A_FULL_DISK, "predict", str(small), str(table), json.dumps(outs)],
        capture_output=True,
        text=True,
        env={**os.environ, "PYTHONDONTWRITEBYTECODE": "1"},
    )
    assert result.returncode == 0, result.stderr
    answers = [[2, f"chainrule: {out}: File too large\n"] for out in outs]
    assert json.loads(result.stdout) == answers
    assert [Path(out).read_text() for out in outs] == ["old"] * len(outs)
    assert sorted(os.listdir(tmp_path)) == before
