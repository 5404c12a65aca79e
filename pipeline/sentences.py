"""Lines and sentences of a text, as character ranges; nothing is normalised."""

from __future__ import annotations

import re

_LINE = re.compile(r"[^\r\n\u2028\u2029]+")
_LAST_WORD = re.compile(r"[\w.]*\w$")
# No abbreviation is longer than this, in characters.
_LONGEST_WORD = 30


def line_ranges(text: str) -> list[tuple[int, int]]:
    """Return the ranges of the lines that hold more than spaces, without the spaces at their edges."""
    found = []
    for match in _LINE.finditer(text):
        line = match[0]
        start = match.start() + len(line) - len(line.lstrip())
        end = match.start() + len(line.rstrip())
        if start < end:
            found.append((start, end))
    return found


def sentence_ranges(
    text: str, start: int, end: int, stop: re.Pattern[str], abbreviations: frozenset[str]
) -> list[tuple[int, int]]:
    """Return the ranges of the sentences between two offsets of one line.

    `stop` matches what may end a sentence; it does not where one of the `abbreviations` or a single capital stands
    before it.
    """
    found = []
    at = start
    for match in stop.finditer(text, start, end):
        if not is_stop(text, match.start(), abbreviations):
            continue
        found.append((at, match.end()))
        at = match.end()
        while at < end and text[at].isspace():
            at += 1
    if at < end:
        found.append((at, end))
    return found


def is_stop(text: str, at: int, abbreviations: frozenset[str]) -> bool:
    """Tell whether the mark at an offset may end a sentence: no full stop of an abbreviation or an initial does."""
    if text[at] != ".":
        return True
    word = _LAST_WORD.search(text, max(at - _LONGEST_WORD, 0), at)
    before = word[0] if word else ""
    return before not in abbreviations and not re.fullmatch(r"[A-Z]", before)
