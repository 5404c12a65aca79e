"""Augmented articles say the same of other people: every annotation moves with its words."""

from __future__ import annotations

from pathlib import Path

import pytest

from pipeline.corpus import AnnotatedArticle, load_xml
from pipeline.training.augment import (
    Edit,
    Gazetteer,
    apply_edits,
    augment,
    make_gazetteer,
    organization_pool,
    pinyin_syllables,
)
from tests.tiny_backbone import write_corpus


@pytest.fixture
def gold(tmp_path: Path) -> AnnotatedArticle:
    return load_xml(write_corpus(tmp_path, (2020,)))[0]


@pytest.fixture
def gazetteer() -> Gazetteer:
    wordings = {"NPC": ("lawmaker",), "CPPCC": ("political adviser",)}
    return Gazetteer(("Ouyang", "Qiu"), (1.0, 1.0), ("ming", "lan"), wordings, {"Bank": ("River Bank", "Hill Bank")})


def words(article: AnnotatedArticle, label: str) -> list[str]:
    return [article.article.text[m.start : m.end] for m in article.mentions if m.label == label]


def test_edits_move_annotations(gold: AnnotatedArticle) -> None:
    start = gold.article.text.index("Lanhe Bank")
    moved = apply_edits(gold, [Edit(0, 0, "XX "), Edit(start, start + 10, "Bank")])
    assert words(moved, "ORG")[0] == "Bank"
    assert words(moved, "BODY") == words(gold, "BODY")
    before = [gold.article.text[s.start : s.end] for s in gold.statements]
    assert [moved.article.text[s.start : s.end] for s in moved.statements] == before


def test_edits_may_not_overlap(gold: AnnotatedArticle) -> None:
    with pytest.raises(ValueError, match=r"2020-tiny: edits overlap at 3"):
        apply_edits(gold, [Edit(0, 5, "a"), Edit(3, 8, "b")])


def test_variants_are_consistent(gold: AnnotatedArticle, gazetteer: Gazetteer) -> None:
    seen = set()
    for seed in range(40):
        variant = augment(gold, gazetteer, seed)
        text = variant.article.text
        seen.add(text)
        assert [m.label for m in variant.mentions] == [m.label for m in gold.mentions]
        assert all(text[m.start : m.end].strip() == text[m.start : m.end] != "" for m in variant.mentions)
        assert words(variant, "ROLE") == words(gold, "ROLE")
        assert words(variant, "ORG")[0] in ("Lanhe Bank", "River Bank", "Hill Bank")
        assert text[variant.statements[0].start :].startswith("villages should get")
    assert len(seen) > 10


def test_a_seed_is_repeatable(gold: AnnotatedArticle, gazetteer: Gazetteer) -> None:
    assert augment(gold, gazetteer, 7) == augment(gold, gazetteer, 7)


def test_a_person_keeps_one_name(gold: AnnotatedArticle, gazetteer: Gazetteer) -> None:
    surname = gold.article.text[gold.mentions[0].start :].split()[0]
    for seed in range(40):
        text = augment(gold, gazetteer, seed).article.text
        assert (surname in text) == text.startswith(surname)


def test_organizations_are_pooled_by_kind(tmp_path: Path) -> None:
    corpus = load_xml(write_corpus(tmp_path, (2018, 2020)))
    assert organization_pool(corpus) == {}
    lexicon = {"augment": {"common_surnames": ["Li"], "NPC": ["deputy"], "CPPCC": ["member"]}}
    assert make_gazetteer(lexicon, ["Li", "Qu"], corpus).weights == [6.0, 1.0]


def test_syllables_are_plain_letters() -> None:
    found = pinyin_syllables()
    assert {"ming", "zhi", "xiao"} <= set(found)
    assert all(syllable.isascii() and syllable.isalpha() for syllable in found)
