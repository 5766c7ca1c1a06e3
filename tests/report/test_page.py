import re

import numpy as np
import polars as pl
import pytest

import chainrule as cr
from chainrule.assessment import trees
from chainrule.errors import InvalidArgumentError
from chainrule.model.table_model import TableModel
from chainrule.report.page import Report
from chainrule.tables.row_numbers import RowNumbers
from chainrule.training.history import History
from tests.assessment.models import (
    binary,
    binary_table,
    many_classes,
    pure_noise,
    trained,
    value_table,
    values,
)
from tests.report.pages import Page, usual_page, written

EVERY_KIND = pytest.mark.parametrize("given", [binary, values, many_classes, pure_noise])


@EVERY_KIND
def test_a_report_loads_nothing_and_runs_nothing(given):
    page = usual_page(given)
    policy = {"http-equiv": "Content-Security-Policy"}.items()
    (content,) = (meta["content"] for meta in page.names("meta") if policy <= meta.items())
    assert content == "default-src 'none'; style-src 'unsafe-inline'; img-src data:"
    assert not {tag for tag, _ in page.tags} & {"script", "link", "img", "iframe", "object", "base"}
    for _, attributes in page.tags:
        assert not {name for name in attributes if name.startswith("on") or name == "src"}
        assert (attributes.get("href") or "#").startswith("#")
    assert not re.search(r"https?:|//|@import|url\(", page.source.replace("</", ""))


@EVERY_KIND
def test_links_lead_to_sections(given):
    page = usual_page(given)
    sections = {section["id"] for section in page.names("section")}
    links = [link["href"] for link in page.names("a")]
    assert {f"#{name}" for name in sections} == set(links)
    identifiers = [attributes["id"] for _, attributes in page.tags if "id" in attributes]
    assert len(set(identifiers)) == len(identifiers)


@EVERY_KIND
def test_every_picture_says_what_it_shows(given):
    pictures = usual_page(given).pictures()
    assert len(pictures) > 10
    for picture in pictures:
        assert picture.get("role") == "img"
        assert picture.get("aria-label")
        for node in picture.iter():
            assert "nan" not in "".join(node.attrib.values()).split()


@EVERY_KIND
def test_every_table_has_a_caption_and_its_heads_a_scope(given):
    page = usual_page(given)
    assert len(page.names("table")) == len(page.names("caption"))
    assert all(head.get("scope") in ("row", "col") for head in page.names("th"))
    assert "nan" not in page.text.split()


def test_both_looks_and_paper_are_provided_for():
    source = usual_page(binary).source
    for rule in ("prefers-color-scheme: dark", "@media print", "size: A4"):
        assert rule in source


@EVERY_KIND
def test_the_same_arguments_give_the_same_bytes(tmp_path, given):
    first = usual_page(given).source
    assert written(tmp_path, given()).source == first
    assert written(tmp_path, given(), seed=4).source != first


def test_the_date_is_now_unless_it_is_given(tmp_path):
    page = written(tmp_path, binary(), date=None)
    assert re.search(r"Report written 20\d\d-\d\d-\d\d \d\d:\d\d", page.text)


HOSTILE = "</style><script>alert('1')</script><img src=x onerror=\"a&b\">"


def test_whatever_a_table_holds_is_shown_and_never_run(tmp_path):
    table = binary_table()
    table = table.with_columns(
        pl.format("{}{}", "colour", pl.lit(HOSTILE)), pl.format("{}{}", "ripe", pl.lit(HOSTILE))
    ).rename({name: f"{name}{HOSTILE}" for name in table.columns})
    page = written(
        tmp_path,
        trained(table, f"ripe{HOSTILE}"),
        command=f"chainrule train '{HOSTILE}'",
        notes=[HOSTILE],
        versions={HOSTILE: HOSTILE},
        date=HOSTILE,
    )
    tags = {tag for tag, _ in page.tags}
    assert not tags & {"script", "img"}
    assert page.source.count("<style>") == page.source.count("</style>") == 1
    assert page.text.count(HOSTILE) > 10
    assert len(page.pictures()) > 10


def test_characters_that_no_page_can_hold_do_not_stop_it(tmp_path):
    table = binary_table().rename({"size": "si\x00ze\x1b", "ripe": "\u202eripe\ufffe"})
    page = written(tmp_path, trained(table, "\u202eripe\ufffe"), command="chainrule \udc80")
    assert r"si\x00ze\x1b" in page.text
    assert r"\u202eripe\ufffe" in page.text
    assert len(page.pictures()) > 10


def test_the_report_says_how_good_the_model_is():
    model, parts, _ = binary()
    page = usual_page(binary)
    accuracy = model.evaluate(parts["test"])["accuracy"]
    assert f"in {100 * accuracy:.1f}% of cases (95% interval" in page.text
    assert "better than always predicting" in page.text
    assert "Better than guessing" in page.text


def test_the_report_says_how_far_a_regression_misses(tmp_path):
    model, parts, history = values()
    page = written(tmp_path, (model, parts, history))
    rmse = model.evaluate(parts["test"])["rmse"]
    assert f"price with an RMSE of {rmse:.1f} (95% interval" in page.text
    assert re.search(r"Ridge regression \(RMSE [\d.]+\): the network is better in RMSE", page.text)
    assert re.search(r"Boosted trees \(RMSE [\d.]+\): the", page.text)


def test_a_useless_network_is_called_so(tmp_path):
    page = written(tmp_path, pure_noise())
    assert "This network is useless here." in page.text


def test_command_versions_seed_notes_and_date_are_there(tmp_path):
    page = written(
        tmp_path,
        binary(),
        command="chainrule train fruit.csv --target ripe",
        versions={"chainrule": "1.2.3", "NumPy": "4.5.6"},
        notes=["column 'ripeness' alone predicts the target"],
        seed=77,
        date="a Tuesday",
    )
    for words in (
        "chainrule train fruit.csv --target ripe",
        "1.2.3",
        "4.5.6",
        "column 'ripeness' alone predicts the target",
        "77",
        "a Tuesday",
    ):
        assert words in page.text


def test_columns_that_were_left_out_are_named_with_the_reason(tmp_path):
    table = binary_table().with_columns(pl.lit(1.0).alias("always one"))
    model, parts, history = trained(table, "ripe")
    page = written(tmp_path, (model, parts, history))
    (note,) = model.encoder.dropped_
    assert str(note) in page.text
    assert "left out" in page.text
    assert page.text.count(str(note)) == 1
    again = written(tmp_path, (model, parts, history), notes=[str(note)])
    assert again.text.count(str(note)) == 1


def test_the_worst_mistakes_are_rows_of_the_table():
    model, parts, _ = values()
    test = parts["test"]
    errors = (model.predict(test)["prediction"] - test["price"]).abs()
    worst = int(errors.arg_max())
    page = usual_page(values)
    text = page.text[page.text.index("The worst mistakes") :]
    assert f" {worst + 1} " in text
    assert f"{test['area'][worst]:.6g}".replace("-", "−") in text


def test_without_mistakes_there_are_none(tmp_path):
    table = pl.DataFrame({"x": [0.0, 1.0] * 100, "y": ["no", "yes"] * 100})
    page = written(tmp_path, trained(table, "y", epochs=60))
    assert "There are none: every row is classified correctly." in page.text


def test_missing_values_are_counted_and_shown(tmp_path):
    table = binary_table().with_columns(
        pl.when(pl.int_range(pl.len()) % 4 == 0).then(None).otherwise(pl.col("size")).alias("size")
    )
    page = written(tmp_path, trained(table, "ripe", epochs=3))
    assert "25.0%" in page.text
    assert "missing" in page.text


def test_dates_are_shown_with_their_span(tmp_path):
    day = pl.date(2024, 1, 1) + pl.duration(days=pl.int_range(pl.len()))
    model, parts, history = trained(binary_table().with_columns(day.alias("day")), "ripe", epochs=2)
    page = written(tmp_path, (model, parts, history))
    days = parts["train"]["day"]
    assert f"{days.min()} to {days.max()}" in page.text


def test_without_test_rows_the_validation_rows_judge_with_a_warning(tmp_path):
    model, parts, history = binary()
    rest = {name: parts[name] for name in ("train", "validation")}
    page = written(tmp_path, (model, rest, history))
    assert "There are no test rows." in page.text
    assert "100 validation rows" in page.text


@pytest.mark.parametrize("names", [["train"], ["test"], [], ["train", "other"]])
def test_without_rows_to_learn_from_or_to_judge_by_there_is_no_report(tmp_path, names):
    model, parts, history = binary()
    given = {name: parts.get(name, parts["test"]) for name in names}
    with pytest.raises(InvalidArgumentError, match="parts: expected"):
        written(tmp_path, (model, given, history))
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("given", [binary, values])
@pytest.mark.parametrize("rows", [1, 2, 3])
def test_hardly_any_test_rows_still_make_a_report(tmp_path, given, rows):
    model, parts, history = given()
    page = written(tmp_path, (model, parts | {"test": parts["test"][:rows]}, history))
    assert f"{rows} test row" in page.text
    assert page.pictures()


def test_test_rows_of_one_class_still_make_a_report(tmp_path):
    model, parts, history = binary()
    rows = parts["test"].filter(pl.col("ripe") == "yes")
    page = written(tmp_path, (model, parts | {"test": rows}, history))
    assert "All scored rows are of one class" in page.text


def test_a_target_that_is_the_same_in_all_test_rows_still_makes_a_report(tmp_path):
    model, parts, history = values()
    rows = parts["test"].with_columns(pl.lit(300.0).alias("price"))
    assert written(tmp_path, (model, parts | {"test": rows}, history)).pictures()


@pytest.mark.parametrize("kind", [int, bool, float])
def test_classes_that_are_no_text_still_make_a_report(tmp_path, kind):
    table = binary_table().with_columns(
        pl.Series("ripe", [kind(word == "yes") for word in binary_table()["ripe"]])
    )
    page = written(tmp_path, trained(table, "ripe", epochs=3))
    assert f"“{kind(1)}”" in page.text


def test_a_history_without_epochs_still_makes_a_report(tmp_path):
    model, parts, _ = binary()
    page = written(tmp_path, (model, parts, History()))
    assert "The history has no epochs." in page.text


@pytest.mark.parametrize(
    "layers",
    [
        [cr.Dense(2, "softmax")],
        [cr.Dense(1, "sigmoid")],
        [cr.Dense(4, "relu"), cr.BatchNorm("relu"), cr.Dropout(0.2), cr.Dense(2, "softmax")],
        [cr.Dense(60, "relu")] * 8 + [cr.Dense(2, "softmax")],
    ],
    ids=["no hidden layer", "one output", "other kinds of layers", "deep and wide"],
)
def test_any_network_can_be_reported(tmp_path, layers):
    model, parts, history = binary()
    cost = "binary_cross_entropy" if layers[-1].units == 1 else "cross_entropy"
    network = cr.Network([model.encoder.n_inputs, *layers], cost=cost, seed=0)
    untrained = TableModel(network, model.encoder, model.target)
    page = written(tmp_path, (untrained, parts, history))
    assert any(
        (picture.get("aria-label") or "").startswith("The network, layer by layer")
        for picture in page.pictures()
    )


def test_a_network_of_zeros_can_be_reported(tmp_path):
    model, parts, history = values()
    network = cr.Network([model.encoder.n_inputs, cr.Dense(1, "identity")], cost="mse", seed=0)
    network.parameters = np.zeros(len(network.parameters))
    page = written(tmp_path, (TableModel(network, model.encoder, model.target), parts, history))
    assert "This network is useless here." in page.text


def test_many_columns_are_folded_and_none_is_lost(tmp_path):
    generator = np.random.default_rng(0)
    table = value_table().with_columns(
        pl.Series(f"column {index:03d}", generator.normal(size=400)) for index in range(200)
    )
    page = written(tmp_path, trained(table, "price", epochs=2))
    assert len(page.names("details")) >= 3
    for index in (0, 100, 199):
        assert f"column {index:03d}" in page.text


def test_a_very_common_class_is_reported_by_probabilities(tmp_path):
    table = binary_table(rows=800).with_columns(
        pl.Series("ripe", ["no" if row % 16 else "yes" for row in range(800)])
    )
    page = written(tmp_path, trained(table, "ripe", epochs=2))
    assert "The increase in log loss when" in page.text


def test_of_long_tables_a_sample_is_used_and_the_report_says_so(tmp_path, monkeypatch):
    monkeypatch.setattr("chainrule.report.sections.data._MOST_ROWS", 50)
    model, parts, history = binary()
    page = written(tmp_path, (model, parts, history))
    assert "From a random sample of 50 training rows." in page.text


def test_what_cannot_be_written_leaves_what_was_there(tmp_path):
    path = tmp_path / "report.html"
    path.write_text("before")
    model, parts, history = binary()
    broken = parts | {"test": parts["test"].drop("size")}
    with pytest.raises(ValueError, match="size"):
        written(tmp_path, (model, broken, history))
    assert path.read_text() == "before"
    assert list(tmp_path.iterdir()) == [path]


def test_a_column_that_says_nothing_is_outlined_and_named():
    page = usual_page(binary)
    assert "The interval of 1 column contains 0 (outlined bars: noise)" in page.text
    assert page.source.count('class="bar noise"') == 1


def test_scores_name_their_intervals_and_the_trees_their_rows(tmp_path, monkeypatch):
    monkeypatch.setattr(trees, "_FEWEST_ROWS", 50)
    monkeypatch.setattr(trees, "_MOST_CELLS", 300)
    page = written(tmp_path, binary())
    assert "Accuracy: Wilson’s interval" in page.text
    assert "Accuracy: Tango’s interval" in page.text
    assert "each category as one column, fitted to 100 of the 200 training rows" in page.text
    assert "With all rows, these models might be better" in page.text
    assert "fitted to 100 of 200 training rows" in page.text


def test_every_value_of_a_table_has_its_columns_title_for_narrow_screens():
    for given in (binary, values, many_classes):
        page = usual_page(given)
        cells = [one for one in page.names("td") if "picture" not in (one.get("class") or "")]
        labelled = [one for one in cells if "data-label" in one]
        assert len(labelled) > 20
        assert all("<" not in one["data-label"] for one in labelled)


def test_the_calibration_error_stands_beside_that_of_chance():
    page = usual_page(binary)
    assert re.search(r"\(15 bins of equally many rows\) is [\d.]+\. Perfectly", page.text)


def test_classes_whose_names_begin_alike_are_told_apart_in_the_confusion_matrix(tmp_path):
    _, parts, _ = many_classes()
    table = pl.concat(parts.values()).with_columns(
        pl.format("a kind of rather long name: {}", "kind").alias("kind")
    )
    page = written(tmp_path, trained(table, "kind", epochs=2))
    heat = next(one for one in page.pictures() if "Confusion" in one.get("aria-label", ""))
    names = [node.text for node in heat.iter() if (node.text or "").startswith("a kin")]
    assert len(names) == 2 * len(set(names)) == 60


def test_the_most_frequent_confusions_are_listed_beside_a_large_map():
    page = usual_page(many_classes)
    (shown,) = (one for one in page.names("figure") if "large-map" in (one.get("class") or ""))
    assert shown["class"] == "wide large-map"
    assert not [one for one in page.names("summary") if "confusions" in str(one)]
    assert "confusions" in {one.get("class") for one in page.names("table")}
    few = usual_page(binary)
    assert not [one for one in few.names("figure") if "large-map" in (one.get("class") or "")]


def test_the_line_of_a_mistake_is_never_broken(tmp_path):
    given = binary()
    _, parts, _ = given
    lines = {
        name: RowNumbers(np.arange(1, table.height + 1), np.arange(2, table.height + 2))
        for name, table in parts.items()
    }
    page = written(tmp_path, given, numbers=lines)
    kinds = [one["class"] for one in page.names("td") if one.get("data-label") == "Line"]
    assert kinds
    assert set(kinds) == {"number line"}


def test_the_frame_of_a_notebook_allows_nothing_so_that_links_stay_in_the_page():
    shown = Page(Report('<p title="a">&amp;</p>', "text")._repr_html_())
    (frame,) = shown.names("iframe")
    assert frame["sandbox"] == ""
    assert frame["srcdoc"] == '<p title="a">&amp;</p>'
