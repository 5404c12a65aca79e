"""A processed document in the terms of the scores."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from spacy.tokens import Doc

from ..document import mentions_of, statements_of
from ..schema import PROPOSAL, REFERENCE, Article
from .scores import Claim, Holding, Party, Range, Tag
from .system import LINK, System, fresh


@dataclass(frozen=True)
class Prediction:
    """What a processed document says, in the terms of the scores.

    `listed`: whether its people list their memberships (`bodies`), be it none: True, False, both, or nothing where the
    linker found nobody.
    """

    claims: tuple[Claim, ...] = ()
    mentions: tuple[Tag, ...] = ()
    statements: tuple[Tag, ...] = ()
    holdings: tuple[Holding, ...] = ()
    proposers: tuple[Holding, ...] = ()
    people: tuple[tuple[Party, str | None], ...] = ()
    sources: tuple[tuple[Range, str, tuple[Range, ...]], ...] = ()
    listed: frozenset[bool] = frozenset()


def read_doc(doc: Doc) -> Prediction:
    """Return what a processed document says in the terms of the scores."""
    entities = doc._.entities or []
    parties = [Party(e["name"], e["kind"], (e["name_zh"],) if e.get("name_zh") else ()) for e in entities]
    mentions = tuple(Tag(m.start, m.end, m.label) for m in mentions_of(doc) if m.label != REFERENCE)
    holdings = [
        holding
        for entity, party in zip(entities, parties, strict=True)
        if entity["kind"] == "person"
        for holding in _holdings(doc.text, entity, party, mentions)
    ]
    proposals = doc._.proposals or []
    claims = [
        Claim(
            proponent=Party(
                record.delegate.name,
                record.delegate.kind,
                (record.delegate.name_zh,) if record.delegate.name_zh else (),
            ),
            spans=tuple((span.start, span.end) for span in record.proposal.spans),
            body=record.delegate.body,
            roles=tuple(role.title for role in record.delegate.roles),
            organizations=tuple(role.organization for role in record.delegate.roles if role.organization),
            topics=tuple(topic.label for topic in record.proposal.topics),
            stance=record.proposal.stance.label,
            score=record.score,
            proponent_score=record.delegate.score,
            topic_scores=tuple((topic.label, topic.score) for topic in record.proposal.topics),
            stance_scores=(record.proposal.stance.promote, record.proposal.stance.regulate),
        )
        for record in doc._.records
    ]
    return Prediction(
        claims=tuple(claims),
        mentions=mentions,
        statements=tuple(Tag(s.start, s.end, s.label) for s in statements_of(doc)),
        holdings=tuple(holdings),
        proposers=tuple(Holding(a, b, PROPOSAL, parties[p["entity"]]) for p in proposals for a, b in p["spans"]),
        people=tuple((party, entity.get("body")) for party, entity in zip(parties, entities, strict=True)),
        sources=tuple(
            ((a, b), entities[p["entity"]]["name"], tuple((s, e) for s, e in entities[p["entity"]]["mentions"]))
            for p in proposals
            for a, b in p["spans"]
        ),
        listed=frozenset("bodies" in entity for entity in entities if entity["kind"] == "person"),
    )


def _holdings(text: str, entity: Mapping[str, Any], party: Party, mentions: Sequence[Tag]) -> Iterator[Holding]:
    """Yield the posts, organizations and memberships of a person.

    A linker that does not list the places of organizations (`organizations`) names them beside a post: the nearest
    mention of that name is meant. Memberships count only where it lists them (`bodies`).
    """
    for role in entity.get("roles") or ():
        yield Holding(role["start"], role["end"], "ROLE", party)
    for key, label in (("organizations", "ORG"), ("bodies", "BODY")):
        for start, end in entity.get(key) or ():
            yield Holding(start, end, label, party)
    if "organizations" in entity:
        return
    for role in entity.get("roles") or ():
        named = [t for t in mentions if t.label == "ORG" and text[t.start : t.end] == role.get("organization")]
        if named:
            place = min(named, key=lambda tag: abs(tag.start - role["start"]))
            yield Holding(place.start, place.end, "ORG", party)


def may_open(system: System) -> bool:
    """Tell whether the linker can name the source of any statement, and not of delegates' proposals alone."""
    return _linker_settings(system) is not None


def _linker_settings(system: System) -> dict[str, Any] | None:
    linker = next((component for stage, component in system.components() if stage == LINK), None)
    settings = getattr(linker, "settings", None)
    return settings if isinstance(settings, dict) else None


def open_sources(system: System, prepared: Doc, article: Article) -> Prediction:
    """Return what the pipeline says where nobody need be a delegate.

    A trained linker then lets everybody propose and keeps every record (its setting `open`); rules keep their verdict.
    """
    settings = _linker_settings(system)
    if settings is None:
        return read_doc(system.run(fresh(system.nlp, prepared, article), {}, LINK))
    before = dict(settings)
    settings["open"] = True
    try:
        return read_doc(system.run(fresh(system.nlp, prepared, article), {}, LINK))
    finally:
        settings.clear()
        settings.update(before)
