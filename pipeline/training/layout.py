"""How a training article's page is set and spoiled: edits that move annotations, order of lists, marks, noise."""

from __future__ import annotations

import random
import re
from collections.abc import Sequence
from dataclasses import dataclass, replace

from ..corpus import AnnotatedArticle


@dataclass(frozen=True)
class Edit:
    """Replace the characters from `start` to `end`."""

    start: int
    end: int
    text: str


def apply_edits(gold: AnnotatedArticle, edits: Sequence[Edit]) -> AnnotatedArticle:
    """Return the article with non-overlapping edits made and every annotation moved; edits at a border stay on their
    side.

    An edit lies wholly inside or outside of each annotation.
    """
    ordered = sorted(edits, key=lambda edit: edit.start)
    text, at = gold.article.text, 0
    pieces: list[str] = []
    for edit in ordered:
        if edit.start < at:
            raise ValueError(f"{gold.article.id}: edits overlap at {edit.start}")
        pieces.extend((text[at : edit.start], edit.text))
        at = edit.end
    pieces.append(text[at:])

    starts = [edit.start for edit in ordered]
    growth = [0]
    for edit in ordered:
        growth.append(growth[-1] + len(edit.text) - (edit.end - edit.start))

    def move(offset: int, is_end: bool) -> int:
        low, high = 0, len(ordered)
        while low < high:
            middle = (low + high) // 2
            behind = ordered[middle].end <= offset if is_end else starts[middle] < offset
            low, high = (middle + 1, high) if behind else (low, middle)
        return offset + growth[low]

    return replace(
        gold,
        article=replace(gold.article, text="".join(pieces)),
        mentions=tuple(replace(m, start=move(m.start, False), end=move(m.end, True)) for m in gold.mentions),
        statements=tuple(replace(s, start=move(s.start, False), end=move(s.end, True)) for s in gold.statements),
    )


_STRAIGHT = {"“": '"', "”": '"', "‘": "'", "’": "'"}


def change_quotation_marks(gold: AnnotatedArticle) -> AnnotatedArticle:
    """Set curly marks straight, or straight double quotation marks curly."""
    text = gold.article.text
    if any(mark in text for mark in "“”"):
        return apply_edits(gold, [Edit(m.start(), m.end(), _STRAIGHT[m[0]]) for m in re.finditer("[“”‘’]", text)])
    edits, open_ = [], False
    for match in re.finditer(r'["\n]', text):
        if match[0] == "\n":
            open_ = False
            continue
        edits.append(Edit(match.start(), match.end(), "”" if open_ else "“"))
        open_ = not open_
    return apply_edits(gold, edits)


def change_line_gaps(gold: AnnotatedArticle) -> AnnotatedArticle:
    """Take the empty lines out, or put them in."""
    text = gold.article.text
    new = "\n" if "\n\n" in text else "\n\n"
    return apply_edits(gold, [Edit(m.start(), m.end(), new) for m in re.finditer(r"\n+", text)])


def reorder_entries(gold: AnnotatedArticle, random_: random.Random) -> AnnotatedArticle:
    """Shuffle the entries of lists: neighbouring lines that propose and share no people with others."""
    text = gold.article.text
    lines = [(match.start(), match.end()) for match in re.finditer(r"[^\n]+", text)]
    who = [
        {holder for m in gold.mentions if start <= m.start < end and m.label in ("PERSON", "REF") for holder in m.of}
        for start, end in lines
    ]
    speaks = [{by for s in gold.statements if start <= s.start < end for by in s.by} for start, end in lines]
    proposes = [any(s.n and start <= s.start < end for s in gold.statements) for start, end in lines]
    alone = [
        proposes[i] and bool(who[i]) and speaks[i] <= who[i]
        and not any(who[i] & (who[j] | speaks[j]) for j in range(len(lines)) if j != i)
        for i in range(len(lines))
    ]  # fmt: skip
    order = list(range(len(lines)))
    at = 0
    while at < len(order):
        end = at
        while end < len(order) and alone[end]:
            end += 1
        if end - at > 2:
            run = order[at:end]
            random_.shuffle(run)
            order[at:end] = run
        at = end + 1
    return _with_lines(gold, lines, order)


def _with_lines(gold: AnnotatedArticle, lines: Sequence[tuple[int, int]], order: Sequence[int]) -> AnnotatedArticle:
    """Return the article with its lines in another order; what stands between lines stays where it is."""
    text = gold.article.text
    pieces, shifts, at = [text[: lines[0][0]] if lines else text], {}, lines[0][0] if lines else len(text)
    for place, line in enumerate(order):
        start, end = lines[line]
        shifts[line] = at - start
        behind = lines[place + 1][0] if place + 1 < len(lines) else len(text)
        piece = text[start:end] + text[lines[place][1] : behind]
        pieces.append(piece)
        at += len(piece)

    def shift(offset: int) -> int:
        return next((shifts[i] for i, (start, end) in enumerate(lines) if start <= offset < end), 0)

    return replace(
        gold,
        article=replace(gold.article, text="".join(pieces)),
        mentions=tuple(
            sorted(
                (replace(m, start=m.start + shift(m.start), end=m.end + shift(m.start)) for m in gold.mentions),
                key=lambda m: (m.start, m.end),
            )
        ),
        statements=tuple(
            sorted(
                (replace(s, start=s.start + shift(s.start), end=s.end + shift(s.start)) for s in gold.statements),
                key=lambda s: (s.start, s.end),
            )
        ),
    )


# What pages lose or double, and how often where it could happen: a space behind a full stop, a space, an apostrophe.
_SPOILT = ((re.compile(r"(?<=[a-z][.,;]) (?=[A-Z“\"])"), "", 0.1), (re.compile(r"(?<=\w) (?=\w)"), "  ", 0.01))


def spoil(gold: AnnotatedArticle, random_: random.Random) -> AnnotatedArticle:
    """Spoil an article as real pages are: spaces missing or doubled, and sometimes a headline in capitals."""
    text = gold.article.text
    edits = [
        Edit(match.start(), match.end(), new)
        for pattern, new, rate in _SPOILT
        for match in pattern.finditer(text)
        if random_.random() < rate
    ]
    headline = text.split("\n", 1)[0]
    if random_.random() < 0.3 and len(headline.upper()) == len(headline):
        edits = [edit for edit in edits if edit.start > len(headline)]
        gold = replace(gold, article=replace(gold.article, text=headline.upper() + text[len(headline) :]))
    return apply_edits(gold, edits)
