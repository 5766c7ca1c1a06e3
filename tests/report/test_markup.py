import html

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chainrule.printable import printable
from chainrule.report.markup import Html, breakable, element, join, text


@given(st.text())
def test_text_and_attributes_come_back_as_they_were(value):
    shown = element("p", value, title=value)
    inside = shown.removeprefix('<p title="').removesuffix("</p>")
    attribute, content = inside.split('">', 1)
    assert not set("<>\"'") & set(attribute)
    assert not set("<>\"'") & set(content)
    for escaped in (attribute, content):
        assert html.unescape(escaped) == printable(value, keep="\n\t")


@given(st.text())
def test_any_text_can_be_written_to_a_file(value):
    text(value).encode("utf-8")


def test_markup_is_not_escaped_again():
    assert element("b", element("i", "&")) == "<b><i>&amp;</i></b>"
    assert text(Html("<br>")) == "<br>"


def test_a_plain_string_is_never_markup():
    assert element("p", "<b>", "</p>") == "<p>&lt;b&gt;&lt;/p&gt;</p>"
    assert join(["<", Html("<br>")], "&") == "&lt;&amp;<br>"


@pytest.mark.parametrize(
    ("attributes", "expected"),
    [
        ({"class_": "a"}, '<p class="a"></p>'),
        ({"aria_label": "a"}, '<p aria-label="a"></p>'),
        ({"view_box": "0 0 1 1"}, '<p viewBox="0 0 1 1"></p>'),
        ({"hidden": True}, "<p hidden></p>"),
        ({"hidden": False, "title": None}, "<p></p>"),
        ({"x": 1.0, "y": -0.001, "z": 12.3456}, '<p x="1" y="0" z="12.35"></p>'),
    ],
)
def test_attributes(attributes, expected):
    assert element("p", **attributes) == expected


def test_nothing_is_left_out_and_zero_is_not_nothing():
    assert element("p", None, 0, "") == "<p>0</p>"


def test_a_name_may_break_where_its_words_end():
    assert breakable("a_b-c") == "a_<wbr>b-<wbr>c"
    assert breakable("<_<") == "&lt;_<wbr>&lt;"
    assert breakable("plain") == "plain"
