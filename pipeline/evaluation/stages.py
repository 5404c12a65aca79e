"""A stage alone: gold takes the place of the stages before it, so that none of them has a part in its scores."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from spacy.tokens import Doc

from ..document import set_mentions, set_statements
from ..schema import PROPOSAL, SAYING
from .gold import GoldArticle, as_mentions
from .predictions import read_doc
from .scores import Claim, Party, Tallies
from .system import ATTRIBUTE, CLASSIFY, LINK, RECOGNISE, System, fresh
from .tallies import class_tallies, gold_link_tallies, labelled_tallies, statement_tallies

_Fill = Callable[[Doc], None]


@dataclass(frozen=True)
class StageScore:
    """The tallies of a stage alone; of the last one the gold records with what it says of each.

    `listed`: of the linker, as in `Prediction`.
    """

    tallies: Tallies
    on_gold: tuple[tuple[Claim, Claim], ...] = ()
    listed: frozenset[bool] = frozenset()


def score_stage(stage: str, system: System, item: GoldArticle, prepared: Doc, labels: Sequence[str]) -> StageScore:
    """Return the score of a stage on an article: no tallies where the article lacks the gold that it takes."""

    def run(given: Mapping[str, _Fill]) -> Doc:
        return system.run(fresh(system.nlp, prepared, item.article), given, stage)

    if stage == RECOGNISE and item.mentions is not None:
        return StageScore(labelled_tallies(item, read_doc(run({})), labels))
    if stage == ATTRIBUTE and item.mentions is not None and item.statements is not None:
        found = read_doc(run({RECOGNISE: _give_mentions(item)}))
        return StageScore(statement_tallies("span.gold", item, found))
    if stage == LINK and item.linked:
        found = read_doc(run({RECOGNISE: _give_mentions(item), ATTRIBUTE: _give_statements(item)}))
        return StageScore(gold_link_tallies(item, found), listed=found.listed)
    if stage == CLASSIFY and item.claims:
        doc = run({RECOGNISE: _give_mentions(item), ATTRIBUTE: _give_no_statements, LINK: _give_claims(item.claims)})
        pairs = tuple(zip(item.claims, map(_classes, doc._.proposals or ()), strict=True))
        return StageScore(class_tallies("gold", pairs), pairs)
    return StageScore({})


def _give_mentions(item: GoldArticle) -> _Fill:
    return lambda doc: set_mentions(doc, as_mentions(item.article.text, item.mentions or ()))


def _give_statements(item: GoldArticle) -> _Fill:
    # A statement's score is the probability that it proposes.
    scores = {PROPOSAL: 1.0, SAYING: 0.0}
    return lambda doc: set_statements(doc, as_mentions(item.article.text, item.statements or (), scores))


def _give_no_statements(doc: Doc) -> None:
    set_statements(doc, ())


def _give_claims(claims: Sequence[Claim]) -> _Fill:
    """Give each gold record as a proposal of an entity of its own, without topics and stance."""

    def give(doc: Doc) -> None:
        doc._.entities = [
            {"id": f"e{i}", "kind": c.proponent.kind, "name": c.proponent.name, "name_zh": None, "body": c.body,
             "roles": [], "mentions": []}
            for i, c in enumerate(claims)
        ]  # fmt: skip
        doc._.proposals = [
            {"entity": i, "spans": [list(span) for span in c.spans], "score": 1.0} for i, c in enumerate(claims)
        ]

    return give


def _classes(entry: Mapping[str, Any]) -> Claim:
    """Return the topics and the stance that a proposal was given, as a record that says nothing else."""
    topics = tuple((topic["label"], float(topic["score"])) for topic in entry.get("topics") or ())
    stance = entry.get("stance") or {"label": None}
    return Claim(
        Party(""),
        (),
        topics=tuple(label for label, _ in topics),
        stance=stance["label"],
        topic_scores=topics,
        stance_scores=(stance["promote"], stance["regulate"]) if "promote" in stance else None,
    )
