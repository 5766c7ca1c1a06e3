"""Write wdbc.csv, the Wisconsin diagnostic breast cancer table, from scikit-learn's copy.

569 rows, 30 measurements of cell nuclei, and the diagnosis: M (malignant) or B (benign).
Source: Wolberg, Mangasarian, Street and Street 1993, UCI Machine Learning Repository,
https://doi.org/10.24432/C5DW2B (CC BY 4.0).
"""

import csv
from pathlib import Path
from typing import Any

from sklearn.datasets import load_breast_cancer


def main() -> None:
    data: Any = load_breast_cancer()
    names = [name.replace(" ", "_") for name in data.feature_names]
    diagnosis = {0: "M", 1: "B"}  # scikit-learn's target 0 is "malignant"
    with (Path(__file__).parent / "wdbc.csv").open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow([*names, "diagnosis"])
        for values, target in zip(data.data.tolist(), data.target.tolist(), strict=True):
            writer.writerow([*values, diagnosis[target]])


if __name__ == "__main__":
    main()
