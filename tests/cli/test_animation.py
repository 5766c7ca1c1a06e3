"""The command animate."""

import pytest
from PIL import Image


def test_the_film_of_a_run_is_written(chainrule, light, tmp_path):
    path = tmp_path / "learning.gif"
    outcome = chainrule("animate", light, path, "--seconds", 1, "--fps", 3, "--size", "400x260")
    assert outcome.out == f"Written: {path}\n"
    with Image.open(path) as image:
        assert image.size == (400, 260)
        assert image.n_frames == 3


def test_a_quiet_command_says_nothing(chainrule, light, tmp_path):
    outcome = chainrule("animate", light, tmp_path / "f.html", "--fps", 1, "--quiet")
    assert (outcome.out, outcome.err) == ("", "")
    assert "<!doctype html>" in (tmp_path / "f.html").read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (("f.avi",), "FILE: expected a name that ends in .gif, .mp4 or .html"),
        (("f.gif", "--size", "big"), "--size: expected a width and a height"),
        (("f.gif", "--theme", "blue"), "--theme: expected light or dark"),
        (("f.gif", "--seconds", "-1"), "--seconds: expected a finite number > 0"),
        (("f.gif", "--table", "missing.csv"), "--table: the run cannot be repeated"),
    ],
)
def test_a_mistake_is_named_as_the_command_line_has_it(
    chainrule, light, tmp_path, options, message
):
    assert message in chainrule("animate", light, tmp_path / options[0], *options[1:]).sentence
