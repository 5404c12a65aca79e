"""Linking by hand: which body a person sits in."""

from __future__ import annotations

import re

import numpy as np
import pytest

from pipeline.heads import BODY, BODY_CLASSES, PERSON, TokenSpan
from pipeline.link import Entity, Reading, join_split_sentences, seat
from pipeline.rules.lexicon import Lexicon

#: A head that takes every membership for one of the CPPCC.
ALWAYS_CPPCC = {
    "body.weight": np.zeros((len(BODY_CLASSES), 2), dtype=np.float32),
    "body.bias": np.array([float(label == "CPPCC") for label in BODY_CLASSES], dtype=np.float32),
}


def read_marked(marked: str) -> tuple[Reading, Entity]:
    """Return a reading of a text in which [..] is the name of one person and {..} are memberships of theirs."""
    text, offsets, places, entity = "", [], [], Entity("person", "", [])
    for piece in re.split(r"([\[{][^\]}]*[\]}])", marked):
        if piece[:1] in ("[", "{"):
            index, start = len(places), len(text.split())
            (entity.mentions if piece[0] == "[" else entity.bodies).append(index)
            places.append(TokenSpan(start, start + len(piece.split()), PERSON if piece[0] == "[" else BODY, 0))
            offsets.append((len(text), len(text) + len(piece) - 2))
            piece = piece[1:-1]
        text += piece
    vectors = np.zeros((len(places), 2), dtype=np.float32)
    return Reading(text, offsets, places, [], vectors, np.zeros((0, 5), dtype=np.float32)), entity


@pytest.mark.parametrize(
    ("marked", "body"),
    [
        ("[He Hengyang] , {a deputy to the NPC}", "NPC"),
        ("[He Hengyang] , {the deputy}", "CPPCC"),
        ("[He Hengyang] , {a member of the Shanghai Committee of CPPCC}", "local"),
        # National before local, oftener before seldomer, and of equals the nearer one.
        ("{a deputy to the Hubei Provincial People's Congress} [He Hengyang] , {NPC deputy}", "NPC"),
        ("{NPC deputy} and {a CPPCC member} and {CPPCC member} [He Hengyang]", "CPPCC"),
        ("the {CPPCC} meets . [He Hengyang] , {an NPC deputy}", "NPC"),
    ],
)
def test_the_body_of_a_person(marked: str, body: str, lexicon: Lexicon) -> None:
    reading, entity = read_marked(marked)
    seat(reading, [entity], ALWAYS_CPPCC, lexicon)
    assert (entity.has_body, entity.body) == (True, body)


def test_without_a_lexicon_the_head_decides() -> None:
    reading, entity = read_marked("[He Hengyang] , {a deputy to the NPC}")
    seat(reading, [entity], ALWAYS_CPPCC)
    assert entity.body == "CPPCC"


def test_without_a_membership_there_is_none(lexicon: Lexicon) -> None:
    reading, entity = read_marked("[He Hengyang] , a lawyer")
    seat(reading, [entity], ALWAYS_CPPCC, lexicon)
    assert (entity.has_body, entity.body) == (False, None)


@pytest.mark.parametrize(
    ("marked", "count"),
    [
        ("[The budget], she argued, [should pay for it].", 1),
        ("“[The budget],” she argued, “[should pay for it].”", 1),
        ("“[The budget should pay.]” She added: “[And soon.]”", 2),
        ("[The budget should pay], she said. [And soon].", 2),
        ("[The budget should pay],\n[and soon]", 2),
        ("[The budget], she argued in a meeting that went on until late at night, [should pay]", 2),
        ("[The budget], she said, [should pay], she added, [and soon]", 1),
        ("[预算]，她说，[应当支付]。[而且要快]", 1 + 1),
    ],
)
def test_an_attribution_inside_of_a_sentence_stays_inside(marked: str, count: int) -> None:
    text = re.sub(r"[\[\]]", "", marked)
    spans = []
    for number, match in enumerate(re.finditer(r"\[(.*?)\]", marked)):
        start = match.start() - 2 * number
        spans.append([start, start + len(match[1])])
    joined = join_split_sentences(text, spans)
    assert len(joined) == count
    assert (joined[0][0], joined[-1][1]) == (spans[0][0], spans[-1][1])
