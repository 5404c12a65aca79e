"""What scripts tell: words and their number, with spaces between them and without."""

from __future__ import annotations

import re

import pytest

from pipeline.scripts import UNSPACED, WORD, chinese, whole_words, word_count


@pytest.mark.parametrize(
    ("text", "count"),
    [("A state-owned firm's 5G – “now”.", 5), ("农村的学校，应该有老师。", 10), ("用5G上网 now", 5), ("", 0)],
)
def test_words_are_counted_as_people_do(text: str, count: int) -> None:
    assert word_count(text) == count


def test_a_chinese_character_is_a_word_of_its_own() -> None:
    assert WORD.findall("建议用5G，not 6G") == ["建", "议", "用", "5G", "not", "6G"]


@pytest.mark.parametrize("char", ["农", "㐂", "\uf900", "\U00020000", "〇", "，", "。", "「", "Ａ"])
def test_chinese_characters_and_their_punctuation_stand_without_spaces(char: str) -> None:
    assert UNSPACED.fullmatch(char)


@pytest.mark.parametrize("char", ["a", " ", ".", "é", "Ж", "“", "삼", "\ue000"])
def test_other_characters_do_not(char: str) -> None:
    assert not UNSPACED.fullmatch(char)


@pytest.mark.parametrize(
    ("text", "is_so"), [("Ma 马化腾", True), ("Ma, Huateng。", False), ("이재용", False), ("", False)]
)
def test_chinese_is_told_by_one_character(text: str, is_so: bool) -> None:
    assert chinese(text) is is_so


@pytest.mark.parametrize(
    ("pattern", "text", "found"),
    [
        ("CEO|law", "The CEO and the laws", ["CEO"]),
        ("CEO|law", "CEO2, in-law, CEO_", ["law"]),
        ("代表|建议", "全国人大代表马岚建议修路", ["代表", "建议"]),
        ("CEO|马岚", "澜河CEO马岚的CEOs", ["CEO", "马岚"]),
        ("Li An", "记者Li An说，Li Ann与Ali An, Li An's", ["Li An", "Li An"]),
    ],
    ids=["spaces", "other marks", "Chinese", "both", "a name"],
)
def test_patterns_match_whole_words(pattern: str, text: str, found: list[str]) -> None:
    assert re.findall(whole_words(pattern), text) == found
