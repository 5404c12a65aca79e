"""Proposal and statement spans, by the tag head."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from spacy.tokens import Doc

from .document import mentions_of, set_statements, token_lines
from .heads import STATEMENT_TYPES, FloatArray, decode_tags, linear, log_softmax, type_probabilities
from .lists import entry_start, entry_text
from .rules.lexicon import Lexicon
from .schema import PROPOSAL, SAYING, Mention
from .sentences import line_ranges
from .stage import TrainedStage

#: What becomes of the spans behind a list label: left alone; one alone widened to the whole entry; or all merged
# into it.
LISTS = ("", "single", "merge")
# So many spaces and marks of emphasis may stand between a label's colon and the text behind it.
_EDGE = 4


class Attribute(TrainedStage):
    """The component: writes statement spans into the document; linking settles which of them propose.

    A span's score is the tagger's share of PROPOSAL among all statement types. `lexicon` knows list labels; without
    one, or where the setting `lists` is empty, every span is as the tagger sees it.
    """

    needs = ("statement_tags",)

    def __init__(self, name: str, lexicon: Lexicon | None = None) -> None:
        super().__init__(name)
        self.lexicon = lexicon

    def process(self, doc: Doc, vectors: FloatArray) -> None:
        """Decode the statements of each line."""
        logits = linear(self.weights, "statement_tags", vectors)
        log_probs = log_softmax(logits)
        probs = np.exp(log_probs)
        # A lower weight of "outside" finds more spans; linking can still refuse one.
        log_probs = log_probs.copy()
        log_probs[:, 0] -= float(self.settings.get("outside_penalty", 0.0))
        # spaCy puts the text together anew each time that it is asked for.
        text = doc.text
        found = []
        for start, end, _, _ in decode_tags(log_probs, token_lines(doc), len(STATEMENT_TYPES)):
            shares = type_probabilities(probs, start, end, len(STATEMENT_TYPES))
            proposes = float(shares[0] / max(float(shares.sum()), 1e-9))
            kind = PROPOSAL if proposes >= 0.5 else SAYING
            last = doc[end - 1]
            a, b = doc[start].idx, last.idx + len(last)
            found.append(Mention(a, b, text[a:b], kind, proposes))
        lists = self.settings.get("lists", "")
        if lists and self.lexicon is not None:
            found = widened(text, mentions_of(doc), found, self.lexicon, merge=lists == "merge")
        set_statements(doc, found)

    def process_empty(self, doc: Doc) -> None:
        """Leave an empty span group."""
        set_statements(doc, [])


def widened(
    text: str, mentions: Sequence[Mention], statements: Sequence[Mention], lexicon: Lexicon, merge: bool
) -> list[Mention]:
    """Return the statements with each proposal behind a list label widened to all of its entry.

    Several in one entry become one where `merge` is set and are left alone otherwise, as are entries that propose
    nothing.
    """
    kept = list(statements)
    for start, end in line_ranges(text):
        begin = entry_start(text, start, end, mentions, lexicon)
        if begin is None:
            continue
        inside = [s for s in kept if begin - _EDGE <= s.start and s.end <= end]
        proposals = [s for s in inside if s.label == PROPOSAL]
        if not proposals or (len(inside) > 1 and not merge):
            continue
        begin, end = entry_text(text, begin, end, lexicon)
        whole = Mention(begin, end, text[begin:end], PROPOSAL, max(s.score for s in proposals))
        kept = [s for s in kept if s not in inside] + [whole]
    return sorted(kept, key=lambda s: s.start)
