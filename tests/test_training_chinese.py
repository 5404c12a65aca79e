"""Chinese is trained as English is: with a config, annotated articles and a backbone, and no Python."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from spacy.language import Language

from pipeline import resources
from pipeline.build import load_pipeline
from pipeline.document import make_doc
from pipeline.resources import resource
from pipeline.schema import Article, Record
from pipeline.training.recipe import load_recipe
from pipeline.training.run import train_all
from tests.tiny_backbone import write_backbone, write_config

pytestmark = pytest.mark.slow

ARTICLE = """<article id="{id}" lang="zh" outlet="日报" published="{year}-03-05" session_year="{year}"
 shape="report">
<p><body of="p1" is="NPC">全国人大代表</body>、<org of="p1">{bank}银行</org><role of="p1">董事长</role>
<per id="p1">{first}</per>：<prop by="p1" n="1" topics="blockchain"
 stance="promote">应当为每个村子建一本自己的账本</prop>。</p>
<p><body of="p2" is="CPPCC">全国政协委员</body><per id="p2">{second}</per>建议，<prop by="p2" n="1" topics="health"
 stance="regulate">医院泄露病人的姓名必须受罚</prop>。<ref to="p2">{short}委员</ref>说，
“<prop by="p2" n="1" topics="health" stance="regulate">罚款要重</prop>”。</p>
<p><role of="p3">律师</role><per id="p3">{third}</per>并不赞同。<ref to="p3">他</ref>说，
“<say by="p3">规定已经够多了</say>”。</p>
</article>"""

PEOPLE = ("马文清", "胡建邦", "欧阳月", "沈岚", "高明哲", "白晓琴", "崔雨", "丁蓉")
BANKS = ("澜河", "青山", "东湖", "石桥")
TEXT = (
    "全国人大代表、青山银行董事长沈岚：应当为每个村子建一本自己的账本。\n\n"
    "全国政协委员高明哲建议，医院泄露病人的姓名必须受罚。高委员说，“罚款要重”。\n\n"
    "律师崔雨并不赞同。他说，“规定已经够多了”。"
)


def write_articles(folder: Path, years: range) -> Path:
    """Write an article a year, each with three people of its own."""
    folder.mkdir(parents=True)
    for index, year in enumerate(years):
        first, second, third = (PEOPLE[(3 * index + k) % len(PEOPLE)] for k in range(3))
        short = second[:2] if second.startswith("欧阳") else second[0]
        text = ARTICLE.format(
            id=f"{year}-tiny", year=year, bank=BANKS[index % len(BANKS)],
            first=first, second=second, third=third, short=short,
        )  # fmt: skip
        (folder / f"{year}-tiny.xml").write_text(text, encoding="utf-8")
    return folder


@pytest.fixture(scope="module")
def nlp(tmp_path_factory: pytest.TempPathFactory) -> Language:
    """A tiny Chinese model, trained and loaded by an installation whose configs are all that tells it Chinese."""
    root = tmp_path_factory.mktemp("chinese")
    write_articles(root / "corpus" / "train", range(2015, 2021))
    write_articles(root / "corpus" / "dev", range(2021, 2022))
    backbone = write_backbone(root / "backbone", characters="".join({*ARTICLE, *"".join((*PEOPLE, *BANKS))}))
    shutil.copytree(resource("configs"), root / "configs")
    english = (root / "configs" / "en.cfg").read_text(encoding="utf-8")
    (root / "configs" / "zh.cfg").write_text(english.replace('lang = "en"', 'lang = "zh"'), encoding="utf-8")
    recipe = load_recipe(write_config(root / "train.toml", root / "corpus", backbone, 12, "zh"))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(resources, "_PACKAGE", root / "pipeline")
        train_all(recipe, root / "model", root / "work", log=lambda line: None)
        return load_pipeline(str(root / "model"))


def records(nlp: Language, text: str) -> list[Record]:
    return nlp(make_doc(nlp, Article("tiny", text, lang="zh")))._.records


def test_chinese_is_learned_by_heart(nlp: Language) -> None:
    found = [(r.delegate.name, r.delegate.body, r.proposal.text, r.proposal.stance.label) for r in records(nlp, TEXT)]
    assert found == [
        ("沈岚", "NPC", "应当为每个村子建一本自己的账本", "promote"),
        ("高明哲", "CPPCC", "医院泄露病人的姓名必须受罚罚款要重", "regulate"),
    ]


def test_every_offset_fits_its_chinese_text(nlp: Language) -> None:
    text = TEXT.replace("\n\n", "\n　　") + "多位代表用5G网络和 AI 提了建议。"
    found = records(nlp, text)
    assert nlp.lang == "zh"
    assert found
    for record in found:
        assert record.document.lang == "zh"
        for place in (*record.proposal.spans, *record.delegate.mentions):
            assert text[place.start : place.end] == place.text
