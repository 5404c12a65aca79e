"""Single proposals: their file, the pages they are read on, and their checks."""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import replace
from pathlib import Path

import pytest

from pipeline.corpus import AnnotatedArticle, CorpusError, Entity, GoldMention, GoldStatement, Problem, load_topics
from pipeline.corpus_checks import check_path
from pipeline.corpus_paragraphs import background
from pipeline.corpus_proposals import LabelledProposal, check_proposals, load_proposals, pages
from pipeline.schema import STANCES, Article

TOPICS = ("health", "transport")
GOOD = {"text": "Clinics for every valley.", "topics": ["health"], "stance": "promote"}
SHIPPED = Path(__file__).parents[1] / "data" / "annotated" / "proposals"


def write(path: Path, *rows: object) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("".join(f"{json.dumps(row)}\n" for row in rows), encoding="utf-8")
    return path


def test_a_file_is_read(tmp_path: Path) -> None:
    path = write(tmp_path / "en.jsonl", GOOD, {**GOOD, "topics": ["transport", "health"], "stance": "both"})
    assert load_proposals(path, TOPICS) == [
        LabelledProposal("Clinics for every valley.", ("health",), "promote"),
        LabelledProposal("Clinics for every valley.", ("transport", "health"), "both"),
    ]


@pytest.mark.parametrize(
    ("change", "complaint"),
    [
        ({"text": ""}, "text is not one line"),
        ({"text": " x"}, "text is not one line"),
        ({"text": "two\nlines"}, "text is not one line"),
        ({"text": 7}, "text is not one line"),
        ({"topics": []}, "topics is not a list with at least one"),
        ({"topics": "health"}, "topics is not a list"),
        ({"topics": ["chess"]}, "no topic 'chess'"),
        ({"topics": ["health", "health"]}, "a topic twice"),
        ({"topics": [["health"]]}, "no topic"),
        ({"stance": "maybe"}, "stance 'maybe'; one of promote"),
        ({"stance": None}, "stance None"),
        ({"more": 1}, "not an object with text, topics and stance alone"),
    ],
)
def test_a_broken_line_is_named(tmp_path: Path, change: dict, complaint: str) -> None:
    path = write(tmp_path / "en.jsonl", GOOD, {**GOOD, **change})
    with pytest.raises(CorpusError, match=f"en.jsonl:2: {complaint}"):
        load_proposals(path, TOPICS)


def test_what_is_no_json_or_no_file_is_named(tmp_path: Path) -> None:
    path = tmp_path / "en.jsonl"
    with pytest.raises(CorpusError, match=r"en\.jsonl"):
        load_proposals(path, TOPICS)
    path.write_text("{\n", encoding="utf-8")
    with pytest.raises(CorpusError, match=r"en\.jsonl:1: not JSON"):
        load_proposals(path, TOPICS)
    path.write_bytes(b"\xff\n")
    with pytest.raises(CorpusError, match=r"en\.jsonl"):
        load_proposals(path, TOPICS)


def numbered(count: int) -> list[LabelledProposal]:
    return [LabelledProposal(f"Build road {n}.", ("transport",), "promote") for n in range(count)]


def test_pages_hold_each_proposal_once() -> None:
    found = pages(numbered(7), 3, seed=5)
    assert [len(page.statements) for page in found] == [3, 3, 1]
    texts = [page.article.text[s.start : s.end] for page in found for s in page.statements]
    assert Counter(texts) == Counter(p.text for p in numbered(7))
    assert all(len({s.by for s in page.statements}) == len(page.statements) for page in found)
    assert {(s.topics, s.stance) for page in found for s in page.statements} == {(("transport",), "promote")}


def test_a_seed_mixes_the_company() -> None:
    assert pages(numbered(9), 3)[0].article.text == "Build road 0.\n\nBuild road 1.\n\nBuild road 2."
    assert pages(numbered(9), 3, seed=1) != pages(numbered(9), 3, seed=2)
    assert pages(numbered(9), 3, seed=1) == pages(numbered(9), 3, seed=1)
    assert pages([], 3) == []


WORDS = "every county hospital in the mountains needs a helicopter and two pilots by next winter"


def held_out(text: str) -> AnnotatedArticle:
    statement = GoldStatement(0, len(text), ("p1",), "1", ("health",), "promote")
    return AnnotatedArticle(Article("d1", text), "brief", (Entity("p1", "person", "Xu Lan"),), (), (statement,))


def test_words_of_dev_or_test_leak(tmp_path: Path) -> None:
    write(tmp_path / "proposals" / "en.jsonl", GOOD, {**GOOD, "text": f"Soon {WORDS}"})
    annotated = held_out(WORDS)
    (found,) = check_proposals(tmp_path, TOPICS, {"test": [annotated]})
    assert (found.source, found.level) == ("proposals/en.jsonl:2", "error")
    assert "leaks: shares" in found.message
    assert found.message.endswith("test/d1:0")
    assert list(check_proposals(tmp_path, TOPICS, {"train": [annotated]})) == []
    saying = replace(annotated, statements=(replace(annotated.statements[0], n=None),))
    assert list(check_proposals(tmp_path, TOPICS, {"test": [saying]})) == []


def test_short_ones_are_compared_as_a_whole(tmp_path: Path) -> None:
    path = write(tmp_path / "proposals" / "en.jsonl", {**GOOD, "text": "Ban kites."}, {**GOOD, "text": "ban kites."})
    path.write_text("\n" + path.read_text(encoding="utf-8"), encoding="utf-8")
    (twin,) = check_proposals(tmp_path, TOPICS, {})
    assert (twin.source, twin.level) == ("proposals/en.jsonl:3", "warning")
    assert twin.message.endswith("with proposals/en.jsonl:2")
    leaks = list(check_proposals(tmp_path, TOPICS, {"dev": [held_out("Ban kites.")]}))
    assert [(leak.source, leak.level) for leak in leaks] == [
        ("proposals/en.jsonl:2", "error"),
        ("proposals/en.jsonl:3", "error"),
    ]


def test_a_line_may_hold_other_separators(tmp_path: Path) -> None:
    path = tmp_path / "en.jsonl"
    path.write_text(json.dumps({**GOOD, "text": "Ban\u2028kites."}, ensure_ascii=False) + "\n", encoding="utf-8")
    assert [proposal.text for proposal in load_proposals(path, TOPICS)] == ["Ban\u2028kites."]


def test_twins_and_broken_files_are_found(tmp_path: Path) -> None:
    write(tmp_path / "proposals" / "en.jsonl", {**GOOD, "text": WORDS}, {**GOOD, "text": f"{WORDS}, too"})
    write(tmp_path / "proposals" / "zh.jsonl", {**GOOD, "stance": "?"})
    twins, broken = sorted(check_proposals(tmp_path, TOPICS, {}), key=lambda problem: problem.level, reverse=True)
    assert (twins.source, twins.level) == ("proposals/en.jsonl:1", "warning")
    assert "is much like another" in twins.message
    assert (broken.source, broken.level) == ("proposals", "error")
    assert "zh.jsonl:1: stance '?'" in broken.message


def test_the_check_of_a_corpus_sees_them(tmp_path: Path) -> None:
    (tmp_path / "train").mkdir()
    write(tmp_path / "proposals" / "en.jsonl", {**GOOD, "topics": ["chess"]})
    _, problems = check_path(tmp_path, TOPICS)
    message = f"{tmp_path / 'proposals' / 'en.jsonl'}:1: no topic 'chess' in configs/topics.toml"
    assert Problem("proposals", message) in problems


def test_the_shipped_ones_have_every_topic_and_stance() -> None:
    found = load_proposals(SHIPPED / "en.jsonl", load_topics())
    assert len(found) > 4_000
    topics, stances = Counter(t for p in found for t in p.topics), Counter(p.stance for p in found)
    assert (set(topics), set(stances)) == (set(load_topics()), set(STANCES))
    assert min(stances.values()) > 0.05 * len(found)
    assert len({p.text for p in found}) == len(found)


def test_paragraphs_of_articles_come_between(tmp_path: Path) -> None:
    text = "A deputy\nHe Min spoke.\nMore beds."
    gold = AnnotatedArticle(
        Article("a", text),
        None,
        (Entity("p1", "person", "He Min"),),
        (GoldMention(9, 15, "PERSON", ("p1",)),),
        (GoldStatement(23, 33, ("p1",), "1", ("health",), "promote"),),
    )
    between = list(background(gold))
    assert [paragraph.article.text for paragraph in between] == ["A deputy", "He Min spoke."]
    assert [(m.start, m.end) for m in between[1].mentions] == [(0, 6)]

    made = pages(numbered(6), 3, seed=2, between=between[1:])
    assert len(made) == 2
    for page in made:
        words = page.article.text
        assert words.count("He Min spoke.") == 1
        assert [words[m.start : m.end] for m in page.mentions] == ["He Min"]
        assert all(words[s.start : s.end].startswith("Build road") for s in page.statements)
        assert len(page.statements) == 3
        # Nobody in one paragraph is somebody in another.
        assert len({m.of for m in page.mentions} | {s.by for s in page.statements}) == 4
    assert len({page.article.text.split("\n")[0] for page in pages(numbered(30), 3, seed=2, between=between[1:])}) > 2
