"""Who holds a post, who is meant by a surname or pronoun, and who says a statement: by nearness and punctuation."""

from __future__ import annotations

from bisect import bisect
from collections.abc import Sequence
from typing import Any

from spacy.tokens import Doc

from ..document import mentions_of, statements_of
from ..people import display_name, same_name
from ..schema import PROPOSAL, REFERENCE, Mention
from ..sentences import line_ranges
from .attribute import list_label_end, within
from .lexicon import Lexicon, load_lexicon

# What stands farther away than this in one line has nothing to do with each other.
_FAR = 2000
# These distances are in characters of English; `Lexicon.reach` counts them in those of a language.
# A post farther from the nearest name than this is nobody's.
_POST = 260
# An organization farther behind a post than this is another one's.
_ORGANIZATION = 60
# Spans of one proponent this close together are one record.
SAME_RECORD = 400
# Marks between a name and what may be its count as so much distance.
_MARKS, _MARK = ".;。；", 60
_STOPS, _STOP = (". ", ";", "。", "；"), 80
# A pronoun is so much farther away than a name.
_REFERENCE = 30


class RulesLinker:
    """The component: writes `doc._.entities` and `doc._.proposals`."""

    def __init__(self, lang: str) -> None:
        self.lexicon = load_lexicon(lang)

    def __call__(self, doc: Doc) -> Doc:
        doc._.entities, doc._.proposals = link(doc.text, mentions_of(doc), statements_of(doc), self.lexicon)
        return doc


def link(
    text: str, mentions: Sequence[Mention], statements: Sequence[Mention], lexicon: Lexicon
) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """Return the entities of an article and its proposals, in the form that `document.records` reads."""
    lines = line_ranges(text)
    entities: list[dict[str, Any]] = []
    owner = _people(mentions, entities)
    _posts(text, mentions, owner, entities, lexicon)
    proposals: list[dict[str, Any]] = []
    for statement in (s for s in statements if s.label == PROPOSAL):
        at = bisect(lines, statement.start, key=lambda line: line[0]) - 1
        if at < 0 or statement.end > lines[at][1]:
            continue
        line, inside = lines[at], within(mentions, *lines[at])
        source = _source(text, statement, inside, line, owner, lexicon)
        if source is None:
            continue
        entity = owner.get(source)
        if entity is None:
            entity = _organization(source, entities)
            owner[source] = entity
        if entities[entity]["kind"] == "person" and entities[entity]["body"] is None and not entities[entity]["member"]:
            continue
        entry = list_label_end(text, *line, inside, lexicon) == statement.start
        _add(proposals, entity, statement, entry, lexicon.reach(SAME_RECORD))
    return entities, proposals


def _people(mentions: Sequence[Mention], entities: list[dict[str, Any]]) -> dict[Mention, int]:
    owner: dict[Mention, int] = {}
    last: int | None = None
    for mention in mentions:
        if mention.label == "PERSON":
            at = next(
                (index for index in reversed(range(len(entities))) if same_name(entities[index]["name"], mention.text)),
                None,
            )
            if at is None:
                at = len(entities)
                entities.append(
                    {"id": f"e{at}", "kind": "person", "name": display_name(mention.text), "name_zh": None,
                     "body": None, "member": False, "roles": [], "organizations": [], "bodies": [], "mentions": []}
                )  # fmt: skip
            last = at
        elif mention.label != REFERENCE or last is None:
            continue
        owner[mention] = last
        entities[last]["mentions"].append([mention.start, mention.end])
    return owner


def _posts(
    text: str,
    mentions: Sequence[Mention],
    owner: dict[Mention, int],
    entities: list[dict[str, Any]],
    lexicon: Lexicon,
) -> None:
    """Give each post, organization and membership to the nearest name of its line."""
    people = sorted((m for m in mentions if m in owner), key=lambda m: m.start)
    waiting: dict[int, list[Mention]] = {}
    for mention in mentions:
        if mention.label not in ("ROLE", "ORG", "BODY"):
            continue
        first = bisect(people, mention.start - _FAR, key=lambda m: m.start)
        last = bisect(people, mention.start + _FAR, key=lambda m: m.start)
        near = [
            p for p in people[first:last] if "\n" not in text[min(p.end, mention.end) : max(p.start, mention.start)]
        ]
        if not near:
            continue
        person = min(near, key=lambda p: _distance(text, p, mention, lexicon))
        if abs(person.start - mention.start) > lexicon.reach(_POST):
            continue
        if mention.label == "BODY":
            entity = entities[owner[person]]
            entity["member"] = True
            entity["bodies"].append([mention.start, mention.end])
            label = next((name for name, pattern in lexicon.bodies if pattern.fullmatch(mention.text)), None)
            entity["body"] = entity["body"] or label
        else:
            waiting.setdefault(owner[person], []).append(mention)
    for at, posts in waiting.items():
        for index, post in enumerate(posts):
            if post.label != "ROLE":
                entities[at]["organizations"].append([post.start, post.end])
                continue
            after = next(
                (
                    p
                    for p in posts[index + 1 : index + 3]
                    if p.label == "ORG" and p.start - post.end < lexicon.reach(_ORGANIZATION)
                ),
                None,
            )
            before = posts[index - 1] if index and posts[index - 1].label == "ORG" else None
            beside = before if before and post.start - before.end < 3 else None
            # Without even a space between they are one ("腾讯董事长").
            chosen = beside if beside and beside.end == post.start else after or beside
            entities[at]["roles"].append(
                {"start": post.start, "end": post.end, "organization": chosen.text if chosen else None}
            )


def _distance(text: str, person: Mention, mention: Mention, lexicon: Lexicon) -> int:
    gap = max(person.start - mention.end, mention.start - person.end)
    between = text[min(person.end, mention.end) : max(person.start, mention.start)]
    marks = sum(between.count(mark) for mark in _MARKS)
    return gap + lexicon.reach(_MARK) * marks + (0 if person.label == "PERSON" else lexicon.reach(_REFERENCE))


def _source(
    text: str,
    statement: Mention,
    inside: Sequence[Mention],
    line: tuple[int, int],
    owner: dict[Mention, int],
    lexicon: Lexicon,
) -> Mention | None:
    if list_label_end(text, *line, inside, lexicon) == statement.start:
        label = [m for m in inside if m.end <= statement.start]
        people = [m for m in label if m.label == "PERSON"]
        return people[-1] if people else next((m for m in label if m.label == "ORG"), None)
    near = [
        m
        for m in within(inside, statement.start - _FAR, statement.end + _FAR)
        if (m in owner or (m.label == "ORG" and lexicon.parties.fullmatch(m.text)))
        and (m.end <= statement.start or m.start >= statement.end)
    ]

    def cost(mention: Mention) -> int:
        gap = max(mention.start - statement.end, statement.start - mention.end)
        # From the statement's last character on: a full stop there ends its sentence.
        between = text[min(mention.end, statement.end - 1) : max(mention.start, statement.start)]
        return gap + lexicon.reach(_STOP) * sum(between.count(mark) for mark in _STOPS)

    return min(near, key=cost, default=None)


def _organization(source: Mention, entities: list[dict[str, Any]]) -> int:
    for index, entity in enumerate(entities):
        if entity["kind"] == "organization" and entity["name"] == source.text:
            entity["mentions"].append([source.start, source.end])
            return index
    entities.append(
        {"id": f"e{len(entities)}", "kind": "organization", "name": source.text, "name_zh": None,
         "body": None, "member": False, "roles": [], "organizations": [], "bodies": [],
         "mentions": [[source.start, source.end]]}
    )  # fmt: skip
    return len(entities) - 1


def _add(proposals: list[dict[str, Any]], entity: int, statement: Mention, entry: bool, close: int) -> None:
    """Add a span: to the proponent's record before it where that stands close (never for a list entry), else anew."""
    previous = proposals[-1] if proposals else None
    if (
        previous
        and not entry
        and previous["entity"] == entity
        and not previous["entry"]
        and statement.start - previous["spans"][-1][1] < close
    ):
        previous["spans"].append([statement.start, statement.end])
        return
    proposals.append(
        {"entity": entity, "spans": [[statement.start, statement.end]], "score": statement.score, "entry": entry}
    )
