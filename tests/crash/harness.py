"""Kills trainings at random moments and shows that each ends with the same bits nevertheless.

    python -m tests.crash.harness --kills 200

Every training goes on after each kill, with another number of threads, another division into calls
of the engine and another interval of checkpoints, until it ends; it must then have the parameters
and the history of a training that was never interrupted. After no kill may less be there than the
last checkpoint that was reported as written.
"""

import argparse
import os
import signal
import sys
import tempfile
import time
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from tests.crash import processes
from tests.crash.cases import CASES
from tests.crash.processes import Session


@dataclass
class Tally:
    """What happened."""

    trainings: int = 0
    kills: int = 0
    kills_by_case: Counter[str] = field(default_factory=Counter)
    before_the_first: int = 0
    """Kills before anything was written: the next attempt began anew."""
    left: Counter[str] = field(default_factory=Counter)
    """Which files were there after the kills."""
    failures: list[str] = field(default_factory=list)


def kill_until_it_ends(
    case: str, folder: Path, expected: str, random: np.random.Generator, tally: Tally, most: int
) -> None:
    """Train one case to its end, killing it at most so often on the way."""
    tally.trainings += 1
    written, kills = 0, 0
    while True:
        session = Session(
            case,
            folder,
            every=int(random.integers(1, 40)) if random.random() < 0.7 else "0.002s",
            threads=int(random.integers(1, 4)),
            seconds_a_call=float(10 ** random.uniform(-6, -1.3)),
            sleep=0.003,
        )
        child, reading = processes.start(session)
        if kills < most:
            # From the fork on: also before the training begins, and while it reads.
            time.sleep(random.uniform(0, 0.12))
            os.kill(child, signal.SIGKILL)
        told = processes.finish(child, reading)
        if told.killed:
            kills += 1
            tally.kills += 1
            tally.kills_by_case[case] += 1
            names = sorted(path.name for path in folder.iterdir()) if folder.exists() else []
            tally.left[" ".join(names) or "nothing"] += 1
            if not told.checkpoints and not written:
                tally.before_the_first += 1
        if told.began and written > (told.resumed or 0):
            tally.failures.append(f"{case}: went on from {told.resumed}, not from step {written}")
        written = max([written, *told.checkpoints])
        if told.digest:
            if told.digest != expected:
                tally.failures.append(f"{case}: other bits after {kills} kills")
            return
        if not told.killed:
            tally.failures.append(f"{case}: ended with {told.status} {told.error}")
            return


def kill(kills: int, seed: int = 0, most_each: int = 8) -> Tally:
    """Kill trainings of all cases in turn until so many kills are reached."""
    random = np.random.default_rng(seed)
    tally = Tally()
    expected = {case: processes.run(Session(case, None, watched=False)).digest for case in CASES}
    while tally.kills < kills and not tally.failures:
        for case in CASES:
            most = min(most_each, kills - tally.kills)
            with tempfile.TemporaryDirectory() as folder:
                run = Path(folder) / "run"
                kill_until_it_ends(case, run, expected[case], random, tally, most)
            if tally.kills >= kills:
                break
    return tally


def main() -> int:
    """Run from the command line."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--kills", type=int, default=200)
    parser.add_argument("--seed", type=int, default=0)
    arguments = parser.parse_args()
    started = time.perf_counter()
    tally = kill(arguments.kills, arguments.seed)
    print(
        f"{tally.kills} kills in {tally.trainings} trainings of {len(tally.kills_by_case)} kinds "
        f"({tally.before_the_first} before a first checkpoint) in "
        f"{time.perf_counter() - started:.0f} s"
    )
    for files, count in tally.left.most_common():
        print(f"  {count:4d} left: {files}")
    for failure in tally.failures:
        print(f"FAILED: {failure}")
    if not tally.failures:
        print("every training ended with the bits of one that was never interrupted")
    return int(bool(tally.failures))


if __name__ == "__main__":
    sys.exit(main())
