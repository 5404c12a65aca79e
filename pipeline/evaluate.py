"""Scores of a pipeline on annotated articles: the whole of it, and each stage with gold before it."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from itertools import takewhile
from typing import Any

import numpy as np
from spacy.tokens import Doc

from .document import mentions_of, set_mentions, set_statements
from .evaluation.gold import GoldArticle, GoldSet, as_mentions
from .evaluation.intervals import Counts, Difference, Estimate, Measure, Tally, compare, count_articles, estimate
from .evaluation.predictions import Prediction, may_open, open_sources, read_doc
from .evaluation.reliability import Calibration, Judgement, RiskPoint, calibrate, risk_coverage
from .evaluation.scores import (
    FOUND,
    Claim,
    Match,
    Party,
    Range,
    Tag,
    Tallies,
    assign,
    attribution_tallies,
    characters,
    holder_tallies,
    likeness,
    link_tallies,
    match_claims,
    mention_tallies,
    normalise,
    overlap,
    span_tallies,
    stance_confusions,
    stance_right,
    stance_tallies,
    topic_confusions,
    topic_tallies,
    wrong_predictions,
)
from .evaluation.system import ATTRIBUTE, CLASSIFY, LINK, RECOGNISE, STAGES, System, fresh
from .people import same_name
from .schema import PROPOSAL, SAYING

#: What can be evaluated alone: the whole pipeline, or one stage with gold before it.
PIPELINE = "pipeline"
PARTS = (PIPELINE, *STAGES)
#: How the keys of the tallies begin that need an aspect of the gold (`gold.ASPECTS`); links are told by their label.
_NEEDS = {
    "topics": ("topic.", "record."),
    "stance": ("stance.", "record."),
    "body": ("body.", "record."),
    "posts": ("record.whole",),
}
_BATCH = 16


@dataclass(frozen=True)
class Outcome:
    """What became of one article: its text, what was to be found, what was found, and which is which.

    Nothing was to be found where the whole pipeline was not run; `on_gold` are the records that the last stage alone
    was given, with what it says of each. `mentions`: the scores of the mentions found, and whether each is right.
    `unknown`: the aspects of the gold records that are not annotated. `listed`: as in `Prediction`.
    """

    id: str
    text: str
    gold: tuple[Claim, ...]
    predicted: tuple[Claim, ...]
    matches: tuple[Match, ...]
    wrong: Mapping[int, str]
    tallies: Tallies
    on_gold: tuple[tuple[Claim, Claim], ...] = ()
    mentions: tuple[Judgement, ...] = ()
    unknown: frozenset[str] = frozenset()
    listed: frozenset[bool] = frozenset()

    @property
    def asked(self) -> tuple[Claim, ...]:
        """The gold records that there can be errors about: those to be found, or else those given to the last stage."""
        return self.gold or tuple(claim for claim, _ in self.on_gold)

    @property
    def missed(self) -> tuple[int, ...]:
        """The gold records that were not found, by index."""
        found = {match.gold for match in self.matches if match.found}
        return tuple(index for index in range(len(self.gold)) if index not in found)

    @property
    def pairs(self) -> tuple[tuple[Claim, Claim], ...]:
        """The found records with what was predicted of them."""
        return tuple((self.gold[m.gold], self.predicted[m.predicted]) for m in self.matches if m.found)


@dataclass(frozen=True)
class Report:
    """The scores of one system on one set; `outcomes` and `counts` hold what they were made from.

    `risk` is empty where there was no record to find and none was found.
    """

    system: str
    data: str
    figures: Mapping[Measure, Estimate]
    counts: Counts
    outcomes: tuple[Outcome, ...]
    wrong: Mapping[str, int]
    calibration: Mapping[str, Calibration]
    risk: tuple[RiskPoint, ...]
    confusions: Mapping[str, Mapping[tuple[str, str], int]]
    left_out: tuple[str, ...]

    def value(self, key: str, kind: str = "f1") -> float | None:
        """Return a figure by its key and kind; None where it was not measured."""
        found = next((e for m, e in self.figures.items() if (m.key, m.kind) == (key, kind)), None)
        return found.value if found else None

    def to_dict(self) -> dict[str, Any]:
        """Return plain lists, dicts and numbers: every figure with interval and counts, and where the errors are."""
        figures: dict[str, Any] = {}
        for measure, found in self.figures.items():
            total = self.counts.total(measure.key)
            counts = {} if measure.kind == "macro" else asdict(total)
            figures[measure.name] = {**asdict(found), **counts}
        return {
            "system": self.system,
            "data": self.data,
            "articles": len(self.outcomes),
            "figures": figures,
            "wrong_predictions": dict(self.wrong),
            "calibration": {name: asdict(found) for name, found in self.calibration.items()},
            "risk_coverage": [asdict(point) for point in self.risk],
            "confusions": {
                name: [{"gold": a, "predicted": b, "count": count} for (a, b), count in sorted(cells.items())]
                for name, cells in self.confusions.items()
            },
            "errors": [error for outcome in self.outcomes for error in _errors(outcome)],
            "left_out": list(self.left_out),
        }

    def to_json(self) -> str:
        """Return `to_dict` as JSON."""
        return json.dumps(self.to_dict(), indent=1, ensure_ascii=False)


@dataclass(frozen=True)
class Comparison:
    """Another system's report on the same articles, and how the first system differs from it."""

    other: Report
    differences: Mapping[Measure, Difference]


def evaluate(system: System, gold: GoldSet, parts: Sequence[str] = PARTS, resamples: int = 1000) -> Report:
    """Return the scores of a system on a set; `parts` limits them to the whole pipeline or to some stages."""
    return evaluate_together((system,), gold, parts, resamples)[0]


def evaluate_together(
    systems: Sequence[System], gold: GoldSet, parts: Sequence[str] = PARTS, resamples: int = 1000
) -> list[Report]:
    """Return the scores of systems on a set, in their order; each is scored as it would be alone.

    They are one pipeline with stages replaced: an article is encoded once for all of them, and a stage that several
    share is scored once. Raises `ValueError` for systems of different pipelines.
    """
    if any(system.nlp is not systems[0].nlp for system in systems):
        raise ValueError("only systems of one pipeline are evaluated together")
    found: list[list[Outcome]] = [[] for _ in systems]
    for row in _outcomes(systems, gold, parts):
        for outcomes, outcome in zip(found, row, strict=True):
            outcomes.append(outcome)
    return [_report(system, gold, tuple(outcomes), resamples) for system, outcomes in zip(systems, found, strict=True)]


def _report(system: System, gold: GoldSet, outcomes: tuple[Outcome, ...], resamples: int) -> Report:
    outcomes = tuple(_without_unknown(outcome, gold.unknown) for outcome in outcomes)
    outcomes, unsaid = _without_unsaid(outcomes, system)
    counts = count_articles([outcome.tallies for outcome in outcomes])
    records = [
        Judgement(claim.score, index not in outcome.wrong)
        for outcome in outcomes
        for index, claim in enumerate(outcome.predicted)
    ]
    proponents = [
        Judgement(claim.proponent_score, index in {match.predicted for match in outcome.matches})
        for outcome in outcomes
        for index, claim in enumerate(outcome.predicted)
    ]
    wanted = sum(len(outcome.gold) for outcome in outcomes)
    # Classified gold records where there are any: they do not depend on what was found.
    pairs = [pair for outcome in outcomes for pair in outcome.on_gold or outcome.pairs]
    topic_pairs, stance_pairs = (
        [] if aspect in gold.unknown else _annotated(pairs, aspect) for aspect in ("topics", "stance")
    )
    return Report(
        system=system.name,
        data=gold.name,
        figures=estimate(counts, measures(counts), resamples),
        counts=counts,
        outcomes=outcomes,
        wrong=_count(kind for outcome in outcomes for kind in outcome.wrong.values()),
        calibration={
            "records": calibrate(records),
            "proponents": calibrate(proponents),
            "mentions": calibrate([judgement for outcome in outcomes for judgement in outcome.mentions]),
            "topics": calibrate([j for pair in topic_pairs for j in _topic_judgements(*pair)]),
            "stance": calibrate([j for pair in stance_pairs for j in _stance_judgements(*pair)]),
        },
        risk=risk_coverage(records, wanted) if records or wanted else (),
        confusions={"stance": stance_confusions(stance_pairs), "topics": topic_confusions(topic_pairs)},
        left_out=(*gold.left_out, *unsaid),
    )


def compare_reports(report: Report, other: Report, resamples: int = 1000) -> Comparison:
    """Return how a report differs from another on the same articles; raise `ValueError` where they are not the same."""
    if [outcome.id for outcome in report.outcomes] != [outcome.id for outcome in other.outcomes]:
        raise ValueError(f"{report.system} and {other.system} were not scored on the same articles")
    shared = [measure for measure in report.figures if measure in other.figures]
    return Comparison(other, compare(report.counts, other.counts, shared, resamples))


def measures(counts: Counts) -> list[Measure]:
    """Return the measures that tallies allow: F1, precision and recall of each, and the means over labels."""
    found = []
    for key in counts.keys:
        if key.startswith("bucket/"):
            found.append(Measure(key, "recall"))
        else:
            found += [Measure(key), Measure(key, "precision"), Measure(key, "recall")]
    stems = sorted({key.split("/")[0] for key in counts.keys if key.startswith(("topic.", "stance."))})
    return found + [Measure(stem, "macro") for stem in stems]


def _annotated(pairs: Iterable[tuple[Claim, Claim]], aspect: str) -> list[tuple[Claim, Claim]]:
    """Return the pairs whose gold record says something of an aspect; a set may annotate some records alone."""
    return [pair for pair in pairs if getattr(pair[0], aspect)]


def _count(kinds: Iterable[str]) -> dict[str, int]:
    counts: dict[str, int] = {}
    for kind in kinds:
        counts[kind] = counts.get(kind, 0) + 1
    return counts


def _topic_judgements(gold: Claim, predicted: Claim) -> Iterator[Judgement]:
    for label, score in predicted.topic_scores:
        yield Judgement(score, label in gold.topics)


def _stance_judgements(gold: Claim, predicted: Claim) -> Iterator[Judgement]:
    if predicted.stance_scores is None:
        return
    answer = predicted.stance if stance_right(gold, predicted) else gold.stance
    for score, side in zip(predicted.stance_scores, ("promote", "regulate"), strict=True):
        yield Judgement(score, answer in (side, "both"))


def _mention_judgements(item: GoldArticle, doc: Doc, labels: Sequence[str]) -> Iterator[Judgement]:
    if item.mentions is None:
        return
    wanted = {(mention.start, mention.end, mention.label) for mention in item.mentions}
    for mention in mentions_of(doc):
        if mention.label in labels:
            yield Judgement(mention.score, (mention.start, mention.end, mention.label) in wanted)


def _errors(outcome: Outcome) -> Iterator[dict[str, Any]]:
    for index in outcome.missed:
        claim = outcome.gold[index]
        yield {"document_id": outcome.id, "kind": "missed", "proponent": claim.proponent.name, "spans": claim.spans}
    for index, kind in outcome.wrong.items():
        claim = outcome.predicted[index]
        yield {"document_id": outcome.id, "kind": kind, "proponent": claim.proponent.name, "spans": claim.spans}


def _outcomes(systems: Sequence[System], gold: GoldSet, parts: Sequence[str]) -> Iterator[list[Outcome]]:
    """Yield the outcomes of each article, one a system."""
    for at in range(0, len(gold.articles), _BATCH):
        batch = gold.articles[at : at + _BATCH]
        prepared = systems[0].prepare([item.article for item in batch])
        for item, doc in zip(batch, prepared, strict=True):
            shared = _Shared()
            yield [_outcome(system, item, doc, gold.labels, parts, shared) for system in systems]


def _without_unknown(outcome: Outcome, unknown: frozenset[str]) -> Outcome:
    """Leave out of the tallies of an article what needs something that its set does not annotate."""
    starts = tuple(start for aspect in unknown for start in _NEEDS.get(aspect, ()))
    labels = tuple(f"/{aspect.split()[0]}" for aspect in unknown if aspect not in _NEEDS)
    kept = {
        key: tally
        for key, tally in outcome.tallies.items()
        if not key.startswith(starts) and not (key.startswith(("link.", "holder.")) and key.endswith(labels))
    }
    return replace(outcome, tallies=kept, unknown=unknown)


def _without_unsaid(outcomes: tuple[Outcome, ...], system: System) -> tuple[tuple[Outcome, ...], list[str]]:
    """Leave out, and name, what the system's linker can't say; that is no error of any article.

    What it can say and does not is one.
    """
    given = {key for outcome in outcomes for key, tally in outcome.tallies.items() if tally.predicted}
    asked = {key for outcome in outcomes for key in outcome.tallies}
    unsaid, notes = set[str](), []
    memberships = {"link.gold/BODY", "link.predicted/BODY", "holder.gold/BODY"}
    listed = frozenset[bool]().union(*(outcome.listed for outcome in outcomes))
    if memberships & asked and listed == {False}:
        unsaid |= memberships
        notes.append("memberships → person: this linker does not say which one is whose")
    if "source" in asked - given and not may_open(system):
        unsaid.add("source")
        notes.append("sources: this linker names only those of delegates' proposals, and there are none")
    if not unsaid:
        return outcomes, notes
    kept = (
        replace(outcome, tallies={key: tally for key, tally in outcome.tallies.items() if key not in unsaid})
        for outcome in outcomes
    )
    return tuple(kept), notes


@dataclass(frozen=True)
class _Scored:
    """The tallies of a stage alone; of the last one the gold records with what it says of each.

    `listed`: of the linker, as in `Prediction`.
    """

    tallies: Tallies
    on_gold: tuple[tuple[Claim, Claim], ...] = ()
    listed: frozenset[bool] = frozenset()


@dataclass(frozen=True)
class _Shared:
    """What is the same of one article for all systems that do not replace a stage, by that stage.

    `scored`: the stage alone; `reached`: the document behind it where none before it is replaced either.
    """

    scored: dict[str, _Scored] = field(default_factory=dict)
    reached: dict[str, Doc] = field(default_factory=dict)


def _outcome(
    system: System, item: GoldArticle, prepared: Doc, labels: Sequence[str], parts: Sequence[str], shared: _Shared
) -> Outcome:
    text, tallies = item.article.text, Tallies()
    gold: tuple[Claim, ...] = ()
    predicted: tuple[Claim, ...] = ()
    matches: tuple[Match, ...] = ()
    wrong: dict[int, str] = {}
    mentions: tuple[Judgement, ...] = ()
    listed = frozenset[bool]()
    if PIPELINE in parts:
        doc = _whole_run(system, item, prepared, shared.reached)
        whole = read_doc(doc)
        mentions = tuple(_mention_judgements(item, doc, labels))
        gold = item.claims or ()
        predicted = whole.claims if item.claims is not None else ()
        listed |= whole.listed
        matches = match_claims(text, gold, predicted)
        wrong = wrong_predictions(text, gold, predicted, matches)
        tallies |= _whole_tallies(item, whole, matches, labels)
        if item.attributions is not None:
            tallies |= _source_tallies(text, item, open_sources(system, prepared, item.article))
    on_gold: tuple[tuple[Claim, Claim], ...] = ()
    for stage in STAGES:
        # The mentions of the whole pipeline are those of the first stage alone.
        if stage not in parts or (stage == RECOGNISE and PIPELINE in parts):
            continue
        if stage in system.replaced:
            scored = _stage(stage, system, item, prepared, labels)
        else:
            if stage not in shared.scored:
                shared.scored[stage] = _stage(stage, system, item, prepared, labels)
            scored = shared.scored[stage]
        tallies |= scored.tallies
        on_gold = on_gold or scored.on_gold
        listed |= scored.listed
    return Outcome(item.article.id, text, gold, predicted, matches, wrong, tallies, on_gold, mentions, listed=listed)


def _whole_run(system: System, item: GoldArticle, prepared: Doc, reached: dict[str, Doc]) -> Doc:
    """Return the document behind the last stage; those before the first replaced one run once for all systems."""
    stages = list(dict.fromkeys(stage for stage, _ in system.components() if stage is not None))
    after = None
    for stage in takewhile(lambda stage: stage not in system.replaced, stages):
        if stage not in reached:
            # A copy goes on, so that what a later stage writes is not seen by another system.
            doc = reached[after].copy() if after else fresh(system.nlp, prepared, item.article)
            reached[stage] = system.run(doc, {}, stage, after)
        after = stage
    if after is None:
        return system.run(fresh(system.nlp, prepared, item.article), {})
    return reached[after] if after == CLASSIFY else system.run(reached[after].copy(), {}, after=after)


def _stage(stage: str, system: System, item: GoldArticle, prepared: Doc, labels: Sequence[str]) -> _Scored:
    """Return the scores of a stage alone: it gets gold, so no other stage of the system has a part in them."""

    def run(given: Mapping[str, Callable[[Doc], None]]) -> Prediction:
        return read_doc(system.run(fresh(system.nlp, prepared, item.article), given, stage))

    if stage == RECOGNISE and item.mentions is not None:
        return _Scored(_mentions(item, run({}), labels))
    if stage == ATTRIBUTE and item.mentions is not None and item.statements is not None:
        return _Scored(_statements("span.gold", item, run({RECOGNISE: _give_mentions(item)})))
    if stage == LINK and item.linked:
        given = {RECOGNISE: _give_mentions(item), ATTRIBUTE: _give_statements(item)}
        linked = run(given)
        return _Scored(_gold_link_tallies(item, linked), listed=linked.listed)
    if stage == CLASSIFY and item.claims:
        pairs = _classified(system, item, fresh(system.nlp, prepared, item.article))
        return _Scored(_class_tallies("gold", pairs), pairs)
    return _Scored({})


def _whole_tallies(item: GoldArticle, found: Prediction, matches: Sequence[Match], labels: Sequence[str]) -> Tallies:
    text, tallies = item.article.text, Tallies()
    if item.claims is not None:
        pairs = [(item.claims[m.gold], found.claims[m.predicted]) for m in matches if m.found]
        tallies |= attribution_tallies(text, item.claims, found.claims, matches)
        tallies |= _class_tallies("predicted", pairs)
        tallies["body.predicted"] = Tally(sum(a.body == b.body for a, b in pairs), len(pairs), len(pairs))
    if item.mentions is not None:
        tallies |= _mentions(item, found, labels)
    if item.linked:
        tallies |= link_tallies("link.predicted", item.holdings, found.holdings)
    if item.statements is not None:
        tallies |= _statements("span.predicted", item, found)
    return tallies


def _class_tallies(place: str, pairs: Sequence[tuple[Claim, Claim]]) -> Tallies:
    topics, stances = _annotated(pairs, "topics"), _annotated(pairs, "stance")
    return topic_tallies(f"topic.{place}", topics) | stance_tallies(f"stance.{place}", stances)


def _mentions(item: GoldArticle, found: Prediction, labels: Sequence[str]) -> Tallies:
    gold = [tag for tag in item.mentions or () if tag.label in labels]
    tallies = mention_tallies(gold, [tag for tag in found.mentions if tag.label in labels])
    return {key: tally for key, tally in tallies.items() if "/" not in key or key.split("/")[1] in labels}


def _statements(prefix: str, item: GoldArticle, found: Prediction) -> Tallies:
    text, gold = item.article.text, item.statements or ()
    tallies = span_tallies(f"{prefix}.statement", text, _ranges(gold), _ranges(found.statements))
    if item.claims is not None:
        both = [[tag for tag in tags if tag.label == PROPOSAL] for tags in (gold, found.statements)]
        tallies |= span_tallies(f"{prefix}.proposal", text, _ranges(both[0]), _ranges(both[1]))
    return tallies


def _ranges(tags: Sequence[Tag]) -> list[Range]:
    return [(tag.start, tag.end) for tag in tags]


def _gold_link_tallies(item: GoldArticle, found: Prediction) -> Tallies:
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


def _give_mentions(item: GoldArticle) -> Callable[[Doc], None]:
    return lambda doc: set_mentions(doc, as_mentions(item.article.text, item.mentions or ()))


def _give_statements(item: GoldArticle) -> Callable[[Doc], None]:
    # A statement's score is the probability that it proposes.
    scores = {PROPOSAL: 1.0, SAYING: 0.0}
    return lambda doc: set_statements(doc, as_mentions(item.article.text, item.statements or (), scores))


def _classified(system: System, item: GoldArticle, doc: Doc) -> tuple[tuple[Claim, Claim], ...]:
    """Return the gold records, each with the topics and the stance that the system gives to its spans."""
    claims = item.claims or ()
    set_mentions(doc, as_mentions(item.article.text, item.mentions or ()))
    set_statements(doc, ())

    def fill(doc: Doc) -> None:
        doc._.entities = [
            {"id": f"e{i}", "kind": c.proponent.kind, "name": c.proponent.name, "name_zh": None, "body": c.body,
             "roles": [], "mentions": []}
            for i, c in enumerate(claims)
        ]  # fmt: skip
        doc._.proposals = [
            {"entity": i, "spans": [list(span) for span in c.spans], "score": 1.0} for i, c in enumerate(claims)
        ]

    given = {RECOGNISE: lambda _: None, ATTRIBUTE: lambda _: None, LINK: fill}
    doc = system.run(doc, given)
    return tuple((claim, _classes(entry)) for claim, entry in zip(claims, doc._.proposals or (), strict=True))


def _classes(entry: Mapping[str, Any]) -> Claim:
    topics = [(topic["label"], float(topic["score"])) for topic in entry.get("topics") or ()]
    stance = entry.get("stance") or {"label": None}
    return Claim(
        Party(""),
        (),
        topics=tuple(label for label, _ in topics),
        stance=stance["label"],
        topic_scores=tuple(topics),
        stance_scores=(stance["promote"], stance["regulate"]) if "promote" in stance else None,
    )


def _source_tallies(text: str, item: GoldArticle, found: Prediction) -> Tallies:
    """Count the statements whose source is right: one of its mentions overlaps the gold source, or bears its name."""
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
