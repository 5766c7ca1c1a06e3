"""The comparison of the best configuration of a search with the default one, on the same rows."""

from chainrule.report.markup import Html, element
from chainrule.report.sections.elements import section, table
from chainrule.report.subject import Subject


def search(subject: Subject) -> Html:
    """Return the section; empty without a search."""
    found = subject.comparison
    if found is None:
        return Html("")
    first, second = found.names
    columns = [("Measure", ""), (first, "number"), (second, "number"), ("Difference", "number")]
    return section(
        "search",
        "What the search gained",
        found.sentence,
        table(
            f"Scores of {first} and of {second}",
            [(title[:1].upper() + title[1:], kind) for title, kind in columns],
            found.table(),
        ),
        element(
            "p",
            "The search selected by validation loss and did not use the rows of this table. 95% "
            "intervals are in parentheses; those of the differences are paired.",
            class_="fine",
        )
        if found.part == "test"
        else None,
    )
