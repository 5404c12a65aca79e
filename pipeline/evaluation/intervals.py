"""Counts of articles → figures with intervals: bootstrap over articles, alone and paired.

Every figure is made from tallies (right, gold, predicted) that add up over articles, so a resample of articles is a
weighted sum of count vectors and a thousand of them are one matrix product.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

FloatArray = NDArray[np.float64]
MeasureKind = Literal["f1", "precision", "recall", "macro"]
RESAMPLES, SEED = 1000, 20130305


@dataclass(frozen=True)
class Tally:
    """How many were right, how many there are, how many were given; an accuracy has the last two equal."""

    right: float = 0
    gold: float = 0
    predicted: float = 0

    def __add__(self, other: Tally) -> Tally:
        return Tally(self.right + other.right, self.gold + other.gold, self.predicted + other.predicted)

    @property
    def precision(self) -> float | None:
        """The share of what was given that is right; None where nothing was given."""
        return self.right / self.predicted if self.predicted else None

    @property
    def recall(self) -> float | None:
        """The share of what there is that was found; None where there is nothing."""
        return self.right / self.gold if self.gold else None

    @property
    def f1(self) -> float | None:
        """The harmonic mean of both; None where there is nothing and nothing was given."""
        total = self.gold + self.predicted
        return 2 * self.right / total if total else None


@dataclass(frozen=True)
class Measure:
    """A figure to compute: of the tally `key`, or ("macro") the mean F1 of all tallies whose key starts with `key/`."""

    key: str
    kind: MeasureKind = "f1"

    @property
    def name(self) -> str:
        """The name under which the figure is reported."""
        return f"{self.key}:{self.kind}"


@dataclass(frozen=True)
class Counts:
    """The tallies of all articles: `values` is (articles, keys, 3) with right, gold and predicted last."""

    keys: tuple[str, ...]
    values: FloatArray

    def total(self, key: str) -> Tally:
        """Return the sum of a tally over the articles; zeros where no article has it."""
        if key not in self.keys:
            return Tally()
        right, gold, predicted = self.values[:, self.keys.index(key)].sum(axis=0)
        return Tally(float(right), float(gold), float(predicted))


@dataclass(frozen=True)
class Estimate:
    """A figure in [0, 1] and its 95 % interval; None where it is undefined (nothing to find and nothing given)."""

    value: float | None
    low: float | None
    high: float | None


@dataclass(frozen=True)
class Difference:
    """The first system's figure less the second's, its 95 % interval, and the two-sided p-value that there is none."""

    value: float | None
    low: float | None
    high: float | None
    p: float | None


def count_articles(articles: Sequence[Mapping[str, Tally]]) -> Counts:
    """Return the tallies of articles as one array; what an article lacks is zero."""
    keys = tuple(sorted({key for article in articles for key in article}))
    column = {key: index for index, key in enumerate(keys)}
    values = np.zeros((len(articles), len(keys), 3))
    for row, article in enumerate(articles):
        for key, tally in article.items():
            values[row, column[key]] = (tally.right, tally.gold, tally.predicted)
    return Counts(keys, values)


def figure(measure: Measure, keys: Sequence[str], totals: FloatArray) -> FloatArray:
    """Return a measure of totals shaped (..., keys, 3), shaped (...); NaN where it is undefined."""
    if measure.kind == "macro":
        columns = [index for index, key in enumerate(keys) if key.startswith(measure.key + "/")]
    else:
        columns = [index for index, key in enumerate(keys) if key == measure.key]
    if not columns:
        return np.full(totals.shape[:-2], np.nan)
    right, gold, predicted = (totals[..., columns, part] for part in range(3))
    below = {"precision": predicted, "recall": gold}.get(measure.kind, (gold + predicted) / 2)
    with np.errstate(invalid="ignore", divide="ignore"):
        shares = np.where(below > 0, right / below, np.nan)
    present = ~np.isnan(shares)
    # A label that neither occurs nor is given has no F1 and no part in the mean.
    count = present.sum(axis=-1)
    mean = np.where(present, shares, 0.0).sum(axis=-1) / np.maximum(count, 1)
    return np.where(count > 0, mean, np.nan)


def resample_weights(articles: int, resamples: int = RESAMPLES, seed: int = SEED) -> FloatArray:
    """Return how often each resample holds each article, (resamples, articles); every row sums to `articles`."""
    if articles < 1:
        raise ValueError("no articles to resample")
    generator = np.random.default_rng(seed)
    return generator.multinomial(articles, np.full(articles, 1 / articles), size=resamples).astype(np.float64)


def estimate(
    counts: Counts, measures: Sequence[Measure], resamples: int = RESAMPLES, seed: int = SEED
) -> dict[Measure, Estimate]:
    """Return each measure with its 95 % percentile interval from resampled articles."""
    whole, drawn = _both(counts, resample_weights(len(counts.values), resamples, seed))
    found = {}
    for measure in measures:
        low, high = _interval(figure(measure, counts.keys, drawn))
        found[measure] = Estimate(_number(figure(measure, counts.keys, whole)), low, high)
    return found


def compare(
    first: Counts, second: Counts, measures: Sequence[Measure], resamples: int = RESAMPLES, seed: int = SEED
) -> dict[Measure, Difference]:
    """Return each measure's difference between two systems on the same articles, in the same order.

    Both are resampled alike. The p-value is twice the smaller share of resamples on either side of zero (zero counts
    on both, one is added to each count), at most 1. Raises `ValueError` where the numbers of articles differ.
    """
    if len(first.values) != len(second.values):
        raise ValueError(f"{len(first.values)} articles against {len(second.values)}: nothing to pair")
    weights = resample_weights(len(first.values), resamples, seed)
    (whole_a, drawn_a), (whole_b, drawn_b) = _both(first, weights), _both(second, weights)
    found = {}
    for measure in measures:
        value = figure(measure, first.keys, whole_a) - figure(measure, second.keys, whole_b)
        drawn = figure(measure, first.keys, drawn_a) - figure(measure, second.keys, drawn_b)
        drawn = drawn[~np.isnan(drawn)]
        low, high = _interval(drawn)
        p = None
        if len(drawn) and not np.isnan(value):
            side = min(int((drawn <= 0).sum()), int((drawn >= 0).sum()))
            p = min(1.0, 2 * (side + 1) / (len(drawn) + 1))
        found[measure] = Difference(_number(value), low, high, p)
    return found


def _both(counts: Counts, weights: FloatArray) -> tuple[FloatArray, FloatArray]:
    flat = counts.values.reshape(len(counts.values), -1)
    shape = (len(weights), len(counts.keys), 3)
    return counts.values.sum(axis=0), (weights @ flat).reshape(shape)


def _interval(drawn: FloatArray) -> tuple[float | None, float | None]:
    defined = drawn[~np.isnan(drawn)]
    if not len(defined):
        return None, None
    low, high = np.percentile(defined, [2.5, 97.5])
    return float(low), float(high)


def _number(value: FloatArray) -> float | None:
    return None if np.isnan(value) else float(value)
