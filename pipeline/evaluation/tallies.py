"""An article's gold and what a system says of it → the tallies of its figures, by key."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence

import numpy as np

from ..people import same_name
from ..schema import PROPOSAL
from .gold import GoldArticle
from .intervals import Tally
from .predictions import Prediction
from .scores import (
    FOUND,
    Claim,
    Match,
    Range,
    Tag,
    Tallies,
    assign,
    attribution_tallies,
    characters,
    holder_tallies,
    likeness,
    link_tallies,
    mention_tallies,
    normalise,
    overlap,
    span_tallies,
    stance_tallies,
    topic_tallies,
)

#: How the keys of the tallies begin that need an aspect of the gold (`gold.ASPECTS`); links are told by their label.
_NEEDS = {
    "topics": ("topic.", "record."),
    "stance": ("stance.", "record."),
    "body": ("body.", "record."),
    "posts": ("record.whole",),
}


def whole_tallies(item: GoldArticle, found: Prediction, matches: Sequence[Match], labels: Sequence[str]) -> Tallies:
    """Return the tallies of the whole pipeline: of all that the article has gold for; sources apart."""
    text, tallies = item.article.text, Tallies()
    if item.claims is not None:
        pairs = [(item.claims[m.gold], found.claims[m.predicted]) for m in matches if m.found]
        tallies |= attribution_tallies(text, item.claims, found.claims, matches)
        tallies |= class_tallies("predicted", pairs)
        tallies["body.predicted"] = Tally(sum(a.body == b.body for a, b in pairs), len(pairs), len(pairs))
    if item.mentions is not None:
        tallies |= labelled_tallies(item, found, labels)
    if item.linked:
        tallies |= link_tallies("link.predicted", item.holdings, found.holdings)
    if item.statements is not None:
        tallies |= statement_tallies("span.predicted", item, found)
    return tallies


def labelled_tallies(item: GoldArticle, found: Prediction, labels: Sequence[str]) -> Tallies:
    """Return the tallies of the mentions of those labels that the set annotates."""
    gold = [tag for tag in item.mentions or () if tag.label in labels]
    tallies = mention_tallies(gold, [tag for tag in found.mentions if tag.label in labels])
    return {key: tally for key, tally in tallies.items() if "/" not in key or key.split("/")[1] in labels}


def statement_tallies(prefix: str, item: GoldArticle, found: Prediction) -> Tallies:
    """Return the tallies of the spans of statements, and of proposals where the article's records are known."""
    text, gold = item.article.text, item.statements or ()
    tallies = span_tallies(f"{prefix}.statement", text, _ranges(gold), _ranges(found.statements))
    if item.claims is not None:
        proposals = [[tag for tag in tags if tag.label == PROPOSAL] for tags in (gold, found.statements)]
        tallies |= span_tallies(f"{prefix}.proposal", text, *map(_ranges, proposals))
    return tallies


def _ranges(tags: Sequence[Tag]) -> list[Range]:
    return [(tag.start, tag.end) for tag in tags]


def gold_link_tallies(item: GoldArticle, found: Prediction) -> Tallies:
    """Return the tallies of a linker that was given gold mentions and statements: holders, proponents and bodies."""
    mentions = [tag for tag in item.mentions or () if tag.label in ("ROLE", "ORG", "BODY")]
    tallies = link_tallies("link.gold", item.holdings, found.holdings)
    tallies |= holder_tallies("holder.gold", mentions, item.holdings, found.holdings)
    right = link_tallies("proposer.gold", item.proposers, found.proposers)
    total = right.get(f"proposer.gold/{PROPOSAL}", Tally())
    tallies["proposer.gold"] = total
    tallies["proposer.accuracy"] = Tally(total.right, total.gold, total.gold)
    # One to one: somebody who was split in three has one body all the same.
    alike = [[likeness(party, other) for other, _ in found.people] for party, _ in item.bodies]
    joined = assign(np.array(alike).reshape(len(item.bodies), len(found.people)))
    seated = sum(item.bodies[row][1] == found.people[column][1] for row, column in joined)
    tallies["body.gold"] = Tally(seated, len(item.bodies), len(item.bodies))
    return tallies


def class_tallies(place: str, pairs: Sequence[tuple[Claim, Claim]]) -> Tallies:
    """Return the tallies of topics and stances over pairs of a gold and a predicted record."""
    topics, stances = annotated(pairs, "topics"), annotated(pairs, "stance")
    return topic_tallies(f"topic.{place}", topics) | stance_tallies(f"stance.{place}", stances)


def annotated(pairs: Iterable[tuple[Claim, Claim]], aspect: str) -> list[tuple[Claim, Claim]]:
    """Return the pairs whose gold record says something of an aspect; a set may annotate some records alone."""
    return [pair for pair in pairs if getattr(pair[0], aspect)]


def source_tallies(item: GoldArticle, found: Prediction) -> Tallies:
    """Count the statements whose source is right: one of its mentions overlaps the gold source, or bears its name."""
    text = item.article.text
    gold = [a for a in item.attributions or () if a.sources]
    left = [(characters(normalise(text, [a.content])), a) for a in gold]
    given = [(characters(normalise(text, [place])), name, places) for place, name, places in found.sources]
    right = 0
    table = np.array([[overlap(a, b[0]) for b in given] for a, _ in left]).reshape(len(left), len(given))
    for row, column in assign(table):
        if table[row, column] < FOUND:
            continue
        _, name, places = given[column]
        sources = left[row][1].sources
        right += any(
            same_name(text[a:b], name) or same_name(name, text[a:b]) or any(s < b and a < e for s, e in places)
            for a, b in sources
        )
    return {"source": Tally(right, len(gold), len(given))}


def annotated_tallies(tallies: Tallies, unknown: Collection[str]) -> Tallies:
    """Return the tallies of an article without those that need an aspect which its set does not annotate."""
    starts = tuple(start for aspect in unknown for start in _NEEDS.get(aspect, ()))
    labels = tuple(f"/{aspect.split()[0]}" for aspect in unknown if aspect not in _NEEDS)
    return {
        key: tally
        for key, tally in tallies.items()
        if not key.startswith(starts) and not (key.startswith(("link.", "holder.")) and key.endswith(labels))
    }
