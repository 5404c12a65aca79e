"""Gold of Chinese articles: who is named how, and the error buckets of their records."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from chinese_article import chinese_article

from pipeline.evaluation.gold import CROSS, DIRECT, INDIRECT, LIST, PRONOUN, SEVERAL, load_gold, traits
from pipeline.evaluation.scores import Claim, Party
from pipeline.formats import format_module


@pytest.fixture
def claims(tmp_path: Path) -> tuple[Claim, ...]:
    format_module("xml").write([chinese_article()], tmp_path)
    (item,) = load_gold(tmp_path).articles
    assert item.claims is not None
    return item.claims


def test_the_claims_of_a_chinese_article(claims: tuple[Claim, ...]) -> None:
    text = chinese_article().article.text
    ma = Party("马映川", aliases=("马", "马代表"))
    dong = Party("董砚秋", aliases=("Dong Yanqiu", "砚秋"))
    assert [(c.proponent, c.body, c.roles, c.organizations, c.stance) for c in claims] == [
        (ma, "NPC", ("教师",), ("青禾职业技术学院",), "promote"),
        (dong, "CPPCC", ("董事长",), ("澜泽科技",), "both"),
        (dong, "CPPCC", ("董事长",), ("澜泽科技",), "promote"),
    ]
    assert [text[start:end] for start, end in claims[0].spans][::2] == [
        "让老人在村里吃上热饭",
        "村里不缺房子，缺的是愿意留下来的人",
    ]
    assert [c.traits for c in claims] == [(LIST, CROSS, SEVERAL), (LIST, SEVERAL), (INDIRECT, PRONOUN, SEVERAL)]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("<马映川>代表建议，[开放学校]。", (INDIRECT,)),
        ("“[开放学校]，”<马映川>说。", (DIRECT,)),
        ("『[开放学校]。』<马映川>说。", (DIRECT,)),
        ("<马映川>：『[开放学校]。』", (LIST,)),
        ("<马映川>——[开放学校]。", (LIST,)),
        ("<马映川>来了。他谈到一点：[开放学校]。", (INDIRECT,)),
    ],
)
def test_the_manner_of_a_chinese_record(text: str, expected: tuple[str, ...]) -> None:
    bare = "".join(char for char in text if char not in "<>[]")
    start, name = bare.index("开放学校"), bare.index("马映川")
    assert traits(bare, [(start, start + 4)], [(name, name + 3, True)], False, False) == expected


def test_a_chinese_surname_is_not_looked_for_in_other_words(tmp_path: Path) -> None:
    text = "马映川来了。\n马上开会时，马映川建议开放学校。记者Li An说，Li An也在。"
    start = text.index("开放学校")
    span = {"start": start, "end": start + 4}
    records = [
        {"proponent": "马映川", "spans": [span], "topics": [], "stance": "promote"},
        {"proponent": "Li An", "spans": [span], "topics": [], "stance": "promote"},
    ]
    (tmp_path / "gold").mkdir()
    (tmp_path / "a.txt").write_text(text, encoding="utf-8")
    (tmp_path / "gold" / "a.json").write_text(json.dumps({"lang": "zh", "records": records}), encoding="utf-8")
    (item,) = load_gold(tmp_path, "coverage").articles
    assert item.claims is not None
    assert [claim.traits for claim in item.claims] == [(INDIRECT, SEVERAL), (INDIRECT, SEVERAL)]
