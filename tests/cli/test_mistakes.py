"""A user's mistake is answered with one sentence on standard error and exit code 2."""

import pytest

GOOD = "".join(f"{i},{i * i % 17},{'yes' if i % 3 else 'no'}\n" for i in range(40))
TABLES = {
    "empty": (b"", "is empty"),
    "header only": (b"a,b,y\n", "no rows"),
    "ragged": (f"a,b,y\n1,2,no,5\n{GOOD}".encode(), "line 2 has 4 fields"),
    "short row": (f"a,b,y\n{GOOD}7,8\n".encode(), "line 42 has 2 fields"),
    "wrong delimiter": (f"a,b,y\n{GOOD}".replace(",", ";").encode(), "separated by semicolons"),
    "binary": (bytes(range(256)) * 4, "is a binary file"),
    "latin-1": (f"a,b,y\n{GOOD}1,2,né\n".encode("latin-1"), "line 42 is not UTF-8"),
    "spreadsheet": (b"PK\x03\x04" + bytes(100), "an Excel workbook"),
    "duplicate names": (f"a,a,y\n{GOOD}".encode(), "two columns are named 'a'"),
    "unnamed column": (f",a,y\n{GOOD}".encode(), "column 1 of 3 has no name"),
    "target missing": (f"a,b,z\n{GOOD}".encode(), "no column 'y'"),
    "one class": (f"a,b,y\n{GOOD}".replace("no", "yes").encode(), "in all 40 rows: one class"),
    "a class a row": (
        b"a,y\n" + b"".join(b"%d,name %d\n" % (i, i) for i in range(40)),
        "too many to be classes",
    ),
    "all-missing column": (
        b"a,y\n" + b"".join(b",%d.5\n" % i for i in range(40)),
        "no column to predict from: column 'a' has no value in any row",
    ),
    "all-missing target": (
        b"a,y\n" + b"".join(b"%d,\n" % i for i in range(40)),
        "the target 'y' has no value in any row",
    ),
    "missing target": (f"a,b,y\n{GOOD}1,2,\n".encode(), "column 'y' has no value in row 41;"),
    "free text": (
        b"a,b,y\n"
        + b"".join(
            b"%d,a sentence of many words about %d things,%d\n" % (i, i, i % 2) for i in range(40)
        ),
        "column 'b' holds free text (25 different values), which no network of numbers can be "
        "given; leave it out (--ignore b)",
    ),
    "infinite number": (f"a,b,y\n{GOOD}1,inf,no\n".encode(), "column 'b' holds inf in row 41"),
    "constant target": (b"a,y\n" + b"1,2.5\n" * 40, "is 2.5 in all 40 rows"),
    "target alone": (b"y\n" + b"no\nyes\n" * 20, "no column beside the target"),
    "few rows": (b"a,y\n1,no\n2,yes\n3,no\n4,yes\n", "has 4 rows, and at least 10"),
    "10,000 columns": (
        (",".join(f"c{i}" for i in range(10_000)) + ",y\n").encode()
        + b"".join(b"x," * 10_000 + b"%d\n" % (i % 2) for i in range(40)),
        "no column to predict from: column 'c0' is x in all 25 rows; column 'c1' is x in all 25 "
        "rows; column 'c2' is x in all 25 rows; and 9997 more like these",
    ),
}


@pytest.mark.parametrize("name", TABLES)
def test_a_broken_table_gives_one_sentence_and_nothing_else(chainrule, tmp_path, name):
    content, message = TABLES[name]
    table = tmp_path / "table.csv"
    table.write_bytes(content)
    outcome = chainrule("train", table, "--target", "y", "--out", tmp_path / "run")
    assert message in outcome.sentence
    assert outcome.out == ""
    assert not (tmp_path / "run").exists()


def test_huge_whole_numbers_are_no_mistake(chainrule, tmp_path):
    table = tmp_path / "table.csv"
    rows = "".join(f"{'9' * (i + 1)},{i},{'no' if i % 2 else 'yes'}\n" for i in range(40))
    table.write_text("a,b,y\n" + rows, encoding="utf-8")
    arguments = ("train", table, "--target", "y", "--epochs", 1, "--out", tmp_path / "run")
    assert chainrule(*arguments).code == 0


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--layers", "24,x"], "--layers: expected whole numbers above 0 such as 24,24, or none"),
        (["--layers", "24,,24"], "--layers: expected"),
        (["--layers", "-1"], "--layers: expected"),
        (["--layers", "2.5"], "--layers: expected"),
        (["--layers", ""], "--layers: expected"),
        (["--layers", "9999999,9999999"], "not enough memory"),
        (["--epochs", "x"], "--epochs"),
        (["--epochs", "0"], "--epochs"),
        (["--batch-size", "0"], "--batch-size"),
        (["--learning-rate", "-1"], "--learning-rate"),
        (["--learning-rate", "nan"], "--learning-rate"),
        (["--learning-rate", "inf"], "learning_rate: expected a finite number"),
        (["--l2", "-1"], "--l2"),
        (["--l2", "nan"], "--l2"),
        (["--l2", "inf"], "l2: expected a finite number"),
        (["--seed", "-1"], "--seed"),
        (["--activation", "rely"], "activation: expected one of identity, sigmoid"),
        (["--optimizer", "adamax"], "optimizer: expected one of sgd, momentum"),
        (["--engine", "gpu"], "engine: expected auto"),
        (["--task", "ranking"], "task: expected auto, classification or regression"),
        (["--task", "regression"], "'diagnosis' holds text ('M' in row 1)"),
        (["--nonsense"], "No such option: --nonsense"),
        (["more"], "unexpected extra argument"),
    ],
)
def test_a_wrong_option_gives_one_sentence(chainrule, wdbc, tmp_path, options, message):
    outcome = chainrule("train", wdbc, "--target", "diagnosis", "--out", tmp_path / "run", *options)
    assert message in outcome.sentence


def test_a_mistyped_target_is_answered_with_the_column_like_it(chainrule, wdbc, tmp_path):
    outcome = chainrule("train", wdbc, "--target", "Diagnosis", "--out", tmp_path / "run")
    assert "did you mean 'diagnosis'?" in outcome.sentence


def test_an_unknown_command_and_missing_arguments_give_one_sentence(chainrule, wdbc):
    assert "No such command 'trian'" in chainrule("trian").sentence
    assert "Missing argument 'TABLE' (see chainrule train --help)" in chainrule("train").sentence
    assert "--target" in chainrule("train", wdbc).sentence


def test_a_folder_that_cannot_be_made_is_named_before_training(chainrule, wdbc, tmp_path):
    (tmp_path / "file").write_text("in the way", encoding="utf-8")
    outcome = chainrule("train", wdbc, "--target", "diagnosis", "--out", tmp_path / "file")
    assert f"{tmp_path / 'file'}: File exists" in outcome.sentence


def test_a_table_that_is_not_there_and_a_folder_are_named(chainrule, tmp_path):
    missing = chainrule("train", tmp_path / "none.csv", "--target", "y").sentence
    assert "none.csv: cannot be read (No such file or directory)" in missing
    assert "(Is a directory)" in chainrule("train", tmp_path, "--target", "y").sentence


def test_a_learning_rate_that_diverges_is_said_in_one_sentence(chainrule, wdbc, tmp_path):
    outcome = chainrule(
        *("train", wdbc, "--target", "diagnosis", "--out", tmp_path),
        *("--learning-rate", "1e30", "--optimizer", "sgd"),
    )
    assert "Use a smaller learning_rate" in outcome.sentence


@pytest.mark.parametrize("place", [0, 1, 4])
def test_debug_gives_the_traceback_wherever_it_stands(chainrule, wdbc, place):
    arguments = ["train", wdbc, "--target", "diag"]
    arguments.insert(place, "--debug")
    with pytest.raises(Exception, match="no column 'diag'"):
        chainrule(*arguments)
