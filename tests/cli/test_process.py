"""The command line as a process of its own: entry points, pipes and signals."""

import signal
import subprocess
import sys
import time

import numpy as np
import pytest

import chainrule as cr
from chainrule.training.events import EpochEnded

# Long enough to be interrupted, however fast the machine is.
LONG = ("--epochs", 10**6, "--no-early-stopping", "--tolerance", 0, "--patience", 10**6)
COMMAND = [sys.executable, "-m", "chainrule"]


def run(*arguments, **options):
    return subprocess.run(
        [*COMMAND, *map(str, arguments)], capture_output=True, text=True, timeout=120, **options
    )


def test_the_module_runs_and_knows_its_version():
    result = run("--version")
    assert (result.returncode, result.stdout) == (0, f"chainrule {cr.__version__}\n")


def test_a_mistake_leaves_no_traceback(tmp_path):
    result = run("train", tmp_path / "none.csv", "--target", "y")
    assert result.returncode == 2
    assert result.stderr.startswith("chainrule: ")
    assert result.stderr.count("\n") == 1


def test_debug_leaves_the_traceback(tmp_path):
    result = run("train", tmp_path / "none.csv", "--target", "y", "--debug")
    assert "Traceback" in result.stderr
    assert "InvalidTableError" in result.stderr


# The page of `train` lists what optimizers, losses and schedules there are, which use NumPy.
@pytest.mark.parametrize(
    ("page", "allowed"), [([], set()), (["predict"], set()), (["train"], {"numpy"})]
)
def test_help_imports_nothing_heavy(page, allowed):
    code = (
        "import sys; from chainrule.cli.app import app\n"
        f"try: app([*{page}, '--help'])\n"
        "except SystemExit: pass\n"
        f"heavy = {{'numpy', 'polars', 'sklearn', 'matplotlib', 'safetensors'}} - {allowed}\n"
        "heavy &= set(sys.modules)\n"
        "sys.exit(str(heavy) if heavy else 0)"
    )
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert (result.returncode, result.stderr) == (0, "")


def test_a_reader_that_goes_away_is_no_error(model, wdbc):
    with subprocess.Popen(
        [*COMMAND, "predict", str(model), str(wdbc)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        process.stdout.close()
        errors = process.stderr.read()
    assert "Traceback" not in errors
    assert "Error" not in errors


@pytest.fixture
def interrupts_reach_children():
    """Let children die of SIGINT even where this process was started with it ignored."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    hangup = signal.signal(signal.SIGHUP, signal.SIG_DFL)  # nohup ignores it
    yield
    signal.signal(signal.SIGINT, before)
    signal.signal(signal.SIGHUP, hangup)


COMPLETE = ["history.csv", "metrics.json", "model.safetensors", "run.toml", "test_predictions.csv"]

# Sends itself a signal just before a module is loaded, or before the n-th call of a function:
# "module:function" or "module:class.method@n".
SELF = """
import importlib.abc, itertools, os, signal, sys
number, place = int(sys.argv.pop(1)), sys.argv.pop(1)
def send():
    os.kill(os.getpid(), number)
class Loading(importlib.abc.MetaPathFinder):
    def find_spec(self, name, path, target=None):
        if name == place:
            sys.meta_path.remove(self)
            send()
def patch(owner, path):
    first, _, rest = path.partition(".")
    if rest:
        return patch(getattr(owner, first), rest)
    before = getattr(owner, first)
    calls = itertools.count(1)
    def patched(*arguments, **named):
        if next(calls) == int(nth or 1):
            send()
        return before(*arguments, **named)
    setattr(owner, first, patched)
place, _, nth = place.partition("@")
module, _, name = place.partition(":")
if name:
    patch(importlib.import_module(module), name)
else:
    sys.meta_path.insert(0, Loading())
from chainrule.cli import main
"""


@pytest.fixture
def sent_to_itself(tmp_path):
    """Runs a command that sends itself a signal at a place; returns what it left."""

    def run(number, place, *arguments, before=""):
        (tmp_path / "program.py").write_text(f"{SELF}{before}\nmain()\n", encoding="utf-8")
        # As a module, since CPython ends differently after a script or a text.
        return subprocess.run(
            [sys.executable, "-m", "program", str(int(number)), place, *map(str, arguments)],
            capture_output=True,
            text=True,
            timeout=120,
            cwd=tmp_path,
        )

    return run


def begun(arguments, history, lines=3):
    """Start a command, and return its process when the history has so many epochs."""
    process = subprocess.Popen(
        [*COMMAND, *map(str, arguments)],
        stderr=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        text=True,
    )
    deadline = time.monotonic() + 60
    while not (history.exists() and history.read_text().count("\n") > lines):
        assert process.poll() is None, process.stderr.read()
        assert time.monotonic() < deadline
        time.sleep(0.02)
    return process


@pytest.mark.usefixtures("interrupts_reach_children")
@pytest.mark.parametrize(
    ("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143), (signal.SIGHUP, 129)]
)
def test_an_interrupted_training_leaves_a_model_and_its_history(wdbc, tmp_path, number, code):
    history = tmp_path / "run" / "history.csv"
    arguments = ["train", wdbc, "--target", "diagnosis", "--out", history.parent, *LONG]
    process = begun(arguments, history)
    try:
        process.send_signal(number)
        _, errors = process.communicate(timeout=60)
    finally:
        process.kill()
    assert process.returncode == code
    assert "Traceback" not in errors
    assert errors.splitlines()[-1].startswith("chainrule: interrupted; the model of the last")
    assert "without scores, calibration and the distributions that" in errors

    rows = history.read_text(encoding="utf-8").splitlines()
    model = cr.load(tmp_path / "run" / "model.safetensors")
    # The interrupt may fall between an epoch's end and its row.
    assert model.network.epochs_trained - (len(rows) - 1) in (-1, 0, 1)
    assert len(rows[-1].split(",")) == len(rows[0].split(","))
    assert model.evaluate(wdbc)["accuracy"] > 0.5
    names = {path.name for path in history.parent.iterdir()}
    assert names == {"history.csv", "model.safetensors", "run.toml"}


@pytest.fixture(scope="module")
def whole(chainrule, wdbc, tmp_path_factory):
    """The arguments of a training, and the folder of one that nothing interrupted."""
    length = ("--epochs", 30, "--no-early-stopping", "--tolerance", 0, "--patience", 10**6)
    arguments = ["train", wdbc, "--target", "diagnosis", "--layers", "16", *length, "--no-report"]
    folder = tmp_path_factory.mktemp("whole") / "run"
    assert chainrule(*arguments, "--out", folder).code == 0
    return arguments, folder


@pytest.mark.usefixtures("interrupts_reach_children")
@pytest.mark.parametrize(
    ("number", "code"),
    [(signal.SIGINT, 130), (signal.SIGTERM, 143), (signal.SIGHUP, 129), (signal.SIGKILL, -9)],
)
def test_a_run_cut_short_goes_on_to_the_same_bits(
    sent_to_itself, chainrule, whole, tmp_path, number, code
):
    arguments, whole = whole
    cut = tmp_path / "cut"
    place = "chainrule.training.consumers:CSVLog.__call__@15"
    ended = sent_to_itself(number, place, *arguments, "--checkpoint", "--every", 10, "--out", cut)
    assert ended.returncode == code
    assert "Traceback" not in ended.stderr
    if number != signal.SIGKILL:
        assert f"chainrule resume {cut} continues from here" in ended.stderr
    refused = chainrule(*arguments, "--checkpoint", "--out", cut)
    assert f"chainrule resume {cut} continues it" in refused.sentence

    resumed = chainrule("resume", cut, "--no-report")
    assert resumed.code == 0, resumed.err
    for name in ("model.safetensors", "metrics.json", "run.toml"):
        assert (whole / name).read_bytes() == (cut / name).read_bytes(), name
    lengths = [(folder / "history.csv").read_text().count("\n") for folder in (whole, cut)]
    assert lengths == [31, 31]
    assert not list(cut.glob("checkpoint*"))


@pytest.mark.usefixtures("interrupts_reach_children")
def test_an_interrupted_search_keeps_the_best_and_goes_on(chainrule, wdbc, tmp_path):
    folder = tmp_path / "run"
    arguments = ["train", wdbc, "--target", "diagnosis", "--epochs", 30, "--no-report"]
    search = [*arguments, "--search", 1000, "--out", folder]
    process = subprocess.Popen(
        [*COMMAND, *map(str, search)], stderr=subprocess.PIPE, stdout=subprocess.DEVNULL, text=True
    )
    try:
        for line in process.stderr:
            if line.startswith("trial 2/"):
                break
        process.send_signal(signal.SIGINT)
        _, errors = process.communicate(timeout=60)
    finally:
        process.kill()
    assert process.returncode == 130
    assert "the same command continues the search" in errors
    assert cr.load(folder / "model.safetensors").evaluate(wdbc)["accuracy"] > 0.8
    more = chainrule(*arguments, "--search", 2, "--out", folder)
    assert more.code == 0
    assert "trials of an earlier call count" in more.err
    assert "validation loss" not in more.err


@pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="the system has no such signal")
def test_a_search_that_was_killed_goes_on_to_the_same_result(
    chainrule, wdbc, tmp_path, monkeypatch
):
    random = np.random.default_rng(0)
    arguments = ["train", wdbc, "--target", "diagnosis", "--epochs", 4, "--no-report"]
    search = [*map(str, [*arguments, "--search", 8])]
    assert chainrule(*search, "--out", tmp_path / "whole").code == 0
    # A relative folder: a link to it from within would lead nowhere.
    for ending in (signal.SIGKILL, signal.SIGTERM, signal.SIGKILL):
        with subprocess.Popen(
            [*COMMAND, *search, "--out", "cut"],
            cwd=tmp_path,
            stderr=subprocess.PIPE,
            text=True,
            stdout=subprocess.DEVNULL,
        ) as process:
            for line in process.stderr:
                if line.startswith("trial "):
                    break
            time.sleep(random.uniform(0, 0.1))
            process.send_signal(ending)
    monkeypatch.chdir(tmp_path)
    last = chainrule(*search, "--out", "cut")
    assert last.code == 0
    assert "Best of 8 trials" in last.out
    for name in ("model.safetensors", "metrics.json"):
        assert (tmp_path / "cut" / name).read_bytes() == (tmp_path / "whole" / name).read_bytes()


def test_an_interrupt_between_two_epochs_is_answered_in_process(
    chainrule, wdbc, tmp_path, monkeypatch
):
    from chainrule.training.consumers import CSVLog

    write = CSVLog.__call__

    def interrupted(self, event):
        write(self, event)
        if isinstance(event, EpochEnded) and event.epoch == 3:
            raise KeyboardInterrupt

    monkeypatch.setattr(CSVLog, "__call__", interrupted)
    outcome = chainrule("train", wdbc, "--target", "diagnosis", "--no-report", "--out", tmp_path)
    assert outcome.code == 130
    assert len((tmp_path / "history.csv").read_text(encoding="utf-8").splitlines()) == 4
    assert isinstance(cr.load(tmp_path / "model.safetensors"), cr.TableModel)


@pytest.mark.usefixtures("interrupts_reach_children")
@pytest.mark.parametrize(
    ("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143), (signal.SIGHUP, 129)]
)
@pytest.mark.parametrize("ending", ["csv", "parquet"])
def test_an_interrupted_prediction_leaves_what_was_there_and_nothing_else(
    regression, tmp_path, number, code, ending
):
    (tmp_path / "table.csv").write_text("size,rooms\n" + "1,2\n" * 250_000, encoding="utf-8")
    out = tmp_path / f"out.{ending}"
    out.write_text("old", encoding="utf-8")
    # The second piece comes while the file is being written, and waits for the signal.
    slow = (
        "import sys; from chainrule.model.table_model import TableModel\n"
        "predict, calls = TableModel.predict_read, []\n"
        "def slowly(self, table, *more, **named):\n"
        "    calls.append(table)\n"
        "    if len(calls) == 2:\n"
        "        print('writing', file=sys.stderr, flush=True); sys.stdin.read()\n"
        "    return predict(self, table, *more, **named)\n"
        "TableModel.predict_read = slowly\n"
        "from chainrule.cli.app import app; app()"
    )
    process = subprocess.Popen(
        [sys.executable, "-c", slow, "predict", regression[1], tmp_path / "table.csv", "-o", out],
        stdin=subprocess.PIPE,  # closed by communicate
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        assert process.stderr.readline() == "writing\n"
        assert len(list(tmp_path.iterdir())) == 3
        process.send_signal(number)
        _, errors = process.communicate(timeout=60)
    finally:
        process.kill()
    assert process.returncode == code
    assert "Traceback" not in errors
    assert sorted(path.name for path in tmp_path.iterdir()) == [out.name, "table.csv"]
    assert out.read_text(encoding="utf-8") == "old"


@pytest.mark.usefixtures("interrupts_reach_children")
@pytest.mark.parametrize(
    ("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143), (signal.SIGHUP, 129)]
)
@pytest.mark.parametrize(
    "place", ["chainrule.cli.limits", "chainrule.cli.app", "typer", "chainrule.tables.reader"]
)
def test_a_signal_while_the_program_loads_is_answered_in_a_sentence(
    sent_to_itself, number, code, place, wdbc
):
    result = sent_to_itself(number, place, "train", wdbc, "--target", "diagnosis")
    assert (result.returncode, result.stderr) == (code, "chainrule: interrupted\n")


@pytest.mark.usefixtures("interrupts_reach_children")
def test_ctrl_c_in_a_text_that_python_runs_is_answered_as_any_other(sent_to_itself, model, wdbc):
    # CPython would remember it, and end itself by SIGINT.
    place = "chainrule.model.table_model:TableModel.predict_read"
    text = "def send(): exec('import os, signal; os.kill(os.getpid(), signal.SIGINT); [] + []')"
    result = sent_to_itself(signal.SIGINT, place, "predict", model, wdbc, before=text)
    assert (result.returncode, result.stderr) == (130, "chainrule: interrupted\n")


@pytest.mark.usefixtures("interrupts_reach_children")
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
@pytest.mark.parametrize("when", ["early", "late"])
def test_a_signal_after_the_work_is_done_changes_nothing(sent_to_itself, number, when):
    # Functions that were registered first are called last.
    early = "import atexit; atexit.register(send)"
    late = "import chainrule.cli.limits as one, atexit; found = one.fit_to_limits\n"
    late += "one.fit_to_limits = lambda _: atexit.register(send)"
    before = late if when == "early" else early
    result = sent_to_itself(number, "nowhere", "--version", before=before)
    assert (result.returncode, result.stderr) == (0, "")
    assert result.stdout == f"chainrule {cr.__version__}\n"


@pytest.mark.usefixtures("interrupts_reach_children")
@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
@pytest.mark.parametrize(
    ("place", "said", "files"),
    [
        ("chainrule.runs.plan:Description.network", "", []),
        (
            "chainrule.runs.plan:Description.calibrated",
            "the model of epoch",
            ["history.csv", "model.safetensors", "run.toml"],
        ),
        (
            "chainrule.runs.run:Run.write_to",
            "the run is complete in run, but has no report",
            [
                "history.csv",
                "metrics.json",
                "model.safetensors",
                "run.toml",
                "test_predictions.csv",
            ],
        ),
        (
            "chainrule.runs.run:write_predictions",
            "the run is complete in run, but has no report",
            [
                "history.csv",
                "metrics.json",
                "model.safetensors",
                "run.toml",
                "test_predictions.csv",
            ],
        ),
        (
            "chainrule.cli.messages:TellPeople.finished",
            "the run is complete in run",
            sorted([*COMPLETE, "report.html"]),
        ),
    ],
)
def test_an_interrupted_run_says_what_there_is(
    sent_to_itself, wdbc, tmp_path, number, code, place, said, files
):
    arguments = ["train", wdbc, "--target", "diagnosis", "--epochs", 2, "--out", "run"]
    result = sent_to_itself(number, place, *arguments)
    assert result.returncode == code, result.stderr
    last = result.stderr.splitlines()[-1]
    assert last.startswith(f"chainrule: interrupted; {said}" if said else "chainrule: interrupted")
    assert "Traceback" not in result.stderr
    folder = tmp_path / "run"
    assert sorted(path.name for path in folder.glob("*")) == files
    assert folder.is_dir() == bool(files)  # a folder that would be empty is not left


@pytest.mark.usefixtures("interrupts_reach_children")
def test_an_interrupted_report_leaves_a_run_and_says_so(sent_to_itself, wdbc, tmp_path):
    run_folder = tmp_path / "run"
    arguments = ["train", wdbc, "--target", "diagnosis", "--epochs", 2, "--out", run_folder]
    ended = sent_to_itself(signal.SIGINT, "chainrule.runs.run:Run.report", *arguments)
    assert ended.returncode == 130
    assert f"interrupted; the run is complete in {run_folder}, but has no report" in ended.stderr
    assert not (run_folder / "report.html").exists()
    assert cr.load(run_folder).details["scores"]["test"]
