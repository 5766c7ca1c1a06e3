"""What the fuzz targets share: each hands `fuzz` a function of bytes and a folder of seeds.

A target lets no exception out but those that the package's documentation promises; anything else,
a crash of the process, an input that takes longer than ten seconds or more memory than the bound
is a finding, which libFuzzer writes to a file. Needs `pip install atheris` (`make fuzz` does it).
"""

import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

import atheris

_HERE = Path(__file__).parent
_BOUNDS = ("-timeout=10", "-rss_limit_mb=1024", "-print_final_stats=1", "-max_len=4096")

# Where loaders take the names of files: a folder in memory.
_MEMORY = Path("/dev/shm")


def fuzz(one: Callable[[bytes], None], name: str) -> None:
    """Run a target on mutations of its corpus, with libFuzzer's options from the command line."""
    given = sys.argv[1:]
    folders = [argument for argument in given if not argument.startswith("-")]
    seeds = [] if folders else [str(_HERE / "corpus" / name)]
    atheris.Setup([sys.argv[0], *_BOUNDS, *given, *seeds], one)
    atheris.Fuzz()


def scratch_file(suffix: str) -> Path:
    """Return the name of a file for one process, in memory where the system has such a folder."""
    folder = tempfile.mkdtemp(prefix="chainrule-fuzz-", dir=_MEMORY if _MEMORY.is_dir() else None)
    return Path(folder) / f"input{suffix}"
