"""Statement spans by rules: where they begin, where they end, and whether they propose."""

from __future__ import annotations

import pytest
from hypothesis import given
from strategies import any_text

from pipeline.rules.attribute import attribute, list_label_end
from pipeline.rules.lexicon import Lexicon
from pipeline.rules.recognise import recognise
from pipeline.schema import PROPOSAL, SAYING

MA = "Ma Lan, an NPC deputy, "


def statements(text: str, lexicon: Lexicon) -> list[tuple[str, str]]:
    return [(found.label, found.text) for found in attribute(text, recognise(text, lexicon), lexicon)]


@pytest.mark.parametrize(
    ("text", "span"),
    [
        (MA + "proposed that schools be open.", "schools be open."),
        (MA + "called for a law on drones.", "a law on drones."),
        (MA + "suggested opening the schools.", "opening the schools."),
        (MA + "proposed on Monday that schools be open.", "schools be open."),
        (MA + "said that schools should be open.", "schools should be open."),
        ("“Schools should be open on Sundays,” said " + MA[:-2] + ".", "Schools should be open on Sundays,"),
        ("A law on drones was proposed by " + MA[:-2] + ".", "A law on drones"),
        ("NPC deputy, Ma Lan: Open the schools.", "Open the schools."),
        ("NPC deputy and mayor of Linhai, Ma Lan： Open the schools.", "Open the schools."),
        ("**NPC deputy, Ma Lan:** Open the schools.", "Open the schools."),
        ("NPC deputy Ma Lan (马兰) said: Open the schools. Heat them.", "Open the schools. Heat them."),
        ("1. NPC deputy, Ma Lan: Open the schools. Heat them.", "Open the schools. Heat them."),
        ("China Zhi Gong Party: Open the schools.", "Open the schools."),
        ("The Jiusan Society proposed that schools be open.", "schools be open."),
    ],
)
def test_proposals(lexicon: Lexicon, text: str, span: str) -> None:
    assert statements(text, lexicon) == [(PROPOSAL, span)]


@pytest.mark.parametrize(
    ("text", "span"),
    [
        (MA + "said that the hall was cold.", "the hall was cold."),
        ("Ma Lan proposed that schools be open.", "schools be open."),
        ("Ma Lan of the Ministry of Education said that schools should be open.", "schools should be open."),
    ],
    ids=["describes", "is no delegate", "is an official"],
)
def test_sayings(lexicon: Lexicon, text: str, span: str) -> None:
    assert statements(text, lexicon) == [(SAYING, span)]


@pytest.mark.parametrize(
    "text",
    [
        "",
        "It was proposed that schools be open.",
        "Schools should be open.",
        MA + "has lived in Linhai since 1988.",
        MA + "proposed it.",
        "Note: NPC deputies meet in March.",
    ],
)
def test_nothing_is_stated(lexicon: Lexicon, text: str) -> None:
    assert statements(text, lexicon) == []


def test_quote_of_several_sentences_is_one_statement(lexicon: Lexicon) -> None:
    text = "“Open the schools. The gates should have guards,” " + MA[:-2] + " told reporters."
    assert statements(text, lexicon) == [(PROPOSAL, "Open the schools. The gates should have guards,")]


def test_each_sentence_is_a_statement_of_its_own(lexicon: Lexicon) -> None:
    text = MA + "proposed that schools be open. Ma also urged cities to hire guards."
    assert [span for _, span in statements(text, lexicon)] == ["schools be open.", "cities to hire guards."]


def test_statement_of_the_paragraph_before_goes_no_farther(lexicon: Lexicon) -> None:
    text = MA + "proposed that schools be open.\r\nThe hall was silent for a long time."
    assert statements(text, lexicon) == [(PROPOSAL, "schools be open.")]


@pytest.mark.parametrize(
    "line",
    [
        "NPC deputy, Ma Lan:",
        "NPC deputy, Ma Lan: ",
        "Ma Lan: Open it.",
        "NPC deputies: Open it.",
        "“NPC deputy, Ma Lan: it”",
    ],
    ids=["no text", "only a space", "no membership", "no name", "in quotation marks"],
)
def test_no_list_entry(lexicon: Lexicon, line: str) -> None:
    assert list_label_end(line, 0, len(line), recognise(line, lexicon), lexicon) is None


def test_label_is_not_longer_than_a_label(lexicon: Lexicon) -> None:
    line = "NPC deputy, Ma Lan" + " and so on" * 40 + ": Open it."
    assert list_label_end(line, 0, len(line), recognise(line, lexicon), lexicon) is None


@given(any_text())
def test_statements_are_in_place(lexicon: Lexicon, text: str) -> None:
    for found in attribute(text, recognise(text, lexicon), lexicon):
        assert found.text == text[found.start : found.end] != ""
        assert found.label in (PROPOSAL, SAYING)
