"""What a newcomer types next: the lines that `make demo` and the hints print, as they stand."""

import os
import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]


def demo_lines():
    """Return the commands that the demo prints at its end."""
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    recipe = makefile[makefile.index("\ndemo:") :].split("\n\n", 1)[0]
    return re.findall(r"'  \$\(BIN\)/chainrule (.*)'", recipe)


def test_the_demo_s_commands_work(chainrule, trained, wdbc, tmp_path, monkeypatch):
    shutil.copytree(trained[1], tmp_path / "demo")
    (tmp_path / "examples").mkdir()
    shutil.copy(wdbc, tmp_path / "examples")
    monkeypatch.chdir(tmp_path)
    config = Path("demo/run.toml")
    config.write_text(config.read_text().replace(str(wdbc), "examples/wdbc.csv"))
    lines = demo_lines()
    assert {line.split()[0] for line in lines} == {
        "play",
        "predict",
        "explain",
        "trace",
        "drift",
        "export",
        "train",
    }
    for line in lines:
        if not line.startswith("play "):  # served until it is ended: tests/docs/test_readme.py
            assert chainrule(*shlex.split(line)).code == 0, line
    assert Path("predictions.csv").is_file()
    assert Path("again/model.safetensors").is_file()


def test_a_hint_works_where_the_program_was_started_by_its_path(tmp_path):
    script = tmp_path / "my tools" / "chainrule"
    script.parent.mkdir()
    script.write_text(f"#!{sys.executable}\nfrom chainrule.cli import main\nmain()\n")
    script.chmod(0o755)
    environment = {**os.environ, "PATH": "/usr/bin:/bin"}
    result = subprocess.run(
        [script, "train"], capture_output=True, text=True, env=environment, timeout=120
    )
    hint = re.search(r"\(see (.*)\)", result.stderr)[1]
    again = subprocess.run(
        ["/bin/sh", "-c", hint], capture_output=True, text=True, env=environment, timeout=120
    )
    assert again.returncode == 0
    assert "Usage" in again.stdout


def test_spaces_in_a_hint_s_path_are_kept(chainrule, tmp_path):
    folder = tmp_path / "a  b"
    folder.mkdir()
    (folder / "x").write_text("")
    sentence = chainrule("info", folder / "x").sentence
    assert str(folder / "x") in sentence
