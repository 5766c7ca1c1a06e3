"""Runs the tests under the settings of other machines, one after the other: `make odd`.

    python -m tests.odd [--only NAME ...] [--list] [--workers N] [TESTS ...]

Without TESTS, each setting runs those that can notice it. What pytest printed is in build/odd, in a
file for each setting.
Settings that this machine cannot make are skipped with the reason.
"""

import argparse
import os
import re
import shutil
import subprocess
import sys
import sysconfig
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

ROOT = Path(__file__).parents[1]
LOGS = ROOT / "build" / "odd"
NOBODY = 65534

EDGES = (
    *("tests/cli", "tests/files", "tests/runs", "tests/tables", "tests/report", "tests/exports"),
    *("tests/training", "tests/test_public_names.py", "tests/docs", "tests/test_packaging.py"),
)
NUMBERS = (
    *("tests/engines", "tests/determinism", "tests/model", "tests/crash", "tests/network"),
    *("tests/equations", "tests/inspection", "tests/assessment", "tests/test_learning.py"),
)
EVERYTHING = ("tests",)
ESTIMATORS = ("tests/estimators",)


@dataclass(frozen=True)
class Setting:
    """One odd machine."""

    name: str
    tests: tuple[str, ...]
    environment: dict[str, str | None] = field(default_factory=dict)
    """Variables to set, and with None those to take away."""
    before: tuple[str, ...] = ()
    """What the command begins with."""
    workers: int | None = None
    prepare: Callable[[], tuple[Path, Path]] | None = None
    """Returns the tree to run in and its Python; by default this tree and this Python."""


class CannotBeMadeError(Exception):
    """This machine has not got what the setting takes."""


def settings() -> list[Setting]:
    """Return every odd machine."""
    return [
        *_instruction_sets(),
        Setting("no compiled core", (*NUMBERS, *EDGES), {"CHAINRULE_PURE": "1"}),
        Setting(
            "one core",
            (*NUMBERS, "tests/cli", "tests/exports"),
            before=("taskset", "-c", str(min(os.sched_getaffinity(0)))),
            workers=0,
        ),
        Setting(
            "other BLAS kernels",
            (*NUMBERS, *ESTIMATORS),
            {"OPENBLAS_CORETYPE": "Prescott", "NPY_DISABLE_CPU_FEATURES": _numpy_features()},
        ),
        Setting(
            "threads from the environment",
            (*NUMBERS, "tests/cli"),
            {"CHAINRULE_THREADS": "3", "OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "3"},
        ),
        Setting(
            "C locale",
            (*EDGES, "tests/crash", "tests/model"),
            {
                "LC_ALL": "C",
                "LANG": "C",
                "PYTHONUTF8": "0",
                "PYTHONCOERCECLOCALE": "0",
                "PYTHONIOENCODING": None,
            },
        ),
        Setting(
            "no HOME",
            EDGES,
            dict.fromkeys(("HOME", "USER", "LOGNAME", "XDG_CACHE_HOME", "XDG_CONFIG_HOME")),
        ),
        Setting("narrow terminal", EDGES, {"COLUMNS": "40", "LINES": "5", "TERM": "dumb"}),
        Setting(
            "colours forced",
            EDGES,
            {"FORCE_COLOR": "1", "CLICOLOR_FORCE": "1", "PY_COLORS": "1", "TERM": "xterm-256color"},
        ),
        Setting("no terminal at all", EDGES, {"TERM": None, "NO_COLOR": "1"}),
        Setting("the date line", EDGES, {"TZ": "Pacific/Kiritimati"}),
        Setting(
            "Python's variables",
            (*EDGES, "tests/crash", "tests/determinism"),
            {
                "PYTHONHASHSEED": "7",
                "PYTHONUNBUFFERED": "1",
                "PYTHONDONTWRITEBYTECODE": "1",
                "PYTHONSAFEPATH": "1",
                "PYTHONWARNINGS": "default",
                "PYTHONNOUSERSITE": "1",
            },
        ),
        Setting("umask 077", EDGES, before=("sh", "-c", 'umask 077; exec "$@"', "sh")),
        Setting("few open files", EDGES, before=("sh", "-c", 'ulimit -n 128; exec "$@"', "sh")),
        Setting("no compiler", EDGES, {"PATH": str(Path(sys.executable).parent), "CC": None}),
        Setting("a strange TMPDIR", (*EDGES, "tests/crash"), {"TMPDIR": str(_strange_folder())}),
        Setting("ordinary user", (*EDGES, "tests/crash", "tests/model"), **_ordinary_user()),
        *(_python(minor) for minor in range(11, 15)),
    ]


def _instruction_sets() -> list[Setting]:
    from chainrule.engines import extension

    sets = extension.native.cpu_info()["instruction_sets"] if extension.native else []
    return [Setting(f"CHAINRULE_ISA={name}", NUMBERS, {"CHAINRULE_ISA": name}) for name in sets]


def _numpy_features() -> str:
    """Return what NumPy may be told not to use, of what it finds here."""
    from numpy._core._multiarray_umath import __cpu_dispatch__, __cpu_features__  # type: ignore[import-not-found]

    return " ".join(name for name in __cpu_dispatch__ if __cpu_features__.get(name))


def _strange_folder() -> Path:
    return Path(tempfile.gettempdir()) / f"chainrule odd {os.getpid()} — 'ü'"


def _ordinary_user() -> dict[str, object]:
    """Run as nobody, in a copy of the tree that nobody may read and nobody's own folders."""

    def prepare() -> tuple[Path, Path]:
        if os.geteuid() != 0:
            raise CannotBeMadeError("you are an ordinary user already")
        if shutil.which("setpriv") is None:
            raise CannotBeMadeError("there is no setpriv")
        tree = Path(tempfile.mkdtemp(prefix="chainrule-odd-"))
        shutil.copytree(
            ROOT,
            tree,
            dirs_exist_ok=True,
            ignore=shutil.ignore_patterns(".venv", ".git", "build", "_build", "__pycache__"),
        )
        for path in (tree, *tree.rglob("*")):
            os.chown(path, NOBODY, NOBODY, follow_symlinks=False)
        # A child too: the first process may be started with rights that it has no more.
        child = (
            "import subprocess, sys\n"
            "subprocess.run([sys.executable, '-c', 'import chainrule, numpy'], check=True)"
        )
        version = f"python{sys.version_info[0]}.{sys.version_info[1]}"
        for folder in ("", *os.get_exec_path()):
            python = Path(folder) / version if folder else Path(sys.executable)
            if not python.exists():
                continue
            probe = [*_AS_NOBODY, str(python), "-c", child]
            given = {**os.environ, **environment}
            if subprocess.run(probe, cwd=tree, env=given, capture_output=True).returncode == 0:
                return tree, python
        shutil.rmtree(tree)
        raise CannotBeMadeError(f"nobody may not run {sys.executable}")

    # Another Python of this version, where nobody may not run this one, finds the packages here.
    packages = sysconfig.get_path("purelib")
    environment = {"HOME": "/nonexistent", "PYTHONPATH": packages}
    return {"prepare": prepare, "before": _AS_NOBODY, "environment": environment}


_AS_NOBODY = (
    *("setpriv", f"--reuid={NOBODY}", f"--regid={NOBODY}", "--clear-groups"),
    *("--inh-caps=-all", "--bounding-set=-all"),
)


def _python(minor: int) -> Setting:
    def prepare() -> tuple[Path, Path]:
        if sys.version_info[:2] == (3, minor):
            raise CannotBeMadeError("this is the Python of `make test`")
        found = shutil.which(f"python3.{minor}")
        works = found and subprocess.run([found, "-c", ""], capture_output=True).returncode == 0
        if not works:
            raise CannotBeMadeError(f"there is no python3.{minor} on PATH")
        folder = LOGS / f"python3.{minor}"
        python = folder / "bin" / "python"
        if not (folder / "installed").exists():
            install = [python, "-m", "pip", "install", "--quiet"]
            for command in (
                [found, "-m", "venv", "--clear", folder],
                [*install, "--require-hashes", "-r", ROOT / "requirements" / "dev.lock"],
                [*install, "--no-deps", ROOT],
            ):
                done = subprocess.run(command, capture_output=True, text=True)
                if done.returncode:
                    raise CannotBeMadeError(done.stderr.strip().splitlines()[-1])
            (folder / "installed").touch()
        return ROOT, python

    return Setting(f"Python 3.{minor}", EVERYTHING, prepare=prepare)


def run(setting: Setting, tests: list[str], workers: int) -> tuple[bool, str]:
    """Run the tests under one setting: whether they passed, and what pytest says last."""
    try:
        tree, python = setting.prepare() if setting.prepare else (ROOT, Path(sys.executable))
    except CannotBeMadeError as reason:
        return True, f"skipped: {reason}"
    if setting.before and shutil.which(setting.before[0]) is None:
        return True, f"skipped: there is no {setting.before[0]}"
    environment = dict(os.environ)
    for name, value in setting.environment.items():
        environment.pop(name, None)
        if value is not None:
            environment[name] = value
    if "TMPDIR" in setting.environment:
        Path(environment["TMPDIR"]).mkdir(exist_ok=True)
    count = workers if setting.workers is None else setting.workers
    command = [*setting.before, str(python), "-m", "pytest", "-q", "-n", str(count)]
    log = LOGS / f"{re.sub(r'[^A-Za-z0-9_.=]+', '-', setting.name)}.txt"
    with log.open("wb") as file:
        done = subprocess.run(
            [*command, "-p", "no:cacheprovider", *(tests or setting.tests)],
            cwd=tree,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=file,
            stderr=subprocess.STDOUT,
        )
    if "TMPDIR" in setting.environment:
        shutil.rmtree(environment["TMPDIR"], ignore_errors=True)
    if tree != ROOT:
        shutil.rmtree(tree, ignore_errors=True)
    lines = log.read_text(encoding="utf-8", errors="replace").strip().splitlines() or ["nothing"]
    return done.returncode == 0, re.sub(r"\x1b\[[0-9;]*m", "", lines[-1]).strip("= ")


def main() -> int:
    """Run from the command line."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("tests", nargs="*", help="files and folders of tests")
    parser.add_argument("--only", action="append", help="this setting alone; may be repeated")
    parser.add_argument("--list", action="store_true", help="print the settings and end")
    parser.add_argument("--workers", type=int, default=2, help="processes of pytest")
    arguments = parser.parse_args()
    chosen = [s for s in settings() if not arguments.only or s.name in arguments.only]
    if unknown := {*(arguments.only or ())} - {setting.name for setting in chosen}:
        parser.error(f"--only: no setting is called {', '.join(sorted(unknown))}; see --list")
    if arguments.list:
        print(*(setting.name for setting in chosen), sep="\n")
        return 0
    LOGS.mkdir(parents=True, exist_ok=True)
    failures = 0
    width = max(len(setting.name) for setting in chosen)
    for setting in chosen:
        started = time.perf_counter()
        passed, said = run(setting, arguments.tests, arguments.workers)
        failures += not passed
        seconds = time.perf_counter() - started
        mark = "ok    " if passed else "FAILED"
        print(f"{setting.name:{width}}  {mark}  {seconds:5.0f} s  {said}", flush=True)
    return int(failures > 0)


if __name__ == "__main__":
    sys.exit(main())
