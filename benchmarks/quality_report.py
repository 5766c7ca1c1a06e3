"""The Markdown tables of benchmarks/quality.py, from the results that it kept."""

import numpy as np

ADDED = 0.01  # to every error before a ratio is taken: a table without errors has one too
DRAWS = 2000
SLACK = 1.5  # times the trivial error: what is worse than that is a fault, not a result


def report(lines, against, half="both", names=None, tables=None):
    """Return the summaries and the errors table by table."""
    failures = [line for line in lines if "failure" in line]
    results = newest([line for line in lines if "failure" not in line])
    results = {
        key: line
        for key, line in results.items()
        if (tables is None or line["table"] in tables) and half in ("both", line["half"])
    }
    check(results)
    found = list(dict.fromkeys(method for method, _, _ in results))
    names = [name for name in names or found if name in found]
    if against not in found:
        raise SystemExit(f"--against: no results of {against!r}; there are {found}")
    names = [against, *(name for name in names if name != against)]
    halves = ("tuning", "judging") if half == "both" else (half,)
    parts = [described(results, names)]
    for task in ("classes", "values"):
        for part in halves:
            chosen = {k: v for k, v in results.items() if (v["task"], v["half"]) == (task, part)}
            if chosen:
                parts.append(f"### {task.capitalize()}, the {part} half\n")
                parts.append(summary(chosen, names, against))
                parts.append(by_table(chosen, names))
        chosen = {key: line for key, line in results.items() if line["task"] == task}
        if half == "both" and len({line["half"] for line in chosen.values()}) == 2:
            parts.append(f"### {task.capitalize()}, both halves\n")
            parts.append(summary(chosen, names, against))
    parts.append(remarks(results, failures))
    parts.append(extremes(results, names))
    return "\n".join(parts)


def newest(lines):
    """Return the last result of each method, table and split, of each method's last version."""
    versions = {line["method"]: line["version"] for line in lines}
    return {
        (line["method"], line["table"], line["split"]): line
        for line in lines
        if line["version"] == versions[line["method"]]
    }


def check(results):
    """Refuse to compare unless all methods predicted the same rows, and none is broken."""
    digests = {}
    for (method, table, split), line in results.items():
        if digests.setdefault((table, split), line["digest"]) != line["digest"]:
            raise AssertionError(f"{method} predicted other rows of {table}, split {split}")
        if not line["error"] <= SLACK * line["trivial"] + ADDED:
            raise AssertionError(
                f"{method} on {table}, split {split}: error {line['error']:.3f}, while predicting "
                f"without any inputs has {line['trivial']:.3f}"
            )


def described(results, names):
    """Return the versions and machines behind the results."""
    text = []
    for name in names:
        of = [line for (method, _, _), line in results.items() if method == name]
        machines = sorted({line["machine"] for line in of})
        splits = 1 + max(line["split"] for line in of)
        settings = "; ".join(sorted({str(line["settings"]) for line in of if line["settings"]}))
        text.append(
            f"- {name} {of[0]['version']}{' ' + settings if settings else ''}: "
            f"{len({line['table'] for line in of})} tables, at most {splits} splits; "
            f"{' and '.join(machines)}"
        )
    return "\n".join(text) + "\n"


def logs(results, method, against):
    """Return by table the logarithms of the ratios of error + 0.01 on the splits of both."""
    found = {}
    for (name, table, split), line in results.items():
        other = results.get((against, table, split))
        if name == method and other:
            ratio = (line["error"] + ADDED) / (other["error"] + ADDED)
            found.setdefault(table, []).append(np.log(ratio))
    return {table: np.array(found[table]) for table in sorted(found)}


def interval(ratios, draw_tables):
    """Return the middle 95 % of the geometric mean over splits (and tables) drawn again."""
    random = np.random.default_rng(0)
    # For each table, DRAWS means over as many splits as it has, drawn with replacement.
    means = np.array(
        [
            values[random.integers(len(values), size=(DRAWS, len(values)))].mean(1)
            for values in ratios
        ]
    )
    if draw_tables:
        drawn = random.integers(len(ratios), size=(DRAWS, len(ratios)))
        means = means[drawn, np.arange(DRAWS)[:, None]].mean(1)
    else:
        means = means.mean(0)
    return np.exp(np.quantile(means, [0.025, 0.975]))


def percent(ratio):
    return f"{100 * (ratio - 1):+.1f} %".replace("-", "−")


def summary(results, names, against):
    """Return a row a method: its error and cost relative to another's, its rank, its chances."""
    places = ranks(results, names)
    classes = any("log_loss" in line for line in results.values())
    heads = ["method", "tables", f"error against {against}", "over splits", "over tables too"]
    heads += ["better on", "mean rank", "CPU s", "CPU ratio"]
    heads += ["log loss", "calibration error"] if classes else []
    rows = []
    for name in names:
        ratios = list(logs(results, name, against).values())
        if not ratios:
            continue
        means = np.array([values.mean() for values in ratios])
        pairs = [
            (line, results[against, table, split])
            for (method, table, split), line in results.items()
            if method == name and (against, table, split) in results
        ]
        spans = ["", ""]
        if name != against:
            repeated = all(len(values) > 1 for values in ratios)
            low, high = interval(ratios, False)
            spans[0] = f"{percent(low)} to {percent(high)}" if repeated else "one split"
            low, high = interval(ratios, True)
            spans[1] = f"{percent(low)} to {percent(high)}"
        cost = [np.log(cpu(ours) / cpu(theirs)) for ours, theirs in pairs]
        row = [name, len(ratios), percent(np.exp(means.mean())), *spans]
        row += ["" if name == against else f"{(means < 0).sum()} of {len(means)}"]
        row += [f"{places[name]:.2f}" if name in places else "–"]
        row += [f"{sum(cpu(ours) for ours, _ in pairs):.1f}", f"{np.exp(np.mean(cost)):.2f}"]
        if classes:
            row += [f"{by_tables(pairs, key):.4f}" for key in ("log_loss", "calibration_error")]
        rows.append(row)
    return markdown(heads, rows)


def cpu(line):
    return max(line["cpu_seconds"], 0.01)


def by_tables(pairs, key):
    """Return the mean over tables of the mean over splits."""
    values = {}
    for line, _ in pairs:
        values.setdefault(line["table"], []).append(line[key])
    return np.mean([np.mean(of) for of in values.values()])


def pairs_of(results, method):
    """Return the tables and splits that a method has results of."""
    return {(table, split) for name, table, split in results if name == method}


def table_errors(results):
    """Return the mean error over splits by method and table."""
    errors = {}
    for (method, table, _), line in results.items():
        errors.setdefault(method, {}).setdefault(table, []).append(line["error"])
    return {m: {t: np.mean(of) for t, of in tables.items()} for m, tables in errors.items()}


def ranks(results, names):
    """Return the mean rank of the methods that have all of the first one's tables and splits."""
    from scipy.stats import rankdata

    wanted = pairs_of(results, names[0])
    complete = [name for name in names if wanted <= pairs_of(results, name)]
    if len(complete) < 2:
        return {}
    block = [[results[name, *pair]["error"] for pair in sorted(wanted)] for name in complete]
    return dict(zip(complete, rankdata(block, axis=0).mean(1), strict=True))


def by_table(results, names):
    """Return the mean errors, a table a row.

    The lowest is bold; a mean over fewer splits than the first method's stands in brackets.
    """
    errors = table_errors(results)
    names = [name for name in names if name in errors]
    lines = {line["table"]: line for line in results.values()}
    rows = []
    for table in sorted(lines, key=lambda table: (lines[table]["rows"], table)):
        splits = {
            name: {split for of, split in pairs_of(results, name) if of == table} for name in names
        }
        full = [name for name in names if splits[name] >= splits[names[0]]]
        best = min((errors[name][table] for name in full if splits[name]), default=None)
        cells = []
        for name in names:
            text = f"{errors[name][table]:.4f}" if splits[name] else "–"
            if name not in full and splits[name]:
                text = f"({text})"
            elif splits[name] and errors[name][table] == best:
                text = f"**{text}**"
            cells.append(text)
        rows.append([table, f"{lines[table]['rows']:,}", f"{lines[table]['trivial']:.3f}", *cells])
    return markdown(["table", "rows", "trivial", *names], rows)


def remarks(results, failures):
    """Return what a reader should know: failed fits, and errors above the trivial one."""
    text = []
    for line in failures:
        if (line["method"], line["table"], line["split"]) not in results:
            text.append(f"- {line['method']} failed on {line['table']}: {line['failure'][:200]}")
    worse = {}
    for (method, table, _), line in results.items():
        if line["error"] > line["trivial"]:
            worse.setdefault(method, set()).add(table)
    for method, tables in worse.items():
        text.append(
            f"- {method} is above the trivial error on some split of {', '.join(sorted(tables))}"
        )
    return "\n".join(dict.fromkeys(text))


def extremes(results, names):
    """Return where a method's error is over twice, or under half, of the first method's."""
    text = []
    for name in names[1:]:
        for table, values in logs(results, name, names[0]).items():
            ratio = np.exp(values.mean())
            if not 0.5 <= ratio <= 2:
                text.append(f"- {name}'s error on {table} is {ratio:.2f} times {names[0]}'s")
    return "\n".join(text)


def markdown(heads, rows):
    aligned = ["---"] + ["---:"] * (len(heads) - 1)
    cells = [heads, aligned, *rows]
    return "\n".join("| " + " | ".join(str(cell) for cell in row) + " |" for row in cells) + "\n"
