"""Mentions by rules, on sentences made for one thing each."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from strategies import any_text

from pipeline.rules.lexicon import Lexicon
from pipeline.rules.recognise import recognise


def found(text: str, lexicon: Lexicon, label: str) -> list[str]:
    return [mention.text for mention in recognise(text, lexicon) if mention.label == label]


@pytest.mark.parametrize(
    ("text", "people"),
    [
        ("Ma Lan and Wu Jianping spoke.", ["Ma Lan", "Wu Jianping"]),
        ("Li Wei-min spoke.", ["Li Wei-min"]),
        ("Ouyang Xiu spoke.", ["Ouyang Xiu"]),
        ("Ma Lan spoke. Later Ma left.", ["Ma Lan", "Ma"]),
        ("Ma left before Ma Lan spoke.", ["Ma Lan"]),
        ("Ma Lan’s motion", ["Ma Lan"]),
        ("CPPCC member and chairman of Harbour Group, Aisha Tursun: Open the ports.", ["Aisha Tursun"]),
        ("He studied at Wuhan University in Hubei Province.", []),
        ("A partner of Haizheng Law Firm spoke.", []),
        ("The Ma Ying Hospital opened.", []),
        ("He Said, He Was, He Proposed", []),
    ],
)
def test_people(lexicon: Lexicon, text: str, people: list[str]) -> None:
    assert found(text, lexicon, "PERSON") == people


@pytest.mark.parametrize(
    ("text", "roles"),
    [
        ("Ma Lan, chairman and CEO of Harbour Group,", ["chairman and CEO"]),
        ("deputy director of the bureau", ["deputy director"]),
        ("a vice-president and a law professor", ["vice-president", "law professor"]),
        ("Party secretary of the village", ["Party secretary"]),
        ("the headquarters are leadership", []),
    ],
)
def test_roles(lexicon: Lexicon, text: str, roles: list[str]) -> None:
    assert found(text, lexicon, "ROLE") == roles


@pytest.mark.parametrize(
    ("text", "organizations"),
    [
        ("chairman of Harbour Group Co., Ltd., Ma Lan", ["Harbour Group Co., Ltd."]),
        ("president of Donghu University of Law", ["Donghu University of Law"]),
        ("founder of Lanjing", ["Lanjing"]),
        ("The Ministry of Education announced it.", ["Ministry of Education"]),
        ("The China Democratic League filed it.", ["China Democratic League"]),
        ("In Beijing it rained.", []),
    ],
)
def test_organizations(lexicon: Lexicon, text: str, organizations: list[str]) -> None:
    assert found(text, lexicon, "ORG") == organizations


def test_memberships_are_no_roles(lexicon: Lexicon) -> None:
    text = "Ma Lan, an NPC deputy and deputy mayor of Linhai"
    assert found(text, lexicon, "BODY") == ["an NPC deputy"]
    assert found(text, lexicon, "ROLE") == ["deputy mayor"]


def test_references(lexicon: Lexicon) -> None:
    assert found("She said that the deputy had left. The adviser agreed; he is sheepish.", lexicon, "REF") == [
        "She", "the deputy", "The adviser", "he",
    ]  # fmt: skip


@given(any_text())
def test_mentions_are_in_order_and_in_place(lexicon: Lexicon, text: str) -> None:
    mentions = recognise(text, lexicon)
    assert all(m.text == text[m.start : m.end] != "" for m in mentions)
    assert all(left.end <= right.start for left, right in pairwise(mentions))
