"""Agreement by hand: kappas of small tables, and of two small annotations side by side."""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import replace
from pathlib import Path

import pytest
from typer.testing import CliRunner

from pipeline.cli import app
from pipeline.corpus import AnnotatedArticle, CorpusError, load_topics, load_xml, parse_xml
from pipeline.corpus_checks import check_article
from pipeline.evaluation.agreement import (
    Agreement,
    cohen_kappa,
    compare,
    named,
    proponent_pairs,
    table,
    to_dict,
    token_pairs,
)
from pipeline.evaluation.scores import Party, Tag

DATA = Path(__file__).parent.parent / "data" / "annotated"
TOPICS = ("data", "health", "education", "transport")
HEAD = '<article id="a" lang="en" outlet="daily" published="2024-03-06" session_year="2024" shape="report"><p>'
# 15 words: Luo Wenqing deputy and mayor wants a law in Wuhan and Li An said no.
FIRST = (
    '<per id="p1">Luo Wenqing</per>, <body of="p1" is="NPC">deputy</body> and <role of="p1">mayor</role>, wants '
    '<prop by="p1" n="1" topics="data health" stance="both">a law in Wuhan</prop>, and <per id="p2">Li An</per> said '
    '<say by="p2">no</say>.'
)
# Half of the words of the law; another stance, one topic less; the mayor is no role.
SECOND = (
    '<per id="x">Luo Wenqing</per>, <body of="x" is="NPC">deputy</body> and mayor, wants '
    '<prop by="x" n="9" topics="data" stance="regulate">a law</prop> in Wuhan, and <per id="y">Li An</per> said '
    '<say by="y">no</say>.'
)


def parse(inside: str, name: str = "a") -> AnnotatedArticle:
    xml = f"{HEAD}{inside}</p></article>".replace('id="a"', f'id="{name}"')
    annotated, problems = parse_xml(xml.encode(), f"{name}.xml", TOPICS)
    assert annotated is not None
    assert not problems
    return annotated


@pytest.mark.parametrize(
    ("pairs", "kappa"),
    [
        # Perfect: observed 1, expected .5.
        ({("yes", "yes"): 5, ("no", "no"): 5}, 1.0),
        # Chance: both say yes to half, independently: observed .5, expected .5.
        ({("yes", "yes"): 1, ("yes", "no"): 1, ("no", "yes"): 1, ("no", "no"): 1}, 0.0),
        # Never one answer: observed 0, expected .5.
        ({("yes", "no"): 3, ("no", "yes"): 3}, -1.0),
        # One disagreement in four: observed 3/4, expected 1/2·1/4 + 1/2·3/4 = 1/2, so (1/4) / (1/2).
        ({("yes", "yes"): 1, ("yes", "no"): 1, ("no", "no"): 2}, 0.5),
        # Cohen's example of 2×2: observed 35/50, expected .5·.6 + .5·.4 = .5.
        ({("yes", "yes"): 20, ("yes", "no"): 5, ("no", "yes"): 10, ("no", "no"): 15}, 0.4),
        # Three answers: observed 4/6, expected (3·2 + 2·2 + 1·2) / 36 = 1/3.
        ({("a", "a"): 2, ("b", "b"): 1, ("c", "c"): 1, ("a", "b"): 1, ("b", "c"): 1}, 0.5),
        # One of them has one answer only: observed 3/4, expected 3/4.
        ({("no", "no"): 3, ("yes", "no"): 1}, 0.0),
        # Not defined: nothing to compare, and one answer throughout.
        ({}, None),
        ({("no", "no"): 7}, None),
    ],
)
def test_kappas_by_hand(pairs: dict[tuple[str, str], int], kappa: float | None) -> None:
    found = cohen_kappa(Counter(pairs))
    assert found is None if kappa is None else found == pytest.approx(kappa)


def test_tokens_are_words_inside_and_outside() -> None:
    text = "Luo, the mayor of Wuhan."
    pairs = token_pairs(text, [Tag(9, 14, "ROLE"), Tag(0, 3, "PERSON")], [Tag(9, 23, "ROLE")], "ROLE")
    assert pairs == {("yes", "yes"): 1, ("no", "yes"): 2, ("no", "no"): 2}


def test_proponents_are_joined_by_name_and_the_unnamed_do_not_propose() -> None:
    first = [(Party("Luo Wenqing"), True), (Party("Li An"), False), (Party("Jiusan Society", "organization"), True)]
    second = [(Party("LI AN"), True), (Party("Luo Wenqing"), True), (Party("Bao Yu"), False)]
    assert proponent_pairs(first, second) == {
        ("yes", "yes"): 1,
        ("no", "yes"): 1,
        ("yes", "no"): 1,
        ("no", "no"): 1,
    }
    assert proponent_pairs([], []) == {}
    assert proponent_pairs([], second[:1]) == {("no", "yes"): 1}


def test_everybody_named_is_listed_once() -> None:
    annotated = parse(
        '<org id="o1">Jiusan Society</org> wants <prop by="o1" n="1" topics="data" stance="both">a law</prop>; '
        '<org of="p1">Tencent</org>, <per id="p1">Ma Huateng</per>, <org>Tencent</org>, <ref to="p1">Ma</ref>.'
    )
    assert [(party.name, party.kind, proposes) for party, proposes in named(annotated)] == [
        ("Jiusan Society", "organization", True),
        ("Ma Huateng", "person", False),
        ("Tencent", "organization", False),
    ]


def test_an_annotation_agrees_with_itself() -> None:
    comparison = compare([parse(FIRST)], [parse(FIRST)], TOPICS)
    assert (comparison.articles, comparison.tokens, comparison.records) == (1, 15, (1, 1))
    rows = {row.name: row for row in comparison.rows}
    assert [rows[name].kappa for name in ("PERSON", "ROLE", "BODY", "PROPOSAL", "SAYING", "proponent", "topics")] == [
        1.0
    ] * 7
    assert [rows[name].tally.f1 for name in ("PERSON", "ROLE", "proponent", "topics", "records")] == [1.0] * 5
    # No organization at all, and one stance: there is no chance to correct for.
    assert (rows["ORG"].kappa, rows["ORG"].raw, rows["ORG"].tally.f1) == (None, 1.0, None)
    assert (rows["stance"].kappa, rows["stance"].raw) == (None, 1.0)


def test_two_annotations_by_hand() -> None:
    rows = {row.name: row for row in compare([parse(FIRST)], [parse(SECOND)], TOPICS).rows}
    # One word in fifteen is a role for the first only: observed 14/15, and so is expected.
    assert (rows["ROLE"].raw, rows["ROLE"].kappa, rows["ROLE"].tally.f1) == (pytest.approx(14 / 15), 0.0, 0.0)
    # Four words against two of them: observed 13/15, expected (4·2 + 11·13) / 225 = 151/225.
    assert rows["PROPOSAL"].kappa == pytest.approx((195 - 151) / (225 - 151))
    # "a law" is 5 of 14 characters.
    assert rows["PROPOSAL"].tally.f1 == 0.0
    assert rows["records"].tally.f1 == 0.0
    assert rows["SAYING"].kappa == 1.0
    assert rows["proponent"].pairs == {("yes", "yes"): 1, ("no", "no"): 1}
    # The record is matched all the same, and its labels are compared.
    assert rows["stance"].pairs == {("both", "regulate"): 1}
    assert (rows["stance"].raw, rows["stance"].kappa) == (0.0, 0.0)
    # data: yes, yes; health: yes, no; two: no, no. Observed 3/4, expected 1/2.
    assert (rows["topics"].raw, rows["topics"].kappa) == (0.75, pytest.approx(0.5))
    assert rows["topics"].tally.f1 == pytest.approx(2 / 3)


def test_only_shared_articles_with_one_text_are_compared() -> None:
    first = [parse(FIRST), parse(FIRST, "b")]
    comparison = compare(first, [parse(SECOND, "b"), parse(SECOND, "c")], TOPICS)
    assert (comparison.articles, comparison.tokens) == (1, 15)
    with pytest.raises(CorpusError, match="no article in common"):
        compare(first, [], TOPICS)
    other = parse(SECOND)
    other = replace(other, article=replace(other.article, text=other.article.text.replace("no", "on")))
    with pytest.raises(CorpusError, match="a: the two annotations have different texts"):
        compare(first, [other], TOPICS)


def test_a_row_without_units_has_no_figure() -> None:
    row = Agreement("records", "")
    assert (row.raw, row.kappa, row.tally.f1) == (None, None, None)


def test_the_table_and_the_plain_data() -> None:
    comparison = compare([parse(FIRST)], [parse(SECOND)], TOPICS)
    lines = table(comparison).splitlines()
    assert "| PROPOSAL | 15 tokens | 1 / 1 | 0.867 | 0.595 | 0.000 | spans, overlap at least 0.5 |" in lines
    assert "| stance | 1 matched records | - | 0.000 | 0.000 | - | - |" in lines
    data = to_dict(comparison)
    assert data["records"] == {"first": 1, "second": 1}
    assert data["rows"]["topics"] == {"units": 4, "raw": 0.75, "kappa": 0.5, "f1": pytest.approx(2 / 3)}


def test_the_command(tmp_path: Path) -> None:
    for name, inside in (("one", FIRST), ("two", SECOND)):
        (tmp_path / name).mkdir()
        (tmp_path / name / "a.xml").write_text(f"{HEAD}{inside}</p></article>", encoding="utf-8")
    folders = [str(tmp_path / "one"), str(tmp_path / "two")]
    runner = CliRunner()
    result = runner.invoke(app, ["corpus", "agree", *folders])
    assert result.exit_code == 0, result.output
    assert result.output.startswith("1 articles, 15 tokens, 1 / 1 records\n\n| ")
    result = runner.invoke(app, ["corpus", "agree", *folders, "--json"])
    assert json.loads(result.output)["rows"]["SAYING"]["kappa"] == 1.0
    (tmp_path / "two" / "a.xml").write_text(f"{HEAD}Other words.</p></article>", encoding="utf-8")
    result = runner.invoke(app, ["corpus", "agree", *folders])
    assert result.exit_code == 1
    assert "different texts" in result.output
    assert runner.invoke(app, ["corpus", "agree", folders[0], str(tmp_path / "none")]).exit_code == 2


def test_the_second_annotation_of_the_project_is_clean_and_of_the_test_texts() -> None:
    topics = load_topics()
    second = load_xml(DATA / "second", topics)
    assert [problem for annotated in second for problem in check_article(annotated, topics)] == []
    comparison = compare(load_xml(DATA / "test", topics), second, topics)
    assert comparison.articles == len(second) == 60


def test_a_chinese_character_is_a_token() -> None:
    assert token_pairs("马化腾说。", [Tag(0, 3, "PERSON")], [], "PERSON") == {("yes", "no"): 3, ("no", "no"): 1}


def test_a_statement_of_nobody_known_is_named() -> None:
    annotated = parse(FIRST)
    broken = replace(annotated, statements=(replace(annotated.statements[0], by=("p9",)),))
    with pytest.raises(CorpusError, match="a: the statement at 37 is by 'p9', which is no entity"):
        compare([broken], [annotated], TOPICS)
