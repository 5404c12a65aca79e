"""Roles, organizations, bodies and references → person; statement → proponent; spans → record."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from spacy.tokens import Doc

from .document import mentions_of
from .entities import Entity, Reading, attach, cluster, posts, read, reseat, seat
from .heads import TokenSpan, calibrated
from .lists import bare_organization, entries, entry_text
from .records import Judged, announced, group, imply, join_split_sentences, judge
from .rules.lexicon import Lexicon
from .schema import Mention
from .stage import TrainedStage

FloatArray = NDArray[np.float32]
# An article about a group speaks of it so early, in characters of English.
_LEAD = 400
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
        text = reading.text
        entities, owner = cluster(reading, self.lexicon.folded_surnames if self.lexicon is not None else ())
        attach(reading, entities, owner, self.weights, float(settings["parent_threshold"]))
        if self.lexicon is not None and self.lexicon.bare_body is not None:
            reseat(reading, entities, self.lexicon.bare_body)
        seat(reading, entities, self.weights, self.lexicon)
        found = judge(reading, entities, owner, self.weights, float(settings["joint_share"]))
        if self.lexicon is not None:
            groups = leading_groups(text, self.lexicon)
            imply(entities, found, groups, float(settings["implied_threshold"]))
        chosen = [item for item in found if self.may_propose(entities[item.entity], item.verdict, settings)]
        mentions = mentions_of(doc)
        listed = entries(text, mentions, self.lexicon) if self.lexicon is not None else []
        own = {at for _, begin, end in listed for at in self.begins(text, begin, end)}
        places = [character_range(doc, statement) for statement in reading.statements]
        apart = {i for i, (begin, _) in enumerate(places) if begin in own} | announced(text, places, self.lexicon)
        records = group(reading, chosen, self.weights, float(settings["same_threshold"]), apart)
        doc._.entities = [_entity(reading, entity, index) for index, entity in enumerate(entities)]
        for entry in doc._.entities:
            self.complete(text, entry["roles"], listed, [m for m in mentions if m.label == "PERSON"])
        abbreviations = self.lexicon.abbreviations if self.lexicon is not None else frozenset[str]()
        proposals = [_proposal(doc, reading, items, settings, abbreviations) for items in records]
        least = 0.0 if settings.get("open") else settings["record_threshold"]
        doc._.proposals = [entry for entry in proposals if entry["score"] >= least]

    def may_propose(self, entity: Entity, verdict: float, settings: Mapping[str, Any]) -> bool:
        """Tell whether a statement that may propose does so in the mouth of somebody who can.

        A person without a membership, told or implied, is no delegate, and an organ of the state or a newspaper submits
        nothing, whatever the words. Where the settings are `open`, whoever says something counts: for measuring who is
        found to speak.
        """
        if settings.get("open"):
            return True
        if entity.kind == "person":
            return entity.has_body and bool(verdict >= settings["verdict_threshold"])
        if self.lexicon is not None and not self.lexicon.may_submit(entity.name):
            return False
        return bool(verdict >= settings["organization_threshold"])

    def begins(self, text: str, begin: int, end: int) -> tuple[int, int]:
        """Return where a statement that is a list entry may begin: at its text, or behind a quotation mark there."""
        return (begin, entry_text(text, begin, end, self.lexicon)[0]) if self.lexicon is not None else (begin, begin)

    def complete(
        self,
        text: str,
        roles: list[dict[str, Any]],
        listed: Sequence[tuple[int, int, int]],
        people: Sequence[Mention],
    ) -> None:
        """Add the organizations of posts in list labels that the recogniser did not know for such."""
        for role in roles:
            label = next((place for place in listed if place[0] <= role["start"] < place[1]), None)
            if label and self.lexicon is not None:
                post = (role["start"], role["end"])
                known = role["organization"]
                role["organization"] = bare_organization(text, post, label[1], known, self.lexicon, people)

    def process_empty(self, doc: Doc) -> None:
        """Leave empty lists."""
        doc._.entities, doc._.proposals = [], []


def leading_groups(text: str, lexicon: Lexicon) -> frozenset[str]:
    """Return the bodies whose members the begin of an article speaks of as a group."""
    return lexicon.group_bodies(text[: lexicon.reach(_LEAD)])


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


def _proposal(
    doc: Doc, reading: Reading, items: list[Judged], settings: dict[str, Any], abbreviations: frozenset[str]
) -> dict[str, Any]:
    spans = [list(character_range(doc, reading.statements[item.statement])) for item in items]
    features = [
        float(np.mean([item.verdict for item in items])),
        float(np.mean([item.source for item in items])),
        float(np.mean([item.proposes for item in items])),
    ]
    return {
        "entity": items[0].entity,
        "spans": join_split_sentences(reading.text, spans, abbreviations),
        "score": calibrated(features, settings.get("record")),
        "link_score": calibrated(features, settings.get("link")),
        "features": features,
    }


def character_range(doc: Doc, span: TokenSpan) -> tuple[int, int]:
    """Return the half-open character range of a token span."""
    last = doc[span.end - 1]
    return doc[span.start].idx, last.idx + len(last)
