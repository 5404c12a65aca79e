"""The formats of annotators' tools: round trips, and small files as the tools write them."""

from __future__ import annotations

import json
import logging
import tempfile
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import spacy
from chinese_article import chinese_article
from generated_articles import annotated_articles
from hypothesis import given, settings
from typer.testing import CliRunner

from pipeline.cli import app
from pipeline.commands.corpus import Format
from pipeline.corpus import AnnotatedArticle, CorpusError, Entity, GoldMention, GoldStatement, load_annotated
from pipeline.document import ExactTokenizer
from pipeline.formats import FORMATS, format_module, guess_format
from pipeline.formats.authored import to_xml
from pipeline.formats.docbin import gold_doc
from pipeline.formats.graph import Graph, GraphSpan, Relation, from_graph, to_graph
from pipeline.formats.label_studio import labelling_config
from pipeline.schema import Article

SUFFIXES = {"jsonl": ".jsonl", "prodigy": ".jsonl", "doccano": ".jsonl", "label-studio": ".json", "docbin": ".spacy"}
TEXT = "Luo Wenqing, an NPC deputy and head of Qianhe, urged a ban. Luo said: pay more. The farm works, Qianhe said."


def at(words: str, nth: int = 0, text: str = TEXT) -> tuple[int, int]:
    start = -1
    for _ in range(nth + 1):
        start = text.index(words, start + 1)
    return start, start + len(words)


def found(annotated: AnnotatedArticle) -> list[tuple[Any, ...]]:
    """The mentions as (words, label, of, is), then the statements as (words, by, n, topics, stance)."""
    text = annotated.article.text
    return [(text[m.start : m.end], m.label, m.of, m.is_) for m in annotated.mentions] + [
        (text[s.start : s.end], s.by, s.n, s.topics, s.stance) for s in annotated.statements
    ]


#: What every hand-written file below must give.
EXPECTED = [
    ("Luo Wenqing", "PERSON", ("p1",), None),
    ("an NPC deputy", "BODY", ("p1",), "NPC"),
    ("head", "ROLE", ("p1",), None),
    ("Qianhe", "ORG", ("o1", "p1"), None),
    ("Luo", "PERSON", ("p1",), None),
    ("a ban", ("p1",), "1", ("health", "data"), "regulate"),
    ("pay more", ("p1",), "2", (), "promote"),
    ("The farm works", ("o1",), None, (), None),
]


def write(folder: Path, name: str, content: str) -> Path:
    path = folder / name
    path.write_text(content, encoding="utf-8")
    return path


def round_trip(annotated: list[AnnotatedArticle], name: str, folder: Path) -> list[AnnotatedArticle]:
    path = folder / f"file{SUFFIXES.get(name, '')}"
    format_module(name).write(annotated, path)
    assert guess_format(path) == name
    return load_annotated(path)


@pytest.mark.parametrize("name", ["jsonl", "prodigy", "doccano", "label-studio", "brat", "xml"])
@settings(max_examples=25, deadline=None)
@given(annotated=annotated_articles())
def test_round_trips_lose_nothing(name: str, annotated: AnnotatedArticle) -> None:
    with tempfile.TemporaryDirectory() as folder:
        assert round_trip([annotated], name, Path(folder)) == [annotated]


@settings(max_examples=5, deadline=None)
@given(annotated=annotated_articles())
def test_a_docbin_loses_nothing(annotated: AnnotatedArticle) -> None:
    with tempfile.TemporaryDirectory() as folder:
        assert round_trip([annotated], "docbin", Path(folder)) == [annotated]


@pytest.mark.parametrize("name", ["jsonl", "prodigy", "doccano", "label-studio", "brat", "xml", "docbin"])
def test_a_chinese_article_loses_nothing(name: str, tmp_path: Path) -> None:
    assert round_trip([chinese_article()], name, tmp_path) == [chinese_article()]


def test_iob_keeps_the_text_and_the_mentions_of_chinese(tmp_path: Path) -> None:
    annotated = chinese_article()
    format_module("iob").write([annotated], tmp_path / "file.iob")
    (again,) = load_annotated(tmp_path / "file.iob")
    kept = [(m.start, m.end, m.label) for m in annotated.mentions if m.label != "REF"]
    assert (again.article.text, [(m.start, m.end, m.label) for m in again.mentions]) == (annotated.article.text, kept)


def test_a_chinese_post_is_at_the_organization_before_it() -> None:
    text = "云溪职业技术学院副院长、澜泽科技顾问马映川建议开放。"
    spans = {
        words: at(words, text=text) for words in ("云溪职业技术学院", "副院长", "澜泽科技", "顾问", "马映川", "开放")
    }
    labelled = zip(spans.values(), ("ORG", "ROLE", "ORG", "ROLE", "PERSON"), strict=False)
    annotated = AnnotatedArticle(
        Article("a", text, lang="zh"),
        None,
        (Entity("p1", "person", "马映川"),),
        tuple(GoldMention(start, end, label, ("p1",)) for (start, end), label in labelled),
        (GoldStatement(*spans["开放"], ("p1",), "1", ("education",), "promote"),),
    )
    nlp = spacy.blank("xx")
    nlp.tokenizer = ExactTokenizer(nlp.vocab)
    (record,) = gold_doc(annotated, nlp)._.records
    assert [(role.title, role.organization) for role in record.delegate.roles] == [
        ("副院长", "云溪职业技术学院"),
        ("顾问", "澜泽科技"),
    ]


@pytest.mark.parametrize("first", ["马映川", "Ma Yingchuan"])
def test_a_chinese_name_beside_a_latin_one_is_no_surname(first: str) -> None:
    text = f"{first}说，马建议开放。马映川同意。"
    surname, full = text.index("，马") + 1, text.rindex("马映川")
    named = ((0, len(first)), (surname, surname + 1), (full, full + 3))
    spans = tuple(GraphSpan(f"T{n}", *place, "PERSON") for n, place in enumerate(named, 1))
    graph = Graph(text, spans, (Relation("T2", "T1", "of"), Relation("T3", "T1", "of")), {})
    (entity,) = from_graph(graph, "a").entities
    assert (entity.name, entity.name_zh) == (first, None if first == "马映川" else "马映川")


@settings(max_examples=25, deadline=None)
@given(annotated=annotated_articles())
def test_iob_keeps_the_text_and_the_mentions(annotated: AnnotatedArticle) -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "file.iob"
        format_module("iob").write([annotated, annotated], path)
        first, second = load_annotated(path)
    assert first.article == Article(annotated.article.id, annotated.article.text) == second.article
    kept = [(m.start, m.end, m.label) for m in annotated.mentions if m.label != "REF"]
    assert [(m.start, m.end, m.label) for m in first.mentions] == kept
    assert first.statements == ()


def test_iob_says_what_is_lost(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    annotated = prodigy(tmp_path)
    with caplog.at_level(logging.WARNING):
        format_module("iob").write([annotated], tmp_path / "a.iob")
    assert "IOB holds mentions only: 3 statements" in caplog.text


def test_iob_parts_a_token_that_a_mention_ends_inside_of(tmp_path: Path) -> None:
    annotated = AnnotatedArticle(Article("a", "NPCdeputy Li"), None, (), (GoldMention(3, 9, "BODY", (), "NPC"),), ())
    format_module("iob").write([annotated], tmp_path / "a.iob")
    lines = (tmp_path / "a.iob").read_text(encoding="utf-8").splitlines()
    assert lines[2:5] == ["NPC\tO", "deputy\tB-BODY", "Li\tO"]


@pytest.mark.parametrize("ends", ["\n", "\r\n"])
def test_iob_gives_back_the_line_ends_of_the_text(ends: str, tmp_path: Path) -> None:
    text = f"Luo spoke.{ends}{ends}Li left.{ends}"
    at = text.index("Li")
    annotated = AnnotatedArticle(Article("a", text), None, (), (GoldMention(at, at + 2, "ORG"),), ())
    format_module("iob").write([annotated], tmp_path / "a.iob")
    (again,) = load_annotated(tmp_path / "a.iob")
    assert (again.article.text, [(m.start, m.end) for m in again.mentions]) == (text, [(at, at + 2)])
    # As an editor of Windows would save it.
    data = (tmp_path / "a.iob").read_bytes()
    (tmp_path / "a.iob").write_bytes(data.replace(b"\n", b"\r\n"))
    assert load_annotated(tmp_path / "a.iob") == [again]


def test_a_byte_order_mark_hides_no_format(tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl"
    path.write_text(json.dumps(SOUND["doccano"]), encoding="utf-8-sig")
    assert guess_format(path) == "doccano"
    assert len(load_annotated(path)) == 1


@pytest.mark.parametrize("name", ["jsonl", "prodigy", "doccano", "label-studio", "brat"])
def test_an_id_may_hold_a_space(name: str, tmp_path: Path) -> None:
    people, mentions = (Entity("Li An", "person", "Li An"),), (GoldMention(0, 5, "PERSON", ("Li An",)),)
    annotated = AnnotatedArticle(Article("a", "Li An spoke"), None, people, mentions, ())
    assert round_trip([annotated], name, tmp_path) == [annotated]


def test_every_format_has_a_name_on_the_command_line() -> None:
    assert [entry.value for entry in Format] == list(FORMATS)


# What tools write


def spans() -> list[tuple[str, int, int]]:
    return [
        ("PERSON", *at("Luo Wenqing")),
        ("BODY", *at("an NPC deputy")),
        ("ROLE", *at("head")),
        ("ORG", *at("Qianhe")),
        ("PERSON", *at("Luo", 1)),
        ("PROPOSAL", *at("a ban")),
        ("PROPOSAL", *at("pay more")),
        ("SAYING", *at("The farm works")),
    ]


#: (from, to, type) by the indexes above; the last two point the wrong way, as annotators click.
RELATIONS = [(1, 0, "of"), (2, 0, "of"), (6, 4, "by"), (7, 3, "by"), (0, 5, "by"), (0, 3, "of")]


def label_studio(tmp_path: Path) -> AnnotatedArticle:
    result: list[dict[str, Any]] = []
    for index, (label, start, end) in enumerate(spans()):
        value = {"start": start, "end": end, "text": TEXT[start:end], "labels": [label]}
        names = {"from_name": "label", "to_name": "text", "origin": "manual"}
        result.append({"value": value, "id": f"x{index}", "type": "labels", **names})
    place = dict(zip(("start", "end"), at("a ban"), strict=True))
    for index, name, choices in (
        (1, "is", ["NPC"]),
        (5, "topics", ["health", "data"]),
        (5, "stance", ["regulate"]),
        (6, "stance", ["promote"]),
    ):
        value = {**place, "choices": choices}
        names = {"from_name": name, "to_name": "text"}
        result.append({"value": value, "id": f"x{index}", "type": "choices", **names})
    for first, second, kind in RELATIONS[:-1]:
        ends = {"from_id": f"x{first}", "to_id": f"x{second}"}
        result.append({**ends, "type": "relation", "direction": "right", "labels": [kind]})
    result.append({"from_id": "x3", "to_id": "x0", "type": "relation", "direction": "right"})
    annotations = [
        {"id": 7, "was_cancelled": True, "result": []},
        {"id": 8, "was_cancelled": False, "ground_truth": False, "result": result, "lead_time": 4.2},
    ]
    task = {"id": 12, "data": {"text": TEXT, "outlet": "daily"}, "annotations": annotations, "predictions": []}
    skipped = {"id": 13, "data": {"text": "x"}, "annotations": []}
    write(tmp_path, "project-1.json", json.dumps([task, skipped]))
    (annotated,) = load_annotated(tmp_path / "project-1.json")
    return annotated


def prodigy(tmp_path: Path) -> AnnotatedArticle:
    details: dict[int, dict[str, str]] = {
        1: {"is": "NPC"},
        5: {"stance": "regulate", "topics": "health,data"},
        6: {"stance": "promote"},
    }
    raw = [
        {
            "start": start,
            "end": end,
            "label": label,
            "token_start": start,
            "token_end": end - 1,
            **details.get(index, {}),
        }
        for index, (label, start, end) in enumerate(spans())
    ]
    keys = ("start", "end", "token_start", "token_end", "label")
    relations: list[dict[str, Any]] = [
        {
            "head": raw[second]["token_end"],
            "child": raw[first]["token_end"],
            "head_span": {key: raw[second][key] for key in keys},
            "child_span": {key: raw[first][key] for key in keys},
            "color": "#c5bdf4",
            "label": kind,
        }
        for first, second, kind in RELATIONS[:-1]
    ]
    # Without the spans, by the tokens alone.
    relations.append({"head": raw[3]["token_end"], "child": raw[0]["token_end"], "label": "of"})
    row = {"text": TEXT, "_input_hash": 1, "spans": raw, "relations": relations, "meta": {"outlet": "daily"}}
    rows = [{**row, "answer": "accept"}, {**row, "answer": "reject"}]
    write(tmp_path, "prodigy.jsonl", "\n".join(map(json.dumps, rows)))
    (annotated,) = load_annotated(tmp_path / "prodigy.jsonl")
    return annotated


def doccano(tmp_path: Path) -> AnnotatedArticle:
    labels = [
        "PERSON",
        "BODY/NPC",
        "ROLE",
        "ORG",
        "PERSON",
        "PROPOSAL/regulate/health,data",
        "PROPOSAL/promote",
        "SAYING",
    ]
    row = {
        "id": 6400,
        "text": TEXT,
        "outlet": "daily",
        "Comments": [],
        "entities": [
            {"id": 1600 + index, "label": label, "start_offset": start, "end_offset": end}
            for index, (label, (_, start, end)) in enumerate(zip(labels, spans(), strict=True))
        ],
        "relations": [
            {"id": index, "from_id": 1600 + first, "to_id": 1600 + second, "type": kind}
            for index, (first, second, kind) in enumerate(RELATIONS)
        ],
    }
    write(tmp_path, "all.jsonl", json.dumps(row, ensure_ascii=False) + "\n")
    (annotated,) = load_annotated(tmp_path / "all.jsonl")
    return annotated


def brat(tmp_path: Path) -> AnnotatedArticle:
    lines = [f"T{i}\t{label} {a} {b}\t{TEXT[a:b]}" for i, (label, a, b) in enumerate(spans(), 1)]
    lines += [f"R{i}\t{kind} Arg1:T{a + 1} Arg2:T{b + 1}\t" for i, (a, b, kind) in enumerate(RELATIONS, 1)]
    lines += ["A1\tis T2 NPC", "A2\tstance T6 regulate", "A3\tstance T7 promote"]
    lines += [
        "#1\tAnnotatorNotes T6\tsure; topics: health, data",
        "#2\tAnnotatorNotes T1\twho is this?",
        "*\tEquiv T1 T5",
    ]
    lines += ["N1\tReference T1 Wikidata:Q1\tLuo"]
    write(tmp_path, "a.txt", TEXT)
    write(tmp_path, "a.ann", "\n".join(lines) + "\n")
    write(tmp_path, "a.json", '{"outlet": "daily"}')
    (annotated,) = load_annotated(tmp_path)
    assert load_annotated(tmp_path / "a.txt") == [annotated]
    return annotated


@pytest.mark.parametrize("make", [label_studio, prodigy, doccano, brat])
def test_a_file_as_the_tool_writes_it(make: Any, tmp_path: Path) -> None:
    annotated = make(tmp_path)
    assert annotated.article.text == TEXT
    assert annotated.article.outlet == "daily"
    assert found(annotated) == EXPECTED
    assert annotated.entities == (
        Entity("p1", "person", "Luo Wenqing", None, "NPC"),
        Entity("o1", "organization", "Qianhe", None, None),
    )


def test_doccano_sequence_labelling(tmp_path: Path) -> None:
    row = {"id": 1, "text": TEXT, "label": [[*at("Luo Wenqing"), "PERSON"], [*at("Qianhe"), "ORG"]]}
    write(tmp_path, "a.jsonl", json.dumps(row))
    (annotated,) = load_annotated(tmp_path)
    assert found(annotated) == [("Luo Wenqing", "PERSON", ("p1",), None), ("Qianhe", "ORG", (), None)]
    assert annotated.article.id == "a-1"


def test_conll_with_columns_and_documents(tmp_path: Path) -> None:
    lines = ["-DOCSTART- -X- O O", "", "Luo NNP B-NP B-PERSON", "Wenqing NNP I-NP I-PERSON", ", , O O", "said VBD O O"]
    lines += ["( ( O O", "Qianhe NNP O B-ORG", ") ) O O", ". . O O", "", "Luo NNP O B-PERSON", "left VBD O O", ""]
    lines += ["-DOCSTART- -X- O O", "", "Li NNP O B-PERSON", "Tencent NNP O B-ORG", "Alibaba NNP O B-ORG"]
    write(tmp_path, "a.conll", "\n".join(lines))
    first, second = load_annotated(tmp_path)
    assert first.article.text == "Luo Wenqing, said (Qianhe).\nLuo left"
    assert [row[:3] for row in found(first)] == [
        ("Luo Wenqing", "PERSON", ("p1",)),
        ("Qianhe", "ORG", ()),
        ("Luo", "PERSON", ("p1",)),
    ]
    assert [row[0] for row in found(second)] == ["Li", "Tencent", "Alibaba"]


@pytest.mark.parametrize(
    ("tags", "mentions"),
    [
        (("I-ORG", "I-ORG", "O", "I-ORG"), ["a b", "d"]),
        (("B-ORG", "E-ORG", "S-ORG", "S-ORG"), ["a b", "c", "d"]),
        (("B-ORG", "M-ORG", "E-ORG", "O"), ["a b c"]),
        (("I-ORG", "B-ORG", "I-ORG", "I-ROLE"), ["a", "b c", "d"]),
        (("O", "L-ORG", "U-ROLE", "O"), ["b", "c"]),
    ],
)
def test_the_kinds_of_tags(tags: tuple[str, ...], mentions: list[str], tmp_path: Path) -> None:
    write(tmp_path, "a.txt", "".join(f"{token} {tag}\n" for token, tag in zip("abcd", tags, strict=True)))
    (annotated,) = load_annotated(tmp_path / "a.txt")
    assert [row[0] for row in found(annotated)] == mentions


def test_chinese_characters_are_joined(tmp_path: Path) -> None:
    write(tmp_path, "a.bmes", "马 B-PERSON\n化 M-PERSON\n腾 E-PERSON\n说 O\n")
    (annotated,) = load_annotated(tmp_path)
    assert annotated.article.text == "马化腾说"
    write(tmp_path, "a.bmes", "".join(f"{char} O\n" for char in "玉素甫·江说：“好”，“可以”……他走了"))
    (annotated,) = load_annotated(tmp_path / "a.bmes")
    assert annotated.article.text == "玉素甫·江说：“好”，“可以”……他走了"


# Who is who without links


def graph(*named: tuple[str, str], relations: tuple[Relation, ...] = ()) -> AnnotatedArticle:
    text = " ".join(words for words, _ in named)
    spans, start = [], 0
    for index, (words, label) in enumerate(named):
        spans.append(GraphSpan(str(index), start, start + len(words), label))
        start += len(words) + 1
    return from_graph(Graph(text, tuple(spans), relations, {}), "file")


def test_names_alone_tell_who_is_who_where_one_fits() -> None:
    annotated = graph(("Luo", "PERSON"), ("Luo Wenqing", "PERSON"), ("LUO WENQING", "PERSON"), ("Li An", "PERSON"))
    assert [m.of for m in annotated.mentions] == [("p1",), ("p1",), ("p1",), ("p2",)]
    assert annotated.entities[0].name == "Luo Wenqing"


def test_a_surname_of_two_people_is_nobody_known() -> None:
    annotated = graph(("Li An", "PERSON"), ("Li Na", "PERSON"), ("Li", "PERSON"))
    assert [m.of for m in annotated.mentions] == [("p1",), ("p2",), ("p3",)]


def test_a_chain_of_references_ends_at_the_name() -> None:
    relations = (Relation("2", "1", "of"), Relation("1", "0", "same"), Relation("0", "1", "same"))
    annotated = graph(("Ma Huateng", "PERSON"), ("Pony", "PERSON"), ("he", "REF"), relations=relations[:2])
    assert [m.of for m in annotated.mentions] == [("p1",), ("p1",), ("p1",)]


@pytest.mark.parametrize("ends", [("0", "1"), ("1", "0")])
def test_same_joins_two_names_of_one_whatever_its_direction(ends: tuple[str, str]) -> None:
    relations = (Relation(*ends, "same"), Relation("2", "1", "by"))
    people = graph(("Ma Huateng", "PERSON"), ("Pony", "PERSON"), ("a", "PROPOSAL"), relations=relations)
    assert [entity.name for entity in people.entities] == ["Ma Huateng"]
    assert ([m.of for m in people.mentions], people.statements[0].by) == ([("p1",), ("p1",)], ("p1",))
    houses = graph(("Jiusan Society", "ORG"), ("Jiusan", "ORG"), ("a", "PROPOSAL"), relations=relations)
    assert [entity.name for entity in houses.entities] == ["Jiusan Society"]
    assert ([m.of for m in houses.mentions], houses.statements[0].by) == ([("o1",), ("o1",)], ("o1",))
    # A later mention of the one is a mention of the other too.
    relations = (Relation(*ends, "same"), Relation("1", "2", "of"))
    later = graph(("Pony", "PERSON"), ("Luo", "PERSON"), ("Luo Wenqing", "PERSON"), relations=relations)
    assert [m.of for m in later.mentions] == [("p1",)] * 3


def test_same_joins_spans_to_one_record() -> None:
    relations = (Relation("1", "0", "by"), Relation("2", "1", "same"), Relation("3", "0", "by"))
    annotated = graph(("Li An", "PERSON"), ("a", "PROPOSAL"), ("b", "PROPOSAL"), ("c", "PROPOSAL"), relations=relations)
    assert [(s.by, s.n) for s in annotated.statements] == [(("p1",), "1"), (("p1",), "1"), (("p1",), "2")]


def test_brat_pieces_of_a_statement_are_one_record(tmp_path: Path) -> None:
    (a, b), (c, d) = at("a ban"), at("pay more")
    write(tmp_path, "a.txt", TEXT)
    person = f"T1\tPERSON {at('Luo Wenqing')[0]} {at('Luo Wenqing')[1]}\tLuo Wenqing\n"
    write(
        tmp_path,
        "a.ann",
        f"{person}T2\tPROPOSAL {a} {b};{c} {d}\ta ban pay more\nR1\tby Arg1:T2 Arg2:T1\nA1\tstance T2 both\n",
    )
    (annotated,) = load_annotated(tmp_path)
    assert found(annotated)[1:] == [("a ban", ("p1",), "1", (), "both"), ("pay more", ("p1",), "1", (), "both")]


def test_label_studio_offsets_in_utf16(tmp_path: Path) -> None:
    value = {"start": 3, "end": 5, "text": "Li", "labels": ["PERSON"]}
    task = {
        "id": 1,
        "data": {"text": "🙂 Li"},
        "annotations": [{"result": [{"id": "a", "type": "labels", "value": value}]}],
    }
    write(tmp_path, "a.json", json.dumps(task))
    (annotated,) = load_annotated(tmp_path)
    assert (annotated.mentions[0].start, annotated.mentions[0].end) == (2, 4)


def test_a_selection_with_spaces_is_trimmed() -> None:
    annotated = from_graph(Graph(" Li An ", (GraphSpan("1", 0, 7, "PERSON"),), (), {}), "file")
    assert (annotated.mentions[0].start, annotated.mentions[0].end) == (1, 6)


def test_the_labelling_config_is_xml_with_every_label() -> None:
    from lxml import etree

    root = etree.fromstring(labelling_config(["data", "health"]).encode())
    assert [label.get("value") for label in root.iter("Label")][-2:] == ["PROPOSAL", "SAYING"]
    assert [choices.get("name") for choices in root.iter("Choices")] == ["is", "stance", "topics"]


# Bad files


BAD = [
    ("a.jsonl", "{", "format", "can't tell its format"),
    ("a.jsonl", '{"text": "x", "spans": []}\n[1]\n', None, r"a\.jsonl:2: not a JSON object"),
    ("a.jsonl", '{"text": "x", "spans": []}\n{"spans"\n', None, r"a\.jsonl:2: not JSON"),
    ("a.jsonl", '{"spans": []}', None, r"a\.jsonl:1: no 'text' there"),
    ("a.jsonl", '{"text": "x", "spans": [{"start": 0, "label": "ORG"}]}', None, "a span or relation has no 'end'"),
    ("a.jsonl", '{"text": "x", "spans": [{"start": 0, "end": 5, "label": "ORG"}]}', None, "ORG at 0..5 lies outside"),
    ("a.jsonl", '{"text": " x", "spans": [{"start": 0, "end": 1, "label": "ORG"}]}', None, "nothing but space"),
    (
        "a.jsonl",
        '{"text": "x", "spans": [], "relations": [{"head": 0, "child": 0, "label": "of"}]}',
        None,
        "relation 'of': no span at its child",
    ),
    ("a.jsonl", '{"text": "x", "entities": [{"id": 1, "label": "ORG"}]}', None, "has no 'start_offset'"),
    ("a.jsonl", '{"text": "x", "label": [[0, 1]]}', None, "a label not \\[start, end, label\\]"),
    (
        "a.jsonl",
        '{"text": "x", "entities": [], "relations": [{"from_id": 1, "to_id": 2, "type": "of"}]}',
        None,
        "a relation 'of' points to '1', which is no span",
    ),
    ("a.jsonl", '{"id": "a", "mentions": [], "statements": [], "entities": []}', None, "not an annotated article"),
    (
        "a.jsonl",
        '{"id": "a", "text": "x", "mentions": [{"start": 0, "end": 9, "label": "ORG", "of": []}], '
        '"statements": [], "entities": []}',
        None,
        r"a\.jsonl:1: offsets 0\.\.9 lie outside",
    ),
    ("a.json", "[{", None, r"a\.json: not JSON"),
    ("a.json", '[{"id": 3, "text": "x"}]', None, "task 3: no 'data' and 'annotations'"),
    ("a.json", '[{"id": 3, "data": {}, "annotations": [{"result": []}]}]', None, "task 3: no 'text'"),
    (
        "a.json",
        '[{"id": 3, "data": {"text": "x"}, "annotations": [{"result": [{"type": "rectanglelabels", "value": {}}]}]}]',
        None,
        "a result of the type 'rectanglelabels'",
    ),
    (
        "a.json",
        '[{"data": {"text": "xy"}, "annotations": [{"result": [{"id": "a", "type": "labels", "value": '
        '{"start": 0, "end": 1, "text": "y", "labels": ["ORG"]}}]}]}]',
        None,
        "'y' is not what stands at 0..1: 'x'",
    ),
    ("a.iob", "Li\tB-PERSON\nAn\n", None, r"a\.iob:2: 'An' is no token with a tag"),
    ("a.iob", "\tO\n", None, r"a\.iob:1: '\\tO' is no token with a tag"),
    ("a.iob", "Li\tX-PERSON\n", None, "the tag 'X-PERSON' begins with none of"),
    ("a.txt", "Just a text.\n", None, "can't tell its format"),
]


#: A sound row or task of each kind; where in it a value is exchanged, and the place that the error must name.
SOUND: dict[str, Any] = {
    "jsonl": {
        "id": "a",
        "text": "Li",
        "entities": [],
        "mentions": [{"start": 0, "end": 2, "label": "ORG", "of": []}],
        "statements": [],
    },
    "prodigy": {"text": "Li", "spans": [{"start": 0, "end": 2, "label": "ORG"}], "relations": []},
    "doccano": {"text": "Li", "entities": [{"id": 1, "label": "ORG", "start_offset": 0, "end_offset": 2}]},
    "label-studio": {
        "id": 3,
        "data": {"text": "Li"},
        "annotations": [
            {"result": [{"id": "x", "type": "labels", "value": {"start": 0, "end": 2, "labels": ["ORG"]}}]}
        ],
    },
}


@pytest.mark.parametrize("wrong", [None, 7, 0.5, "x", [None], {"x": 1}])
@pytest.mark.parametrize(
    ("name", "path"),
    [
        ("jsonl", ("text",)),
        ("jsonl", ("mentions", 0)),
        ("jsonl", ("mentions", 0, "start")),
        ("prodigy", ("spans", 0)),
        ("prodigy", ("spans", 0, "end")),
        ("prodigy", ("spans", 0, "label")),
        ("doccano", ("entities", 0)),
        ("doccano", ("entities", 0, "start_offset")),
        ("doccano", ("entities", 0, "label")),
        ("label-studio", ("annotations",)),
        ("label-studio", ("annotations", 0, "result", 0)),
        ("label-studio", ("annotations", 0, "result", 0, "value")),
        ("label-studio", ("annotations", 0, "result", 0, "value", "start")),
        ("label-studio", ("annotations", 0, "result", 0, "value", "labels", 0)),
    ],
)
def test_a_value_of_a_wrong_kind_is_named(name: str, path: tuple[str | int, ...], wrong: Any, tmp_path: Path) -> None:
    row = json.loads(json.dumps(SOUND[name]))
    file = tmp_path / ("a.json" if name == "label-studio" else "a.jsonl")
    file.write_text(json.dumps(row), encoding="utf-8")
    assert len(load_annotated(file, name)) == 1
    holder = row
    for step in path[:-1]:
        holder = holder[step]
    holder[path[-1]] = wrong
    file.write_text(json.dumps(row), encoding="utf-8")
    with pytest.raises(CorpusError, match=r"a\.json: task 3: " if name == "label-studio" else r"a\.jsonl:1: "):
        load_annotated(file, name)


@pytest.mark.parametrize(("name", "content", "format", "message"), BAD)
def test_bad_files_are_named(name: str, content: str, format: str | None, message: str, tmp_path: Path) -> None:
    path = write(tmp_path, name, content)
    with pytest.raises(CorpusError, match=message):
        load_annotated(path)


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("T1\tORG 0 3\tLi ", r"a\.ann:1: 'Li ' is not what stands at 0 3: 'Luo'"),
        ("T1\tORG zero 3\tLuo", r"a\.ann:1: can't read"),
        ("E1\tSay:T1 Source:T2", r"a\.ann:1: 'E1' is an event"),
        ("A1\tnegated T1", r"unknown attribute 'negated'; known: entity, is, n, stance"),
        ("R1\tof", r"a\.ann:1: can't read"),
        ("T1\tORG 0 3;13 15\tLuo an", "ORG in 2 pieces"),
    ],
)
def test_bad_lines_of_brat(line: str, message: str, tmp_path: Path) -> None:
    write(tmp_path, "a.txt", TEXT)
    write(tmp_path, "a.ann", line + "\n")
    with pytest.raises(CorpusError, match=message):
        load_annotated(tmp_path)


def test_brat_needs_its_text(tmp_path: Path) -> None:
    write(tmp_path, "a.ann", "")
    with pytest.raises(CorpusError, match=r"a\.txt: there is no such file"):
        load_annotated(tmp_path)


def test_brat_with_broken_metadata(tmp_path: Path) -> None:
    write(tmp_path, "a.txt", TEXT)
    write(tmp_path, "a.ann", f"T1\tPERSON {at('Luo Wenqing')[0]} {at('Luo Wenqing')[1]}\tLuo Wenqing\n")
    for content, message in (("[1]", "not a JSON object"), ('{"entities": [{"name": "Luo"}]}', "not as this format")):
        write(tmp_path, "a.json", content)
        with pytest.raises(CorpusError, match=rf"a\.json: {message}"):
            load_annotated(tmp_path, "brat")


def test_a_damaged_docbin(tmp_path: Path) -> None:
    (tmp_path / "a.spacy").write_bytes(b"no DocBin")
    with pytest.raises(CorpusError, match=r"a\.spacy: not a DocBin"):
        load_annotated(tmp_path / "a.spacy")


@pytest.mark.parametrize("changes", [{"stance": "for"}, {"by": ("p9",)}])
def test_what_a_docbin_cannot_hold(changes: dict[str, Any], tmp_path: Path) -> None:
    statement = replace(GoldStatement(3, 4, ("p1",), "1", ("data",), "both"), **changes)
    people, mentions = (Entity("p1", "person", "Li"),), (GoldMention(0, 2, "PERSON", ("p1",)),)
    annotated = AnnotatedArticle(Article("a", "Li b"), None, people, mentions, (statement,))
    with pytest.raises(CorpusError, match="a: the statement at 3 has the stance"):
        format_module("docbin").write([annotated], tmp_path / "a.spacy")


@pytest.mark.parametrize("name", ["xml", "brat"])
def test_two_articles_never_share_a_file(name: str, tmp_path: Path) -> None:
    head = {"lang": "en", "outlet": "daily", "published": "2024-03-06", "session_year": 2024}
    articles = [AnnotatedArticle(Article(key, "x", **head), "report", (), (), ()) for key in ("a b", "A/B")]  # type: ignore[arg-type]
    with pytest.raises(CorpusError, match="A/B: another article has the file name 'A_B'"):
        format_module(name).write(articles, tmp_path / "out")


def test_a_file_that_is_not_utf8(tmp_path: Path) -> None:
    (tmp_path / "a.iob").write_bytes("Li\tB-PERSON\né\tO\n".encode("latin-1"))
    with pytest.raises(CorpusError, match=r"a\.iob: not UTF-8, at byte 12"):
        load_annotated(tmp_path)


def test_a_folder_of_several_formats(tmp_path: Path) -> None:
    write(tmp_path, "a.xml", "<article/>")
    write(tmp_path, "a.iob", "a\tO\n")
    with pytest.raises(CorpusError, match=r"several formats \(iob, xml\)"):
        load_annotated(tmp_path)


def test_relations_that_make_no_sense() -> None:
    spans = (GraphSpan("1", 0, 1, "PROPOSAL"), GraphSpan("2", 2, 3, "SAYING"))
    with pytest.raises(CorpusError, match="'by' joins PROPOSAL and SAYING"):
        from_graph(Graph("a b", spans, (Relation("1", "2", "by"),), {}), "file")
    with pytest.raises(CorpusError, match="file: 'of' joins PROPOSAL at 0 and SAYING at 2"):
        from_graph(Graph("a b", spans, (Relation("1", "2", "of"),), {}), "file")


def test_an_entity_without_a_name_cannot_be_exported() -> None:
    annotated = AnnotatedArticle(Article("a", "x"), None, (Entity("p1", "person", "Li"),), (), ())
    with pytest.raises(CorpusError, match=r"a: 'Li' \(p1\) has no mention by name"):
        to_graph(annotated)


@pytest.mark.parametrize(
    ("text", "mentions", "message"),
    [
        ("a  b", (), "doesn't keep the white space at 2"),
        ("a\x01b", (), "XML can't hold it"),
        ("a b c", (GoldMention(0, 3, "ORG"), GoldMention(2, 5, "ORG")), "overlap"),
        (
            "Li Pony",
            (GoldMention(0, 2, "PERSON", ("p1",)), GoldMention(3, 7, "PERSON", ("p1",))),
            "a: XML would give the PERSON 'Pony' at 3 back as REF",
        ),
    ],
)
def test_what_xml_cannot_hold(text: str, mentions: tuple[GoldMention, ...], message: str) -> None:
    people = (Entity("p1", "person", "Li"),) if any(m.of for m in mentions) else ()
    annotated = AnnotatedArticle(Article("a", text), None, people, mentions, ())
    with pytest.raises(CorpusError, match=message):
        to_xml(annotated)


def test_xml_keeps_the_title_and_the_address(tmp_path: Path) -> None:
    head = {"lang": "en", "title": "A “B” & C", "outlet": "d", "url": "https://u.example/?a=1&b=2"}
    article = Article("a", "x", published="2024-03-06", session_year=2024, **head)
    annotated = AnnotatedArticle(article, "report", (), (), ())
    assert round_trip([annotated], "xml", tmp_path) == [annotated]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"name_zh": "李"}, "XML would give Entity.*name_zh='李'.* back as Entity.*name_zh=None"),
        ({"name": "Li An"}, "name='Li An'.* back as .*name='Li'"),
        ({"body": "NPC"}, "body='NPC'"),
    ],
)
def test_xml_is_not_written_where_an_entity_would_change(change: dict[str, str], message: str) -> None:
    entity = replace(Entity("p1", "person", "Li"), **change)  # type: ignore[arg-type]
    annotated = AnnotatedArticle(
        Article("a", "Li left"), None, (entity,), (GoldMention(0, 2, "PERSON", (entity.id,)),), ()
    )
    with pytest.raises(CorpusError, match=message):
        to_xml(annotated)


# Unknown labels and --map


def test_unknown_labels_are_named_and_mapped(tmp_path: Path) -> None:
    write(tmp_path, "a.iob", "Greens\tB-politicalparty\nParty\tI-politicalparty\nRome\tB-location\nLi\tB-politician\n")
    with pytest.raises(
        CorpusError, match=r"unknown label 'location' \(1\), 'politicalparty' \(1\), 'politician' \(1\)"
    ):
        load_annotated(tmp_path)
    labels = {"politicalparty": "ORG", "location": "", "politician": "PERSON"}
    (annotated,) = load_annotated(tmp_path, labels=labels)
    assert [row[:2] for row in found(annotated)] == [("Greens Party", "ORG"), ("Li", "PERSON")]


def test_unknown_relations_are_named_and_mapped(tmp_path: Path) -> None:
    entities = [
        {"id": 1, "label": "PERSON", "start_offset": 0, "end_offset": 3},
        {"id": 2, "label": "LOC", "start_offset": 4, "end_offset": 11},
        {"id": 3, "label": "ROLE", "start_offset": 16, "end_offset": 19},
    ]
    relations = [
        {"id": 1, "from_id": 3, "to_id": 1, "type": "works-as"},
        {"id": 2, "from_id": 2, "to_id": 1, "type": "in"},
    ]
    path = write(tmp_path, "a.jsonl", json.dumps({"text": TEXT, "entities": entities, "relations": relations}))
    with pytest.raises(CorpusError, match=r"unknown relation 'in' \(1\), 'works-as' \(1\); known: of, by, same"):
        load_annotated(path, labels={"LOC": ""})
    (annotated,) = load_annotated(path, labels={"LOC": "", "works-as": "of", "in": ""})
    assert [m.of for m in annotated.mentions] == [("p1",), ("p1",)]


# The commands


def test_import_and_export(tmp_path: Path) -> None:
    runner = CliRunner()
    doccano(tmp_path)
    source, compiled = tmp_path / "all.jsonl", tmp_path / "compiled.jsonl"
    result = runner.invoke(app, ["corpus", "import", str(source), "--out", str(compiled)])
    assert result.exit_code == 0, result.output
    assert [found(annotated) for annotated in load_annotated(compiled)] == [EXPECTED]
    for name in Format:
        out = tmp_path / f"out-{name.value}{SUFFIXES.get(name.value, '.iob' if name.value == 'iob' else '')}"
        result = runner.invoke(app, ["corpus", "export", str(compiled), "--to", name.value, "--out", str(out)])
        assert result.exit_code == 0, result.output
        if name is not Format.XML:  # It lacks what the file didn't say: the year, a topic.
            assert len(load_annotated(out)) == 1
    config = tmp_path / "config.xml"
    arguments = ["corpus", "export", str(compiled), "--to", "label-studio", "--out", str(tmp_path / "x.json")]
    assert runner.invoke(app, [*arguments, "--config", str(config)]).exit_code == 0
    assert config.exists()


@pytest.mark.parametrize("name", ["a.JSONL", "res.ndjson"])
def test_import_to_lines_of_json_by_any_of_their_names(name: str, tmp_path: Path) -> None:
    doccano(tmp_path)
    out = tmp_path / name
    result = CliRunner().invoke(app, ["corpus", "import", str(tmp_path / "all.jsonl"), "--out", str(out)])
    assert result.exit_code == 0, result.output
    assert out.is_file()


def test_import_to_xml_and_back(tmp_path: Path) -> None:
    brat(tmp_path)
    result = CliRunner().invoke(app, ["corpus", "import", str(tmp_path / "a.ann"), "--out", str(tmp_path / "xml")])
    assert result.exit_code == 0, result.output
    xml = (tmp_path / "xml" / "a.xml").read_text(encoding="utf-8")
    assert '<org id="o1" of="p1">Qianhe</org>' in xml
    assert '<prop by="p1" n="1" topics="health data" stance="regulate">a ban</prop>' in xml


def test_the_commands_report_bad_input(tmp_path: Path) -> None:
    runner = CliRunner()
    write(tmp_path, "a.iob", "Li\tB-politician\n")
    arguments = ["corpus", "import", str(tmp_path / "a.iob"), "--out", str(tmp_path / "a.jsonl")]
    result = runner.invoke(app, arguments)
    assert result.exit_code == 1
    assert "map one with --map OLD=NEW" in result.output
    assert runner.invoke(app, [*arguments, "--map", "politician=PERSON"]).exit_code == 0
    assert runner.invoke(app, [*arguments, "--map", "politician"]).exit_code == 2
    assert runner.invoke(app, [*arguments, "--format", "tei"]).exit_code == 2
    assert runner.invoke(app, ["corpus", "import", str(tmp_path / "none"), "--out", "x"]).exit_code == 2


def test_a_place_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    doccano(tmp_path)
    source, taken = str(tmp_path / "all.jsonl"), write(tmp_path, "taken", "a file")
    for arguments in (
        ["import", source, "--out", str(taken / "a.jsonl")],
        ["export", source, "--to", "brat", "--out", str(taken / "b")],
        ["compile", source, "--out", str(taken / "c")],
    ):
        result = CliRunner().invoke(app, ["corpus", *arguments])
        assert (result.exit_code, "taken" in result.output) == (1, True), result.output


@pytest.mark.parametrize("name", list(FORMATS))
def test_a_write_that_fails_leaves_what_was_there(name: str, tmp_path: Path) -> None:
    head = {"lang": "en", "outlet": "\ud800", "published": "2024-03-06", "session_year": 2024}
    # IOB holds no metadata, so there the text is what can't be written.
    broken = Article("b", "b \ud800") if name == "iob" else Article("b", "b", **head)  # type: ignore[arg-type]
    articles = [AnnotatedArticle(article, "report", (), (), ()) for article in (Article("a", "a"), broken)]
    out = tmp_path / f"out{SUFFIXES.get(name, '')}"
    if name in ("xml", "brat"):
        out.mkdir()
    kept = write(out, f"b.{name}", "old") if out.is_dir() else write(tmp_path, out.name, "old")
    with pytest.raises(CorpusError, match="no file can hold the last character of"):
        format_module(name).write(articles, out)
    assert kept.read_text(encoding="utf-8") == "old"
    assert len(list(tmp_path.iterdir())) == 1


def test_the_command_says_that_a_text_can_not_be_written(tmp_path: Path) -> None:
    source = write(tmp_path, "a.jsonl", '{"text": "a \\ud800", "entities": []}')
    old = write(tmp_path, "old.jsonl", "old")
    result = CliRunner().invoke(app, ["corpus", "import", str(source), "--out", str(old)])
    assert (result.exit_code, old.read_text(encoding="utf-8")) == (1, "old"), result.output
    assert "old.jsonl: row 1: no file can hold the last character of" in result.output


def test_a_device_is_written_to_and_not_replaced(tmp_path: Path) -> None:
    import os

    pipe = tmp_path / "pipe.jsonl"
    os.mkfifo(pipe)
    reader = os.open(pipe, os.O_RDONLY | os.O_NONBLOCK)
    format_module("jsonl").write([AnnotatedArticle(Article("a", "x"), None, (), (), ())], pipe)
    assert json.loads(os.read(reader, 10000))["id"] == "a"
    os.close(reader)


def test_a_year_is_a_number_and_an_id_a_string(tmp_path: Path) -> None:
    for name, value, message in (("session_year", "2021", "'2021' is no whole number"), ("id", 7, "7 is no string")):
        write(tmp_path, "a.jsonl", json.dumps({**SOUND["jsonl"], name: value}))
        with pytest.raises(CorpusError, match=rf"a\.jsonl:1: {name} {message}"):
            load_annotated(tmp_path / "a.jsonl")
    write(tmp_path, "b.jsonl", json.dumps({**SOUND["doccano"], "session_year": [2021]}))
    with pytest.raises(CorpusError, match=r"b\.jsonl:1: .*session_year \[2021\] is no whole number"):
        load_annotated(tmp_path / "b.jsonl")


def test_statement_of_nobody_and_a_record_of_two(tmp_path: Path) -> None:
    people = (Entity("p1", "person", "Li An"), Entity("p2", "person", "Wu Na"))
    mentions = (GoldMention(0, 5, "PERSON", ("p1",)), GoldMention(6, 11, "PERSON", ("p2",)))
    statements = (GoldStatement(12, 13, ("p2", "p1"), "x", ("data",), "neither"), GoldStatement(14, 15, ()))
    annotated = AnnotatedArticle(
        Article("a/b?c", "Li An Wu Na a b", title="T", url="u"), "list", people, mentions, statements
    )
    for name in ("jsonl", "prodigy", "doccano", "label-studio", "brat", "docbin"):
        (tmp_path / name).mkdir()
        assert round_trip([annotated], name, tmp_path / name) == [annotated]


def test_what_doccano_keeps_inside_meta(tmp_path: Path) -> None:
    annotated = doccano(tmp_path)
    format_module("doccano").write([annotated], tmp_path / "new.jsonl")
    row = json.loads((tmp_path / "new.jsonl").read_text(encoding="utf-8"))
    row["meta"] = {"two_sessions": row.pop("two_sessions")}
    write(tmp_path, "old.jsonl", json.dumps(row))
    assert load_annotated(tmp_path / "old.jsonl") == [annotated]


def test_an_annotator_adds_to_an_export(tmp_path: Path) -> None:
    annotated = brat(tmp_path)
    format_module("brat").write([annotated], tmp_path / "out")
    file = tmp_path / "out" / "a.ann"
    start, end = at("Qianhe", 1)
    added = f"T90\tORG {start} {end}\tQianhe\nR90\tsame Arg1:T90 Arg2:T4\n"
    added += f"T91\tPERSON {at('farm')[0]} {at('farm')[1]}\tfarm\n"
    changed = file.read_text(encoding="utf-8").replace("is T2 NPC", "is T2 CPPCC")
    file.write_text(changed + added, encoding="utf-8")
    (again,) = load_annotated(tmp_path / "out")
    assert [m.of for m in again.mentions][-2:] == [("p2",), ("o1",)]
    assert again.statements == annotated.statements
    # The membership follows the mention, not the metadata beside it.
    assert again.entity("p1").body == "CPPCC"
