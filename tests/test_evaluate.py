"""The evaluation on tiny articles: what is loaded, what each stage gets, what comes out."""

from __future__ import annotations

import json
import os
import sys
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from spacy.language import Language
from spacy.tokens import Doc
from typer.testing import CliRunner

from pipeline.build import load_pipeline
from pipeline.cli import app
from pipeline.corpus import load_annotated
from pipeline.document import mentions_of, set_mentions, set_statements, statements_of
from pipeline.evaluate import PARTS, PIPELINE, compare_reports, evaluate, evaluate_together
from pipeline.evaluation import run as evaluation_run
from pipeline.evaluation.baselines import BaselineError, Majority, NearestName, Tfidf, TrainingText, baseline
from pipeline.evaluation.gold import (
    ASPECTS,
    CROSS,
    DIRECT,
    INDIRECT,
    LIST,
    PRONOUN,
    SEVERAL,
    Attribution,
    GoldArticle,
    GoldError,
    GoldSet,
    load_gold,
    traits,
)
from pipeline.evaluation.intervals import Measure, Tally
from pipeline.evaluation.reliability import THRESHOLDS
from pipeline.evaluation.rows import rows
from pipeline.evaluation.run import Request, run_evaluation
from pipeline.evaluation.scores import Tag
from pipeline.evaluation.system import ATTRIBUTE, CLASSIFY, LINK, RECOGNISE, System
from pipeline.evaluation.tables import error_lines
from pipeline.formats import format_module
from pipeline.schema import Article, Mention

REPORT = """<article id="one" lang="en" outlet="daily" published="2023-03-08" session_year="2023" shape="report">
<p><per id="p1">Luo Wenqing</per>, <body of="p1" is="NPC">an NPC deputy</body> and <role of="p1">president</role> of
<org of="p1">Qianhe Machinery</org>, proposed that <prop by="p1" n="1" topics="data" stance="regulate">farm data should
be protected by a law on machines</prop>.</p>
<p>"<prop by="p1" n="1" topics="data" stance="regulate">Makers that keep records without asking must be fined,</prop>"
<ref to="p1">she</ref> said.</p>
<p><per id="p2">Hu Jianbang</per>, <role of="p2">analyst</role> at <org of="p2">Jianghan University</org>, said
<say by="p2">the law we have is enough for everybody</say>.</p>
</article>"""
EMPTY = """<article id="two" lang="en" outlet="daily" published="2023-03-08" session_year="2023" shape="brief">
<p>The <org>National People's Congress</org> opens on Tuesday.</p>
</article>"""


@pytest.fixture(scope="module")
def nlp() -> Language:
    return load_pipeline("en-rules")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    data = tmp_path / "set"
    data.mkdir()
    (data / "one.xml").write_text(REPORT, encoding="utf-8")
    (data / "two.xml").write_text(EMPTY, encoding="utf-8")
    return data


@pytest.fixture
def gold(folder: Path) -> GoldSet:
    return load_gold(folder)


def fill(doc: Doc) -> None:
    raise AssertionError("not to be called")


# Loading


def test_annotated_articles_become_claims(gold: GoldSet) -> None:
    one, two = gold.articles
    assert one.claims is not None
    (claim,) = one.claims
    assert (claim.proponent.name, claim.body, claim.stance) == ("Luo Wenqing", "NPC", "regulate")
    assert (claim.roles, claim.organizations) == (("president",), ("Qianhe Machinery",))
    assert len(claim.spans) == 2
    assert claim.traits == (DIRECT, CROSS)
    assert [(h.label, h.holder.name) for h in one.holdings] == [
        ("BODY", "Luo Wenqing"),
        ("ROLE", "Luo Wenqing"),
        ("ORG", "Luo Wenqing"),
        ("ROLE", "Hu Jianbang"),
        ("ORG", "Hu Jianbang"),
    ]
    assert [s.label for s in one.statements or ()] == ["PROPOSAL", "PROPOSAL", "SAYING"]
    assert (two.claims, two.statements) == ((), ())


def test_a_joint_proposal_is_a_claim_of_each(folder: Path) -> None:
    member = 'analyst</role>, <body of="p2" is="CPPCC">a CPPCC member</body> and <role of="p2">expert<'
    text = REPORT.replace('by="p1" n="1"', 'by="p1 p2" n="1"').replace("analyst<", member)
    (folder / "one.xml").write_text(text, encoding="utf-8")
    claims = load_gold(folder).articles[0].claims or ()
    assert [claim.proponent.name for claim in claims] == ["Luo Wenqing", "Hu Jianbang"]
    assert claims[0].spans == claims[1].spans
    assert all(SEVERAL in claim.traits for claim in claims)


def test_traits_follow_from_the_text() -> None:
    text = "NPC deputy, Luo Wen: Ban it now.\nLuo Wen spoke.\n“Ban it,” she said. He wants a ban."
    at = text.index("Ban it now")
    assert traits(text, [(at, at + 10)], [(12, 19, True)], False, False) == (LIST,)
    quote, she = text.index("Ban it,"), text.index("she")
    assert traits(text, [(quote, quote + 7)], [(she, she + 3, False)], False, True) == (DIRECT, PRONOUN, SEVERAL)
    plain = text.index("a ban")
    assert traits(text, [(plain, plain + 5)], [], False, False) == (INDIRECT, CROSS)


def test_coverage_gold_is_loaded_and_its_offsets_are_checked(tmp_path: Path) -> None:
    (tmp_path / "gold").mkdir()
    (tmp_path / "a.txt").write_text("Ma Huateng urged a ban.\r\nBye.", encoding="utf-8", newline="")
    (tmp_path / "b.txt").write_text("no gold", encoding="utf-8")
    record = {
        "proponent": "Ma Huateng", "kind": "person", "body": "NPC", "roles": ["CEO"], "organizations": [],
        "spans": [{"start": 17, "end": 22, "text": "a ban"}], "topics": ["data"], "stance": "regulate",
        "stance_also": ["both"],
    }  # fmt: skip
    target = tmp_path / "gold" / "a.json"
    target.write_text(json.dumps({"id": "a", "lang": "en", "records": [record]}), encoding="utf-8")
    found = load_gold(tmp_path)
    assert found.format == "coverage"
    assert found.left_out == ("b.txt: no gold/b.json", "mentions, statements and links: the gold has records alone")
    (claim,) = found.articles[0].claims or ()
    assert (claim.loose, claim.stance_also, claim.spans) == (True, ("both",), ((17, 22),))
    record["spans"] = [{"start": 16, "end": 21, "text": "a ban"}]
    target.write_text(json.dumps({"id": "a", "records": [record]}), encoding="utf-8")
    with pytest.raises(GoldError, match=r"a\.json: the text at 16"):
        load_gold(tmp_path)


def test_a_surname_is_no_part_of_another_word(tmp_path: Path) -> None:
    (tmp_path / "gold").mkdir()
    text = "MA HUATENG (马化腾) came.\nIn March, ma said nothing of a ban."
    (tmp_path / "a.txt").write_text(text, encoding="utf-8")
    spans = [{"start": text.index("a ban"), "end": text.index("a ban") + 5}]
    record = {"proponent": "Ma Huateng", "aliases": ["马化"], "spans": spans, "topics": [], "stance": "regulate"}
    (tmp_path / "gold" / "a.json").write_text(json.dumps({"records": [record]}), encoding="utf-8")
    (claim,) = load_gold(tmp_path).articles[0].claims or ()
    # He is named in the line above only.
    assert claim.traits == (INDIRECT, CROSS)
    (tmp_path / "a.txt").write_text(text.replace("ma said", "Ma said"), encoding="utf-8")
    (claim,) = load_gold(tmp_path).articles[0].claims or ()
    assert claim.traits == (INDIRECT, PRONOUN)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"{", r"a\.json: not JSON"),
        (b'"caf\xe9"', r"a\.json: not UTF-8, at byte 4"),
        (b"[]", r"a\.json: not an object with records"),
        (b'{"id": "a"}', r"a\.json: no 'records' in it"),
        (b'{"records": [{"proponent": "Ma"}]}', r"a\.json: no 'spans' in it, or in one of its records"),
        (b'{"records": [{"proponent": "Ma", "spans": [{"start": 0, "end": 9}]}]}', r"a\.json: a span at 0 to 9 lies"),
        (b'{"records": [{"proponent": "Ma", "spans": []}]}', r"a\.json: a record of Ma has no span"),
    ],
)
def test_a_broken_coverage_gold_is_named(content: bytes, message: str, tmp_path: Path) -> None:
    (tmp_path / "gold").mkdir()
    (tmp_path / "a.txt").write_text("Ma spoke", encoding="utf-8")
    (tmp_path / "gold" / "a.json").write_bytes(content)
    with pytest.raises(GoldError, match=message):
        load_gold(tmp_path)


def test_polnear_attributions_become_statements(tmp_path: Path) -> None:
    for name in ("text", "attributions"):
        (tmp_path / name).mkdir()
    text = "Ann said it rains. “Yes,” she added, “it does.”"
    (tmp_path / "text" / "a.txt").write_text(text, encoding="utf-8")
    (tmp_path / "text" / "b.txt").write_text("No notes.", encoding="utf-8")
    lines = [
        "T1\tSource 0 3\tAnn",
        "T2\tCue 4 8\tsaid",
        "T3\tContent 9 17\tit rains",
        "E1\tCue:T2 Source:T1 Content:T3",
    ]
    lines += [
        "T4\tContent 19 25;37 47\t“Yes,” “it does.”",
        "E2\tContent:T4",
        "T9\tContent 12 17\train",
        "E3\tContent:T9",
    ]
    (tmp_path / "attributions" / "a_1f.ann").write_text("\n".join(lines), encoding="utf-8")
    found = load_gold(tmp_path)
    (article,) = found.articles
    assert [(s.start, s.end) for s in article.statements or ()] == [(9, 17), (19, 25), (37, 47)]
    assert [a.sources for a in article.attributions or ()] == [((0, 3),), (), ()]
    assert article.claims is None
    assert found.left_out[:2] == ("1 contents inside of another content", "1 texts without annotations")


def test_each_polnear_text_has_its_own_first_annotation(tmp_path: Path) -> None:
    for name in ("text", "attributions"):
        (tmp_path / name).mkdir()
    for stem in ("a", "a_b"):
        (tmp_path / "text" / f"{stem}.txt").write_text("It rains.", encoding="utf-8")
    for stem, end in (("a_b_1f", 2), ("a_2f", 8), ("a_1f", 4), ("other_1f", 2)):
        note = f"T1\tContent 0 {end}\tIt\nE1\tContent:T1"
        (tmp_path / "attributions" / f"{stem}.ann").write_text(note, encoding="utf-8")
    found = load_gold(tmp_path)
    assert [[(s.start, s.end) for s in item.statements or ()] for item in found.articles] == [[(0, 4)], [(0, 2)]]
    assert found.left_out[:2] == ("1 annotations without a text", "1 further annotations of a text")
    (tmp_path / "attributions" / "a_1f.ann").write_text("T1\tContent 0 10\tIt rains.", encoding="utf-8")
    with pytest.raises(GoldError, match=r"a_1f\.ann: line 1 points outside of the text \(0 to 9\)"):
        load_gold(tmp_path)


def test_bio_labels_map_as_far_as_they_go(tmp_path: Path) -> None:
    file = tmp_path / "dev.txt"
    lines = "Tony\tB-politician\nBlair\tI-politician\nin\tO\nUK\tB-country\n\nLabour\tB-politicalparty\n"
    file.write_text("-DOCSTART-\tO\n\n" + lines)
    found = load_gold(file)
    assert found == load_gold(file, "bio")
    first, second = found.articles
    assert first.article.text == "Tony Blair in UK"
    assert [(m.start, m.end, m.label) for m in first.mentions or ()] == [(0, 10, "PERSON")]
    assert [m.label for m in second.mentions or ()] == ["ORG"]
    assert found.labels == ("PERSON", "ORG")
    assert found.left_out[0] == "1 mentions of 'country'"


def test_words_of_a_bio_file_are_parted_by_tabs_and_chinese_is_joined(tmp_path: Path) -> None:
    file = tmp_path / "dev.txt"
    file.write_text("\u2028\tO\r\nLi\tB-person\r\n\r\nAn  B-person \n", encoding="utf-8", newline="")
    first, second = load_gold(file).articles
    assert (first.article.text, second.article.text) == ("\u2028 Li", "An")
    assert [(m.start, m.end) for m in first.mentions or ()] == [(2, 4)]
    file.write_text("马\tB-person\n化腾\tI-person\n，\tO\n他\tO\nTom\tO\n", encoding="utf-8")
    (item,) = load_gold(file).articles
    assert (item.article.text, item.article.lang) == ("马化腾，他 Tom", None)
    assert [(m.start, m.end) for m in item.mentions or ()] == [(0, 3)]
    file.write_text("\tO\n", encoding="utf-8")
    with pytest.raises(GoldError, match="line 1 has no word"):
        load_gold(file, "bio")


def test_the_model_is_that_of_the_language_of_the_text(tmp_path: Path, nlp: Language) -> None:
    file = tmp_path / "dev.txt"
    file.write_text("马\tB-person\n化\tI-person\n腾\tI-person\n说\tO\n", encoding="utf-8")
    with pytest.raises(BaselineError, match="no model for the language of these articles"):
        run_evaluation(Request(file, baselines=("none",)), load=lambda _: nlp)
    # A sentence of names may look like any language; the file is English.
    sentences = ["Tony\tB-person\nBlair\tI-person\n", "The\tO\nminister\tO\nsaid\tO\nthat\tO\nit\tO\nrains\tO\n" * 3]
    file.write_text("\n".join(sentences), encoding="utf-8")
    found = run_evaluation(Request(file, baselines=("none",)), load=lambda _: nlp).report
    assert (len(found.outcomes), found.system) == (2, "en")


def test_a_tagged_file_of_our_own_keeps_its_articles(folder: Path, tmp_path: Path) -> None:
    file = tmp_path / "own.iob"
    result = CliRunner().invoke(app, ["corpus", "export", str(folder), "--to", "iob", "--out", str(file)])
    assert result.exit_code == 0, result.output
    found = load_gold(file)
    assert [item.article.text for item in found.articles] == [item.article.text for item in load_gold(folder).articles]
    assert found.left_out == ("statements: none is annotated", "records: none is annotated")


def test_one_annotated_article_is_a_set_and_a_folder_of_sets_is_none(folder: Path, tmp_path: Path) -> None:
    assert [item.article.id for item in load_gold(folder / "two.xml").articles] == ["two"]
    folder.rename(tmp_path / "test")
    with pytest.raises(GoldError, match=r"holds several sets; name one: .*test"):
        load_gold(tmp_path)


def test_a_compiled_corpus_is_several_sets(folder: Path, tmp_path: Path) -> None:
    out = tmp_path / "corpus"
    for split in ("train", "test"):
        format_module("jsonl").write(load_annotated(folder), out / f"{split}.jsonl")
    with pytest.raises(GoldError, match=r"corpus: holds several sets; name one: .*train\.jsonl, .*test\.jsonl"):
        load_gold(out)
    assert len(load_gold(out / "test.jsonl").articles) == 2


def test_a_statement_of_nobody_known_is_named(folder: Path, tmp_path: Path) -> None:
    one, two = load_annotated(folder)
    broken = replace(one, statements=(replace(one.statements[0], by=("p9",)),))
    format_module("jsonl").write([broken, two], tmp_path / "a.jsonl")
    with pytest.raises(GoldError, match=r"a\.jsonl: one: the statement at \d+ is by 'p9', which is no entity"):
        load_gold(tmp_path / "a.jsonl")


def test_what_an_imported_set_does_not_annotate_is_not_scored(tmp_path: Path, nlp: Language) -> None:
    text = "Luo Wenqing, an NPC deputy, proposed that farm data should be protected by a law."
    start = text.index("farm data")
    labels = [(0, 11, "PERSON"), (start, len(text) - 1, "PROPOSAL")]
    entities = [{"id": i, "start_offset": a, "end_offset": b, "label": name} for i, (a, b, name) in enumerate(labels)]
    row = {"text": text, "lang": "en", "entities": entities, "relations": [{"from_id": 1, "to_id": 0, "type": "by"}]}
    file = tmp_path / "set.jsonl"
    # Nobody proposes in the second one; what is found there is wrong all the same.
    file.write_text("\n".join(map(json.dumps, [row, {**row, "entities": entities[:1], "relations": []}])))
    gold = load_gold(file)
    assert gold.unknown == set(ASPECTS)
    report = evaluate(System("rules", nlp), gold, resamples=10)
    assert report.counts.total("attribution.overlap").gold == 1
    assert "proposer.gold" in report.counts.keys
    starts = ("record.", "topic.", "stance.", "body.", "link.", "holder.")
    assert [key for key in report.counts.keys if key.startswith(starts)] == []
    assert report.left_out[:3] == ("topics: none is annotated", "stance: none is annotated", "body: none is annotated")
    assert report.confusions == {"stance": {}, "topics": {}}
    assert (report.calibration["topics"].count, report.calibration["stance"].count) == (0, 0)
    # With a stance that is scored, and the rest still is not.
    entities[1]["label"] = "PROPOSAL/regulate"
    file.write_text(json.dumps(row))
    report = evaluate(System("rules", nlp), load_gold(file), resamples=10)
    assert report.counts.total("stance.gold").gold == 1
    assert [key for key in report.counts.keys if key.startswith(("record.", "topic."))] == []


def test_records_without_a_label_that_others_have_are_not_asked_for_it(tmp_path: Path, nlp: Language) -> None:
    text = "Luo Wenqing, an NPC deputy, proposed that farm data should be protected by a law."
    start = text.index("farm data")
    rows = []
    for label, details in (
        ("PROPOSAL/regulate", {"topics": "data"}),
        ("PROPOSAL", {"topics": "data"}),
        ("PROPOSAL/regulate", {}),
    ):
        places = [(0, 11, "PERSON"), (start, len(text) - 1, label)]
        entities = [
            {"id": i, "start_offset": a, "end_offset": b, "label": kind} for i, (a, b, kind) in enumerate(places)
        ]
        relations = [{"from_id": 1, "to_id": 0, "type": "by"}]
        extra = {"details": {f"{start}:{len(text) - 1}:PROPOSAL": details}}
        rows.append({"text": text, "lang": "en", "entities": entities, "relations": relations, "two_sessions": extra})
    file = tmp_path / "set.jsonl"
    file.write_text("\n".join(map(json.dumps, rows)))
    gold = load_gold(file)
    claims = [claim for item in gold.articles for claim in item.claims or ()]
    assert [(claim.topics, claim.stance) for claim in claims] == [
        (("data",), "regulate"),
        (("data",), None),
        ((), "regulate"),
    ]
    assert not {"topics", "stance"} & gold.unknown
    assert gold.left_out[-2:] == (
        "topics of 1 records, and each of these as a whole: not annotated",
        "stance of 1 records, and each of these as a whole: not annotated",
    )

    def answer(doc: Doc) -> Doc:
        label = {
            "topics": [{"label": "data", "score": 0.9}],
            "stance": {"label": "regulate", "promote": 0, "regulate": 1},
        }
        doc._.proposals = [{**proposal, **label} for proposal in doc._.proposals]
        return doc

    def link(doc: Doc) -> Doc:
        doc._.entities = [{"kind": "person", "name": "Luo Wenqing", "body": None, "roles": [], "mentions": [[0, 11]]}]
        doc._.proposals = [{"entity": 0, "spans": [[start, len(text) - 1]], "score": 1.0}]
        return doc

    gold = replace(gold, unknown=frozenset())
    report = evaluate(System("right", nlp, {LINK: link, CLASSIFY: answer}), gold, resamples=10)
    for place in ("gold", "predicted"):
        assert report.counts.total(f"topic.{place}") == report.counts.total(f"stance.{place}") == Tally(2, 2, 2)
        assert [key for key in report.counts.keys if key.startswith(f"stance.{place}/")] == [f"stance.{place}/regulate"]
    assert report.counts.total("record.whole") == report.counts.total("record.core") == Tally(1, 1, 1)
    assert report.confusions == {"stance": {("regulate", "regulate"): 2}, "topics": {("data", "data"): 2}}
    assert (report.calibration["topics"].count, report.calibration["stance"].count) == (2, 4)
    assert [line for outcome in report.outcomes for line in error_lines(outcome)] == []


def test_a_label_of_another_scheme_is_mapped_where_a_set_is_converted(tmp_path: Path) -> None:
    file = tmp_path / "a.iob"
    file.write_text("# newdoc id = a\nUK\tB-country\n", encoding="utf-8")
    with pytest.raises(
        GoldError, match=r"a\.iob.*'country' \(1\).*convert it by `twosessions corpus import` with --map"
    ):
        load_gold(file)


def test_what_can_not_be_read_is_named(tmp_path: Path) -> None:
    with pytest.raises(GoldError, match="does not exist"):
        load_gold(tmp_path / "nothing")
    with pytest.raises(GoldError, match="format is not clear"):
        load_gold(tmp_path)
    with pytest.raises(GoldError, match="'runes'"):
        load_gold(tmp_path, "runes")
    (tmp_path / "bad.txt").write_text("word\n")
    with pytest.raises(GoldError, match="line 1 has no tag"):
        load_gold(tmp_path / "bad.txt", "bio")


# Running


def test_a_stage_gets_gold_and_those_before_it_do_not_run(nlp: Language, gold: GoldSet) -> None:
    system = System("rules", nlp, {RECOGNISE: fill, ATTRIBUTE: fill})  # type: ignore[dict-item]
    (doc,) = system.prepare([gold.articles[0].article])
    text = doc.text
    luo, said = text.index("Luo"), text.index("farm data")
    given = {
        RECOGNISE: lambda d: set_mentions(d, [Mention(luo, luo + 11, text[luo : luo + 11], "PERSON")]),
        ATTRIBUTE: lambda d: set_statements(d, [Mention(said, said + 9, "farm data", "PROPOSAL")]),
    }
    doc = system.run(doc, given, LINK)
    assert [m.text for m in mentions_of(doc)] == ["Luo Wenqing"]
    assert [s.text for s in statements_of(doc)] == ["farm data"]
    assert [entity["name"] for entity in doc._.entities] == ["Luo Wenqing"]


def test_what_stands_before_the_stages_runs_once_and_its_vectors_are_shared(gold: GoldSet) -> None:
    seen = []

    class Vectors:
        def __call__(self, doc: Doc) -> Doc:
            raise AssertionError("batches go through `pipe`")

        def pipe(self, docs: Iterable[Doc]) -> Iterator[Doc]:
            for doc in docs:
                seen.append(doc.text)
                doc.tensor = np.ones((len(doc), 2), dtype=np.float32)
                yield doc

    if not Language.has_factory("test_vectors"):
        Language.factory("test_vectors", func=lambda nlp, name: Vectors())
    nlp = load_pipeline("en-rules")
    nlp.add_pipe("test_vectors", first=True)

    def recognise(doc: Doc) -> Doc:
        assert doc.tensor.shape == (len(doc), 2)
        set_mentions(doc, [])
        return doc

    evaluate(System("with vectors", nlp, {RECOGNISE: recognise}), gold)
    assert seen == [item.article.text for item in gold.articles]


def test_a_linker_may_list_whose_organizations_and_memberships_are(nlp: Language, gold: GoldSet) -> None:
    one = gold.articles[0]

    def link(doc: Doc) -> Doc:
        body, role, org = ([h.start, h.end] for h in one.holdings[:3])
        luo = {"kind": "person", "name": "Luo Wenqing", "body": "NPC", "mentions": [[0, 11]]}
        post = {"start": role[0], "end": role[1], "organization": None}
        doc._.entities = [{**luo, "roles": [post], "organizations": [org], "bodies": [body]}]
        doc._.proposals = []
        return doc

    report = evaluate(System("lists", nlp, {LINK: link}), replace(gold, articles=(one,)), (LINK,))
    assert report.counts.total("link.gold/BODY") == Tally(1, 1, 1)
    assert report.counts.total("link.gold/ORG") == Tally(1, 2, 1)

    def silent(doc: Doc) -> Doc:
        entities = link(doc)._.entities
        doc._.entities = [{key: value for key, value in e.items() if key != "bodies"} for e in entities]
        return doc

    # A linker that says nothing of memberships: they are left out, and that is said.
    report = evaluate(System("silent", nlp, {LINK: silent}), replace(gold, articles=(one,)), (LINK,))
    assert "link.gold/BODY" not in report.counts.keys
    assert report.left_out[-1].startswith("memberships")


def test_a_linker_that_finds_no_membership_has_missed_all(nlp: Language, gold: GoldSet) -> None:
    luo = {"kind": "person", "name": "Luo Wenqing", "body": None, "roles": [], "bodies": [], "mentions": [[0, 11]]}
    party = {"kind": "organization", "name": "Jiusan Society", "body": None, "roles": [], "mentions": [[0, 11]]}
    for entities in ([luo, party], [party], []):

        def link(doc: Doc, entities: list[dict[str, Any]] = entities) -> Doc:
            doc._.entities, doc._.proposals = entities, []
            return doc

        report = evaluate(System("blind", nlp, {LINK: link}), gold)
        for place in ("gold", "predicted"):
            assert report.counts.total(f"link.{place}/BODY") == Tally(0, 1, 0)
        assert report.value("holder.gold/BODY") == 0
        assert report.left_out == ()


def test_a_person_in_three_pieces_has_one_body(nlp: Language, gold: GoldSet) -> None:
    def link(bodies: dict[str, str]) -> System:
        def run(doc: Doc) -> Doc:
            doc._.entities = [
                {"kind": "person", "name": name, "body": body, "roles": [], "mentions": [[0, 11]]}
                for name, body in bodies.items()
            ]
            doc._.proposals = []
            return doc

        return System("pieces", nlp, {LINK: run})

    one = replace(gold, articles=gold.articles[:1])
    for bodies, right in (
        ({"Luo": "NPC", "LUO WENQING": "CPPCC", "Wenqing": "local"}, 0),
        ({"Luo": "CPPCC", "LUO WENQING": "NPC", "Wenqing": "local"}, 1),
        ({"Luo": "NPC"}, 1),
    ):
        report = evaluate(link(bodies), one, (LINK,), resamples=10)
        assert report.counts.total("body.gold") == Tally(right, 1, 1), bodies
    assert "Body of a member, gold mentions" in [row.name for row in rows(report)]


def test_systems_of_one_pipeline_share_what_they_have_in_common(gold: GoldSet, monkeypatch: pytest.MonkeyPatch) -> None:
    calls = Counter[str]()

    class Vectors:
        def pipe(self, docs: Iterable[Doc]) -> Iterator[Doc]:
            for doc in docs:
                calls["encode"] += 1
                yield doc

    nlp = load_pipeline("en-rules")
    if not Language.has_factory("test_shared_vectors"):
        Language.factory("test_shared_vectors", func=lambda nlp, name: Vectors())
    nlp.add_pipe("test_shared_vectors", first=True)
    systems = [
        System("rules", nlp),
        System("nearest", nlp, {LINK: NearestName()}),
        System("majority", nlp, {CLASSIFY: Majority(TEXTS)}),
    ]
    alone = [evaluate(system, gold, resamples=20).to_dict() for system in systems]
    components = System.components

    def counted(system: System) -> list[tuple[str | None, Any]]:
        def count(stage: str, component: Any) -> Any:
            def run(doc: Doc) -> Doc:
                calls[stage + (" replaced" if stage in system.replaced else "")] += 1
                return component(doc)

            return run

        return [(stage, count(stage, found) if stage else found) for stage, found in components(system)]

    monkeypatch.setattr(System, "components", counted)
    calls.clear()
    together = evaluate_together(systems, gold, resamples=20)
    assert [report.to_dict() for report in together] == alone
    # Two articles: each stage runs once in the whole pipeline and once alone on gold (two articles for statements and
    # links, one with records for classes). Classes are given three times more in whole pipelines: behind the nearest
    # name, and by the majority.
    assert calls == {
        "encode": 2,
        "recognise": 2,
        "attribute": 2 + 2,
        "link": 2 + 2,
        "link replaced": 2 + 2,
        "classify": 2 + 2 + 1,
        "classify replaced": 2 + 1,
    }
    with pytest.raises(ValueError, match="of one pipeline"):
        evaluate_together([systems[0], System("other", load_pipeline("en-rules"))], gold)


def test_links_and_bodies_are_counted_by_hand(nlp: Language, gold: GoldSet) -> None:
    one = gold.articles[0]
    first, second = (holding for holding in one.proposers)

    def link(doc: Doc) -> Doc:
        doc._.entities = [
            {"kind": "person", "name": "Luo Wenqing", "body": "CPPCC", "roles": [], "mentions": [[0, 11]]},
            {"kind": "person", "name": "Hu Jianbang", "body": "NPC", "roles": [], "mentions": [[0, 11]]},
        ]
        doc._.proposals = [
            {"entity": 0, "spans": [[second.start, second.end]], "score": 1.0},
            {"entity": 1, "spans": [[first.start, first.end], [0, 11]], "score": 1.0},
        ]
        return doc

    report = evaluate(System("by hand", nlp, {LINK: link}), replace(gold, articles=(one,)), (PIPELINE, LINK))
    # Of two gold spans one is given to its proponent; three are given to somebody.
    assert report.counts.total("proposer.gold") == Tally(1, 2, 3)
    assert report.counts.total("proposer.accuracy") == Tally(1, 2, 2)
    # One person has a membership, in the other body; nor is it right in the record, of which half is found.
    assert report.counts.total("body.gold") == Tally(0, 1, 1)
    assert report.counts.total("attribution.overlap").right == 1
    assert report.counts.total("body.predicted") == Tally(0, 1, 1)


def test_sources_of_statements_are_counted_by_hand(nlp: Language) -> None:
    text = "Ann said it rains. Bob said it snows. He said it thaws. It is dry."
    rains, snows, thaws, dry = (
        (text.index(w), text.index(w) + len(w)) for w in ("it rains", "it snows", "it thaws", "dry")
    )
    bob, he = (text.index("Bob"), text.index("Bob") + 3), (text.index("He"), text.index("He") + 2)
    attributions = (
        Attribution(rains, ((0, 3),)),
        Attribution(snows, (bob,)),
        Attribution(thaws, (he,)),
        Attribution(dry, ()),
    )
    statements = tuple(Tag(*item.content, "SAYING") for item in attributions)
    item = GoldArticle(Article("a", text, lang="en"), statements=statements, attributions=attributions)

    def link(doc: Doc) -> Doc:
        doc._.entities = [
            {"kind": "person", "name": "Ann", "body": None, "roles": [], "mentions": [[0, 3]]},
            {"kind": "person", "name": "Bob", "body": None, "roles": [], "mentions": [list(bob), list(he)]},
        ]
        # Ann's words are hers; Bob's are given to Ann; the words behind "He" to Bob, who is meant; "dry" is nobody's.
        spans = [(0, rains), (0, snows), (1, thaws), (1, dry)]
        doc._.proposals = [{"entity": entity, "spans": [list(span)], "score": 1.0} for entity, span in spans]
        return doc

    report = evaluate(System("by hand", nlp, {LINK: link}), GoldSet("s", "polnear", (item,), ()), (PIPELINE,))
    assert report.counts.total("source") == Tally(2, 3, 4)

    class Mute:
        def __call__(self, doc: Doc) -> Doc:
            doc._.entities, doc._.proposals = [], []
            return doc

    # Who names no source is not asked where delegates' are all that it can name; one that can name any missed them.
    gold = GoldSet("s", "polnear", (item,), ())
    mute = Mute()
    report = evaluate(System("mute", nlp, {LINK: mute}), gold, (PIPELINE,))
    assert "source" not in report.counts.keys
    assert report.left_out[-1].startswith("sources: this linker names only those of delegates' proposals")
    mute.settings = {"open": False}  # type: ignore[attr-defined]
    report = evaluate(System("mute", nlp, {LINK: mute}), gold, (PIPELINE,))
    assert report.counts.total("source") == Tally(0, 3, 0)
    assert report.left_out == ()


def test_scores_are_judged_by_hand(nlp: Language, gold: GoldSet) -> None:
    (claim,) = gold.articles[0].claims or ()
    one = replace(gold.articles[0], claims=(replace(claim, stance_also=("both",)),))

    def classify(label: str, promote: float, regulate: float) -> System:
        def run(doc: Doc) -> Doc:
            topics = [{"label": "data", "score": 0.9}, {"label": "health", "score": 0.4}]
            stance = {"label": label, "promote": promote, "regulate": regulate}
            doc._.proposals = [{**proposal, "topics": topics, "stance": stance} for proposal in doc._.proposals]
            return doc

        return System(label, nlp, {CLASSIFY: run})

    found = evaluate(classify("promote", 0.7, 0.2), replace(gold, articles=(one,)), (CLASSIFY,)).calibration
    # "data" is right at 0.9, "health" wrong at 0.4; promote is wrong at 0.7, regulate right at 0.2.
    assert found["topics"].ece == pytest.approx((0.1 + 0.4) / 2)
    assert found["stance"].ece == pytest.approx((0.7 + 0.8) / 2)
    # "both" counts as right too, so both sides are.
    found = evaluate(classify("both", 0.7, 0.6), replace(gold, articles=(one,)), (CLASSIFY,)).calibration
    assert found["stance"].ece == pytest.approx((0.3 + 0.4) / 2)


def test_a_report_has_every_part(nlp: Language, gold: GoldSet) -> None:
    report = evaluate(System("en-rules", nlp), gold)
    assert report.counts.total("attribution.overlap").gold == 1
    assert report.counts.total("mention.strict/PERSON").gold == 2
    assert report.value("holder.gold/ROLE") == 1
    assert report.counts.total("stance.gold").gold == 1
    assert report.counts.total("proposer.accuracy").gold == 2
    assert report.counts.total("span.gold.statement.overlap").gold == 3
    value = json.loads(report.to_json())
    assert value["articles"] == 2
    assert value["figures"]["attribution.overlap:f1"]["gold"] == 1
    assert {"low", "high", "value"} <= set(value["figures"]["stance.gold:macro"])
    assert set(value["calibration"]) == {"records", "proponents", "mentions", "topics", "stance"}


class Oracle:
    """A linker and classifier that knows the gold of the first article."""

    def __init__(self, gold: GoldSet) -> None:
        self.item = gold.articles[0]

    def link(self, doc: Doc) -> Doc:
        doc._.entities, doc._.proposals = [], []
        if doc.text == self.item.article.text:
            (claim,) = self.item.claims or ()
            roles = [
                {"start": h.start, "end": h.end, "organization": "Qianhe Machinery"}
                for h in self.item.holdings
                if h.label == "ROLE" and h.holder.name == claim.proponent.name
            ]
            doc._.entities = [
                {"kind": "person", "name": "Luo Wenqing", "body": "NPC", "roles": roles, "mentions": [[0, 11]]}
            ]
            doc._.proposals = [{"entity": 0, "spans": claim.spans, "score": 0.9}]
        return doc

    def classify(self, doc: Doc) -> Doc:
        labels = {
            "topics": [{"label": "data", "score": 0.9}],
            "stance": {"label": "regulate", "promote": 0.1, "regulate": 0.9},
        }
        doc._.proposals = [{**proposal, **labels} for proposal in doc._.proposals]
        return doc


def test_what_is_all_right_scores_one(nlp: Language, gold: GoldSet) -> None:
    oracle = Oracle(gold)
    system = System("oracle", nlp, {"link": oracle.link, "classify": oracle.classify})
    report = evaluate(system, gold)
    for key in ("attribution.overlap", "attribution.exact", "attribution.characters", "proponent", "record.whole",
                "record.core", "topic.gold", "topic.predicted", "stance.gold", "proposer.accuracy"):  # fmt: skip
        assert report.value(key) == 1, key
    assert report.wrong == {}
    assert report.calibration["records"].ece == pytest.approx(0.1)
    # The oracle is sure of its proponent, and the rules are of their mentions; all are right.
    for name, count in (("proponents", 1), ("mentions", 8)):
        assert (report.calibration[name].count, report.calibration[name].ece) == (count, 0)
    assert report.risk[-1].recall == 0
    assert report.outcomes[1].tallies["attribution.overlap"] == Tally(0, 0, 0)


def test_parts_limit_what_is_measured(nlp: Language, gold: GoldSet) -> None:
    report = evaluate(System("en-rules", nlp), gold, (RECOGNISE,))
    assert {key.split("/")[0] for key in report.counts.keys} == {"mention.strict", "mention.partial"}
    report = evaluate(System("en-rules", nlp), gold, (LINK,))
    assert "attribution.overlap" not in report.counts.keys
    assert "proposer.accuracy" in report.counts.keys


def test_where_the_pipeline_was_not_run_no_record_is_missed(nlp: Language, gold: GoldSet) -> None:
    for stage in (RECOGNISE, ATTRIBUTE, LINK, CLASSIFY):
        report = evaluate(System("en-rules", nlp), gold, (stage,), resamples=10)
        found = report.to_dict()
        assert (found["errors"], found["risk_coverage"], found["wrong_predictions"]) == ([], [], {})
        assert [outcome.missed for outcome in report.outcomes] == [(), ()]
    # The last stage was given the record, and its scores are judged.
    assert report.outcomes[0].asked == gold.articles[0].claims
    assert report.calibration["stance"].count == 2
    report = evaluate(System("en-rules", nlp), gold, (PIPELINE,), resamples=10)
    assert len(report.outcomes[0].gold) == 1
    assert len(report.to_dict()["risk_coverage"]) == len(THRESHOLDS)


def test_a_system_does_not_differ_from_itself(nlp: Language, gold: GoldSet) -> None:
    report = evaluate(System("en-rules", nlp), gold, PARTS, resamples=50)
    found = compare_reports(report, report, resamples=50)
    assert all(d.p in (1, None) and d.value in (0, None) for d in found.differences.values())
    with pytest.raises(ValueError, match="not scored on the same articles"):
        compare_reports(report, replace(report, outcomes=report.outcomes[:1]))


# Baselines

TEXTS = [
    TrainingText("ban the bitcoin exchange", ("digital-currency",), "regulate"),
    TrainingText("ban bitcoin mining", ("digital-currency",), "regulate"),
    TrainingText("fund schools and teachers", ("education",), "promote"),
    TrainingText("fund rural schools", ("education",), "promote"),
    TrainingText("fund village schools", ("education",), "promote"),
]


def test_majority_gives_the_most_frequent_answer() -> None:
    (found,) = Majority(TEXTS).classify(["anything"])
    assert [topic["label"] for topic in found["topics"]] == ["education"]
    assert found["stance"] == {"label": "promote", "promote": 0.6, "regulate": 0.4}


def test_tfidf_learns_from_words() -> None:
    pytest.importorskip("sklearn")
    first, second = Tfidf(TEXTS).classify(["ban bitcoin", "fund schools"])
    assert (first["topics"][0]["label"], first["stance"]["label"]) == ("digital-currency", "regulate")
    assert (second["topics"][0]["label"], second["stance"]["label"]) == ("education", "promote")


def test_the_nearest_name_proposes_where_it_is_a_delegate(nlp: Language) -> None:
    text = "NPC deputy Luo Wenqing spoke to reporters. Ban it all, said Hu Jianbang. Ban it twice, said Luo Wenqing."
    doc = nlp.make_doc(text)
    places = [("NPC deputy", "BODY"), ("Luo Wenqing", "PERSON"), ("Hu Jianbang", "PERSON")]
    mentions = [Mention(text.index(t), text.index(t) + len(t), t, label) for t, label in places]
    again = text.rindex("Luo Wenqing")
    set_mentions(doc, [*mentions, Mention(again, again + 11, "Luo Wenqing", "PERSON")])
    spans = [(text.index(t), text.index(t) + len(t)) for t in ("Ban it all", "Ban it twice")]
    set_statements(doc, [Mention(a, b, text[a:b], "PROPOSAL", 0.8) for a, b in spans])
    doc = NearestName()(doc)
    # The second is nearer to the end of "Hu Jianbang" than to "Luo Wenqing" behind it, and Hu is no delegate.
    assert doc._.proposals == []
    set_mentions(doc, [mentions[0], mentions[1]])
    (proposal,) = NearestName()(doc)._.proposals
    assert doc._.entities[proposal["entity"]]["name"] == "Luo Wenqing"
    assert proposal["spans"] == [list(span) for span in spans]


def test_an_unknown_baseline_is_refused(nlp: Language, folder: Path) -> None:
    with pytest.raises(BaselineError, match="'guess'"):
        baseline("guess", nlp, load_pipeline, tuple)
    with pytest.raises(BaselineError, match="'guess'"):
        run_evaluation(Request(folder, model="en-rules", baselines=("guess",)))
    with pytest.raises(BaselineError, match="holds no record"):
        baseline("majority", nlp, load_pipeline, tuple)


def test_no_baseline_goes_with_no_other(folder: Path) -> None:
    def refused(*names: str) -> str:
        with pytest.raises(BaselineError) as caught:
            run_evaluation(Request(folder, model="en-rules", baselines=names))
        return str(caught.value)

    assert (
        refused("none", "majority")
        == refused("majority", "none")
        == "baseline 'none' goes with no other, not with 'majority'"
    )
    assert "no baseline 'majorty'" in refused("none", "majorty")


def test_words_are_learned_from_all_single_proposals_of_a_language(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "proposals"
    folder.mkdir()
    for name in ("en", "en-more", "zh", "enx"):
        row = {"text": f"A law for {name}.", "topics": ["data"], "stance": "regulate"}
        (folder / f"{name}.jsonl").write_text(json.dumps(row), encoding="utf-8")
    whole = evaluation_run.resource
    monkeypatch.setattr(
        evaluation_run, "resource", lambda *parts: folder if parts[-1] == "proposals" else whole(*parts)
    )
    learned = evaluation_run._single_proposals.__wrapped__
    assert [item.article.text for item in learned("en")] == ["A law for en.", "A law for en-more."]
    assert learned("fr") == ()


# The command


def test_an_evaluation_compares_with_what_was_asked_for(
    folder: Path, nlp: Language, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(evaluation_run, "_train_split", lambda: load_gold(folder).articles)
    request = Request(folder, model="en-rules", baselines=("majority", "nearest-name"), against=("en-rules",))
    found = run_evaluation(request, load=lambda _: nlp)
    assert [c.other.system for c in found.comparisons] == ["majority", "nearest-name", "en-rules"]
    assert found.comparisons[0].other.value("stance.gold") == 1
    assert json.loads(found.to_json())["comparisons"][2]["differences"]["stance.gold:f1"]["p"] == 1
    assert Measure("proponent") in found.comparisons[1].differences


def test_what_can_not_be_had_is_said_before_anything_is_scored(
    folder: Path, nlp: Language, monkeypatch: pytest.MonkeyPatch
) -> None:
    def score(*_: object) -> None:
        raise AssertionError("nothing is to be scored")

    monkeypatch.setattr(evaluation_run, "evaluate_together", score)
    with pytest.raises(BaselineError, match="'guess'"):
        run_evaluation(Request(folder, model="en-rules", baselines=("guess",)), load=lambda _: nlp)
    with pytest.raises(OSError, match="no-model"):
        run_evaluation(Request(folder, model="en-rules", baselines=("none",), against=("no-model",)))


def test_the_command_says_what_it_leaves_out(tmp_path: Path) -> None:
    file = tmp_path / "dev.txt"
    file.write_text("Tony\tB-politician\nlikes\tO\nUK\tB-country\n", encoding="utf-8")
    arguments = ["evaluate", str(file), "--format", "bio", "--model", "en-rules"]
    result = CliRunner().invoke(app, arguments)
    assert result.exit_code == 0, result.output
    assert "Left out: 1 mentions of 'country'; everything but mentions" in result.stdout


def test_the_command_compares_two_models_pairwise(folder: Path) -> None:
    arguments = ["evaluate", str(folder), "--model", "en-rules", "--baseline", "none", "--against", "en-rules"]
    result = CliRunner().invoke(app, arguments)
    assert result.exit_code == 0, result.output
    assert "en-rules against others: their figure, the lead over it, 95 %, p" in result.stdout
    assert "the same" in result.stdout


def test_the_command_prints_tables_and_writes_files(folder: Path, tmp_path: Path) -> None:
    out, page = tmp_path / "out.json", tmp_path / "out.html"
    arguments = ["evaluate", str(folder), "--model", "en-rules", "--baseline", "none", "--errors"]
    result = CliRunner().invoke(app, [*arguments, "--json", str(out), "--report", str(page)])
    assert result.exit_code == 0, result.output
    assert "Records, overlap ≥ 0.5" in result.stdout
    assert json.loads(out.read_text(encoding="utf-8"))["system"] == "en-rules"
    assert page.read_text(encoding="utf-8").startswith("<!doctype html>")


def test_the_command_says_what_is_wrong(tmp_path: Path) -> None:
    result = CliRunner().invoke(app, ["evaluate", str(tmp_path / "nothing")])
    assert result.exit_code == 2
    assert "does not exist" in result.output
    # Said before minutes of work, not behind them.
    result = CliRunner().invoke(app, ["evaluate", str(tmp_path), "--json", str(tmp_path / "none" / "out.json")])
    assert result.exit_code == 2
    assert "out.json can't be written: there is no folder" in result.output


@pytest.mark.parametrize("option", ["--json", "--report"])
def test_a_target_that_can_not_be_written_is_named_before_anything_is_scored(
    option: str, folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def score(*_: object, **__: object) -> None:
        raise AssertionError("nothing is to be scored")

    monkeypatch.setattr(evaluation_run, "run_evaluation", score)
    result = CliRunner().invoke(app, ["evaluate", str(folder), option, str(tmp_path)])
    assert (result.exit_code, result.output) == (2, f"{tmp_path} can't be written: it is a folder\n")
    # Whoever tests as root may write everywhere.
    monkeypatch.setattr(os, "access", lambda path, mode: mode != os.W_OK)
    out = tmp_path / "out"
    for _ in ("a new file", "an old one"):
        result = CliRunner().invoke(app, ["evaluate", str(folder), option, str(out)])
        assert (result.exit_code, result.output) == (2, f"{out} can't be written: no permission\n")
        out.touch()


def test_the_figures_are_printed_before_files_are_written(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    out = tmp_path / "out.json"
    arguments = ["evaluate", str(folder), "--model", "en-rules", "--baseline", "none", "--json", str(out)]

    def full(*_: object, **__: object) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(Path, "write_text", full)
        result = CliRunner().invoke(app, arguments)
    assert result.exit_code == 2
    assert "Records, overlap ≥ 0.5" in result.output
    assert "out.json can't be written: No space left on device" in result.output
    # A reader who has seen enough (`| head`) takes no file along.
    monkeypatch.setattr("rich.console.Console.print", lambda *_, **__: sys.exit(1))
    result = CliRunner().invoke(app, arguments)
    assert result.exit_code == 1
    assert json.loads(out.read_text(encoding="utf-8"))["articles"] == 2
