"""Lines and sentences as character ranges."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import pairwise

import pytest
from hypothesis import given
from strategies import any_text

from pipeline.rules.lexicon import Lexicon
from pipeline.sentences import line_ranges, sentence_ranges


def sentences(text: str, lexicon: Lexicon) -> list[str]:
    found = sentence_ranges(text, 0, len(text), lexicon.sentence_end, lexicon.abbreviations)
    return [text[a:b] for a, b in found]


def visible(pieces: Iterable[str]) -> str:
    return "".join("".join(pieces).split())


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r", "\n\n", "\u2028", "\u2029", " \n "])
def test_lines_end_at_any_line_end(end: str) -> None:
    text = f"  first line{end}second line  "
    assert [text[a:b] for a, b in line_ranges(text)] == ["first line", "second line"]


def test_blank_lines_are_no_lines() -> None:
    assert line_ranges(" \n\t\n\r\n") == []
    assert line_ranges("") == []


@given(any_text())
def test_lines_hold_every_visible_character_once(text: str) -> None:
    ranges = line_ranges(text)
    assert all(0 <= a < b <= len(text) for a, b in ranges)
    assert all(left[1] <= right[0] for left, right in pairwise(ranges))
    assert visible(text[a:b] for a, b in ranges) == visible(text)
    assert not any(mark in text[a:b] for a, b in ranges for mark in "\r\n\u2028\u2029")


def test_sentences_end_at_stops(lexicon: Lexicon) -> None:
    assert sentences("One. Two? Three! Four", lexicon) == ["One.", "Two?", "Three!", "Four"]


def test_quotation_mark_belongs_to_its_sentence(lexicon: Lexicon) -> None:
    assert sentences("“We need rules.” Then he left.", lexicon) == ["“We need rules.”", "Then he left."]
    assert sentences("“Enough.”The hall was silent.", lexicon) == ["“Enough.”", "The hall was silent."]


@pytest.mark.parametrize(
    "text", ["Mr. Ma of Harbour Co. Ltd. spoke.", "J. Ma spoke.", "It rose 6.5 percent.", "The U.S. side spoke."]
)
def test_abbreviations_end_no_sentence(text: str, lexicon: Lexicon) -> None:
    assert sentences(text, lexicon) == [text]


def test_only_the_given_range_is_split(lexicon: Lexicon) -> None:
    text = "Left. Inside one. Inside two. Right."
    found = sentence_ranges(text, 6, 29, lexicon.sentence_end, lexicon.abbreviations)
    assert [text[a:b] for a, b in found] == ["Inside one.", "Inside two."]


@given(any_text())
def test_sentences_lose_no_visible_character(lexicon: Lexicon, text: str) -> None:
    for start, end in line_ranges(text):
        found = sentence_ranges(text, start, end, lexicon.sentence_end, lexicon.abbreviations)
        assert all(start <= a < b <= end for a, b in found)
        assert visible(text[a:b] for a, b in found) == visible(text[start:end])
