"""Statement spans by labels, cue verbs and quotation marks."""

from __future__ import annotations

import re
from bisect import bisect, bisect_left
from collections.abc import Collection, Iterator, Sequence

from spacy.tokens import Doc

from ..document import mentions_of, set_statements
from ..lists import LONGEST_LABEL
from ..schema import PROPOSAL, SAYING, Mention
from ..scripts import chinese
from ..sentences import line_ranges, sentence_ranges
from .lexicon import Lexicon, load_lexicon

_SOURCES = ("PERSON", "REF", "ORG")
# Marks of Markdown that may close a label behind its colon.
_EMPHASIS = "*_"
# Distances are in characters of English; `Lexicon.reach` counts them in those of a language.
# A name farther from a membership than this is not its holder's.
_NEAR = 160
# A cue verb farther behind its source than this has another one; in front of it may stand who the source is.
_CUE, _CUE_BEHIND_COMMA = 40, 220
# What is shorter than this is no statement, and within quotation marks a term.
_SHORTEST, _SHORTEST_QUOTE = 12, 20
# A source is not that of a verb behind one of these.
_BREAK = re.compile(r"[.;:“\"。；：]")
# What a statement neither begins nor ends with; a comma or colon may close it.
_QUOTATION_MARKS = "“”\"‘’'「」『』"
_COMMAS = ",，"
_BEFORE_STATEMENT = f"{_QUOTATION_MARKS}{_COMMAS}:："
# A cue verb with its auxiliaries is no longer than this.
_LONGEST_VERB = 100


class RulesAttributer:
    """The component: writes PROPOSAL and SAYING spans into the document."""

    def __init__(self, lang: str) -> None:
        self.lexicon = load_lexicon(lang)

    def __call__(self, doc: Doc) -> Doc:
        set_statements(doc, attribute(doc.text, mentions_of(doc), self.lexicon))
        return doc


def within(mentions: Sequence[Mention], start: int, end: int) -> list[Mention]:
    """Return those of some mentions in text order that lie inside a range."""
    first = bisect_left(mentions, start, key=lambda m: m.start)
    last = bisect_left(mentions, end, key=lambda m: m.start)
    return [m for m in mentions[first:last] if m.end <= end]


def list_label_end(text: str, start: int, end: int, mentions: Sequence[Mention], lexicon: Lexicon) -> int | None:
    """Return where the text of a list entry begins behind its label, or None where a line is no such entry.

    A label ends in a colon and holds a person with a membership ("membership and role, name:"), or is an organization
    that submits ("the party's central committee:"), perhaps with words that announce the points that follow.
    """
    colon = lexicon.label.search(text, start, min(end, start + lexicon.reach(LONGEST_LABEL)))
    if colon is None or colon.end() >= end:
        return None
    label = within(mentions, start, colon.start())
    kinds = {mention.label for mention in label}
    head = text[start : colon.start()]
    quoted = any(
        head.count(left) % 2 if left == right else head.count(left) > head.count(right)
        for left, right in lexicon.quotes
    )
    if quoted:
        return None
    person = {"PERSON", "BODY"} <= kinds
    party = any(m.start - start <= 4 and lexicon.parties.fullmatch(m.text) for m in label if m.label == "ORG")
    if not (person or party):
        return None
    # Chinese puts a colon behind "said", too.
    behind = text[label[-1].end : colon.start()].rstrip()
    if chinese(behind[-1:]) and lexicon.says(behind):
        return None
    begin = colon.end()
    while begin < end and (text[begin].isspace() or text[begin] in _EMPHASIS):
        begin += 1
    return begin if begin < end else None


def attribute(text: str, mentions: Sequence[Mention], lexicon: Lexicon) -> list[Mention]:
    """Return the statement spans of a text, without overlaps."""
    delegates = _delegate_surnames(text, mentions, lexicon)
    posts = frozenset(m.start for m in mentions if m.label == "ROLE")
    found: list[Mention] = []
    for start, end in line_ranges(text):
        inside = within(mentions, start, end)
        begin = list_label_end(text, start, end, inside, lexicon)
        if begin is not None:
            found.append(Mention(begin, end, text[begin:end], PROPOSAL, 0.95))
            continue
        for at, stop in _grouped(text, start, end, lexicon):
            sources = [m for m in within(inside, at, stop) if m.label in _SOURCES and not _names_post(m, posts)]
            found.extend(_sentence(text, at, stop, sources, delegates, lexicon))
    return found


def _names_post(mention: Mention, posts: Collection[int]) -> bool:
    """Tell whether an organization runs on into a post, so that its holder speaks and not the organization."""
    return mention.label == "ORG" and mention.end in posts


def _grouped(text: str, start: int, end: int, lexicon: Lexicon) -> Iterator[tuple[int, int]]:
    """Yield sentences; those inside one pair of quotation marks together with their attribution."""
    pending: tuple[int, int] | None = None
    for at, stop in sentence_ranges(text, start, end, lexicon.sentence_end, lexicon.abbreviations):
        if pending:
            at = pending[0]
        piece = text[at:stop]
        open_quote = any(
            piece.count(left) % 2 if left == right else piece.count(left) > piece.count(right)
            for left, right in lexicon.quotes
        )
        pending = (at, stop) if open_quote else None
        if pending is None:
            yield at, stop
    if pending:
        yield pending


def _delegate_surnames(text: str, mentions: Sequence[Mention], lexicon: Lexicon) -> set[str]:
    """Return the first words of the names that a membership stands close to."""
    limit = lexicon.reach(_NEAR)
    people = sorted((m for m in mentions if m.label == "PERSON"), key=lambda m: m.start)
    found = set()
    for body in (m for m in mentions if m.label == "BODY"):
        first = bisect(people, body.start - 2 * limit, key=lambda m: m.start)
        last = bisect(people, body.end + limit, key=lambda m: m.start)
        near = sorted(
            (max(p.start - body.end, body.start - p.end), p.text)
            for p in people[first:last]
            if "\n" not in text[min(p.end, body.end) : max(p.start, body.start)]
        )
        if near and near[0][0] < limit:
            found.add(near[0][1].split()[0])
    return found


def _sentence(
    text: str, start: int, end: int, sources: Sequence[Mention], delegates: set[str], lexicon: Lexicon
) -> Iterator[Mention]:
    if not sources:
        return
    sentence = text[start:end]

    def known(mention: Mention) -> bool:
        if mention.label == "ORG":
            return bool(lexicon.parties.fullmatch(mention.text))
        return mention.label == "REF" or mention.text.split()[0] in delegates

    def make(begin: int, stop: int, source: Mention, strong: bool) -> Iterator[Mention]:
        begin, stop = _trim(text, begin, stop)
        if stop - begin < lexicon.reach(_SHORTEST):
            return
        proposes = known(source) and (strong or bool(lexicon.modal.search(text, begin, stop)))
        yield Mention(begin, stop, text[begin:stop], PROPOSAL if proposes else SAYING, 0.7)

    passive = lexicon.passive.search(sentence)
    if passive:
        agents = [m for m in sources if m.start >= start + passive.end()]
        if agents:
            yield from make(start, start + passive.start(), agents[0], True)
            return
    quote = _long_quote(sentence, lexicon)
    if quote:
        outside = [m for m in sources if m.end <= start + quote[0] or m.start >= start + quote[1]]
        verb = lexicon.say.search(sentence, quote[1]) or lexicon.propose.search(sentence, quote[1])
        if outside and quote[0] <= 3:
            near = min(outside, key=lambda m: abs(m.start - start - quote[1]))
            yield from make(
                start + quote[0], start + quote[1], near, bool(verb and lexicon.propose.match(sentence, verb.start()))
            )
            return
    cue = _cue(sentence, start, sources, lexicon)
    if cue:
        source, verb_end, strong = cue
        gap = lexicon.after_cue.match(sentence, verb_end)
        begin = start + (gap.end() if gap else verb_end)
        yield from make(begin, end, source, strong)
        return
    trailing = lexicon.trailing.search(sentence)
    if trailing:
        tail = [m for m in sources if m.start >= start + trailing.start()]
        if tail and (
            lexicon.say.search(trailing[0])
            or lexicon.propose.search(trailing[0])
            or lexicon.according.search(trailing[0])
        ):
            yield from make(start, start + trailing.start() + 1, tail[0], bool(lexicon.propose.search(trailing[0])))


def _long_quote(sentence: str, lexicon: Lexicon) -> tuple[int, int] | None:
    """Return the inside of the longest quotation that is a clause of its own."""
    best = None
    for left, right in lexicon.quotes:
        for match in re.finditer(re.escape(left) + r"([^\n]+?[,.!?…，。！？；])" + re.escape(right), sentence):
            if best is None or match.end(1) - match.start(1) > best[1] - best[0]:
                best = (match.start(1), match.end(1))
    return best if best and best[1] - best[0] > lexicon.reach(_SHORTEST_QUOTE) else None


def _cue(sentence: str, start: int, sources: Sequence[Mention], lexicon: Lexicon) -> tuple[Mention, int, bool] | None:
    """Return the first cue verb whose subject is a source: the source, the verb's end, and whether it proposes."""
    for source in sources:
        begin = source.end - start
        comma = begin < len(sentence) and sentence[begin] in _COMMAS
        reach = lexicon.reach(_CUE_BEHIND_COMMA if comma else _CUE)
        for pattern, strong in ((lexicon.propose, True), (lexicon.say, False)):
            verb = pattern.search(sentence, begin, begin + reach + _LONGEST_VERB)
            if verb and verb.start() - begin <= reach:
                between = sentence[begin : verb.start()]
                if not _BREAK.search(between):
                    other = lexicon.propose.search(sentence, begin, verb.end()) if not strong else None
                    if other is None:
                        return source, verb.end(), strong
    return None


def _trim(text: str, start: int, end: int) -> tuple[int, int]:
    while start < end and (text[start].isspace() or text[start] in _BEFORE_STATEMENT):
        start += 1
    while start < end and (text[end - 1].isspace() or text[end - 1] in _QUOTATION_MARKS):
        end -= 1
    return start, end
