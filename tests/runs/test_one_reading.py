"""One reading: a table means the same in every command and in every format of file."""

import json
import random

import numpy as np
import polars as pl
import pytest

import chainrule as cr
from chainrule.model.table_predictions import predicted_batches
from chainrule.runs.config import RunConfig
from chainrule.runs.training import PreparedRun
from chainrule.tables.notations import Dates, Durations, Numbers, Text, Truth
from tests.cli.conftest import chainrule

__all__ = ["chainrule"]

ROWS = 120
RANDOM = random.Random(0)
NUMBERS = [RANDOM.uniform(20, 9000) for _ in range(ROWS)]
KINDS = [RANDOM.choice("abc") for _ in range(ROWS)]
MONTHS = ["JAN", "FEB", "MAR"]
LABELS = ["yes" if number > 3000 else "no" for number in NUMBERS]


def european(number):
    return f"{number:,.2f}".translate(str.maketrans(",.", ".,"))


def with_gaps(texts, word):
    return [word if row % 10 == 3 else text for row, text in enumerate(texts)]


CASES = {
    "numbers with decimal commas": (
        ";",
        {"price": [european(number) for number in NUMBERS], "kind": KINDS},
        {"price": Numbers(",", "."), "kind": Text()},
    ),
    "money, percent and words for missing": (
        ",",
        {
            "price": with_gaps([f"${number:,.2f}" for number in NUMBERS], "n/a"),
            "share": [f"{row % 7}.5 %" for row in range(ROWS)],
            "loss": [f"({row % 9})" if row % 2 else f"{row % 9}" for row in range(ROWS)],
        },
        {"price": Numbers(".", ",", ("$",)), "share": Numbers(units=("%",)), "loss": Numbers()},
    ),
    "plain numbers, NA and a sentinel": (
        ",",
        {
            "a": with_gaps([f"{number:.3f}" for number in NUMBERS], "NA"),
            "b": with_gaps([str(row % 11) for row in range(ROWS)], "-999"),
        },
        {"a": Numbers(), "b": Numbers(missing=(-999.0,))},
    ),
    "codes and categories of numbers": (
        ",",
        {
            "zip": [["01234", "00501", "90210"][row % 3] for row in range(ROWS)],
            "code": [["010", "020", "X9"][row % 3] for row in range(ROWS)],
            "group": with_gaps([["10.0", "20.0", "30.0"][row % 3] for row in range(ROWS)], ""),
            "a": [f"{number:.1f}" for number in NUMBERS],
        },
        {"zip": Text(), "code": Text(), "group": Numbers(), "a": Numbers()},
    ),
    "magnitudes, lengths of time and dates of SAS": (
        ",",
        {
            "value": [f"€{n / 10:.1f}K" if n < 3000 else f"€{n / 1000:.2f}M" for n in NUMBERS],
            "lasts": with_gaps([f"{row % 40}:{row % 60:02d}" for row in range(ROWS)], "NA"),
            "day": [f"{1 + row % 28:02d}{MONTHS[row % 3]}2023" for row in range(ROWS)],
        },
        {
            "value": Numbers(units=("€",), magnitudes=True),
            "lasts": Durations(),
            "day": Dates("%d%b%Y"),
        },
    ),
    "dates, times and true or false": (
        "\t",
        {
            "day": with_gaps([f"{1 + row % 28}/{1 + row % 12}/23" for row in range(ROWS)], "NaT"),
            "at": [f"2024-07-{1 + row % 28:02d}T{row % 24:02d}:30:00+02:00" for row in range(ROWS)],
            "clock": [f"{1 + row % 12}:05 {'PM' if row % 2 else 'AM'}" for row in range(ROWS)],
            "flag": with_gaps(["TRUE" if row % 3 else "false" for row in range(ROWS)], "?"),
        },
        {
            "day": Dates("%d/%m/%y"),
            "at": Dates("%Y-%m-%d", "UTC"),
            "clock": Dates("%H:%M"),
            "flag": Truth(),
        },
    ),
}
CATEGORICAL = {"codes and categories of numbers": ("group",)}


def written(table, folder, separator):
    """Write a table of texts in every format; return the paths, that to train with first."""
    paths = {
        "own": folder / "own.csv",
        "csv": folder / "t.csv",
        "tsv": folder / "t.tsv",
        "parquet": folder / "t.parquet",
        "arrow": folder / "t.arrow",
        "jsonl": folder / "t.jsonl",
    }
    table.write_csv(paths["own"], separator=separator)
    table.write_csv(paths["csv"])
    table.write_csv(paths["tsv"], separator="\t")
    table.write_parquet(paths["parquet"])
    table.write_ipc(paths["arrow"])
    table.write_ndjson(paths["jsonl"])
    return paths


@pytest.fixture(params=CASES, scope="module")
def case(request, tmp_path_factory):
    """A trained model, its table of texts, and the files that hold it."""
    separator, columns, notations = CASES[request.param]
    folder = tmp_path_factory.mktemp("reading")
    table = pl.DataFrame({**columns, "y": LABELS})
    paths = written(table, folder, separator)
    run = PreparedRun.prepare(
        RunConfig.of(
            {
                "table": str(paths["own"]),
                "target": "y",
                "epochs": 2,
                "layers": (4,),
                "categorical": CATEGORICAL.get(request.param, ()),
            }
        )
    )
    trained = run.fit()
    trained.model.save(folder / "m.safetensors")
    return cr.load(folder / "m.safetensors"), table, paths, notations, folder / "m.safetensors"


def test_a_column_is_written_as_a_person_sees_it(case):
    model, _, _, notations, _ = case
    assert dict(model.encoder.reading.notations) == notations


def test_every_format_and_every_way_to_read_it_predicts_the_same_bits(case):
    model, table, paths, _, _ = case
    expected = model.predict(table)
    assert expected["prediction"].n_unique() >= 1
    for path in paths.values():
        assert model.predict(path).equals(expected), path.name
        pieces = pl.concat(predicted_batches(model, path, rows=17))
        assert pieces.equals(expected), path.name
    assert model.predict(table.to_pandas()).equals(expected)
    assert model.predict(table.to_arrow()).equals(expected)
    assert model.predict(table.select(reversed(table.columns))).equals(expected)
    # Values, as a file with types has them, mean what their texts mean.
    assert model.predict(model.read(table).table).equals(expected)


def test_every_command_scores_and_explains_what_predict_answers(case, chainrule):
    model, table, paths, _, saved = case
    expected = model.predict(table)
    right = (expected["prediction"] == pl.Series(LABELS)).mean()
    for name in ("own", "tsv", "parquet", "jsonl"):
        scored = json.loads(chainrule("evaluate", saved, paths[name], "--json").out)
        assert scored["accuracy"] == pytest.approx(right, abs=1e-12)
        told = chainrule("explain", saved, paths[name], "--row", 5).out
        assert f": {expected['prediction'][4]} (" in told
        found = json.loads(chainrule("importance", saved, paths[name], "--json").out)
        assert set(found["columns"][0]) >= {"column"}
        assert found["rows"] == ROWS
        assert chainrule("check", saved, paths[name]).code == 0
        answers = chainrule("predict", saved, paths[name], "-q", "--keep", table.columns[0])
        answers = pl.read_csv(answers.out.encode(), infer_schema=False)
        assert answers["prediction"].to_list() == expected["prediction"].to_list()
        # What is kept is kept as it stands in the table.
        kept = answers[table.columns[0]].fill_null("")
        assert kept.to_list() == table[table.columns[0]].to_list()


def test_the_exported_numpy_file_reads_the_same_texts(case, tmp_path):
    model, table, _, _, _ = case
    (path,) = cr.export(model, tmp_path / "model.py")
    module = {}
    exec(path.read_text(encoding="utf-8"), module)
    texts = table.drop("y").to_dict(as_series=False)
    np.testing.assert_allclose(
        module["predict_proba"](texts), model.probabilities(table), rtol=0, atol=1e-5
    )
