"""Texts that differ in case and spaces alone, and may be meant to be the same."""

from collections.abc import Mapping, Sequence
from typing import Any


def fold(text: Any) -> str:
    """Return the key that all spellings of a text share: lower case, single inner spaces."""
    return " ".join(str(text).casefold().split())


def groups_of_spellings(counts: Mapping[str, int]) -> dict[str, list[str]]:
    """Return the texts of which there are several spellings: {the most frequent: all of them}.

    Parameters
    ----------
    counts : mapping
        Of each text, how often it is there. Of equally frequent ones the first by code points
        stands for all.
    """
    found: dict[str, list[str]] = {}
    for text in sorted(counts, key=lambda text: (-counts[text], text)):
        found.setdefault(fold(text), []).append(text)
    return {texts[0]: texts for texts in found.values() if len(texts) > 1}


def told(groups: Mapping[str, Sequence[str]], counts: Mapping[str, int], most: int = 5) -> str:
    """Return the spellings of each text with their counts, in words."""
    shown = [
        ", ".join(f"{text!r} ({counts[text]:,})" for text in texts)
        for texts in list(groups.values())[:most]
    ]
    more = f"; and of {len(groups) - most} more" if len(groups) > most else ""
    return "; ".join(shown) + more
