"""The words and patterns of a language."""

from __future__ import annotations

import pytest

from pipeline.rules.classify import load_topic_terms
from pipeline.rules.lexicon import Lexicon, load_lexicon


def test_lexicon_is_compiled_once(lexicon: Lexicon) -> None:
    assert load_lexicon("en") is lexicon


def test_missing_lexicon_is_named() -> None:
    with pytest.raises(FileNotFoundError, match=r"lexicon\.xx\.toml"):
        load_lexicon("xx")


def test_surnames_are_words(lexicon: Lexicon) -> None:
    assert {"Ma", "Ouyang", "Li", "Kwok"} <= lexicon.surnames
    assert all(name.isalpha() and name.istitle() for name in lexicon.surnames)


@pytest.mark.parametrize(
    ("text", "body"),
    [
        ("NPC deputy", "NPC"),
        ("an NPC deputy", "NPC"),
        ("a deputy to the 13th National People's Congress", "NPC"),
        ("deputy to the NPC", "NPC"),
        ("National People’s Congress Representative", "NPC"),
        ("member of the NPC Standing Committee", "NPC"),
        ("national lawmaker", "NPC"),
        ("CPPCC member", "CPPCC"),
        ("a member of the CPPCC National Committee", "CPPCC"),
        ("member of the National Committee of the Chinese People's Political Consultative Conference", "CPPCC"),
        ("Chinese People's Political Consultative Conference Member", "CPPCC"),
        ("a member of the Chinese People's Political Consultative Conference (CPPCC)", "CPPCC"),
        ("a national political adviser", "CPPCC"),
        ("political advisor", "CPPCC"),
        ("a deputy to the Henan Provincial People's Congress", "local"),
        ("member of the Shenzhen Municipal CPPCC", "local"),
        ("a Shanghai political adviser", "local"),
    ],
)
def test_memberships(lexicon: Lexicon, text: str, body: str) -> None:
    assert next((label for label, pattern in lexicon.bodies if pattern.fullmatch(text)), None) == body


@pytest.mark.parametrize(
    "text", ["a deputy to the National People's Congress", "deputy to the National People's Congress"]
)
def test_national_congress_is_not_local(lexicon: Lexicon, text: str) -> None:
    assert next(label for label, pattern in lexicon.bodies if pattern.fullmatch(text)) == "NPC"


@pytest.mark.parametrize(
    "text", ["a member of the club", "party member", "deputy mayor", "deputy to the minister", "NPC"]
)
def test_no_memberships(lexicon: Lexicon, text: str) -> None:
    assert not any(pattern.fullmatch(text) for _, pattern in lexicon.bodies)


@pytest.mark.parametrize(
    "text",
    [
        "China Democratic League",
        "the Central Committee of the China Democratic League",
        "Jiusan Society",
        "China Zhi Gong Party Central Committee",
        "Revolutionary Committee of the Chinese Kuomintang",
        "All-China Federation of Trade Unions",
    ],
)
def test_parties(lexicon: Lexicon, text: str) -> None:
    assert lexicon.parties.fullmatch(text)


@pytest.mark.parametrize("text", ["proposed", "has also suggested", "called for", "urges", "is calling on", "hoped"])
def test_cues_that_propose(lexicon: Lexicon, text: str) -> None:
    assert lexicon.propose.fullmatch(text)
    assert not lexicon.say.fullmatch(text)


@pytest.mark.parametrize("text", ["said", "also noted", "told", "has explained", "pointed out"])
def test_cues_that_say(lexicon: Lexicon, text: str) -> None:
    assert lexicon.say.fullmatch(text)
    assert not lexicon.propose.fullmatch(text)


@pytest.mark.parametrize(
    ("name", "may"),
    [
        ("Jiusan Society", True),
        ("China Association for Science", True),
        ("Committee of Population, Resources and Environment of the CPPCC National Committee", True),
        ("the CPPCC’s Committee for Economic Affairs", True),
        ("CPPCC National Committee", False),
        ("NPC Standing Committee", False),
        ("Committee of the National People's Congress", False),
        ("Ministry of Education", False),
    ],
)
def test_who_may_submit(name: str, may: bool, lexicon: Lexicon) -> None:
    assert lexicon.may_submit(name) == may


def test_every_topic_has_terms() -> None:
    terms = load_topic_terms("en")
    assert {"blockchain", "metaverse", "health", "other"} <= set(terms)
    assert all(pattern.pattern for pattern in terms.values())
    assert load_topic_terms("xx") == {}


@pytest.mark.parametrize(
    ("words", "body"),
    [
        ("a deputy to the NPC", "NPC"),
        ("NPC memberBill", "NPC"),
        ("the 14th National People’s Congress", "NPC"),
        ("CCPPC delegate", "CPPCC"),
        ("member of the Chinese People's Political Consultative Conference (CPPCC) National Committee", "CPPCC"),
        ("a member of the Shanghai Committee of CPPCC", "local"),
        ("deputy to the Hubei Provincial People's Congress", "local"),
        ("municipal political adviser", "local"),
        ("a local deputy to the National People's Congress", "NPC"),
        ("the deputy", None),
        ("member of the NPC and of the CPPCC", None),
    ],
)
def test_a_membership_may_name_its_body(words: str, body: str | None, lexicon: Lexicon) -> None:
    assert lexicon.named_body(words) == body


@pytest.mark.parametrize(
    ("text", "bodies"),
    [
        ("Ninety political advisers left for Beijing.", {"CPPCC"}),
        ("Members of the Chinese People's Political Consultative Conference met on Monday.", {"CPPCC"}),
        ("107 Chinese People's Political Consultative Conference members", {"CPPCC"}),
        ("members of the National Committee of the CPPCC", {"CPPCC"}),
        ("members of the country's top political advisory body", {"CPPCC"}),
        ("National People's Congress deputies from Gansu", {"NPC", "open"}),
        ("deputies to the 14th National People's Congress", {"NPC", "open"}),
        ("The lawmakers' wishes", {"NPC"}),
        ("What delegates want this year", {"open"}),
        ("Lawmakers and political advisors", {"NPC", "CPPCC"}),
        ("NPC and CPPCC members", {"NPC", "CPPCC"}),
        ("deputies to the Guangdong Provincial People's Congress", {"local", "open"}),
        ("provincial political advisers and local lawmakers", {"local"}),
        ("members of the Shanghai CPPCC", {"local"}),
        ("Hong Kong legislators and US lawmakers", set()),
        ("members of his team wrote to the NPC", set()),
        ("Party committee members, residents' committee members and NPC Standing Committee members", set()),
        ("streamline administration and delegate power", set()),
        ("Wang Lin, a member of the CPPCC National Committee, an NPC deputy, a lawmaker, a delegate", set()),
        ("The NPC opened on Tuesday. The ministry sent deputy heads.", set()),
        ("", set()),
    ],
)
def test_groups_of_members(lexicon: Lexicon, text: str, bodies: set[str]) -> None:
    assert lexicon.group_bodies(text) == bodies
