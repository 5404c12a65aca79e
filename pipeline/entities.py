"""The people and organizations of an article: mentions of one put together, posts and memberships given to them."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from typing import Any

import numpy as np
from numpy.typing import NDArray
from spacy.tokens import Doc

from .document import MENTIONS, STATEMENTS, mentions_of, token_lines
from .heads import (
    BODY,
    BODY_CLASSES,
    MENTION_TYPES,
    ORG,
    PERSON,
    REF,
    ROLE,
    STATEMENT_TYPES,
    Parameters,
    TokenSpan,
    linear,
    mention_vectors,
    pair_scores,
    parent_candidates,
    parent_features,
    softmax,
    statement_vectors,
)
from .languages import load_languages
from .people import display_name, is_chinese_name, is_name_like, same_name, surname
from .rules.lexicon import Lexicon
from .scripts import HAN, WORD

FloatArray = NDArray[np.float32]
_HAN = re.compile(f"[{HAN}]")
# An organization so many words away is that of a post, though another post stands between them.
_FAR = 12
# So sure the recogniser has to be of a post that is not its person's surest: nineteen of twenty people have one alone.
_SURE = 0.85
# What opens the brackets around a name in the other script, with a word for it perhaps ("Chinese:").
_BRACKET = re.compile(r"[^\S\n]*[(（\[][^\S\n]*(?:\w+[:：]?[^\S\n]*)?")


@dataclass
class Entity:
    """A person or organization of one article while it is put together; mentions are indexes."""

    kind: str
    name: str
    mentions: list[int]
    name_zh: str | None = None
    roles: list[int] = field(default_factory=list)
    organizations: list[int] = field(default_factory=list)
    bodies: list[int] = field(default_factory=list)
    body: str | None = None
    has_body: bool = False

    @property
    def names(self) -> tuple[str, ...]:
        """The name, and the one in Chinese characters beside it."""
        return (self.name, self.name_zh) if self.name_zh else (self.name,)


@dataclass(frozen=True)
class Reading:
    """What the encoder and the stages before left of an article: text, mentions, statements, and vectors of both.

    `organization_first`: whether its language puts a post behind the organization that it is at.
    """

    text: str
    offsets: Sequence[tuple[int, int]]
    mentions: list[TokenSpan]
    statements: list[TokenSpan]
    mention_vectors: FloatArray
    statement_vectors: FloatArray
    organization_first: bool = False

    def words(self, mention: int) -> str:
        """Return the text of a mention."""
        start, end = self.offsets[mention]
        return self.text[start:end]


def read(doc: Doc, vectors: FloatArray) -> Reading:
    """Return the reading of a processed document."""
    lines = token_lines(doc)
    starts = np.array([start for start, _ in lines], dtype=np.int64)
    group = doc.spans.get(MENTIONS, ())
    mentions = mentions_of(doc)
    types = {label: index for index, label in enumerate(MENTION_TYPES)}
    kinds = {label: index for index, label in enumerate(STATEMENT_TYPES)}

    def line_of(token: int) -> int:
        return max(int(np.searchsorted(starts, token, side="right")) - 1, 0)

    places = [
        TokenSpan(span.start, span.end, types[span.label_], line_of(span.start), mention.score)
        for span, mention in zip(group, mentions, strict=True)
    ]
    statement_group = doc.spans.get(STATEMENTS, ())
    scores = statement_group.attrs.get("scores", []) if len(statement_group) else []
    statements = [
        TokenSpan(span.start, span.end, kinds[span.label_], line_of(span.start), score)
        for span, score in zip(statement_group, scores, strict=True)
    ]
    return Reading(
        doc.text,
        [(mention.start, mention.end) for mention in mentions],
        places,
        statements,
        mention_vectors(vectors, *_ranges(places)),
        statement_vectors(vectors, *_ranges(statements)),
        _organization_first(doc.lang_),
    )


@cache
def _organization_first(lang: str) -> bool:
    return load_languages().organization_first(lang)


def _ranges(spans: Sequence[TokenSpan]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    return (
        np.array([span.start for span in spans], dtype=np.int64),
        np.array([span.end for span in spans], dtype=np.int64),
    )


def cluster(reading: Reading, surnames: Collection[str] = ()) -> tuple[list[Entity], dict[int, int]]:
    """Return the people of an article by their names, and which mention is whose.

    Full names come first, so that a surname in a headline finds its person. Of several that fit, those whose surname it
    is go before those whose given name it is (`surnames`, in lower case, tell a surname behind a given name); of these
    the one named last before it is meant, else the next one behind it.
    """
    entities: list[Entity] = []
    owner: dict[int, int] = {}
    names = [index for index, mention in enumerate(reading.mentions) if mention.type == PERSON]
    full = [index for index in names if is_name_like(reading.words(index))]
    # Longer names make the entities: "Ma" and "Pony Ma" must not swallow "Ma Huateng".
    for index in full:
        words = reading.words(index)
        if (left := _bracket_owner(reading, index, owner, entities)) is not None:
            chinese = (words, entities[left].name) if is_chinese_name(words) else (entities[left].name, words)
            entities[left].name_zh = entities[left].name_zh or display_name(chinese[0])
            entities[left].name = display_name(chinese[1])
            at: int | None = left
        else:
            at = next(
                (
                    i
                    for i, entity in enumerate(entities)
                    if any(same_name(name, words) or same_name(words, name) for name in entity.names)
                ),
                None,
            )
        if at is None:
            at = len(entities)
            entities.append(Entity("person", display_name(words), []))
        elif same_name(words, entities[at].name) and len(words) > len(entities[at].name):
            entities[at].name = display_name(words)
        owner[index] = at
        entities[at].mentions.append(index)
    for index in names:
        if index in owner:
            continue
        words = reading.words(index)
        fitting = [
            (
                surname(name, surnames) != surname(words, surnames),
                other > index,
                abs(other - index),
                other,
            )
            for other in full
            for name in entities[owner[other]].names
            if same_name(name, words)
        ]
        if fitting:
            at = owner[min(fitting)[-1]]
        else:
            at = len(entities)
            entities.append(Entity("person", display_name(words), []))
            full = sorted([*full, index])
        owner[index] = at
        entities[at].mentions.append(index)
    for entity in entities:
        entity.mentions.sort()
    return entities, owner


def _bracket_owner(reading: Reading, index: int, owner: dict[int, int], entities: Sequence[Entity]) -> int | None:
    """Return whose name stands right before a name in the other script, which may be in brackets.

    Latin letters behind a Chinese name have to be.
    """
    if index == 0 or index - 1 not in owner:
        return None
    chinese, behind = (is_chinese_name(reading.words(at)) for at in (index, index - 1))
    if chinese == behind:
        return None
    between = reading.text[reading.offsets[index - 1][1] : reading.offsets[index][0]]
    beside = chinese and not between.strip() and "\n" not in between
    left = owner[index - 1]
    known = entities[left].name_zh
    # A Latin name that has Chinese characters already is not that of these.
    if not (beside or _BRACKET.fullmatch(between)) or (known and chinese and known != reading.words(index)):
        return None
    return left


def attach(
    reading: Reading, entities: list[Entity], owner: dict[int, int], weights: Parameters, threshold: float
) -> None:
    """Give references, posts, organizations and memberships to the entity they most probably belong to."""
    children = [i for i, mention in enumerate(reading.mentions) if mention.type != PERSON]
    candidates = [parent_candidates(child, reading.mentions) for child in children]
    pairs = [(child, c) for child, found in zip(children, candidates, strict=True) for c in found]
    if not pairs:
        return
    left, right = (np.array(side, dtype=np.int64) for side in zip(*pairs, strict=True))
    features = parent_features(reading.mentions, left, right)
    scores = pair_scores(weights, "parent", reading.mention_vectors, reading.mention_vectors, left, right, features)
    nobody = linear(weights, "parent_none", reading.mention_vectors)[:, 0]
    at = 0
    for child, found in zip(children, candidates, strict=True):
        probs = softmax(np.append(scores[at : at + len(found)], nobody[child]))
        at += len(found)
        shares: dict[int | str, float] = {}
        for candidate, prob in zip(found, probs, strict=False):
            # An organization is no entity yet, unless something was given to it before; its name stands for it.
            entity: int | str = owner.get(candidate, reading.words(candidate).casefold())
            shares[entity] = shares.get(entity, 0.0) + float(prob)
        if not shares:
            continue
        best = max(shares, key=lambda key: shares[key])
        if shares[best] < max(threshold, float(probs[-1])):
            continue
        if isinstance(best, str):
            place = next(c for c in found if c not in owner and reading.words(c).casefold() == best)
            best = organization_of(reading, place, entities, owner)
        _give(reading.mentions[child].type, child, entities[best], best, owner)


def _give(kind: int, child: int, entity: Entity, index: int, owner: dict[int, int]) -> None:
    if kind == REF:
        owner[child] = index
        entity.mentions.append(child)
    elif entity.kind == "person":
        {ROLE: entity.roles, ORG: entity.organizations, BODY: entity.bodies}[kind].append(child)


def organization_of(reading: Reading, mention: int, entities: list[Entity], owner: dict[int, int]) -> int:
    """Return the entity of an organization's mention, made where the article has not spoken of it as a source yet."""
    words = reading.words(mention)
    known = [i for i, e in enumerate(entities) if e.kind == "organization" and e.name.casefold() == words.casefold()]
    index = known[0] if known else len(entities)
    if not known:
        entities.append(Entity("organization", words, []))
    owner[mention] = index
    entities[index].mentions.append(mention)
    return index


def reseat(reading: Reading, entities: Sequence[Entity], bare: re.Pattern[str]) -> None:
    """Make memberships of posts that are nothing else: of "Delegate" in "Delegate Shu Hong"."""
    for entity in entities:
        seats = [role for role in entity.roles if bare.fullmatch(reading.words(role))]
        entity.bodies = sorted([*entity.bodies, *seats])
        entity.roles = [role for role in entity.roles if role not in seats]


def seat(reading: Reading, entities: list[Entity], weights: Parameters, lexicon: Lexicon | None = None) -> None:
    """Settle each person's body from the memberships that belong to them.

    A membership that names its chamber is in that one, whatever the head says, and goes before those that only
    paraphrase one.
    """
    for entity in entities:
        if not entity.bodies:
            continue
        entity.has_body = True
        probs = softmax(linear(weights, "body", reading.mention_vectors[entity.bodies]))
        named = [lexicon.named_body(reading.words(m)) if lexicon is not None else None for m in entity.bodies]
        labels = [name or BODY_CLASSES[int(row.argmax())] for name, row in zip(named, probs, strict=True)]
        bodies = entity.bodies
        if any(name in ("NPC", "CPPCC") for name in named):
            bodies = [mention for mention, name in zip(bodies, named, strict=True) if name]
            labels = [name for name in named if name]
        # The national bodies go before a local one that the same person sits in as well; of both, the one that is
        # said more often, or nearer to the name.
        national = [label for label in labels if label in ("NPC", "CPPCC")]
        if national:
            seats = list(zip(bodies, labels, strict=True))
            near = {label: -min(_gap(reading, m, entity) for m, other in seats if other == label) for label in national}
            entity.body = max(national, key=lambda label: (national.count(label), near[label]))
        elif "local" in labels:
            entity.body = "local"


def _gap(reading: Reading, mention: int, entity: Entity) -> int:
    """Return how many tokens lie between a mention and the nearest name of an entity."""
    place = reading.mentions[mention]
    names = [reading.mentions[m] for m in entity.mentions] or [place]
    return min(max(place.start - name.end, name.start - place.end, 0) for name in names)


def posts(reading: Reading, entity: Entity) -> list[dict[str, Any]]:
    """Return a person's roles, each with the organization of that person it most probably is at."""
    choose = _organization_before if reading.organization_first else _organization_behind
    places = {role: choose(reading, entity, role) for role in entity.roles}
    names = {role: None if place is None else reading.words(place) for role, place in places.items()}
    return [
        {"start": reading.offsets[role][0], "end": reading.offsets[role][1], "organization": names[role]}
        for role in _held(reading, names)
    ]


def _held(reading: Reading, roles: Mapping[int, str | None]) -> list[int]:
    """Return the roles, given with their organizations, without those that take up another one in fewer words ("the
    psychiatrist" behind "child psychiatrist"), and of different ones only the surest and those that are sure.
    """
    words = {role: frozenset(word.casefold() for word in WORD.findall(reading.words(role))) for role in roles}
    own = [
        role
        for role, place in roles.items()
        if not any(o < role and words[role] < words[o] and place in (None, at) for o, at in roles.items())
    ]
    surest = max(own, key=lambda role: reading.mentions[role].score, default=None)
    return [
        role for role in own if surest is None or words[role] == words[surest] or reading.mentions[role].score >= _SURE
    ]


def _organization_behind(reading: Reading, entity: Entity, role: int) -> int | None:
    """Return the organization right behind a role in its line ("president of X"), else the one right before it ("X
    president"), else the next one behind that no other role comes before, else the only one there is.
    """
    before, behind = _organizations_around(reading, entity, role)
    organization: int | None = None
    if behind and not any(role < other < behind[0] for other in entity.roles):
        organization = behind[0]
    adjacent = before and reading.offsets[role][0] - reading.offsets[before[-1]][1] <= 3
    if adjacent and (organization is None or _words_between(reading, role, organization) > 3):
        organization = before[-1]
    if organization is None and behind and _words_between(reading, role, behind[0]) <= _FAR:
        organization = behind[0]
    if organization is None and len(entity.organizations) == 1:
        organization = entity.organizations[0]
    return organization


def _organization_before(reading: Reading, entity: Entity, role: int) -> int | None:
    """Return the last organization before a role in its line, where no other role stands between or it is near
    ("X董事长兼总经理"), else the only one there is, unless it comes behind and before another role ("作家、X副主席").
    """
    before, behind = _organizations_around(reading, entity, role)
    if before and (
        not any(before[-1] < other < role for other in entity.roles)
        or _words_between(reading, before[-1], role) <= _FAR
    ):
        return before[-1]
    line = reading.mentions[role].line
    anothers = behind and any(other > behind[0] and reading.mentions[other].line == line for other in entity.roles)
    return entity.organizations[0] if len(entity.organizations) == 1 and not anothers else None


def _organizations_around(reading: Reading, entity: Entity, role: int) -> tuple[list[int], list[int]]:
    line = reading.mentions[role].line
    inside = [o for o in entity.organizations if reading.mentions[o].line == line]
    return [o for o in inside if o < role], [o for o in inside if o > role]


def _words_between(reading: Reading, left: int, right: int) -> float:
    """Return how many words lie between two mentions: tokens, of which two Chinese characters make a word."""
    between = reading.text[reading.offsets[left][1] : reading.offsets[right][0]]
    return reading.mentions[right].start - reading.mentions[left].end - len(_HAN.findall(between)) / 2
