"""The heads on the shared encoder, in NumPy: tag decoding, span vectors, pair features and scores.

`pipeline/training/model.py` trains the same heads; what both must agree on (tags, vectors, features) is written here
alone.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from .schema import MENTION_LABELS, PROPOSAL, REFERENCE, SAYING, Mention

FloatArray = NDArray[np.float32]
IntArray = NDArray[np.int64]

MENTION_TYPES = (*MENTION_LABELS, REFERENCE)
STATEMENT_TYPES = (PROPOSAL, SAYING)
BODY_CLASSES = ("NPC", "CPPCC", "local", "unknown")


def tag_names(types: Sequence[str]) -> tuple[str, ...]:
    """Return the BILOU tags of span types: outside, then begin, inside, last and unit of each."""
    return ("O", *(f"{place}-{label}" for label in types for place in "BILU"))


MENTION_TAGS = tag_names(MENTION_TYPES)
STATEMENT_TAGS = tag_names(STATEMENT_TYPES)

# So many rows of tags, padding counted, are decoded at a time: about 20 MB.
_DECODED_ROWS = 200_000
_DISTANCES = (0, 1, 2, 3, 5, 8, 12, 20, 35, 60, 100, 200, 400)
_COUNTS = (0, 1, 2, 3, 5, 9)
_DISTANCE_WIDTH = 2 * len(_DISTANCES)
PARENT_FEATURES = _DISTANCE_WIDTH + 2 * len(_COUNTS) + 2 * len(MENTION_TYPES) + 2
SOURCE_FEATURES = _DISTANCE_WIDTH + 2 * len(_COUNTS) + len(MENTION_TYPES) + 3
SAME_FEATURES = _DISTANCE_WIDTH + 2 * len(_COUNTS) + 2
VERDICT_FEATURES = 3 + len(BODY_CLASSES) + 1


@dataclass(frozen=True)
class TokenSpan:
    """A span of tokens, `end` exclusive, with its type's index, its line, and a score."""

    start: int
    end: int
    type: int
    line: int
    score: float = 1.0


def transitions(types: int) -> tuple[NDArray[np.bool_], NDArray[np.bool_], NDArray[np.bool_]]:
    """Return which BILOU tags may follow each other, open a line and close one."""
    count = 1 + 4 * types
    allowed = np.zeros((count, count), dtype=bool)
    outside_like = [0, *(1 + 4 * t + k for t in range(types) for k in (2, 3))]
    fresh = [0, *(1 + 4 * t + k for t in range(types) for k in (0, 3))]
    for before in outside_like:
        allowed[before, fresh] = True
    for t in range(types):
        begin, inside, last = 1 + 4 * t, 2 + 4 * t, 3 + 4 * t
        allowed[begin, [inside, last]] = True
        allowed[inside, [inside, last]] = True
    start = np.zeros(count, dtype=bool)
    start[fresh] = True
    stop = np.zeros(count, dtype=bool)
    stop[outside_like] = True
    return allowed, start, stop


def decode_tags(log_probs: FloatArray, lines: Sequence[tuple[int, int]], types: int) -> list[tuple[int, int, int, int]]:
    """Return the best legal spans, (start, end, type, line), of each line; none crosses a line's border.

    `log_probs` is (tokens, tags); `lines` are token ranges. Lines of like length are decoded side by side (Viterbi), so
    many at a time that memory stays bounded.
    """
    filled = sorted(((a, b, index) for index, (a, b) in enumerate(lines) if a < b), key=lambda line: line[1] - line[0])
    found: list[tuple[int, int, int, int]] = []
    at, tags = 0, log_probs.shape[1]
    while at < len(filled):
        stop = at + 1
        # Beside a row a token a line needs one for each tag that the next may follow.
        while stop < len(filled) and (stop + 1 - at) * (filled[stop][1] - filled[stop][0] + tags) <= _DECODED_ROWS:
            stop += 1
        found += _decode_lines(log_probs, filled[at:stop], types)
        at = stop
    return sorted(found)


def _decode_lines(
    log_probs: FloatArray, lines: Sequence[tuple[int, int, int]], types: int
) -> list[tuple[int, int, int, int]]:
    allowed, start, stop = transitions(types)
    penalty = np.where(allowed, 0.0, -1e4).astype(np.float32)
    longest = max(b - a for a, b, _ in lines)
    count = log_probs.shape[1]
    # Padding behind a line's end costs nothing outside, so that all paths end in "O".
    scores = np.full((len(lines), longest + 1, count), -1e4, dtype=np.float32)
    scores[:, :, 0] = 0.0
    for row, (a, b, _) in enumerate(lines):
        scores[row, : b - a] = log_probs[a:b]
    best = scores[:, 0] + np.where(start, 0.0, -1e4)
    back = np.zeros((longest + 1, len(lines), count), dtype=np.int8)
    for at in range(1, longest + 1):
        paths = best[:, :, None] + penalty[None]
        before = paths.argmax(axis=1)
        back[at] = before
        best = np.take_along_axis(paths, before[:, None], axis=1)[:, 0] + scores[:, at]
    tags = np.zeros((longest + 1, len(lines)), dtype=np.int64)
    tags[longest] = np.where(stop, best, -np.inf).argmax(axis=1)
    for at in range(longest, 0, -1):
        tags[at - 1] = np.take_along_axis(back[at], tags[at][:, None], axis=1)[:, 0]
    found: list[tuple[int, int, int, int]] = []
    for row, (a, b, index) in enumerate(lines):
        found.extend((s + a, e + a, t, index) for s, e, t in _spans_of(tags[: b - a, row]))
    return found


def _spans_of(tags: IntArray) -> list[tuple[int, int, int]]:
    found = []
    begin = -1
    for at in np.flatnonzero(tags):
        kind, place = divmod(int(tags[at]) - 1, 4)
        if place == 3:
            found.append((int(at), int(at) + 1, kind))
        elif place == 0:
            begin = int(at)
        elif place == 2 and begin >= 0:
            found.append((begin, int(at) + 1, kind))
            begin = -1
    return found


def type_probabilities(probs: FloatArray, start: int, end: int, types: int) -> FloatArray:
    """Return the mean probability of each type, (types,), over the tokens of a span."""
    inside = probs[start:end, 1:].reshape(end - start, types, 4).sum(axis=2)
    return inside.mean(axis=0)


def edge_score(probs: FloatArray, start: int, end: int, kind: int) -> float:
    """Return the geometric mean of the probabilities of a span's first and last tag."""
    base = 1 + 4 * kind
    if end - start == 1:
        return float(probs[start, base + 3])
    return float(np.sqrt(probs[start, base] * probs[end - 1, base + 2]))


def span_edges(starts: IntArray, ends: IntArray, count: int) -> tuple[IntArray, IntArray, IntArray, IntArray]:
    """Return the token indexes that make up span vectors: first, last, before and behind, kept inside the document."""
    return starts, ends - 1, np.maximum(starts - 1, 0), np.minimum(ends, max(count - 1, 0))


def mention_vectors(vectors: FloatArray, starts: IntArray, ends: IntArray) -> FloatArray:
    """Return (spans, 2 × width): the vectors of each span's first and last token."""
    return np.concatenate([vectors[starts], vectors[ends - 1]], axis=1)


def statement_vectors(vectors: FloatArray, starts: IntArray, ends: IntArray) -> FloatArray:
    """Return (spans, 5 × width): first, last, before, behind and mean vector of each span."""
    first, last, before, behind = span_edges(starts, ends, len(vectors))
    means = [vectors[a:b].mean(axis=0) for a, b in zip(starts, ends, strict=True)]
    mean = np.stack(means) if means else np.zeros((0, vectors.shape[1]), dtype=np.float32)
    return np.concatenate([vectors[first], vectors[last], vectors[before], vectors[behind], mean], axis=1)


def record_vector(vectors: FloatArray, spans: Sequence[tuple[int, int]]) -> FloatArray:
    """Return (2 × width,): mean and maximum over all tokens of a record's spans."""
    inside = np.concatenate([vectors[a:b] for a, b in spans])
    return np.concatenate([inside.mean(axis=0), inside.max(axis=0)])


def _one_hot(values: IntArray, size: int) -> FloatArray:
    return np.eye(size, dtype=np.float32)[values]


def _distances(gap: IntArray, behind: NDArray[np.bool_]) -> FloatArray:
    bucket = np.searchsorted(np.array(_DISTANCES), gap, side="right") - 1
    return _one_hot(bucket + len(_DISTANCES) * behind.astype(np.int64), _DISTANCE_WIDTH)


def _counts(values: IntArray) -> FloatArray:
    return _one_hot(np.searchsorted(np.array(_COUNTS), values, side="right") - 1, len(_COUNTS))


def _gaps(a: IntArray, b: IntArray) -> tuple[IntArray, NDArray[np.bool_]]:
    """Return tokens between the spans of two (pairs, 2) arrays (0 where they overlap), and whether b stands behind
    a.
    """
    behind = b[:, 0] >= a[:, 0]
    gap = np.where(behind, b[:, 0] - a[:, 1], a[:, 0] - b[:, 1])
    return np.maximum(gap, 0), behind


def _as_arrays(spans: Sequence[TokenSpan]) -> tuple[IntArray, IntArray, IntArray]:
    ranges = np.array([(s.start, s.end) for s in spans], dtype=np.int64).reshape(-1, 2)
    return ranges, np.array([s.type for s in spans], dtype=np.int64), np.array([s.line for s in spans], dtype=np.int64)


def _between(marks: IntArray, a: IntArray, b: IntArray) -> IntArray:
    """Return how many marks (sorted token indexes) lie between the starts of two (pairs, 2) arrays."""
    at = np.searchsorted(marks, a[:, 0])
    to = np.searchsorted(marks, b[:, 0])
    return np.abs(at - to)


def parent_features(mentions: Sequence[TokenSpan], left: IntArray, right: IntArray) -> FloatArray:
    """Return (pairs, PARENT_FEATURES) of mentions `left` that belong to a mention `right`, given as indexes."""
    ranges, types, lines = _as_arrays(mentions)
    gap, behind = _gaps(ranges[left], ranges[right])
    names = np.sort(ranges[types == 0, 0])
    crossed = np.minimum(np.abs(lines[left] - lines[right]), 9)
    return np.concatenate(
        [
            _distances(gap, behind),
            _counts(_between(names, ranges[left], ranges[right])),
            _counts(crossed),
            _one_hot(types[left], len(MENTION_TYPES)),
            _one_hot(types[right], len(MENTION_TYPES)),
            (crossed == 0)[:, None].astype(np.float32),
            behind[:, None].astype(np.float32),
        ],
        axis=1,
    )


def source_features(
    statements: Sequence[TokenSpan], mentions: Sequence[TokenSpan], left: IntArray, right: IntArray
) -> FloatArray:
    """Return (pairs, SOURCE_FEATURES) of statements `left` that may be by a mention `right`, given as indexes."""
    ranges, _, lines = _as_arrays(statements)
    places, types, rows = _as_arrays(mentions)
    gap, behind = _gaps(ranges[left], places[right])
    names = np.sort(places[(types == 0) | (types == len(MENTION_TYPES) - 1), 0])
    crossed = np.minimum(np.abs(lines[left] - rows[right]), 9)
    inside = (places[right, 0] >= ranges[left, 0]) & (places[right, 1] <= ranges[left, 1])
    return np.concatenate(
        [
            _distances(gap, behind),
            _counts(_between(names, ranges[left], places[right])),
            _counts(crossed),
            _one_hot(types[right], len(MENTION_TYPES)),
            (crossed == 0)[:, None].astype(np.float32),
            behind[:, None].astype(np.float32),
            inside[:, None].astype(np.float32),
        ],
        axis=1,
    )


def same_features(statements: Sequence[TokenSpan], left: IntArray, right: IntArray) -> FloatArray:
    """Return (pairs, SAME_FEATURES) of two statements of one source, given as indexes, `left` before `right`."""
    ranges, _, lines = _as_arrays(statements)
    gap, behind = _gaps(ranges[left], ranges[right])
    starts = np.sort(ranges[:, 0])
    crossed = np.minimum(np.abs(lines[left] - lines[right]), 9)
    return np.concatenate(
        [
            _distances(gap, behind),
            _counts(_between(starts, ranges[left], ranges[right])),
            _counts(crossed),
            (crossed == 0)[:, None].astype(np.float32),
            behind[:, None].astype(np.float32),
        ],
        axis=1,
    )


def verdict_features(
    proposes: float, is_organization: bool, known: bool, body: str | None, has_body: bool
) -> FloatArray:
    """Return (VERDICT_FEATURES,): what decides whether a statement is a proponent's proposal, beside its words.

    `proposes` is the tagger's share of PROPOSAL, `known` whether a source was found, `body` the body of that source.
    """
    row = np.zeros(VERDICT_FEATURES, dtype=np.float32)
    row[0] = proposes
    row[1] = float(is_organization)
    row[2] = float(known)
    if has_body:
        row[3 + BODY_CLASSES.index(body if body in BODY_CLASSES else "unknown")] = 1.0
        row[-1] = 1.0
    return row


Parameters = Mapping[str, FloatArray]


def linear(parameters: Parameters, name: str, inputs: FloatArray) -> FloatArray:
    """Return `inputs` through the linear layer of that name."""
    outputs: FloatArray = inputs @ parameters[f"{name}.weight"].T
    bias = parameters.get(f"{name}.bias")
    return outputs if bias is None else outputs + bias


def gelu(values: FloatArray) -> FloatArray:
    """Return the tanh form of GELU."""
    inner = np.float32(0.7978845608028654) * (values + np.float32(0.044715) * values**3)
    return np.asarray(np.float32(0.5) * values * (np.float32(1.0) + np.tanh(inner)), dtype=np.float32)


def perceptron(parameters: Parameters, name: str, inputs: FloatArray) -> FloatArray:
    """Return `inputs` through a perceptron with one hidden layer."""
    return linear(parameters, f"{name}.3", gelu(linear(parameters, f"{name}.0", inputs)))


def pair_scores(
    parameters: Parameters,
    name: str,
    left: FloatArray,
    right: FloatArray,
    at: IntArray,
    to: IntArray,
    features: FloatArray,
) -> FloatArray:
    """Return (pairs,) scores of pairs of rows: `at` of `left` with `to` of `right`, each row projected once."""
    a = linear(parameters, f"{name}.left", left)[at]
    b = linear(parameters, f"{name}.right", right)[to]
    hidden = a + b + linear(parameters, f"{name}.product", a * b) + linear(parameters, f"{name}.features", features)
    return perceptron(parameters, f"{name}.output", gelu(hidden))[:, 0]


def topic_logits(parameters: Parameters, rows: FloatArray) -> FloatArray:
    """Return (records, topics) logits of record vectors, (records, 2 × width): a perceptron plus scaled cosines."""
    mean = rows[:, : rows.shape[1] // 2]
    mean = mean / np.maximum(np.linalg.norm(mean, axis=1, keepdims=True), 1e-12)
    labels = parameters["topic_labels.weight"]
    labels = labels / np.maximum(np.linalg.norm(labels, axis=1, keepdims=True), 1e-12)
    cosines = parameters["topic_scale"] * (mean @ labels.T) + parameters["topic_labels.bias"]
    return perceptron(parameters, "topics", rows) + cosines


def softmax(values: FloatArray) -> FloatArray:
    """Return the softmax over the last axis."""
    shifted = np.exp(values - values.max(axis=-1, keepdims=True))
    return shifted / shifted.sum(axis=-1, keepdims=True)


def log_softmax(values: FloatArray) -> FloatArray:
    """Return the logarithm of the softmax over the last axis."""
    shifted = values - values.max(axis=-1, keepdims=True)
    return shifted - np.log(np.exp(shifted).sum(axis=-1, keepdims=True))


def sigmoid(values: FloatArray) -> FloatArray:
    """Return the logistic function."""
    return np.float32(1.0) / (np.float32(1.0) + np.exp(-values))


#: Mentions that may be the source of a statement, or what a reference stands for, by type index.
SOURCE_TYPES = frozenset(MENTION_TYPES.index(label) for label in ("PERSON", "ORG", REFERENCE))
PERSON, ROLE, ORG, BODY, REF = range(len(MENTION_TYPES))
# How far, in mentions of possible sources, the search for a source goes to either side.
_REACH_BEFORE, _REACH_BEHIND = 12, 5
_PARENT_REACH = 8


def source_candidates(statement: TokenSpan, mentions: Sequence[TokenSpan]) -> list[int]:
    """Return the indexes of the mentions that may be a statement's source: the nearest to both sides, and those
    inside.
    """
    before = [i for i, m in enumerate(mentions) if m.type in SOURCE_TYPES and m.end <= statement.start]
    behind = [i for i, m in enumerate(mentions) if m.type in SOURCE_TYPES and m.start >= statement.end]
    inside = [
        i
        for i, m in enumerate(mentions)
        if m.type in SOURCE_TYPES and m.start < statement.end and statement.start < m.end
    ]
    return [*before[-_REACH_BEFORE:], *inside[:4], *behind[:_REACH_BEHIND]]


def parent_candidates(child: int, mentions: Sequence[TokenSpan]) -> list[int]:
    """Return the indexes of the mentions that a post, organization, membership or reference may belong to."""
    kinds = (PERSON, ORG) if mentions[child].type == REF else (PERSON,)
    before = [i for i in range(child) if mentions[i].type in kinds]
    behind = [i for i in range(child + 1, len(mentions)) if mentions[i].type in kinds]
    return [*before[-_PARENT_REACH:], *behind[:_PARENT_REACH]]


def as_mention(text: str, start: int, end: int, label: str, score: float) -> Mention:
    """Return the mention of a character range."""
    return Mention(start, end, text[start:end], label, score)


def calibrated(features: Sequence[float], fit: Sequence[float] | None) -> float:
    """Return the calibrated probability of scores in (0, 1): a logistic function of their logits.

    `fit` is a weight a score and a constant; without one the product of the scores is returned.
    """
    if not fit:
        return float(np.prod(features))
    clipped = np.clip(np.asarray(features, dtype=np.float64), 1e-4, 1 - 1e-4)
    logits = np.log(clipped / (1 - clipped))
    return float(1 / (1 + np.exp(-(np.dot(fit[:-1], logits) + fit[-1]))))
