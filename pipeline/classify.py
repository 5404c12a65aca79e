"""Topics and stance of a proposal, by heads over the vectors of its spans."""

from __future__ import annotations

from typing import Any

import numpy as np
from spacy.tokens import Doc

from .document import character_span
from .heads import FloatArray, perceptron, record_vector, topic_logits
from .schema import StanceLabel
from .stage import TrainedStage


class Classify(TrainedStage):
    """The component: adds `topics` and `stance` to each of `doc._.proposals`.

    Its settings name the topics in the order of the head's outputs, and hold for topics and stance a temperature and
    bias (calibration) and the thresholds on calibrated probabilities.
    """

    needs = ("topics.", "topic_labels", "topic_scale", "stance")

    def process(self, doc: Doc, vectors: FloatArray) -> None:
        """Classify the proposals of one article."""
        proposals = doc._.proposals or []
        if not proposals:
            return
        rows = []
        for proposal in proposals:
            spans = [character_span(doc, start, end) for start, end in proposal["spans"]]
            rows.append(record_vector(vectors, [(span.start, span.end) for span in spans]))
        inputs = np.stack(rows)
        topics = topic_logits(self.weights, inputs)
        stances = perceptron(self.weights, "stance", inputs)
        doc._.proposals = [
            {**proposal, "topics": self.topics(topics[i]), "stance": self.stance(stances[i])}
            for i, proposal in enumerate(proposals)
        ]

    def topics(self, logits: Any) -> list[dict[str, Any]]:
        """Return the topics over their threshold, most probable first; the best one where none is."""
        probs = platt(logits, self.settings.get("topic_calibration"))
        names = self.settings["topics"]
        threshold = float(self.settings.get("topic_threshold", 0.5))
        order = np.argsort(-probs)
        kept = [i for i in order if probs[i] >= threshold] or [order[0]]
        return [{"label": names[i], "score": round(float(probs[i]), 4)} for i in kept]

    def stance(self, logits: Any) -> dict[str, Any]:
        """Return both probabilities and the label that follows from them and their thresholds."""
        probs = platt(logits, self.settings.get("stance_calibration"))
        limits = self.settings.get("stance_thresholds", [0.5, 0.5])
        promote, regulate = (bool(prob >= limit) for prob, limit in zip(probs, limits, strict=True))
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


def platt(logits: Any, fit: Any) -> Any:
    """Return probabilities of logits; `fit` is (slope, constant) for all of them, or a row of both for each."""
    values = np.asarray(logits, dtype=np.float64)
    if fit is not None:
        rows = np.atleast_2d(np.asarray(fit, dtype=np.float64))
        values = values * rows[:, 0] + rows[:, 1]
    return 1 / (1 + np.exp(-values))
