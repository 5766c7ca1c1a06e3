"""The build: with a compiler, without one, and with one that fails."""

import json
import os
import re
import shutil
import subprocess
import sys
import tomllib
import zipfile
from importlib.metadata import version
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).parents[1]


@pytest.fixture
def source(tmp_path: Path) -> Path:
    """Return a copy of what the build reads, so that it writes nothing into the checkout."""
    copy = tmp_path / "source"
    ignored = shutil.ignore_patterns("__pycache__", "*.so")
    for name in ("src", "native"):
        shutil.copytree(ROOT / name, copy / name, ignore=ignored)
    for name in ("pyproject.toml", "CMakeLists.txt", "README.md", "LICENSE"):
        shutil.copy(ROOT / name, copy / name)
    return copy


def build_wheel(source: Path, **environment: str) -> subprocess.CompletedProcess[str]:
    # The build tools are in the test environment: no isolation, so no download.
    path = os.pathsep.join((str(Path(sys.executable).parent), os.environ["PATH"]))
    command = [sys.executable, "-m", "pip", "wheel", "--no-deps", "--no-build-isolation"]
    return subprocess.run(
        [*command, "--wheel-dir", str(source / "wheels"), str(source)],
        env=os.environ | {"PATH": path} | environment,
        capture_output=True,
        text=True,
        check=False,
    )


def test_pure_build_needs_no_compiler_and_makes_a_wheel_for_every_machine(source: Path) -> None:
    result = build_wheel(source, CHAINRULE_PURE="1", CXX="/bin/false", CC="/bin/false")
    assert result.returncode == 0, result.stderr
    (wheel,) = (source / "wheels").glob("*.whl")
    assert wheel.name.endswith("-py3-none-any.whl")
    names = zipfile.ZipFile(wheel).namelist()
    assert "chainrule/py.typed" in names
    assert not [name for name in names if "_native" in name and not name.endswith(".pyi")]
    # Not only the modules: the playground's built page, its lessons, the report's styles.
    sources = [path for path in (source / "src").rglob("*") if path.is_file()]
    assert {path.relative_to(source / "src").as_posix() for path in sources} <= set(names)


@pytest.mark.skipif("CHAINRULE_PURE" in os.environ, reason="a pure installation has no extension")
def test_an_archive_of_the_sources_has_all_that_a_build_needs(source: Path) -> None:
    # It comes without tests; so does this copy. To configure it is enough, and takes no minutes.
    tools = Path(sys.executable).parent
    nanobind = run_python("-m", "nanobind", "--cmake_dir").stdout.strip()
    command = [tools / "cmake", "-S", source, "-B", source / "build", "-G", "Ninja"]
    settings = {"CMAKE_MAKE_PROGRAM": tools / "ninja", "Python_EXECUTABLE": sys.executable}
    settings |= {"nanobind_DIR": nanobind, "SKBUILD": "2", "SKBUILD_PROJECT_VERSION": "1.2.3"}
    command += [f"-D{name}={value}" for name, value in settings.items()]
    result = subprocess.run(command, capture_output=True, text=True, check=False)
    assert result.returncode == 0, result.stderr
    bill = json.loads((source / "build" / "sbom" / "chainrule.cdx.json").read_text())
    assert bill["metadata"]["component"]["version"] == "1.2.3"
    assert {part["name"]: part["version"] for part in bill["components"]}["nanobind"] == version(
        "nanobind"
    )


def test_failed_compile_names_the_two_ways_out(source: Path) -> None:
    result = build_wheel(source, CXX="/bin/false", CC="/bin/false", CHAINRULE_PURE="0")
    assert result.returncode != 0
    output = result.stdout + result.stderr
    assert "apt-get install g++" in output
    assert "CHAINRULE_PURE=1 pip install" in output


def test_the_lock_file_has_every_dependency_in_a_version_that_is_allowed() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    groups = project["dependency-groups"]
    wanted = [
        *project["project"]["dependencies"],
        *groups["test"],
        *groups["lint"],
        *groups["docs"],
    ]
    locked: dict[str, list[str]] = {}
    for line in (ROOT / "requirements" / "dev.lock").read_text(encoding="utf-8").splitlines():
        if found := re.match(r"([\w.-]+)(?:\[[^]]*\])?==(\S+)", line):
            locked.setdefault(canonicalize_name(found[1]), []).append(found[2])
    for text in wanted:
        requirement = Requirement(text)
        versions = locked.get(canonicalize_name(requirement.name), [])
        fitting = [version for version in versions if requirement.specifier.contains(version)]
        assert fitting, f"requirements/dev.lock: no {text} ({versions}); run `make lock`"


def run_python(*arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, *arguments],
        env=os.environ | environment,
        capture_output=True,
        text=True,
        check=False,
    )


def test_pure_environment_works_on_the_reference_engine_and_says_so() -> None:
    result = run_python("-m", "chainrule", "info", CHAINRULE_PURE="1")
    assert result.returncode == 0, result.stderr
    assert "reference" in result.stdout
    assert "CHAINRULE_PURE" in result.stdout


@pytest.mark.skipif("CHAINRULE_PURE" in os.environ, reason="a pure installation has no extension")
def test_installed_extension_knows_the_cpu() -> None:
    code = (
        "from chainrule.engines.extension import native; info = native.cpu_info();"
        "assert info['cores'] >= 1; assert info['instruction_sets'][0] == 'generic'"
    )
    result = run_python("-c", code)
    assert result.returncode == 0, result.stderr
