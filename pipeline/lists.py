"""Entries of list digests, "membership and role, name: text": where the text behind a label begins."""

from __future__ import annotations

import re
from collections.abc import Sequence

from .rules.lexicon import Lexicon
from .schema import Mention
from .scripts import word_count
from .sentences import line_ranges

# A word, or in Chinese a run of them.
_WORD = re.compile(r"[^\W\d_]+")
# Marks that Markdown leaves around a label.
_EMPHASIS = "*_"
#: A label longer than this is a sentence with a colon in it; in characters of English.
LONGEST_LABEL = 320
# A label names people and their posts; so many other words may stand between these, and so many characters
# where each says as much as a part of a word.
_MOST_OTHER_WORDS, _MOST_OTHER_CHARACTERS = 3, 6


def entry_start(text: str, start: int, end: int, mentions: Sequence[Mention], lexicon: Lexicon) -> int | None:
    """Return where the text of a list entry begins on the line from `start` to `end`, or None where it is no entry.

    The label before the colon holds a person and a membership, or an organization that submits, and next to nothing
    but mentions: a line whose label is a clause of its own is a sentence.
    """
    colon = lexicon.label.search(text, start, min(end, start + lexicon.reach(LONGEST_LABEL)))
    if colon is None:
        return None
    inside = [m for m in mentions if start <= m.start and m.end <= colon.start()]
    kinds = {mention.label for mention in inside}
    party = any(m.label == "ORG" and m.start - start <= 6 and lexicon.parties.fullmatch(m.text) for m in inside)
    if not ({"PERSON", "BODY"} <= kinds or party):
        return None
    left, at = "", start
    for mention in sorted(inside, key=lambda m: m.start):
        left += text[at : max(at, mention.start)] + " "
        at = max(at, mention.end)
    left += text[at : colon.start()]
    if any(mark in left for pair in lexicon.quotes for mark in pair):
        return None
    others = [word for word in _WORD.findall(left) if word.casefold() not in lexicon.glue]
    if len(others) > _MOST_OTHER_WORDS:
        return None
    if lexicon.density > 1 and sum(map(word_count, others)) > _MOST_OTHER_CHARACTERS:
        return None
    if any(lexicon.says(word) for word in others):
        return None
    begin = colon.end()
    while begin < end and (text[begin].isspace() or text[begin] in _EMPHASIS):
        begin += 1
    return begin if begin < end else None


def entry_text(text: str, begin: int, end: int, lexicon: Lexicon) -> tuple[int, int]:
    """Return what of a list entry's text is proposed: without quotation marks around it, marks of emphasis, and what
    says behind a closing quotation mark who said it.
    """
    pair = next(((a, b) for a, b in lexicon.quotes if text.startswith(a, begin)), None)
    if pair is not None:
        opening, closing = pair
        first = begin + len(opening)
        last = text.rfind(closing, first, end)
        # A term in quotation marks opens an entry too: the marks are around all of it where none opens inside, and
        # nothing follows but who says so.
        if last > 0 and opening not in text[first:last]:
            behind = _WORD.findall(text[last + len(closing) : end])
            if not behind or any(lexicon.says(word) for word in behind):
                begin, end = first, last
    while end > begin and (text[end - 1].isspace() or text[end - 1] in _EMPHASIS):
        end -= 1
    return begin, end


def entries(text: str, mentions: Sequence[Mention], lexicon: Lexicon) -> list[tuple[int, int, int]]:
    """Return where the label, the text and the end of each list entry of an article are."""
    found = []
    for start, end in line_ranges(text):
        begin = entry_start(text, start, end, mentions, lexicon)
        if begin is not None:
            found.append((start, begin, end))
    return found


def bare_organization(
    text: str,
    post: tuple[int, int],
    label_end: int,
    known: str | None,
    lexicon: Lexicon,
    people: Sequence[Mention] = (),
) -> str | None:
    """Return the organization behind a post in a label, where it is a name that nothing else shows to be one.

    `known` is what the recogniser took for it: kept, but for words right before it which are its first. It ends where
    one of the `people` begins ("chairman of Lanhe Luo Wen").
    """
    label_end = min((m.start for m in people if post[1] <= m.start < label_end), default=label_end)
    found = lexicon.organization_behind_post.match(text, post[1], label_end)
    if known:
        at = text.find(known, post[1], label_end)
        if found and found.start(1) < at and lexicon.organization_begins.fullmatch(text, found.start(1), at):
            return text[found.start(1) : at] + known
        return known
    return found[1] if found and lexicon.post_at_organization.search(text[post[0] : post[1]]) else None
