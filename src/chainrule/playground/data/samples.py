"""Small real tables, read from files of scikit-learn."""

import gzip
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from chainrule.errors import InvalidArgumentError
from chainrule.suggestions import did_you_mean

if TYPE_CHECKING:
    import polars as pl


@dataclass(frozen=True)
class Sample:
    """A small real table.

    Parameters
    ----------
    name, title, about : str
    target : str
        The column to predict.
    file : str
        In scikit-learn's folder of data sets.
    columns : tuple of str
        The columns to learn from.
    classes : tuple of str
        The classes by the numbers in the file; none if the numbers are the classes.
    """

    name: str
    title: str
    about: str
    target: str
    file: str
    columns: tuple[str, ...]
    classes: tuple[str, ...]


_PARTS = ("mean", "error", "worst")
_NUCLEUS = (
    *("radius", "texture", "perimeter", "area", "smoothness"),
    *("compactness", "concavity", "concave points", "symmetry", "fractal dimension"),
)

SAMPLES: Mapping[str, Sample] = {
    sample.name: sample
    for sample in (
        Sample(
            "iris",
            "Iris",
            "150 flowers of three species (Fisher, 1936).",
            "species",
            "iris.csv",
            ("sepal length (cm)", "sepal width (cm)", "petal length (cm)", "petal width (cm)"),
            ("setosa", "versicolor", "virginica"),
        ),
        Sample(
            "wine",
            "Wine",
            "178 wines from three growers, by 13 chemical measurements (Forina, 1988).",
            "grower",
            "wine_data.csv",
            (
                *("alcohol", "malic acid", "ash", "alcalinity of ash", "magnesium"),
                *("total phenols", "flavanoids", "nonflavanoid phenols", "proanthocyanins"),
                *("color intensity", "hue", "od280/od315 of diluted wines", "proline"),
            ),
            ("first", "second", "third"),
        ),
        Sample(
            "wdbc",
            "Breast cancer",
            "569 tumours, by 30 measurements of cell nuclei (Wisconsin, 1995).",
            "diagnosis",
            "breast_cancer.csv",
            tuple(
                f"{name} error" if part == "error" else f"{part} {name}"
                for part in _PARTS
                for name in _NUCLEUS
            ),
            ("malignant", "benign"),
        ),
        Sample(
            "digits",
            "Digits",
            "1,797 handwritten digits of 8 × 8 pixels (Alpaydin and Kaynak, 1998).",
            "digit",
            "digits.csv.gz",
            tuple(f"pixel {row},{column}" for row in range(8) for column in range(8)),
            (),
        ),
    )
}


@cache
def sample_table(name: str) -> "pl.DataFrame":
    """Return a sample as a table: the columns to learn from, then the target.

    Raises
    ------
    InvalidArgumentError
        If there is no such sample.

    Examples
    --------
    >>> from chainrule.playground.data.samples import sample_table
    >>> sample_table("iris").shape
    (150, 5)
    """
    import polars as pl

    if name not in SAMPLES:
        raise InvalidArgumentError(
            f"data: expected one of {', '.join(SAMPLES)}; got {name!r}{did_you_mean(name, SAMPLES)}"
        )
    sample = SAMPLES[name]
    found = find_spec("sklearn")
    assert found is not None
    assert found.origin is not None
    path = Path(found.origin).parent / "datasets" / "data" / sample.file
    data = path.read_bytes()
    lines = (gzip.decompress(data) if path.suffix == ".gz" else data).decode().splitlines()
    width = len(sample.columns) + 1
    # The first line of some files has the numbers of rows and columns, and the classes.
    rows = [line.split(",") for line in lines]
    numbers = np.array([row for row in rows if _is_row(row, width)], np.float64)
    table = {
        column: numbers[:, place].astype(np.int64) if name == "digits" else numbers[:, place]
        for place, column in enumerate(sample.columns)
    }
    codes = numbers[:, -1].astype(np.int64)
    target = [sample.classes[code] for code in codes] if sample.classes else codes
    return pl.DataFrame(table).with_columns(pl.Series(sample.target, target))


def _is_row(fields: list[str], width: int) -> bool:
    return len(fields) == width and not fields[-1][:1].isalpha()
