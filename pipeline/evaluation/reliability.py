"""Whether scores mean what they say: expected calibration error and the trade of recall for precision."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

BINS = 10
THRESHOLDS = (0.0, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 0.95)


@dataclass(frozen=True)
class Judgement:
    """A score that was given, and whether what it was given to is right."""

    score: float
    right: bool


@dataclass(frozen=True)
class Bin:
    """Judgements of like score: how many, their mean score, and the share of them that is right."""

    count: int
    score: float
    accuracy: float


@dataclass(frozen=True)
class Calibration:
    """The bins of a kind of score and their expected calibration error; None where there was no score."""

    count: int
    ece: float | None
    bins: tuple[Bin, ...]


@dataclass(frozen=True)
class RiskPoint:
    """What is left at a minimum score: the share of records kept, their precision, and the recall they reach."""

    threshold: float
    coverage: float | None
    precision: float | None
    recall: float | None


def calibrate(judgements: Sequence[Judgement], bins: int = BINS) -> Calibration:
    """Return the calibration over bins of equal mass.

    Judgements are sorted by score and cut into `bins` groups of equal size; equal scores share the group of the first
    of them, so that the order of the input does not matter. ECE is the mean over judgements of |accuracy - score|.
    """
    ordered = sorted(judgements, key=lambda item: item.score)
    groups: dict[int, list[Judgement]] = {}
    first = 0
    for rank, item in enumerate(ordered):
        if item.score != ordered[first].score:
            first = rank
        groups.setdefault(bins * first // len(ordered), []).append(item)
    found = tuple(
        Bin(len(group), sum(i.score for i in group) / len(group), sum(i.right for i in group) / len(group))
        for _, group in sorted(groups.items())
    )
    if not found:
        return Calibration(0, None, ())
    error = sum(item.count * abs(item.accuracy - item.score) for item in found) / len(ordered)
    return Calibration(len(ordered), error, found)


def risk_coverage(
    judgements: Sequence[Judgement], gold: int, thresholds: Sequence[float] = THRESHOLDS
) -> tuple[RiskPoint, ...]:
    """Return precision and recall of the records scored at least each threshold; `gold` records are there to find.

    Which record counts as right was settled with all of them kept.
    """
    found = []
    for threshold in thresholds:
        kept = [item for item in judgements if item.score >= threshold]
        right = sum(item.right for item in kept)
        found.append(
            RiskPoint(
                threshold,
                len(kept) / len(judgements) if judgements else None,
                right / len(kept) if kept else None,
                right / gold if gold else None,
            )
        )
    return tuple(found)
