"""What to mark in the text of an article for one record: proponent, posts, cue and proposal."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import lru_cache
from typing import Any

from ..rules.lexicon import Lexicon, load_lexicon
from ..schema import Record
from ..sentences import line_ranges, sentence_ranges

Range = tuple[int, int]

#: Where a language has no lexicon: what ends a sentence in the scripts that we meet.
_STOP = re.compile(r"[.!?][\"”’)]*(?=\s|$)|[。！？][”’」』）]*")
#: Words between a name and a proposal that are no longer than this are shown as the cue where no cue verb is known.
_LONGEST_GAP = 90


@lru_cache(maxsize=8)
def lexicon_of(lang: str | None) -> Lexicon | None:
    """Return the lexicon of a language, or None where there is none."""
    try:
        return load_lexicon(lang) if lang else None
    except FileNotFoundError:
        return None


def article_marks(
    article_id: str, text: str, records: Iterable[Record], lexicon: Callable[[str | None], Lexicon | None] = lexicon_of
) -> dict[str, Any]:
    """Return the text of an article and, for each record, its marks and scores, ready for `json.dumps`.

    Ranges are code points, half open, as in the records themselves.
    """
    found: dict[str, Any] = {}
    pipeline, models = "", {}
    for record in records:
        who, proposal = record.delegate, record.proposal
        spans = [(span.start, span.end) for span in proposal.spans]
        mentions = [(place.start, place.end) for place in who.mentions]
        posts = [place for role in who.roles for place in post_ranges(text, role.start, role.end, role.organization)]
        found[record.record_id] = {
            "spans": spans,
            "mentions": mentions,
            "posts": posts,
            "cues": cue_ranges(text, spans, [*mentions, *posts], lexicon(record.document.lang)),
            "roles": [[role.title, role.organization] for role in who.roles],
            "topics": [[topic.label, topic.score] for topic in proposal.topics],
            "link": who.score,
            "proposal": proposal.id,
        }
        pipeline, models = record.provenance.pipeline, record.provenance.models
    return {"id": article_id, "text": text, "records": found, "pipeline": pipeline, "models": models}


def post_ranges(text: str, start: int, end: int, organization: str | None) -> list[Range]:
    """Return where a role stands, and its organization where that is named in the same line."""
    found = [(start, end)] if start < end else []
    if organization:
        begin, stop = _line(text, start)
        places = [match.span() for match in re.finditer(re.escape(organization), text[begin:stop])]
        if places:
            near = min(places, key=lambda place: abs(begin + place[0] - end))
            found.append((begin + near[0], begin + near[1]))
    return found


def cue_ranges(text: str, spans: Sequence[Range], anchors: Sequence[Range], lexicon: Lexicon | None) -> list[Range]:
    """Return the words that tie a proposal to its proponent: a cue verb in the sentence of a span, outside the spans.

    Nobody stored them, so they are looked up again: the verb of the lexicon that is nearest to the span, before it or
    else behind it; without one, the short stretch between the span and the nearest of `anchors` in its sentence.
    """
    found: list[Range] = []
    for start, end in spans:
        begin, stop = _sentence(text, start, end, lexicon)
        before = (max([begin, *(e for _, e in spans if e <= start)]), start)
        behind = (end, min([stop, *(s for s, _ in spans if s >= end)]))
        cue = _verb(text, before, behind, lexicon) if lexicon else None
        cue = cue or _gap(text, before, [place for place in anchors if place[1] <= start])
        if cue and cue not in found:
            found.append(cue)
    return sorted(found)


def _verb(text: str, before: Range, behind: Range, lexicon: Lexicon) -> Range | None:
    for pattern in (lexicon.propose, lexicon.say, lexicon.according):
        ahead = list(pattern.finditer(text, *before))
        if ahead:
            return ahead[-1].span()
    for pattern in (lexicon.passive, lexicon.propose, lexicon.say, lexicon.according):
        match = pattern.search(text, *behind)
        if match:
            return match.span()
    return None


def _gap(text: str, before: Range, anchors: Sequence[Range]) -> Range | None:
    """Return what stands between the last anchor and the span, without the spaces and commas at its edges."""
    begin = max([end for _, end in anchors if end > before[0]], default=None)
    if begin is None or not 0 < before[1] - begin <= _LONGEST_GAP:
        return None
    words = re.compile(r"[^\s,，、(（)）“\"].*?(?=[\s,，、“\"]*$)", re.DOTALL).search(text[begin : before[1]])
    return (begin + words.start(), begin + words.end()) if words else None


def _line(text: str, at: int) -> Range:
    begin = max(text.rfind(mark, 0, at) for mark in "\n\r\u2028\u2029") + 1
    stops = [stop for mark in "\n\r\u2028\u2029" if (stop := text.find(mark, at)) >= 0]
    return begin, min(stops, default=len(text))


def _sentence(text: str, start: int, end: int, lexicon: Lexicon | None) -> Range:
    """Return the range of the sentences that a span stands in, on its own lines."""
    begin, stop = _line(text, start)[0], _line(text, max(start, end - 1))[1]
    for place in _sentences(text, begin, stop, lexicon):
        if place[0] <= start:
            begin = place[0]
        # A quotation may end with the sentence mark; who said it stands in the sentence behind.
        if place[1] > end or (place[1] == end and text[end : end + 1] == ""):
            return begin, place[1]
    return begin, stop


def _sentences(text: str, begin: int, stop: int, lexicon: Lexicon | None) -> Iterator[Range]:
    mark, known = (lexicon.sentence_end, lexicon.abbreviations) if lexicon else (_STOP, frozenset[str]())
    for first, last in line_ranges(text[begin:stop]):
        yield from sentence_ranges(text, begin + first, begin + last, mark, known)
