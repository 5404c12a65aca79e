"""Topics and stance of a proposal: heads over the vectors of its spans, and linear models over its words."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from spacy.tokens import Doc, Span

from .document import character_span
from .heads import FloatArray, perceptron, record_vector, topic_logits
from .lexical import lexical_logits
from .schema import StanceLabel
from .stage import TrainedStage


class Classify(TrainedStage):
    """The component: adds `topics` and `stance` to each of `doc._.proposals`.

    Its settings name the topics in the order of the heads' outputs, and hold for topics and for each side of the stance
    how the logits of head and words become a calibrated probability; for topics also the threshold on it.
    """

    needs = ("topics.", "topic_labels", "topic_scale", "stance")
    takes = ("lexical.",)

    def process(self, doc: Doc, vectors: FloatArray) -> None:
        """Classify the proposals of one article."""
        proposals = doc._.proposals or []
        if not proposals:
            return
        spans = [[(span.start, span.end) for span in token_spans(doc, entry["spans"])] for entry in proposals]
        topics, stances = self.logits(doc, vectors, spans)
        doc._.proposals = [
            {**proposal, "topics": self.topics(topics[i]), "stance": self.stance(stances[i])}
            for i, proposal in enumerate(proposals)
        ]

    def logits(
        self, doc: Doc, vectors: FloatArray, records: Sequence[Sequence[tuple[int, int]]]
    ) -> tuple[FloatArray, FloatArray]:
        """Return what speaks for each label of records given as token ranges: (records, topics, 3) and (records, 2, 3).

        The three are the head's logit, that of the record's words, and that of all words of the article, for what a
        short proposal leaves unsaid stands around it.
        """
        rows = np.stack([record_vector(vectors, spans) for spans in records])
        heads = {"topics": topic_logits(self.weights, rows), "stance": perceptron(self.weights, "stance", rows)}
        labels = {name: scores.shape[1] for name, scores in heads.items()}
        article = lexical_logits(self.weights, doc, [(0, len(doc))], labels)
        words = [lexical_logits(self.weights, doc, spans, labels) for spans in records]
        topics, stances = (
            np.stack(
                [scores, np.stack([found[name] for found in words]), np.tile(article[name], (len(rows), 1))], axis=2
            )
            for name, scores in heads.items()
        )
        return topics, stances

    def topics(self, logits: Any) -> list[dict[str, Any]]:
        """Return the topics over their threshold, most probable first; the best one where none is."""
        probs = probabilities(logits, self.settings.get("topic_calibration"))
        names = self.settings["topics"]
        threshold = float(self.settings.get("topic_threshold", 0.5))
        order = np.argsort(-probs)
        kept = [i for i in order if probs[i] >= threshold] or [order[0]]
        return [{"label": names[i], "score": round(float(probs[i]), 4)} for i in kept]

    def stance(self, logits: Any) -> dict[str, Any]:
        """Return both probabilities and the label that follows from them."""
        probs = probabilities(logits, self.settings.get("stance_calibration"))
        promote, regulate = (bool(prob >= 0.5) for prob in probs)
        return {
            "label": stance_label(promote, regulate),
            "promote": round(float(probs[0]), 4),
            "regulate": round(float(probs[1]), 4),
        }


def stance_label(promote: bool, regulate: bool) -> StanceLabel:
    """Return the label of the two answers."""
    if promote and regulate:
        return "both"
    if promote:
        return "promote"
    return "regulate" if regulate else "neither"


def probabilities(logits: Any, fit: Any) -> Any:
    """Return the probabilities of (…, parts) logits.

    `fit` is a weight a part and a constant, or a row of these for each of the labels in the last axis but one. Without
    one the first part counts alone.
    """
    values = np.asarray(logits, dtype=np.float64)
    if fit is None:
        combined = values[..., 0]
    else:
        weights = np.asarray(fit, dtype=np.float64)
        combined = (values * weights[..., :-1]).sum(axis=-1) + weights[..., -1]
    return 1 / (1 + np.exp(-combined))


def token_spans(doc: Doc, spans: Sequence[Sequence[int]]) -> list[Span]:
    """Return the token spans of character ranges."""
    return [character_span(doc, start, end) for start, end in spans]
