"""Topics and stance by the words of a proposal."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping
from typing import Any

from spacy.tokens import Doc

from ..resources import resource
from ..scripts import whole_words
from .lexicon import Lexicon, load_lexicon

_MOST_TOPICS = 3


class RulesClassifier:
    """The component: adds `topics` and `stance` to each of `doc._.proposals`."""

    def __init__(self, lang: str) -> None:
        self.lexicon = load_lexicon(lang)
        self.topics = load_topic_terms(lang)

    def __call__(self, doc: Doc) -> Doc:
        text = doc.text
        doc._.proposals = [self._classified(text, proposal) for proposal in doc._.proposals or []]
        return doc

    def _classified(self, text: str, proposal: dict[str, Any]) -> dict[str, Any]:
        words = " ".join(text[start:end] for start, end in proposal["spans"])
        return {**proposal, "topics": topics_of(words, self.topics), "stance": stance_of(words, self.lexicon)}


def load_topic_terms(lang: str) -> dict[str, re.Pattern[str]]:
    """Return a pattern of the cue terms of each topic in a language, from `configs/topics.toml`."""
    table = tomllib.loads(resource("configs", "topics.toml").read_text(encoding="utf-8"))
    patterns = {}
    for label, entry in table.items():
        terms = entry.get("terms", {}).get(lang, [])
        if terms:
            joined = "|".join(re.escape(term) for term in sorted(terms, key=len, reverse=True))
            patterns[label] = re.compile(whole_words(joined), re.IGNORECASE)
    return patterns


def topics_of(words: str, patterns: Mapping[str, re.Pattern[str]]) -> list[dict[str, Any]]:
    """Return up to three topics, most cue terms first; `other` where no term occurs."""
    counts = {label: len(pattern.findall(words)) for label, pattern in patterns.items()}
    best = sorted((label for label in counts if counts[label]), key=lambda label: -counts[label])[:_MOST_TOPICS]
    if not best:
        return [{"label": "other", "score": 0.5}]
    return [{"label": label, "score": round(counts[label] / (counts[label] + 1), 4)} for label in best]


def stance_of(words: str, lexicon: Lexicon) -> dict[str, Any]:
    """Return the stance by the share of cue words of each side; "neither" where none occurs."""
    counts = {label: len(pattern.findall(words)) for label, pattern in lexicon.stance.items()}
    total = sum(counts.values())
    if not total:
        return {"label": "neither", "promote": 0.0, "regulate": 0.0}
    shares = {label: round(count / total, 4) for label, count in counts.items()}
    sides = [label for label, share in shares.items() if share >= 0.4]
    return {"label": "both" if len(sides) == 2 else sides[0], **shares}
