"""Topics and stance by cue words."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from strategies import any_text

from pipeline.rules.classify import load_topic_terms, stance_of, topics_of
from pipeline.rules.lexicon import Lexicon
from pipeline.schema import STANCES

TERMS = load_topic_terms("en")


@pytest.mark.parametrize(
    ("words", "labels"),
    [
        ("Teachers and students need schools near a hospital.", ["education", "health"]),
        ("Use blockchain wisely.", ["blockchain"]),
        ("Use BLOCKCHAIN wisely.", ["blockchain"]),
        ("Preschoolers sing.", ["other"]),
        ("", ["other"]),
    ],
)
def test_topics(words: str, labels: list[str]) -> None:
    assert [topic["label"] for topic in topics_of(words, TERMS)] == labels


def test_scores_of_topics_fall() -> None:
    patterns = {name: re.compile(name) for name in "abcd"}
    found = topics_of("a bb ccc dddd", patterns)
    assert found == [
        {"label": "d", "score": 0.8},
        {"label": "c", "score": 0.75},
        {"label": "b", "score": 0.6667},
    ]


@pytest.mark.parametrize(
    ("words", "label", "promote", "regulate"),
    [
        ("Support and fund small firms.", "promote", 1.0, 0.0),
        ("Ban it and punish those who sell it.", "regulate", 0.0, 1.0),
        ("Support it, but supervision must come first.", "both", 0.5, 0.5),
        ("Support, fund and expand it under supervision.", "promote", 0.75, 0.25),
        ("It is the sea.", "neither", 0.0, 0.0),
        ("", "neither", 0.0, 0.0),
    ],
)
def test_stance(lexicon: Lexicon, words: str, label: str, promote: float, regulate: float) -> None:
    assert stance_of(words, lexicon) == {"label": label, "promote": promote, "regulate": regulate}


@given(any_text())
def test_any_words_have_topics_and_a_stance(lexicon: Lexicon, words: str) -> None:
    topics = topics_of(words, TERMS)
    assert 1 <= len(topics) <= 3
    assert all(0 < topic["score"] < 1 for topic in topics)
    stance = stance_of(words, lexicon)
    assert stance["label"] in STANCES
    assert 0 <= stance["promote"] <= 1
    assert 0 <= stance["regulate"] <= 1
