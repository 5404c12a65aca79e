"""Thresholds and calibration of a trained pipeline, fitted on dev articles."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Any

import numpy as np
from numpy.typing import NDArray
from spacy.language import Language
from spacy.tokens import Doc

from ..attribute import LISTS
from ..classify import Classify, probabilities, token_spans
from ..corpus import AnnotatedArticle
from ..document import make_doc, mentions_of
from ..evaluation.gold import from_annotated
from ..evaluation.predictions import read_doc
from ..evaluation.scores import Claim, match_claims
from ..heads import calibrated
from ..link import RECORD_FEATURES

FloatArray = NDArray[np.float64]
Settings = dict[str, dict[str, Any]]
# What a record or two on dev make in F1: values that differ by less are as good as each other.
_ONE_RECORD = 0.005
_STANCES = {"promote": (1, 0), "regulate": (0, 1), "both": (1, 1), "neither": (0, 0)}


def run_stages(nlp: Language, gold: AnnotatedArticle, tensor: Any | None = None) -> Doc:
    """Return a processed document; with a tensor, the encoder is left out."""
    doc = make_doc(nlp, gold.article)
    for name, component in nlp.pipeline:
        if name == "encode" and tensor is not None:
            doc.tensor = tensor
        else:
            doc = component(doc)
    return doc


def encode_all(nlp: Language, corpus: Sequence[AnnotatedArticle]) -> list[Any]:
    """Return the token vectors of articles."""
    encode = nlp.get_pipe("encode")
    return [doc.tensor for doc in encode.pipe(make_doc(nlp, gold.article) for gold in corpus)]  # type: ignore[attr-defined]


@dataclass(frozen=True)
class Outcome:
    """A predicted record: its features, whether it was found, and whether its proponent proposes any of its words."""

    features: list[float]
    found: bool
    linked: bool


def attribution(
    nlp: Language, corpus: Sequence[AnnotatedArticle], tensors: Sequence[Any]
) -> tuple[float, list[Outcome]]:
    """Return attribution F1, and what came of each predicted record."""
    right = gold_count = predicted_count = 0
    rows: list[Outcome] = []
    for gold, tensor in zip(corpus, tensors, strict=True):
        doc = run_stages(nlp, gold, tensor)
        wanted: Sequence[Claim] = from_annotated(gold).claims or ()
        found = _claims_in_order(doc)
        matches = match_claims(doc.text, wanted, found)
        hits, linked = {m.predicted for m in matches if m.found}, {m.predicted for m in matches}
        right += len(hits)
        gold_count += len(wanted)
        predicted_count += len(found)
        for index, entry in enumerate(doc._.proposals or []):
            rows.append(Outcome(entry["features"], index in hits, index in linked))
    return 2 * right / max(1, gold_count + predicted_count), rows


def _claims_in_order(doc: Doc) -> list[Claim]:
    """Return the claims in the order of `doc._.proposals`, which records sort anew."""
    by_spans = {(c.proponent.name, c.spans): c for c in read_doc(doc).claims}
    entities = doc._.entities
    return [
        by_spans[entities[entry["entity"]]["name"], tuple(sorted((a, b) for a, b in entry["spans"]))]
        for entry in doc._.proposals or []
    ]


def quick_scores(nlp: Language, dev: Sequence[AnnotatedArticle], topics: Sequence[str]) -> dict[str, float]:
    """Return attribution F1, topic micro F1 and stance accuracy on dev, as training watches them."""
    tensors = encode_all(nlp, dev)
    _, classes = calibrate_classes(nlp, dev, tensors, topics)
    return {"attribution_f1": attribution(nlp, dev, tensors)[0], **classes}


def calibrate(
    make: Callable[[Settings], Language],
    dev: Sequence[AnnotatedArticle],
    topics: Sequence[str],
    log: Callable[[str], None],
) -> tuple[Settings, dict[str, float]]:
    """Return the settings of all stages and the dev scores they reach.

    `make` gives a pipeline with some settings. Thresholds are chosen for attribution F1, topic micro F1 and stance
    accuracy; probabilities are fitted by logistic regression.
    """
    settings: Settings = {"recognise": {}, "attribute": {}, "link": {}, "classify": {}}
    nlp = make(settings)
    tensors = encode_all(nlp, dev)
    settings["recognise"]["score"] = calibrate_mentions(nlp, dev, tensors)
    grid = (0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8)
    steps: tuple[tuple[str, str, tuple[Any, ...]], ...] = (
        ("attribute", "lists", LISTS),
        ("attribute", "outside_penalty", (0.0, 0.5, 1.0, 1.5)),
        ("link", "verdict_threshold", grid),
        ("link", "organization_threshold", (*grid, 0.9)),
        ("link", "same_threshold", grid[2:7]),
        ("link", "joint_share", grid[1:5]),
    )
    for stage, key, values in steps:
        tried = []
        for value in values:
            settings[stage][key] = value
            tried.append((attribution(make(settings), dev, tensors)[0], value))
        best = max(score for score, _ in tried)
        # Of the values that are as good as the best, the middle one; of the ways with lists the one that goes
        # farthest, for the guidelines take entries whole.
        good = [value for score, value in tried if score >= best - _ONE_RECORD]
        settings[stage][key] = good[-1] if values is LISTS else good[len(good) // 2]
        log(f"  {stage}.{key} = {settings[stage][key]!r}: dev attribution F1 {best:.4f}")
    score, rows = attribution(make(settings), dev, tensors)
    features = np.array([row.features for row in rows], dtype=np.float64).reshape(-1, len(RECORD_FEATURES))
    # Nine of ten records are right, so there is little to tell the scores' weights by.
    for key, outcome in (("record", [row.found for row in rows]), ("link", [row.linked for row in rows])):
        settings["link"][key] = fit_logistic(logits(features), np.array(outcome, dtype=bool), freedom=0.3)
    scored = [(calibrated(row.features, settings["link"]["record"]), row.found) for row in rows]
    settings["link"]["record_threshold"] = best_cut(scored, sum(len(from_annotated(g).claims or ()) for g in dev))
    score, _ = attribution(make(settings), dev, tensors)
    log(f"  link.record_threshold = {settings['link']['record_threshold']}: dev attribution F1 {score:.4f}")
    settings["classify"], scores = calibrate_classes(make(settings), dev, tensors, topics)
    return settings, {"attribution_f1": score, **scores}


def calibrate_mentions(nlp: Language, dev: Sequence[AnnotatedArticle], tensors: Sequence[Any]) -> list[float]:
    """Return how the tags' probabilities of a mention become that of its being right, borders and label."""
    recognise = nlp.get_pipe("recognise")
    scores, outcome = [], []
    for gold, tensor in zip(dev, tensors, strict=True):
        doc = make_doc(nlp, gold.article)
        doc.tensor = tensor
        wanted = {(mention.start, mention.end, mention.label) for mention in gold.mentions}
        for mention in mentions_of(recognise(doc)):
            scores.append([mention.score])
            outcome.append((mention.start, mention.end, mention.label) in wanted)
    return fit_logistic(logits(np.array(scores, dtype=np.float64).reshape(-1, 1)), np.array(outcome, dtype=bool))


def best_cut(scored: Sequence[tuple[float, bool]], wanted: int) -> float:
    """Return the lowest score, in steps of 0.05 up to 0.6, below which leaving records out gives as good as the best
    F1 against `wanted` gold records.

    A cut is a floor under what `--min-score` can trade: it isn't raised for what one record on dev makes.
    """

    def f1(cut: float) -> float:
        kept = [right for score, right in scored if score >= cut]
        return 2 * sum(kept) / max(1, len(kept) + wanted)

    tried = [(f1(cut), cut) for cut in (round(step * 0.05, 2) for step in range(13))]
    best = max(score for score, _ in tried)
    return min(cut for score, cut in tried if score >= best - _ONE_RECORD)


def logits(probabilities: FloatArray) -> FloatArray:
    """Return the logits of probabilities, kept off 0 and 1."""
    clipped = np.clip(probabilities, 1e-4, 1 - 1e-4)
    return np.log(clipped / (1 - clipped))


def fit_logistic(inputs: FloatArray, target: NDArray[Any], freedom: float = 1.0) -> list[float]:
    """Return the weights and the constant of a regularised logistic regression; a constant where all targets agree.

    `freedom` is the inverse of scikit-learn's regularisation.
    """
    from sklearn.linear_model import LogisticRegression

    if len(set(target.tolist())) < 2:
        share = (target.sum() + 1) / (len(target) + 2) if len(target) else 0.5
        return [*([0.0] * inputs.shape[1]), float(np.log(share / (1 - share)))]
    model = LogisticRegression(C=freedom).fit(inputs, target)
    return [*(float(value) for value in model.coef_[0]), float(model.intercept_[0])]


@dataclass(frozen=True)
class ClassData:
    """The records of annotated articles: where they are, and their topics and stances as 0 and 1.

    `places` are the index of the article and the token ranges, `topics` is (records, topics), `sides` (records, 2).
    """

    docs: tuple[Doc, ...]
    places: tuple[tuple[int, tuple[tuple[int, int], ...]], ...]
    topics: FloatArray
    sides: FloatArray


def class_data(tokenize: Callable[[str], Doc], corpus: Sequence[AnnotatedArticle], topics: Sequence[str]) -> ClassData:
    """Return the gold records of articles."""
    docs, places, labels, sides = [], [], [], []
    for index, gold in enumerate(corpus):
        doc = tokenize(gold.article.text)
        docs.append(doc)
        for claim in from_annotated(gold).claims or ():
            places.append((index, tuple((span.start, span.end) for span in token_spans(doc, claim.spans))))
            labels.append([float(topic in claim.topics) for topic in topics])
            sides.append(_STANCES[claim.stance or "neither"])
    return ClassData(tuple(docs), tuple(places), np.array(labels), np.array(sides, dtype=np.float64))


def calibrate_classes(
    nlp: Language, dev: Sequence[AnnotatedArticle], tensors: Sequence[Any], topics: Sequence[str]
) -> tuple[dict[str, Any], dict[str, float]]:
    """Return the settings of the classify stage and its dev scores on gold spans."""
    classify = nlp.get_pipe("classify")
    assert isinstance(classify, Classify)
    data = class_data(nlp.make_doc, dev, topics)
    found = [
        classify.logits(data.docs[at], tensors[at], [spans for _, spans in places])
        for at, places in groupby(data.places, key=lambda place: place[0])
    ]
    of_topics, of_stance = (np.concatenate([pair[side] for pair in found]).astype(np.float64) for side in (0, 1))
    topic_fit = fit_logistic(of_topics.reshape(-1, of_topics.shape[2]), data.topics.reshape(-1))
    probs = probabilities(of_topics, topic_fit)
    grid = np.arange(0.2, 0.71, 0.02)
    threshold = float(max(grid, key=lambda t: (micro_f1(data.topics, probs, float(t)), -abs(t - 0.5))))
    stance_fit = [fit_logistic(of_stance[:, side], data.sides[:, side]) for side in (0, 1)]
    stances = probabilities(of_stance, stance_fit)
    settings = {
        "topics": list(topics),
        "topic_calibration": topic_fit,
        "topic_threshold": round(threshold, 2),
        "stance_calibration": stance_fit,
    }
    scores = {
        "topic_micro_f1": micro_f1(data.topics, probs, threshold),
        "stance_accuracy": float(((stances >= 0.5) == data.sides).all(axis=1).mean()),
    }
    return settings, scores


def micro_f1(wanted: FloatArray, probs: FloatArray, threshold: float) -> float:
    """Return the micro F1 of labels over a threshold; the best one counts where none is over it."""
    given = probs >= threshold
    given[np.arange(len(probs)), probs.argmax(axis=1)] = True
    hits = float((given * wanted).sum())
    return 2 * hits / max(1.0, float(given.sum() + wanted.sum()))
