"""People and their posts in text without spaces, whose tokens are characters."""

from __future__ import annotations

import re

import numpy as np
import pytest
import spacy

from pipeline.document import ExactTokenizer, set_mentions
from pipeline.entities import Entity, Reading, cluster, posts, read
from pipeline.heads import ORG, PERSON, ROLE
from pipeline.schema import Mention

_LABELS = {"[": "PERSON", "<": "ORG", "{": "ROLE"}


def read_marked(marked: str, lang: str = "zh") -> Reading:
    """Return a reading of a text in which [..] are names, <..> organizations and {..} posts; "|0.5" is a score."""
    text, mentions = "", []
    for piece in re.split(r"([\[<{][^\]>}]*[\]>}])", marked):
        label = _LABELS.get(piece[:1])
        words, _, score = (piece[1:-1] if label else piece).partition("|")
        if label:
            mentions.append(Mention(len(text), len(text) + len(words), words, label, float(score or 1)))
        text += words
    doc = ExactTokenizer(spacy.blank(lang).vocab)(text)
    set_mentions(doc, mentions)
    return read(doc, np.zeros((len(doc), 2), dtype=np.float32))


def people(marked: str, surnames: frozenset[str] = frozenset()) -> dict[str, list[str]]:
    reading = read_marked(marked)
    return {entity.name: [reading.words(m) for m in entity.mentions] for entity in cluster(reading, surnames)[0]}


@pytest.mark.parametrize(
    ("marked", "found"),
    [
        ("[马化腾]说，数据要共享。[马代表]还说，要立法。", {"马化腾": ["马化腾", "马代表"]}),
        ("[马化腾]说，数据要共享。[马化腾代表]还说，要立法。", {"马化腾": ["马化腾", "马化腾代表"]}),
        ("[马化腾代表]说，数据要共享。[马化腾]还说，要立法。", {"马化腾": ["马化腾代表", "马化腾"]}),
        # A headline knows the short form alone.
        ("[马代表]的三件建议\n[马化腾]说，数据要共享。", {"马化腾": ["马代表", "马化腾"]}),
        # What looks like a given name is somebody's full name.
        ("[吴江平]说，数据要共享。[江平]还说，要立法。", {"吴江平": ["吴江平"], "江平": ["江平"]}),
        (
            "[马化腾]和[李书福]到会。[马总]先发言，[李总]补充。",
            {"马化腾": ["马化腾", "马总"], "李书福": ["李书福", "李总"]},
        ),
        # Of two with one surname, the one named last.
        ("[马化腾]和[马蔚华]到会。[马委员]发言。", {"马化腾": ["马化腾"], "马蔚华": ["马蔚华", "马委员"]}),
        ("[欧阳明高]到会，[欧阳]先生发言。[欧力]听着。", {"欧阳明高": ["欧阳明高", "欧阳"], "欧力": ["欧力"]}),
        ("[阿不力孜·买买提]到会。[阿不力孜]发言。", {"阿不力孜·买买提": ["阿不力孜·买买提", "阿不力孜"]}),
        # Nobody's full name is known.
        ("[马代表]说，数据要共享。[马代表]还说，要立法。", {"马代表": ["马代表", "马代表"]}),
    ],
)
def test_short_forms_of_chinese_names(marked: str, found: dict[str, list[str]]) -> None:
    assert people(marked) == found


@pytest.mark.parametrize(
    ("marked", "name", "name_zh"),
    [
        ("[Abliz Mamat]（[阿不力孜·买买提]）", "Abliz Mamat", "阿不力孜·买买提"),
        ("[阿不力孜·买买提]（英文名：[Abliz Mamat]）", "Abliz Mamat", "阿不力孜·买买提"),
        ("[Pony Ma]（[马　兰]）", "Pony Ma", "马兰"),
    ],
)
def test_a_chinese_name_in_brackets_may_be_long(marked: str, name: str, name_zh: str) -> None:
    entities, _ = cluster(read_marked(marked))
    assert [(entity.name, entity.name_zh) for entity in entities] == [(name, name_zh)]


def test_a_short_form_of_the_chinese_name_beside_another() -> None:
    assert people("[马化腾]（[Pony Ma]）到会。[马代表]发言，[老马]笑了。") == {
        "Pony Ma": ["马化腾", "Pony Ma", "马代表", "老马"]
    }


def organizations(marked: str, lang: str = "zh") -> list[str | None]:
    """Return the organization of each post of a text about one person."""
    reading = read_marked(marked, lang)
    by_type = {type_: [i for i, m in enumerate(reading.mentions) if m.type == type_] for type_ in (PERSON, ROLE, ORG)}
    entity = Entity("person", "", by_type[PERSON], roles=by_type[ROLE], organizations=by_type[ORG])
    return [post["organization"] for post in posts(reading, entity)]


@pytest.mark.parametrize(
    ("marked", "found"),
    [
        ("<腾讯公司>{董事会主席}[马化腾]", ["腾讯公司"]),
        ("<北京大学>{教授}、<中国法学会>{副会长}[马兰]", ["北京大学", "中国法学会"]),
        ("{教授}[马兰]来自<北京大学>", ["北京大学"]),
        # Two posts at one organization, the second a long way behind it.
        ("<腾讯公司>{董事会主席}兼{首席执行官}[马化腾]", ["腾讯公司", "腾讯公司"]),
        (
            "<东湖学院>{党委副书记}、{副院长}、{学术委员会主任委员}、{教授}，<中国法学会>{理事}[马兰]",
            ["东湖学院", "东湖学院", "东湖学院", "东湖学院", "中国法学会"],
        ),
        # What follows a post is the next one's; an occupation is at none.
        ("{作家}、<中国文联>{副主席}[马兰]", [None, "中国文联"]),
        ("{作家}、<中国文联>{副主席}、<东湖学院>{教授}[马兰]", [None, "中国文联", "东湖学院"]),
        ("<东湖学院>的[马兰]说，要加快立法。\n这位{教授}还说，要共享数据。", ["东湖学院"]),
        ("{董事长}[马兰]说，要加快立法。", [None]),
    ],
)
def test_an_organization_comes_before_its_post_in_chinese(marked: str, found: list[str | None]) -> None:
    assert organizations(marked) == found


def test_an_organization_far_before_another_post_is_not_that_of_the_next() -> None:
    between = "建议加快数据立法，支持中小企业研发，并对平台企业加强监管，同时保护个人信息，"
    marked = f"<腾讯公司>{{董事会主席}}[马兰]{between}这位{{教授}}来自<北京大学>，<东湖学院>"
    assert organizations(marked) == ["腾讯公司", None]


@pytest.mark.parametrize(
    ("marked", "found"),
    [
        ("[Ma Lan], {president} of <Harbour Group>", ["Harbour Group"]),
        ("[Ma Lan], <Harbour Group> {president} and {dean} of <Donghu College>", ["Harbour Group", "Donghu College"]),
        ("[Ma Lan], {chairman} and {president} of <Harbour Group>, of <Donghu>", ["Harbour Group", "Harbour Group"]),
        (
            "[Ma Lan] of <Donghu> said so. {Dean} of a college, and {president} of <Harbour Group>",
            ["Harbour Group"] * 2,
        ),
    ],
)
def test_an_organization_comes_behind_its_post_in_english(marked: str, found: list[str | None]) -> None:
    assert organizations(marked, "en") == found


@pytest.mark.parametrize(
    ("marked", "found"),
    [
        ("[Ou Mei] is {presiding judge}. The {judge} spoke.", ["presiding judge"]),
        ("[Ou Mei], {president|0.5}, later {vice-president}", ["vice-president"]),
        ("[Ou Mei], {president}, later {vice-president}", ["president", "vice-president"]),
        ("[Ou Mei], {head} of a {ceramics producer|0.5}", ["head"]),
        ("[Ou Mei] is the {sceptic|0.6}. The {consultant|0.7} smiled.", ["consultant"]),
        ("[Ou Mei], {founder|0.6}. The {founder|0.5} smiled.", ["founder", "founder"]),
        ("[Ou Mei], a {herder|0.9} and {secretary}", ["herder", "secretary"]),
        ("[欧梅]，{董事会主席}。{主席}说。", ["董事会主席"]),
        # At another organization it is another post.
        (
            "[Ou Mei], {vice president} of <Harbour Group> and {president} of <Donghu College>",
            ["vice president", "president"],
        ),
    ],
)
def test_a_second_post_is_sure_and_no_shorter_form_of_the_first(marked: str, found: list[str]) -> None:
    reading = read_marked(marked, "en")
    roles = [index for index, mention in enumerate(reading.mentions) if mention.type == ROLE]
    places = [index for index, mention in enumerate(reading.mentions) if mention.type == ORG]
    held = posts(reading, Entity("person", "Ou Mei", [0], roles=roles, organizations=places))
    assert [reading.text[post["start"] : post["end"]] for post in held] == found
