"""People named in Chinese characters get other names, their surnames with titles too."""

from __future__ import annotations

import random

import pytest

from pipeline.corpus import AnnotatedArticle, Entity, GoldMention
from pipeline.languages import load_languages
from pipeline.schema import Article
from pipeline.training.chinese_names import ChineseNames, collect_names, name_parts, rename_people
from pipeline.training.layout import apply_edits


def article(text: str, names: tuple[str, ...], *mentions: tuple[str, str, str]) -> AnnotatedArticle:
    """Return an article with people `p1`, `p2` …, and mentions given by their words, whose they are, and a label."""
    places = []
    for words, of, label in mentions:
        start = text.index(words, places[-1].end if places else 0)
        places.append(GoldMention(start, start + len(words), label, tuple(of.split())))
    people = tuple(Entity(f"p{n}", "person", name) for n, name in enumerate(names, 1))
    return AnnotatedArticle(Article("a", text, lang="zh"), None, people, tuple(places), ())


def words(gold: AnnotatedArticle) -> list[str]:
    return [gold.article.text[m.start : m.end] for m in gold.mentions]


@pytest.mark.parametrize(
    ("name", "parts"),
    [
        ("马岚", ("马", "岚")),
        ("罗文清", ("罗", "文清")),
        ("欧阳月", ("欧阳", "月")),
        ("欧阳", None),
        ("马代表", None),
        ("阿依努尔·买买提", None),
        ("Ma Lan", None),
    ],
)
def test_full_names_have_two_parts(name: str, parts: tuple[str, str] | None) -> None:
    assert name_parts(name) == parts


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("马文清", "上官大山"),
        ("马文清委员", "上官大山委员"),
        ("文清", "大山"),
        ("马", "上官"),
        ("马代表", "上官代表"),
        ("老马", "老上官"),
        ("他", "他"),
        ("这位委员", "这位委员"),
        ("Ma Wenqing", "Ma Wenqing"),
        ("小马哥", None),
        ("文清同学会", None),
    ],
)
def test_what_is_part_of_a_name_is_exchanged(before: str, after: str | None) -> None:
    names = collect_names([], load_languages())
    assert names.swap(before, ("马", "文清"), ("上官", "大山")) == after


def test_a_title_is_no_surname() -> None:
    names = collect_names([], load_languages())
    assert names.swap("代表", ("代", "云"), ("李", "大")) is None


def test_names_are_made_of_those_of_the_corpus() -> None:
    corpus = [article("马岚、欧阳文清和Ma Lan", ("马岚", "欧阳文清", "Ma Lan")), article("马云天", ("马云天",))]
    names = collect_names(corpus, load_languages())
    assert names.surnames == ("马", "欧阳", "马")
    assert names.characters == ("岚", "文", "清", "云", "天")
    assert names.other(("马", "云天"), {"马"}, random.Random(0))[0] == "欧阳"
    assert names.other(("马", "云天"), {"马", "欧阳"}, random.Random(0)) is None


def test_all_mentions_of_a_person_are_renamed_alike() -> None:
    gold = article(
        "全国人大代表马文清建议修路。马代表说，他等了两年。李云补充说，马文清说得对。",
        ("马文清", "李云"),
        ("马文清", "p1", "PERSON"),
        ("马代表", "p1", "REF"),
        ("他", "p1", "REF"),
        ("李云", "p2", "PERSON"),
        ("马文清", "p1", "PERSON"),
    )
    names = ChineseNames(("王", "诸葛", "赵"), ("大", "山", "月"), frozenset({"代表"}))
    seen = set()
    for seed in range(30):
        first, with_title, pronoun, second, again = words(
            apply_edits(gold, rename_people(gold, names, random.Random(seed)))
        )
        assert first == again
        assert first[:-2] + "代表" == with_title
        assert pronoun == "他"
        assert first[0] != second[0]
        seen.add(first[:-2])
        seen.add(second[:-1])
    assert seen == {"马", "李", "王", "诸葛", "赵"}


@pytest.mark.parametrize("unclear", [("小马哥", "p1", "REF"), ("马文清、李云", "p1 p2", "PERSON")])
def test_who_could_not_be_renamed_throughout_keeps_the_name(unclear: tuple[str, str, str]) -> None:
    gold = article(
        "马文清来了，小马哥来了，马文清、李云来了。", ("马文清", "李云"), ("马文清", "p1", "PERSON"), unclear
    )
    names = ChineseNames(("王",), ("大",))
    assert not any(rename_people(gold, names, random.Random(seed)) for seed in range(10))


def test_without_names_there_are_no_others() -> None:
    gold = article("马文清来了。", ("马文清",), ("马文清", "p1", "PERSON"))
    assert rename_people(gold, ChineseNames(), random.Random(0)) == []
