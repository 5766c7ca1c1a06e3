import numpy as np
import polars as pl
import pytest

from chainrule.errors import InvalidModelFileError, InvalidTableError
from chainrule.tables.missing_words import MISSING_IN_TEXT, MISSING_WORDS, missing_key
from chainrule.tables.spellings import fold, groups_of_spellings, told
from chainrule.tables.target import TargetEncoder


@pytest.mark.parametrize(
    ("text", "other", "same"),
    [
        ("Yes", " yEs ", True),
        ("New York", "new  york", True),
        ("Straße", "STRASSE", True),
        ("yes", "yes\u00a0", True),
        ("a b", "ab", False),
        ("résumé", "resume", False),
        ("01", "1", False),
    ],
)
def test_spellings_differ_by_case_and_spaces_alone(text, other, same):
    assert (fold(text) == fold(other)) is same


def test_the_most_frequent_spelling_names_the_class_and_the_first_of_equals():
    counts = {"yes": 5, "YES": 9, "No": 2, "no": 2, "maybe": 1}
    groups = groups_of_spellings(counts)
    assert groups == {"YES": ["YES", "yes"], "No": ["No", "no"]}
    assert told(groups, counts) == "'YES' (9), 'yes' (5); 'No' (2), 'no' (2)"


def test_merged_classes_are_read_in_every_spelling_and_survive_a_file():
    target = TargetEncoder("classification", "y", ("No", "yes"), merged=True)
    column = pl.Series("y", [" YES", "no", "yes", "NO  "])
    assert target.encode(column).tolist() == [1, 0, 1, 0]
    assert TargetEncoder.from_file(*target.to_file()) == target
    apart = TargetEncoder("classification", "y", ("No", "yes"))
    with pytest.raises(InvalidTableError, match="none of the model's classes"):
        apart.encode(column)


@pytest.mark.parametrize("classes", [("a", "A "), (1, 2)])
def test_classes_that_cannot_be_merged_are_refused_in_a_file(classes):
    target = TargetEncoder("classification", "y", classes, merged=True)
    with pytest.raises(InvalidModelFileError, match="target encoder cannot be used"):
        TargetEncoder.from_file(*target.to_file())


def test_codes_with_leading_zeros_are_classes_of_their_own_text():
    column = pl.Series("code", ["01", "02", "10", "1"] * 5)
    target = TargetEncoder.fit(column)
    assert target.classes == ("01", "02", "1", "10")
    outputs = [[index == place for place in range(4)] for index in target.encode(column)]
    assert target.decode(np.array(outputs, float)).to_list() == column.to_list()
    assert TargetEncoder.from_file(*target.to_file()) == target


def test_words_that_people_mean_are_missing_among_numbers_alone():
    for word in ("none", "None", "-", "unknown", "missing", "na", "Na", "Nan (bread)"):
        assert word not in MISSING_IN_TEXT
    assert {missing_key(word) for word in MISSING_IN_TEXT} <= MISSING_WORDS
    assert {missing_key(word) for word in ("NaN", " n/a ", "NULL", "#DIV/0!", "-")} <= MISSING_WORDS
