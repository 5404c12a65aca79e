"""Linking by hand: which body a person sits in."""

from __future__ import annotations

import re
from dataclasses import replace

import numpy as np
import pytest

from pipeline.entities import Entity, Reading, cluster, reseat, seat
from pipeline.heads import BODY, BODY_CLASSES, PERSON, TokenSpan
from pipeline.link import Link, leading_groups
from pipeline.records import Judged, announced, imply, join_split_sentences
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


def test_a_membership_that_names_its_chamber_goes_before_those_that_do_not(lexicon: Lexicon) -> None:
    marked = "{a delegate to the top body} and {the adviser} . {the adviser} [He Hengyang] , a doctor , {NPC deputy}"
    reading, entity = read_marked(marked)
    seat(reading, [entity], ALWAYS_CPPCC, lexicon)
    assert entity.body == "NPC"


def named(marked: str, surnames: frozenset[str] = frozenset()) -> list[tuple[str, str | None, list[str]]]:
    """Return the people of a text in which [..] are names: their names, Chinese names and what they are called."""
    text, offsets, places = "", [], []
    for piece in re.split(r"(\[[^\]]*\])", marked):
        if piece[:1] == "[":
            places.append(TokenSpan(len(places), len(places) + 1, PERSON, 0))
            offsets.append((len(text), len(text) + len(piece) - 2))
            piece = piece[1:-1]
        text += piece
    reading = Reading(text, offsets, places, [], np.zeros((len(places), 2), dtype=np.float32), np.zeros((0, 5)))
    entities, _ = cluster(reading, surnames)
    return [(entity.name, entity.name_zh, [reading.words(m) for m in entity.mentions]) for entity in entities]


@pytest.mark.parametrize(
    ("marked", "people"),
    [
        # The surname's own person, though a namesake's given name stands nearer.
        ("[Yang Na] and [Liu Yang] met. [Yang] left.", {"Yang Na": ["Yang Na", "Yang"], "Liu Yang": ["Liu Yang"]}),
        ("[Li Na] and [Wang Li] met. [Li] left.", {"Li Na": ["Li Na", "Li"], "Wang Li": ["Wang Li"]}),
        ("[Ma Lan] and [Pony Ma] met. [Ma] left.", {"Ma Lan": ["Ma Lan"], "Pony Ma": ["Pony Ma", "Ma"]}),
        # Nobody has that surname, so it is a given name.
        ("[Wu Bo] and [Zhang Lan] met. [Lan] left.", {"Wu Bo": ["Wu Bo"], "Zhang Lan": ["Zhang Lan", "Lan"]}),
        ("[Liang Wen] and [Li Ang] met. [Liang] left.", {"Liang Wen": ["Liang Wen", "Liang"], "Li Ang": ["Li Ang"]}),
    ],
)
def test_a_surname_is_not_somebody_elses_given_name(marked: str, people: dict[str, list[str]]) -> None:
    found = named(marked, frozenset({"yang", "liu", "li", "wang", "ma", "wu", "zhang", "liang"}))
    assert {name: words for name, _, words in found} == people


@pytest.mark.parametrize(
    ("marked", "people"),
    [
        ("[Zhou Guoping] ([周国平]), a deputy", [("Zhou Guoping", "周国平")]),
        ("[Zhou Guoping] [周国平], a deputy", [("Zhou Guoping", "周国平")]),
        ("[Zhou Guoping] (Chinese: [周国平]), a deputy", [("Zhou Guoping", "周国平")]),
        ("[周国平] ([Zhou Guoping]), a deputy. [周国平] left. [Zhou] left.", [("Zhou Guoping", "周国平")]),
        ("[周国平]（[Zhou Guoping]）", [("Zhou Guoping", "周国平")]),
        # Two people of one script stand beside each other, and so do a reporter and the first name of the text.
        ("[周国平] [马化腾]", [("周国平", None), ("马化腾", None)]),
        ("[Zhou Guoping]\n[马化腾]", [("Zhou Guoping", None), ("马化腾", None)]),
        ("[Zhou Guoping] [Ma Lan]", [("Zhou Guoping", None), ("Ma Lan", None)]),
        ("[周国平] and [Ma Lan]", [("周国平", None), ("Ma Lan", None)]),
    ],
)
def test_a_name_in_the_other_script(marked: str, people: list[tuple[str, str | None]]) -> None:
    assert [(name, chinese) for name, chinese, _ in named(marked)] == people


def test_without_a_lexicon_the_head_decides() -> None:
    reading, entity = read_marked("[He Hengyang] , {a deputy to the NPC}")
    seat(reading, [entity], ALWAYS_CPPCC)
    assert entity.body == "CPPCC"


def test_without_a_membership_there_is_none(lexicon: Lexicon) -> None:
    reading, entity = read_marked("[He Hengyang] , a lawyer")
    seat(reading, [entity], ALWAYS_CPPCC, lexicon)
    assert (entity.has_body, entity.body) == (False, None)


@pytest.mark.parametrize(
    ("groups", "body"),
    [
        (["CPPCC"], "CPPCC"),
        (["CPPCC", "open"], "CPPCC"),
        (["open"], None),
        (["NPC", "CPPCC"], None),
        (["local"], "local"),
    ],
)
def test_membership_of_a_group_goes_without_saying(groups: list[str], body: str | None) -> None:
    people = [Entity("person", name, []) for name in ("Deng Shaoyi", "Zhu Kai")]
    member = Entity("person", "Qiu Dawei", [], body="NPC", has_body=True)
    party = Entity("organization", "Jiusan Society", [])
    entities = [*people, member, party]
    found = [
        Judged(4, 1, 0.2, 0.95, 1.0),
        Judged(0, 0, 1.0, 0.95, 1.0),
        Judged(1, 1, 1.0, 0.7, 1.0),
        Judged(2, 2, 1.0, 1.0, 1.0),
        Judged(3, 3, 1.0, 1.0, 1.0),
    ]
    imply(entities, found, groups, 0.9)
    assert [(e.has_body, e.body) for e in entities] == [(True, body), (False, None), (True, "NPC"), (False, None)]


def test_the_begin_of_an_article_is_shorter_where_a_character_says_more(lexicon: Lexicon) -> None:
    text = f"{'Snow fell. ' * 20}NPC deputies proposed many things."
    assert "NPC" in leading_groups(text, lexicon)
    assert not leading_groups(text, replace(lexicon, density=3))
    assert "NPC" in leading_groups(text[200:], replace(lexicon, density=3))


def test_who_has_a_post_is_no_member_by_implication() -> None:
    official = Entity("person", "Cheng Yu", [], roles=[3])
    imply([official], [Judged(0, 0, 1.0, 1.0, 1.0)], ["CPPCC"], 0.9)
    assert not official.has_body


def test_without_a_group_nothing_is_implied() -> None:
    entity = Entity("person", "Deng Shaoyi", [])
    imply([entity], [Judged(0, 0, 1.0, 1.0, 1.0)], [], 0.9)
    assert not entity.has_body


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
        ("“[The budget],” Mr. Li said, “[should pay for it].”", 1),
        ("“[The budget],” said J. Li, “[should pay for it].”", 1),
    ],
)
def test_an_attribution_inside_of_a_sentence_stays_inside(marked: str, count: int) -> None:
    text = re.sub(r"[\[\]]", "", marked)
    spans = []
    for number, match in enumerate(re.finditer(r"\[(.*?)\]", marked)):
        start = match.start() - 2 * number
        spans.append([start, start + len(match[1])])
    joined = join_split_sentences(text, spans, frozenset({"Mr"}))
    assert len(joined) == count
    assert (joined[0][0], joined[-1][1]) == (spans[0][0], spans[-1][1])


@pytest.mark.parametrize(
    ("marked", "found"),
    [
        ("He asked for <more trains>. His second proposal concerns <free ferries>.", {1}),
        ("<Trains should run at night>, Gao said. <The third one is about ferries: they should be free>.", {1}),
        ("He asked for <more trains>. Another suggestion was <a ban on horns>, he said, and <fines for it>.", {1}),
        ("First, <more trains>; second, <later trains>.", set()),
        ("He wants <trains>. <Another proposal>", {1}),
        ("Another of her ideas is <a ban on horns>.", {0}),
        ("His other suggestions are <a ban on horns> and <fines>.", {0}),
        ("<Let it fail, and let the next one fail too>, he said.", set()),
        ("He declined a further request for comment. <Trains should run at night>", set()),
        ("It was his second motion.\n\n<Trains should run at night>", set()),
        ("His second proposal was read first. " + "It took long. " * 8 + "Then <free ferries>.", set()),
        ("In another motion <free ferries> are asked for.", {0}),
    ],
)
def test_another_proposal_is_announced(marked: str, found: set[int], lexicon: Lexicon) -> None:
    text, places = "", []
    for piece in re.split(r"(<[^>]*>)", marked):
        if piece.startswith("<"):
            places.append((len(text), len(text) + len(piece) - 2))
        text += piece.strip("<>")
    assert announced(text, places, lexicon) == found
    assert announced(text, places, None) == set()


def test_a_bare_membership_is_no_post(lexicon: Lexicon) -> None:
    reading, entity = read_marked("{Delegate} and {film director} [Pan Yueran] , {NPC deputy}")
    assert lexicon.bare_body is not None
    entity.roles, entity.bodies = entity.bodies[:2], entity.bodies[2:]
    reseat(reading, [entity], lexicon.bare_body)
    assert [reading.words(mention) for mention in entity.bodies] == ["Delegate", "NPC deputy"]
    assert [reading.words(mention) for mention in entity.roles] == ["film director"]


def test_whoever_speaks_counts_where_sources_are_measured() -> None:
    link = Link("link")
    settings = {"verdict_threshold": 0.5, "organization_threshold": 0.5}
    official, ministry = Entity("person", "He Min", []), Entity("organization", "Ministry of Health", [])
    assert not link.may_propose(official, 0.9, settings)
    assert not link.may_propose(ministry, 0.1, settings)
    assert link.may_propose(official, 0.1, {**settings, "open": True})
    assert link.may_propose(ministry, 0.1, {**settings, "open": True})
