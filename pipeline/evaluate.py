"""Scores of a pipeline on annotated articles: the whole of it, and each stage with gold before it."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from .evaluation.gold import GoldSet
from .evaluation.intervals import RESAMPLES, Counts, Difference, Estimate, Measure, compare, count_articles, estimate
from .evaluation.outcomes import Outcome, article_outcomes, without_unsaid
from .evaluation.reliability import Calibration, Judgement, RiskPoint, calibrate, risk_coverage
from .evaluation.scores import Claim, stance_confusions, stance_right, topic_confusions
from .evaluation.system import PIPELINE, STAGES, System
from .evaluation.tallies import annotated

#: What can be evaluated alone: the whole pipeline, or one stage with gold before it.
PARTS = (PIPELINE, *STAGES)


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


def evaluate(system: System, gold: GoldSet, parts: Sequence[str] = PARTS, resamples: int = RESAMPLES) -> Report:
    """Return the scores of a system on a set; `parts` limits them to the whole pipeline or to some stages."""
    return evaluate_together((system,), gold, parts, resamples)[0]


def evaluate_together(
    systems: Sequence[System], gold: GoldSet, parts: Sequence[str] = PARTS, resamples: int = RESAMPLES
) -> list[Report]:
    """Return the scores of systems on a set, in their order; each is scored as it would be alone.

    They are one pipeline with stages replaced: an article is encoded once for all of them, and a stage that several
    share is scored once. Raises `ValueError` for systems of different pipelines.
    """
    if any(system.nlp is not systems[0].nlp for system in systems):
        raise ValueError("only systems of one pipeline are evaluated together")
    found: list[list[Outcome]] = [[] for _ in systems]
    for row in article_outcomes(systems, gold, parts):
        for outcomes, outcome in zip(found, row, strict=True):
            outcomes.append(outcome)
    return [_report(system, gold, outcomes, resamples) for system, outcomes in zip(systems, found, strict=True)]


def compare_reports(report: Report, other: Report, resamples: int = RESAMPLES) -> Comparison:
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


def _report(system: System, gold: GoldSet, found: Sequence[Outcome], resamples: int) -> Report:
    outcomes, unsaid = without_unsaid(found, system)
    counts = count_articles([outcome.tallies for outcome in outcomes])
    records = [judgement for outcome in outcomes for judgement in _record_judgements(outcome)]
    wanted = sum(len(outcome.gold) for outcome in outcomes)
    # Classified gold records where there are any: they do not depend on what was found.
    pairs = [pair for outcome in outcomes for pair in outcome.on_gold or outcome.pairs]
    topic_pairs, stance_pairs = (
        [] if aspect in gold.unknown else annotated(pairs, aspect) for aspect in ("topics", "stance")
    )
    return Report(
        system=system.name,
        data=gold.name,
        figures=estimate(counts, measures(counts), resamples),
        counts=counts,
        outcomes=outcomes,
        wrong=dict(Counter(kind for outcome in outcomes for kind in outcome.wrong.values())),
        calibration={
            "records": calibrate(records),
            "proponents": calibrate([j for outcome in outcomes for j in _proponent_judgements(outcome)]),
            "mentions": calibrate([j for outcome in outcomes for j in outcome.mentions]),
            "topics": calibrate([j for pair in topic_pairs for j in _topic_judgements(*pair)]),
            "stance": calibrate([j for pair in stance_pairs for j in _stance_judgements(*pair)]),
        },
        risk=risk_coverage(records, wanted) if records or wanted else (),
        confusions={"stance": stance_confusions(stance_pairs), "topics": topic_confusions(topic_pairs)},
        left_out=(*gold.left_out, *unsaid),
    )


def _record_judgements(outcome: Outcome) -> Iterator[Judgement]:
    for index, claim in enumerate(outcome.predicted):
        yield Judgement(claim.score, index not in outcome.wrong)


def _proponent_judgements(outcome: Outcome) -> Iterator[Judgement]:
    matched = {match.predicted for match in outcome.matches}
    for index, claim in enumerate(outcome.predicted):
        yield Judgement(claim.proponent_score, index in matched)


def _topic_judgements(gold: Claim, predicted: Claim) -> Iterator[Judgement]:
    for label, score in predicted.topic_scores:
        yield Judgement(score, label in gold.topics)


def _stance_judgements(gold: Claim, predicted: Claim) -> Iterator[Judgement]:
    if predicted.stance_scores is None:
        return
    answer = predicted.stance if stance_right(gold, predicted) else gold.stance
    for score, side in zip(predicted.stance_scores, ("promote", "regulate"), strict=True):
        yield Judgement(score, answer in (side, "both"))


def _errors(outcome: Outcome) -> Iterator[dict[str, Any]]:
    missed = [("missed", outcome.gold[index]) for index in outcome.missed]
    wrong = [(kind, outcome.predicted[index]) for index, kind in outcome.wrong.items()]
    for kind, claim in missed + wrong:
        yield {"document_id": outcome.id, "kind": kind, "proponent": claim.proponent.name, "spans": claim.spans}
