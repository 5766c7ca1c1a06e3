"""Names that would steer a terminal, in every place that a stranger can write to."""

import ast
import io
import json
import os
import sys
import unicodedata
from pathlib import Path

import polars as pl
import pytest
from typer.testing import CliRunner

import chainrule as cr
import chainrule.cli
from chainrule.cli import streams
from chainrule.cli.app import app
from chainrule.cli.screen import Screen

# A title, a cleared screen, C1, a bidirectional override, a zero-width space, three more ends of
# lines, markup of rich, a code of an emoji, and a line that the program never said.
EVIL = "\x1b]0;owned\x07\x1b[2J\x9b31m\u202e\u200b\u2028\x85\r[red]x[link=u]:smile:\nforged"
SEEN = r"\x1b]0;owned\x07\x1b[2J\x9b31m\u202e\u200b\u2028\x85\r[red]x[link=u]:smile:\nforged"

pytestmark = pytest.mark.skipif(os.name == "nt", reason="files cannot have such names")


def steering(text):
    """The characters of a text that steer who shows it."""
    return {one for one in text if unicodedata.category(one) in ("Cc", "Cf", "Cs", "Zl", "Zp")}


@pytest.fixture(autouse=True)
def wide(monkeypatch):
    monkeypatch.setenv("COLUMNS", "1000")


def run(*arguments, code=0):
    """Run a command, look at the raw bytes of both streams, and return them as text."""
    result = CliRunner().invoke(app, [str(argument) for argument in arguments])
    if not isinstance(result.exception, SystemExit | None):
        raise result.exception
    assert result.exit_code == code, result.stderr
    for raw in (result.stdout_bytes, result.stderr_bytes):
        text = raw.decode("utf-8")
        assert steering(text) <= {"\n"}
        assert not any(line.startswith("forged") for line in text.split("\n"))
    return result.stdout_bytes.decode(), result.stderr_bytes.decode()


def table(folder, target):
    path = folder / f"table{EVIL}.csv"
    rows = range(60)
    frame = pl.DataFrame(
        {
            f"number{EVIL}": [row * 7 % 13 for row in rows],
            f"kind{EVIL}": [f"k{row % 3}{EVIL}" for row in rows],
            f"same{EVIL}": [f"c{EVIL}" for _ in rows],
            f"target{EVIL}": [target(row) for row in rows],
        }
    )
    frame.write_csv(path)
    return path


def trained(folder, target):
    folder = folder / f"folder{EVIL}"
    folder.mkdir()
    path = table(folder, target)
    arguments = ("train", path, "--target", f"target{EVIL}", "--epochs", 2, "--out", folder / "run")
    return path, folder / "run", arguments


@pytest.fixture(scope="module")
def classes(tmp_path_factory):
    path, folder, arguments = trained(
        tmp_path_factory.mktemp("classes"), lambda row: f"class{row % 2}{EVIL}"
    )
    told = run(*arguments)
    return path, folder, told


@pytest.fixture(scope="module")
def values(tmp_path_factory):
    path, folder, arguments = trained(tmp_path_factory.mktemp("values"), lambda row: row / 7)
    run(*arguments, "--no-report")
    return path, folder


def test_train_shows_names_and_does_not_obey_them(classes):
    out, _ = classes[2]
    for name in ("table", "target", "same", "class0", "folder"):
        assert f"{name}{SEEN}" in out


def test_train_tells_machines_in_escapes_of_json(classes, tmp_path):
    path = classes[0]
    out, _ = run(
        *("train", path, "--target", f"target{EVIL}", "--epochs", 1, "--json", "--no-report"),
        *("--out", tmp_path / EVIL),
    )
    events = [json.loads(line) for line in out.splitlines()]
    assert events[0]["config"]["data"]["target"] == f"target{EVIL}"
    assert r"\u009b" in out
    assert f"{EVIL}" in events[-1]["files"][0]


def test_a_search_shows_names_and_does_not_obey_them(classes, tmp_path):
    out, _ = run(
        *("train", classes[0], "--target", f"target{EVIL}", "--epochs", 1, "--search", 2),
        *("--no-report", "--out", tmp_path / f"search{EVIL}"),
    )
    assert f"search{SEEN}" in out


def test_the_files_of_a_run_do_not_obey_names(classes):
    _, folder, _ = classes
    for name in ("report.html", "run.toml", "metrics.json"):
        assert steering((folder / name).read_text(encoding="utf-8")) <= {"\n", "\t"}


@pytest.mark.parametrize("command", ["info", "evaluate", "importance", "check", "explain", "trace"])
@pytest.mark.parametrize("kind", ["classes", "values"])
def test_commands_on_a_model_show_names_and_do_not_obey_them(kind, command, request):
    path, folder, *_ = request.getfixturevalue(kind)
    row = (path, "--row", 1)
    arguments = {"info": (), "explain": row, "trace": row}.get(command, (path,))
    out, err = run(command, folder / "model.safetensors", *arguments)
    if command != "check":
        # An explanation has 80 columns, and cuts long names.
        assert (SEEN[:13] if command == "explain" else SEEN) in out + err


@pytest.mark.parametrize("command", ["info", "evaluate", "importance"])
def test_commands_tell_machines_in_escapes_of_json(classes, command):
    path, folder, _ = classes
    arguments = () if command == "info" else (path,)
    out, _ = run(command, folder / "model.safetensors", *arguments, "--json")
    assert any(EVIL in text for text in map(str, walk(json.loads(out))))
    assert r"\u009b" in out


def walk(value):
    if isinstance(value, dict):
        for key, each in value.items():
            yield key
            yield from walk(each)
    elif isinstance(value, list):
        for each in value:
            yield from walk(each)
    else:
        yield value


def test_predict_says_where_it_wrote_and_changes_no_value(classes, tmp_path):
    path, folder, _ = classes
    written = tmp_path / f"out{EVIL}.csv"
    model = folder / "model.safetensors"
    out, _ = run("predict", model, path, "-o", written, "--keep", f"kind{EVIL}")
    assert out == f"60 predictions written to {tmp_path}/out{SEEN}.csv\n"
    frame = pl.read_csv(written.read_bytes())  # polars has patterns in names
    assert frame[f"kind{EVIL}"][0] == f"k0{EVIL}"
    printed = CliRunner().invoke(app, ["predict", str(model), str(path), "--keep", f"kind{EVIL}"])
    assert printed.stdout_bytes == written.read_bytes()


@pytest.mark.parametrize("ending", ["html", "json", "txt"])
def test_the_pages_of_explain_do_not_obey_names(classes, tmp_path, ending):
    path, folder, _ = classes
    page = tmp_path / f"{EVIL}.{ending}"
    out, _ = run("explain", folder / "model.safetensors", path, "--row", 2, "-o", page)
    assert out == f"Explanation written to {tmp_path}/{SEEN}.{ending}\n"
    assert steering(page.read_text(encoding="utf-8")) <= {"\n", "\t"}


def test_the_pages_of_trace_do_not_obey_names(classes, tmp_path):
    path, folder, _ = classes
    html, latex = tmp_path / f"{EVIL}.html", tmp_path / f"{EVIL}.tex"
    arguments = ("--row", 2, "--html", html, "--latex", latex)
    out, _ = run("trace", folder / "model.safetensors", path, *arguments)
    assert f"Page written to {tmp_path}/{SEEN}.html" in out
    for page in (html, latex):
        assert steering(page.read_text(encoding="utf-8")) <= {"\n", "\t"}


@pytest.mark.parametrize("ending", ["c", "py", "npz", "safetensors"])
def test_export_says_where_it_wrote(classes, tmp_path, ending):
    written = tmp_path / f"out{EVIL}.{ending}"
    out, _ = run("export", classes[1] / "model.safetensors", written)
    assert f"out{SEEN}.{ending}" in out


def test_what_a_file_tells_of_its_model_is_shown(classes, tmp_path):
    model = cr.load(classes[1] / "model.safetensors")
    part = {"rows": 1.0, EVIL: 0.5}
    model.details.update(
        command=EVIL, rows={EVIL: EVIL}, scores={EVIL: part}, versions={EVIL: EVIL}
    )
    model.save(tmp_path / "model.safetensors")
    out, _ = run("info", tmp_path / "model.safetensors")
    assert out.count(f"owned{SEEN.partition('owned')[2]}") > 8
    run("info", tmp_path / "model.safetensors", "--json")


def mistakes(path, model, folder):
    yield "train", folder / f"none{EVIL}.csv", "--target", "y"
    yield "train", path, "--target", f"none{EVIL}"
    yield "train", path, "--target", f"target{EVIL}", "--ignore", f"none{EVIL}"
    yield "train", path, "--target", f"target{EVIL}", f"--none{EVIL}"
    yield "train", path, "--target", f"target{EVIL}", "--epochs", EVIL
    yield "train", path, "--target", f"target{EVIL}", "--optimizer", EVIL
    yield "train", path, "--target", f"target{EVIL}", "--layers", EVIL
    yield "train", "--config", folder / f"run{EVIL}.toml"
    yield "train", path, "--target", f"target{EVIL}", "--out", path
    yield "resume", folder / EVIL
    yield "predict", folder / f"none{EVIL}", path
    yield "predict", path, path
    yield "predict", model, folder / f"none{EVIL}.csv"
    yield "predict", model, folder / f"other{EVIL}.csv"
    yield "predict", model, path, "--keep", f"none{EVIL}"
    yield "predict", model, path, "-o", folder / EVIL / "out.csv"
    yield "predict", model, path, "-o", f"out{EVIL}"
    yield "predict", model, path, "-o", path
    yield "evaluate", model, folder / f"other{EVIL}.csv"
    yield "trace", model, path, "--row", 1, "--optimizer", EVIL
    yield "trace", model, path, "--row", 1000
    yield "explain", model, path, "--row", EVIL
    yield "explain", model, path, "--row", 1, "--class", EVIL
    yield "explain", model, path, "--row", 1, "--method", EVIL
    yield "explain", model, path, "--row", 1, "--format", EVIL
    yield "explain", model, path, "--row", 1000
    yield "explain", model, folder / f"other{EVIL}.csv", "--row", 1
    yield "importance", model, path, "--metric", EVIL
    yield "check", model, path, "--engine", EVIL
    yield "check", model, folder / f"other{EVIL}.csv"
    yield "export", model, folder / f"out{EVIL}"
    yield "export", model, folder / "out.c", "--name", EVIL
    yield "info", folder / f"none{EVIL}"
    yield "info", folder / f"header{EVIL}"
    yield (f"command{EVIL}",)


def test_every_mistake_is_one_line_that_obeys_nothing(classes, tmp_path):
    path, folder, _ = classes
    pl.DataFrame({f"other{EVIL}": [EVIL, "1"]}).write_csv(tmp_path / f"other{EVIL}.csv")
    (tmp_path / f"run{EVIL}.toml").write_text(f"[{json.dumps(EVIL)}]\n", encoding="utf-8")
    header = json.dumps({EVIL: {"dtype": EVIL, "shape": [1], "data_offsets": [0, 4]}}).encode()
    (tmp_path / f"header{EVIL}").write_bytes(len(header).to_bytes(8, "little") + header + bytes(4))
    for arguments in mistakes(path, folder / "model.safetensors", tmp_path):
        _, err = run(*arguments, code=2)
        assert err.startswith("chainrule: "), arguments
        assert err.count("\n") == 1, arguments


def test_warnings_and_tracebacks_pass_through_the_same_edge(monkeypatch):
    for name in ("stdout", "stderr"):
        monkeypatch.setattr(sys, name, io.TextIOWrapper(io.BytesIO(), "utf-8"))
    streams.prepare_streams()
    beneath = sys.stderr.buffer
    sys.stderr.write(f"two\nlines {EVIL}")
    sys.stderr.writelines(["\x9b", "\n"])
    sys.stderr.flush()
    text = beneath.getvalue().decode()
    assert steering(text) == {"\n"}
    assert text.startswith("two\nlines \\x1b]0;owned")
    streams.prepare_streams(machines=True)  # a second time, in the same process
    sys.stdout.write('{"a": "\x9b\U000e0041\x7f"}\n')
    sys.stdout.flush()
    assert sys.stdout.buffer.getvalue() == b'{"a": "\\u009b\\udb40\\udc41\\u007f"}\n'


@pytest.mark.parametrize("encoding", ["ascii", "latin-1"])
def test_every_command_keeps_to_the_encoding_of_its_stream(classes, encoding, monkeypatch):
    path, folder, _ = classes
    raw = io.BytesIO()
    monkeypatch.setattr(sys, "stdout", io.TextIOWrapper(raw, encoding))
    with pytest.raises(SystemExit):
        app(["explain", str(folder / "model.safetensors"), str(path), "--row", "1"])
    sys.stdout.flush()
    assert not steering(raw.getvalue().decode(encoding)) - {"\n"}
    assert b"|####" in raw.getvalue()


def test_a_screen_keeps_its_own_sequences_and_escapes_names(monkeypatch):
    file = io.StringIO()
    monkeypatch.setenv("TERM", "xterm")
    screen = Screen()
    monkeypatch.setattr(file, "isatty", lambda: True, raising=False)
    screen.file = file
    screen.print(f"{EVIL}[/red]", soft_wrap=True)
    screen.show_cursor(False)
    assert file.getvalue() == f"{SEEN}[/red]\n\x1b[?25l"


def test_the_live_displays_of_a_terminal_obey_no_names(classes, tmp_path):
    pty = pytest.importorskip("pty")
    import subprocess

    main, terminal = pty.openpty()
    path = classes[0]
    process = subprocess.Popen(
        [
            *(sys.executable, "-m", "chainrule", "train", str(path), "--target", f"target{EVIL}"),
            *("--epochs", "3", "--no-report", "--out", str(tmp_path / EVIL)),
        ],
        stdout=terminal,
        stderr=terminal,
        env=os.environ | {"TERM": "xterm-256color"},
    )
    os.close(terminal)
    pieces = []
    while True:
        try:
            piece = os.read(main, 65536)
        except OSError:  # how Linux tells that the other end is closed
            break
        if not piece:
            break
        pieces.append(piece)
    os.close(main)
    assert process.wait() == 0
    shown = b"".join(pieces)
    assert b"\x1b[" in shown  # the display's own
    for sequence in ("\x1b]", "\x1b[2J", "\x9b", "\u202e", "\u200b", "\u2028", "\x85", "\x07"):
        assert sequence.encode() not in shown
    assert SEEN.partition(r"\x9b")[0].encode() in shown


def test_nothing_in_the_command_line_prints_past_the_edge():
    folder = Path(chainrule.cli.__file__).parent
    for path in folder.glob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and path.name != "streams.py":
                place = f"{path.name}:{node.lineno}"
                called = ast.unparse(node.func)
                assert called.rpartition(".")[2] not in ("echo", "secho", "Console"), place
                # The help has styles of its own, and no stranger's words.
                assert called != "print" or ast.unparse(node.args[0]) == "context.get_help()", place
