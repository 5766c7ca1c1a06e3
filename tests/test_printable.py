import unicodedata

import pytest

import chainrule as cr
from chainrule.errors import ChainruleError, CheckpointWriteError, InvalidTableError
from chainrule.printable import printable
from chainrule.tables.notes import Note

STEERING = {"Cc", "Cf", "Cs", "Zl", "Zp"}


def test_every_control_and_format_character_of_unicode_is_seen():
    letters = [chr(code) for code in range(0x110000)]
    for letter in letters:
        if unicodedata.category(letter) in STEERING:
            assert printable(letter).isascii()
            assert printable(letter)[0] == "\\"


@pytest.mark.parametrize(
    "text", ["", "Größe (m²)", "年齢", "цена", "a b\u00a0c", "[red]x[/red]", r"C:\x1b", "❤\ufe0f"]
)
def test_what_can_be_seen_stays_as_it_is(text):
    assert printable(text) == text


@pytest.mark.parametrize(
    "text", ["\x1b[2J", "\x9b", "\u202e", "\u2028", "\ufeff", "\t\r\n", "\U000e0041"]
)
def test_escapes_are_those_of_python(text):
    assert printable(text) == repr(text)[1:-1]


def test_a_byte_of_a_name_that_is_no_text_is_that_byte():
    assert printable(b"a\xffb".decode("utf-8", "surrogateescape")) == r"a\xffb"


def test_invisible_letters_and_fillers_are_seen():
    for letter in "\u034f\u115f\u1160\u17b4\u3164\uffa0\ufe00\ufdd0\U000e0100":
        assert printable(letter) == letter.encode("ascii", "backslashreplace").decode()


def test_what_is_kept_is_kept():
    assert printable("a\nb\tc\x1b", keep="\n") == "a\nb\\tc\\x1b"


@pytest.mark.parametrize("kind", [ChainruleError, CheckpointWriteError, InvalidTableError])
def test_an_error_is_one_line_that_can_be_printed(kind):
    error = kind("a\x1b[2J\x9b.csv\nchainrule: all is well")
    assert str(error) == r"a\x1b[2J\x9b.csv\nchainrule: all is well"
    assert error.args == ("a\x1b[2J\x9b.csv\nchainrule: all is well",)


def test_an_error_about_a_file_shows_its_name(tmp_path):
    path = tmp_path / "none\x1b[2J\u202e.safetensors"
    with pytest.raises(ChainruleError, match=r"none\\x1b\[2J\\u202e\.safetensors"):
        cr.load(path)


def test_a_note_is_one_line_that_can_be_printed():
    assert str(Note("", "was\n\x9bfound", "do\u2028so")) == r"was\n\x9bfound; do\u2028so"
    assert printable(Note("a\x1b", "was found", "do")) == str(Note("a\x1b", "was found", "do"))
