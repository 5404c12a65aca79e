"""A language without spaces between its words needs a lexicon and a config, and no Python: here it is Chinese."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from conftest import ROOT
from spacy.language import Language

from pipeline import resources
from pipeline.build import load_pipeline
from pipeline.document import mentions_of, set_mentions, set_statements, statements_of
from pipeline.evaluation import run as evaluation_run
from pipeline.evaluation.baselines import BaselineError, NearestName, Tfidf, TrainingText, baseline
from pipeline.evaluation.gold import load_gold
from pipeline.evaluation.run import Request, run_evaluation
from pipeline.lists import bare_organization, entry_start, entry_text
from pipeline.records import announced, join_split_sentences
from pipeline.rules.attribute import attribute
from pipeline.rules.lexicon import Lexicon, load_lexicon
from pipeline.rules.link import link
from pipeline.rules.recognise import recognise
from pipeline.schema import Record
from pipeline.sentences import sentence_ranges

LEXICON = r"""
# Words and patterns of Chinese coverage, for the rule stages.
lang = "zh"
density = 3

[record]
opens = '(?:另一[件份个]|第[二三四五][件份个]|此外还有一[件份])(?:提案|议案|建议)|还(?:提交|带来)了'

[sentence]
# A closing quotation mark belongs to its sentence, and so does behind the mark who said it ("……。”马岚说。").
end = '''(?x) [。！？](?![。！？”』」）])
  | [。！？][”』」）]+(?![^，。！？“”\n]{1,20}(?:说|表示|指出|认为|强调|建议|呼吁)[。，])'''

[person]
surnames = "surnames.zh.txt"
# A name stands behind a post, a membership or a mark, and before a mark or what its bearer does.
pattern = '''(?x) (?:
    (?<![㐀-鿿A-Za-z])
    | (?<=代表|委员|主席|总裁|经理|行长|校长|院长|会长|主任|书记|教授|院士|律师)
    | (?<=董事长|发言人|CEO) | (?<=[和与及])
  ) ({surname}) ({given}) (?=
    [，。：；！？、”（）\s] | $ | 和|与|及|在|对|向|也|还|则|的
    | 说|表示|指出|认为|强调|介绍|告诉|建议|提议|呼吁|提出|希望
  )'''
given = '[㐀-鿿]{1,2}?'
again = '{known}'
pronoun = '(?<![其吉])[他她](?![们人])'
references = ["这位代表", "该代表", "这位委员", "该委员"]

[body]
congress = '全国人(?:民代表)?大(?:会)?'
conference = '(?:中国人民政治协商会议全国委员会|全国政协)'
member = '(?:代表|委员|常委)'
bare = '(?:人大)?代表|(?:政协)?委员'

[body.named]
local = '[省市区县州](?:人大|政协)'
NPC = '全国人大|全国人民代表大会'
CPPCC = '全国政协|政治协商会议全国委员会'

[body.groups]
NPC = '(?:多位|多名|\d+[位名])全国人大代表|全国人大代表们'
CPPCC = '(?:多位|多名|\d+[位名])全国政协委员|全国政协委员们'
open = '代表委员'

[body.patterns]
local = ['(?:北京|天津|上海|重庆|广东|江苏|浙江|山东|河南|四川|湖北|湖南)[省市]?(?:人大代表|政协(?:委员|常委))']
NPC = ['(?:第?十[一二三四]届)?{congress}(?:常委会)?{member}']
CPPCC = ['(?:第?十[一二三四]届)?{conference}{member}']

[role]
pattern = '{modifier}{head}(?:兼{modifier}{head})*'
modifier = '(?:副|常务|执行|名誉|首席|高级|董事会|党委|创始)*'
head = '''(?x: 主席|董事长|CEO|执行官|总裁|总?经理|行长|校长|院长|会长|主任|书记 | 教授|研究员|院士|律师|医生
  | 发言人|合伙人|创始人)'''

[organization]
suffixes = ["公司", "集团", "大学", "学院", "医院", "银行", "研究院", "研究所", "事务所", "协会", "联合会", "部", "局"]
# Behind a mark, up to a suffix or to the post that it runs on into.
pattern = '(?<![^\s、，。：；（“]){words}'
words = '''(?x:
    [㐀-鿿A-Za-z]{2,20}?(?:公司|集团|大学|学院|医院|银行|研究院|研究所|事务所|协会|联合会|部|局)
    | [㐀-鿿A-Za-z]{2,8}?(?=(?:副|首席|董事会|创始)*(?:主席|董事长|CEO|总裁|总经理|创始人)))'''
no_proponents = '(?:部|委|局|厅|法院|检察院|国务院|政府|人民银行|日报|新华社)$|^全国(?:人大|政协)'
submits = '全国政协.+委员会$'
parties = '(?:民革|民盟|民建|民进|农工党|致公党|九三学社|台盟)(?:中央)?|全国工商联|全国总工会|全国妇联'

[cue]
propose = '(?:还|也|再次|特别|明确|联名)*(?:建议|提议|呼吁|倡议|主张|希望|提出)'
say = '(?:还|也|进一步)*(?:表示|指出|认为|强调|坦言|介绍|告诉|解释|(?<![小据传])说(?![明法服]))'
after = '(?:道|说)?[，：]?'
modal = '应当?|应该|必须|亟?需要?|有必要|建议|尽快'
quotes = [["“", "”"], ["「", "」"]]
label = '[:：]'

[list]
name = '(?<=代表|委员|主席|主任|行长|教授)[㐀-鿿]+(?:·[㐀-鿿]+)+$'
glue = ["兼", "和", "与", "及", "原", "图", "左", "右", "为"]

[stance]
promote = ["支持", "鼓励", "加快", "推动", "推广", "扩大", "试点", "补贴", "提高", "配齐", "减免"]
regulate = ["立法", "监管", "监督", "规范", "禁止", "处罚", "严格", "限制", "打击", "追究", "细则"]
"""
RULES = """
[nlp]
lang = "zh"
pipeline = ["recognise","attribute","link","classify"]

[nlp.tokenizer]
@tokenizers = "twosessions.exact.v1"

[components]

[components.recognise]
factory = "twosessions_recognise_rules"

[components.attribute]
factory = "twosessions_attribute_rules"

[components.link]
factory = "twosessions_link_rules"

[components.classify]
factory = "twosessions_classify_rules"
"""
SURNAMES = "# Common surnames.\n王 李 张 刘 陈 杨 赵 黄 周 吴 徐 孙 马 朱 胡 林 郭 何 高 罗 欧阳 上官\n"
TERMS = {"data": ["数据"], "education": ["学校", "教师"], "employment-welfare": ["骑手", "工时"]}
# A hundred characters of landscape.
HILLS = "那里山多路少，孩子上学很远，" * 7
LABEL = "全国人大代表、澜河银行副行长兼CEO罗文清："
REPORT = (
    LABEL + "尽快制定数据分级的细则，支持小微企业用好公共数据。\n"
    "全国政协委员、东湖大学教授吴博在小组会议上建议，为乡村学校配齐心理教师，由财政给予补贴。"
    "他还表示，相关经费应当列入年度预算。\n"
    "“平台用算法安排工时，必须接受监管。否则，骑手只能越跑越快。”全国人大代表马岚说。"
    "教育部发言人王强表示，部里已经注意到代表们的意见。"
)


@pytest.fixture(scope="module")
def installation(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An installation that has files for Chinese."""
    folder = tmp_path_factory.mktemp("installation")
    configs = folder / "configs"
    shutil.copytree(ROOT / "configs", configs)
    (configs / "lexicon.zh.toml").write_text(LEXICON, encoding="utf-8")
    (configs / "surnames.zh.txt").write_text(SURNAMES, encoding="utf-8")
    (configs / "zh-rules.cfg").write_text(RULES, encoding="utf-8")
    topics = (configs / "topics.toml").read_text(encoding="utf-8")
    for label, terms in TERMS.items():
        topics = topics.replace(f"\n[{label}]\n", f"\n[{label}]\nterms.zh = {terms}\n")
    (configs / "topics.toml").write_text(topics, encoding="utf-8")
    return folder


@contextmanager
def installed(folder: Path) -> Iterator[None]:
    """Take shipped files from another folder, and keep no lexicon of there."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(resources, "_PACKAGE", folder)
        for module in ("rules.recognise", "rules.attribute", "rules.link", "rules.classify", "evaluation.baselines"):
            patch.setattr(f"pipeline.{module}.load_lexicon", load_lexicon.__wrapped__)
        yield


@pytest.fixture(scope="module")
def chinese(installation: Path) -> Language:
    with installed(installation):
        return load_pipeline("zh-rules")


@pytest.fixture(scope="module")
def words(installation: Path) -> Lexicon:
    """The Chinese lexicon of that installation."""
    with installed(installation):
        return load_lexicon.__wrapped__("zh")


def proposed(record: Record) -> tuple[object, ...]:
    delegate, proposal = record.delegate, record.proposal
    roles = [(role.title, role.organization) for role in delegate.roles]
    labels = proposal.topics[0].label, proposal.stance.label
    return delegate.name, delegate.body, roles, [span.text for span in proposal.spans], labels


def test_a_report_gives_its_records(chinese: Language) -> None:
    doc = chinese(REPORT)
    assert [proposed(record) for record in doc._.records] == [
        (
            "罗文清",
            "NPC",
            [("副行长兼CEO", "澜河银行")],
            ["尽快制定数据分级的细则，支持小微企业用好公共数据。"],
            ("data", "both"),
        ),
        (
            "吴博",
            "CPPCC",
            [("教授", "东湖大学")],
            ["为乡村学校配齐心理教师，由财政给予补贴。", "相关经费应当列入年度预算。"],
            ("education", "promote"),
        ),
        (
            "马岚",
            "NPC",
            [],
            ["平台用算法安排工时，必须接受监管。否则，骑手只能越跑越快。"],
            ("employment-welfare", "regulate"),
        ),
    ]
    assert all(REPORT[span.start : span.end] == span.text for r in doc._.records for span in r.proposal.spans)


def test_a_spokesman_says_something_and_proposes_nothing(chinese: Language) -> None:
    doc = chinese(REPORT)
    assert [s.text for s in statements_of(doc) if s.label == "SAYING"] == ["部里已经注意到代表们的意见。"]
    (spokesman,) = [entity for entity in doc._.entities if entity["name"] == "王强"]
    assert (spokesman["member"], spokesman["body"]) == (False, None)
    assert [role["organization"] for role in spokesman["roles"]] == ["教育部"]


@pytest.mark.parametrize(
    ("text", "found"),
    [
        (
            "全国人大代表马岚在会场，人人都认得马岚。",
            [("全国人大代表", "BODY"), ("马岚", "PERSON"), ("马岚", "PERSON")],
        ),
        ("澜河CEO罗文说，他同意。", [("澜河", "ORG"), ("CEO", "ROLE"), ("罗文", "PERSON"), ("他", "REF")]),
        ("教育部、公安部派人来听。", [("教育部", "ORG"), ("公安部", "ORG")]),
        (f"全国政协委员到会，{HILLS}主任阿依努尔·买买提：修路。", [("全国政协委员", "BODY"), ("主任", "ROLE")]),
        ("其他人和他们都在，吉他也在。", []),
        ("全国政协委员阿依努尔·买买提：多修路。", [("全国政协委员", "BODY"), ("阿依努尔·买买提", "PERSON")]),
    ],
    ids=[
        "a name comes again whole",
        "letters beside characters",
        "suffixes",
        "too long a label",
        "no pronouns",
        "any name",
    ],
)
def test_mentions_need_no_spaces_beside_them(words: Lexicon, text: str, found: list[tuple[str, str]]) -> None:
    assert [(m.text, m.label) for m in recognise(text, words)] == found


@pytest.mark.parametrize(
    ("text", "label", "span"),
    [
        ("全国人大代表马岚建议，尽快立法。", "PROPOSAL", "尽快立法。"),
        ("“学校周日应当开放。”全国人大代表马岚说。", "PROPOSAL", "学校周日应当开放。"),
        ("全国人大代表马岚说：「学校周日应当开放。」", "PROPOSAL", "学校周日应当开放。"),
        ("全国人大代表马岚说：“会场里有些冷。”", "SAYING", "会场里有些冷。"),
        ("全国人大代表马岚，澜河银行的行长和创始人之一，建议学校周日开放。", "PROPOSAL", "学校周日开放。"),
        (f"全国人大代表都到了。{HILLS}马岚建议学校周日开放。", "SAYING", "学校周日开放。"),
    ],
    ids=["short", "quoted", "other marks", "a colon", "apposition", "membership of others"],
)
def test_a_sentence_states_something(words: Lexicon, text: str, label: str, span: str) -> None:
    found = attribute(text, recognise(text, words), words)
    assert [(s.label, s.text) for s in found] == [(label, span)]


@pytest.mark.parametrize(
    "text",
    [
        "全国人大代表马岚在会场；会上有人建议，学校周日开放。",
        "全国人大代表马岚在会场听了一个上午也没有发言的同行建议，学校周日开放。",
        f"全国人大代表马岚在会场，{HILLS}会上只有一句话：学校周日开放。",
    ],
    ids=["another clause", "far away", "no label"],
)
def test_a_sentence_states_nothing(words: Lexicon, text: str) -> None:
    assert attribute(text, recognise(text, words), words) == []


def linked(text: str, lexicon: Lexicon) -> tuple[list[dict[str, Any]], list[tuple[str, list[str]]]]:
    mentions = recognise(text, lexicon)
    entities, found = link(text, mentions, attribute(text, mentions, lexicon), lexicon)
    return entities, [(entities[p["entity"]]["name"], [text[a:b] for a, b in p["spans"]]) for p in found]


@pytest.mark.parametrize(
    ("text", "organizations"),
    [
        ("全国人大代表、澜河银行行长、东湖大学教授罗文清：修路。", ["澜河银行", "东湖大学"]),
        ("全国人大代表、教授罗文清在小组会议上谈到了山区孩子上学读书的难处，教育部，她说，都知道。", [None]),
        (f"罗文清在会场，{HILLS}教授都点头。", []),
    ],
    ids=["each before its post", "too far behind", "nobody's"],
)
def test_posts_have_organizations(words: Lexicon, text: str, organizations: list[str | None]) -> None:
    (person,), _ = linked(text, words)
    assert [role["organization"] for role in person["roles"]] == organizations


def test_name_in_the_next_sentence_is_not_the_source(words: Lexicon) -> None:
    text = "全国人大代表马岚在小组会议上建议，学校周日开放。全国政协委员吴博也在。"
    assert linked(text, words)[1] == [("马岚", ["学校周日开放。"])]


@pytest.mark.parametrize(("between", "records"), [("", 1), (HILLS + HILLS, 2)])
def test_spans_far_apart_are_two_records(chinese: Language, words: Lexicon, between: str, records: int) -> None:
    text = f"全国人大代表马岚建议，学校周日开放。\n{between}\n马岚还建议，尽快立法。"
    assert len(linked(text, words)[1]) == records
    doc = chinese.make_doc(text)
    set_mentions(doc, recognise(text, words))
    set_statements(doc, attribute(text, mentions_of(doc), words))
    assert len(NearestName(words)(doc)._.proposals) == records


def label_end(text: str, lexicon: Lexicon) -> int | None:
    return entry_start(text, 0, len(text), recognise(text, lexicon), lexicon)


@pytest.mark.parametrize(
    "label", [LABEL, "2. 全国人大代表、澜河银行行长罗文清（左）：", "全国政协委员吴博和马岚：", "九三学社中央："]
)
def test_a_label_of_mentions_opens_an_entry(words: Lexicon, label: str) -> None:
    assert label_end(label + "建议尽快立法。", words) == len(label)


@pytest.mark.parametrize(
    "text",
    [
        "她在会上对记者说，全国人大代表罗文清的方案是：尽快立法。",
        "全国人大代表罗文清在小组会议上带来一份方案：尽快立法。",
        "、".join(["全国人大代表马岚"] * 14) + "：尽快修路。",
    ],
    ids=["somebody says something", "other words", "too long"],
)
def test_a_sentence_with_a_colon_is_no_label(words: Lexicon, text: str) -> None:
    assert label_end(text, words) is None


@pytest.mark.parametrize(
    ("behind", "whole"),
    [("罗文清对记者说。", False), ("是一个旧词，早已写进了各省的规划。", True)],
    ids=["who said it", "a term opens the entry"],
)
def test_an_entry_in_quotation_marks_ends_before_who_said_it(words: Lexicon, behind: str, whole: bool) -> None:
    text = f"{LABEL}“尽快立法。”{behind}"
    begin, end = entry_text(text, len(LABEL), len(text), words)
    assert text[begin:end] == (text[len(LABEL) :] if whole else "尽快立法。")


def test_a_verb_is_found_in_a_run_of_characters(words: Lexicon, lexicon: Lexicon) -> None:
    assert words.says("他在会上对记者说")
    assert not words.says("的说明书")
    assert lexicon.says("said")
    assert not lexicon.says("saidso")


def test_no_organization_is_sought_behind_a_post(words: Lexicon) -> None:
    known = bare_organization(LABEL, (11, 17), LABEL.index("："), "澜河银行", words)
    assert (known, bare_organization(LABEL, (11, 17), LABEL.index("："), None, words)) == ("澜河银行", None)


def test_sentences_end_with_their_quotation_marks(words: Lexicon) -> None:
    parts = ["“尽快立法！”", "会场很静。", "“路要修。桥呢？”马岚说。", "都要修……她补充：「要快。」", "散会"]
    text = "".join(parts)
    found = sentence_ranges(text, 0, len(text), words.sentence_end, words.abbreviations)
    assert [text[a:b] for a, b in found] == [
        *parts[:2],
        # Inside the marks sentences end too; the rules put together what one pair of marks holds.
        "“路要修。",
        "桥呢？”马岚说。",
        *parts[3:],
    ]


def test_distances_shrink_where_a_character_says_more(words: Lexicon, lexicon: Lexicon) -> None:
    assert (lexicon.reach(90), words.reach(90)) == (90, 30)
    said = "她还带来了一份建议，"
    near, far = "山区孩子", "要有书读" * 8
    text = f"{said}{far}{near}"
    assert announced(text, [(len(said), len(text))], words) == {0}
    assert announced(text, [(len(said + far), len(text))], words) == set()


def test_an_attribution_splits_no_sentence_but_a_clause_does(words: Lexicon) -> None:
    def joined(between: str) -> int:
        text = f"这笔钱{between}应当给学校"
        return len(join_split_sentences(text, [[0, 3], [len(text) - 5, len(text)]]))

    assert joined("，”她在小组会上说，“") == 1
    assert joined("，她说这一点在去年夏天的多次调研中早已得到各地老师和家长的印证，") == 2


# The evaluation

ARTICLE = """<article id="zh-1" lang="zh" outlet="daily" published="2024-03-06" session_year="2024" shape="list">
<p><body of="p1" is="NPC">全国人大代表</body>、<org of="p1">澜河银行</org><role of="p1">行长</role><per
id="p1">罗文清</per>：<prop by="p1" n="1" topics="data" stance="promote">支持企业用好公共数据。</prop></p>
</article>"""


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A Chinese article, beside a train split in English."""
    data, train = tmp_path / "set", tmp_path / "train"
    for place, lang in ((data, "zh"), (train, "en")):
        place.mkdir()
        article = ARTICLE.replace('lang="zh"', f'lang="{lang}"')
        (place / "zh-1.xml").write_text(article, encoding="utf-8")
    monkeypatch.setattr(evaluation_run, "_train_split", lambda: load_gold(train).articles)
    monkeypatch.setattr(evaluation_run, "_single_proposals", lambda lang: ())
    return data


@pytest.mark.parametrize(("model", "others"), [("en-rules", ["rules", "nearest-name"]), ("zh-rules", ["nearest-name"])])
def test_the_rules_are_those_of_the_articles_language(
    installation: Path, folder: Path, model: str, others: list[str]
) -> None:
    with installed(installation):
        found = run_evaluation(Request(folder, model=model, parts=("pipeline",)))
    assert [comparison.other.system for comparison in found.comparisons] == others
    rules = found.comparisons[0].other if model == "en-rules" else found.report
    assert rules.value("attribution.overlap") == 1
    # Nothing about Chinese is to be learned from English.
    lacks = "the train split holds no record"
    assert found.notes == (f"baseline majority: {lacks}", f"baseline tfidf: {lacks}")


def test_what_a_language_has_no_rules_for_is_left_out(rules: Language, folder: Path) -> None:
    found = run_evaluation(Request(folder, model="en-rules", parts=("pipeline",)))
    assert found.comparisons == ()
    assert found.notes[:2] == (
        "baseline rules needs rules for Chinese: configs/zh-rules.cfg is missing from this installation",
        "baseline nearest-name needs rules for Chinese: configs/lexicon.zh.toml is missing from this installation",
    )
    with pytest.raises(BaselineError, match=r"rules for Chinese: configs/zh-rules\.cfg"):
        baseline("rules", rules, load_pipeline, tuple, "zh")


def test_tfidf_learns_from_characters_where_no_spaces_are() -> None:
    pytest.importorskip("sklearn")
    law = [TrainingText(f"尽快立法{words}", ("law-justice",), "regulate") for words in ("管平台", "管算法", "管贷款")]
    school = [TrainingText(f"{words}学校", ("education",), "promote") for words in ("支持乡村", "多修", "补贴山区")]
    first, second = Tfidf([*law, *school]).classify(["数据要立法", "山里的学校"])
    assert (first["topics"][0]["label"], first["stance"]["label"]) == ("law-justice", "regulate")
    assert (second["topics"][0]["label"], second["stance"]["label"]) == ("education", "promote")
