"""Reading a trace back from what a person sees of it: the terminal's text, or the HTML."""

import re
from html.parser import HTMLParser

import numpy as np

_NUMBER = re.compile(r"-?(?:\d+(?:\.\d+)?(?:e[-+]?\d+)?|inf)$")


def numbers_of(line):
    """Return the numbers of a line of numbers; None if it is another line. A dot is no number."""
    words = line.split()
    if not words or not all(word == "·" or _NUMBER.match(word) for word in words):
        return None
    return [np.nan if word == "·" else float(word) for word in words]


def shaped(numbers, shape):
    return np.array(numbers).reshape([int(n) for n in shape.split(" × ")])


def from_text(text):
    """Return the arrays and numbers of a trace's text by name; none may be folded."""
    found, shapes, name = {}, {}, None
    for line in text.splitlines():
        array = re.match(r".{5} (\S.*?)  \((\d[\d × ]*)\)", line)
        number = re.match(r".{5} (\S.*?) = (\S+)(?:  |$)", line)
        numbers = numbers_of(line) if line.startswith("      ") else None
        if numbers is not None and name is not None:
            found[name] += numbers
        elif array and not line.startswith(" " * 7):
            name = array[1]
            found[name], shapes[name] = [], array[2]
        elif number and not line.startswith(" " * 7) and numbers_of(number[2]):
            found[number[1]], name = float(number[2]), None
        assert "…" not in line
    return {
        name: shaped(value, shapes[name]) if name in shapes else value
        for name, value in found.items()
    }


class _Terms(HTMLParser):
    def __init__(self):
        super().__init__()
        self.found, self.name, self.shape, self.pre, self.spans = {}, None, None, False, 0

    def handle_starttag(self, tag, attributes):
        given = dict(attributes)
        if "data-term" in given:
            self.name, self.shape, self.spans = given["data-term"], None, 0
        self.pre = tag == "pre"
        self.spans += tag == "span"

    def handle_endtag(self, tag):
        self.pre = False

    def handle_data(self, data):
        if self.pre:
            lines = [numbers_of(line) for line in data.splitlines()]
            if None not in lines:  # the last block of a term has all of its numbers
                numbers = [number for line in lines for number in line]
                self.found[self.name] = shaped(numbers, self.shape)
        elif self.name and self.spans == 2 and re.match(r"\d+( × \d+)*$", data):
            self.shape = data
        if self.name and self.spans == 2 and self.name not in self.found and numbers_of(data):
            self.found[self.name] = float(data)


def from_html(page):
    """Return the arrays and numbers of a trace's HTML by name, folded ones included."""
    parser = _Terms()
    parser.feed(page)
    return parser.found
