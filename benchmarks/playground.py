"""The playground: what it costs to look at a training.

    python benchmarks/playground.py [--seconds 10] [--runs 5] [--only frames,live,clients,…]

- frames: snapshots per second that a page receives of the default toy data, the largest of them,
  and what the server takes of a processor for it: the time of its process with a page that looks,
  less that with a page that is hidden, while the training goes on at the same pace.
- live: how much longer `fit` takes with `Live` and an open page. Both take turns, and must end with
  the same bits before their times count.
- clients: twenty pages, each with a training of its own.
- memory: what the process holds after a tenth and after all of as many snapshots as an hour has.
- paint: the time to the first paint in Chromium (``--chromium PATH``), if Playwright is installed.

Servers run in a process of their own, so that the pages' work is not counted.
"""

import argparse
import asyncio
import json
import os
import platform
import statistics
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import websockets

import chainrule as cr

TARGETS = {
    "snapshots per second": (30, "at least"),
    "largest snapshot [bytes]": (8192, "at most"),
    "server beyond the training [% of a core]": (5, "at most"),
    "training slowed by being watched [%]": (5, "at most"),
    "first paint [s]": (0.4, "at most"),
}
SNAPSHOTS_OF_AN_HOUR = 30 * 3600


def processor() -> str:
    """Return the name of the processor."""
    with open("/proc/cpuinfo", encoding="utf-8") as file:
        for line in file:
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    return platform.processor() or platform.machine()


def show(name: str, value: float, digits: int = 1) -> None:
    """Print a figure, and its target if it has one."""
    bound, word = TARGETS.get(name, (None, ""))
    target = "" if bound is None else f"   ({word} {bound:g})"
    print(f"  {name:<45} {value:>10.{digits}f}{target}", flush=True)


class Child:
    """A server in a process of its own, which answers questions about itself.

    Parameters
    ----------
    part : str
        The function of this file that the process runs.
    """

    def __init__(self, part: str, *arguments: str) -> None:
        self.process = subprocess.Popen(
            [sys.executable, __file__, "--part", part, *arguments],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        self.url = self.read()["url"]

    def read(self) -> dict[str, Any]:
        """Return the next line that it writes."""
        assert self.process.stdout is not None
        line = self.process.stdout.readline()
        if not line:
            raise RuntimeError("the process of the server has ended")
        return json.loads(line)

    def usage(self) -> dict[str, float]:
        """Return the seconds of the processor that it took so far, and its memory in bytes."""
        assert self.process.stdin is not None
        self.process.stdin.write("usage\n")
        self.process.stdin.flush()
        return self.read()

    def page(self, number: int = 1) -> Any:
        """Return a WebSocket of a page."""
        return websockets.connect(f"{self.url}ws?session={number:032x}".replace("http", "ws", 1))

    def end(self) -> None:
        """End it."""
        assert self.process.stdin is not None
        self.process.stdin.close()
        self.process.wait(20)


async def ask(page: Any, kind: str, **fields: Any) -> Any:
    """Send a request, and return the value of its reply."""
    await page.send(json.dumps({"id": 1, "type": kind, **fields}))
    while True:
        message = await page.recv()
        if isinstance(message, str):
            found = json.loads(message)
            if found.get("id") == 1:
                if found["type"] == "error":
                    raise RuntimeError(found["message"])
                return found["value"]


async def described(page: Any) -> dict[str, Any]:
    """Return the next description."""
    while True:
        message = await page.recv()
        if isinstance(message, str) and json.loads(message)["type"] == "description":
            return json.loads(message)


async def frames_of(page: Any, seconds: float) -> list[bytes]:
    """Return the frames that arrive in some seconds, each acknowledged as a page does."""
    found, loop = [], asyncio.get_running_loop()
    end = loop.time() + seconds
    while (left := end - loop.time()) > 0:
        try:
            message = await asyncio.wait_for(page.recv(), left)
        except TimeoutError:
            break
        if isinstance(message, bytes):
            found.append(message)
            await page.send('{"type":"drawn"}')
    return found


def frames(seconds: float) -> None:
    """Measure the snapshots of one page, and what they cost."""
    print("One page, the default toy data, 30 epochs per second:")
    child = Child("serve")

    async def measure() -> None:
        async with child.page() as page:
            await described(page)
            await ask(page, "speed", epochs_per_second=30)
            await ask(page, "run")
            await frames_of(page, 2)
            shares, rates, largest = {True: [], False: []}, [], 0
            for _ in range(3):
                for hidden in (True, False):
                    await ask(page, "view", hidden=hidden)
                    await frames_of(page, 0.5)
                    before = child.usage()["seconds"]
                    began = time.perf_counter()
                    got = await frames_of(page, seconds / 3)
                    took = time.perf_counter() - began
                    shares[hidden].append((child.usage()["seconds"] - before) / took)
                    if not hidden:
                        rates.append(len(got) / took)
                        largest = max(largest, *map(len, got))
            show("snapshots per second", statistics.median(rates))
            show("largest snapshot [bytes]", largest, 0)
            hidden, seen = (100 * statistics.median(shares[each]) for each in (True, False))
            show("training alone [% of a core]", hidden)
            show("server beyond the training [% of a core]", seen - hidden)
            assert largest <= 8192, largest

    asyncio.run(measure())
    child.end()


def clients(seconds: float, number: int = 20) -> None:
    """Measure many pages, each with its own training."""
    print(f"{number} pages, each with a training of its own:")
    child = Child("serve")

    async def one(place: int) -> float:
        async with child.page(place + 1) as page:
            await described(page)
            await ask(page, "run")
            await frames_of(page, 3)
            began = time.perf_counter()
            got = await frames_of(page, seconds)
            return len(got) / (time.perf_counter() - began)

    async def measure() -> list[float]:
        return await asyncio.gather(*(one(place) for place in range(number)))

    before, began = child.usage(), time.perf_counter()
    rates = asyncio.run(measure())
    after, took = child.usage(), time.perf_counter() - began
    show("snapshots per second, median page", statistics.median(rates))
    show("snapshots per second, slowest page", min(rates))
    show("process [% of a core]", 100 * (after["seconds"] - before["seconds"]) / took)
    show("memory [MB]", after["memory"] / 2**20)
    child.end()


WORKLOADS = {
    "toy: 250 rows, 2-4-2-1, batches of 10": (250, (2, 4, 2), 10, 40_000),
    "table: 500 rows, 30-24-24-1, batches of 32": (500, (30, 24, 24), 32, 20_000),
    "wide: 4,000 rows, 100-256-256-1, batches of 128": (4000, (100, 256, 256), 128, 60),
}


def live(runs: int) -> None:
    """Measure how much longer a training takes when a page looks at it."""
    for place, name in enumerate(WORKLOADS):
        print(f"Live, {name}:")
        child = Child("fit", "--workload", str(place), "--runs", str(runs))

        async def look(child: Child = child) -> tuple[int, dict[str, Any]]:
            async with child.page() as page:
                loop, received = asyncio.get_running_loop(), 0
                result = loop.run_in_executor(None, child.read)
                while not result.done():
                    received += len(await frames_of(page, 0.2))
                return received, await result

        received, found = asyncio.run(look())
        show("training unwatched [s]", found["alone"], 3)
        show("training slowed by being watched [%]", 100 * (found["ratio"] - 1))
        show("the same in time of the processor [%]", 100 * (found["work"] - 1))
        show("snapshots per second while watched", received / found["watched_seconds"])
        child.end()


def memory() -> None:
    """Measure whether memory stays flat over the snapshots of an hour."""
    print(f"Memory over {SNAPSHOTS_OF_AN_HOUR:,} snapshots, each of another epoch:")
    child = Child("snapshots")
    tenth, all_of_them = child.read(), child.read()
    show("after a tenth [MB]", tenth["memory"] / 2**20)
    show("after all [MB]", all_of_them["memory"] / 2**20)
    show("growth [MB]", (all_of_them["memory"] - tenth["memory"]) / 2**20)
    child.end()


def paint(chromium: str, runs: int) -> None:
    """Measure the first paint in Chromium."""
    try:
        from playwright.sync_api import sync_playwright
    except ImportError:
        print("First paint: Playwright is not installed")
        return
    if not Path(chromium).exists():
        print(f"First paint: there is no {chromium}")
        return
    child, times = Child("serve"), []
    script = "performance.getEntriesByName('first-contentful-paint')[0]?.startTime ?? null"
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        for _ in range(runs):
            page = browser.new_context().new_page()  # an empty cache each time
            page.goto(child.url)
            while (found := page.evaluate(script)) is None:
                page.wait_for_timeout(20)
            times.append(found / 1000)
            page.context.close()
        browser.close()
    print("Chromium, an empty cache:")
    show("first paint [s]", statistics.median(times), 3)
    child.end()


# What runs in the process of the server.


def usage() -> dict[str, float]:
    with open("/proc/self/statm", encoding="ascii") as file:
        pages = int(file.read().split()[1])
    return {"seconds": time.process_time(), "memory": pages * os.sysconf("SC_PAGE_SIZE")}


def say(value: dict[str, Any]) -> None:
    print(json.dumps(value), flush=True)


def part_serve(arguments: argparse.Namespace) -> None:
    with cr.play(port=0, block=False, open_browser=False) as page:
        say({"url": page.url})
        for _ in sys.stdin:
            say(usage())


def part_fit(arguments: argparse.Namespace) -> None:
    rows, sizes, batch, epochs = list(WORKLOADS.values())[arguments.workload]
    random = np.random.default_rng(0)
    X = random.normal(size=(rows, sizes[0])).astype(np.float32)
    y = np.sin(X[:, 0] * X[:, -1])[:, None]

    def train(callbacks: list[Any]) -> tuple[float, float, bytes]:
        layers = [cr.Dense(size, "tanh") for size in sizes[1:]]
        net = cr.Network([sizes[0], *layers, cr.Dense(1, "identity")], cost="mse", seed=0)
        began, worked = time.perf_counter(), time.thread_time()
        net.fit(X, y, epochs=epochs, batch_size=batch, callbacks=callbacks)
        took = time.perf_counter() - began, time.thread_time() - worked
        return (*took, net.parameters.tobytes())

    with cr.Live(port=0) as page:
        say({"url": page.url})
        time.sleep(0.5)
        train([]), train([page])
        pairs = [(train([]), train([page])) for _ in range(arguments.runs)]
        bits = {one[2] for pair in pairs for one in pair}
        assert len(bits) == 1, "a watched training ended with other bits"
        say(
            {
                "alone": statistics.median(alone[0] for alone, _ in pairs),
                "ratio": statistics.median(watched[0] / alone[0] for alone, watched in pairs),
                "work": statistics.median(watched[1] / alone[1] for alone, watched in pairs),
                "watched_seconds": sum(watched[0] for _, watched in pairs),
            }
        )
        sys.stdin.read()


def part_snapshots(arguments: argparse.Namespace) -> None:
    """Show snapshots one after the other, each of another epoch, as a training does."""
    from chainrule.playground.session.base import Client
    from chainrule.playground.session.experiment import Experiment
    from chainrule.playground.session.viewer import Viewer
    from chainrule.training.events import EpochEnded

    source = Experiment()
    source.wait_until_ready()
    snapshot, viewer = source._ready(), Viewer(source._subject, mode="live")
    source.close()
    client = Client(push=lambda message: None)
    viewer.connect(client)
    say({"url": ""})
    epoch = 0
    for target in (SNAPSHOTS_OF_AN_HOUR // 10, SNAPSHOTS_OF_AN_HOUR):
        while epoch < target:
            epoch += 1
            viewer.epoch(EpochEnded(epoch, 1.0, 0.0, 0.1, 1.0, 0.001))
            viewer.show(replace(snapshot, epoch=epoch, parameters=snapshot.parameters.copy()))
            assert viewer.frame(client) is not None
        say(usage())
    sys.stdin.read()


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--seconds", type=float, default=10)
    options.add_argument("--runs", type=int, default=5)
    options.add_argument("--only", default="frames,live,clients,memory,paint")
    options.add_argument("--chromium", default="/usr/bin/chromium")
    options.add_argument("--part", help=argparse.SUPPRESS)
    options.add_argument("--workload", type=int, help=argparse.SUPPRESS)
    arguments = options.parse_args()
    if arguments.part:
        globals()[f"part_{arguments.part}"](arguments)
        return
    print(f"{processor()}, {os.cpu_count()} cores")
    chosen = arguments.only.split(",")
    for name, measure in {
        "frames": lambda: frames(arguments.seconds),
        "live": lambda: live(arguments.runs),
        "clients": lambda: clients(arguments.seconds),
        "memory": memory,
        "paint": lambda: paint(arguments.chromium, arguments.runs),
    }.items():
        if name in chosen:
            measure()


if __name__ == "__main__":
    main()
