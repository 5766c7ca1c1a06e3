"""README: every command, in order, in a fresh shell; every block of Python."""

import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
TEXT = (ROOT / "README.md").read_text(encoding="utf-8")
MAKEFILE = (ROOT / "Makefile").read_text(encoding="utf-8")

# A search of 50 trials takes minutes, and other trainings take some seconds each.
SHORTER = {
    "--out demo --overwrite": "--out demo --overwrite --epochs 10",
    "--search 50 --time-limit 5m": "--search 2 --time-limit 1m --epochs 4",
    "--quality best": "--quality best --layers 16,8 --epochs 4",
}

# A page is served until it is ended: here as soon as its address is printed.
SERVED = """{line} --no-browser > page.txt &
until grep -q 'http://127.0.0.1' page.txt; do kill -0 $!; sleep 0.1; done
kill $!
wait $! || true
"""


def blocks(language):
    return re.findall(rf"^```{language}\n(.*?)^```$", TEXT, re.MULTILINE | re.DOTALL)


def commands():
    """Return the lines of README's shell blocks without comments, in order."""
    lines = (
        line.partition(" #")[0].strip() for block in blocks("sh") for line in block.split("\n")
    )
    return [line for line in lines if line]


@pytest.fixture
def folder(tmp_path):
    """A folder with what the documented install leaves: the examples, and .venv."""
    (tmp_path / "examples").mkdir()
    shutil.copy(ROOT / "examples" / "wdbc.csv", tmp_path / "examples")
    (tmp_path / ".venv").symlink_to(sys.prefix)
    return tmp_path


def test_every_command_works_in_order_in_a_fresh_shell(folder):
    if not Path(sys.prefix, "bin", "activate").exists():
        pytest.skip("not in a virtual environment")
    script = "set -e\n"
    for line in commands():
        if line.startswith(("make ", "pip install")):
            continue
        for long, short in SHORTER.items():
            line = line.replace(long, short)
        if line.startswith("chainrule play"):
            line = SERVED.format(line=line)
        # `make demo` has written demo/, and README says that this is its command.
        script += f"echo '$ {line.splitlines()[0]}' >&2\n{line}\n"
    # Not a setting of this shell but these: the command is found by what README says.
    run = subprocess.run(
        ["/bin/sh", "-c", script], cwd=folder, capture_output=True, text=True,
        env={"PATH": "/usr/bin:/bin", "HOME": str(folder), "LANG": "C.UTF-8"},
    )  # fmt: skip
    assert run.returncode == 0, run.stderr[-3000:]
    for name in ("predictions.csv", "model.c", "model.onnx", "demo/report.html", "found/run.toml"):
        assert (folder / name).stat().st_size > 0
    again, demo = (folder / name / "model.safetensors" for name in ("again", "demo"))
    assert again.read_bytes() == demo.read_bytes()


def test_the_blocks_of_python_run_in_order(folder):
    program = "\n".join(blocks("python"))
    run = subprocess.run(
        [sys.executable, "-W", "error::UserWarning", "-c", program],
        cwd=folder, capture_output=True, text=True,
    )  # fmt: skip
    assert run.returncode == 0, run.stderr[-3000:]
    assert (folder / "model.safetensors").exists()
    assert (folder / "found_by_python" / "report.html").exists()


def test_every_target_of_make_exists():
    targets = [line.split()[1] for line in commands() if line.startswith("make ")]
    targets += re.findall(r"`make (\w+)`", TEXT)
    assert targets
    for target in targets:
        assert re.search(rf"^{target}:", MAKEFILE, re.MULTILINE), target


def test_everything_that_is_shown_is_in_the_plain_install():
    assert not [line for line in commands() if line.startswith("pip install") and "[" in line]


def test_make_demo_runs_and_names_the_commands_of_the_readme():
    demo = MAKEFILE[MAKEFILE.index("\ndemo:") :].split("\n\n")[0]
    known = set(commands())
    shown = [line.replace("$(BIN)/", "") for line in re.findall(r"'  (\$\(BIN\)/.*?)'", demo)]
    assert len(shown) >= 3
    for line in shown:
        assert line in known, line
    (first,) = re.findall(r"^\t\$\(BIN\)/(chainrule train .*)$", demo, re.MULTILINE)
    assert first in known
