"""A user's mistake is answered with one sentence on standard error and exit code 2."""

import pytest

GOOD = "".join(f"{i},{i * i % 17},{'yes' if i % 3 else 'no'}\n" for i in range(40))
TABLES = {
    "empty": (b"", "is empty"),
    "header only": (b"a,b,y\n", "no rows"),
    "ragged": (f"a,b,y\n1,2,no,5\n{GOOD}".encode(), "line 2 has 4 fields"),
    "short row": (f"a,b,y\n{GOOD}7,8\n".encode(), "line 42 has 2 fields"),
    "wrong delimiter": (f"a,b,y\n{GOOD}".replace(",", ":").encode(), "separated by colons"),
    "binary": (bytes(range(256)) * 4, "is a binary file"),
    "spreadsheet": (b"PK\x03\x04" + bytes(100), "an Excel workbook"),
    "duplicate names": (f"a,a,y\n{GOOD}".encode(), "two columns are named 'a'"),
    "unnamed column": (f"a,,y\n{GOOD}".encode(), "column 2 of 3 has no name"),
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
        "the target 'y' has no value in any of the 40 rows",
    ),
    "free text": (
        b"a,b,y\n"
        + b"".join(
            b"%d,a sentence of many words about %d things,%d\n" % (i, i, i % 2) for i in range(40)
        ),
        "column 'b' holds free text (32 different values), which no network of numbers can be "
        "given; leave it out (--ignore b)",
    ),
    "infinite number": (f"a,b,y\n{GOOD}1,inf,no\n".encode(), "column 'b' holds inf in row 41"),
    "constant target": (b"a,y\n" + b"1,2.5\n" * 40, "is 2.5 in all 40 rows"),
    "target alone": (b"y\n" + b"no\nyes\n" * 20, "no column other than the target"),
    "few rows": (b"a,y\n1,no\n2,yes\n3,no\n4,yes\n", "has 4 rows, and at least 10"),
    "1,000 columns": (
        (",".join(f"c{i}" for i in range(1000)) + ",y\n").encode()
        + b"".join(b"x," * 1000 + b"%d\n" % (i % 2) for i in range(40)),
        "no column to predict from: column 'c0' is x in all 32 rows; column 'c1' is x in all 32 "
        "rows; column 'c2' is x in all 32 rows; and 997 more like these",
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
        (["--layers", "24,x"], "--layers: expected whole numbers above 0 such as 128,64, or none"),
        (["--layers", "24,,24"], "--layers: expected"),
        (["--layers", "-1"], "--layers: expected"),
        (["--layers", "2.5"], "--layers: expected"),
        (["--layers", ""], "--layers: expected"),
        (["--layers", "9999999,9999999"], "there is not enough memory"),
        (["--epochs", "x"], "--epochs"),
        (["--epochs", "0"], "--epochs: expected a whole number of at least 1"),
        (["--batch-size", "0"], "--batch-size"),
        (["--learning-rate", "-1"], "--learning-rate"),
        (["--learning-rate", "nan"], "--learning-rate"),
        (["--learning-rate", "inf"], "--learning-rate: expected a finite number > 0"),
        (["--l2", "-1"], "--l2"),
        (["--l2", "nan"], "--l2"),
        (["--l2", "inf"], "--l2: expected a finite number ≥ 0"),
        (["--seed", "-1"], "--seed: expected a whole number from 0 to 4294967295"),
        (["--seed", str(2**32)], "--seed: expected a whole number from 0 to 4294967295"),
        (["--activation", "rely"], "activation: expected one of identity, sigmoid"),
        (["--optimizer", "adamax"], "--optimizer: expected lbfgs, sgd, momentum"),
        (["--engine", "gpu"], "engine: expected auto"),
        (["--preset", "fats"], "--preset: expected fast, standard or thorough; got 'fats'; did"),
        (["--schedule", "cosin"], "--schedule: expected constant, invscaling, adaptive"),
        (["--loss", "huber"], "loss: expected log_loss, focal for a classification; got 'huber'"),
        (["--dropout", "0.1,x"], "--dropout: expected numbers with commas between them"),
        (["--dropout", "1.0"], "--dropout: expected a number in [0, 1)"),
        (["--dropout", "0.1,0.2"], "one for each of the 3 hidden layers"),
        (["--split", "0.5,0.5"], "--split: expected 3 shares between 0 and 1"),
        (["--split", "0.5,0.3,0.3"], "--split: expected shares that add up to 1"),
        (["--test", "x.csv", "--split", "0.8,0.1,0.1"], "--split: expected 2 shares"),
        (["--ignore", "mean_aera"], "no column 'mean_aera'; did you mean 'mean_area'?"),
        (["--ignore", "mean_area,diagnosis"], "'diagnosis' is the target"),
        (["--group", "patient"], "no column 'patient' for --group"),
        (["--time", "diagnosis"], "time: 'diagnosis' is the target"),
        (["--group", "mean_area", "--time", "mean_radius"], "groups"),
        (["--time-limit", "soon"], "--time-limit: expected a time such as 90s, 5m or 1h30m"),
        (["--search", "0"], "--search"),
        (["--search", "2", "--activation", "relu,tanh"], "activation: expected one name for a"),
        (["--checkpoint", "--search", "3"], "--checkpoint: a search continues when"),
        (["--checkpoint", "--every", "often"], "every"),
        (["--scaling", "minmax"], "--scaling: expected standard, robust or none"),
        (["--config", "none.toml"], "none.toml: cannot be read (No such file or directory)"),
        (["--task", "ranking"], "task: expected auto, classification or regression"),
        (["--task", "regression"], "'diagnosis' holds text ('M' in row 1 (line 2))"),
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
    assert (
        "TABLE: expected a table; got none (see chainrule train --help)"
        in chainrule("train").sentence
    )
    assert "--target" in chainrule("train", wdbc).sentence


def test_a_folder_that_cannot_be_made_is_named_before_training(chainrule, wdbc, tmp_path):
    (tmp_path / "file").write_text("in the way", encoding="utf-8")
    outcome = chainrule("train", wdbc, "--target", "diagnosis", "--out", tmp_path / "file")
    assert f"{tmp_path / 'file'}: File exists" in outcome.sentence


def test_a_table_that_is_not_there_and_a_folder_are_named(chainrule, tmp_path):
    missing = chainrule("train", tmp_path / "none.csv", "--target", "y").sentence
    assert "none.csv: cannot be read (No such file or directory)" in missing
    assert (
        "is a directory; name a file in it"
        in chainrule("train", tmp_path, "--target", "y").sentence
    )


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


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("[training]\nlayer = [3]", "there is no setting 'layer'; did you mean 'layers'?"),
        ("layers = [3]", "layers belongs under [training]"),
        ("[data]\nlayers = [3]", "layers belongs under [training]"),
        ("[traning]\nseed = 1", "got 'traning'; did you mean [training]?"),
        ("[training]\nseed = 'x'", "seed: expected a whole number; got 'x'"),
        ("[training]\nseed = true", "seed: expected a whole number; got True"),
        ("[training]\nlayers = [3.5]", "layers: expected a list of whole numbers"),
        ("[training]\nlayers = [0]", "layers: expected a whole number from 1 to"),
        ("[training]\nl2 = nan", "l2: expected a number; got nan"),
        ("[training]\nl2 = -1", "l2: expected a finite number ≥ 0; got -1.0"),
        ("[training]\npreset = 'fats'", "; did you mean 'fast'?"),
        ("[training]\nseed = 1\nseed = 2", "is not TOML"),
        ("[data", "is not TOML"),
        ("training = 3", "expected the sections [data], [encoding], [training]"),
    ],
)
def test_a_wrong_config_gives_one_sentence_with_the_nearest_right_name(
    chainrule, wdbc, tmp_path, text, message
):
    config = tmp_path / "run.toml"
    config.write_text(text, encoding="utf-8")
    arguments = ("train", wdbc, "--target", "diagnosis", "--config", config, "--out", tmp_path)
    sentence = chainrule(*arguments).sentence
    assert message in sentence
    assert f"chainrule: {config}: " in sentence


def test_a_config_that_is_no_text_is_refused(chainrule, wdbc, tmp_path):
    config = tmp_path / "run.toml"
    config.write_bytes(b"\xff\xfe")
    sentence = chainrule("train", wdbc, "--target", "diagnosis", "--config", config).sentence
    assert "is not UTF-8 text" in sentence


def test_a_search_of_nothing_is_refused(chainrule, wdbc, tmp_path):
    sentence = chainrule(
        *("train", wdbc, "--target", "diagnosis", "--search", 2, "--out", tmp_path),
        *("--layers", "8", "--activation", "relu", "--learning-rate", 0.01, "--l2", 0),
        *("--dropout", 0, "--batch-size", 32),
    ).sentence
    assert "all of them are set" in sentence


def test_nothing_to_resume_is_said(chainrule, trained, tmp_path):
    assert "it has no checkpoint" in chainrule("resume", tmp_path).sentence
    assert "the run in it is finished" in chainrule("resume", trained[1]).sentence


def test_a_missing_column_is_not_mistaken_for_another_one_that_the_model_uses(chainrule, tmp_path):
    rows = "".join(f"{i % 7},{i * i % 17},{'yes' if i % 3 else 'no'}\n" for i in range(60))
    table = tmp_path / "table.csv"
    table.write_text("width_1,width_2,y\n" + rows)
    chainrule("train", table, "--target", "y", "--epochs", 1, "--out", tmp_path / "run")
    other = tmp_path / "other.csv"
    other.write_text("width_2\n3\n")  # spelled much like the missing one
    sentence = chainrule("predict", tmp_path / "run", other).sentence
    assert "the table has no column 'width_1', which the model needs; it has 'width_2'" in sentence
    other.write_text("width_2,widht_1\n3,4\n")
    sentence = chainrule("predict", tmp_path / "run", other).sentence
    assert "which the model needs; did you mean 'widht_1'?" in sentence
