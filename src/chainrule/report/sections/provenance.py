"""How the model was made: the command and the versions that reproduce it."""

from chainrule.number_texts import plain
from chainrule.report.markup import Html, element, join
from chainrule.report.sections.elements import section
from chainrule.report.subject import Subject


def provenance(subject: Subject) -> Html:
    """Return the section."""
    entries = [("Seed", plain(subject.seed)), ("Report written", subject.date)]
    entries += sorted(subject.versions.items(), key=lambda entry: entry[0].lower())
    items = [
        element("div", element("dt", name), element("dd", value), class_="entry")
        for name, value in entries
    ]
    return section(
        "provenance",
        "How it was made",
        "The same command with the same versions and rows gives the same model.",
        element("pre", element("code", subject.command)),
        element("dl", join(items), class_="entries"),
    )
