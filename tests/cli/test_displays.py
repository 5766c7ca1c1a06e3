"""Tables on standard output, at the width of a terminal."""

import pytest

from chainrule.cli.displays import confusion_table, console


def shown(names, capsys):
    counts = [[10 * (row == column) for column in range(len(names))] for row in range(len(names))]
    scores = {"confusion_matrix": {"classes": names, "counts": counts}}
    console().print(confusion_table(scores))
    return capsys.readouterr().out


@pytest.mark.parametrize("count", [6, 10, 12])
def test_long_names_of_classes_are_whole_and_their_columns_are_numbered(count, capsys):
    names = [f"a number like {index}" for index in range(count)]
    lines = [line.strip() for line in shown(names, capsys).splitlines() if line.strip()]
    assert lines[0].split() == ["true", "\\", "predicted", *map(str, range(1, count + 1))]
    assert len(lines) == count + 2
    for index, line in enumerate(lines[2:]):
        assert line.startswith(f"{index + 1} {names[index]} ")
    assert max(map(len, lines)) <= 80


def test_short_names_of_classes_head_their_columns(capsys):
    assert shown(["cat", "dog", "owl"], capsys).split()[:6] == [
        *("true", "\\", "predicted"),
        *("cat", "dog", "owl"),
    ]
