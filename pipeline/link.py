"""Roles, organizations, bodies and references → person; statement → proponent; spans → record."""

from __future__ import annotations

import re
from collections.abc import Collection, Container, Mapping, Sequence
from dataclasses import dataclass, field
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
    perceptron,
    same_features,
    sigmoid,
    softmax,
    source_candidates,
    source_features,
    statement_vectors,
    verdict_features,
)
from .lists import bare_organization, entries
from .people import display_name, is_name_like, same_name
from .rules.lexicon import Lexicon
from .schema import BODIES
from .stage import TrainedStage

FloatArray = NDArray[np.float32]
_SENTENCE_END = re.compile("[.!?。！？]")
# An attribution inside of a sentence is no longer than this, in characters.
_ATTRIBUTION = 40
# An article about a group speaks of it so early, in characters.
_LEAD = 400
# The words that announce another proposal stand so near to its begin, in characters.
_ANNOUNCEMENT = 90
_CJK = re.compile(r"[㐀-鿿]{2,4}")
# Which scores of a candidate record go into its calibrated score, in this order.
RECORD_FEATURES = ("verdict", "source", "proposes")
_DEFAULTS = {
    "verdict_threshold": 0.5,
    "organization_threshold": 0.5,
    "same_threshold": 0.5,
    "record_threshold": 0.0,
    "joint_share": 0.3,
    "parent_threshold": 0.3,
    # Nothing but the words speaks for somebody whose membership is only implied.
    "implied_threshold": 0.9,
}


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


@dataclass(frozen=True)
class Reading:
    """What the encoder and the stages before left of an article: text, mentions, statements, and vectors of both."""

    text: str
    offsets: Sequence[tuple[int, int]]
    mentions: list[TokenSpan]
    statements: list[TokenSpan]
    mention_vectors: FloatArray
    statement_vectors: FloatArray

    def words(self, mention: int) -> str:
        """Return the text of a mention."""
        start, end = self.offsets[mention]
        return self.text[start:end]


class Link(TrainedStage):
    """The component: writes `doc._.entities` and `doc._.proposals`."""

    needs = ("parent", "parent_none", "source", "source_none", "same", "verdict", "body")

    def __init__(self, name: str, lexicon: Lexicon | None = None) -> None:
        super().__init__(name)
        self.lexicon = lexicon

    def process(self, doc: Doc, vectors: FloatArray) -> None:
        """Link everything of one article."""
        settings = {**_DEFAULTS, **self.settings}
        reading = read(doc, vectors)
        entities, owner = cluster(reading)
        attach(reading, entities, owner, self.weights, float(settings["parent_threshold"]))
        if self.lexicon is not None and self.lexicon.bare_body is not None:
            reseat(reading, entities, self.lexicon.bare_body)
        seat(reading, entities, self.weights, self.lexicon)
        found = judge(reading, entities, owner, self.weights, float(settings["joint_share"]))
        if self.lexicon is not None:
            groups = self.lexicon.group_bodies(doc.text[:_LEAD])
            imply(entities, found, groups, float(settings["implied_threshold"]))
        chosen = [item for item in found if self.may_propose(entities[item.entity], item.verdict, settings)]
        listed = entries(doc.text, mentions_of(doc), self.lexicon) if self.lexicon is not None else []
        own = {begin for _, begin, _ in listed}
        places = [character_range(doc, statement) for statement in reading.statements]
        apart = {i for i, (begin, _) in enumerate(places) if begin in own} | announced(doc.text, places, self.lexicon)
        records = group(reading, chosen, self.weights, float(settings["same_threshold"]), apart)
        doc._.entities = [_entity(reading, entity, index) for index, entity in enumerate(entities)]
        for entry in doc._.entities:
            self.complete(doc.text, entry["roles"], listed)
        proposals = [_proposal(doc, reading, entities, items, settings) for items in records]
        doc._.proposals = [entry for entry in proposals if entry["score"] >= settings["record_threshold"]]

    def may_propose(self, entity: Entity, verdict: float, settings: Mapping[str, Any]) -> bool:
        """Tell whether a statement that may propose does so in the mouth of somebody who can.

        A person without a membership, told or implied, is no delegate, and an organ of the state or a newspaper submits
        nothing, whatever the words.
        """
        if entity.kind == "person":
            return entity.has_body and bool(verdict >= settings["verdict_threshold"])
        if self.lexicon is not None and self.lexicon.no_proponents.search(entity.name):
            return False
        return bool(verdict >= settings["organization_threshold"])

    def complete(self, text: str, roles: list[dict[str, Any]], listed: Sequence[tuple[int, int, int]]) -> None:
        """Add the organizations of posts in list labels that the recogniser did not know for such."""
        for role in roles:
            label = next((place for place in listed if place[0] <= role["start"] < place[1]), None)
            if label and self.lexicon is not None:
                post = (role["start"], role["end"])
                role["organization"] = bare_organization(text, post, label[1], role["organization"], self.lexicon)

    def process_empty(self, doc: Doc) -> None:
        """Leave empty lists."""
        doc._.entities, doc._.proposals = [], []


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
    )


def _ranges(spans: Sequence[TokenSpan]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    return (
        np.array([span.start for span in spans], dtype=np.int64),
        np.array([span.end for span in spans], dtype=np.int64),
    )


def cluster(reading: Reading) -> tuple[list[Entity], dict[int, int]]:
    """Return the people of an article by their names, and which mention is whose.

    Full names come first, so that a surname in a headline finds its person; of several that fit, the one named last
    before it is meant, else the next one behind it.
    """
    entities: list[Entity] = []
    owner: dict[int, int] = {}
    names = [index for index, mention in enumerate(reading.mentions) if mention.type == PERSON]
    full = [index for index in names if is_name_like(reading.words(index))]
    # Longer names make the entities: "Ma" and "Pony Ma" must not swallow "Ma Huateng".
    for index in full:
        words = reading.words(index)
        if _CJK.fullmatch(words) and (left := _bracket_owner(reading, index, owner)) is not None:
            entities[left].name_zh = entities[left].name_zh or words
            at: int | None = left
        else:
            at = next(
                (
                    i
                    for i, entity in enumerate(entities)
                    if same_name(entity.name, words) or same_name(words, entity.name) or entity.name_zh == words
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
            (other > index, abs(other - index), owner[other])
            for other in full
            if same_name(entities[owner[other]].name, words)
        ]
        if fitting:
            at = min(fitting)[2]
        else:
            at = len(entities)
            entities.append(Entity("person", display_name(words), []))
            full = sorted([*full, index])
        owner[index] = at
        entities[at].mentions.append(index)
    for entity in entities:
        entity.mentions.sort()
    return entities, owner


def _bracket_owner(reading: Reading, index: int, owner: dict[int, int]) -> int | None:
    """Return whose name stands right before a name in brackets."""
    if index == 0 or index - 1 not in owner:
        return None
    between = reading.text[reading.offsets[index - 1][1] : reading.offsets[index][0]]
    return owner[index - 1] if between.strip() in ("(", "（", "[", "") else None


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

    A membership that names its chamber is in that one, whatever the head says.
    """
    for entity in entities:
        if not entity.bodies:
            continue
        entity.has_body = True
        probs = softmax(linear(weights, "body", reading.mention_vectors[entity.bodies]))
        labels = [
            (lexicon.named_body(reading.words(mention)) if lexicon is not None else None)
            or BODY_CLASSES[int(row.argmax())]
            for mention, row in zip(entity.bodies, probs, strict=True)
        ]
        # The national bodies go before a local one that the same person sits in as well; of both, the one that is
        # said more often, or nearer to the name.
        national = [label for label in labels if label in ("NPC", "CPPCC")]
        if national:
            seats = list(zip(entity.bodies, labels, strict=True))
            near = {label: -min(_gap(reading, m, entity) for m, other in seats if other == label) for label in national}
            entity.body = max(national, key=lambda label: (national.count(label), near[label]))
        elif "local" in labels:
            entity.body = "local"


def _gap(reading: Reading, mention: int, entity: Entity) -> int:
    """Return how many tokens lie between a mention and the nearest name of an entity."""
    place = reading.mentions[mention]
    names = [reading.mentions[m] for m in entity.mentions] or [place]
    return min(max(place.start - name.end, name.start - place.end, 0) for name in names)


@dataclass(frozen=True)
class Judged:
    """A statement with an entity that may have made it, and the scores for that."""

    statement: int
    entity: int
    source: float
    verdict: float
    proposes: float


def judge(
    reading: Reading, entities: list[Entity], owner: dict[int, int], weights: Parameters, joint_share: float
) -> list[Judged]:
    """Return each statement with its most probable source, or sources where it is a joint one."""
    candidates = [source_candidates(statement, reading.mentions) for statement in reading.statements]
    pairs = [(index, c) for index, found in enumerate(candidates) for c in found]
    if not pairs:
        return []
    left, right = (np.array(side, dtype=np.int64) for side in zip(*pairs, strict=True))
    features = source_features(reading.statements, reading.mentions, left, right)
    scores = pair_scores(weights, "source", reading.statement_vectors, reading.mention_vectors, left, right, features)
    nobody = linear(weights, "source_none", reading.statement_vectors)[:, 0]
    chosen: list[tuple[int, int, int, float]] = []
    at = 0
    for index, found in enumerate(candidates):
        probs = softmax(np.append(scores[at : at + len(found)], nobody[index]))
        at += len(found)
        shares: dict[int, float] = {}
        nearest: dict[int, tuple[float, int]] = {}
        for candidate, prob in zip(found, probs, strict=False):
            entity = owner.get(candidate)
            if entity is None:
                if reading.mentions[candidate].type != ORG or prob < joint_share / 2:
                    continue
                entity = organization_of(reading, candidate, entities, owner)
            shares[entity] = shares.get(entity, 0.0) + float(prob)
            nearest[entity] = max(nearest.get(entity, (0.0, 0)), (float(prob), candidate))
        ranked = sorted(shares, key=lambda key: -shares[key])
        for rank, entity in enumerate(ranked[:3]):
            if rank == 0 or shares[entity] >= joint_share:
                chosen.append((index, entity, nearest[entity][1], shares[entity]))
    if not chosen:
        return []
    rows = np.stack(
        [
            np.concatenate(
                [
                    reading.statement_vectors[index],
                    reading.mention_vectors[mention],
                    verdict_features(
                        reading.statements[index].score,
                        entities[entity].kind == "organization",
                        True,
                        entities[entity].body,
                        entities[entity].has_body,
                    ),
                ]
            )
            for index, entity, mention, _ in chosen
        ]
    )
    verdicts = sigmoid(perceptron(weights, "verdict", rows)[:, 0])
    return [
        Judged(index, entity, min(share, 1.0), float(verdict), reading.statements[index].score)
        for (index, entity, _, share), verdict in zip(chosen, verdicts, strict=True)
    ]


def imply(entities: Sequence[Entity], found: Sequence[Judged], groups: Collection[str], threshold: float) -> None:
    """Seat those who surely propose something, without a membership of their own, in an article about members.

    "Ninety political advisers left for Beijing. Deng Shaoyi called for …": that Deng is one of them goes without
    saying. They sit where the `groups` do, if those name one body.
    """
    named = [label for label in groups if label in BODIES]
    for item in found if groups else ():
        entity = entities[item.entity]
        # Whoever is introduced by a post is somebody else: an official, a lawyer, a company's man.
        introduced = entity.has_body or entity.roles or entity.organizations
        if entity.kind == "person" and not introduced and min(item.verdict, item.source) >= threshold:
            entity.has_body, entity.body = True, named[0] if len(named) == 1 else None


def announced(text: str, places: Sequence[tuple[int, int]], lexicon: Lexicon | None) -> set[int]:
    """Return which statements, given as character ranges, are announced as another proposal in their own line: "The
    adviser's second proposal concerns …".
    """
    if lexicon is None or lexicon.opens_record is None:
        return set()
    found = set()
    before = 0
    for index, (start, end) in enumerate(places):
        line = text.rfind("\n", 0, start) + 1
        window = text[max(before, line, start - _ANNOUNCEMENT) : min(end, start + _ANNOUNCEMENT // 2)]
        if lexicon.opens_record.search(window):
            found.add(index)
        before = end
    return found


def group(
    reading: Reading, chosen: list[Judged], weights: Parameters, threshold: float, apart: Container[int] = ()
) -> list[list[Judged]]:
    """Return the judged statements as records: each joins the record of its proponent that it most probably continues.

    Those in `apart` (entries of a list, by the index of the statement) open a record of their own.
    """
    groups: list[list[Judged]] = []
    for item in chosen:
        mine = [members for members in groups if members[0].entity == item.entity]
        if item.statement in apart:
            mine = []
        best, best_score = None, threshold
        for members in mine[-4:]:
            left = np.array([member.statement for member in members[-4:]], dtype=np.int64)
            right = np.full(len(left), item.statement, dtype=np.int64)
            scores = sigmoid(
                pair_scores(
                    weights,
                    "same",
                    reading.statement_vectors,
                    reading.statement_vectors,
                    left,
                    right,
                    same_features(reading.statements, left, right),
                )
            )
            score = float(scores.max())
            if score >= best_score:
                best, best_score = members, score
        if best is None:
            groups.append([item])
        else:
            best.append(item)
    return groups


def _entity(reading: Reading, entity: Entity, index: int) -> dict[str, Any]:
    return {
        "id": f"e{index}",
        "kind": entity.kind,
        "name": entity.name,
        "name_zh": entity.name_zh,
        "body": entity.body,
        "roles": posts(reading, entity),
        "organizations": [list(reading.offsets[mention]) for mention in entity.organizations],
        "bodies": [list(reading.offsets[mention]) for mention in entity.bodies],
        "mentions": [list(reading.offsets[mention]) for mention in sorted(entity.mentions)],
    }


def posts(reading: Reading, entity: Entity) -> list[dict[str, Any]]:
    """Return a person's roles, each with the organization of that person it most probably is at.

    That is the one right behind it in its line ("president of X"), else the one right before it ("X president"),
    else the next one behind that no other role comes before, else the only one there is.
    """
    found = []
    for role in entity.roles:
        place = reading.mentions[role]
        behind = [o for o in entity.organizations if o > role and reading.mentions[o].line == place.line]
        before = [o for o in entity.organizations if o < role and reading.mentions[o].line == place.line]
        organization: int | None = None
        if behind and not any(role < other < behind[0] for other in entity.roles):
            organization = behind[0]
        adjacent = before and reading.offsets[role][0] - reading.offsets[before[-1]][1] <= 3
        if adjacent and (organization is None or reading.mentions[organization].start - place.end > 3):
            organization = before[-1]
        if organization is None and behind and reading.mentions[behind[0]].start - place.end <= 12:
            organization = behind[0]
        if organization is None and len(entity.organizations) == 1:
            organization = entity.organizations[0]
        start, end = reading.offsets[role]
        found.append(
            {"start": start, "end": end, "organization": None if organization is None else reading.words(organization)}
        )
    return found


def _proposal(
    doc: Doc, reading: Reading, entities: list[Entity], items: list[Judged], settings: dict[str, Any]
) -> dict[str, Any]:
    spans = [list(character_range(doc, reading.statements[item.statement])) for item in items]
    features = [
        float(np.mean([item.verdict for item in items])),
        float(np.mean([item.source for item in items])),
        float(np.mean([item.proposes for item in items])),
    ]
    return {
        "entity": items[0].entity,
        "spans": join_split_sentences(doc.text, spans),
        "score": calibrated(features, settings.get("record")),
        "link_score": calibrated(features, settings.get("link")),
        "features": features,
    }


def character_range(doc: Doc, span: TokenSpan) -> tuple[int, int]:
    """Return the half-open character range of a token span."""
    last = doc[span.end - 1]
    return doc[span.start].idx, last.idx + len(last)


def join_split_sentences(text: str, spans: Sequence[list[int]]) -> list[list[int]]:
    """Return a record's spans with those made one that an attribution splits inside of a sentence.

    "The budget, she argued, should pay": what stands between them is short and ends no sentence.
    """
    joined: list[list[int]] = []
    for start, end in sorted(spans):
        if joined:
            between = text[joined[-1][1] : start]
            ended = _SENTENCE_END.search(text[max(joined[-1][1] - 2, 0) : start]) or "\n" in between
            if not ended and len(between) <= _ATTRIBUTION:
                joined[-1][1] = max(joined[-1][1], end)
                continue
        joined.append([start, end])
    return joined


def calibrated(features: Sequence[float], fit: Sequence[float] | None) -> float:
    """Return the calibrated probability of scores in (0, 1): a logistic function of their logits.

    `fit` is a weight a score and a constant; without one the product of the scores is returned.
    """
    if not fit:
        return float(np.prod(features))
    clipped = np.clip(np.asarray(features, dtype=np.float64), 1e-4, 1 - 1e-4)
    logits = np.log(clipped / (1 - clipped))
    return float(1 / (1 + np.exp(-(np.dot(fit[:-1], logits) + fit[-1]))))
