"""Compilation by XLA: under which settings, what is kept between processes, and what it takes.

Nothing here changes the user's settings of JAX, except while a program is compiled: those that say
where compiled programs are kept, which JAX has no other way to set.
"""

import hashlib
import logging
import os
import platform
import sys
import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Hashable, Iterator, Mapping
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from types import MappingProxyType
from typing import Any

import jax
from jax.experimental.compilation_cache import compilation_cache

from chainrule.names import Precision

PRODUCTS: Mapping[Precision, str] = MappingProxyType(
    {"full": "highest", "mixed": "BF16_BF16_F32", "split": "BF16_BF16_F32_X6"}
)
"""JAX's names of the precisions of products. By default, a GPU or a TPU would round factors."""

FOLDER = "CHAINRULE_JAX_CACHE"
"""The environment variable that names another folder for compiled programs; empty: none."""

_LOG = logging.getLogger("chainrule.jax")

_MOST_PROGRAMS = 128
# Loading a program takes some hundredths of a second, so only what takes longer to compile is kept.
_LEAST_SECONDS = 0.1

_lock = threading.RLock()
_programs: OrderedDict[Hashable, Callable[..., Any]] = OrderedDict()


@contextmanager
def arithmetic() -> Iterator[None]:
    """Have JAX compute as NumPy does, in this thread: with float64, and the same promotions."""
    with jax.enable_x64(True), jax.numpy_dtype_promotion("standard"):
        yield


def compiled(
    function: Callable[..., Any],
    static: tuple[Hashable, ...],
    arguments: tuple[Any, ...],
    precision: Precision,
) -> Callable[..., Any]:
    """Return `function(*static, …)`, compiled for arguments of these types and shapes.

    `static` has to determine types and shapes. The seconds that compilation takes are logged at
    INFO, as "chainrule.jax".
    """
    key = (function, static, precision, jax.config.jax_default_device)  # type: ignore[attr-defined]
    with _lock:
        program = _programs.get(key)
        if program is None:
            program = _programs[key] = _compile(function, static, arguments, precision)
            if len(_programs) > _MOST_PROGRAMS:
                _programs.popitem(last=False)
        else:
            _programs.move_to_end(key)
    return program


def _compile(
    function: Callable[..., Any],
    static: tuple[Hashable, ...],
    arguments: tuple[Any, ...],
    precision: Precision,
) -> Callable[..., Any]:
    started = time.perf_counter()
    with jax.default_matmul_precision(PRODUCTS[precision]), _kept():
        traced = jax.jit(lambda *arrays: function(*static, *arrays)).lower(*arguments)
        at = time.perf_counter()
        program = traced.compile()
    _LOG.info(
        "%s for %s: traced in %.2f s, compiled in %.2f s",
        function.__name__, jax.default_backend(), at - started, time.perf_counter() - at,
    )  # fmt: skip
    return program


@contextmanager
def _kept() -> Iterator[None]:
    """Keep what is compiled in here in a folder, unless the user's settings already do."""
    folder = None if jax.config.jax_compilation_cache_dir else cache_folder()  # type: ignore[attr-defined]
    if folder is None:
        yield
        return
    ours = {
        "jax_compilation_cache_dir": str(folder),
        "jax_persistent_cache_min_compile_time_secs": _LEAST_SECONDS,
    }
    before = {name: getattr(jax.config, name) for name in ours}
    try:
        _configure(ours)
        yield
    finally:
        _configure(before)


def _configure(settings: Mapping[str, Any]) -> None:
    for name, value in settings.items():
        jax.config.update(name, value)  # type: ignore[no-untyped-call]
    compilation_cache.reset_cache()  # which reads the settings once


@cache
def cache_folder() -> Path | None:
    """Return the folder of compiled programs, which exists; None if there can be none."""
    given = os.environ.get(FOLDER)
    if given == "":
        return None
    try:
        folder = Path(given) if given else _users_caches() / "chainrule" / "jax"
        folder = folder / _machine()
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    except (OSError, RuntimeError):  # RuntimeError: there is no home
        return None
    # JAX runs what it finds there: nobody else may have written it.
    return folder if os.access(folder, os.W_OK) and _is_own(folder) else None


def _is_own(folder: Path) -> bool:
    status = folder.stat()
    return not hasattr(os, "getuid") or (status.st_uid == os.getuid() and not status.st_mode & 0o22)


def _users_caches() -> Path:
    if sys.platform == "darwin":
        return Path.home() / "Library" / "Caches"
    if sys.platform == "win32" and os.environ.get("LOCALAPPDATA"):
        return Path(os.environ["LOCALAPPDATA"])
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")


def _machine() -> str:
    """Return a name for the CPU: JAX's own key leaves out for which one a program was compiled."""
    facts = [platform.machine(), platform.processor()]
    try:
        lines = Path("/proc/cpuinfo").read_text(errors="replace").splitlines()
        facts += sorted({line for line in lines if line.startswith(("model name", "flags"))})
    except OSError:
        pass
    return hashlib.sha256("\n".join(facts).encode()).hexdigest()[:16]
