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


CHINESE = """<article id="2020-zh" lang="zh" outlet="日报" published="2020-05-28" session_year="2020" shape="report">
<p><body of="p1" is="NPC">全国人大代表</body>、<org of="p1">澜河银行</org><role of="p1">副行长</role>
<per id="p1">马文清</per>建议，<prop by="p1" n="1" topics="data"
 stance="promote">在南京试点，2019年的地图应当开放</prop>。
<ref to="p1">马代表</ref>说，<say by="p1">南京准备好了</say>。</p>
<p><body of="p2" is="CPPCC">全国政协委员</body>、<org of="p2">东湖大学</org><role of="p2">院长</role>
<per id="p2">欧阳海</per>南下调研后表示赞同。</p>
</article>"""


@pytest.fixture
def chinese(tmp_path: Path) -> AnnotatedArticle:
    (tmp_path / "2020-zh.xml").write_text(CHINESE, encoding="utf-8")
    return load_xml(tmp_path)[0]


def test_people_are_renamed_in_chinese(chinese: AnnotatedArticle) -> None:
    people = tuple(replace(e, name=name) for e, name in zip(chinese.entities, ("王云", "诸葛天"), strict=True))
    other = replace(chinese, entities=people)
    names = make_gazetteer({}, (), [chinese, other])
    seen = set()
    for seed in range(40):
        variant = augment(chinese, names, seed, replace(OFF, names=1.0))
        text = variant.article.text
        first, again, second = [text[m.start : m.end] for m in variant.mentions if m.label in ("PERSON", "REF")]
        assert again == f"{first[:-2]}代表"
        seen.add((first[:-2], second[:-1]))
        assert said(variant) == said(chinese)
    assert seen == {(a, b) for a in ("马", "王", "诸葛") for b in ("欧阳", "王", "诸葛") if a != b}


def test_what_shows_its_kind_at_its_end_is_swapped_in_chinese(chinese: AnnotatedArticle) -> None:
    banks, heads = ("青山银行", "石桥村镇银行"), ("书院院长", "执行院长")
    names = replace(make_gazetteer({}, (), []), organizations={"银行": banks}, posts={"院长": heads})
    variants = [augment(chinese, names, seed, replace(OFF, organizations=1.0, posts=1.0)) for seed in range(30)]
    assert {words(variant, "ORG")[0] for variant in variants} == {"澜河银行", *banks}
    assert {words(variant, "ROLE")[1] for variant in variants} == {"院长", *heads}
    assert {(*words(variant, "ORG")[1:], words(variant, "ROLE")[0]) for variant in variants} == {("东湖大学", "副行长")}


def test_chinese_names_are_pooled_by_their_ends(chinese: AnnotatedArticle) -> None:
    many = [
        replace(chinese, article=replace(chinese.article, text=chinese.article.text.replace("澜河", new)))
        for new in ("青山", "东海", "西岭", "石桥")
    ]
    assert organization_pool(many) == {"银行": ("东海银行", "石桥银行", "西岭银行", "青山银行")}
    assert post_pool(many) == {}


def test_places_and_years_move_in_chinese(chinese: AnnotatedArticle) -> None:
    names = replace(make_gazetteer({}, (), [chinese]), places=("南京", "海南", "乌鲁木齐"))
    for seed in range(20):
        variant = augment(chinese, names, seed, replace(OFF, places=1.0, years=1.0))
        text = variant.article.text
        place = text[text.index("建议，在") + 4 : text.index("试点")]
        assert place in names.places
        assert f"{place}准备好了" in text
        # "海南" stands here at the end of a name and the begin of the next word.
        assert "欧阳海南下" in text
        assert words(variant, "PERSON")[-1] == "欧阳海"
    assert len({augment(chinese, names, seed, replace(OFF, years=1.0)).article.text for seed in range(20)}) > 4


def test_memberships_are_put_otherwise_in_chinese(chinese: AnnotatedArticle) -> None:
    lexicon = {"augment": {"NPC": ["全国人大代表", "十四届全国人大代表"], "CPPCC": ["政协委员"]}}
    names = make_gazetteer(lexicon, (), [])
    variants = [augment(chinese, names, seed, replace(OFF, memberships=1.0)) for seed in range(20)]
    assert {words(variant, "BODY")[0] for variant in variants} == {"全国人大代表", "十四届全国人大代表"}
    # "全国政协委员" is not among the wordings, so it isn't known whether another one fits in its place.
    assert {words(variant, "BODY")[1] for variant in variants} == {"全国政协委员"}


def test_quotation_marks_and_lines_change_in_chinese(chinese: AnnotatedArticle) -> None:
    text = chinese.article.text.replace("南京准备好了", "“南京”好了")
    quoted = replace(chinese, article=replace(chinese.article, text=text))
    straight = augment(quoted, make_gazetteer({}, (), []), 0, replace(OFF, typography=1.0, lines=1.0))
    assert '"南京"好了' in straight.article.text
    assert "\n\n" not in straight.article.text
