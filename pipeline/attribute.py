"""Proposal and statement spans, by the tag head."""

from __future__ import annotations

import numpy as np
from spacy.tokens import Doc

from .document import set_statements, token_lines
from .heads import STATEMENT_TYPES, FloatArray, decode_tags, linear, log_softmax, type_probabilities
from .schema import PROPOSAL, SAYING, Mention
from .stage import TrainedStage


class Attribute(TrainedStage):
    """The component: writes statement spans into the document; linking settles which of them propose.

    A span's score is the tagger's share of PROPOSAL among all statement types.
    """

    needs = ("statement_tags",)

    def process(self, doc: Doc, vectors: FloatArray) -> None:
        """Decode the statements of each line."""
        logits = linear(self.weights, "statement_tags", vectors)
        log_probs = log_softmax(logits)
        probs = np.exp(log_probs)
        # A lower weight of "outside" finds more spans; linking can still refuse one.
        log_probs = log_probs.copy()
        log_probs[:, 0] -= float(self.settings.get("outside_penalty", 0.0))
        found = []
        for start, end, _, _ in decode_tags(log_probs, token_lines(doc), len(STATEMENT_TYPES)):
            shares = type_probabilities(probs, start, end, len(STATEMENT_TYPES))
            proposes = float(shares[0] / max(float(shares.sum()), 1e-9))
            kind = PROPOSAL if proposes >= 0.5 else SAYING
            last = doc[end - 1]
            a, b = doc[start].idx, last.idx + len(last)
            found.append(Mention(a, b, doc.text[a:b], kind, proposes))
        set_statements(doc, found)

    def process_empty(self, doc: Doc) -> None:
        """Leave an empty span group."""
        set_statements(doc, [])
