"""A training in a process of its own, which tells what it does and can be killed."""

import os
import pickle
import signal
import sys
import traceback
import warnings
from collections.abc import Callable
from contextlib import nullcontext
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from chainrule.training import loop
from chainrule.training.events import Checkpointed, EpochEnded, Resumed, TrainingStarted
from tests.crash.cases import CASES
from tests.crash.faults import injected


@dataclass
class Told:
    """What a process told before it ended."""

    status: int = 0
    """Of `os.waitpid`."""
    began: bool = False
    resumed: int | None = None
    """Steps that it had behind it when it began."""
    checkpoints: list[int] = field(default_factory=list)
    """Steps at which checkpoints were written."""
    calls: list[str] = field(default_factory=list)
    digest: str = ""
    error: str = ""

    @property
    def killed(self) -> bool:
        return os.WIFSIGNALED(self.status) and os.WTERMSIG(self.status) == signal.SIGKILL


@dataclass(frozen=True)
class Session:
    """One attempt at a training."""

    case: str
    folder: Path | None
    """None: without checkpoints."""
    every: int | str = 7
    threads: int = 1
    seconds_a_call: float = 0.05
    watched: bool = True
    fault: Callable[[str, int, int], Any] | None = None
    sleep: float = 0.0
    """A pause at the end of each epoch: small networks are too fast to be hit."""


def start(session: Session) -> tuple[int, int]:
    """Fork a process that trains; return its number and what it writes to.

    A fork costs a thousandth of what a new interpreter does. The parent must not have trained: its
    threads would be missing.
    """
    reading, writing = os.pipe()
    child = os.fork()
    if child:
        os.close(writing)
        return child, reading
    code = 1
    try:
        os.close(reading)
        code = _train(session, writing)
    except BaseException:
        traceback.print_exc()
    finally:
        sys.stderr.flush()
        os._exit(code)


def finish(child: int, reading: int) -> Told:
    """Wait for a process and return what it told."""
    told = Told()
    with os.fdopen(reading, "rb") as pipe:
        while True:
            try:
                name, value = pickle.load(pipe)
            except (EOFError, pickle.UnpicklingError):
                break
            if name == "checkpoint":
                told.checkpoints.append(value)
            else:
                setattr(told, name, value)
    told.status = os.waitpid(child, 0)[1]
    return told


def run(session: Session) -> Told:
    """Train in a process of its own, to its end."""
    return finish(*start(session))


def _train(session: Session, writing: int) -> int:
    import time

    def tell(name: str, value: Any) -> None:
        os.write(writing, pickle.dumps((name, value)))

    def watch(event: Any) -> None:
        if isinstance(event, TrainingStarted):
            tell("began", True)
        elif isinstance(event, Resumed):
            tell("resumed", event.step)
        elif isinstance(event, Checkpointed):
            tell("checkpoint", event.step)
        elif isinstance(event, EpochEnded) and session.sleep:
            time.sleep(session.sleep)

    warnings.simplefilter("ignore")
    loop._SECONDS_A_CALL = session.seconds_a_call
    keywords: dict[str, Any] = {"threads": session.threads}
    if session.watched:
        keywords["callbacks"] = [watch]
    if session.folder is not None:
        keywords |= {"checkpoint": session.folder / "ckpt", "every": session.every, "resume": True}
    with injected(session.fault) if session.fault is not None else nullcontext() as faults:
        try:
            tell("digest", CASES[session.case](**keywords).digest)
        except OSError as error:
            tell("error", f"{type(error).__name__}: {error}")
            return 3
        finally:
            if faults is not None:
                tell("calls", faults.calls)
    return 0
