"""The counts of a corpus, by hand."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest
from typer.testing import CliRunner

from pipeline.cli import app
from pipeline.corpus import AnnotatedArticle, parse_xml
from pipeline.corpus_stats import count, outlet_kind, rows, to_dict

TOPICS = ("data", "health")
FIRST = """<article id="a" lang="en" outlet="provincial daily" published="2024-03-06" session_year="2024"
shape="report">
<p><per id="p1">Luo Wenqing</per>, <body of="p1" is="NPC">deputy</body>, and <per id="p2">Li An</per>,
<body of="p2" is="CPPCC">member</body>, want <prop by="p1 p2" n="1" topics="data health" stance="both">a law</prop>,
<prop by="p1 p2" n="1" topics="data health" stance="both">and soon</prop>.</p>
<p><prop by="p1" n="2" topics="data" stance="promote">Pay</prop>, said <ref to="p1">she</ref>.</p></article>"""
SECOND = """<article id="b" lang="en" outlet="Hong Kong, daily" published="2023-03-06" session_year="2023"
shape="brief">
<p>"<say by="o1">No</say>," said <org id="o1">Tencent</org>.</p></article>"""


def parse(xml: str) -> AnnotatedArticle:
    name = "a" if 'id="a"' in xml else "b"
    annotated, problems = parse_xml(xml.encode(), f"{name}.xml", TOPICS)
    assert annotated is not None
    assert not problems
    return annotated


def test_the_counts() -> None:
    stats = count([parse(FIRST), parse(SECOND)])
    assert (stats.articles, stats.people, stats.organizations) == (2, 2, 1)
    assert stats.words == len(parse(FIRST).article.text.split()) + 3
    # A joint proposal is a record of each proponent; its two spans are one record.
    assert (stats.records, stats.proposal_spans, stats.sayings) == (3, 3, 1)
    assert (stats.without_records, stats.with_sayings) == (1, 1)
    assert dict(stats.mentions) == {"PERSON": 2, "BODY": 2, "REF": 1, "ORG": 1}
    assert dict(stats.topics) == {"data": 3, "health": 2}
    assert dict(stats.stances) == {"both": 2, "promote": 1}
    assert dict(stats.years) == {"2024": 1, "2023": 1}
    assert dict(stats.outlets) == {"provincial": 1, "hong kong": 1}
    assert dict(stats.shapes) == {"report": 1, "brief": 1}


def test_a_chinese_character_is_a_word() -> None:
    annotated = parse(SECOND)
    text = "代表建议学校开放。"
    annotated = replace(annotated, article=replace(annotated.article, text=text))
    assert count([annotated]).words == 8


@pytest.mark.parametrize(
    ("outlet", "kind"),
    [
        ("State English daily", "state"),
        ("Hong Kong daily", "hong kong"),
        ("wire", "wire"),
        (None, "none"),
        (" , ", "none"),
    ],
)
def test_the_kind_of_an_outlet(outlet: str | None, kind: str) -> None:
    assert outlet_kind(outlet) == kind


def test_the_rows_have_a_cell_a_split_and_the_total() -> None:
    splits = {"train": count([parse(FIRST)]), "dev": count([parse(SECOND)]), "test": count([])}
    table = {row[0].strip(): row[1:] for row in rows(splits, TOPICS)}
    assert table["articles"] == ("1", "1", "0", "2")
    assert table["articles without records"] == ("0 (0%)", "1 (100%)", "0", "1 (50%)")
    assert table["data"] == ("3 (100%)", "0", "0", "3 (100%)")
    assert table["promote"] == ("1 (33%)", "0", "0", "1 (33%)")
    assert table["2023"] == ("0", "1", "0", "1")
    assert table["2 rarer ones"] == ("1", "1", "0", "2")
    assert table["records by topic"] == ()


def test_plain_numbers() -> None:
    value = json.loads(json.dumps(to_dict({"train": count([parse(FIRST)])})))
    assert value["train"]["topics"] == {"data": 3, "health": 2}


def test_the_command(tmp_path: Path) -> None:
    (tmp_path / "a.xml").write_text(FIRST, encoding="utf-8")
    runner = CliRunner()
    result = runner.invoke(app, ["corpus", "stats", str(tmp_path)])
    assert result.exit_code == 0
    assert "records by stance" in result.output
    result = runner.invoke(app, ["corpus", "stats", str(tmp_path), "--json"])
    assert json.loads(result.output)[tmp_path.stem]["records"] == 3
    # Brackets in a name are no markup.
    (tmp_path / "[web].xml").write_text(FIRST.replace('id="a"', 'id="[web]"'), encoding="utf-8")
    result = runner.invoke(app, ["corpus", "stats", str(tmp_path / "[web].xml")])
    assert "[web]" in result.output
    (tmp_path / "b.xml").write_text("<article>", encoding="utf-8")
    assert runner.invoke(app, ["corpus", "stats", str(tmp_path)]).exit_code == 1
    assert runner.invoke(app, ["corpus", "stats", str(tmp_path / "none")]).exit_code == 2
