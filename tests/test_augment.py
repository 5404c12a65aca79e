"""Augmented articles say the same of other people: every annotation moves with its words."""

from __future__ import annotations

import random
import tomllib
from dataclasses import replace
from pathlib import Path

import pytest

from pipeline.corpus import AnnotatedArticle, load_xml
from pipeline.resources import resource
from pipeline.training.augment import (
    Gazetteer,
    Rates,
    augment,
    make_gazetteer,
    organization_pool,
    pinyin_syllables,
    post_pool,
)
from pipeline.training.layout import Edit, apply_edits, reorder_entries, spoil
from tests.tiny_backbone import write_corpus


@pytest.fixture
def gold(tmp_path: Path) -> AnnotatedArticle:
    return load_xml(write_corpus(tmp_path, (2020,)))[0]


@pytest.fixture
def gazetteer() -> Gazetteer:
    wordings = {"NPC": ("lawmaker",), "CPPCC": ("political adviser",)}
    return Gazetteer(
        ("Ouyang", "Qiu"),
        (1.0, 1.0),
        ("ming", "lan"),
        wordings,
        {"Bank": ("River Bank", "Hill Bank")},
        {"False president": ("general president", "president for life")},
        ("Lanhe", "Qushan"),
    )


OFF = Rates(0, 0, 0, 0, 0)
LIST = """<article id="2020-list" lang="en" outlet="digest" published="2020-05-28" session_year="2020" shape="list">
<p>Three of them</p>
<p><body of="p1" is="NPC">NPC deputy</body> <per id="p1">Luo An</per>: <prop by="p1" n="1" topics="data"
 stance="promote">Open the maps.</prop></p>
<p><body of="p2" is="NPC">NPC deputy</body> <per id="p2">Hu Bo</per>: <prop by="p2" n="1" topics="health"
 stance="regulate">Close the mills. <ref to="p2">He</ref> says so since 2019.</prop></p>
<p><body of="p3" is="CPPCC">CPPCC member</body> <per id="p3">Tang Ci</per>: <prop by="p3" n="1" topics="education"
 stance="promote">More desks.</prop></p>
<p>They go home. <ref to="p3">Tang</ref> stays.</p>
</article>"""


@pytest.fixture
def digest(tmp_path: Path) -> AnnotatedArticle:
    (tmp_path / "digest").mkdir()
    (tmp_path / "digest" / "2020-list.xml").write_text(LIST)
    return load_xml(tmp_path / "digest")[0]


def said(article: AnnotatedArticle) -> set[tuple[str, str]]:
    """Return who says what, by name, as the annotations have it."""
    names = {entity.id: entity.name for entity in article.entities}
    return {(names[by], article.article.text[s.start : s.end]) for s in article.statements for by in s.by}


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


MEMBERS = """<article id="2020-bodies" lang="en" outlet="daily" published="2020-05-28" session_year="2020"
 shape="report"><p><per id="p1">Luo An</per>, {}, said: <prop by="p1" n="1" topics="data" stance="promote">Open the
 maps.</prop></p></article>"""


@pytest.mark.parametrize(
    ("body", "membership", "swapped"),
    [
        ("NPC", "an NPC deputy", True),
        ("NPC", "deputy to the National People’s Congress", True),
        ("CPPCC", "Member of the CPPCC National Committee", True),
        ("CPPCC", "the political adviser", True),
        ("NPC", "the National People's Congress", False),
        ("CPPCC", "CPPCC", False),
        ("NPC", "one of the Xinjiang deputies", False),
        ("NPC", "one of the NPC delegates", False),
        ("NPC", "NPC deputies", False),
        ("NPC", "another deputy", False),
        ("CPPCC", "members of the CPPCC National Committee", False),
        ("CPPCC", "more than seventy political advisers", False),
    ],
)
def test_only_the_membership_of_one_is_put_otherwise(tmp_path: Path, body: str, membership: str, swapped: bool) -> None:
    text = MEMBERS.format(f'<body of="p1" is="{body}">{membership}</body>')
    (tmp_path / "2020-bodies.xml").write_text(text, encoding="utf-8")
    article = load_xml(tmp_path)[0]
    lexicon = tomllib.loads(resource("configs", "lexicon.en.toml").read_text(encoding="utf-8"))
    shipped = make_gazetteer(lexicon, ["Luo"], [article])
    rates = replace(OFF, memberships=1.0)
    seen = {words(augment(article, shipped, seed, rates), "BODY")[0] for seed in range(20)}
    assert (len(seen) > 3) == swapped
    assert swapped or seen == {membership}


def test_posts_keep_their_kind(gold: AnnotatedArticle, gazetteer: Gazetteer) -> None:
    rates = Rates(0, 0, 0, 0, 0, posts=1.0)
    seen = {tuple(words(augment(gold, gazetteer, seed, rates), "ROLE")) for seed in range(30)}
    assert {row[0] for row in seen} == {"president", "general president", "president for life"}
    assert {row[1] for row in seen} == {"lawyer"}


def test_posts_are_pooled_by_kind(tmp_path: Path) -> None:
    assert post_pool(load_xml(write_corpus(tmp_path, (2018, 2020)))) == {}


def test_places_and_years_move_together(digest: AnnotatedArticle, gold: AnnotatedArticle, gazetteer: Gazetteer) -> None:
    for seed in range(20):
        moved = augment(gold, gazetteer, seed, Rates(0, 0, 0, 0, 0, places=1.0))
        assert words(moved, "ORG")[0] in ("Lanhe Bank", "Qushan Bank")
        later = augment(digest, gazetteer, seed, Rates(0, 0, 0, 0, 0, years=1.0))
        assert any(str(year) in later.article.text for year in range(2015, 2024))
        assert words(later, "PERSON") == words(digest, "PERSON")


def test_entries_change_places_and_keep_their_words(digest: AnnotatedArticle) -> None:
    # "Tang stays" speaks of the third again, so nothing but the first two could move, and two are no list.
    assert reorder_entries(digest, random.Random(0)) == digest
    text = digest.article.text
    cut = text.index("\n", text.index("desks"))
    alone = replace(
        digest,
        article=replace(digest.article, text=text[:cut]),
        mentions=tuple(m for m in digest.mentions if m.end <= cut),
    )
    orders = set()
    for seed in range(20):
        variant = reorder_entries(alone, random.Random(seed))
        assert said(variant) == said(digest)
        assert sorted(words(variant, "BODY")) == sorted(words(digest, "BODY"))
        assert words(variant, "REF") == ["He"]
        assert variant.article.text.startswith("Three of them")
        assert [s.start for s in variant.statements] == sorted(s.start for s in variant.statements)
        orders.add(tuple(words(variant, "PERSON")))
    assert len(orders) > 3


def test_a_spoilt_page_says_the_same(digest: AnnotatedArticle) -> None:
    texts = set()
    for seed in range(60):
        spoilt = spoil(digest, random.Random(seed))
        assert {(name, "".join(what.split())) for name, what in said(spoilt)} == {
            (name, "".join(what.split())) for name, what in said(digest)
        }
        assert [" ".join(name.split()) for name in words(spoilt, "PERSON")] == words(digest, "PERSON")
        texts.add(spoilt.article.text)
    assert any("mills.He" in text for text in texts)
    assert any(text.startswith("THREE OF THEM\n") for text in texts)


def test_what_is_off_changes_nothing_else(gold: AnnotatedArticle, gazetteer: Gazetteer) -> None:
    assert augment(gold, gazetteer, 5, OFF) == gold
    assert augment(gold, gazetteer, 5, Rates()) == augment(gold, gazetteer, 5)
