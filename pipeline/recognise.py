"""PERSON, ROLE, ORG, BODY (and internal REF) mentions, by the tag head."""

from __future__ import annotations

import numpy as np
from spacy.tokens import Doc

from .document import set_mentions, token_lines
from .heads import MENTION_TYPES, FloatArray, calibrated, decode_tags, edge_score, linear, log_softmax
from .schema import Mention
from .stage import TrainedStage

# Where all tags are about as likely, the best path is as good as none.
_LEAST = 0.2


class Recognise(TrainedStage):
    """The component: writes mentions into the document.

    Its settings hold how the probabilities of a mention's tags become its calibrated score.
    """

    needs = ("mention_tags",)

    def process(self, doc: Doc, vectors: FloatArray) -> None:
        """Decode the mentions of each line."""
        log_probs = log_softmax(linear(self.weights, "mention_tags", vectors))
        probs = np.exp(log_probs)
        # spaCy puts the text together anew each time that it is asked for.
        text = doc.text
        found = []
        for start, end, kind, _ in decode_tags(log_probs, token_lines(doc), len(MENTION_TYPES)):
            first, last = doc[start], doc[end - 1]
            a, b = first.idx, last.idx + len(last)
            score = edge_score(probs, start, end, kind)
            if score >= _LEAST and any(map(str.isalnum, text[a:b])):
                sure = calibrated([score], self.settings.get("score"))
                found.append(Mention(a, b, text[a:b], MENTION_TYPES[kind], sure))
        set_mentions(doc, found)

    def process_empty(self, doc: Doc) -> None:
        """Leave an empty span group."""
        set_mentions(doc, [])
