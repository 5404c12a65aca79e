"""Who holds a post and who proposes, by rules."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from strategies import any_text

from pipeline.rules.attribute import attribute
from pipeline.rules.lexicon import Lexicon
from pipeline.rules.link import link
from pipeline.rules.recognise import recognise


def linked(text: str, lexicon: Lexicon) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    mentions = recognise(text, lexicon)
    return link(text, mentions, attribute(text, mentions, lexicon), lexicon)


def proposals(text: str, lexicon: Lexicon) -> list[tuple[str, list[str]]]:
    entities, found = linked(text, lexicon)
    return [(entities[p["entity"]]["name"], [text[a:b] for a, b in p["spans"]]) for p in found]


def test_two_people_with_posts_of_their_own(lexicon: Lexicon) -> None:
    text = (
        "Ma Lan, an NPC deputy and chairman of Harbour Group, proposed that schools be open.\n"
        "Wu Bo, a CPPCC member and professor at Donghu University, called for a law on drones."
    )
    entities, _ = linked(text, lexicon)
    view = [
        (e["name"], e["body"], [(text[r["start"] : r["end"]], r["organization"]) for r in e["roles"]]) for e in entities
    ]
    assert view == [
        ("Ma Lan", "NPC", [("chairman", "Harbour Group")]),
        ("Wu Bo", "CPPCC", [("professor", "Donghu University")]),
    ]
    assert proposals(text, lexicon) == [("Ma Lan", ["schools be open."]), ("Wu Bo", ["a law on drones."])]


def test_label_before_the_name(lexicon: Lexicon) -> None:
    text = "CPPCC member and partner of Haizheng Law Firm, Wu Bo: Recognize records on a blockchain."
    (entity,), _ = linked(text, lexicon)
    assert (entity["name"], entity["body"]) == ("Wu Bo", "CPPCC")
    assert [role["organization"] for role in entity["roles"]] == ["Haizheng Law Firm"]


def test_organization_before_the_role(lexicon: Lexicon) -> None:
    text = "Harbour Group chairman Ma Lan, an NPC deputy, proposed that schools be open."
    (entity,), _ = linked(text, lexicon)
    assert [(text[r["start"] : r["end"]], r["organization"]) for r in entity["roles"]] == [
        ("chairman", "Harbour Group")
    ]


def test_name_in_capitals_is_shown_in_title_case(lexicon: Lexicon) -> None:
    text = "NPC deputy and mayor of Linhai, MA LAN: Open the schools on Sundays."
    assert [name for name, _ in proposals(text, lexicon)] == ["Ma Lan"]


@pytest.mark.parametrize("later", ["Ma", "She", "The deputy"])
def test_surname_pronoun_and_title_stand_for_the_person(lexicon: Lexicon, later: str) -> None:
    text = f"Ma Lan, an NPC deputy, proposed that schools be open. {later} also called for a law on drones."
    assert proposals(text, lexicon) == [("Ma Lan", ["schools be open.", "a law on drones."])]


def test_name_in_the_next_sentence_is_not_the_source(lexicon: Lexicon) -> None:
    text = "Ma Lan, an NPC deputy and mayor of Linhai, proposed that schools be open. Wu Bo agreed."
    assert proposals(text, lexicon) == [("Ma Lan", ["schools be open."])]


def test_list_entries_of_one_person_stay_two_records(lexicon: Lexicon) -> None:
    text = "NPC deputy, Ma Lan: Open the schools.\nNPC deputy, Ma Lan: Write a law on drones."
    assert proposals(text, lexicon) == [("Ma Lan", ["Open the schools."]), ("Ma Lan", ["Write a law on drones."])]


def test_party_is_an_organization(lexicon: Lexicon) -> None:
    text = "The Jiusan Society proposed that schools be open.\nThe Jiusan Society called for a law on drones."
    entities, found = linked(text, lexicon)
    assert [(e["kind"], e["name"], e["body"]) for e in entities] == [("organization", "Jiusan Society", None)]
    assert len(entities[0]["mentions"]) == 2
    assert {p["entity"] for p in found} == {0}


@pytest.mark.parametrize(
    "text",
    [
        "Ma Lan, an analyst, proposed that schools be open.",
        "The Ministry of Education proposed that schools be open.",
        "Premier Li Wei proposed that schools be open.",
        "Ma Lan, an NPC deputy, said that the hall was cold.",
    ],
)
def test_no_proponent_no_proposal(lexicon: Lexicon, text: str) -> None:
    assert proposals(text, lexicon) == []


def test_post_in_another_paragraph_belongs_to_nobody(lexicon: Lexicon) -> None:
    text = "Ma Lan, an NPC deputy, proposed that schools be open.\nA professor at Donghu University laughed."
    (entity,), _ = linked(text, lexicon)
    assert entity["roles"] == []


@given(any_text())
def test_links_point_to_what_is_there(lexicon: Lexicon, text: str) -> None:
    entities, found = linked(text, lexicon)
    for entity in entities:
        assert entity["name"]
        assert entity["mentions"]
    for proposal in found:
        assert 0 <= proposal["entity"] < len(entities)
        assert proposal["spans"]
