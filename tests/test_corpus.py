"""The authored XML and its problems; loading and compiling a corpus."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest
from chinese_article import chinese_article
from generated_articles import TOPICS, annotated_articles, xml_articles
from hypothesis import given, settings

from pipeline.corpus import (
    AnnotatedArticle,
    CorpusError,
    Entity,
    GoldMention,
    compile_corpus,
    load_annotated,
    load_topics,
    load_xml,
    near_duplicates,
    parse_xml,
    splits_of,
)
from pipeline.formats import format_module
from pipeline.languages import Languages

HEAD = 'id="a" lang="en" outlet="daily" published="2024-03-06" session_year="2024" shape="report"'
LUO = '<p><per id="p1">Luo Wenqing</per>, <body of="p1" is="NPC">a deputy</body>.</p>'


def parse(content: str, head: str = HEAD) -> tuple[AnnotatedArticle, list[str]]:
    annotated, problems = parse_xml(f"<article {head}>{content}</article>".encode(), "a.xml", TOPICS)
    assert annotated is not None
    return annotated, [problem.message for problem in problems]


def words(annotated: AnnotatedArticle, mention: GoldMention) -> str:
    return annotated.article.text[mention.start : mention.end]


def test_an_article_comes_back_whole() -> None:
    annotated, problems = parse(
        LUO + '<p>"<prop by="p1" n="1" topics="data health" stance="both">Pay for it</prop>," <ref to="p1">she</ref> '
        'said. <say by="p1">It works</say>.</p>'
    )
    assert problems == []
    assert annotated.article.text == 'Luo Wenqing, a deputy.\n\n"Pay for it," she said. It works.'
    assert annotated.entities == (Entity("p1", "person", "Luo Wenqing", None, "NPC"),)
    assert [(m.label, words(annotated, m), m.of, m.is_) for m in annotated.mentions] == [
        ("PERSON", "Luo Wenqing", ("p1",), None),
        ("BODY", "a deputy", ("p1",), "NPC"),
        ("REF", "she", ("p1",), None),
    ]
    first, second = annotated.statements
    assert (first.by, first.n, first.topics, first.stance) == (("p1",), "1", ("data", "health"), "both")
    assert (second.by, second.n, second.topics, second.stance) == (("p1",), None, (), None)
    assert annotated.entity("p1").name == "Luo Wenqing"
    with pytest.raises(KeyError):
        annotated.entity("p2")


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("<h1>Title</h1>", "only <p> stands directly in an article"),
        ("<p> </p>", "an empty paragraph"),
        ("<p>a <b>b</b></p>", "no such tag"),
        ('<p><per id="p1">Luo <ref to="p1">W</ref></per></p>', "a mention holds text only"),
        ("<p><say>a <say>b</say></say></p>", "a statement inside a statement"),
        ("<p>a<org> b</org></p>", "empty, or with a space at its edge"),
        ("<p><org>b </org> c</p>", "empty, or with a space at its edge"),
        ("<p>a <org></org> b</p>", "empty, or with a space at its edge"),
        ('<p><per id="p1" is="NPC">Luo</per></p>', "attribute 'is' does not belong here"),
        ("<p><per>Luo</per></p>", "needs an id"),
        ("<p><ref>Luo</ref></p>", "needs to"),
        ("<p><role>chief</role></p>", "needs of"),
        ('<p><body is="NPC">deputy</body></p>', "needs of"),
        ('<p><per id="p1">Luo</per> <per id="p1">Li</per></p>', "id 'p1' is taken; a later mention is a <ref>"),
        (
            '<p><per id="p1">Luo</per> <body of="p1" is="npc">x</body></p>',
            "is='npc'; one of NPC, CPPCC, local, unknown",
        ),
        ('<p><say by="p1" n="1">a</say></p>', "attribute 'n' does not belong here"),
        (
            '<p><prop by="p1" n="1" topics="data" stance="both" of="x">a</prop></p>',
            "attribute 'of' does not belong here",
        ),
        ('<p><prop n="1" topics="data" stance="both">a</prop></p>', "needs by"),
        ('<p><prop by="p1" topics="data" stance="both">a</prop></p>', "needs n"),
        ('<p><prop by="p1" n="1" topics="data" stance="for">a</prop></p>', "stance='for'; one of promote"),
        ('<p><prop by="p1" n="1" stance="both">a</prop></p>', "needs topics"),
        ('<p><prop by="p1" n="1" topics="tea" stance="both">a</prop></p>', "no topic 'tea' in configs/topics.toml"),
        ('<p><prop by="p1" n="1" topics="data data" stance="both">a</prop></p>', "a topic twice"),
        ('<p><role of="p9">chief</role></p>', "'chief' at 0 points to 'p9', which no <per> or <org> has"),
        ('<p><say by="p9">Yes</say></p>', "'Yes' is by 'p9', which no <per> or <org> has"),
        (
            '<p><per id="p1">Luo</per> <prop by="p1" n="1" topics="data" stance="both">a</prop></p>',
            "Luo proposes but has no <body>; use <say>, or mark the membership",
        ),
        (
            LUO + '<p><prop by="p1" n="1" topics="data" stance="both">a</prop> '
            '<prop by="p1" n="1" topics="data" stance="promote">b</prop></p>',
            "record p1/1 has different topics or stance in its spans",
        ),
        ("text <p>a</p>", "text outside of a <p>"),
        ("<p>a</p> text", "text outside of a <p> behind this"),
        ("<p>a</p><!-- a remark --> text", "'text': text outside of a <p>"),
        ("<?mark?>text<p>a</p>", "'text': text outside of a <p>"),
    ],
)
def test_each_problem_is_named(content: str, message: str) -> None:
    _, problems = parse(content)
    assert any(message in problem for problem in problems), problems


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ('id="a"', 'id="b"', "id 'b' is not the file's stem"),
        ('lang="en"', 'lang="English"', "lang 'English' is no language code"),
        ('session_year="2024"', 'session_year="24"', "session_year '24' is no year"),
        ('outlet="daily"', 'outlet=" "', "outlet is missing"),
        ('shape="report"', 'shape="essay"', "shape 'essay'; one of list, report"),
        ('published="2024-03-06"', 'published="2024-02-30"', "published '2024-02-30' is no date"),
        ('published="2024-03-06"', "", "published is missing"),
        ('shape="report"', "", "shape is missing"),
        ('shape="report"', 'shape="report" headline="A"', "attribute 'headline' does not belong on <article>"),
    ],
)
def test_each_attribute_of_the_article_is_checked(old: str, new: str, message: str) -> None:
    _, problems = parse("<p>a</p>", HEAD.replace(old, new))
    assert any(message in problem for problem in problems), problems


def test_the_title_and_the_address_are_read() -> None:
    annotated, problems = parse(LUO, HEAD + ' title="Two &amp; two" url="https://u.example/1"')
    assert problems == []
    assert (annotated.article.title, annotated.article.url) == ("Two & two", "https://u.example/1")


def test_an_article_without_outlet_or_shape_is_warned_of_and_read(tmp_path: Path) -> None:
    head = HEAD.replace('outlet="daily"', "").replace('shape="report"', "")
    (tmp_path / "a.xml").write_text(f"<article {head}>{LUO}</article>", encoding="utf-8")
    _, problems = parse_xml((tmp_path / "a.xml").read_bytes(), "a.xml", TOPICS)
    assert [problem.level for problem in problems] == ["warning", "warning"]
    (annotated,) = load_xml(tmp_path)
    assert (annotated.article.outlet, annotated.shape) == (None, None)


def test_a_file_that_is_no_article() -> None:
    annotated, problems = parse_xml(b"<article><p>", "a.xml", TOPICS)
    assert annotated is None
    assert "not well-formed" in problems[0].message
    annotated, problems = parse_xml(b"<news/>", "a.xml", TOPICS)
    assert annotated is None
    assert str(problems[0]) == "a.xml: error: the root is <news>, not <article>"


def test_entities_of_a_dtd_are_not_opened() -> None:
    data = b'<!DOCTYPE article [<!ENTITY x SYSTEM "file:///etc/passwd">]><article><p>a&x;b</p></article>'
    annotated, problems = parse_xml(data, "a.xml", TOPICS)
    assert annotated is not None
    assert annotated.article.text == "ab"
    assert any("&x; is no character" in problem.message for problem in problems)
    _, problems = parse_xml(data.replace(b"<p>a&x;b</p>", b"<p>a</p>&x;"), "a.xml", TOPICS)
    assert any("'&x;': text outside of a <p>" in problem.message for problem in problems)


def test_white_space_becomes_single_spaces_and_characters_stay() -> None:
    annotated, problems = parse(
        "<p>\n  A\t&amp; <org>B\n C</org>  D \n</p>\n<!-- a remark -->\n<p>caf<!-- another -->\u00e9\u00a0&#20010;</p>"
    )
    assert problems == []
    assert annotated.article.text == "A & B C D\n\ncaf\u00e9\u00a0个"
    assert [words(annotated, m) for m in annotated.mentions] == ["B C"]


def test_breaks_without_empty_lines() -> None:
    annotated, _ = parse("<p>a</p><p>b</p>", HEAD + ' breaks="1"')
    assert annotated.article.text == "a\nb"


def test_a_reference_by_name_is_a_person() -> None:
    annotated, problems = parse(
        LUO + '<p><ref to="p1">Luo</ref> (<ref to="p1">罗文清</ref>) and <ref to="p1">she</ref>, '
        '<ref to="p1">WENQING</ref></p>'
    )
    assert problems == []
    assert [m.label for m in annotated.mentions] == ["PERSON", "BODY", "PERSON", "PERSON", "REF", "PERSON"]
    assert annotated.entity("p1").name_zh == "罗文清"


def test_a_reference_to_an_organization_by_name_is_an_organization() -> None:
    annotated, _ = parse(
        '<p><org id="o1">Jiusan Society</org> <ref to="o1">Jiusan</ref> <ref to="o1">the party</ref> '
        '<ref to="o1">The party</ref> <ref to="o1">It</ref></p>'
    )
    assert [m.label for m in annotated.mentions] == ["ORG", "ORG", "REF", "REF", "REF"]
    assert annotated.entities[0].kind == "organization"


def labels(annotated: AnnotatedArticle) -> list[tuple[str, str]]:
    return [(m.label, words(annotated, m)) for m in annotated.mentions]


def test_a_chinese_name_is_referred_to_by_surname_or_given_name() -> None:
    people = '<p><per id="p1">董砚秋</per>是<body of="p1" is="CPPCC">全国政协委员</body>、<role of="p1">董事长</role>。'
    names = ["董砚秋", "董", "砚秋", "董委员", "董庭长", "老董", "砚秋老师"]
    others = ["她", "该委员", "这位委员", "委员", "董事长", "秋"]
    refs = "，".join(f'<ref to="p1">{words}</ref>说' for words in (*names, *others))
    annotated, problems = parse(f"{people}{refs}。</p>", HEAD.replace('"en"', '"zh"'))
    assert problems == []
    assert labels(annotated)[3:] == [("PERSON", name) for name in names] + [("REF", other) for other in others]
    assert annotated.entity("p1").name_zh is None


def test_a_name_in_the_other_script_stands_beside_it() -> None:
    annotated, _ = parse(
        '<p><per id="p1">Sami Talve</per>（<ref to="p1">萨米·塔尔韦</ref>）认为，<ref to="p1">该高管</ref>、'
        '<ref to="p1">塔尔韦</ref>和<ref to="p1">他</ref>是一个人。'
        '<per id="p2">董砚秋</per>（<ref to="p2">Yanqiu</ref>）'
        '与<ref to="p2">CEO</ref>、<ref to="p2">Yanqiu</ref>也是。</p>'
    )
    assert labels(annotated) == [
        ("PERSON", "Sami Talve"),
        ("PERSON", "萨米·塔尔韦"),
        ("REF", "该高管"),
        ("PERSON", "塔尔韦"),
        ("REF", "他"),
        ("PERSON", "董砚秋"),
        ("PERSON", "Yanqiu"),
        ("REF", "CEO"),
        ("PERSON", "Yanqiu"),
    ]
    assert [entity.name_zh for entity in annotated.entities] == ["萨米·塔尔韦", None]


def test_chinese_characters_in_a_text_of_another_script_are_a_name() -> None:
    annotated, _ = parse('<p><per id="p1">Luo Wenqing</per> came. <ref to="p1">罗文清</ref>, who signs so, left.</p>')
    assert labels(annotated) == [("PERSON", "Luo Wenqing"), ("PERSON", "罗文清")]
    assert annotated.entity("p1").name_zh == "罗文清"


@pytest.mark.parametrize(
    ("words", "label"),
    [("Škoda", "ORG"), ("Skoda", "ORG"), ("The firm", "REF"), ("It", "REF"), ("the firm", "REF")],
)
def test_a_reference_that_names_its_organization_is_one(words: str, label: str) -> None:
    annotated, _ = parse(f'<p><org id="o1">Škoda Auto</org> sold. <ref to="o1">{words}</ref> grew.</p>')
    assert labels(annotated)[1] == (label, words)


@pytest.mark.parametrize(
    ("table", "kinds"),
    [({}, ["REF", "REF", "REF"]), ({"zh": {"unnamed": "[该它]|(?:学社|协会)$"}}, ["ORG", "REF", "REF"])],
)
def test_a_language_says_what_does_not_name_an_organization(table: dict, kinds: list[str]) -> None:
    refs = "".join(f'<ref to="o1">{words}</ref>' for words in ("九三", "学社", "该学社"))
    head = HEAD.replace('"en"', '"zh"')
    data = f'<article {head}><p><org id="o1">九三学社</org>{refs}</p></article>'.encode()
    annotated, _ = parse_xml(data, "a.xml", TOPICS, Languages(table))
    assert annotated is not None
    assert [m.label for m in annotated.mentions[1:]] == kinds


@pytest.mark.parametrize(
    ("content", "text"),
    [
        ("建议，\n  加强监管", "建议，加强监管"),
        ("建议，\n<org>民政厅</org>\n拨款", "建议，民政厅拨款"),
        ("<org>民政厅</org>\n<org>财政厅</org>", "民政厅财政厅"),
        ("他说：\n“\n加强监管。”\n他又说", "他说：“加强监管。”他又说"),
        ("采用\n5G，今年\t我国 发展", "采用 5G，今年 我国 发展"),
        ("Luo\n(罗文清)\ncame", "Luo (罗文清) came"),
    ],
)
def test_a_line_of_the_file_ends_no_chinese_word(content: str, text: str) -> None:
    annotated, problems = parse(f"<p>\n{content}\n</p>")
    assert problems == []
    assert annotated.article.text == text


def test_the_first_body_that_is_known_counts() -> None:
    annotated, _ = parse(
        '<p><per id="p1">Luo</per> <body of="p1" is="unknown">a delegate</body> <body of="p1" is="CPPCC">member</body> '
        '<body of="p1" is="local">b</body> <per id="p2">Li</per> <body of="p2" is="unknown">c</body></p>'
    )
    assert [entity.body for entity in annotated.entities] == ["CPPCC", None]


@settings(max_examples=60, deadline=None)
@given(annotated_articles())
def test_every_offset_marks_words_without_spaces_around(annotated: AnnotatedArticle) -> None:
    text = annotated.article.text
    for item in (*annotated.mentions, *annotated.statements):
        assert 0 <= item.start < item.end <= len(text)
        assert text[item.start : item.end] == text[item.start : item.end].strip()
        assert "\n" not in text[item.start : item.end]
    for entity in annotated.entities:
        assert any(words(annotated, m) == entity.name for m in annotated.mentions if m.of[:1] == (entity.id,))
    assert "  " not in text


@settings(max_examples=30, deadline=None)
@given(xml_articles())
def test_the_text_is_the_one_between_the_tags(xml: str) -> None:
    from lxml import etree

    annotated, _ = parse_xml(xml.encode(), "made.xml", TOPICS)
    assert annotated is not None
    gap = "\n" if 'breaks="1"' in xml else "\n\n"
    assert annotated.article.text == gap.join("".join(p.itertext()) for p in etree.fromstring(xml.encode()))


def test_near_duplicates_find_a_short_text_in_a_long_one() -> None:
    short = " ".join(f"w{n}" for n in range(40))
    texts = {"a": short, "b": short + " " + " ".join(f"v{n}" for n in range(400)), "c": "nothing of it at all here"}
    assert near_duplicates(texts) == [("a", "b", 1.0)]


def test_idiom_is_no_near_duplicate() -> None:
    phrase = "according to the National People's Congress"
    assert near_duplicates({f"t{n}": f"{phrase} x{n}" for n in range(11)}) == []
    assert len(near_duplicates({f"t{n}": f"{phrase} x{n}" for n in range(10)})) == 45


def test_many_copies_of_a_text_are_no_idiom() -> None:
    text = " ".join(f"w{n}" for n in range(20))
    texts = {"test/a": text.upper(), **{f"train/{n}": f"{text}." for n in range(11)}, "test/b": f"{text} at the end"}
    found = near_duplicates(texts)
    assert len(found) == 12 * 11 / 2 + 12
    assert {(first, second) for first, second, _ in found} >= {("test/a", "train/0"), ("test/b", "train/10")}


def test_a_chinese_character_is_a_word_of_near_duplicates() -> None:
    text = "农村的学校应该有更好的老师和图书馆"
    assert near_duplicates({"a": f"他说，{text}。", "b": f"代表建议：{text}！"})[0][:2] == ("a", "b")


#: Two reports of one subject, and a copy of the first with words exchanged.
REPORT = (
    "第十四届全国人民代表大会第三次会议期间，全国人大代表、某新能源汽车公司董事长高立群接受记者采访时表示，今年他准备了三份建议。"
    "高立群建议，加快制定自动驾驶汽车道路通行的法律法规，明确事故责任划分。同时，他建议支持换电模式，推动电池标准统一，"
    "促进新能源汽车产业高质量发展。"
)
OTHER = (
    "第十四届全国人民代表大会第三次会议开幕前，全国人大代表、某汽车集团党委书记米建国接受记者采访时表示，目前自动驾驶汽车上路"
    "仍面临保险缺位、数据归属不清等问题。他建议，由工业和信息化部牵头制定统一的数据安全标准，对违规采集个人信息的企业加大处罚力度，"
    "推动新能源汽车产业高质量发展。"
)
EDITED = (
    "全国人大代表、某新能源汽车公司董事长高立群近日接受记者采访时说，他今年准备了三份建议。高立群提出，应加快制定自动驾驶汽车"
    "道路通行的法规，明确事故责任如何划分。此外，他建议支持换电模式，推动电池标准统一，以促进新能源汽车产业健康发展。"
)


def test_chinese_phrases_of_five_characters_make_no_near_duplicate() -> None:
    found = near_duplicates({"report": REPORT, "other": OTHER, "edited": EDITED})
    assert [pair[:2] for pair in found] == [("edited", "report")]


def test_load_xml_reads_what_the_format_reads(tmp_path: Path) -> None:
    (tmp_path / "more").mkdir()
    for name in ("b.xml", "more/a.xml", ".hidden.xml"):
        head = HEAD.replace('id="a"', f'id="{Path(name).stem}"')
        (tmp_path / name).write_text(f"<article {head}>{LUO}</article>", encoding="utf-8")
    assert [annotated.article.id for annotated in load_xml(tmp_path)] == ["b", "a"]
    assert load_xml(tmp_path) == load_annotated(tmp_path, "xml")


def test_load_xml_names_the_file_and_the_line(tmp_path: Path) -> None:
    (tmp_path / "a.xml").write_text(f"<article {HEAD}>\n<p>a <b>b</b></p></article>", encoding="utf-8")
    with pytest.raises(CorpusError, match=r"a\.xml: error: line 2, <b> 'b': no such tag"):
        load_xml(tmp_path, TOPICS)
    with pytest.raises(CorpusError, match=r"a\.xml: error: line 2"):
        load_annotated(tmp_path)


def corpus(folder: Path) -> Path:
    for split, year in (("train", 2020), ("dev", 2021)):
        (folder / split).mkdir(parents=True)
        for name in ("b", "a"):
            head = HEAD.replace('id="a"', f'id="{split}-{name}"').replace(
                'session_year="2024"', f'session_year="{year}"'
            )
            text = f"<article {head}>{LUO}<p>{split} {name}</p></article>"
            (folder / split / f"{split}-{name}.xml").write_text(text, encoding="utf-8")
    return folder


def test_compile_writes_each_split_in_the_order_of_ids(tmp_path: Path) -> None:
    source, out = corpus(tmp_path / "xml"), tmp_path / "out"
    assert compile_corpus(source, out) == {"train": 2, "dev": 2}
    assert sorted(file.name for file in out.iterdir()) == ["dev.jsonl", "dev.spacy", "train.jsonl", "train.spacy"]
    ids = [json.loads(line)["id"] for line in (out / "train.jsonl").read_text(encoding="utf-8").splitlines()]
    assert ids == ["train-a", "train-b"]
    expected = load_xml(source / "train")
    assert load_annotated(out / "train.jsonl") == expected
    assert load_annotated(out / "train.spacy") == expected
    assert splits_of(out) == {"train": out / "train.jsonl", "dev": out / "dev.jsonl"}
    # A folder of compiled files holds all of them once.
    assert len(load_annotated(out)) == 4


def test_compile_of_the_folder_one_is_in_names_its_files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    source = corpus(tmp_path / "xml") / "dev"
    (source / "sub").mkdir()
    monkeypatch.chdir(source)
    assert set(splits_of(Path())) == {"dev"}
    assert set(splits_of(Path("sub/.."))) == {"dev"}
    assert compile_corpus(Path(), tmp_path / "out") == {"dev": 2}
    assert sorted(file.name for file in (tmp_path / "out").iterdir()) == ["dev.jsonl", "dev.spacy"]


def test_the_gold_docs_carry_spans_and_records(tmp_path: Path) -> None:
    import spacy
    from spacy.tokens import DocBin

    import pipeline.document  # noqa: F401  (declares the extensions)

    folder = tmp_path / "xml"
    folder.mkdir()
    prop = '<prop by="p1 p2" n="1" topics="data" stance="both">Pay</prop>'
    content = (
        LUO
        + f'<p>{prop}, said <per id="p2">Li An</per>, <body of="p2" is="CPPCC">member</body>, <ref to="p2">he</ref></p>'
    )
    (folder / "a.xml").write_text(f"<article {HEAD}>{content}</article>", encoding="utf-8")
    compile_corpus(folder, tmp_path)
    (doc,) = DocBin().from_disk(tmp_path / "xml.spacy").get_docs(spacy.blank("en").vocab)
    assert [ent.text for ent in doc.ents] == ["Luo Wenqing", "a deputy", "Li An", "member"]
    assert [span.label_ for span in doc.spans["mentions"]][-1] == "REF"
    assert [(span.text, span.label_) for span in doc.spans["statements"]] == [("Pay", "PROPOSAL")]
    records = doc._.records
    assert {(r.delegate.name, r.delegate.body, r.proposal.text, r.proposal.stance.label) for r in records} == {
        ("Luo Wenqing", "NPC", "Pay", "both"),
        ("Li An", "CPPCC", "Pay", "both"),
    }


def test_a_chinese_article_is_compiled_and_read_back(tmp_path: Path) -> None:
    annotated = chinese_article()
    format_module("xml").write([annotated], tmp_path / "train")
    assert load_xml(tmp_path / "train") == [annotated]
    assert compile_corpus(tmp_path / "train", tmp_path / "out") == {"train": 1}
    for name in ("train.jsonl", "train.spacy"):
        assert load_annotated(tmp_path / "out" / name) == [annotated]


def test_a_missing_path_and_an_unknown_format(tmp_path: Path) -> None:
    with pytest.raises(CorpusError, match="no such file or folder"):
        load_annotated(tmp_path / "none")
    with pytest.raises(CorpusError, match="holds no annotated file"):
        load_annotated(tmp_path)
    with pytest.raises(CorpusError, match="no format 'tei'; there is: xml, jsonl"):
        load_annotated(tmp_path, "tei")


def test_the_topics_come_from_the_config() -> None:
    topics = load_topics()
    assert topics[0] == "blockchain"
    assert len(set(topics)) == len(topics) >= 24


def test_an_annotated_article_is_frozen() -> None:
    annotated, _ = parse(LUO)
    assert replace(annotated, shape="list").shape == "list"
    with pytest.raises(AttributeError):
        annotated.shape = "list"  # type: ignore[misc]
